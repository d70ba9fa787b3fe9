"""How far people agree, and how sure a share of a sample is. Pure arithmetic."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

Z95 = 1.959963984540054
"""Two-sided 95 %."""


@dataclass(frozen=True)
class Interval:
    """A share of a sample with its 95 % interval after Wilson; ``share`` is ``None`` where nothing was sampled."""

    share: float | None
    low: float
    high: float
    of: int


def wilson(yes: int, of: int, z: float = Z95) -> Interval:
    """The share ``yes / of``; honest also for few and for none or all (E. B. Wilson, JASA 22, 1927)."""
    if of == 0:
        return Interval(None, 0.0, 1.0, 0)
    share = yes / of
    middle = share + z * z / (2 * of)
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of))
    below = 1 + z * z / of
    low = 0.0 if yes == 0 else max(0.0, (middle - half) / below)
    high = 1.0 if yes == of else min(1.0, (middle + half) / below)
    return Interval(share, low, high, of)


@dataclass(frozen=True)
class Agreement:
    """How often two people said the same of ``of`` pairs; ``kappa`` discounts what chance alone would give."""

    of: int
    same: Interval
    kappa: float | None


def agreement(pairs: Sequence[tuple[str, str]]) -> Agreement:
    """Raw agreement and Cohen's kappa (Educ. Psychol. Meas. 20, 1960) of what two people said of the same things.

    ``kappa`` is ``None`` where it is not defined: nothing was said twice, or both always said one and the same.
    """
    of, same = len(pairs), sum(one == other for one, other in pairs)
    found = wilson(same, of)
    if not of:
        return Agreement(0, found, None)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    chance = sum(first[word] * second[word] for word in first) / (of * of)
    return Agreement(of, found, None if chance == 1 else (same / of - chance) / (1 - chance))
