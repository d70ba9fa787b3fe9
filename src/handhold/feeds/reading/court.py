"""What the rows of EOIR's extract mean (``feeds.md`` 3), which cases are a child's, and rows with a tab too many."""

from typing import Any

import polars as pl

from handhold import store
from handhold.feeds.layout import Layout
from handhold.feeds.model import REPORT, empty
from handhold.feeds.reading.address import Columns
from handhold.feeds.reading.columns import ISO as ISO_DATE
from handhold.feeds.reading.columns import US as US_DATE
from handhold.feeds.reading.columns import a_number, moments
from handhold.feeds.reading.meaning import Rows, iso, number, together
from handhold.feeds.reading.table import AT, PATTERNS

MAILED_TO = STATED = Columns("ADDRESS_1", "UNIT", "CITY", "STATE", "ZIP")
DATE_LIKE = f"(?:{ISO_DATE})|(?:{US_DATE})|" + r"^\d{1,2}/\d{4}$"
MONTHS_OF_CHILDHOOD = 18 * 12
SCHEDULE = "eoir.tbl_schedule"


def unredacted(cells: pl.DataFrame, codes: dict[str, Any], keys: list[str]) -> pl.DataFrame:
    """Redactions (``b6``, runs of ``?``) are nothing said; so are runs of ``0``, but not in keys, codes and flags."""
    others = [c for c in cells.columns if c not in {*keys, "line"}]
    text = pl.col(others)
    nothing = text.is_in(codes["redacted"]) | text.str.contains(r"^\?+$")
    return cells.with_columns(pl.when(~nothing).then(text).name.keep())


def repaired(odd: list[tuple[int, list[str]]], layout: Layout) -> tuple[pl.DataFrame, list[tuple[int, list[str]]]]:
    """Rows with tabs too many, shifted back where exactly one position makes the row valid; and the rest.

    Every way to drop the surplus empty cells is tried; ways that give the same row count once.
    """
    tried = [_shifts(line, cells, len(layout.columns)) for line, cells in odd]
    rows = [(line, *row) for (line, _), ways in zip(odd, tried, strict=True) for row in ways]
    shape = {"line": pl.Int32} | dict.fromkeys(layout.columns, pl.String)
    ways = pl.DataFrame(rows, schema=shape, orient="row")
    valid = ways.filter(_fits(layout)).with_columns(ways=pl.len().over("line")).filter(pl.col("ways") == 1).drop("ways")
    mended = set(valid["line"])
    blank = pl.col(list(layout.columns)).str.strip_chars()
    return valid.with_columns(pl.when(blank != "").then(blank).name.keep()), [(line, cells) for line, cells in odd if line not in mended]


def _shifts(line: int, cells: list[str], width: int) -> list[tuple[str, ...]]:
    surplus = len(cells) - width
    if not 0 < surplus <= 2:
        return []
    rows = {tuple(cells)}
    for _ in range(surplus):
        rows = {row[:at] + row[at + 1 :] for row in rows for at, cell in enumerate(row) if not cell.strip()}
    return sorted(rows)


def _fits(layout: Layout) -> pl.Expr:
    """Every cell is what its column holds."""
    tests = []
    for column in layout.columns.values():
        cell = pl.col(column.name).str.strip_chars().replace("", None)
        if column.type in {"date", "birth"}:
            test = cell.str.contains(DATE_LIKE)
        elif column.codes:
            test = cell.is_in(list(column.codes))
        elif column.type == "key":
            test = cell.str.contains(r"^\w[\w\-]*$") & ~cell.str.contains(DATE_LIKE)
        elif column.type in PATTERNS:
            test = cell.str.contains(PATTERNS[column.type])
        else:
            test = ~cell.str.contains(DATE_LIKE)
        tests.append(cell.is_not_null() & test if column.needed else test.fill_null(True))
    return pl.all_horizontal(tests)


def childrens_cases(tables: dict[str, pl.DataFrame], known_numbers: pl.Series, codes: dict[str, Any], zone: str) -> pl.Series:
    """IDNCASE of every case that is a child's, by any of the four signs of ``feeds.md`` 3."""
    found = [_flagged(tables, codes), _priority(tables, codes), _young(tables, zone), _numbered(tables, known_numbers)]
    return pl.concat([cases.alias("case") for cases in found]).unique().sort()


