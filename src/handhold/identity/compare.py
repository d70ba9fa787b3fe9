"""Do two descriptions speak of one person? Named levels for and against, weighed; pure.

Each trait gets a level (``same``, ``alike``, ``other`` …) from a small function over two values; each level has a weight in
bits in the pack (``identity/weights.toml``), one against a stranger and one against a brother or sister. The smaller of the
two sums decides, because what makes two children look alike is most often that they are siblings (``linkage.md`` 3d). A
trained model replaces the weights and nothing else.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import polars as pl
from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

TRAITS = ("number", "court", "surname", "given", "dob", "sex", "country")
PROFILE = ("number", "court", "last", "last_sound", "first", "first_sound", "dob", "sex", "country")
DAYS_OFF, YEAR = 10, 365
SHORTENED = 3  # letters of a given name that may stand for the whole
ALIKE_LONG, ALIKE_SHORT = (
    0.91,
    4,
)  # Jaro-Winkler for words longer than this many letters; shorter ones may differ in one


@dataclass(frozen=True)
class Scale:
    """The weights, gates and thresholds of a pack."""

    table: Mapping[str, Any]
    forms: tuple[frozenset[str], ...]

    @cached_property
    def nicknames(self) -> Mapping[str, frozenset[str]]:
        """Every form of a name to all names it may stand for."""
        found: dict[str, set[str]] = {}
        for forms in self.forms:
            for name in forms:
                found.setdefault(name, set()).update(forms)
        return {name: frozenset(others) for name, others in found.items()}

    @property
    def traits(self) -> tuple[str, ...]:
        """What is compared, in the order in which it is told."""
        return TRAITS

    def prior(self) -> tuple[float, float]:
        """Bits before anything is compared: against a stranger, against a sibling."""
        return float(self.table["prior"]["stranger"]), float(self.table["prior"]["sibling"])

    def bits(self, trait: str, level: str) -> tuple[float, float]:
        """Bits of one level, against a stranger and against a sibling; an unknown level weighs nothing."""
        stranger, sibling = self.table[trait].get(level, (0.0, 0.0))
        return float(stranger), float(sibling)

    def threshold(self, name: str) -> float:
        """``link``, ``ask`` or ``margin``, in bits."""
        return float(self.table[name])

    def weight(self, against: int) -> pl.Expr:
        """The sum over the traits' levels; ``against`` 0 a stranger, 1 a sibling."""
        prior = self.table["prior"]["stranger" if against == 0 else "sibling"]
        parts = [self._part(trait, against) for trait in TRAITS]
        return pl.sum_horizontal(*parts) + prior

    def _part(self, trait: str, against: int) -> pl.Expr:
        bits = {level: float(pair[against]) for level, pair in self.table[trait].items()}
        return pl.col(trait).replace_strict(bits, return_dtype=pl.Float64)

    def gate(self) -> pl.Expr:
        """The name of the first gate that closes, or null."""
        closed = pl.lit(None, pl.String)
        for gate in reversed(self.table["gate"]):
            holds = pl.all_horizontal(
                *(pl.col(trait).is_in(levels) for trait, levels in gate.items() if trait != "name")
            )
            closed = pl.when(holds).then(pl.lit(gate["name"])).otherwise(closed)
        return closed

    def verdict(self) -> pl.Expr:
        """``same``, ``unclear`` or ``different`` from ``weight`` and ``gate``."""
        enough = pl.col("gate").is_null() & (pl.col("weight") >= self.threshold("link"))
        some = pl.col("weight") >= self.threshold("ask")
        return (
            pl.when(enough)
            .then(pl.lit("same"))
            .when(some)
            .then(pl.lit("unclear"))
            .otherwise(pl.lit("different"))
        )


