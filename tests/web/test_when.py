"""Due dates in words."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handhold.web import when

NEW_YORK = ZoneInfo("America/New_York")
NOW = datetime(2024, 6, 4, 2, 0, tzinfo=UTC)  # still Monday 3 June in New York


@pytest.mark.parametrize(
    ("due", "words", "urgency"),
    [
        (datetime(2024, 6, 4, 3, 59, tzinfo=UTC), "due today", "today"),
        (datetime(2024, 6, 3, 20, 0, tzinfo=UTC), "late since today", "late"),
        (datetime(2024, 6, 4, 4, 0, tzinfo=UTC), "due tomorrow", "soon"),
        (datetime(2024, 6, 10, 12, 0, tzinfo=UTC), "due in 7 days", "soon"),
        (datetime(2024, 6, 11, 12, 0, tzinfo=UTC), "due in 8 days", "later"),
        (datetime(2024, 6, 2, 12, 0, tzinfo=UTC), "1 day late", "late"),
        (date(2020, 6, 3), "1,461 days late", "late"),
        (None, "no date set", "open"),
    ],
)
def test_a_due_date_is_told_by_the_readers_own_day(
    due: datetime | date | None, words: str, urgency: str
) -> None:
    assert when.due_words(due, NOW, NEW_YORK) == words
    assert when.urgency(due, NOW, NEW_YORK) == urgency


@given(st.integers(-4000, 4000))
def test_words_and_urgency_agree_on_what_is_late(days: int) -> None:
    due = NOW + timedelta(days=days, seconds=1)
    late = when.urgency(due, NOW, NEW_YORK) == "late"
    assert late == ("late" in when.due_words(due, NOW, NEW_YORK))


def test_what_an_agency_learned_late_says_how_late() -> None:
    assert when.lag_words(date(2024, 3, 1), date(2024, 3, 13)) == "known 12 days later"
    assert when.lag_words(date(2024, 3, 13), date(2024, 3, 1)) == ""


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "today"), (-1, "yesterday"), (1, "tomorrow"), (-12, "12 days ago"), (5, "in 5 days")],
)
def test_how_long_ago(days: int, words: str) -> None:
    assert when.ago_words(NOW + timedelta(days=days), NOW, NEW_YORK) == words
