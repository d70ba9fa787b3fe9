"""Read a group of deliveries: check, compare with what is known, understand what is new, quarantine the rest."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

import polars as pl

from handhold import store
from handhold.feeds import health, inbox, quarantine, referrals, snapshot, usual
from handhold.feeds.layout import Layout, layouts
from handhold.feeds.mapping import book
from handhold.feeds.mapping.header import NoLongerFits
from handhold.feeds.mapping.text import base_feed
from handhold.feeds.model import Delivery, Held, Reading, Unreadable, ids
from handhold.feeds.reading import court, dhs, dol, hhs, orr, source, table, uscis
from handhold.feeds.reading.columns import a_number
from handhold.feeds.reading.meaning import Meaning, Rows
from handhold.pack import Pack

MEANINGS: dict[str, Callable[[Rows], Meaning]] = {
    "ero.uc_transfers": dhs.transfers, "opla.cases": dhs.cases,
    "orr.placements": orr.placements, "orr.discharges": orr.discharges, "orr.checkins": orr.checkins, "orr.concerns": orr.concerns,
    "orr.incidents": orr.incidents, "uscis.benefits": uscis.benefits, "uscis.ar11": uscis.ar11,
    "eoir.A_TblCase": court.cases, "eoir.B_TblProceeding": court.proceedings, "eoir.tbl_schedule": court.hearings,
    "eoir.tbl_JuvenileHistory": court.flags, "eoir.tbl_RepsAssigned": court.counsel, "eoir.CaseIdentity": court.identities,
    "dol.actions": dol.actions, "hhs.releases": hhs.releases, "eoir.HearingNotice": court.notices, "eoir.EOIR33": court.changes_of_address,
}  # fmt: skip
# What is written down beside reports, from rows that are new or changed.
BESIDE: dict[str, Callable[[store.Db, pl.DataFrame], None]] = {"hhs.releases": hhs.keep}
NUMBERS = {
    "ero.uc_transfers": "A-Number", "orr.placements": "A-Number", "orr.discharges": "A-Number", "opla.cases": "A-Number",
    "uscis.benefits": "A-Number", "uscis.ar11": "A-Number", "eoir.CaseIdentity": "A_NUMBER",
}  # fmt: skip
COUNT = "eoir.Count"
CONCERNS, ACTIONS = "orr.concerns", "dol.actions"
UNIT = "\x1f"  # stands between the parts of a key (see store.sealed)
Came = tuple[
    source.Cells, list[str]
]  # a delivery's cells, and what a person should know of how they were read


class Progress(Protocol):
    """``progress(done, total)``: how many deliveries of the group are read."""

    def __call__(self, done: int, total: int, /) -> None: ...


@dataclass
class Opened:
    """A delivery with its checked rows, or with the sentence for which it is refused."""

    delivery: Delivery
    layout: Layout
    cells: source.Cells | None = None
    checked: table.Checked | None = None
    refusal: str | None = None
    status: str = "refused"
    notes: list[str] = field(default_factory=list)
    keyed: pl.DataFrame | None = None

    def why(self, past: int, newest_first: str) -> str | None:
        """What a person should know of a delivery that was read."""
        missing, unknown = (
            (self.cells.missing if self.cells and self.delivery.mapping is None else []),
            (self.checked.unknown if self.checked else {}),
        )
        said = [
            f"read as blank, since the file lacks them: {', '.join(missing)}" if missing else "",
            f"read as unknown, since they are no known codes: {', '.join(f'{n} in {c}' for c, n in unknown.items())}"
            if unknown
            else "",
            newest_first if past else "",
            *self.notes,
        ]
        return "; ".join(part for part in said if part)[:1000] or None


def read(
    db: store.Db,
    deliveries: list[Delivery],
    *,
    now: datetime,
    pack: Pack,
    ahead: Mapping[int, Opened] | None = None,
    progress: Progress | None = None,
) -> Reading:
    """Understand what is new in a group (see ``inbox.groups``), and write down rows, quarantine and counts.

    Bad data never raises: a delivery that cannot be read is refused, one that looks wrong is held, each with a sentence.
    ``ahead``: deliveries that are open already, by id (see :func:`alone`).
    """
    store.lock(db, "feeds.read")
    waiting, done = inbox.unread(db, deliveries)
    reading = Reading(deliveries=done)
    opened = all_opened(db, waiting, cases_of(db, waiting, pack), pack, ahead)
    totals = control_totals(opened)
    news: dict[str, pl.DataFrame] = {}
    for at, one in enumerate(opened):
        taken = _take(db, reading, one, totals, news, now, pack)
        inbox.settle(db, taken, now)
        reading.deliveries.append(taken)
        if progress:
            progress(at + 1, len(opened))
    described = court.described(
        {o.layout.table: o.keyed for o in opened if o.keyed is not None and o.layout.shifts}, news
    )
    reading.descriptions = pl.concat([reading.descriptions, described])
    return reading


def seen(db: store.Db, delivery: Delivery, *, pack: Pack) -> pl.Series:
    """Ids of the rows that stand in a delivery, those in quarantine whose key can be read included."""
    (one,) = all_opened(db, [delivery], None, pack)
    if one.keyed is None or one.checked is None:
        return ids()
    refused = quarantine.keys(one.checked.problems, one.layout).drop_nulls()
    return pl.concat([one.keyed["row"].alias("id"), refused.cast(pl.Int64).alias("id")])


def alone(delivery: Delivery, pack: Pack) -> Opened | None:
    """A delivery opened, checked and keyed, where that needs nothing but the delivery: no other table, mapping or number.

    So it can be done while something else is written. ``None`` where it must wait for its turn.
    """
    if delivery.mapping is not None:
        return None
    layout = layouts(pack)[delivery.feed or ""]
    if layout.shifts or layout.feed in (COUNT, ACTIONS):
        return None
    one = _open(lambda: _came(delivery, layout, pack, None), delivery, layout, pack)
    if one.checked is not None:
        one.keyed = _keyed(one.checked.rows, layout, delivery)
    return one


def all_opened(
    db: store.Db,
    deliveries: list[Delivery],
    cases: pl.Series | None,
    pack: Pack,
    ahead: Mapping[int, Opened] | None = None,
) -> list[Opened]:
    """Every delivery opened, checked and keyed; of a court extract only what belongs to ``cases``."""
    keep = court.only(cases) if cases is not None else None
    known = ahead or {}
    opened = [known.get(d.id) or _opened(db, d, pack, keep) for d in deliveries]
    tables = {o.layout.table: o.checked.rows for o in opened if o.checked is not None and o.layout.shifts}
    beside = court.beside(tables)
    for one in opened:
        if one.checked is not None and base_feed(one.layout.feed) == ACTIONS:
            one.checked = referrals.met(db, one.checked, one.layout)
        if one.checked is None or one.delivery.feed == COUNT or one.keyed is not None:
            continue
        rows = one.checked.rows
        if one.layout.shifts and tables[one.layout.table] is not rows:  # the table came twice
            rows = court.beside(tables | {one.layout.table: rows}).get(one.layout.table, rows)
        else:
            rows = beside.get(one.layout.table, rows)
        one.keyed = _keyed(rows, one.layout, one.delivery)
    return opened


def _cells(
    delivery: Delivery, layout: Layout, pack: Pack, keep: source.Keep | None, only: list[str] | None = None
) -> source.Cells:
    rules = pack.toml("feeds/reading.toml")["bounds"]
    with inbox.open_(delivery) as kept:
        came = source.cells(kept, delivery.name, layout, rules, keep=keep, only=only)
    return _edited(came, delivery, layout, keep) if delivery.edits else came


def _edited(came: source.Cells, delivery: Delivery, layout: Layout, keep: source.Keep | None) -> source.Cells:
    """The cells with the lines that were corrected in place as they should have come."""
    shape = dict.fromkeys(layout.columns, pl.String) | {"line": pl.Int32}
    rows = pl.DataFrame([json.loads(cells) | {"line": line} for line, cells in delivery.edits], schema=shape)
    wanted = rows.filter(keep(rows)) if keep else rows
    lines = rows["line"].implode()
    others = came.rows.filter(~pl.col("line").is_in(lines))
    return replace(
        came,
        rows=pl.concat([others, wanted.select(others.columns)]).sort("line"),
        problems=came.problems.filter(~pl.col("line").is_in(lines)),
        left=came.left + len(rows) - len(wanted),
    )


def problem_of(
    delivery: Delivery, line: int, row: Mapping[str, str], layout: Layout, pack: Pack
) -> str | None:
    """Why a corrected row would be refused again, or ``None``."""
    shape = dict.fromkeys(layout.columns, pl.String) | {"line": pl.Int32}
    said = {name: value or None for name, value in row.items()} | {"line": line}
    problems = _checked(pl.DataFrame([said], schema=shape), delivery, layout, pack).problems
    return problems["why"][0] if len(problems) else None


def _opened(db: store.Db, delivery: Delivery, pack: Pack, keep: source.Keep | None) -> Opened:
    layout = book.layout_of(db, delivery, pack)
    if delivery.mapping is None:
        wanted = keep if layout.shifts else None
        return _open(lambda: _came(delivery, layout, pack, wanted), delivery, layout, pack)
    return _open(lambda: _mapped(db, delivery, layout, pack), delivery, layout, pack)


def _came(delivery: Delivery, layout: Layout, pack: Pack, keep: source.Keep | None) -> Came:
    return _cells(delivery, layout, pack, keep), []


def _mapped(db: store.Db, delivery: Delivery, layout: Layout, pack: Pack) -> Came:
    applied = book.rows_of(db, delivery, layout, pack)
    cells = _edited(applied.cells, delivery, layout, None) if delivery.edits else applied.cells
    return cells, applied.notes


def _open(come: Callable[[], Came], delivery: Delivery, layout: Layout, pack: Pack) -> Opened:
    """The checked rows of a delivery, or the sentence for which it is refused; a sender's own spreadsheet whose header is no
    longer the confirmed one waits.

    Dates are understood as of the day on which it came, so that it reads the same whenever it is read again.
    """
    try:
        cells, notes = come()
    except NoLongerFits as differs:
        return Opened(delivery, layout, refusal=str(differs), status="waiting")
    except Unreadable as refusal:
        return Opened(delivery, layout, refusal=str(refusal))
    checked = _checked(cells.rows, delivery, layout, pack)
    return Opened(
        delivery, layout, cells, replace(checked, problems=pl.concat([checked.problems, cells.problems])), notes=notes
    )  # fmt: skip


def _checked(cells: pl.DataFrame, delivery: Delivery, layout: Layout, pack: Pack) -> table.Checked:
    if layout.shifts:
        cells = court.unredacted(cells, pack.toml("feeds/eoir.toml")["codes"], layout)
    rules = pack.toml("feeds/reading.toml")["bounds"]
    today = delivery.received.astimezone(ZoneInfo(layout.zone)).date()
    return table.check(cells, layout, today=today, first=rules["first_year"], last=rules["last_year"])


def control_totals(opened: list[Opened]) -> dict[str, int]:
    """Rows a table must have, by the table's name in lower case."""
    totals = next((o.checked for o in opened if o.delivery.feed == COUNT and o.checked), None)
    if totals is None:
        return {}
    named = totals.rows.select(
        pl.col("name").str.to_lowercase().str.replace(r"\.csv$", ""), pl.col("rows").cast(pl.Int64)
    )
    return dict(named.iter_rows())


