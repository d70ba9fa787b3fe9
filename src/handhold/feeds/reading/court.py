"""What the rows of EOIR's extract mean (``feeds.md`` 3), and which cases are a child's."""

from collections.abc import Callable
from typing import Any

import polars as pl

from handhold import store
from handhold.feeds.layout import Layout
from handhold.feeds.model import DESCRIPTION, REPORT, empty
from handhold.feeds.reading.address import Columns
from handhold.feeds.reading.columns import a_number, moments
from handhold.feeds.reading.meaning import Meaning, Rows, iso, number, phone, together
from handhold.feeds.reading.table import AT, ISO

MAILED_TO = STATED = Columns("ADDRESS_1", "UNIT", "CITY", "STATE", "ZIP")
MONTHS_OF_CHILDHOOD = 18 * 12
SCHEDULE, PROCEEDING = "eoir.tbl_schedule", "eoir.B_TblProceeding"
ZEROS = r"^`?0{5,}$"  # a redaction in identifying columns; in all others "0" and "0000" are values
IDENTIFYING = {"zip", "text"}

# What a table needs to know of its neighbours; part of a row's content, so that news there is news here.
BESIDE = "␟beside "
JUVENILE, CHARGED, COMPLETED = BESIDE + "juvenile", BESIDE + "charged", BESIDE + "completed"

# Columns that show which cases are a child's, by table.
SIGNS = {
    "tbl_JuvenileHistory": ["idnCase", "idnJuvenile"], "A_TblCase": ["IDNCASE", "C_BIRTHDATE", "CASEPRIORITY_CODE"],
    "CaseIdentity": ["IDNCASE", "A_NUMBER", "BIRTHDATE"], "B_TblProceeding": ["IDNCASE", "OSC_DATE"],
}  # fmt: skip


def unredacted(cells: pl.DataFrame, codes: dict[str, Any], layout: Layout) -> pl.DataFrame:
    """Redactions (``b6``, runs of ``?``) are nothing said; so are runs of ``0``, but only where they can be no value."""
    keys = {layout.key, layout.file}
    others = [
        c for c in layout.columns.values() if c.name not in keys and cells[c.name].null_count() < len(cells)
    ]
    blanked = []
    for column in others:
        text = pl.col(column.name)
        nothing = text.is_in(codes["redacted"]) | text.str.contains(r"^\?+$")
        nothing = nothing | text.str.contains(ZEROS) if column.type in IDENTIFYING else nothing
        blanked.append(pl.when(~nothing).then(text).alias(column.name))
    return cells.with_columns(blanked)


def case_column(rows: pl.DataFrame) -> str:
    """The column that names the case: one table spells it in its own way."""
    return "IDNCASE" if "IDNCASE" in rows.columns else "idnCase"


def only(cases: pl.Series) -> Callable[[pl.DataFrame], pl.Series]:
    """A choice of the rows that belong to these cases."""
    return lambda rows: rows[case_column(rows)].is_in(cases.implode()).fill_null(False)


def childrens_cases(
    tables: dict[str, pl.DataFrame], known_numbers: pl.Series, codes: dict[str, Any], zone: str
) -> pl.Series:
    """IDNCASE of every case that is a child's, by any of the four signs of ``feeds.md`` 3."""
    found = [
        _flagged(tables, codes),
        _priority(tables, codes),
        _young(tables, zone),
        _numbered(tables, known_numbers),
    ]
    return pl.concat([cases.alias("case") for cases in found]).drop_nulls().unique().sort()


def _column(tables: dict[str, pl.DataFrame], table: str, columns: list[str]) -> pl.DataFrame:
    return (
        tables[table].select(columns)
        if table in tables
        else pl.DataFrame(schema=dict.fromkeys(columns, pl.String))
    )


def _flagged(tables: dict[str, pl.DataFrame], codes: dict[str, Any]) -> pl.Series:
    flags = _column(tables, "tbl_JuvenileHistory", ["idnCase", "idnJuvenile"])
    return flags.filter(pl.col("idnJuvenile").is_in(codes["child_flags"]))["idnCase"]


