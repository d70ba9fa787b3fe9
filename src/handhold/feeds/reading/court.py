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
from handhold.feeds.reading.numbers import Facts, Known, compact
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


class Cases:
    """The cases of an extract that are wanted; as a choice of rows (see ``source.Keep``).

    Wanted are ``numbers`` and, told as they come, those of which one of ``files`` is: ``file_of`` gives the file of each case.
    """

    def __init__(
        self,
        numbers: Known,
        files: Known | None = None,
        file_of: Callable[[pl.Series], pl.Series] | None = None,
    ) -> None:
        self.numbers, self._asked = numbers, Known(numbers.numbers)
        self._files, self._file_of = files or Known(), file_of

    def __call__(self, rows: pl.DataFrame) -> pl.Series:
        text = rows[case_column(rows)]
        numbers = compact(text).alias("n")
        if len(self._files) and self._file_of is not None:
            self._ask(pl.DataFrame([numbers, text.alias("text")]), self._file_of)
        return pl.Series(self.numbers.has(numbers))

    def _ask(self, cases: pl.DataFrame, file_of: Callable[[pl.Series], pl.Series]) -> None:
        new = cases.filter(pl.Series(~self._asked.has(cases["n"]))).drop_nulls().unique("n")
        self._asked.add(new["n"])
        self.numbers.add(new["n"].filter(pl.Series(self._files.has(file_of(new["text"])))))


class Signs:
    """Which cases are a child's, gathered piece by piece from the columns of :data:`SIGNS`: first all of A_TblCase and
    CaseIdentity, then of the others.

    Held are a case's number, the day on which its respondent came of age, and the numbers of children's cases.
    ``known_numbers``: blind hashes of the A-numbers known from ERO and ORR.
    """

    def __init__(self, known_numbers: pl.Series, codes: dict[str, Any], zone: str) -> None:
        self._known, self._codes, self._zone = Known.of(known_numbers), codes, zone
        self._found: list[pl.Series] = []
        self._ages: list[pl.DataFrame] = []
        self._of_age: Facts | None = None

    def see(self, table: str, rows: pl.DataFrame) -> None:
        """Take in a piece of a table."""
        cases = compact(rows[case_column(rows)]).alias("n")
        if table in ("A_TblCase", "CaseIdentity"):
            born = rows["C_BIRTHDATE" if table == "A_TblCase" else "BIRTHDATE"]
            of_age = _day_count(born, self._zone, MONTHS_OF_CHILDHOOD).alias("of_age")
            self._ages.append(pl.DataFrame([cases, of_age]))
        found = {
            "A_TblCase": self._priority, "CaseIdentity": self._numbered, "tbl_JuvenileHistory": self._flagged,
            "B_TblProceeding": self._young,
        }[table]  # fmt: skip
        self._found.append(cases.filter(found(rows, cases).fill_null(False)).drop_nulls().unique())

    @property
    def children(self) -> Known:
        """The cases that are a child's."""
        return Known.of(*self._found)

    @property
    def _ages_known(self) -> Facts:
        """Of each case the latest day on which its respondent came of age: ``n, of_age``."""
        if self._ages:
            before = [] if self._of_age is None else [self._of_age.rows]
            several = pl.concat([*before, *self._ages]).drop_nulls("n")
            self._of_age, self._ages = Facts.of(several.group_by("n").agg(pl.col("of_age").max())), []
        return self._of_age or Facts.of(pl.DataFrame(schema={"n": pl.Int64, "of_age": pl.Int32}))

    def _flagged(self, rows: pl.DataFrame, _cases: pl.Series) -> pl.Series:
        return rows["idnJuvenile"].is_in(self._codes["child_flags"])

    def _priority(self, rows: pl.DataFrame, _cases: pl.Series) -> pl.Series:
        return rows["CASEPRIORITY_CODE"].is_in(self._codes["child_priority"])

    def _young(self, rows: pl.DataFrame, cases: pl.Series) -> pl.Series:
        """Under 18 on the day of the charging document. A birth known to the month alone counts as its last day, so that
        nobody who may have been a child is left out.

        The exchange's own birth date counts beside the extract's birth month: either may be blank or in quarantine.
        """
        charged = pl.DataFrame([cases, _day_count(rows["OSC_DATE"], self._zone, 0).alias("charged")])
        both = charged.join(self._ages_known.about(cases), on="n", how="left", maintain_order="left")
        return both["charged"] < both["of_age"]

    def _numbered(self, rows: pl.DataFrame, _cases: pl.Series) -> pl.Series:
        if not len(self._known):
            return pl.repeat(False, len(rows), eager=True)
        hashed = store.blind(rows.select(a_number(pl.col("A_NUMBER")))["A_NUMBER"], "number")
        return pl.Series(self._known.has(hashed))


