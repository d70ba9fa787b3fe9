"""Read a group of deliveries batch by batch: compare with what is known, understand what is new, quarantine the rest.

What needs the whole of a delivery (its control total, keys that vanished, a share that cannot be read) is known after its
last batch. So each delivery is read within a savepoint: what must not be taken in is undone to the last row.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Protocol

import polars as pl

from handhold import store
from handhold.feeds import children, health, inbox, opening, quarantine, referrals, snapshot, usual
from handhold.feeds.mapping.header import NoLongerFits
from handhold.feeds.mapping.text import base_feed
from handhold.feeds.model import Delivery, Held, Reading, Unreadable, ids
from handhold.feeds.opening import Batch, Opened
from handhold.feeds.reading import court, dhs, dol, hhs, orr, uscis
from handhold.feeds.reading.meaning import Meaning, Rows
from handhold.feeds.reading.numbers import Known, halved
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
CONCERNS = "orr.concerns"
# What tells one person from another; a description without any of it only says that there is such a file, or where.
NAMING = [
    "number", "court_case", "last", "first", "middle", "dob", "sex", "country", "language", "entry", "custody", "release",
]  # fmt: skip
NOT_TAKEN = (Held, NoLongerFits, Unreadable)


class Progress(Protocol):
    """``progress(done, total)``: how many deliveries of the group are read."""

    def __call__(self, done: int, total: int, /) -> None: ...


def read(
    db: store.Db,
    deliveries: list[Delivery],
    *,
    now: datetime,
    pack: Pack,
    ahead: Mapping[int, Opened] | None = None,
    progress: Progress | None = None,
) -> Generator[Reading, None, None]:
    """Understand what is new in a group (see ``inbox.groups``), and write down rows, quarantine and counts.

    What it says comes part by part, to be recorded in the same transaction: at the latest while the part after next of the
    same delivery is asked for, and before another delivery is. See ``model.Reading`` for parts that take back others. Whoever
    does not take all of them closes it. Bad data never raises: a delivery that cannot be read is refused, one that looks wrong
    is held, each with a sentence.
    ``ahead``: deliveries of which the first batches are made already, by id (see ``opening.alone``).
    """
    store.lock(db, "feeds.read")
    waiting, done = inbox.unread(db, deliveries)
    yield Reading(deliveries=done)
    opened = opening.opened(db, waiting, children.cases_of(db, waiting, pack), pack, ahead)
    group = _Group(now, pack, court.People([one.layout.table for one in opened]))
    for at, one in enumerate(opened):
        taken = yield from _taken(db, one, group)
        inbox.settle(db, taken, now)
        yield Reading(deliveries=[taken], of=taken.id)
        if progress:
            progress(at + 1, len(opened))
    yield Reading(descriptions=group.people.rest())


def seen(db: store.Db, delivery: Delivery, *, pack: Pack) -> pl.Series:
    """Ids of the rows that stand in a delivery, those in quarantine whose key can be read included."""
    (one,) = opening.opened(db, [delivery], None, pack)
    found = [ids()]
    for batch in one.batches():
        refused = quarantine.keys(batch.problems, one.layout).drop_nulls()
        found += [batch.rows["row"].alias("id"), refused.cast(pl.Int64).alias("id")]
    return pl.concat(found)


@dataclass
class _Group:
    """What the deliveries of a group share. ``totals``: rows that a table must have, by its name in lower case."""

    now: datetime
    pack: Pack
    people: court.People
    totals: dict[str, int] | None = None


def _taken(db: store.Db, one: Opened, group: _Group) -> Generator[Reading, None, Delivery]:
    """Read one delivery; where it must not be taken in, take back what was said of it."""
    people, totals = copy(group.people), group.totals
    again = False
    while True:
        try:
            with db.transaction():
                lines = snapshot.last_lines(db, (batch.rows for batch in one.batches())) if again else None
                return (yield from _read(db, one, group, lines))
        except snapshot.Repeats:
            refused, again = None, True
        except NOT_TAKEN as why:
            refused = not_taken(one.delivery, why)
        group.people, group.totals = copy(people), totals
        yield Reading(of=one.delivery.id, unsaid=True)
        if refused is not None:
            return refused


def not_taken(delivery: Delivery, why: Exception) -> Delivery:
    """A delivery that was not taken in, with the sentence that says why."""
    if isinstance(why, NoLongerFits):
        return delivery.refused(str(why), "waiting")
    return delivery.refused(str(why), "held" if isinstance(why, Held) else "refused")


def _read(
    db: store.Db, one: Opened, group: _Group, lines: pl.DataFrame | None
) -> Generator[Reading, None, Delivery]:
    """Compare, understand and count one delivery, all of it. Raises one of :data:`NOT_TAKEN`, and :class:`snapshot.Repeats`."""
    if not one.compared:
        return _counted(db, one, group)
    delivery, layout, now = one.delivery, one.layout, group.now
    compared = snapshot.Comparison(db, delivery, layout, now=now, pack=group.pack, lines=lines)
    teller, waiting = Teller(db, group.pack, now), quarantine.waiting(db, delivery)
    first = True
    for batch, last in _with_end(one.batches()):
        if last:
            look(db, one, group.totals or {}, group.pack)
        elif delivery.whole and one.refused:
            continue
        refused = quarantine.keys(batch.problems, layout).drop_nulls()
        change = compared.take(batch.rows, refused, alone=first and last)
        first = False
        # Understood before it is written: meanwhile the database writes the batch before.
        reports, described = teller.tell(Rows(change.news, layout, group.pack))
        compared.keep(change)
        quarantine.release(db, waiting, batch.rows["row"], delivery, now)
        quarantine.put(db, batch.problems, delivery, layout, now)
        persons = _persons(one, group, change)
        yield Reading(
            reports, pl.concat([described, persons]), change.changed, returned=change.returned, of=delivery.id, first=compared.first
        )  # fmt: skip
    gone = compared.gone()
    if len(gone):
        yield Reading(withdrawn=gone, of=delivery.id)
    remember(db, one)
    past = f"{compared.past:,} rows speak of an earlier day than what is known: kept as the past, nothing was rolled back"
    return replace(
        delivery, status="read", rows=one.seen, loaded=compared.loaded, unchanged=compared.unchanged, quarantined=one.refused,
        left=one.left, withdrawn=len(gone), changed=compared.changed, missing_columns=tuple(one.missing), why=one.why(compared.past, past),
    )  # fmt: skip


def _with_end(batches: Iterator[Batch]) -> Iterator[tuple[Batch, bool]]:
    """Each batch, and whether it is the last."""
    waiting = next(batches)
    for batch in batches:
        yield waiting, False
        waiting = batch
    yield waiting, True


def _persons(one: Opened, group: _Group, change: snapshot.Change) -> pl.DataFrame:
    table = one.layout.table if one.layout.shifts else ""
    return group.people.described(table, change.last, change.news["row"])


def _counted(db: store.Db, one: Opened, group: _Group) -> Delivery:
    """The court's own counts: nothing is compared, the tables are held against them."""
    said = []
    for batch in one.batches():
        quarantine.put(db, batch.problems, one.delivery, one.layout, group.now)
        said.append(batch.rows)
    if group.totals is None:
        group.totals = control_totals(pl.concat(said))
    return replace(
        one.delivery, status="read", rows=one.seen, loaded=one.good, unchanged=0, quarantined=one.refused, left=one.left,
        withdrawn=0, changed=0, missing_columns=tuple(one.missing), why=one.why(0, ""),
    )  # fmt: skip