def _priority(tables: dict[str, pl.DataFrame], codes: dict[str, Any]) -> pl.Series:
    cases = _column(tables, "A_TblCase", ["IDNCASE", "CASEPRIORITY_CODE"])
    return cases.filter(pl.col("CASEPRIORITY_CODE").is_in(codes["child_priority"]))["IDNCASE"]


def _young(tables: dict[str, pl.DataFrame], zone: str) -> pl.Series:
    """Under 18 on the day of the charging document. A birth known to the month alone counts as its last day, so that
    nobody who may have been a child is left out.

    The exchange's own birth date counts beside the extract's birth month: either may be blank or in quarantine.
    """
    months = _column(tables, "A_TblCase", ["IDNCASE", "C_BIRTHDATE"])
    days = _column(tables, "CaseIdentity", ["IDNCASE", "BIRTHDATE"]).rename({"BIRTHDATE": "C_BIRTHDATE"})
    born = pl.concat([months, days]).drop_nulls()
    charged = _column(tables, "B_TblProceeding", ["IDNCASE", "OSC_DATE"]).drop_nulls()
    both = charged.join(born, on="IDNCASE")
    was = _day_count(both["OSC_DATE"], zone, 0) - _day_count(both["C_BIRTHDATE"], zone, MONTHS_OF_CHILDHOOD)
    return both.filter(was < 0)["IDNCASE"]


def _day_count(cells: pl.Series, zone: str, months_later: int) -> pl.Series:
    """Days comparable with one another (31 a month), some months later; a month alone counts as its last day."""
    parts = moments(cells, zone=zone)["iso"].str.split("-")
    at = [
        parts.list.get(n, null_on_oob=True).str.slice(0, 2 if n else 4).cast(pl.Int32, strict=False)
        for n in range(3)
    ]
    return (at[0] * 12 + at[1].fill_null(12) + months_later) * 31 + at[2].fill_null(31)


def _numbered(tables: dict[str, pl.DataFrame], known: pl.Series) -> pl.Series:
    cases = _column(tables, "CaseIdentity", ["IDNCASE", "A_NUMBER"])
    if not len(known):
        return cases["IDNCASE"].head(0)
    hashed = store.blind(cases.select(a_number(pl.col("A_NUMBER")))["A_NUMBER"], "number")
    return cases.filter(hashed.is_in(known.implode()).fill_null(False))["IDNCASE"]


