"""A tab too many: mended where exactly one position makes the row valid, else quarantined; never read wrong, never lost."""

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from handhold.feeds.layout import Layout, layouts
from handhold.feeds.reading import court, source, table

from .sending import NOW, PACK

CODES = PACK.toml("feeds/eoir.toml")["codes"]
RULES = PACK.toml("feeds/reading.toml")["bounds"]
DAY = st.dates(date(1950, 1, 1), date(2030, 1, 1)).map(lambda d: f"{d} 00:00:00.000")
CLOCK = st.integers(700, 1700).map(lambda n: f"{n:04}")


def some(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.just("") | values


def one_of(*values: str) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


HEARING = st.fixed_dictionaries(
    {
        "IDNSCHEDULE": st.integers(10**8, 10**9).map(str), "IDNPROCEEDING": st.integers(10**7, 10**8).map(str), "IDNCASE": st.integers(10**7, 10**8).map(str),
        "OSC_DATE": some(DAY), "GENERATION": some(st.integers(0, 4).map(str)), "SUB_GENERATION": some(st.integers(0, 4).map(str)), "REC_TYPE": some(one_of(*"ABOX")),
        "LANG": some(one_of("SP", "MAM", "???")), "HEARING_LOC_CODE": some(one_of("NYC", "SF2")), "BASE_CITY_CODE": some(one_of("NYC", "SFR")), "IJ_CODE": some(one_of("JRM", "A1B")),
        "INPUT_DATE": some(DAY), "INPUT_TIME": some(CLOCK), "UPDATE_DATE": some(DAY), "UPDATE_TIME": some(CLOCK), "ASSIGNMENT_PATH": some(one_of(*"AFW")),
        "CAL_TYPE": some(one_of(*"MICNRTV")), "ADJ_DATE": some(DAY), "ADJ_TIME_START": some(CLOCK), "ADJ_TIME_STOP": some(CLOCK), "ADJ_RSN": some(one_of("11", "8A", "13", "9T")),
        "ADJ_MEDIUM": some(one_of(*"PTVAWCH")), "ADJ_MSG": some(one_of("6U", "7C")), "ADJ_ELAP_DAYS": some(st.integers(0, 900).map(str)), "LNGSESSNID": some(st.integers(0, 10**7).map(str)),
        "SCHEDULE_TYPE": some(one_of("MR", "II", "NA")), "NOTICE_CODE": some(one_of("6U", "1A")), "BLNCLOCKOVERRIDE": some(one_of("0", "1")), "EOIRAttorneyID": some(one_of("PEÑA12", "77")),
    }
)  # fmt: skip
CASE = st.fixed_dictionaries(
    {
        "IDNCASE": st.integers(10**7, 10**8).map(str), "NAT": some(one_of("HO", "GT")), "LANG": some(one_of("SP", "MAM")), "CUSTODY": some(one_of(*"NRD")), "SITE_TYPE": some(one_of(*"IM")),
        "E_28_DATE": some(DAY), "CASE_TYPE": some(one_of("RMV", "WHO")), "LATEST_HEARING": some(DAY), "LATEST_TIME": some(CLOCK), "LATEST_CAL_TYPE": some(one_of(*"MI")),
        "DATE_OF_ENTRY": some(DAY), "C_ASY_TYPE": some(one_of(*"IEJ")), "C_BIRTHDATE": some(one_of("3/2009", "11/2012")), "ADDRESS_CHANGEDON": some(DAY), "GENDER": some(one_of(*"MF")),
        "LPR": some(one_of("0", "1")), "CASEPRIORITY_CODE": some(one_of("UC", "NA")),
    }
).flatmap(
    lambda row: st.sampled_from([{}, {"ALIEN_CITY": "HOUSTON", "ALIEN_STATE": "TX", "ALIEN_ZIPCODE": "`77036"}]).map(row.__or__)
)  # fmt: skip


def read(layout: Layout, text: str, place: Path) -> source.Cells:
    path = place / "table.csv"
    path.write_bytes(text.encode("cp1252"))
    with open(path, "rb") as file:
        cells = source.cells(file, path.name, layout, RULES)
    rows = court.unredacted(cells.rows, CODES, layout)
    checked = table.check(rows, layout, today=NOW.date(), first=1900, last=2100)
    return source.Cells(checked.rows, pl.concat([checked.problems, cells.problems]))


@pytest.mark.parametrize(("feed", "rows"), [("eoir.tbl_schedule", HEARING), ("eoir.A_TblCase", CASE)])
@settings(
    max_examples=60,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_a_tab_anywhere_is_mended_or_quarantined_and_never_read_wrong(
    feed: str, rows: st.SearchStrategy[dict[str, str]], data: st.DataObject, tmp_path: Path
) -> None:
    layout = layouts(PACK)[feed]
    names = list(layout.columns)
    whole = data.draw(st.lists(rows, min_size=1, max_size=12, unique_by=lambda row: row[layout.key]))
    clean = ["\t".join(row.get(name, "") for name in names) for row in whole]
    places = [data.draw(st.integers(0, len(line))) for line in clean]
    harmed = [line[:at] + "\t" + line[at:] for line, at in zip(clean, places, strict=True)]
    head = "\t".join(names) + "\n"
    truth = {
        row[layout.key]: row for row in read(layout, head + "\n".join(clean) + "\n", tmp_path).rows.to_dicts()
    }
    assert len(truth) == len(whole), "what was drawn is valid"
    found = read(layout, head + "\n".join(harmed) + "\n", tmp_path)
    assert len(found.rows) + len(found.problems) == len(whole), "nothing is lost"
    for row in found.rows.to_dicts():
        expected = truth.get(row[layout.key])
        assert expected is not None, f"a row under a key that nobody has: {row}"
        assert {name: row[name] for name in names} == {name: expected[name] for name in names}
