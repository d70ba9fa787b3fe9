"""The fold as a whole: its answers, and that it is total and does not care for order."""

import json
import random
from datetime import timedelta
from typing import Any

from builders import AGENCY, PACK, at, event, released
from hypothesis import given, settings
from hypothesis import strategies as st

from handhold.account.fold import fold
from handhold.account.gaps import gaps
from handhold.account.model import Event
from handhold.timeline.kinds import KINDS

NOW = at("2024-05-31 12:00")


def test_custody_passes_from_hand_to_hand() -> None:
    story = [
        (event("apprehended", "2023-01-01"), "ERO", "dhs-custody"),
        (event("determined", "2023-01-01 08:00", row=1), "ERO", "dhs-custody"),
        (event("transferred", "2023-01-02 08:00", row=1), "ORR", "orr-care"),
        (event("admitted", "2023-01-02 14:00", row=2), "ORR", "orr-care"),
        (event("discharged", "2023-02-01", type="REUNIFIED", place=5, flags="", row=3), "sponsor", "address"),
        (
            event("concern-raised", "2023-03-01", category="RAN FROM SPONSOR", status="OPEN", row=4),
            "nobody",
            "unknown",
        ),
    ]
    for n, (_, holder, place) in enumerate(story):
        account = fold([e for e, _, _ in story[: n + 1]], NOW, PACK)
        assert account.responsible.value == holder
        assert account.responsible.more["place"] == place


def test_admitted_and_discharged_on_one_day() -> None:
    """The discharge gives a day only, so its moment is before the admission's; it still comes after it."""
    events = [
        event("admitted", "2023-02-01 20:00", row=2),
        event("discharged", "2023-02-01", type="REUNIFIED", place=5, row=3),
    ]
    assert fold(events, NOW, PACK).responsible.value == "sponsor"


def test_the_quality_of_an_address() -> None:
    def quality(*more: Event) -> str:
        return fold([*released("2024-01-02", 10), *more], NOW, PACK).place.quality

    assert quality() == "plausible"
    assert (
        quality(
            event(
                "contact-attempted", "2024-02-01", outcome="REACHED", address_confirmed="Y", with_sponsor="Y"
            )
        )
        == "confirmed"
    )
    assert quality(event("contact-attempted", "2024-02-01", outcome="NO ANSWER")) == "plausible"
    assert (
        quality(
            event("address-stated", "2023-06-01", known="2024-02-01", agency="EOIR", basis="eoir33", place=9)
        )
        == "conflict"
    )
    assert fold(released("2022-01-02", 10), NOW, PACK).place.quality == "stale"
    assert fold(released("2024-01-02", 10, flags="bad-zip"), NOW, PACK).place.quality == "undeliverable"


def test_where_the_case_is() -> None:
    opened = event("proceeding-opened", "2023-04-01", row=20)
    coming = event("hearing-scheduled", "2024-07-01 09:00", known="2024-05-01", row=21)
    order = event("case-completed", "2024-02-01", dec="X", absentia="Y", row=20)
    assert fold([], NOW, PACK).case.value == "not-in-court"
    assert fold([opened], NOW, PACK).case.value == "open"
    assert fold([opened, coming], NOW, PACK).case.value == "hearing-set"
    assert fold([opened, order], NOW, PACK).case.value == "in-absentia"
    assert (
        fold([opened, order, event("proceeding-opened", "2024-03-01", row=22)], NOW, PACK).case.value
        == "reopened"
    )
    assert (
        fold([opened, event("case-completed", "2024-02-01", dec="T", row=20)], NOW, PACK).case.value
        == "terminated"
    )


