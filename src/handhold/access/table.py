"""The total table: every question answered once, at start; what runs afterwards is a look-up.

A look-up costs a fraction of a microsecond where Cedar costs twenty, and a table can be printed, enumerated in tests
and stamped: a decision carries the version of the pack that made it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from handhold.access import cedar
from handhold.access.agreements import ANY, Agreement, AgreementError, Words, agreements, reasons, words
from handhold.access.session import Reader
from handhold.pack import Pack

NO_AGREEMENT = "no-agreement"
NO_SUCH_QUESTION = "no-such-question"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether an element may be known; by which rule; and why, in words that complete "withheld: …"."""

    allowed: bool
    rule: str
    reason: str


@dataclass(frozen=True)
class Table:
    """Every (agency, role, purpose, element) with its decision; ``version`` is the pack's."""

    version: str
    words: Words
    agreements: tuple[str, ...]
    cells: Mapping[cedar.Question, Decision]


SILENT = Decision(False, NO_AGREEMENT, "no agreement lets this agency know it for this purpose")
UNKNOWN = Decision(False, NO_SUCH_QUESTION, "there is no such agency, role, purpose or element in this pack")
_compiled: dict[tuple[str, tuple[str, ...]], Table] = {}


def compiled(pack: Pack, on: date | None = None) -> Table:
    """The table of the agreements in force on ``on`` (default: those without an end). Kept for the pack's version.

    Raises :class:`AgreementError` when any policy does not validate or fails on any question.
    """
    every = agreements(pack)
    found = [agreement for agreement in every if agreement.in_force(on)]
    key = (pack.version, tuple(agreement.name for agreement in found))
    if key not in _compiled:
        known = words(pack)
        cedar.check(pack, known, every)
        _compiled[key] = _table(pack, known, found)
    return _compiled[key]


def _table(pack: Pack, known: Words, found: list[Agreement]) -> Table:
    asked = cedar.questions(known)
    why = reasons(found)
    answers = cedar.ask(pack, known, found, asked)
    cells = {question: _decision(answer, why) for question, answer in zip(asked, answers, strict=True)}
    return Table(pack.version, known, tuple(agreement.name for agreement in found), cells)


def _decision(answer: cedar.Answer, why: Mapping[str, str]) -> Decision:
    allowed, rules = answer
    return Decision(allowed, rules[0], why[rules[0]]) if rules else SILENT


def decide(table: Table, agency: str, role: str, purpose: str, element: str, kind: str = ANY) -> Decision:
    """May ``role`` of ``agency`` know ``element`` (of one kind of event) for ``purpose``? What is not known is refused."""
    if kind in table.words.kinds.get(element, ()):
        element = f"{element}/{kind}"
    return table.cells.get((agency, role, purpose, element), UNKNOWN)


def elements(table: Table, reader: Reader) -> frozenset[str]:
    """The elements a reader may know; one permitted for a kind of event only is ``element/kind``."""
    asked = ((reader.agency, reader.role, reader.purpose, element) for element in table.words.questions())
    return frozenset(question[3] for question in asked if table.cells.get(question, UNKNOWN).allowed)


def stricter(decisions: Iterable[Decision]) -> Decision:
    """The first that refuses, else the first: the rule at the event and the rule at the sending must both allow."""
    every = list(decisions)
    if not every:
        raise AgreementError("the stricter of no decisions was asked for; ask with at least one")
    return next((decision for decision in every if not decision.allowed), every[0])