def _column(tables: dict[str, pl.DataFrame], table: str, columns: list[str]) -> pl.DataFrame:
    return tables[table].select(columns) if table in tables else pl.DataFrame(schema=dict.fromkeys(columns, pl.String))


def _flagged(tables: dict[str, pl.DataFrame], codes: dict[str, Any]) -> pl.Series:
    flags = _column(tables, "tbl_JuvenileHistory", ["idnCase", "idnJuvenile"])
    return flags.filter(pl.col("idnJuvenile").is_in(codes["child_flags"]))["idnCase"]


def _priority(tables: dict[str, pl.DataFrame], codes: dict[str, Any]) -> pl.Series:
    cases = _column(tables, "A_TblCase", ["IDNCASE", "CASEPRIORITY_CODE"])
    return cases.filter(pl.col("CASEPRIORITY_CODE").is_in(codes["child_priority"]))["IDNCASE"]


def _young(tables: dict[str, pl.DataFrame], zone: str) -> pl.Series:
    """Under 18 in the month of the charging document; the birth month itself counts as of age.

    The exchange's own birth date counts beside the extract's birth month: either may be blank or in quarantine.
    """
    months = _column(tables, "A_TblCase", ["IDNCASE", "C_BIRTHDATE"])
    days = _column(tables, "CaseIdentity", ["IDNCASE", "BIRTHDATE"]).rename({"BIRTHDATE": "C_BIRTHDATE"})
    born = pl.concat([months, days]).drop_nulls()
    charged = _column(tables, "B_TblProceeding", ["IDNCASE", "OSC_DATE"]).drop_nulls()
    both = charged.join(born, on="IDNCASE")
    age = _month_count(both["OSC_DATE"], zone) - _month_count(both["C_BIRTHDATE"], zone)
    return both.filter((age < MONTHS_OF_CHILDHOOD) & (age >= 0))["IDNCASE"]


def _month_count(cells: pl.Series, zone: str) -> pl.Series:
    parts = moments(cells, zone=zone)["iso"].str.split("-")
    return parts.list.get(0).cast(pl.Int32) * 12 + parts.list.get(1, null_on_oob=True).cast(pl.Int32, strict=False)


def _numbered(tables: dict[str, pl.DataFrame], known: pl.Series) -> pl.Series:
    cases = _column(tables, "CaseIdentity", ["IDNCASE", "A_NUMBER"])
    hashed = store.blind(cases.select(a_number(pl.col("A_NUMBER")))["A_NUMBER"], "number")
    return cases.filter(hashed.is_in(known.implode()) & hashed.is_not_null())["IDNCASE"]