def test_reaching_the_sponsor_without_the_child_is_an_outcome_of_its_own() -> None:
    there = event("contact-attempted", "2024-01-01", outcome="REACHED", with_sponsor="Y")
    elsewhere = event("contact-attempted", "2024-02-01", outcome="REACHED", with_sponsor="N")
    refused = event("contact-attempted", "2024-03-01", outcome="REFUSED")
    assert fold([there], NOW, PACK).safety.value == "reached"
    assert fold([there, elsewhere], NOW, PACK).safety.value == "elsewhere"
    assert fold([there, elsewhere, refused], NOW, PACK).safety.value == "refused"


def test_a_hearing_ahead_wakes_the_account() -> None:
    coming = event("hearing-scheduled", "2024-07-01 09:00", known="2024-05-01", row=21)
    assert fold([coming], NOW, PACK).wakes_at == at("2024-07-01 09:00")
    assert fold([coming], NOW, PACK).next.value == "hearing"
    assert fold([coming], at("2024-07-02"), PACK).next.value == "nothing-set"


codes = st.sampled_from(
    ["", "REUNIFIED", "RAN AWAY", "AGE OUT", "REACHED", "REFUSED", "Y", "N", "OPEN", "RAN FROM SPONSOR", "LABOR", "X", "F",
     "ORR", "ERO", "OPLA", "eoir33", "ar11", "ero", "in-absentia", "reset", "missed-hearing", True, None, 7]
)  # fmt: skip
names = st.sampled_from(
    ["type", "outcome", "with_sponsor", "address_confirmed", "category", "status", "dec", "other", "absentia", "recipient",
     "kind", "basis", "pattern", "reason", "number", "granted", "first", "about", "code"]
)  # fmt: skip
small = st.one_of(st.none(), st.integers(1, 4))


@st.composite
def events(draw: st.DrawFn) -> list[Event]:
    """Any events, sensible or not, each with an id of its own."""
    count = draw(st.integers(0, 25))
    return [_any(draw, number) for number in range(count)]


def _any(draw: st.DrawFn, number: int) -> Event:
    kind = draw(st.sampled_from([*KINDS, "of a later version"]))
    day = at("2023-01-01") + timedelta(hours=draw(st.integers(0, 14_000)))
    known = day + timedelta(days=draw(st.integers(-3, 90)))
    detail: dict[str, Any] = draw(st.dictionaries(names, codes, max_size=5))
    flags = draw(st.sampled_from([None, "", "blank", "no-unit", "bad-zip,po-box", "never seen"]))
    return Event(
        number, AGENCY.get(kind, draw(st.sampled_from(["ORR", "EOIR", "ERO", "OPLA"]))), kind, day, day.date(),
        draw(st.sampled_from("dt")), known, known.date(), detail, draw(small), draw(small), flags, draw(small), draw(small), draw(small),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(events(), st.randoms(use_true_random=False))
def test_any_events_in_any_order_give_the_same_account(some: list[Event], chance: random.Random) -> None:
    shuffled = list(some)
    chance.shuffle(shuffled)
    one, other = fold(some, NOW, PACK), fold(shuffled, NOW, PACK)
    assert json.dumps(one.as_json(), sort_keys=True) == json.dumps(other.as_json(), sort_keys=True)
    assert one.wakes_at == other.wakes_at
    assert gaps(one, NOW, PACK) == gaps(other, NOW, PACK)


@settings(max_examples=100, deadline=None)
@given(events())
def test_nothing_changes_before_it_wakes(some: list[Event]) -> None:
    """Just before ``wakes_at`` the account says what it says now: the clock need not look in between."""
    account = fold(some, NOW, PACK)
    later = (account.wakes_at or NOW + timedelta(days=3000)) - timedelta(microseconds=1)
    again = fold(some, later, PACK)
    assert account.as_json() == again.as_json()
    assert gaps(account, NOW, PACK) == gaps(again, later, PACK)


@settings(max_examples=60, deadline=None)
@given(events())
def test_gaps_are_told_apart_by_kind_and_key(some: list[Event]) -> None:
    every = [(gap.kind, gap.key) for gap in gaps(fold(some, NOW, PACK), NOW, PACK)]
    assert len(every) == len(set(every))
