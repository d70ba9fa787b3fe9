"""The examples that stand in each agreement, run."""

import pytest

from handhold import access, pack
from handhold.access.agreements import Example

PACK = pack.load()
EXAMPLES = [
    pytest.param(example, id=f"{found.name}: {example.says}")
    for found in access.agreements(PACK)
    for example in found.examples
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_example(example: Example) -> None:
    decision = access.decide(
        access.compiled(PACK), example.agency, example.role, example.purpose, example.element, example.kind
    )
    assert (decision.allowed, decision.rule) == (example.allowed, example.rule)


def test_every_agreement_has_an_example() -> None:
    assert [found.name for found in access.agreements(PACK) if not found.examples] == []
