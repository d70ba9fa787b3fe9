"""The inbox: what an agency was told, and its saying that it knows."""

from datetime import datetime
from typing import Any

from handhold import store, timeline
from handhold.notices.outbox import CONTEXT

ROWS = """
    select id, child, about, about_kind, subject, recipient, role, purpose, duty, agreement, title, elements, withheld, created, due, sent,
           received, acknowledged, acknowledged_by, corrects, body
    from notices_outbox
    where recipient = %(agency)s and sent is not null and (acknowledged is null or not %(open)s)
    order by due, id limit %(limit)s offset %(offset)s"""
ONE = "select *, null as text from notices_outbox where id = %(notice)s and recipient = %(agency)s and sent is not null"


class NoticeError(Exception):
    """No such notice for this agency: whether another agency has it is not said."""


def inbox(
    db: store.Db,
    agency: str,
    *,
    now: datetime,
    limit: int = 50,
    offset: int = 0,
    unacknowledged: bool = True,
    texts: bool = False,
) -> list[dict[str, Any]]:
    """What was sent to ``agency``, soonest due first; with ``texts``, each row has its unsealed ``text``.

    Every row has ``late``: not acknowledged although due before ``now``.
    """
    asked = {"agency": agency, "open": unacknowledged, "limit": limit, "offset": offset}
    return [_row(row, now, texts=texts) for row in store.fetch(db, ROWS, asked)]


def read(db: store.Db, notice: int, *, agency: str, now: datetime) -> dict[str, Any]:
    """One notice with its ``text``; raises :class:`NoticeError` when ``agency`` was sent no such notice."""
    return _row(_one(db, notice, agency), now, texts=True)


def _one(db: store.Db, notice: int, agency: str, lock: str = "") -> dict[str, Any]:
    rows = store.fetch(db, ONE + lock, {"notice": notice, "agency": agency})
    if not rows:
        raise NoticeError(f"{agency} was sent no notice {notice}; open the inbox again")
    return rows[0]


def _row(row: dict[str, Any], now: datetime, *, texts: bool) -> dict[str, Any]:
    body = row.pop("body")
    if texts:
        row["text"] = store.unseal("identity", f"{CONTEXT}.{row['id']}", body).decode()
    return row | {"late": row["acknowledged"] is None and row["due"] < now}


def receive(db: store.Db, notices: list[int], *, agency: str, now: datetime) -> int:
    """The agency's system has these notices (nobody need have read them); returns for how many that is news."""
    done = db.execute(
        "update notices_outbox set received = %s where id = any(%s) and recipient = %s and sent is not null and received is null",
        [now, notices, agency],
    )
    return done.rowcount


def acknowledge(db: store.Db, notice: int, *, by: str, agency: str, now: datetime) -> int:
    """``by`` says for ``agency`` that it knows; returns the child, whose account is then to be looked at again.

    Again changes nothing. The entry in the ledger is the caller's (casework). Raises :class:`NoticeError`.
    """
    row = _one(db, notice, agency, " for update")
    if row["acknowledged"]:
        return int(row["child"])
    db.execute(
        "update notices_outbox set acknowledged = %s, acknowledged_by = %s, received = coalesce(received, %s) where id = %s",
        [now, by, now, notice],
    )
    about = str(row["subject"] or row["about"])
    detail = {"recipient": agency, "about": about, "kind": row["about_kind"], "notice": str(notice)}
    timeline.add(
        db,
        [timeline.OwnEvent(row["child"], "acknowledged", now, detail, subject=row["subject"])],
        by=by,
        now=now,
    )
    return int(row["child"])