def wrong_total(total: int, seen: int) -> str:
    """Why a table that has not the rows its control total says is held."""
    return (
        f"Count.txt says {total:,} rows and the table has {seen:,}; send the whole table or the right count"
    )


def cases_of(db: store.Db, deliveries: list[Delivery], pack: Pack) -> pl.Series | None:
    """IDNCASE of the cases of an extract that are a child's, or were taken before: a table that comes alone, or a sign
    that is gone, drops nobody. ``None`` where no delivery is a table of the court."""
    extract = [d for d in deliveries if d.mapping is None and layouts(pack)[d.feed or ""].shifts]
    if not extract:
        return None
    tables = signs(extract, pack)
    taken = chosen(tables, inbox.known_numbers(db), pack)
    cases = pl.concat([taken, _taken_before(db, tables, taken)]).unique()
    leave(db, tables, cases)
    return cases


def signs(extract: list[Delivery], pack: Pack) -> dict[str, pl.DataFrame]:
    """Of each table of an extract the columns that show whose cases are a child's; without A_TblCase, at least the cases
    of the others. A table that cannot be read is left out here: it is refused when it is opened for good."""
    tables: dict[str, pl.DataFrame] = {}
    for delivery in extract:
        layout = layouts(pack)[delivery.feed or ""]
        wanted = court.SIGNS.get(layout.table, [layout.file])
        if layout.table in court.SIGNS or not any(d.feed == "eoir.A_TblCase" for d in extract):
            try:
                tables[layout.table] = _cells(delivery, layout, pack, None, wanted).rows
            except Unreadable:
                continue
    return tables


