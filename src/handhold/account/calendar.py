"""Days on which offices work, and the moments at which days end. A leaf; the rules are ``calendar.toml`` of the pack."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from handhold.pack import Pack

ONE_DAY = timedelta(days=1)
FIRST_WEEKEND_DAY = 5


@dataclass
class Calendar:
    """Federal holidays by rule, and one time zone. ``rules`` are the tables of ``calendar.toml``."""

    rules: list[dict[str, Any]]
    zone: ZoneInfo
    _years: dict[int, frozenset[date]] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, pack: Pack) -> "Calendar":
        """The pack's calendar."""
        text = pack.toml("calendar.toml")
        return cls(text["holiday"], ZoneInfo(text["zone"]))

    def is_business_day(self, day: date) -> bool:
        """Neither a weekend nor a federal holiday as observed."""
        return day.weekday() < FIRST_WEEKEND_DAY and day not in self.holidays(day.year)

    def holidays(self, year: int) -> frozenset[date]:
        """The days observed in ``year``; 1 January of the next year may be observed on 31 December of this one."""
        if year not in self._years:
            days = [observed for of in (year, year + 1) for observed in self._observed(of)]
            self._years[year] = frozenset(day for day in days if day.year == year)
        return self._years[year]

    def _observed(self, year: int) -> Iterator[date]:
        for rule in self.rules:
            if year >= rule["from_year"]:
                day = _day_of(rule, year)
                # 5 USC 6103(b): a holiday on Saturday is kept on Friday; Executive Order 11582: on Sunday, on Monday.
                yield day + {5: -ONE_DAY, 6: ONE_DAY}.get(day.weekday(), timedelta(0))

    def add_business_days(self, day: date, count: int) -> date:
        """The ``count``-th business day after ``day``."""
        while count > 0:
            day += ONE_DAY
            count -= self.is_business_day(day)
        return day

    def end_of(self, day: date) -> datetime:
        """The moment (UTC) at which the local ``day`` is over."""
        return self.start_of(day + ONE_DAY)

    def start_of(self, day: date) -> datetime:
        """The moment (UTC) at which the local ``day`` begins."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def today(self, now: datetime) -> date:
        """The local day at ``now``."""
        return now.astimezone(self.zone).date()


def _day_of(rule: dict[str, Any], year: int) -> date:
    """The day of a rule in a year: a fixed ``day``, or the ``nth`` ``weekday`` (0 = Monday; nth -1 = the last)."""
    if "day" in rule:
        return date(year, rule["month"], rule["day"])
    first = date(year, rule["month"], 1)
    days = [first + timedelta(days=n) for n in range(31)]
    matching = [d for d in days if d.month == rule["month"] and d.weekday() == rule["weekday"]]
    return matching[rule["nth"] - 1 if rule["nth"] > 0 else rule["nth"]]