def cases(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Court cases. The row itself carries no name; see :func:`identities`."""
    detail = {
        "case_type": pl.col("CASE_TYPE"), "nat": pl.col("NAT"), "lang": pl.col("LANG"), "custody": pl.col("CUSTODY"),
        "priority": pl.col("CASEPRIORITY_CODE"), "asylum": pl.col("C_ASY_TYPE"), "address_changed": iso("ADDRESS_CHANGEDON"),
    }  # fmt: skip
    described = rows.describe(dob=iso("C_BIRTHDATE"), sex=pl.col("GENDER"), country=pl.col("NAT"), language=pl.col("LANG"))
    return rows.report("case-seen", "DATE_OF_ENTRY", detail=detail), described


def identities(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who the respondent is, where the exchange says so."""
    described = rows.describe(
        number=number("A_NUMBER"), last=pl.col("LAST_NAME"), first=pl.col("FIRST_NAME"), dob=iso("BIRTHDATE"), sex=pl.col("GENDER")
    )
    return empty(REPORT), described


def removal(codes: dict[str, Any]) -> pl.Expr:
    """DEC_CODE says removal; which letter does depends on the kind of case."""
    by_type: dict[str, str] = codes["removal_decisions"]
    any_type = pl.col("DEC_CODE") == by_type[""]
    special = [(pl.col("CASE_TYPE") == kind) & (pl.col("DEC_CODE") == letter) for kind, letter in by_type.items() if kind]
    return pl.any_horizontal(any_type, *special).fill_null(False)


def proceedings(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Proceedings: opened, completed, and the two patterns of absence that a completion shows."""
    codes = rows.pack.toml("feeds/eoir.toml")["codes"]
    in_absentia = (pl.col("ABSENTIA") == codes["absentia"]).fill_null(False) & removal(codes)
    closed = (pl.col("OTHER_COMP") == codes["closed_for_absence"]).fill_null(False)
    done = {
        "dec": pl.col("DEC_CODE"), "other": pl.col("OTHER_COMP"), "absentia": pl.col("ABSENTIA"), "dec_type": pl.col("DEC_TYPE"),
        "case_type": pl.col("CASE_TYPE"),
    }  # fmt: skip
    reports = together(
        rows.report("proceeding-opened", "INPUT_DATE", detail={"osc": iso("OSC_DATE"), "case_type": pl.col("CASE_TYPE")}, subject=pl.col("row")),
        rows.report("charging-document-filed", "INPUT_DATE", detail={"basis": pl.lit("court")}),
        rows.report("case-completed", "COMP_DATE", detail=done, subject=pl.col("row")),
        rows.where(in_absentia).report("missed-hearing", "COMP_DATE", detail={"pattern": pl.lit("in-absentia")}, subject=pl.col("row")),
        rows.where(closed & ~in_absentia).report("missed-hearing", "COMP_DATE", detail={"pattern": pl.lit("closed")}, subject=pl.col("row")),
    )
    return reports, rows.describe()


def hearings(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hearing rows: scheduled while no adjournment reason stands, held or adjourned afterwards, missed by code alone."""
    codes = rows.pack.toml("feeds/eoir.toml")["codes"]
    reason = pl.col("ADJ_RSN")
    missed = (reason == codes["no_show"]).fill_null(False)
    clock = pl.col("ADJ_TIME_START").str.zfill(4)
    minutes = clock.str.slice(0, 2).cast(pl.Int32, strict=False) * 60 + clock.str.slice(2, 2).cast(pl.Int32, strict=False)
    timed = minutes.is_between(1, 24 * 60 - 1).fill_null(False)
    moment = pl.col(AT.format("ADJ_DATE")) + pl.duration(minutes=pl.when(timed).then(minutes).otherwise(0))
    precision = pl.when(timed).then(pl.lit("t")).otherwise(pl.lit("d"))
    about = {"cal": pl.col("CAL_TYPE"), "type": pl.col("SCHEDULE_TYPE"), "reason": reason}
    reports = together(
        rows.where(reason.is_null()).report(
            "hearing-scheduled", "ADJ_DATE", known="INPUT_DATE", slot="hearing", detail=about, subject=pl.col("row"), moment=moment, precision=precision
        ),
        rows.where(reason.is_not_null() & ~missed).report("hearing-held", "ADJ_DATE", slot="hearing", detail=about, subject=pl.col("row")),
        rows.where(missed).report("missed-hearing", "ADJ_DATE", slot="hearing", detail={"pattern": pl.lit("reset"), "reason": reason}, subject=pl.col("row")),
    )
    return reports, rows.describe()


def notices(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hearing notices: where each was mailed, and whether it came back."""
    hearing = pl.col("hearing_row")
    about = store.blind(rows.frame.select(t=pl.lit(SCHEDULE + "\x1f") + pl.col("IDNSCHEDULE"))["t"], "row")
    keyed = Rows(rows.frame.with_columns(hearing_row=about), rows.layout, rows.pack)
    reports = together(
        keyed.report("notice-mailed", "MAILED_ON", where=MAILED_TO, detail={"code": pl.col("NOTICE_CODE")}, subject=hearing),
        keyed.report("notice-returned", "RETURNED_ON", subject=hearing),
    )
    return reports, rows.describe()


def changes_of_address(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """EOIR-33: effective when it says, known to the court when it was filed."""
    detail = {"basis": pl.lit("eoir33")}
    dated, undated = rows.where(pl.col("EFFECTIVE_ON").is_not_null()), rows.where(pl.col("EFFECTIVE_ON").is_null())
    reports = together(
        dated.report("address-stated", "EFFECTIVE_ON", known="FILED_ON", where=STATED, detail=detail),
        undated.report("address-stated", "FILED_ON", where=STATED, detail=detail),
    )
    return reports, rows.describe(phone=pl.col("PHONE"))


def counsel(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Counsel who entered an appearance for the respondent."""
    own = rows.where((pl.col("STRATTYTYPE") == "ALIEN").fill_null(False))
    return own.report("counsel-entered", "E_28_DATE", detail={"level": pl.col("STRATTYLEVEL")}), rows.describe()


def flags(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The juvenile flag says which cases are a child's; it states no event (its dates were stamped in bulk)."""
    return empty(REPORT), rows.describe()
