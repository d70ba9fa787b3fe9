"""Protocols as text: the examples beside the rules are run, and a protocol with a slip is refused by name."""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handhold import pack
from handhold.account.calendar import Calendar
from handhold.followup import Protocol, ProtocolError, due, parse, protocols, ready, span
from handhold.followup.deadlines import DeadlineError

PACK = pack.load()
ALL = protocols(PACK)
CALENDAR = Calendar.of(PACK)
MISSED = ALL["missed-hearing-unexplained"]
TEXT = MISSED.text


def written(protocol: Protocol, what: str) -> list[dict[str, Any]]:
    tables: list[dict[str, Any]] = PACK.toml(f"protocols/{protocol.name}.toml")[what]
    return tables


EXAMPLES = [
    pytest.param(p, e, id=f"{p.name}: {e['says']}") for p in ALL.values() for e in written(p, "example")
]
DEADLINES = [
    pytest.param(p, e, id=f"{p.name}: {e['says']}") for p in ALL.values() for e in written(p, "deadline")
]


@pytest.mark.parametrize(("protocol", "example"), EXAMPLES)
def test_example(protocol: Protocol, example: dict[str, Any]) -> None:
    assert ready(protocol, example["settled"], example.get("open", [])) == (example["sets"], example["skips"])


@pytest.mark.parametrize(("protocol", "example"), DEADLINES)
def test_deadline(protocol: Protocol, example: dict[str, Any]) -> None:
    found = due(
        example["from"],
        protocol.step(example["step"]).within,
        zone=protocol.zone,
        after=CALENDAR.add_business_days,
    )
    assert found.at == example["due"]


def test_a_deadline_shows_how_it_was_reckoned() -> None:
    start = datetime.fromisoformat("2024-05-23T15:30:00-04:00")
    trace = due(
        start, span("P3D", "business"), zone="America/New_York", after=CALENDAR.add_business_days
    ).trace
    assert trace == {
        "from": "2024-05-23T15:30:00-04:00",
        "within": "P3D",
        "days": "business",
        "zone": "America/New_York",
        "skipped": ["2024-05-25", "2024-05-26", "2024-05-27"],
        "due": "2024-05-29T23:59:59-04:00",
    }


def test_the_office_day_decides_not_the_utc_day() -> None:
    late_on_thursday = datetime.fromisoformat("2024-05-10T02:00:00+00:00")
    found = due(
        late_on_thursday, span("P1D", "business"), zone="America/New_York", after=CALENDAR.add_business_days
    )
    assert found.at == datetime.fromisoformat("2024-05-10T23:59:59-04:00")


@given(st.datetimes(datetime(2015, 1, 1), datetime(2030, 1, 1)), st.integers(1, 40))
def test_more_days_are_never_due_earlier(start: datetime, days: int) -> None:
    from_ = start.astimezone(CALENDAR.zone)
    reckoned = [
        due(from_, span(f"P{n}D", "business"), zone="America/New_York", after=CALENDAR.add_business_days).at
        for n in (days, days + 1)
    ]
    assert from_ < reckoned[0] < reckoned[1]
    assert reckoned[0] >= from_ + timedelta(days=days) - timedelta(days=1)


@pytest.mark.parametrize("text", ["", "P", "PT", "3D", "P3", "P-1D", "P1DT", "P1DT2H", "P1M"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(DeadlineError):
        span(text, "business")


@pytest.mark.parametrize(
    ("pattern", "by", "told"),
    [
        ('after = \\["contact"\\]', 'after = ["contract"]', "welfare-check: names 'contract'"),
        ('is = \\["unknown"\\]', 'is = ["unkown"]', "welfare-check to be unkown"),
        ("P10D", "10D", "'10D' is no duration"),
        ('name = "tell-ero"', 'name = "tell-orr"', "two of that name"),
        ("closes = true", "closes = false", "no step closes it"),
        ('role = "caseworker"\n', "", "step contact: does not say 'role'"),
        (
            'days = "business", from = "contact"',
            'days = "workings", from = "contact"',
            "days of sort 'workings'",
        ),
        ("^gap = .*$", "", "does not say 'gap'"),
        ('from = "check-address"', 'from = "close"', "names 'close', which is no earlier step"),
    ],
)
def test_a_slip_is_named(pattern: str, by: str, told: str) -> None:
    slipped, count = re.subn(pattern, by, TEXT, flags=re.MULTILINE)
    assert count
    with pytest.raises(ProtocolError, match=re.escape(told)):
        parse(slipped)


def test_every_role_that_owes_or_is_called_in_exists() -> None:
    from handhold import access

    seats = {f"{role.agency}/{role.name}" for role in access.words(PACK).roles}
    for protocol in ALL.values():
        assert {f"{step.agency}/{step.role}" for step in protocol.steps} | {
            step.escalate_to for step in protocol.steps
        } <= seats


@given(st.data())
def test_any_course_ends_and_sets_no_step_twice(data: st.DataObject) -> None:
    """Whatever people answer, in whatever order, the follow-up comes to its closing step and then rests."""
    settled: dict[str, str] = {}
    waiting: list[str] = []
    seen: list[str] = []
    for _ in range(len(MISSED.steps) + 1):
        to_set, to_skip = ready(MISSED, settled, waiting)
        seen += to_set + to_skip
        waiting += to_set
        settled |= dict.fromkeys(to_skip, "skipped")
        if not waiting:
            break
        name = data.draw(st.sampled_from(sorted(waiting)))
        waiting.remove(name)
        settled[name] = data.draw(st.sampled_from([*MISSED.step(name).evidence, "lapsed"]))
    assert sorted(seen) == sorted(MISSED.names)
    assert set(settled) == set(MISSED.names)
