"""*To be mapped*: what waits, what is proposed for it, and reading again what an older version of a mapping read."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

import polars as pl
import psycopg

from handhold import store
from handhold.feeds import inbox, parts, reader
from handhold.feeds.layout import layouts
from handhold.feeds.mapping import apply, book, header, propose
from handhold.feeds.mapping.book import BOUNDS, RULES, Version
from handhold.feeds.mapping.text import MappingError, check_against, own_layout, parse
from handhold.feeds.model import Delivery, Reading, Unreadable, whole
from handhold.feeds.reading import table
from handhold.pack import Pack

SAMPLES = 3  # cells of each column that a page shows to those who may see them


@dataclass(frozen=True)
class Waiting:
    """One part that waits: what it is, who sent it, the proposals for it (the likeliest first), and why there is none.

    ``samples``: for each column the first cells, for those who may see them. ``before``: the newest version of the mapping that
    no longer fits.
    """

    delivery: Delivery
    origin: book.Origin
    proposals: list[propose.Proposal]
    samples: dict[str, list[str]]
    why_none: str | None = None
    before: Version | None = None


@dataclass(frozen=True)
class Tried:
    """What a mapping would make of a part: rows that can be used, rows that would be quarantined by reason, rows only counted."""

    rows: int
    usable: int
    left: int
    reasons: tuple[tuple[str, int], ...]
    notes: tuple[str, ...]


@dataclass
class Again:
    """What reading a mapping's deliveries with another version comes to, in rows."""

    deliveries: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    quarantined: int = 0
    withdrawn: int = 0
    left_alone: int = 0
    readings: list[Reading] = field(default_factory=list)


def look(db: store.Db, id_: int, *, pack: Pack, feed: str | None = None) -> Waiting:
    """A part with what is proposed for it, to ``feed`` alone where a person chose one.

    Raises :class:`MappingError` where there is no such delivery, or where it is not a spreadsheet of a sender's own.
    """
    delivery = _one(db, id_)
    whence = book.origin(db, delivery)
    try:
        found = book.opened(delivery, pack)
    except Unreadable as why:
        return Waiting(delivery, whence, [], {}, str(why))
    if not found:
        return Waiting(delivery, whence, [], {}, "there is nothing in this spreadsheet; send it again")
    sheet, whole = found[0], delivery.sheet is None
    sent = propose.Sent(
        whence.sender, whence.subject, delivery.name, whence.day(delivery, parts.ZONE), 1 if whole else 2
    )
    proposals = propose.propose(sheet, sent, layouts(pack), pack.toml(RULES), feed)
    if not proposals:
        return Waiting(
            delivery,
            whence,
            [],
            {},
            f"no row of the first {header.SEARCHED} looks like a header; send it with one",
        )
    rows = header.below(sheet.cells, header.find(sheet.cells) or header.Header(0, 1, ()))
    samples = {
        name: rows[name].drop_nulls().head(SAMPLES).to_list() for name in rows.columns if name != "line"
    }
    return Waiting(delivery, whence, proposals, samples, before=_before(db, delivery))


def attempt(db: store.Db, id_: int, text: str, *, now: datetime, pack: Pack) -> Tried:
    """Read a part by a mapping that nobody confirmed yet, and keep nothing of it.

    Raises :class:`MappingError` for a mapping that cannot be or does not fit, :class:`Unreadable` for a part that is no table.
    """
    delivery = _one(db, id_)
    said = parse(text)
    check_against(said, layouts(pack))
    day = book.origin(db, delivery).day(delivery, said.zone)
    layout = own_layout(said, layouts(pack))
    applied = apply.apply(
        book.sheet_of(delivery, said, pack), said, layout, day, pack.toml(RULES)["total_words"]
    )
    bounds = pack.toml(BOUNDS)["bounds"]
    today = now.astimezone(ZoneInfo(said.zone)).date()
    checked = table.check(
        applied.cells.rows, layout, today=today, first=bounds["first_year"], last=bounds["last_year"]
    )
    reasons = checked.problems.group_by("why").len().sort("len", "why", descending=[True, False])
    unknown = [
        f"{n} cells of {column} are none of its codes and would be read as unknown"
        for column, n in checked.unknown.items()
    ]
    return Tried(
        applied.cells.seen,
        len(checked.rows),
        applied.cells.left,
        tuple(reasons.iter_rows()),
        (*applied.notes, *unknown),
    )


def _one(db: store.Db, id_: int) -> Delivery:
    rows = store.fetch(db, "select * from feeds_delivery where id = %s", [id_])
    if not rows:
        raise MappingError("there is no such delivery; see handhold mapping list")
    delivery = inbox.from_row(rows[0])
    if (delivery.feed is not None and delivery.mapping is None) or parts.listed(db, id_):
        raise MappingError(
            "this delivery is not a sender's own spreadsheet: it is read as it came, or its parts are"
        )
    return delivery