def compare(pairs: pl.DataFrame, profiles: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    """Weigh pairs of files: the best that any two of their descriptions give.

    ``pairs``: ``a``, ``b`` (file ids); ``profiles``: ``file`` and :data:`PROFILE`, folded, several rows a file allowed.
    Returns ``a, b``, a level for each of :data:`TRAITS`, ``weight`` (bits), ``gate`` (name of what forbids, or null) and
    ``verdict``: ``same`` (enough to link), ``unclear`` (worth a question) or ``different``.
    """
    sides = [
        profiles.select(pl.col("file").alias(side), *(pl.col(c).alias(f"{c}_{side}") for c in PROFILE))
        for side in "ab"
    ]
    both = pairs.select("a", "b").join(sides[0], on="a").join(sides[1], on="b")
    judged = _levels(both, scale).select("a", "b", *TRAITS)
    weighed = judged.with_columns(
        weight=pl.min_horizontal(scale.weight(0), scale.weight(1)), gate=scale.gate()
    )
    best = weighed.sort("a", "b", pl.col("gate").is_not_null(), -pl.col("weight"), *TRAITS)
    return best.unique(subset=["a", "b"], keep="first", maintain_order=True).with_columns(
        verdict=scale.verdict()
    )


def _levels(both: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    def given(a: str, b: str, heard_a: str, heard_b: str) -> str:
        return given_level(a, b, heard_a, heard_b, scale.nicknames)

    return both.with_columns(
        _distinct(both, "number", number_level, "number"),
        _distinct(both, "court", exact_level, "court"),
        _distinct(both, "surname", surname_level, "last", "last_sound"),
        _distinct(both, "given", given, "first", "first_sound"),
        _distinct(both, "dob", dob_level, "dob"),
        _distinct(both, "sex", exact_level, "sex"),
        _distinct(both, "country", exact_level, "country"),
    )


def _distinct(both: pl.DataFrame, trait: str, level: Callable[..., str], *columns: str) -> pl.Series:
    """The level of each row, from one call a distinct pair of values; where equal is simply ``same`` no call is needed."""
    names = [f"{column}_{side}" for column in columns for side in "ab"]
    a, b = pl.col(names[0]), pl.col(names[1])
    telling = {
        "dob": ~a.str.ends_with("-01-01") & (a.str.len_chars() == 10),
        "surname": a.str.contains(" ", literal=True),
    }
    plain = (a == b) & telling.get(trait, pl.lit(True))
    fast = pl.when(a.is_null() | b.is_null()).then(pl.lit("unknown")).when(plain).then(pl.lit("same"))
    quick = both.select(*names, level=fast.otherwise(None))
    slow = quick.filter(pl.col("level").is_null()).select(names).unique(maintain_order=True)
    answers = slow.with_columns(found=pl.Series([level(*row) for row in slow.iter_rows()], dtype=pl.String))
    whole = quick.join(answers, on=names, how="left", maintain_order="left")
    return whole.select(pl.coalesce("level", "found").alias(trait)).to_series()


def exact_level(a: str, b: str) -> str:
    """``same`` or ``different``."""
    return "same" if a == b else "different"


def number_level(a: str, b: str) -> str:
    """Two A-numbers of nine digits: ``same``, ``near`` (one slip of the fingers) or ``different``."""
    if a == b:
        return "same"
    return "near" if DamerauLevenshtein.distance(a, b, score_cutoff=1) == 1 else "different"


def words_alike(a: str, b: str, heard_a: str, heard_b: str) -> bool:
    """One word in two spellings: heard the same, or one letter off, or close where the word is long."""
    if a == b or heard_a == heard_b:
        return True
    if DamerauLevenshtein.distance(a, b, score_cutoff=1) == 1:
        return min(len(a), len(b)) >= 2
    return min(len(a), len(b)) > ALIKE_SHORT and JaroWinkler.similarity(a, b) >= ALIKE_LONG


def surname_level(a: str, b: str, heard_a: str, heard_b: str) -> str:
    """Surnames in any order: ``same, same-one, alike, part, part-alike, other``. Folded names and how they sound."""
    if a == b or sorted(a.split()) == sorted(b.split()) or a.replace(" ", "") == b.replace(" ", ""):
        return "same" if " " in a or " " in b else "same-one"
    left, right = (
        list(zip(a.split(), heard_a.split(), strict=True)),
        list(zip(b.split(), heard_b.split(), strict=True)),
    )
    few, many = sorted((left, right), key=len)
    met, exactly = _matched(few, many)
    if met == len(few):
        whole = len(few) == len(many)
        return "alike" if whole else ("part" if exactly == met else "part-alike")
    return "part-alike" if met and met * 2 >= len(few) and exactly == met else "other"


def _matched(few: list[tuple[str, str]], many: list[tuple[str, str]]) -> tuple[int, int]:
    """How many words of the shorter name find one of their own in the longer, and how many of these letter by letter."""
    free, met, exactly = list(many), 0, 0
    for word in sorted(
        few, key=lambda w: all(w[0] != other for other, _ in many)
    ):  # the exact ones take their pick first
        found = next((w for w in free if w[0] == word[0]), None) or next(
            (w for w in free if words_alike(word[0], w[0], word[1], w[1])), None
        )
        if found:
            free.remove(found)
            met, exactly = met + 1, exactly + (found[0] == word[0])
    return met, exactly


def given_level(a: str, b: str, heard_a: str, heard_b: str, nicknames: Mapping[str, frozenset[str]]) -> str:
    """Given names: ``same, part, alike, second-differs, other``. The first one counts most."""
    left, right = a.split(), b.split()
    if sorted(left) == sorted(right) or a.replace(" ", "") == b.replace(" ", ""):
        return "same"
    if set(left) <= set(right) or set(right) <= set(left):
        return "part"
    first, other = (left[0], heard_a.split()[0]), (right[0], heard_b.split()[0])
    short = min(len(first[0]), len(other[0])) >= SHORTENED and (
        first[0].startswith(other[0]) or other[0].startswith(first[0])
    )
    alike = (
        short
        or words_alike(first[0], other[0], first[1], other[1])
        or other[0] in nicknames.get(first[0], ())
    )
    if alike and _seconds_agree(left, right, heard_a.split(), heard_b.split()):
        return "alike"
    return "second-differs" if alike or set(left) & set(right) else "other"


def _seconds_agree(left: list[str], right: list[str], heard_left: list[str], heard_right: list[str]) -> bool:
    if len(left) < 2 or len(right) < 2:
        return True
    second, other = left[1], right[1]
    initial = min(len(second), len(other)) == 1 and second[0] == other[0]
    return initial or words_alike(second, other, heard_left[1], heard_right[1])


def dob_level(a: str, b: str) -> str:
    """ISO dates, each to its own precision (``2005``, ``2005-03``, ``2005-03-31``)."""
    if len(a) < 10 or len(b) < 10:
        return _partial(a, b)
    if a == b:
        return "same-estimated" if a.endswith("-01-01") else "same"
    one, other = _date(a), _date(b)
    if one is None or other is None:
        return "other"
    if one.year == other.year and (one.month, one.day) == (other.day, other.month):
        return "exchanged"
    apart = abs((one - other).days)
    if abs(apart - YEAR) <= 1:
        return "year-off"
    if (one.month, one.day) == (1, 1) or (other.month, other.day) == (1, 1):
        return "estimated" if abs(one.year - other.year) <= 1 else "other"
    near = apart <= DAYS_OFF or (one.year, one.month) == (other.year, other.month)
    return "day-off" if near else "other"


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _partial(a: str, b: str) -> str:
    """At least one date lacks its day or month."""
    if min(len(a), len(b)) >= 7:
        return "month" if a[:7] == b[:7] else "other"
    return "estimated" if a[:4] == b[:4] else "other"
