"""In which order deliveries speak: the day they speak of decides, not the day they came.

A *stream* is what is told one after another: one feed, or all tables of the court, whose extracts are read as a whole.
Of two deliveries that speak of the same day the one that was received later has the last word.
"""

from dataclasses import replace
from datetime import UTC, date
from itertools import groupby

from handhold import store
from handhold.feeds import inbox
from handhold.feeds.model import Delivery

COURT = "EOIR"

STANDING = """
    select d.* from feeds_delivery d join feeds_turn t using (id)
    where t.stream = %(stream)s and (t.status = 'read' or t.id = any(%(also)s))
    order by t.day, t.received, t.recorded, t.id"""
EDITS = "select id, delivery, line, row_ from feeds_edit where delivery = any(%s) and ended is null order by delivery, line"
# A table of an extract that is read already changes what its neighbours mean, whichever of them came first.
LATER = """
    select exists (
        select from feeds_turn t join feeds_turn n on n.stream = t.stream and n.id = any(%(new)s)
        where t.status = 'read' and t.id <> n.id
          and ((t.day, t.received, t.recorded, t.id) > (n.day, n.received, n.recorded, n.id)
               or t.stream = 'EOIR' and t.day = n.day))"""


def stream_of(delivery: Delivery) -> str:
    """The name of the stream that a delivery belongs to."""
    return COURT if delivery.agency == COURT else delivery.feed or ""


def standing(db: store.Db, stream: str, *, also: list[Delivery] | None = None) -> list[Delivery]:
    """The deliveries of a stream that are read and not undone, and ``also`` these, in their order."""
    asked = {"stream": stream, "also": [delivery.id for delivery in also or []]}
    found = [inbox.from_row(row) for row in store.fetch(db, STANDING, asked)]
    edited = edits(db, found)
    return [
        replace(delivery, edits=edited[delivery.id]) if delivery.id in edited else delivery
        for delivery in found
    ]


def edits(db: store.Db, deliveries: list[Delivery]) -> dict[int, tuple[tuple[int, str], ...]]:
    """The edits that count of each delivery: line and row, in the order of the lines."""
    found: dict[int, tuple[tuple[int, str], ...]] = {}
    for row in store.fetch(db, EDITS, [[delivery.id for delivery in deliveries]]):
        cells = store.unseal("delivery", f"feeds_edit.row_.{row['id']}", bytes(row["row_"])).decode()
        found[row["delivery"]] = (*found.get(row["delivery"], ()), (row["line"], cells))
    return found


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
