"""Protocols: the formal process for a kind of gap, read from text and checked before anybody follows it.

Pure. A protocol says which steps there are, who owes them, until when, what completes them, and what follows from what;
:func:`ready` is the whole of its logic, the same for the examples in the file and for a nation.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from handhold.followup.deadlines import DeadlineError, Span, span
from handhold.pack import Pack

FOLDER = "protocols"
START = "start"
LAPSED, SKIPPED = "lapsed", "skipped"


class ProtocolError(Exception):
    """A protocol cannot be followed: the message names the protocol, the step and what to correct."""


@dataclass(frozen=True)
class Finding:
    """A step that Handhold does by itself: what it finds when the child has such an open gap, and when not."""

    gap: str
    open: str
    none: str


@dataclass(frozen=True)
class Step:
    """One thing to do. ``closes_with`` is the ``kind/reason`` of a gap: the step is done when no such gap is open."""

    name: str
    words: str
    agency: str
    role: str
    within: Span
    since: str
    after: tuple[str, ...]
    when: tuple[str, frozenset[str]] | None
    evidence: tuple[str, ...]
    escalate_to: str
    closes_with: str | None
    finds: Finding | None
    decides: bool
    closes: bool


@dataclass(frozen=True)
class Protocol:
    """The steps for one kind of gap; ``version`` is the hash of the text, ``label`` the version its authors gave it."""

    name: str
    title: str
    gap: str
    label: str
    version: str
    effective_from: date
    zone: str
    text: str
    steps: tuple[Step, ...]
    outcomes: Mapping[str, str]

    def step(self, name: str) -> Step:
        """The step of that name; ``KeyError`` where there is none."""
        return (
            next(step for step in self.steps if step.name == name) if name in self.names else _missing(name)
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the steps in their order."""
        return tuple(step.name for step in self.steps)


def _missing(name: str) -> Step:
    raise KeyError(name)


def protocols(pack: Pack) -> dict[str, Protocol]:
    """The protocols of the pack by the kind of gap each answers; raises :class:`ProtocolError`."""
    found: dict[str, Protocol] = {}
    for path in pack.files(FOLDER):
        one = parse(pack.text(path))
        if one.gap in found:
            raise ProtocolError(
                f"{path}: {found[one.gap].name} answers {one.gap} already; a gap has one protocol"
            )
        found[one.gap] = one
    return found


def parse(text: str) -> Protocol:
    """Read and check one protocol."""
    try:
        table = tomllib.loads(text)
        steps = tuple(_step(table["name"], step) for step in table["step"])
        protocol = Protocol(
            name=table["name"],
            title=table["title"],
            gap=table["gap"],
            label=table["version"],
            version=hashlib.sha256(text.encode()).hexdigest(),
            effective_from=table["effective_from"],
            zone=table["zone"],
            text=text,
            steps=steps,
            outcomes=table["outcomes"],
        )
    except tomllib.TOMLDecodeError as error:
        raise ProtocolError(f"a protocol is not TOML ({error}); correct the file") from None
    except KeyError as missing:
        raise ProtocolError(f"a protocol does not say {missing.args[0]!r}; add it") from None
    _check(protocol)
    return protocol


def _step(protocol: str, text: Mapping[str, Any]) -> Step:
    where = f"protocol {protocol}, step {text.get('name', '?')}"
    try:
        when = text.get("when")
        return Step(
            name=text["name"],
            words=text["words"],
            agency=text["agency"],
            role=text["role"],
            within=span(text["due"]["within"], text["due"]["days"]),
            since=text["due"]["from"],
            after=tuple(text.get("after", ())),
            when=(when["step"], frozenset(when["is"])) if when else None,
            evidence=tuple(text["evidence"]),
            escalate_to=f"{text['lapse']['agency']}/{text['lapse']['role']}",
            closes_with=text.get("closes_with"),
            finds=Finding(**text["finds"]) if "finds" in text else None,
            decides=text.get("decides", False),
            closes=text.get("closes", False),
        )
    except KeyError as missing:
        raise ProtocolError(f"{where}: does not say {missing.args[0]!r}; add it") from None
    except DeadlineError as error:
        raise ProtocolError(f"{where}: {error}") from None


def _check(protocol: Protocol) -> None:
    """Steps look back only, ask for outcomes that exist, and one of them closes."""
    seen: dict[str, Step] = {}
    for step in protocol.steps:
        where = f"protocol {protocol.name}, step {step.name}"
        if step.name in seen:
            raise ProtocolError(f"{where}: there are two of that name; rename one")
        for named in (
            *step.after,
            *([step.when[0]] if step.when else []),
            *([step.since] if step.since != START else []),
        ):
            if named not in seen:
                raise ProtocolError(
                    f"{where}: names {named!r}, which is no earlier step; name one that comes before"
                )
        if step.when:
            _check_when(where, step, seen[step.when[0]])
        seen[step.name] = step
    if not any(step.closes for step in protocol.steps):
        raise ProtocolError(f"protocol {protocol.name}: no step closes it; mark one with closes = true")


def _check_when(where: str, step: Step, asked: Step) -> None:
    states = step.when[1] if step.when else frozenset()
    odd = states - set(asked.evidence) - {LAPSED}
    if odd:
        raise ProtocolError(
            f"{where}: waits for {asked.name} to be {', '.join(sorted(odd))}, which its evidence never is"
        )
    if asked.name not in step.after:
        raise ProtocolError(f"{where}: asks how {asked.name} went but does not wait for it; add it to after")


def ready(
    protocol: Protocol, settled: Mapping[str, str], open_: Iterable[str]
) -> tuple[list[str], list[str]]:
    """Which steps to set and which to skip now.

    ``settled`` has the outcome of each step that is done, ``lapsed`` or ``skipped``; ``open_`` names those set and not
    settled. A step is reached when all it waits for is settled; it is skipped when its condition does not hold.
    """
    known, waiting = dict(settled), set(open_)
    to_set: list[str] = []
    to_skip: list[str] = []
    for step in protocol.steps:  # in order, so that a step skipped now lets later ones go on
        if step.name in known or step.name in waiting or any(name not in known for name in step.after):
            continue
        if step.when and known[step.when[0]] not in step.when[1]:
            known[step.name] = SKIPPED
            to_skip.append(step.name)
        else:
            waiting.add(step.name)
            to_set.append(step.name)
    return to_set, to_skip