def beside(tables: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Tables with what they need to know of their neighbours in the same extract."""
    found: dict[str, pl.DataFrame] = {}
    if "A_TblCase" in tables:
        found["A_TblCase"] = _charged(
            _flags_of(tables["A_TblCase"], tables.get("tbl_JuvenileHistory")), tables.get("B_TblProceeding")
        )
    if "tbl_schedule" in tables:
        found["tbl_schedule"] = _completions_of(tables["tbl_schedule"], tables.get("B_TblProceeding"))
    return found


def _flags_of(cases: pl.DataFrame, history: pl.DataFrame | None) -> pl.DataFrame:
    """The juvenile flag of a case: the newest of its history."""
    if history is None:
        return cases.with_columns(pl.lit(None, pl.String).alias(JUVENILE))
    dated = history.drop_nulls("idnJuvenile").sort(pl.col("idnJuvenileHistory").cast(pl.Int64))
    newest = dated.unique(subset="idnCase", keep="last").select(
        "idnCase", pl.col("idnJuvenile").alias(JUVENILE)
    )
    return cases.join(newest, left_on="IDNCASE", right_on="idnCase", how="left", maintain_order="left")


def _charged(cases: pl.DataFrame, proceedings: pl.DataFrame | None) -> pl.DataFrame:
    """The day of the first charging document, for cases that do not say when the child entered."""
    if proceedings is None:
        return cases.with_columns(pl.lit(None, pl.String).alias(CHARGED))
    first = proceedings.group_by("IDNCASE").agg(pl.col(ISO.format("OSC_DATE")).min().alias(CHARGED))
    dated = cases.join(first, on="IDNCASE", how="left", maintain_order="left")
    return dated.with_columns(
        pl.when(pl.col(AT.format("DATE_OF_ENTRY")).is_null()).then(pl.col(CHARGED)).alias(CHARGED)
    )


def _completions_of(hearings: pl.DataFrame, proceedings: pl.DataFrame | None) -> pl.DataFrame:
    """Whether the proceeding was completed on the day of the hearing: then the completion says what happened there.

    Without its neighbour a table says what it says beside one that says nothing: a row is the same in both.
    """
    if proceedings is None:
        return hearings.with_columns(pl.lit(None, pl.String).alias(COMPLETED))
    day = pl.col(ISO.format("COMP_DATE")).str.slice(0, 10)
    done = (
        proceedings.select(p="IDNPROCEEDING", d=day)
        .drop_nulls()
        .unique()
        .with_columns(pl.lit("Y").alias(COMPLETED))
    )
    dated = hearings.with_columns(d=pl.col(ISO.format("ADJ_DATE")).str.slice(0, 10))
    joined = dated.join(
        done, left_on=["IDNPROCEEDING", "d"], right_on=["p", "d"], how="left", maintain_order="left"
    ).drop("d")
    return joined.with_columns(
        pl.when(pl.col("ADJ_RSN").is_not_null()).then(pl.col(COMPLETED)).alias(COMPLETED)
    )


def described(tables: dict[str, pl.DataFrame], news: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One description a case of which the case row or the identity row is news: the two rows joined.

    ``tables`` are keyed rows by table, ``news`` the ids of rows that are new or changed.
    """
    cases, people = tables.get("A_TblCase"), tables.get("CaseIdentity")
    fresh = [
        t.join(news[n], on="row", how="semi")["file"]
        for n, t in tables.items()
        if n in news and n in ("A_TblCase", "CaseIdentity")
    ]
    if not fresh:
        return empty(DESCRIPTION)
    keys = ["file", "file_key", "row", "delivery", "line"]
    parts = [part for part in (_case_part(cases, keys), _person_part(people, keys)) if part is not None]
    both = (
        parts[0]
        if len(parts) == 1
        else parts[0].join(parts[1], on="file", how="full", coalesce=True, suffix="␟2")
    )
    wanted = both.join(pl.DataFrame({"file": pl.concat(fresh).unique()}), on="file", how="semi")
    said = {name: _either(name, wanted.columns) for name in DESCRIPTION if name in wanted.columns}
    blank = {name: pl.lit(None) for name in DESCRIPTION if name not in wanted.columns}
    whole = wanted.with_columns(**said, **blank).with_columns(agency=pl.lit("EOIR"))
    return whole.select(pl.col(name).cast(kind) for name, kind in DESCRIPTION.items())


def _either(name: str, columns: list[str]) -> pl.Expr:
    """The identity row is the better witness of the person; the case row comes first as the source."""
    other = name + "␟2"
    if other not in columns:
        return pl.col(name)
    return pl.coalesce(other, name) if name in ("dob", "sex") else pl.coalesce(name, other)


def _case_part(cases: pl.DataFrame | None, keys: list[str]) -> pl.DataFrame | None:
    if cases is None:
        return None
    return cases.unique(subset="file", keep="last").select(
        *keys,
        dob=iso("C_BIRTHDATE"),
        sex=pl.col("GENDER"),
        country=pl.col("NAT"),
        language=pl.col("LANG"),
        entry=iso("DATE_OF_ENTRY"),
        release=pl.coalesce(iso("C_RELEASE_DATE"), iso("DATE_RELEASED")),
    )


def _person_part(people: pl.DataFrame | None, keys: list[str]) -> pl.DataFrame | None:
    if people is None:
        return None
    named = people.drop("number").unique(subset="file", keep="last")
    return named.select(
        *keys,
        number=number("A_NUMBER"),
        last=pl.col("LAST_NAME"),
        first=pl.col("FIRST_NAME"),
        dob=iso("BIRTHDATE"),
        sex=pl.col("GENDER"),
    )


def cases(rows: Rows) -> Meaning:
    """Court cases, seen when the child entered or, where that is not said, when it was charged."""
    detail = {
        "case_type": pl.col("CASE_TYPE"), "nat": pl.col("NAT"), "lang": pl.col("LANG"), "custody": pl.col("CUSTODY"),
        "priority": pl.col("CASEPRIORITY_CODE"), "juvenile": pl.col(JUVENILE), "c_asy_type": pl.col("C_ASY_TYPE"),
        "address_changed": iso("ADDRESS_CHANGEDON"),
    }  # fmt: skip
    charged = moments(rows.frame[CHARGED], zone=rows.layout.zone)
    entered = pl.col(AT.format("DATE_OF_ENTRY"))
    seen = pl.coalesce(entered, pl.lit(charged["at"]), pl.col("as_of"))
    precise = pl.coalesce(pl.col("DATE_OF_ENTRY␟precision"), pl.lit(charged["precision"]), pl.lit("d"))
    dated = rows.with_(seen=seen, precise=precise)
    return dated.report(
        "case-seen", moment=pl.col("seen"), precision=pl.col("precise"), detail=detail
    ), empty(DESCRIPTION)


def identities(_rows: Rows) -> Meaning:
    """Who the respondent is states no event; see :func:`described`."""
    return empty(REPORT), empty(DESCRIPTION)


def flags(_rows: Rows) -> Meaning:
    """The juvenile flag says which cases are a child's; it states no event (its dates were stamped in bulk)."""
    return empty(REPORT), empty(DESCRIPTION)


def removal(codes: dict[str, Any]) -> pl.Expr:
    """DEC_CODE says removal; which letter does depends on the kind of case."""
    by_type: dict[str, str] = codes["removal_decisions"]
    any_type = pl.col("DEC_CODE") == by_type[""]
    special = [
        (pl.col("CASE_TYPE") == kind) & (pl.col("DEC_CODE") == letter)
        for kind, letter in by_type.items()
        if kind
    ]
    return pl.any_horizontal(any_type, *special).fill_null(False)


def proceedings(rows: Rows) -> Meaning:
    """Proceedings: opened, completed, and the two patterns of absence that a completion shows."""
    codes = rows.pack.toml("feeds/eoir.toml")["codes"]
    in_absentia = (
        (pl.col("ABSENTIA") == codes["absentia"]).fill_null(False)
        & removal(codes)
        & pl.col(AT.format("COMP_DATE")).is_not_null()
    )
    closed = (pl.col("OTHER_COMP") == codes["closed_for_absence"]).fill_null(False)
    done = {
        "dec": pl.col("DEC_CODE"), "other": pl.col("OTHER_COMP"), "absentia": pl.col("ABSENTIA"), "dec_type": pl.col("DEC_TYPE"),
        "case_type": pl.col("CASE_TYPE"),
    }  # fmt: skip
    opened = {"osc": iso("OSC_DATE"), "case_type": pl.col("CASE_TYPE")}
    pattern = {"pattern": pl.when(in_absentia).then(pl.lit("in-absentia")).otherwise(pl.lit("closed"))}
    reports = together(
        rows.report("proceeding-opened", "INPUT_DATE", "OSC_DATE", detail=opened, subject=pl.col("row")),
        rows.report("charging-document-filed", "INPUT_DATE", detail={"basis": pl.lit("court")}),
        rows.report("case-completed", "COMP_DATE", detail=done, subject=pl.col("row")),
        rows.where(in_absentia | closed).report(
            "missed-hearing", "COMP_DATE", "HEARING_DATE", detail=pattern, subject=pl.col("row")
        ),
    )
    return reports, rows.mention()


def hearings(rows: Rows) -> Meaning:
    """Hearing rows: scheduled while no adjournment reason stands, held or adjourned afterwards, missed by code alone.

    A hearing at which the proceeding was completed is what the completion says it is: one absence is told once.
    """
    codes = rows.pack.toml("feeds/eoir.toml")["codes"]
    reason = pl.col("ADJ_RSN").str.to_uppercase()
    no_show = reason == codes["no_show"]
    open_ended = pl.col(COMPLETED).is_null()
    opened = rows.with_(proceeding=_proceeding_row(rows.frame))
    about = {"cal": pl.col("CAL_TYPE"), "type": pl.col("SCHEDULE_TYPE"), "time": pl.col("ADJ_TIME_START")}
    reports = together(
        opened.where(reason.is_null()).report(
            "hearing-scheduled", "ADJ_DATE", known="INPUT_DATE", slot="hearing", detail=about, subject=pl.col("proceeding"),
            moment=_at_time(rows.layout.zone), precision=_precision_of_time(),
        ),
        opened.where(reason.is_not_null() & ~no_show).report(
            "hearing-held", "ADJ_DATE", slot="hearing", detail={"reason": reason, "cal": pl.col("CAL_TYPE")}, subject=pl.col("proceeding")
        ),
        opened.where(no_show & open_ended).report(
            "missed-hearing", "ADJ_DATE", slot="hearing", detail={"pattern": pl.lit("reset"), "reason": reason}, subject=pl.col("proceeding")
        ),
    )  # fmt: skip
    return reports, rows.mention()


def _proceeding_row(frame: pl.DataFrame) -> pl.Series:
    return store.blind(frame.select(t=pl.lit(PROCEEDING + "\x1f") + pl.col("IDNPROCEEDING"))["t"], "row")


def _minutes() -> pl.Expr:
    clock = pl.col("ADJ_TIME_START").str.zfill(4)
    minutes = clock.str.slice(0, 2).cast(pl.Int32, strict=False) * 60 + clock.str.slice(2, 2).cast(
        pl.Int32, strict=False
    )
    return pl.when(minutes.is_between(1, 24 * 60 - 1)).then(minutes)


def _at_time(zone: str) -> pl.Expr:
    """The court's day and clock in its own zone; the day alone where no time is given."""
    day = pl.col(AT.format("ADJ_DATE"))
    local = day.dt.convert_time_zone(zone).dt.replace_time_zone(None) + pl.duration(minutes=_minutes())
    return pl.coalesce(
        local.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null").dt.convert_time_zone(
            "UTC"
        ),
        day,
    )


