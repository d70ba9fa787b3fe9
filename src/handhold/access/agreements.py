"""Agreements as text: what the pack says, before anything is decided.

Pure. An agreement is two files of one name: a Cedar policy, which decides, and a TOML header with its parties,
authority, dates, examples and the same rules as plain lists, from which a second evaluator answers independently.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from handhold.pack import Pack

FOLDER = "agreements"
ANY = "*"


class AgreementError(Exception):
    """The agreements cannot be used: the message names the file and what to correct. Nothing starts with these."""


@dataclass(frozen=True)
class Rule:
    """One permission or prohibition as a header lists it; ``("*",)`` stands for every one there is."""

    name: str
    permits: bool
    why: str
    agencies: tuple[str, ...]
    roles: tuple[str, ...]
    purposes: tuple[str, ...]
    elements: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """A question with the answer that the agreement gives; run as a test."""

    says: str
    agency: str
    role: str
    purpose: str
    element: str
    kind: str
    allowed: bool
    rule: str


@dataclass(frozen=True)
class Agreement:
    """A dated instrument that lets one agency tell another some elements for a purpose, or forbids it."""

    name: str
    title: str
    parties: tuple[str, ...]
    authority: str
    source: str
    effective_from: date
    effective_to: date | None
    confirmed: bool
    policy: str
    rules: tuple[Rule, ...]
    examples: tuple[Example, ...]

    def in_force(self, day: date | None) -> bool:
        """Whether the agreement's permissions hold on ``day``; without a day, whether it has no end.

        A prohibition does not wait for its first day: looking back, the stricter reading holds.
        """
        if day is None:
            return self.effective_to is None
        ended = self.effective_to is not None and day >= self.effective_to
        return not ended and (self.effective_from <= day or not any(rule.permits for rule in self.rules))


@dataclass(frozen=True)
class Role:
    """Somebody's place in an agency: which purposes may be chosen, and which children come into view."""

    name: str
    agency: str
    title: str
    purposes: tuple[str, ...]
    scope: str


@dataclass(frozen=True)
class Words:
    """Everything a question may be made of."""

    agencies: tuple[str, ...]
    roles: tuple[Role, ...]
    purposes: tuple[str, ...]
    elements: dict[str, str]
    kinds: dict[str, tuple[str, ...]]

    def resources(self) -> Iterator[tuple[str, str | None]]:
        """Each thing a policy can name, with what it is part of: classes, elements, and elements of one kind."""
        for group in dict.fromkeys(element.split(".")[0] for element in self.elements if "." in element):
            yield group, None
        for element in self.elements:
            yield element, element.split(".")[0] if "." in element else None
        for element, kinds in self.kinds.items():
            yield from ((f"{element}/{kind}", element) for kind in kinds)

    def questions(self) -> list[str]:
        """The elements, and elements of one kind, about which the table has cells."""
        return [name for name, _ in self.resources() if name in self.elements or "/" in name]


_words: dict[str, Words] = {}


def words(pack: Pack) -> Words:
    """The agencies, roles, purposes and elements of ``roles.toml``; read once for a version of the pack."""
    if pack.version not in _words:
        _words[pack.version] = _read_words(pack.toml("roles.toml"))
    return _words[pack.version]


def _read_words(text: Mapping[str, Any]) -> Words:
    roles = tuple(
        Role(r["name"], r["agency"], r["title"], tuple(r["purposes"]), r["scope"]) for r in text["role"]
    )
    kinds = {element: tuple(kinds) for element, kinds in text["kinds"].items()}
    return Words(tuple(text["agency"]), roles, tuple(text["purposes"]), dict(text["element"]), kinds)


_agreements: dict[str, tuple[Agreement, ...]] = {}


def agreements(pack: Pack) -> tuple[Agreement, ...]:
    """All agreements of the pack, read once for its version; raises :class:`AgreementError` for a header without policy
    or the reverse."""
    if pack.version not in _agreements:
        _agreements[pack.version] = tuple(_read(pack))
    return _agreements[pack.version]


def _read(pack: Pack) -> Iterator[Agreement]:
    policies = {path.removesuffix(".cedar") for path in pack.files(FOLDER, ".cedar")}
    headers = {path.removesuffix(".toml") for path in pack.files(FOLDER, ".toml")}
    for alone in sorted(policies ^ headers):
        raise AgreementError(
            f"{alone}: an agreement is a .cedar and a .toml of one name; add the one that is missing"
        )
    yield from (_agreement(pack, stem) for stem in sorted(headers))


def _agreement(pack: Pack, stem: str) -> Agreement:
    text = pack.toml(f"{stem}.toml")
    try:
        return Agreement(
            name=stem.split("/")[-1],
            title=text["title"],
            parties=tuple(text["parties"]),
            authority=text["authority"],
            source=text["source"],
            effective_from=text["effective_from"],
            effective_to=text.get("effective_to"),
            confirmed=text["confirmed"],
            policy=pack.text(f"{stem}.cedar"),
            rules=(*_rules(text, "permit"), *_rules(text, "forbid")),
            examples=tuple(_example(example) for example in text.get("example", [])),
        )
    except KeyError as missing:
        raise AgreementError(
            f"{stem}.toml: {missing.args[0]!r} is missing; an agreement must say it"
        ) from None


def _rules(text: dict[str, Any], which: str) -> list[Rule]:
    return [
        Rule(
            name=rule["rule"],
            permits=which == "permit",
            why=rule["why"],
            agencies=tuple(rule.get("agencies", [ANY])),
            roles=tuple(rule.get("roles", [ANY])),
            purposes=tuple(rule.get("purposes", [ANY])),
            elements=tuple(rule.get("elements", [ANY])),
        )
        for rule in text.get(which, [])
    ]


def _example(text: dict[str, Any]) -> Example:
    ask = text["ask"]
    return Example(
        text["says"],
        ask["agency"],
        ask["role"],
        ask["purpose"],
        ask["element"],
        ask.get("kind", ANY),
        text["allowed"],
        text["rule"],
    )


def reasons(found: Iterable[Agreement]) -> dict[str, str]:
    """What each rule says in words, by its name."""
    return {rule.name: rule.why for agreement in found for rule in agreement.rules}
