"""The evidence of a link in words and as a waterfall. Pure: a waterfall goes in, rows for a page come out."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from django.utils.translation import gettext as _

from handhold.identity import Bar, Waterfall

Word = Callable[[str, str], str]  # (code, list of words.toml) -> words
STRONG, SOME = 6.0, 1.5  # bits from which evidence speaks strongly, and from which it speaks at all
WIDE = 100.0  # the picture's width in its own units


@dataclass(frozen=True)
class Step:
    """One trait: what it is, how the two compare in words, how much that says, and its bar from ``left`` on."""

    trait: str
    level: str
    says: str
    tone: str
    stranger: float
    sibling: float
    left: float
    width: float


@dataclass(frozen=True)
class Picture:
    """The whole: where it begins (before anything is compared), the steps that say something, those not known, both sums, and
    which of them decides."""

    first: Step
    steps: tuple[Step, ...]
    unknown: tuple[str, ...]
    zero: float
    stranger: float
    sibling: float
    decides: str
    stopped: str
    withheld: bool

    @property
    def rows(self) -> tuple[Step, ...]:
        """All that adds up to the sums."""
        return self.first, *self.steps


def picture(found: Waterfall, word: Word) -> Picture:
    """The waterfall as a page draws it: for the sum that decides, from nought to the prior, each step to where the next begins."""
    column = 0 if found.against == "stranger" else 1
    told = [bar for bar in found.bars if bar.level not in ("unknown", "withheld")]
    sums = [0.0]
    bars = [Bar("to-begin-with", "by-chance", *found.prior), *told]
    for bar in bars:
        sums.append(sums[-1] + (bar.stranger, bar.sibling)[column])
    low, high = min(sums), max(sums)
    at = [WIDE * (value - low) / ((high - low) or 1.0) for value in sums]
    first, *steps = (
        _step(bar, (bar.stranger, bar.sibling)[column], before, after, word)
        for bar, (before, after) in zip(bars, pairwise(at), strict=True)
    )
    unknown = tuple(word(bar.trait, "trait") for bar in found.bars if bar.level == "unknown")
    return Picture(
        first=first,
        steps=tuple(steps),
        unknown=unknown,
        zero=at[0],
        stranger=found.stranger,
        sibling=found.sibling,
        decides=found.against,
        stopped=word(found.stopped, "stopped") if found.stopped else "",
        withheld=found.withheld,
    )


def _step(bar: Bar, bits: float, before: float, after: float, word: Word) -> Step:
    says, tone = speaks(bits)
    return Step(
        trait=word(bar.trait, "trait"),
        level=_level(bar, word),
        says=says,
        tone=tone,
        stranger=bar.stranger,
        sibling=bar.sibling,
        left=min(before, after),
        width=max(abs(after - before), 0.6),
    )


def _level(bar: Bar, word: Word) -> str:
    """How two files compare in one trait; a level that the pack has no words for there is told as it is told anywhere."""
    code = f"{bar.trait}/{bar.level}"
    said = word(code, "compared")
    return word(bar.level, "file_level") if said == code else said


def speaks(bits: float) -> tuple[str, str]:
    """How strongly bits speak, in words, and for which side: ``for``, ``against`` or ``neither``."""
    if abs(bits) < SOME:
        return _("says little"), "neither"
    if bits > 0:
        return (_("strongly for") if bits >= STRONG else _("for")), "for"
    return (_("strongly against") if bits <= -STRONG else _("against")), "against"
