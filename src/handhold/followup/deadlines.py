"""When something is due, and how that was reckoned.

Pure. Durations are ISO 8601 (``P3D``, ``PT24H``, ``P2W``). Days end with the last second of the local day of the office
whose zone is given; hours are exact. Which days are business days is asked of a function, so this can be tested alone.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

Days = Literal["business", "calendar"]
BusinessDaysAfter = Callable[[date, int], date]  # the n-th business day after a day
ISO = re.compile(r"P(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?)?")
DAY = timedelta(days=1)


class DeadlineError(ValueError):
    """A duration that cannot be reckoned: the message says which one and how to write it."""


@dataclass(frozen=True)
class Span:
    """How long somebody has: whole days of one sort, or exact hours."""

    text: str
    days: int
    hours: int
    sort: Days


@dataclass(frozen=True)
class Due:
    """A deadline as a date (UTC), with the trace that shows how it came about."""

    at: datetime
    trace: dict[str, Any]


def span(text: str, sort: str) -> Span:
    """Read an ISO 8601 duration; raises :class:`DeadlineError` for what is none, or mixes days with hours."""
    found = ISO.fullmatch(text)
    if not found or text.endswith(("P", "T")):
        raise DeadlineError(f"{text!r} is no duration; write P3D, P2W or PT24H")
    if sort not in ("business", "calendar"):
        raise DeadlineError(f"days of sort {sort!r}; write business or calendar")
    parts = {name: int(number or 0) for name, number in found.groupdict().items()}
    days = 7 * parts["weeks"] + parts["days"]
    if days and parts["hours"]:
        raise DeadlineError(f"{text!r} mixes days with hours; write one of them")
    return Span(text, days, parts["hours"], "business" if sort == "business" else "calendar")


def due(start: datetime, wanted: Span, *, zone: str, after: BusinessDaysAfter) -> Due:
    """The deadline ``wanted`` after ``start`` (aware), reckoned in ``zone``."""
    local = start.astimezone(ZoneInfo(zone))
    trace: dict[str, Any] = {
        "from": local.isoformat(),
        "within": wanted.text,
        "days": wanted.sort,
        "zone": zone,
    }
    if not wanted.days:
        end = start + timedelta(hours=wanted.hours)
    else:
        last, skipped = _last_day(local.date(), wanted, after)
        trace["skipped"] = [day.isoformat() for day in skipped]
        end = datetime.combine(last, time(23, 59, 59), ZoneInfo(zone))
    return Due(end.astimezone(UTC), trace | {"due": end.astimezone(ZoneInfo(zone)).isoformat()})


def _last_day(first: date, wanted: Span, after: BusinessDaysAfter) -> tuple[date, list[date]]:
    """The last day, and the days in between that did not count."""
    if wanted.sort == "calendar":
        return first + wanted.days * DAY, []
    last = after(first, wanted.days)
    between = (first + n * DAY for n in range(1, (last - first).days))
    return last, [day for day in between if after(day - DAY, 1) != day]