def control_totals(rows: pl.DataFrame) -> dict[str, int]:
    """Rows a table must have, by the table's name in lower case."""
    named = rows.select(
        pl.col("name").str.to_lowercase().str.replace(r"\.csv$", ""), pl.col("rows").cast(pl.Int64)
    )
    return dict(named.iter_rows())


def wrong_total(total: int, seen: int) -> str:
    """Why a table that has not the rows its control total says is held."""
    return (
        f"Count.txt says {total:,} rows and the table has {seen:,}; send the whole table or the right count"
    )


@dataclass
class Teller:
    """Says what the rows of one delivery report and whom they describe, batch by batch; of rows that only mention a file, or
    say the same of it, the first."""

    db: store.Db
    pack: Pack
    now: datetime
    _told: Known = field(default_factory=Known)

    def tell(self, rows: Rows) -> Meaning:
        """What these rows report, and whom they describe; what a feed writes beside that is written."""
        feed = base_feed(rows.layout.feed)
        if feed == CONCERNS:
            rows = replace(rows, frame=referrals.issue(self.db, rows.frame, rows.pack, self.now))
        if feed in BESIDE:
            BESIDE[feed](self.db, rows.frame)
        reports, described = MEANINGS[feed](rows)
        return reports, self._new(described)

    def _new(self, described: pl.DataFrame) -> pl.DataFrame:
        """Descriptions less those that name nobody and say what was said of the same file before."""
        if not len(described):
            return described
        said = halved(described.drop("row", "line", "delivery").hash_rows())
        named = described.select(pl.any_horizontal(pl.col(NAMING).is_not_null())).to_series()
        fresh = named | (said.is_first_distinct() & pl.Series(~self._told.has(said)))
        self._told.add(said.filter(~named))
        return described.filter(fresh)


def look(db: store.Db, one: Opened, totals: dict[str, int], pack: Pack) -> None:
    """Look at a delivery as a whole, after its last batch was made.

    Raises :class:`Unreadable` where it was sent to be read whole or not at all and one of its rows cannot be read, and
    :class:`Held` where a person should look first and none has.
    """
    if one.delivery.whole and one.refused:
        raise Unreadable(
            f"{one.refused:,} of {one.seen:,} rows cannot be read, and it was sent to be read whole or not at all; mend them, or send it to be read row by row"
        )
    why = None if one.delivery.released else _odd(db, one, totals, pack)
    if why:
        raise Held(why)


def remember(db: store.Db, one: Opened) -> None:
    """What a delivery that was read looked like, for those that come after it."""
    health.keep(db, one.delivery, one.profile)


def _odd(db: store.Db, one: Opened, totals: dict[str, int], pack: Pack) -> str | None:
    """Why a person should look first: the sender's own count says otherwise, or it is far from what is usual."""
    total = totals.get(one.layout.table.lower())
    if total is not None and total != one.seen:
        return wrong_total(total, one.seen)
    return usual.odd(
        db, one.layout, one.profile, seen=one.seen, refused=one.refused, good=one.good, pack=pack
    )
