"""Undoing a delivery, and redoing it: what is known becomes what it would be had it never come, and back.

Nothing is deleted: the bytes stay, the delivery says that it was undone, by whom and why, and its statements stay with
the past. It keeps its turn among the others, so that it can come back to its own place.
"""

from datetime import datetime

import polars as pl

from handhold import store
from handhold.feeds import inbox, order
from handhold.feeds.model import Delivery, FeedError
from handhold.feeds.retell import Retelling, State, again, court_again
from handhold.pack import Pack

COURT_NUMBERS = """
    select number from feeds_row where feed = 'eoir.CaseIdentity' and number is not null
    union select p.number from feeds_row_past p join feeds_delivery d on d.id = p.delivery
    where d.feed = 'eoir.CaseIdentity' and p.number is not null
    union select number from feeds_left_case"""
UNDONE = "insert into feeds_undoing (delivery, undone, undone_by, undone_why) values (%s, %s, %s, %s)"
REDONE = """
    update feeds_undoing set redone = %(now)s, redone_by = %(by)s, redone_why = %(why)s
    where delivery = %(delivery)s and redone is null"""


def undo(db: store.Db, delivery: int, *, by: str, why: str, now: datetime, pack: Pack) -> list[Retelling]:
    """Take a delivery back; returns the stories that are other ones now. Nothing where it is undone already.

    Raises :class:`FeedError` for a delivery of which nothing was taken in.
    """
    found = _held_fast(db, delivery, why)
    if found.status == "undone":
        return []
    if found.status != "read":
        raise FeedError(
            f"delivery {delivery} is {found.status}: nothing of it was taken in, so there is nothing to undo"
        )
    told = _changed(db, found, "undone", now, pack)
    db.execute(UNDONE, [delivery, now, by, why])
    return told


def redo(db: store.Db, delivery: int, *, by: str, why: str, now: datetime, pack: Pack) -> list[Retelling]:
    """Take a delivery in again that was undone; returns the stories that are other ones now. Nothing where it stands.

    Raises :class:`FeedError` for a delivery that was never undone.
    """
    found = _held_fast(db, delivery, why)
    if found.status == "read":
        return []
    if found.status != "undone":
        raise FeedError(f"delivery {delivery} is {found.status}, not undone; there is nothing to redo")
    told = _changed(db, found, "read", now, pack)
    db.execute(REDONE, {"delivery": delivery, "now": now, "by": by, "why": why})
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


def _changed(db: store.Db, delivery: Delivery, status: str, now: datetime, pack: Pack) -> list[Retelling]:
    """Give the delivery its new status and tell again what rests on it; the court, too, where a number that shows a case
    to be a child's is known only now or no longer."""
    stream = order.stream_of(delivery)
    numbers = inbox.known_numbers(db)
    before = State(order.standing(db, stream), numbers)
    db.execute("update feeds_delivery set status = %s where id = %s", [status, delivery.id])
    after = State(order.standing(db, stream), numbers)
    told = [again(db, stream, before, after, now=now, pack=pack)]
    if stream != order.COURT and _matters_to_the_court(db, numbers):
        told.append(court_again(db, numbers, now=now, pack=pack))
    return told


def _matters_to_the_court(db: store.Db, before: pl.Series) -> bool:
    known = pl.DataFrame({"number": inbox.known_numbers(db)})
    was = pl.DataFrame({"number": before})
    differ = pl.concat([known.join(was, on="number", how="anti"), was.join(known, on="number", how="anti")])
    if not len(differ):
        return False
    return len(differ.join(store.frame(db, COURT_NUMBERS), on="number", how="semi")) > 0