def _precision_of_time() -> pl.Expr:
    return pl.when(_minutes().is_not_null()).then(pl.lit("t")).otherwise(pl.col("ADJ_DATE␟precision"))


def notices(rows: Rows) -> Meaning:
    """Hearing notices: where each was mailed, and whether it came back."""
    about = store.blind(rows.frame.select(t=pl.lit(SCHEDULE + "\x1f") + pl.col("IDNSCHEDULE"))["t"], "row")
    mailed = rows.with_(hearing=about).at(MAILED_TO)
    reports = together(
        mailed.report(
            "notice-mailed",
            "MAILED_ON",
            placed=True,
            detail={"code": pl.col("NOTICE_CODE")},
            subject=pl.col("hearing"),
        ),
        mailed.report("notice-returned", "RETURNED_ON", placed=True, subject=pl.col("hearing")),
    )
    return reports, pl.concat([mailed.whereabouts(), rows.mention()])


def changes_of_address(rows: Rows) -> Meaning:
    """EOIR-33: effective when it says, known to the court when it was filed."""
    rows = rows.with_(called=phone(rows.frame, "PHONE")).at(STATED)
    reports = rows.report(
        "address-stated",
        "EFFECTIVE_ON",
        "FILED_ON",
        known="FILED_ON",
        placed=True,
        detail={"basis": pl.lit("eoir33")},
    )
    return reports, pl.concat([rows.whereabouts(phone=pl.col("called")), rows.mention()])


def counsel(rows: Rows) -> Meaning:
    """Counsel who entered an appearance for the respondent; what DHS assigned for itself is none of it."""
    own = rows.where(pl.col("STRATTYTYPE").str.to_uppercase() == "ALIEN")
    return own.report(
        "counsel-entered", "E_28_DATE", "E_27_DATE", detail={"level": pl.col("STRATTYLEVEL")}
    ), rows.mention()
