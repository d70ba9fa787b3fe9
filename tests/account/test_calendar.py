"""Business days by the pack's calendar: its own examples, and another library's idea of the holidays."""

from datetime import date

import holidays
from builders import PACK

from handhold.account.calendar import Calendar

CALENDAR = Calendar.of(PACK)


def test_the_packs_examples() -> None:
    for example in PACK.toml("calendar.toml")["example"]:
        assert CALENDAR.add_business_days(example["after"], example["business_days"]) == example["gives"], (
            example["why"]
        )


def test_agrees_with_the_holidays_library() -> None:
    """Weekdays only: on a weekend no office works either way."""
    for year in range(1990, 2040):
        theirs = {
            day
            for day in holidays.country_holidays("US", years=year)
            if day.year == year and day.weekday() < 5
        }
        ours = {day for day in CALENDAR.holidays(year) if day.weekday() < 5}
        assert ours == theirs, year


def test_the_end_of_a_day_knows_summer_time() -> None:
    assert (
        CALENDAR.end_of(date(2024, 3, 10)) - CALENDAR.start_of(date(2024, 3, 10))
    ).total_seconds() == 23 * 3600
