"""What a person decides of a delivery that is held: it is read as it is, or refused for good."""

from dataclasses import replace
from datetime import datetime

from handhold import store
from handhold.feeds.inbox import from_row
from handhold.feeds.model import Delivery, FeedError


class NotHeld(FeedError):
    """A delivery that nobody has to decide about."""


def release(db: store.Db, delivery: int, *, by: str, why: str, now: datetime) -> Delivery:
    """Let a held delivery be read. Raises :class:`NotHeld`, also for one that somebody has decided about meanwhile."""
    held = _held(db, delivery, why)
    db.execute(
        "update feeds_delivery set status = 'kept', released = true, why = null where id = %s", [delivery]
    )
    _decided(db, delivery, "released", by, why, now)
    return replace(held, status="kept", released=True, why=None)


def refuse(db: store.Db, delivery: int, *, by: str, why: str, now: datetime) -> Delivery:
    """Refuse a held delivery for good; its bytes stay. Raises :class:`NotHeld`."""
    held = _held(db, delivery, why)
    said = f"{held.why}; a person looked and refused it"
    db.execute("update feeds_delivery set status = 'refused', why = %s where id = %s", [said, delivery])
    _decided(db, delivery, "refused", by, why, now)
    return held.refused(said)


def _held(db: store.Db, delivery: int, why: str) -> Delivery:
    if not why.strip():
        raise FeedError("a decision about a held delivery needs a reason; say why")
    rows = store.fetch(db, "select * from feeds_delivery where id = %s for update", [delivery])
    if not rows or rows[0]["status"] != "held":
        raise NotHeld(
            f"delivery {delivery} is {rows[0]['status'] if rows else 'unknown'}, not held; list them with `handhold feeds held`"
        )
    return from_row(rows[0])


def _decided(db: store.Db, delivery: int, decided: str, by: str, why: str, now: datetime) -> None:
    sealed = store.seal("delivery", f"feeds_decision.why.{delivery}", why.encode())
    db.execute(
        "insert into feeds_decision (delivery, at, by, decided, why) values (%s, %s, %s, %s, %s)",
        [delivery, now, by, decided, sealed],
    )


def decisions(db: store.Db, delivery: int) -> list[dict[str, object]]:
    """What people decided of a delivery, newest first, with their reasons in the clear."""
    rows = store.fetch(
        db, "select at, by, decided, why from feeds_decision where delivery = %s order by at desc", [delivery]
    )
    return [
        row | {"why": store.unseal("delivery", f"feeds_decision.why.{delivery}", bytes(row["why"])).decode()}
        for row in rows
    ]
