"""The second evaluator: answers from the headers' plain lists, with no Cedar in it.

It exists to disagree. Every cell of the table is compared with it in a test, so a slip in a policy or in a header shows.
"""

from collections.abc import Sequence

from handhold.access.agreements import ANY, Agreement, Rule, Words
from handhold.access.cedar import Answer, Question


def answer(words: Words, found: Sequence[Agreement], question: Question) -> Answer:
    """Prohibitions first, then permissions; silence refuses."""
    speaking = [rule for agreement in found for rule in agreement.rules if _speaks(rule, question)]
    for permits in (False, True):
        named = sorted({rule.name for rule in speaking if rule.permits is permits})
        if named:
            return permits, tuple(named)
    return False, ()


def _speaks(rule: Rule, question: Question) -> bool:
    agency, role, purpose, element = question
    return (
        _has(rule.agencies, agency)
        and _has(rule.roles, role)
        and _has(rule.purposes, purpose)
        and any(_has(rule.elements, part) for part in _wholes(element))
    )


def _has(listed: tuple[str, ...], one: str) -> bool:
    return ANY in listed or one in listed


def _wholes(element: str) -> list[str]:
    """An element of one kind is also the element, and the element is also of its class."""
    whole = element.split("/")[0]
    return [element, whole, whole.split(".")[0]]