def chosen(tables: dict[str, pl.DataFrame], known_numbers: pl.Series, pack: Pack) -> pl.Series:
    """IDNCASE of the cases that these tables, or a number known from ERO or ORR, show to be a child's."""
    zone = layouts(pack)["eoir.A_TblCase"].zone
    return court.childrens_cases(tables, known_numbers, pack.toml("feeds/eoir.toml")["codes"], zone)


def leave(db: store.Db, tables: dict[str, pl.DataFrame], cases: pl.Series) -> None:
    """Remember the number of every case left aside: ERO or ORR may still say that it is a child's."""
    people = tables.get("CaseIdentity")
    if people is None:
        return
    left = (
        people.filter(~pl.col("IDNCASE").is_in(cases.implode()))
        .select(number=a_number(pl.col("A_NUMBER")), case="IDNCASE")
        .drop_nulls()
    )
    waiting = pl.DataFrame(
        {"number": store.blind(left["number"], "number"), "file": case_files(left["case"])}
    )
    store.upsert(db, "feeds_left_case", waiting.unique(), ["number", "file"], [])


def case_files(cases: pl.Series) -> pl.Series:
    """Blind ids of the court's files, from IDNCASE."""
    return store.blind(("EOIR" + UNIT + cases).alias("file"), "file")


