"""The shapes of the account. A leaf: no clock, no database, no identity (places and sponsors are blind ids)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NamedTuple

AGENCIES_TO_TELL = ("ORR", "ERO", "OPLA")


class Event(NamedTuple):
    """One believed event, as the stream gives it. ``at`` and ``known`` are aware; ``flags`` are comma-joined codes."""

    id: int
    agency: str
    kind: str
    at: datetime
    day: date
    precision: str
    known: datetime
    known_day: date
    detail: Mapping[str, Any]
    place: int | None = None
    building: int | None = None
    flags: str | None = None
    subject: int | None = None
    row: int | None = None
    file: int | None = None

    def text(self, key: str) -> str:
        """A detail as text; empty where the event does not say it."""
        value = self.detail.get(key)
        return "" if value is None else str(value)


@dataclass(frozen=True)
class Address:
    """One statement of where a child lives: whose, since when (``event.day``), known to them since when."""

    event: Event
    basis: str
    usable: bool


@dataclass(frozen=True)
class Missed:
    """A hearing at which the child did not appear: every row of the court that shows it, the latest known last."""

    day: date
    events: tuple[Event, ...]

    @property
    def event(self) -> Event:
        """The statement by which others are told of it."""
        return self.events[-1]


@dataclass(frozen=True)
class Answer:
    """The answer to one of the six questions. ``evidence`` are event ids; ``more`` holds codes, days and blind ids only."""

    value: str
    quality: str
    evidence: tuple[int, ...] = ()
    since: datetime | None = None
    confirmed: datetime | None = None
    by: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The answer as JSON values."""
        return {
            "value": self.value,
            "quality": self.quality,
            "evidence": list(dict.fromkeys(self.evidence)),
            "since": _iso(self.since),
            "confirmed": _iso(self.confirmed),
            "by": self.by,
            **({"more": dict(self.more)} if self.more else {}),
        }


@dataclass(frozen=True)
class Account:
    """What is known of a child at a moment. ``said`` are its events by kind, in order; the rest is derived from
    them, also ``expected``: the gaps it has, or will have at their ``opens`` without news."""

    responsible: Answer
    place: Answer
    safety: Answer
    case: Answer
    told: Answer
    next: Answer
    said: Mapping[str, Sequence[Event]]
    addresses: tuple[Address, ...]
    missed: tuple[Missed, ...]
    expected: tuple["Gap", ...] = ()
    wakes_at: datetime | None = None

    def of(self, *kinds: str) -> list[Event]:
        """Its events of these kinds, in order within each kind."""
        return [event for kind in kinds for event in self.said.get(kind, ())]

    def as_json(self) -> dict[str, Any]:
        """The six answers as JSON values."""
        names = ("responsible", "place", "safety", "case", "told", "next")
        return {name: getattr(self, name).as_json() for name in names}


@dataclass(frozen=True)
class SharedPlace:
    """A usable place to which children of several families were released, ``since`` the third of them: never proof."""

    place: int
    families: int
    children: int
    since: datetime


@dataclass(frozen=True)
class Gap:
    """An answer that is missing, late or contradictory.

    ``key`` tells it from others of its kind on the same child and outlives corrections; ``opens`` is when it began to be
    so; ``closed`` says why it is settled, where it is; ``evidence`` holds event ids under ``events`` and codes.
    """

    kind: str
    key: str
    owner: str
    opens: datetime
    due: datetime | None
    reason: str = ""
    subject: int | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    closed: str | None = None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


@dataclass(frozen=True)
class Around:
    """What other children's files say about this one: the places it shares, and what is unsure about who it is: how many
    questions wait, how many A-numbers its files state, and how many of these another child's file states."""

    shared: Sequence[SharedPlace] = ()
    doubts: int = 0
    numbers: int = 0
    of_two: int = 0
