"""What the pack says about accounts and gaps, parsed once per version. A leaf."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from handhold.account.calendar import Calendar
from handhold.account.model import Event
from handhold.pack import Pack

_parsed: dict[str, "Rules"] = {}


@dataclass(frozen=True)
class GapRule:
    """One kind of gap: who must answer it, and until when (``due`` counts from the moment it begins)."""

    kind: str
    words: str
    owner: str
    due: dict[str, int]
    threshold: dict[str, Any]


@dataclass(frozen=True)
class Rules:
    """The thresholds and code lists of a pack."""

    calendar: Calendar
    gaps: dict[str, GapRule]
    discharges: dict[str, tuple[str, str, bool]]
    unusable: dict[str, str]
    stale: timedelta
    lag: timedelta

    def owner(self, kind: str) -> str:
        """The agency that answers for gaps of this kind."""
        return self.gaps[kind].owner

    def due(self, kind: str, begins: datetime) -> datetime:
        """When a gap of this kind that began at ``begins`` must be answered."""
        due = self.gaps[kind].due
        if "business_days" in due:
            today = self.calendar.today(begins)
            return self.calendar.end_of(self.calendar.add_business_days(today, due["business_days"]))
        return begins + timedelta(hours=due.get("hours", 0), days=due.get("days", 0))

    def limit(self, kind: str, event: Event) -> datetime:
        """When the kind's threshold in hours after ``event`` has run out.

        Where the row gives a day only, the clock may have started at its very end, so it runs to the end of the local day
        in which it would then stop: lateness is said only where the row proves it.
        """
        hours = timedelta(hours=self.gaps[kind].threshold["hours"])
        return event.at + hours if event.precision == "t" else self.calendar.end_of(event.day) + hours

    def in_time(self, kind: str, began: Event, done: Event) -> bool:
        """Whether ``done`` came within the kind's threshold after ``began``.

        A clock that started some time within a day has run out for certain when the day of its limit begins.
        """
        limit = self.limit(kind, began)
        return done.at <= limit if began.precision == "t" else done.at < limit

    def released(self, event: Event) -> bool:
        """Whether this discharge put the child into a sponsor's care."""
        return self.discharges.get(event.text("type"), ("", "", False))[2]

    def quality(self, flags: str | None) -> str | None:
        """The worst thing that an address's flags say of it, or ``None`` where nothing speaks against it."""
        said = set((flags or "").split(","))
        return next((grade for flag, grade in self.unusable.items() if flag in said), None)


def of(pack: Pack) -> Rules:
    """The rules of a pack."""
    if pack.version not in _parsed:
        _parsed[pack.version] = _parse(pack)
    return _parsed[pack.version]


def _parse(pack: Pack) -> Rules:
    text = pack.toml("gaps.toml")
    return Rules(
        calendar=Calendar.of(pack),
        gaps={kind: _gap(kind, table) for kind, table in text["gap"].items()},
        discharges={t: (d["responsible"], d["place"], d["released"]) for t, d in text["discharge"].items()},
        unusable=text["address"]["unusable"],
        stale=timedelta(days=text["address"]["stale_days"]),
        lag=timedelta(days=text["gap"]["no-charging-document"]["threshold"]["normal_lag_days"]),
    )


def _gap(kind: str, table: dict[str, Any]) -> GapRule:
    return GapRule(kind, table["words"], table["owner"], table["due"], table.get("threshold", {}))