def _taken_before(db: store.Db, tables: dict[str, pl.DataFrame], taken: pl.Series) -> pl.Series:
    known = store.frame(db, "select distinct file from feeds_row where feed like 'eoir.%'")["file"]
    named = [
        rows.to_series(rows.columns.index(court.case_column(rows))).alias("case") for rows in tables.values()
    ]
    if not len(known) or not named:
        return taken.head(0)
    others = pl.concat(named).drop_nulls().unique()
    others = others.filter(~others.is_in(taken.implode()))
    files = case_files(others) if len(others) else known.head(0)
    return others.filter(files.is_in(known.implode()))


def _take(
    db: store.Db,
    reading: Reading,
    one: Opened,
    totals: dict[str, int],
    news: dict[str, pl.DataFrame],
    now: datetime,
    pack: Pack,
) -> Delivery:
    """Compare, understand and count one delivery; held when its counts or its keys do not add up."""
    delivery, layout = one.delivery, one.layout
    if one.refusal is not None or one.cells is None or one.checked is None:
        return delivery.refused(one.refusal or "", one.status)
    if one.keyed is None:
        return _settled(
            one,
            one.cells,
            snapshot.Change(one.checked.rows, loaded=len(one.checked.rows)),
            quarantine.put(db, one.checked.problems, delivery, layout, now),
        )
    why = sent_whole(one) or looks_odd(db, one, totals, pack)
    if why:
        return why
    try:
        change = snapshot.compare(
            db,
            one.keyed,
            quarantine.keys(one.checked.problems, layout).drop_nulls(),
            delivery,
            layout,
            now=now,
            pack=pack,
        )
    except Held as held:
        return delivery.refused(str(held), "held")
    remember(db, one)
    news[layout.table] = change.news.select("row")
    quarantine.release(db, one.keyed["row"], delivery, now)
    _understand(db, reading, Rows(change.news, layout, pack), change, now)
    return _settled(one, one.cells, change, quarantine.put(db, one.checked.problems, delivery, layout, now))


def understood(db: store.Db, rows: Rows, now: datetime) -> Meaning:
    """What rows of a feed report, and whom they describe; what a feed writes beside that is written."""
    feed = base_feed(rows.layout.feed)
    if feed == CONCERNS:
        rows = replace(rows, frame=referrals.issue(db, rows.frame, rows.pack, now))
    if feed in BESIDE:
        BESIDE[feed](db, rows.frame)
    return MEANINGS[feed](rows)


def sent_whole(one: Opened) -> Delivery | None:
    """The delivery refused, where it was sent to be read whole or not at all and one of its rows cannot be read."""
    refused = len(one.checked.problems) if one.checked else 0
    if not one.delivery.whole or not refused or one.cells is None:
        return None
    return one.delivery.refused(
        f"{refused:,} of {one.cells.seen:,} rows cannot be read, and it was sent to be read whole or not at all; mend them, or send it to be read row by row"
    )