def _day_count(cells: pl.Series, zone: str, months_later: int) -> pl.Series:
    """Days comparable with one another (31 a month), some months later; a month alone counts as its last day."""
    parts = moments(cells, zone=zone)["iso"].str.split("-")
    at = [
        parts.list.get(n, null_on_oob=True).str.slice(0, 2 if n else 4).cast(pl.Int32, strict=False)
        for n in range(3)
    ]
    return (at[0] * 12 + at[1].fill_null(12) + months_later) * 31 + at[2].fill_null(31)


TURNS = (
    "Count", "tbl_JuvenileHistory", "B_TblProceeding", "A_TblCase", "CaseIdentity",
)  # fmt: skip


def turn(table: str) -> int:
    """When a table is read: before those that need to know something of it."""
    return TURNS.index(table) if table in TURNS else len(TURNS)


FLAGS = {"n": pl.Int64, "history": pl.Int64, JUVENILE: pl.String}
CHARGES = {"n": pl.Int64, CHARGED: pl.String}
COMPLETIONS = {"n": pl.Int64, "day": pl.Int32}


class Beside:
    """What the tables of an extract need to know of their neighbours: a few values of each case and proceeding.

    Without its neighbour a table says what it says beside one that says nothing: a row is the same in both.
    """

    def __init__(self) -> None:
        self._flags, self._charges = Facts(pl.DataFrame(schema=FLAGS)), Facts(pl.DataFrame(schema=CHARGES))
        self._done = Facts(pl.DataFrame(schema=COMPLETIONS))

    def tells(self, table: str, rows: pl.DataFrame) -> list[pl.DataFrame]:
        """What checked rows tell their neighbours; nothing is known before :meth:`know`."""
        if table == "tbl_JuvenileHistory":
            numbered = rows.select(
                compact(rows["idnCase"]).alias("n"),
                pl.col("idnJuvenileHistory").cast(pl.Int64).alias("history"),
                pl.col("idnJuvenile").alias(JUVENILE),
            )
            return [_newest(numbered.drop_nulls(JUVENILE))]
        if table == "B_TblProceeding":
            charged = rows.select(
                compact(rows["IDNCASE"]).alias("n"), pl.col(ISO.format("OSC_DATE")).alias(CHARGED)
            )
            done = rows.select(compact(rows["IDNPROCEEDING"]).alias("n"), day=_day("COMP_DATE"))
            return [_first(charged), done.drop_nulls().unique()]
        return []

    def know(self, table: str, told: list[list[pl.DataFrame]]) -> None:
        """A table was read to its end: this is what it told."""
        if table == "tbl_JuvenileHistory":
            self._flags = Facts.of(_newest(pl.concat([self._flags.rows, *(one[0] for one in told)])))
        if table == "B_TblProceeding":
            self._charges = Facts.of(_first(pl.concat([self._charges.rows, *(one[0] for one in told)])))
            self._done = Facts.of(pl.concat([self._done.rows, *(one[1] for one in told)]).unique())

    def added(self, table: str, rows: pl.DataFrame) -> pl.DataFrame:
        """Rows with what they need to know of their neighbours."""
        if table == "A_TblCase":
            return self._with_case(rows)
        return self._with_completion(rows) if table == "tbl_schedule" else rows

    def _with_case(self, cases: pl.DataFrame) -> pl.DataFrame:
        """The newest juvenile flag, and the day of the first charging document for cases that do not say when the child
        entered."""
        number = compact(cases["IDNCASE"])
        known = cases.with_columns(n=number)
        for facts in (self._flags, self._charges):
            known = known.join(facts.about(number), on="n", how="left", maintain_order="left")
        entered = pl.col(AT.format("DATE_OF_ENTRY")).is_not_null()
        charged = pl.when(~entered).then(pl.col(CHARGED)).alias(CHARGED)
        return known.with_columns(charged).drop("n", "history")

    def _with_completion(self, hearings: pl.DataFrame) -> pl.DataFrame:
        """Whether the proceeding was completed on the day of the hearing: then the completion says what happened there."""
        number = compact(hearings["IDNPROCEEDING"])
        done = self._done.about(number).with_columns(pl.lit("Y").alias(COMPLETED))
        known = hearings.with_columns(n=number, day=_day("ADJ_DATE")).join(
            done, on=["n", "day"], how="left", maintain_order="left"
        )
        held = pl.col("ADJ_RSN").is_not_null()
        return known.drop("n", "day").with_columns(pl.when(held).then(pl.col(COMPLETED)).alias(COMPLETED))


