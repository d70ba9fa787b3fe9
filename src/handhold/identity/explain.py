"""Why two files were linked, or not: each trait's level and its bits, from the prior to the sum. Pure.

What is explained is what was stored with the link or the question (``evidence``): one level code a trait, the rarity of
names where it counted, the weight, and the gate or constraint that stopped it. Nothing is compared again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

UNKNOWN, WITHHELD = "unknown", "withheld"
SPONSORED = frozenset({"phone", "sponsor", "place"})
"""Traits that rest on what ORR knows of a sponsor: their levels are shown to ORR's side alone (``design.md`` 7)."""


class Weights(Protocol):
    """What an explanation needs of a model: :class:`handhold.identity.compare.Scale` is one."""

    @property
    def traits(self) -> Sequence[str]: ...

    def prior(self) -> tuple[float, float]:
        """Bits before anything is compared: against a stranger, against a brother or sister."""
        ...

    def bits(self, trait: str, level: str) -> tuple[float, float]:
        """Bits of one level: against a stranger, against a brother or sister."""
        ...


@dataclass(frozen=True)
class Bar:
    """One trait of a waterfall. ``stranger`` holds the name's rarity already; ``sponsored``: see :data:`SPONSORED`."""

    trait: str
    level: str
    stranger: float
    sibling: float
    rarity: float = 0.0
    sponsored: bool = False


@dataclass(frozen=True)
class Waterfall:
    """From ``prior`` over ``bars`` to the two sums; the smaller one is the weight that decides.

    Pairs are (against a stranger, against a brother or sister), in bits. ``stopped``: the code of the gate or constraint
    that kept the two apart in spite of the weight, or ``None``. ``withheld``: some bars may not be shown to this reader,
    and the sums are of the others alone.
    """

    prior: tuple[float, float]
    bars: tuple[Bar, ...]
    stopped: str | None = None
    withheld: bool = False

    @property
    def stranger(self) -> float:
        """The sum against a child met by chance."""
        return self.prior[0] + sum(bar.stranger for bar in self.bars)

    @property
    def sibling(self) -> float:
        """The sum against a brother or sister."""
        return self.prior[1] + sum(bar.sibling for bar in self.bars)

    @property
    def weight(self) -> float:
        """The smaller sum: what decides."""
        return min(self.stranger, self.sibling)

    @property
    def against(self) -> str:
        """Which of the two sums decides: ``stranger`` or ``sibling``."""
        return "stranger" if self.stranger <= self.sibling else "sibling"

    def without_sponsor(self) -> "Waterfall":
        """The same for readers whom a sponsor's data does not serve: that it is withheld is said, what it is not."""
        if not any(bar.sponsored and bar.level != UNKNOWN for bar in self.bars):
            return self
        bars = tuple(
            replace(bar, level=WITHHELD, stranger=0.0, sibling=0.0) if bar.sponsored else bar
            for bar in self.bars
        )
        return replace(self, bars=bars, withheld=True)


def explain(evidence: Mapping[str, Any], scale: Weights) -> Waterfall:
    """The waterfall of stored evidence: ``{"number": "same", …, "rarity": {"surname": 3.1}, "gate": …, "why": …}``.

    A trait that the evidence does not name is unknown; a level that the model no longer knows weighs nothing.
    """
    rare = evidence.get("rarity") or {}
    bars = tuple(_bar(trait, str(evidence.get(trait) or UNKNOWN), rare, scale) for trait in scale.traits)
    return Waterfall(scale.prior(), bars, evidence.get("why") or evidence.get("gate"))


def _bar(trait: str, level: str, rare: Mapping[str, float], scale: Weights) -> Bar:
    stranger, sibling = scale.bits(trait, level)
    rarity = float(rare.get(trait) or 0.0)
    return Bar(trait, level, stranger + rarity, sibling, rarity, trait in SPONSORED)
