"""Undoing a delivery, and redoing it: what is known becomes what it would be had it never come, and back.

Nothing is deleted: the bytes stay, the delivery says that it was undone, by whom and why, and its statements stay with
the past. It keeps its turn among the others, so that it can come back to its own place. What holds parts, a message or an
archive, goes with its parts, and comes back with those that went with it.
"""

from collections.abc import Iterator
from datetime import datetime

import polars as pl

from handhold import store
from handhold.feeds import inbox, order, parts
from handhold.feeds.model import Delivery, FeedError
from handhold.feeds.retell import Retelling, State, again, court_again
from handhold.pack import Pack

COURT_NUMBERS = """
    select number from feeds_row where feed = 'eoir.CaseIdentity' and number is not null
    union select p.number from feeds_row_past p join feeds_delivery d on d.id = p.delivery
    where d.feed = 'eoir.CaseIdentity' and p.number is not null
    union select number from feeds_left_case"""
UNDONE = """
    insert into feeds_undoing (delivery, undone, undone_by, undone_why)
    select unnest(%(ids)s::bigint[]), %(now)s, %(by)s, %(why)s"""
REDONE = """
    update feeds_undoing set redone = %(now)s, redone_by = %(by)s, redone_why = %(why)s
    where delivery = any(%(ids)s) and redone is null"""
# The parts of a delivery that are read, did not come before it, and lie in nothing else that stands.
ITS_OWN = """
    select d.* from feeds_part p join feeds_delivery d on d.id = p.part join feeds_delivery c on c.id = p.container
    where p.container = %s and d.status = 'read' and d.recorded >= c.recorded and not exists (
        select from feeds_part o join feeds_delivery w on w.id = o.container
        where o.part = d.id and o.container <> c.id and w.status <> 'undone')
    order by p.n"""
# Those of some deliveries that were undone by the same act as one of them.
TOGETHER = """
    select p.delivery from feeds_undoing c join feeds_undoing p using (undone, undone_by, undone_why)
    where c.delivery = %s and c.redone is null and p.redone is null and p.delivery = any(%s)"""


def undo(db: store.Db, delivery: int, *, by: str, why: str, now: datetime, pack: Pack) -> list[Retelling]:
    """Take a delivery back, and its parts but those that something else that stands brought, too; returns the stories that are
    other ones now. Nothing where it is undone already.

    Raises :class:`FeedError` for a delivery of which nothing was taken in.
    """
    found = _held_fast(db, delivery, why)
    if found.status == "undone":
        return []
    if found.status != "read":
        raise FeedError(
            f"delivery {delivery} is {found.status}: nothing of it was taken in, so there is nothing to undo"
        )
    gone = [found, *_only_its_own(db, found)]
    told = _changed(db, gone, "undone", now, pack)
    db.execute(UNDONE, {"ids": _ids(gone), "now": now, "by": by, "why": why})
    parts.settle_above(db, [found])
    return told


def redo(db: store.Db, delivery: int, *, by: str, why: str, now: datetime, pack: Pack) -> list[Retelling]:
    """Take a delivery in again that was undone, and the parts that went with it; returns the stories that are other ones now.
    Nothing where it stands.

    Raises :class:`FeedError` for a delivery that was never undone.
    """
    found = _held_fast(db, delivery, why)
    if found.status == "read":
        return []
    if found.status != "undone":
        raise FeedError(f"delivery {delivery} is {found.status}, not undone; there is nothing to redo")
    back = [found, *_gone_with(db, found)]
    told = _changed(db, back, "read", now, pack)
    db.execute(REDONE, {"ids": _ids(back), "now": now, "by": by, "why": why})
    parts.settle_above(db, [found, *_within(db, found)])
    return told


def undoings(db: store.Db, delivery: int) -> list[dict[str, object]]:
    """Every time a delivery was undone and redone, the newest first."""
    return store.fetch(db, "select * from feeds_undoing where delivery = %s order by undone desc", [delivery])


def _held_fast(db: store.Db, delivery: int, why: str) -> Delivery:
    """The delivery, which nobody else changes until this transaction ends."""
    if not why.strip():
        raise FeedError("say why; whoever asks later what happened should find it")
    store.lock(db, "feeds.read")
    rows = store.fetch(db, "select * from feeds_delivery where id = %s for update", [delivery])
    if not rows:
        raise FeedError(f"there is no delivery {delivery}; handhold feeds list names them")
    return inbox.from_row(rows[0])


def _only_its_own(db: store.Db, container: Delivery) -> list[Delivery]:
    """The parts that stand and that nothing else brought which stands, those within parts, too."""
    mine = [inbox.from_row(row) for row in store.fetch(db, ITS_OWN, [container.id])]
    return [one for part in mine for one in (part, *_only_its_own(db, part))]


def _gone_with(db: store.Db, container: Delivery) -> list[Delivery]:
    """The parts that were undone when their container was; all of them, where it was only said to be undone because they are."""
    inside = [part for part in _within(db, container) if part.status == "undone"]
    itself = [one for one in undoings(db, container.id) if one["redone"] is None]
    together = {part for (part,) in db.execute(TOGETHER, [container.id, _ids(inside)]).fetchall()}
    return [part for part in inside if part.id in together or not itself]


def _within(db: store.Db, container: Delivery) -> Iterator[Delivery]:
    for part in parts.listed(db, container.id):
        yield part
        yield from _within(db, part)


def _ids(deliveries: list[Delivery]) -> list[int]:
    return [delivery.id for delivery in deliveries]


def _changed(
    db: store.Db, deliveries: list[Delivery], status: str, now: datetime, pack: Pack
) -> list[Retelling]:
    """Give deliveries their new status and tell again what rests on them: the court last, and also where only the numbers that
    show a case to be a child's are others now."""
    streams = sorted(
        {order.stream_of(one) for one in deliveries if one.feed}, key=lambda name: name == order.COURT
    )
    numbers = inbox.known_numbers(db)
    before = {stream: State(order.standing(db, stream), numbers) for stream in streams}
    db.execute("update feeds_delivery set status = %s where id = any(%s)", [status, _ids(deliveries)])
    told = []
    for stream in streams:  # which numbers are known shows when the others are told again
        known = inbox.known_numbers(db) if stream == order.COURT else numbers
        after = State(order.standing(db, stream), known)
        told.append(again(db, stream, before[stream], after, now=now, pack=pack))
    if order.COURT not in streams and _matters_to_the_court(db, numbers):
        told.append(court_again(db, numbers, now=now, pack=pack))
    return told


def _matters_to_the_court(db: store.Db, before: pl.Series) -> bool:
    known = pl.DataFrame({"number": inbox.known_numbers(db)})
    was = pl.DataFrame({"number": before})
    differ = pl.concat([known.join(was, on="number", how="anti"), was.join(known, on="number", how="anti")])
    if not len(differ):
        return False
    return len(differ.join(store.frame(db, COURT_NUMBERS), on="number", how="semi")) > 0
