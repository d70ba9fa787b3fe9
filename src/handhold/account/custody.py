"""Who is responsible for the child, and in what kind of place it is. A leaf."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from handhold.account.model import Answer, Event
from handhold.account.rules import Rules

Said = Mapping[str, Sequence[Event]]
UNKNOWN = ("unknown", "unknown")
NOBODY = ("nobody", "unknown")

# Rows often give a day only, so on one day the order in which custody runs decides, not the time of day.
ORDER = {
    "apprehended": 0, "determined": 1, "transferred": 2, "admitted": 3, "absence-began": 4, "child-found": 5,
    "discharged": 6, "concern-raised": 7,
}  # fmt: skip
BEGINS = {
    "apprehended": ("ERO", "dhs-custody"),
    "determined": ("ERO", "dhs-custody"),
    "transferred": ("ORR", "orr-care"),
    "admitted": ("ORR", "orr-care"),
}


@dataclass(frozen=True)
class Hold:
    """From ``event`` on, ``holder`` was responsible and the child in a ``place`` of this kind."""

    event: Event
    holder: str
    place: str


def holds(said: Said, rules: Rules) -> list[Hold]:
    """Who held the child, one after the other."""
    found: list[Hold] = []
    for event in sorted((e for kind in ORDER for e in said.get(kind, ())), key=_in_order):
        state = _state(event, found[-1] if found else None, said, rules)
        if state is not None and (not found or state != (found[-1].holder, found[-1].place)):
            found.append(Hold(event, *state))
    return found


def _in_order(event: Event) -> tuple[object, ...]:
    return (event.day, ORDER[event.kind], event.at, event.known, event.id)


def _state(event: Event, last: Hold | None, said: Said, rules: Rules) -> tuple[str, str] | None:
    """Who holds the child after ``event``; ``None`` where it changes nothing."""
    if event.kind in BEGINS:
        return BEGINS[event.kind]
    if event.kind == "discharged":
        responsible, place, _ = rules.discharges.get(event.text("type"), (*UNKNOWN, False))
        return responsible, place
    held_by = last.holder if last else None
    if event.kind == "absence-began" and held_by == "ORR" and not found_again(event, said):
        return NOBODY
    if event.kind == "child-found" and held_by == "nobody":
        return UNKNOWN
    if event.kind == "concern-raised" and held_by == "sponsor" and _ran(event):
        return NOBODY
    return None


def _ran(event: Event) -> bool:
    return event.text("category") == "RAN FROM SPONSOR" and event.text("status") != "CLOSED"


def found_again(absence: Event, said: Said) -> bool:
    """Whether the incident that began with ``absence`` ended with the child found."""
    return any(found.row == absence.row and found.day >= absence.day for found in said.get("child-found", ()))


def responsible(found: list[Hold]) -> Answer:
    """The first question: who is responsible now. Nobody is a value."""
    if not found:
        return Answer("unknown", "unknown")
    last = found[-1]
    event = last.event
    return Answer(
        last.holder,
        "stated",
        (event.id,),
        event.at,
        event.known,
        event.agency,
        {"place": last.place, "kind": event.kind},
    )


def held_on(found: Iterable[Hold], moment: datetime) -> Hold | None:
    """Who held the child at ``moment``."""
    before = [hold for hold in found if hold.event.at <= moment]
    return before[-1] if before else None
