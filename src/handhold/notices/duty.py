"""Duties: what must be told to whom, within how long, under which agreement.

Pure. What a notice may hold is the duty's elements less what the access table refuses on either of two days: that of
the event, and that of the sending.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from string import Formatter
from typing import Any

from handhold import access
from handhold.access import Decision, Table
from handhold.pack import Pack

PLACES = frozenset({"day", "pattern", "reason", "knew", "since", "days"})


class DutyError(Exception):
    """The duties cannot be used: the message names the duty and what to correct."""


@dataclass(frozen=True)
class Fact:
    """A sentence of a notice, and the element it discloses. what stands in braces (``PLACES``) is filled in."""

    element: str
    text: str


@dataclass(frozen=True)
class Duty:
    """One duty to tell. ``gap`` is a kind; ``reason`` narrows it, ``None`` takes every reason."""

    name: str
    gap: str
    reason: str | None
    agency: str
    role: str
    purpose: str
    agreement: str
    business_days: int
    hours: int
    title: str
    asks: str
    elements: tuple[str, ...]
    facts: tuple[Fact, ...]

    def answers(self, gap: str, reason: str | None) -> bool:
        """Whether a gap of this kind and reason owes this notice."""
        return gap == self.gap and self.reason in (None, reason)


def duties(pack: Pack) -> tuple[Duty, ...]:
    """The duties of the pack, checked; raises :class:`DutyError`."""
    found = tuple(_duty(text) for text in pack.toml("duties.toml")["duty"])
    _check_once(found)
    agreements = {
        agreement.name: {rule.name for rule in agreement.rules} for agreement in access.agreements(pack)
    }
    for duty in found:
        _check(duty, agreements, access.compiled(pack))
    return found


def words(pack: Pack) -> Mapping[str, str]:
    """What codes mean in a notice."""
    return dict(pack.toml("duties.toml")["words"])


def _duty(text: Mapping[str, Any]) -> Duty:
    try:
        kind, _, what = text["about"].partition(":")
        gap, _, reason = what.partition("/")
        if kind != "gap":
            raise DutyError(
                f"duty {text['name']}: about {text['about']!r}; write gap:KIND or gap:KIND/REASON"
            )
        return Duty(
            name=text["name"],
            gap=gap,
            reason=reason or None,
            agency=text["agency"],
            role=text["role"],
            purpose=text["purpose"],
            agreement=text["agreement"],
            business_days=text["within"].get("business_days", 0),
            hours=text["within"].get("hours", 0),
            title=text["title"],
            asks=text["asks"],
            elements=tuple(text["elements"]),
            facts=tuple(Fact(fact["element"], fact["text"]) for fact in text.get("fact", [])),
        )
    except KeyError as missing:
        raise DutyError(
            f"duty {text.get('name', '?')} does not say {missing.args[0]!r}; add it to duties.toml"
        ) from None


def _check_once(found: Sequence[Duty]) -> None:
    seen: dict[tuple[str, str], Duty] = {}
    for duty in found:
        other = seen.setdefault((duty.gap, duty.agency), duty)
        if other is not duty and (other.reason in (None, duty.reason) or duty.reason is None):
            raise DutyError(
                f"duties {other.name} and {duty.name} tell {duty.agency} of the same gap; keep one"
            )


def _check(duty: Duty, agreements: Mapping[str, set[str]], table: Table) -> None:
    """A duty tells what its own agreement permits, in sentences whose element it has named."""
    if duty.agreement not in agreements:
        raise DutyError(
            f"duty {duty.name}: there is no agreement {duty.agreement!r}; name one of agreements/"
        )
    if not (duty.business_days or duty.hours):
        raise DutyError(f"duty {duty.name}: within must be business_days or hours, more than none")
    for fact in duty.facts:
        odd = {name for _, name, _, _ in Formatter().parse(fact.text) if name} - PLACES
        if odd or fact.element not in duty.elements:
            raise DutyError(
                f"duty {duty.name}: a fact names {sorted(odd) or fact.element}, which the duty does not have"
            )
    allowed = [decision for decision in asked(duty, [table]).values() if decision.allowed]
    if not any(decision.rule in agreements[duty.agreement] for decision in allowed):
        raise DutyError(
            f"duty {duty.name}: {duty.agreement} permits {duty.agency} none of its elements for {duty.purpose}"
        )


def asked(duty: Duty, tables: Sequence[Table]) -> dict[str, Decision]:
    """The decision on each element of the duty: the strictest of all ``tables``."""
    return {
        element: access.stricter(_decide(table, duty, element) for table in tables)
        for element in duty.elements
    }


def _decide(table: Table, duty: Duty, element: str) -> Decision:
    whole, _, kind = element.partition("/")
    return access.decide(table, duty.agency, duty.role, duty.purpose, whole, kind or "*")


def decisions(pack: Pack, duty: Duty, *, event: date, sending: date) -> dict[str, Decision]:
    """What may be in a notice about something of the day ``event``, sent on the day ``sending``."""
    return asked(duty, [access.compiled(pack, event), access.compiled(pack, sending)])
