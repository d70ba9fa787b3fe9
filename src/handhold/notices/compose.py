"""Composing: what a notice says, word for word.

Pure. A notice holds permitted elements and nothing else, names what is withheld and by which rule, and never an address.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from handhold.access import Decision
from handhold.notices.duty import Duty

NOT_STATED = "not stated"


@dataclass(frozen=True)
class Letterhead:
    """The words around a notice: agencies, roles and elements in full, the agreement's title, the office's zone."""

    agency: str
    role: str
    agreement: str
    elements: Mapping[str, str]
    zone: str


@dataclass(frozen=True)
class Matter:
    """What one notice is about. ``own`` are the recipient's own numbers of the child; the rest may be unknown."""

    last: str | None
    first: str | None
    born: str | None
    own: tuple[str, ...]
    day: date | None
    pattern: str | None
    reason: str | None
    knew: str | None
    since: date | None
    days: int | None
    due: datetime


@dataclass(frozen=True)
class Notice:
    """A composed notice: its text, the elements in it, and what was withheld by which rule."""

    text: str
    elements: tuple[str, ...]
    withheld: Mapping[str, str]


def compose(duty: Duty, matter: Matter, decided: Mapping[str, Decision], head: Letterhead) -> Notice:
    """The notice that ``duty`` owes about ``matter``, with what ``decided`` permits."""
    allowed = tuple(element for element in duty.elements if decided[element].allowed)
    refused = {element: decision for element, decision in decided.items() if not decision.allowed}
    parts = [
        _heading(duty, matter, head),
        f"{duty.title}.",
        _facts(duty, matter, allowed),
        f"What is asked: {duty.asks}",
    ]
    if refused:
        parts.append(_withheld(refused, head))
    return Notice(
        "\n\n".join(parts) + "\n", allowed, {element: decision.rule for element, decision in refused.items()}
    )


def correction(
    duty: Duty, matter: Matter, decided: Mapping[str, Decision], head: Letterhead, *, sent: date, why: str
) -> Notice:
    """The notice that takes an earlier one back."""
    allowed = tuple(
        element
        for element in duty.elements
        if decided[element].allowed and element in ("child.identity", "child.description")
    )
    said = f"CORRECTION. The notice of {_day(sent)} (“{duty.title}”) no longer stands: {why}."
    parts = [_heading(duty, matter, head), said, "\n".join(_who(matter, allowed))]
    parts.append("What is asked: Acknowledge this correction, and undo what was done because of the notice.")
    return Notice("\n\n".join(parts) + "\n", allowed, {})


def _heading(duty: Duty, matter: Matter, head: Letterhead) -> str:
    until = matter.due.astimezone(ZoneInfo(head.zone))
    return (
        f"To: {head.agency}, {head.role}\nFor: {duty.purpose}\nUnder: {head.agreement} ({duty.agreement})\n"
        f"Acknowledge by: {_day(until.date())}, {until:%H:%M}"
    )


def _facts(duty: Duty, matter: Matter, allowed: tuple[str, ...]) -> str:
    told = {
        "day": _day(matter.day),
        "pattern": matter.pattern or NOT_STATED,
        "reason": matter.reason or NOT_STATED,
        "knew": matter.knew or "another agency",
        "since": _day(matter.since),
        "days": _days(matter.days),
    }
    return "\n".join(
        [
            *_who(matter, allowed),
            *(fact.text.format(**told) for fact in duty.facts if fact.element in allowed),
        ]
    )


def _who(matter: Matter, allowed: tuple[str, ...]) -> list[str]:
    """The recipient's own number says who is meant; name and birth only where they may be known."""
    lines = [f"Your file: {', '.join(matter.own) or 'none linked'}"]
    if "child.identity" in allowed:
        lines.append(
            f"Child: {', '.join(part for part in (matter.last, matter.first) if part) or NOT_STATED}"
        )
    if "child.description" in allowed:
        lines.append(f"Born: {matter.born or NOT_STATED}")
    return lines


def _withheld(refused: Mapping[str, Decision], head: Letterhead) -> str:
    said = [
        f"- {head.elements[element.split('/')[0]]} ({decision.rule}: {decision.reason})"
        for element, decision in refused.items()
    ]
    return "\n".join(["Withheld:", *said])


def _days(days: int | None) -> str:
    if days is None:
        return "some days"
    return "1 day" if days == 1 else f"{days} days"


def _day(day: date | None) -> str:
    return f"{day:%B} {day.day}, {day.year}" if day else NOT_STATED
