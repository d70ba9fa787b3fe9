"""What may be read is read with all it holds; what may not is refused with a sentence that says what to send."""

import gzip
import io
import random
import zipfile

import pytest

from feeds.mapping.spreadsheets import DAY, LAYOUTS, NUMBERS, RULES, confirmed, no_shows, opened, workbook
from handhold.feeds.mapping import apply, header, sheets, text
from handhold.feeds.model import Unreadable


def rows_of(sheet: sheets.Sheet, said: text.Mapping) -> apply.Applied:
    return apply.apply(sheet, said, text.own_layout(said, LAYOUTS), DAY, RULES["total_words"])


def packed(**files: bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as out:
        for name, data in files.items():
            out.writestr(name.replace("__", "/"), data)
    return made.getvalue()


def ole(*names: str) -> bytes:
    return sheets.OLE + b"\0" * 512 + b"".join(name.encode("utf-16-le") for name in names)


@pytest.mark.parametrize(
    ("data", "name", "says"),
    [
        (b"", "x.csv", "empty"),
        (sheets.TNEF + b"rest", "winmail.dat", "Outlook package"),
        (ole("EncryptedPackage"), "x.xlsx", "encrypted"),
        (ole("Workbook", "_VBA_PROJECT"), "x.xls", "macros"),
        (ole("WordDocument"), "x.doc", "no workbook"),
        (ole("__substg1.0_0037001F"), "x.msg", "Outlook message"),
        (
            packed(**{"[Content_Types].xml": b"", "xl__workbook.xml": b"", "xl__vbaProject.bin": b""}),
            "x.xlsm",
            "macros",
        ),
        (packed(**{"[Content_Types].xml": b"", "word__document.xml": b""}), "x.docx", "no workbook"),
        (packed(**{"list.csv": b"a,b"}), "x.xlsx", "archive"),
        (
            packed(**{"META-INF__manifest.xml": b"<encryption-data/> opendocument.spreadsheet"}),
            "x.ods",
            "encrypted",
        ),
        (
            packed(**{"META-INF__manifest.xml": b"opendocument.spreadsheet", "Basic__x": b""}),
            "x.ods",
            "macros",
        ),
        (gzip.compress(b"a,b"), "x.csv", "archive"),
        (b"7z\xbc\xaf\x27\x1c", "x.7z", "archive"),
        (b"Rar!\x1a\x07", "x.rar", "archive"),
        (b"<html><table><tr><td>A#</td></tr></table></html>", "list.xls", "web page"),
        (b"  <!DOCTYPE html>", "list.csv", "web page"),
        (b"%PDF-1.7", "list.pdf", "PDF"),
        (b"\x89PNG\r\n", "logo.png", "image"),
        (b"MZ\x90", "list.csv", "program"),
        (workbook(("A", [["x"]]))[:-40], "x.xlsx", "not whole"),
        (bytes(range(256)) * 8, "x.csv", "no text and no workbook"),
        (b"just a line", "x.txt", "no table"),
    ],
    ids=lambda said: said if isinstance(said, str) else "bytes",
)
def test_what_is_refused_says_why_and_what_to_do(data: bytes, name: str, says: str) -> None:
    with pytest.raises(Unreadable, match=says) as why:
        opened(data, name)
    assert name not in str(why.value)


def test_an_encrypted_archive_is_no_table() -> None:
    made = bytearray(packed(**{"[Content_Types].xml": b"", "xl__workbook.xml": b""}))
    for mark in (b"PK\x03\x04", b"PK\x01\x02"):
        at = made.find(mark)
        while at >= 0:
            made[at + (6 if mark == b"PK\x03\x04" else 8)] |= 1
            at = made.find(mark, at + 4)
    with pytest.raises(Unreadable, match="encrypted"):
        opened(bytes(made), "x.xlsx")


def test_a_workbook_that_unpacks_without_end_is_not_opened() -> None:
    bomb = packed(**{"[Content_Types].xml": b"", "xl__worksheets__sheet1.xml": b"<row hidden='1'/>" * 10})
    made = io.BytesIO(bomb)
    with zipfile.ZipFile(made, "a", zipfile.ZIP_DEFLATED) as out:
        out.writestr("xl/sharedStrings.xml", b"0" * (30 << 20))
    with pytest.raises(Unreadable, match="unpacks to far more"):
        opened(made.getvalue())


@pytest.mark.parametrize("seed", range(6))
def test_a_workbook_damaged_inside_is_read_or_refused(seed: int) -> None:
    chance, data = random.Random(seed), bytearray(workbook(("List", no_shows())))
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    try:
        assert opened(bytes(data))
    except Unreadable as refusal:
        assert "send it" in str(refusal)


def test_several_sheets_hidden_ones_too_are_each_read_and_said() -> None:
    data = workbook(
        ("May", no_shows()),
        ("Empty", []),
        ("Old", no_shows()),
        hidden=["Old"],
        hidden_rows=[4, 5],
        hidden_columns=["C"],
    )
    found = opened(data)
    assert [sheet.name for sheet in found] == ["May", "Old"]
    assert "hidden rows were read" in " ".join(found[0].notes) and "columns" in " ".join(found[0].notes)
    assert "the sheet is hidden; it was read" in found[1].notes
    said = confirmed(found[0])
    assert [len(rows_of(sheet, said).cells.rows) for sheet in found] == [5, 5]


def test_a_merged_cell_stands_in_each_cell_it_covers() -> None:
    rows = [["A#", "Office"], *([number, None] for number in NUMBERS)]
    (sheet,) = opened(workbook(("S", rows), merged={"B2:B4": "Houston"}))
    assert sheet.cells["c1"].to_list() == ["Office", "Houston", "Houston", "Houston", None, None]
    assert "merged" in " ".join(sheet.notes)


def test_a_table_that_does_not_begin_in_the_first_cell() -> None:
    rows = [[], [], [None, None, "A#", "Last", "First"], *([None, None, n, "ROE", "ANA"] for n in NUMBERS)]
    (sheet,) = opened(workbook(("S", rows), merged={"D4:D6": "ROE"}))
    said = confirmed(sheet)
    found = rows_of(sheet, said).cells.rows
    assert found["Last Name"].to_list() == ["ROE"] * 5 and found["line"].to_list() == [4, 5, 6, 7, 8]


@pytest.mark.parametrize(
    "data",
    [
        "A#;Last;First\n{n};NÚÑEZ;ANA\n".encode("cp1252"),
        "A#\tLast\tFirst\n{n}\tNÚÑEZ\tANA\n".encode("utf-16"),
        '"A#","Last","First"\n"{n}"," NÚÑEZ ","ANA"\n'.encode("utf-8-sig"),
        "A#|Last|First\r\n{n}|NÚÑEZ|ANA\r\n".encode(),
    ],
    ids=["cp1252", "utf-16", "utf-8", "bars"],
)
def test_text_in_any_encoding_and_with_any_separator(data: bytes) -> None:
    rest = b"".join(data.split(b"\n", 1)[1:])
    (sheet,) = opened(
        data.replace(b"{n}", b"A232146240").replace(
            "{n}".encode("utf-16-le"), "A232146240".encode("utf-16-le")
        ),
        "x.csv",
    )
    assert rest and sheet.cells.rows() == [("A#", "Last", "First"), ("A232146240", "NÚÑEZ", "ANA")]


def test_dates_typed_as_dates_and_numbers_that_lost_their_zeros() -> None:
    rows = [
        ["A#", "Last", "First", "DOB"],
        [12345678, "ROE", "ANA", DAY],
        [123456789, "POE", "EVA", "5/31/24"],
    ]
    (sheet,) = opened(workbook(("S", rows)))
    said = confirmed(sheet)
    found = rows_of(sheet, said).cells.rows
    assert found["A-Number"].to_list() == ["12345678", "123456789"]
    assert found["Date of Birth"].to_list()[0].startswith("2024-05-31")


def test_a_total_line_at_the_end_and_the_header_once_more_are_counted_and_not_loaded() -> None:
    rows = [
        *no_shows(),
        ["A#", "Name", "Court date", "NO SHOW?", "Remarks"],
        *no_shows()[3:],
        ["TOTAL", 10, None, None, None],
    ]
    (sheet,) = opened(workbook(("S", rows)))
    applied = rows_of(sheet, confirmed(sheet))
    assert (len(applied.cells.rows), applied.cells.left, applied.cells.seen) == (10, 2, 12)
    assert "total line" in " ".join(applied.notes) and "header stands" in " ".join(applied.notes)


def test_a_child_called_total_is_no_total_line() -> None:
    rows = [*no_shows()[:3], [NUMBERS[0], "Total, Ana", "01/10/2024", "Y", "count"]]
    (sheet,) = opened(workbook(("S", rows)))
    assert rows_of(sheet, confirmed(sheet)).cells.left == 0


def test_two_header_rows_are_one_header() -> None:
    rows = [
        ["Miami"],
        ["A#", "Name", None, "Hearing", None],
        [None, "Last", "First", "Date", "FTA"],
        *([n, "ROE", "ANA", "05/01/2024", "FTA"] for n in NUMBERS),
    ]
    for merged in ({}, {"B2:C2": "Name", "D2:E2": "Hearing", "A2:A3": "A#"}):
        (sheet,) = opened(workbook(("S", rows), merged=merged))
        found = header.find(sheet.cells)
        assert found is not None
        assert (found.row, found.rows) == (1, 2)
        assert found.names == (
            "A#",
            "Name Last",
            "Name First" if merged else "First",
            "Hearing Date",
            "Hearing FTA" if merged else "FTA",
        )


def test_a_title_of_several_cells_is_no_half_of_a_header() -> None:
    rows = [["Houston", None, "week of 5/27"], *no_shows()[2:]]
    (sheet,) = opened(workbook(("S", rows)))
    found = header.find(sheet.cells)
    assert found == header.Header(1, 1, ("A#", "Name", "Court date", "NO SHOW?", "Remarks"))


def test_columns_of_one_name_are_told_apart() -> None:
    rows = [["A#", "Date", "Date"], *([n, "01/02/2024", "03/04/2024"] for n in NUMBERS)]
    (sheet,) = opened(workbook(("S", rows)))
    found = header.find(sheet.cells)
    assert found is not None and found.names == ("A#", "Date", "Date (2)")