def _before(db: store.Db, delivery: Delivery) -> Version | None:
    return book.version(db, delivery.mapping) if delivery.mapping is not None else None


def assign_waiting(db: store.Db, *, pack: Pack) -> list[Delivery]:
    """Give every part that waits the mapping that now reads it; returns those that are to be read.

    A part that a version no longer fits waits for another version, not for the same one again.
    """
    waiting = parts.waiting(db, limit=100_000)
    found = [(delivery.mapping, book.assigned(db, delivery, pack)) for delivery in waiting]
    ready = [parts.fate(db, one) for before, one in found if one.status == "kept" and one.mapping != before]
    parts.settle_above(db, ready)
    return ready


def reject(db: store.Db, id_: int, why: str) -> Delivery:
    """A person says that a part is not to be mapped; it is kept and refused with that reason."""
    delivery = _one(db, id_)
    if delivery.status != "waiting":
        raise MappingError("this delivery does not wait to be mapped; nothing was changed")
    done = parts.fate(
        db, replace(delivery.refused(f"not to be mapped: {why}"), mapping=None, feed=None, agency=None)
    )
    parts.settle_above(db, [done])
    return done


def reread(db: store.Db, name: str, *, now: datetime, pack: Pack) -> Again:
    """Read again, with the newest version, what older versions of mapping ``name`` read; oldest deliveries first.

    What a row says differently supersedes what it said; a row that the new version no longer sees is withdrawn. A delivery
    of days for which the version does not hold, or that it does not fit, is left alone. For a preview, roll back.
    """
    one = book.newest(db, name)
    again = Again()
    rows = store.fetch(
        db,
        """select d.* from feeds_delivery d join feeds_mapping m on m.id = d.mapping
           where m.name = %s and d.mapping <> %s and d.status in ('read', 'held') order by d.as_of, d.received, d.id""",
        [name, one.id],
    )
    for row in rows:
        delivery = inbox.from_row(row)
        if [
            fit.id
            for fit in book.fitting(db, delivery, book.origin(db, delivery))
            if fit.mapping.name == name
        ] == [one.id]:
            _read_again(db, delivery, one, again, now, pack)
        else:
            again.left_alone += 1
    return again


def _read_again(
    db: store.Db, delivery: Delivery, one: Version, again: Again, now: datetime, pack: Pack
) -> None:
    with db.transaction() as step:
        _put_quarantine_aside(db, delivery, now)
        agency = layouts(pack)[one.mapping.feed].agency
        newly = replace(delivery, mapping=one.id, feed=one.mapping.own_feed, agency=agency, status="kept")
        parts.fate(db, newly)
        reading = whole(reader.read(db, [newly], now=now, pack=pack))
        if reading.deliveries[0].status != "read":
            again.left_alone += 1
            raise psycopg.Rollback(step)
        gone = _no_longer_seen(db, newly, reader.seen(db, newly, pack=pack))
        reading.withdrawn = pl.concat([reading.withdrawn, gone])
        _count(again, reading, len(gone))
        again.readings.append(reading)


def _put_quarantine_aside(db: store.Db, delivery: Delivery, now: datetime) -> None:
    columns = "id, delivery, line, column_, value, why, row_, recorded"
    db.execute(
        f"insert into feeds_quarantine_past ({columns}, until) select {columns}, %s from feeds_quarantine where delivery = %s",  # noqa: S608 a fixed list
        [now, delivery.id],
    )
    for table_ in (
        "feeds_quarantine",
        "feeds_column",
    ):  # what the older reading looked like goes with it
        db.execute(f"delete from {table_} where delivery = %s", [delivery.id])  # noqa: S608 a fixed list


def _no_longer_seen(db: store.Db, delivery: Delivery, seen: pl.Series) -> pl.Series:
    """Withdraw the rows of a delivery that only the older version saw; the others are known to be read by this one."""
    asked = {"delivery": delivery.id, "seen": seen.to_list(), "mapping": delivery.mapping}
    db.execute(
        "update feeds_row set mapping = %(mapping)s where delivery = %(delivery)s and id = any(%(seen)s)",
        asked,
    )
    rows = store.fetch(
        db,
        """update feeds_row set withdrawn = %(delivery)s
           where delivery = %(delivery)s and withdrawn is null and not id = any(%(seen)s) returning id""",
        asked,
    )
    return pl.Series("id", [row["id"] for row in rows], pl.Int64)


def _count(again: Again, reading: Reading, gone: int) -> None:
    done = reading.deliveries[0]
    again.deliveries += 1
    again.changed += len(reading.changed)
    again.new += (done.loaded or 0) - len(reading.changed)
    again.unchanged += done.unchanged or 0
    again.quarantined += done.quarantined or 0
    again.withdrawn += gone
