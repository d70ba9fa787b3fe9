"""In which order deliveries speak: the day they speak of decides, not the day they came.

A *stream* is what is told one after another: one feed, or all tables of the court, whose extracts are read as a whole.
Of two deliveries that speak of the same day the one that was received later has the last word.
"""

from datetime import UTC, date
from itertools import groupby

from handhold import store
from handhold.feeds import inbox
from handhold.feeds.model import Delivery

COURT = "EOIR"
DAY = "coalesce(d.as_of, (d.received at time zone 'UTC')::date)"
TURN = f"{DAY}, d.received, d.recorded, d.id"
OF_STREAM = "case when d.agency = 'EOIR' then d.agency else d.feed end"

STANDING = f"""
    select d.* from feeds_delivery d
    where {OF_STREAM} = %(stream)s and (d.status = 'read' or d.id = any(%(also)s)) and d.id <> all(%(less)s)
    order by {TURN}"""
# A table of an extract that is read already changes what its neighbours mean, whichever of them came first.
LATER = f"""
    select exists (
        select from feeds_delivery d join feeds_delivery n on n.id = any(%(new)s)
            and {OF_STREAM} = {OF_STREAM.replace("d.", "n.")}
        where d.status = 'read' and d.id <> n.id
          and (({TURN}) > ({TURN.replace("d.", "n.")}) or d.agency = 'EOIR' and {DAY} = {DAY.replace("d.", "n.")}))"""


def stream_of(delivery: Delivery) -> str:
    """The name of the stream that a delivery belongs to."""
    return COURT if delivery.agency == COURT else delivery.feed or ""


def standing(
    db: store.Db, stream: str, *, also: list[Delivery] | None = None, less: list[Delivery] | None = None
) -> list[Delivery]:
    """The deliveries of a stream that are read and not undone, ``also`` these and ``less`` those, in their order."""
    asked = {"stream": stream, "also": [d.id for d in also or []], "less": [d.id for d in less or []]}
    return [inbox.from_row(row) for row in store.fetch(db, STANDING, asked)]


def comes_between(db: store.Db, group: list[Delivery]) -> bool:
    """Whether something was read already that has its turn after one of ``group``, or together with it."""
    found = db.execute(LATER, {"new": [delivery.id for delivery in group]}).fetchone()
    return found == (True,)


def turns(deliveries: list[Delivery]) -> list[list[Delivery]]:
    """Deliveries of one stream, in order, as they are read: the court's by extract, others one by one."""
    if deliveries and deliveries[0].agency != COURT:
        return [[delivery] for delivery in deliveries]
    return [list(together) for _, together in groupby(deliveries, key=day_of)]


def day_of(delivery: Delivery) -> date:
    """The day that a delivery speaks of: its own, else the day on which it came."""
    return delivery.as_of or delivery.received.astimezone(UTC).date()
