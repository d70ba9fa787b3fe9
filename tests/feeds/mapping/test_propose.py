"""Proposals: from headers and values, with a reason for each; a person decides."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.mapping.spreadsheets import (
    DAY,
    LAYOUTS,
    NUMBERS,
    RULES,
    confirmed,
    no_shows,
    opened,
    proposed,
    workbook,
)
from handhold.feeds.mapping import apply, header, text
from handhold.feeds.mapping.propose import loose
from handhold.feeds.mapping.text import MappingError, Source


def fields(proposal) -> dict[str, Source]:  # type: ignore[no-untyped-def]
    return dict(proposal.mapping.fields)


def test_a_field_offices_list_of_no_shows() -> None:
    found = fields(proposed(no_shows()))
    assert found["A-Number"] == Source(("A#",))
    assert found["Last Name"] == Source(("Name",), "before-comma")
    assert found["First Name"] == Source(("Name",), "after-comma")
    assert found["Updated On"] == Source(sent=True)
    noted = found["FTA Noted Date"]
    assert noted.sent and noted.when == "NO SHOW?" and noted.is_ == ("Y",)
    assert set(found) == {"A-Number", "Last Name", "First Name", "Updated On", "FTA Noted Date"}


def test_where_no_column_says_yes_or_no_a_past_day_under_such_a_title_does() -> None:
    rows = [["number", "child", "hearing date"], *([n, "Roe, Ana", "05/01/2024"] for n in NUMBERS)]
    assert "FTA Noted Date" not in fields(proposed(rows, subject="children in Newark"))
    assert fields(proposed(rows, subject="FW: UC no shows"))["FTA Noted Date"].is_ == text.PAST


def test_a_day_that_is_like_no_field_is_proposed_for_none() -> None:
    rows = [["A#", "Last", "First", "Interview date"], *([n, "ROE", "ANA", "05/01/2024"] for n in NUMBERS)]
    assert set(fields(proposed(rows))) == {"A-Number", "Last Name", "First Name", "Updated On"}


def test_cells_that_are_no_dates_make_no_date_whatever_the_header_says() -> None:
    rows = [["A#", "Last", "First", "NTA Served Date"], *([n, "ROE", "ANA", "see file"] for n in NUMBERS)]
    assert "NTA Served Date" not in fields(proposed(rows))


def test_another_countrys_columns_codes_and_days() -> None:
    rows = [
        ["Lista de menores"],
        ["Alien Number", "Apellidos", "Nombres", "Fecha de nacimiento", "Sexo", "Nationality"],
        *([n, "ROE PAZ", "ANA", f"{day}/03/2009", sex, "HONDURAS"] for n, day, sex in zip(NUMBERS, (5, 13, 25, 30, 2), ("Hombre", "Mujer", "M", "Female", "Girl"), strict=True)),
    ]  # fmt: skip
    said = confirmed(rows)
    assert said.dates == "dmy"
    assert said.codes["Sex"] == {"Female": "F", "Girl": "F", "Hombre": "M", "Mujer": "F"}
    sheet = opened(workbook(("S", rows)))[0]
    found = apply.apply(sheet, said, text.own_layout(said, LAYOUTS), DAY, RULES["total_words"]).cells.rows
    assert found["Date of Birth"].to_list() == [
        "03/5/2009",
        "03/13/2009",
        "03/25/2009",
        "03/30/2009",
        "03/2/2009",
    ]
    assert found["Sex"].to_list() == ["M", "F", "M", "F", "F"]
    assert found["Country of Citizenship"].to_list() == ["HONDURAS"] * 5


def test_the_contracts_own_columns_are_proposed_for_themselves() -> None:
    for feed in ("ero.uc_transfers", "opla.cases", "uscis.ar11", "orr.discharges"):
        columns = list(LAYOUTS[feed].columns)
        rows = [columns, *(["" for _ in columns] for _ in range(2))]
        rows[1][0] = rows[2][0] = "A123456789"
        found = fields(proposed(rows, sender="x@nowhere.example", feed=feed))
        assert {name for name, one in found.items() if one.columns and one.columns[0] != name} == set()


def test_a_list_without_what_a_row_needs_says_what_is_lacking() -> None:
    found = proposed(
        [["UC Portal ID", "Discharge Date"], ["UC1", "05/01/2024"], ["UC2", "05/02/2024"]],
        feed="orr.discharges",
    )
    assert set(found.lacking) == {"Discharge ID", "Discharge Type"}


def test_no_reason_repeats_a_cell() -> None:
    for rows in (
        no_shows(),
        [["A#", "Last", "First", "DOB"], *([n, "ROE", "ANA", "01/02/2009"] for n in NUMBERS)],
    ):
        for one in proposed(rows).fields:
            assert one.why and not any(
                str(cell) in one.why for row in rows[3:] for cell in row if len(str(cell)) > 1
            )


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 8))
def test_neither_the_order_of_columns_nor_lines_above_change_a_proposal(seed: int, above: int) -> None:
    dice = random.Random(seed)
    rows = [list(row) for row in no_shows()[2:]]
    order = list(range(5))
    dice.shuffle(order)
    moved = [*([f"note {n}"] for n in range(above)), *([row[at] for at in order] for row in rows)]
    assert fields(proposed(moved)) == fields(proposed(rows))


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["A#", "Name", "01/02/2024", "A123456789", "TOTAL"])), min_size=1, max_size=6), min_size=1, max_size=12))  # fmt: skip
def test_any_table_gives_proposals_that_can_be_read_or_none(rows: list[list[str | None]]) -> None:
    from handhold.feeds.mapping.propose import Sent, propose

    clean = [[cell and "".join(c for c in cell if c.isprintable()) for cell in row] for row in rows]
    for sheet in opened(workbook(("S", clean))):
        for found in propose(sheet, Sent("a@b.example", "s", "p.xlsx", DAY), LAYOUTS, RULES):
            said = text.parse(text.write(found.mapping)) if found.mapping.fields else None
            if said and not found.lacking:
                applied = apply.apply(sheet, said, text.own_layout(said, LAYOUTS), DAY, RULES["total_words"])
                below = header.below(sheet.cells, header.find_known(sheet.cells, said))
                assert applied.cells.seen == len(below)


@pytest.mark.parametrize(
    ("said", "fits", "not_"),
    [
        (
            "FW: UC no shows Houston week of 5/27",
            "Fwd: UC no shows Houston week of 6/3",
            "UC transfers Houston",
        ),
        ("no shows.xlsx", "no shows.xlsx", "shows.xlsx"),
        ("[EXT] list 12", "[EXT] list 13", "list"),
    ],
)
def test_the_next_of_its_kind_fits_the_pattern(said: str, fits: str, not_: str) -> None:
    mapping = text.Mapping("x", "f", "*", (), {}, subject=loose(said))
    assert mapping.fits_sender("a", said, "p", "s", DAY) and mapping.fits_sender("a", fits, "p", "s", DAY)
    assert not mapping.fits_sender("a", not_, "p", "s", DAY)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=5, unique=True), st.text(max_size=20))
def test_a_mapping_written_and_read_is_the_same(columns: list[str], words: str) -> None:
    columns = [c.encode("utf-8", "replace").decode() for c in columns]
    words = words.encode("utf-8", "replace").decode()
    said = text.Mapping(
        "some-list", "ero.uc_transfers", "a@b.example", tuple(columns),
        {"A-Number": Source((columns[0],)), "Updated On": Source(sent=True, when=columns[-1], is_=(words, "Y"), not_=("N",)),
         "Unit": Source(value=words), "Last Name": Source((columns[0],), "before-comma", when=columns[0], is_="past")},
        subject=words or "*", dates="dmy", covers="whole", effective_from=DAY, codes={"Sex": {words: "M"}}, left={columns[0]: words},
    )  # fmt: skip
    assert text.parse(text.write(said, whys={"Unit": words})) == said


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("name = 'NOT A NAME'", "name is"),
        ("feed = 'eoir.tbl_schedule'", "no spreadsheet can be mapped"),
        ("feed = 'none.such'", "no spreadsheet can be mapped"),
        ("zone = 'Mars/Olympus'", "zone"),
        ("dates = 'ymd'", "dates is one of"),
        ("covers = 'all'", "covers is one of"),
        ("colour = 'red'", "means nothing"),
        ("[field.Nonsense]\nsent = true", "has no field Nonsense"),
        ("[field.'Last Name']\nfrom = 'Gone'", "not in the header"),
        ("[field.'Last Name']\nfrom = 'A#'\nsent = true", "exactly one"),
        ("[field.'Last Name']\nfrom = 'A#'\ntake = 'some'", "take is one of"),
        ("[field.'Last Name']\nfrom = 'A#'\nhow = 'x'", "means nothing"),
        ("[code.Sex]\nx = 'Z'", "no codes"),
        ("[code", "not TOML"),
    ],
)
def test_a_mapping_that_cannot_be_says_so(change: str, says: str) -> None:
    plain = "name = 'a-list'\nfeed = 'ero.uc_transfers'\nsender = 'x'\nheader = ['A#']\n"
    key = change.partition(" ")[0]
    lines = [line for line in plain.splitlines() if not line.startswith(f"{key} ")]
    above, below = ([change], []) if not change.startswith("[") else ([], [change])
    whole = "\n".join(
        [*lines, *above, "[field.A-Number]", "from = 'A#'", "[field.'Updated On']", "sent = true", *below]
    )
    with pytest.raises(MappingError, match=says):
        text.check_against(text.parse(whole), LAYOUTS)
