"""Small builders for tests: events as a story tells them."""

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from handhold import pack
from handhold.account.model import Event

PACK = pack.load()
ZONE = ZoneInfo("America/New_York")
_ids: Iterator[int] = itertools.count(1)

AGENCY = {
    "apprehended": "ERO", "determined": "ERO", "transferred": "ERO", "case-status": "ERO", "charging-document-served": "ERO",
    "charging-document-issued": "ERO", "charging-document-held": "ERO", "court-file": "OPLA", "absentia-order-noted": "OPLA",
    "case-closed": "OPLA", "benefit-filed": "USCIS", "benefit-decided": "USCIS",
}  # fmt: skip
COURT = {
    "case-seen",
    "proceeding-opened",
    "charging-document-filed",
    "case-completed",
    "counsel-entered",
    "address-stated",
}
OWN = {"told", "received", "acknowledged", "reason-decided", "gap-opened", "gap-closed"}


def at(text: str) -> datetime:
    """``2024-03-01`` (the local midnight) or ``2024-03-01 14:30`` (local), in UTC."""
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=ZONE).astimezone(UTC)


def event(
    kind: str, when: str, /, *, known: str | None = None, agency: str | None = None, **more: Any
) -> Event:
    """An event of ``kind`` at ``when``; further names are columns of the event, all others its detail."""
    columns = {
        name: more.pop(name)
        for name in ("place", "building", "flags", "subject", "row", "file", "id")
        if name in more
    }
    moment, knew = at(when), at(known or when)
    return Event(
        id=columns.pop("id", None) or next(_ids),
        agency=agency or _agency(kind),
        kind=kind,
        at=moment,
        day=_local(moment),
        precision="t" if " " in when else "d",
        known=knew,
        known_day=_local(knew),
        detail=more,
        **columns,
    )


def _agency(kind: str) -> str:
    if kind in OWN:
        return "HANDHOLD"
    court = kind in COURT or "hearing" in kind or "notice" in kind
    return AGENCY.get(kind, "EOIR" if court else "ORR")


def _local(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


def released(when: str = "2023-03-01", place: int | None = 10, *, row: int = 500, **more: Any) -> list[Event]:
    """A child found, transferred in time, and released to a sponsor; DHS told on the day."""
    flags = more.pop("flags", "")
    day = date.fromisoformat(when)
    month_before = day.replace(day=1).toordinal() - 20
    came = date.fromordinal(month_before).isoformat()
    return [
        event("determined", f"{came} 08:00", row=row + 1),
        event("transferred", f"{came} 20:00", row=row + 1),
        event(
            "discharged", when, place=place, building=place, flags=flags, row=row, type="REUNIFIED", **more
        ),
        event("told-dhs", when, row=row),
        event("charging-document-served", when, on="CHILD"),
    ]


def midnight(day: date) -> datetime:
    """The local midnight of a day, in UTC."""
    return datetime.combine(day, time(), ZONE).astimezone(UTC)