def _day(name: str) -> pl.Expr:
    """A date at its own precision, without the time, as digits: 20240531, 202405, 2024."""
    return iso(name).str.slice(0, 10).str.replace_all("-", "", literal=True).cast(pl.Int32)


def _newest(flags: pl.DataFrame) -> pl.DataFrame:
    return flags.sort("history").unique("n", keep="last", maintain_order=True)


def _first(charges: pl.DataFrame) -> pl.DataFrame:
    return charges.drop_nulls().group_by("n").agg(pl.col(CHARGED).min())


KEYS = {
    "file": pl.Int64, "file_key": pl.String, "row": pl.Int64, "delivery": pl.Int64, "line": pl.Int32,
}  # fmt: skip
CASE_PART = ("dob", "sex", "country", "language", "entry", "release")


class People:
    """One description a case of which the case row or the identity row is news: the two rows joined.

    Case rows come before identity rows. Where both are read, a case's few codes are held until its identity row comes.
    """

    def __init__(self, tables: list[str]) -> None:
        self._held = tables.count("A_TblCase") > 1 or "CaseIdentity" in tables
        self._cases = pl.DataFrame(schema=KEYS | dict.fromkeys(CASE_PART, CODE) | {"fresh": pl.Boolean})

    def described(self, table: str, rows: pl.DataFrame, fresh: pl.Series) -> pl.DataFrame:
        """What keyed rows, one a key, say of persons; ``fresh``: the ids of those that are news."""
        if table == "A_TblCase":
            cases = _case_part(rows.with_columns(fresh=pl.col("row").is_in(fresh.implode())))
            if not self._held:
                return _described(cases.filter("fresh"))
            both = pl.concat([self._cases, cases])
            fresh_too = both.filter("fresh")["file"].unique()
            self._cases = both.unique("file", keep="last", maintain_order=True).with_columns(
                fresh=pl.col("file").is_in(fresh_too.implode())
            )
        if table == "CaseIdentity":
            return self._identified(_person_part(rows), fresh)
        return empty(DESCRIPTION)

    def _identified(self, people: pl.DataFrame, fresh: pl.Series) -> pl.DataFrame:
        # A batch is joined with the cases it speaks of, not with all.
        mine = self._cases.filter(pl.col("file").is_in(people["file"].implode()))
        both = mine.cast(dict.fromkeys(CASE_PART, pl.String)).join(
            people, on="file", how="right", suffix="␟2", maintain_order="right"
        )
        news = pl.col("row␟2").is_in(fresh.implode()) | pl.col("fresh").fill_null(False)
        wanted = both.filter(news)
        self._cases = self._cases.with_columns(
            fresh=pl.col("fresh") & ~pl.col("file").is_in(wanted["file"].implode())
        )
        return _described(wanted)

    def rest(self) -> pl.DataFrame:
        """Cases that are news and of which no identity row came."""
        return _described(self._cases.filter("fresh"))


CODE = pl.Categorical()


def _described(parts: pl.DataFrame) -> pl.DataFrame:
    said = {name: _either(name, parts.columns) for name in DESCRIPTION if name in parts.columns}
    blank = {name: pl.lit(None) for name in DESCRIPTION if name not in parts.columns}
    whole = parts.with_columns(**said, **blank).with_columns(agency=pl.lit("EOIR"))
    return whole.select(pl.col(name).cast(kind) for name, kind in DESCRIPTION.items())


def _either(name: str, columns: list[str]) -> pl.Expr:
    """The identity row is the better witness of the person; the case row comes first as the source."""
    other = name + "␟2"
    if other not in columns:
        return pl.col(name)
    return pl.coalesce(other, name) if name in ("dob", "sex") else pl.coalesce(name, other)


def _case_part(cases: pl.DataFrame) -> pl.DataFrame:
    said = {
        "dob": iso("C_BIRTHDATE"), "sex": pl.col("GENDER"), "country": pl.col("NAT"), "language": pl.col("LANG"),
        "entry": iso("DATE_OF_ENTRY"), "release": pl.coalesce(iso("C_RELEASE_DATE"), iso("DATE_RELEASED")),
    }  # fmt: skip
    codes = {name: said[name].cast(CODE) for name in CASE_PART}
    return cases.unique(subset="file", keep="last", maintain_order=True).select(*KEYS, **codes, fresh="fresh")


def _person_part(people: pl.DataFrame) -> pl.DataFrame:
    named = people.drop("number").unique(subset="file", keep="last", maintain_order=True)
    return named.select(
        *KEYS,
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
    """Who the respondent is states no event; see :class:`People`."""
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