def looks_odd(db: store.Db, one: Opened, totals: dict[str, int], pack: Pack) -> Delivery | None:
    """The delivery held, where a person should look first and none has."""
    assert one.checked is not None  # noqa: S101 - it was read
    profiled = health.profile(one.checked.rows, one.layout)
    why = None if one.delivery.released else _odd(db, one, totals, profiled, pack)
    return one.delivery.refused(why, "held") if why else None


def remember(db: store.Db, one: Opened) -> None:
    """What a delivery that was read looked like, for those that come after it."""
    assert one.checked is not None  # noqa: S101 - it was read
    health.keep(db, one.delivery, health.profile(one.checked.rows, one.layout))


def _odd(db: store.Db, one: Opened, totals: dict[str, int], profiled: pl.DataFrame, pack: Pack) -> str | None:
    """Why a person should look first: the sender's own count says otherwise, or it is far from what is usual."""
    assert one.cells is not None and one.checked is not None  # noqa: S101 - it was read
    total, seen = totals.get(one.layout.table.lower()), one.cells.seen
    if total is not None and total != seen:
        return wrong_total(total, seen)
    counts = {"seen": seen, "refused": len(one.checked.problems), "good": len(one.checked.rows)}
    return usual.odd(db, one.layout, profiled, **counts, pack=pack)


def _understand(db: store.Db, reading: Reading, rows: Rows, change: snapshot.Change, now: datetime) -> None:
    reports, described = understood(db, rows, now)
    reading.reports = pl.concat([reading.reports, reports])
    reading.descriptions = pl.concat([reading.descriptions, described])
    reading.changed = pl.concat([reading.changed, change.changed])
    reading.withdrawn = pl.concat([reading.withdrawn, change.withdrawn])
    reading.returned = pl.concat([reading.returned, change.returned])


def _settled(one: Opened, cells: source.Cells, change: snapshot.Change, quarantined: int) -> Delivery:
    past = f"{change.past:,} rows speak of an earlier day than what is known: kept as the past, nothing was rolled back"
    return replace(
        one.delivery, status="read", rows=cells.seen, loaded=change.loaded, unchanged=change.unchanged, quarantined=quarantined,
        left=cells.left, withdrawn=len(change.withdrawn), changed=len(change.changed), missing_columns=tuple(cells.missing), why=one.why(change.past, past),
    )  # fmt: skip


def _keyed(rows: pl.DataFrame, layout: Layout, delivery: Delivery) -> pl.DataFrame:
    """The rows with their blind keys ``row, content, file, number``, and the file's own number in the clear for its description."""
    beside = [name for name in rows.columns if name.startswith(court.BESIDE)]
    text = rows.select(
        key=pl.lit(layout.feed + UNIT) + table.row_key(layout),
        content=pl.concat_str(pl.col([*layout.columns, *beside]).fill_null(""), separator=UNIT),
        file_key=table.file_key(layout),
    )
    number = (
        text["file_key"].clear(len(rows))
        if base_feed(layout.feed) not in NUMBERS
        else rows.select(n=a_number(pl.col(NUMBERS[base_feed(layout.feed)])))["n"]
    )
    as_of = delivery.as_of or delivery.received.date()
    return rows.with_columns(
        store.blind(text["key"], "row").alias("row"),
        store.blind(text["content"], "content").alias("content"),
        _file_ids(text["file_key"], layout).alias("file"),
        store.blind(number, "number").alias("number"),
        text["file_key"],
        delivery=pl.lit(delivery.id),
        as_of=pl.lit(
            datetime(as_of.year, as_of.month, as_of.day, tzinfo=ZoneInfo(layout.zone))
        ).dt.convert_time_zone("UTC"),
    )


def _file_ids(keys: pl.Series, layout: Layout) -> pl.Series:
    """Blind ids of files; a file's rows are many, so each file is hashed once."""
    distinct = pl.DataFrame({"key": keys.unique()})
    hashed = distinct.with_columns(
        file=store.blind((layout.agency + UNIT + distinct["key"]).alias("file"), "file")
    )
    return pl.DataFrame({"key": keys}).join(hashed, on="key", how="left", maintain_order="left")["file"]
