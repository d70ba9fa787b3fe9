"""Do two descriptions speak of one person? Named levels for and against, weighed; pure.

Each trait of :mod:`handhold.identity.spec` gets a level; each level has a weight in bits in the model, one against a
stranger and one against a brother or sister. The smaller of the two sums decides, because what makes two children look
alike is most often that they are siblings (``linkage.md`` 3d). One pair and a nation's pairs are judged by the same
functions: a batch asks each of them once for each distinct pair of values, and what columns can answer by themselves
(equal or not, days apart, something shared) is held to the functions by a test.
"""

import hashlib
import json
import math
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Protocol

import polars as pl

from handhold.feeds.reading.coming import Coming
from handhold.identity.levels import (
    HANDOVER_HOURS,
    RELEASE_DAYS,
    TRIP_DAYS,
    TRIP_HOURS,
    dob_level,
    given_level,
    number_level,
    surname_level,
)
from handhold.identity.names import each
from handhold.identity.spec import BY_NAME, NAMES, PROFILE, TRAITS, UNKNOWN, Knowledge, Profile

FEW = 300  # pairs of descriptions that are judged one by one: columns would cost more than they save
SLICE = 200_000  # pairs of files that are judged at once; three such slices stand in memory with their descriptions
RARITY = {"surname": "last_rare", "given": "first_rare"}
WEIGHED = ["stranger", "sibling", "weight", "gate"]
UNDECIDING = {
    "stated",
    "source",
    "effective_from",
    "confirmed",
}  # of the rules: what only training or a reader needs
OF_GATE = {"name", "below"}  # what a gate has beside levels
JUDGES = tuple(trait.judge for trait in TRAITS)
ASKED: dict[str, Callable[..., str]] = {  # columns of which columns cannot tell the level, and who does
    "number": number_level, "last": surname_level, "first": given_level, "dob": dob_level,
}  # fmt: skip
SPOKEN = [  # of each name: its trait, where its level stands, its words, and on which levels its rarity counts
    ("surname", NAMES.index("surname"), attrgetter("last"), BY_NAME["surname"].rare),
    ("given", NAMES.index("given"), attrgetter("first"), BY_NAME["given"].rare),
]


@dataclass(frozen=True)
class Scale:
    """A trained model with the rules of the pack: weights, how rare names are, gates, thresholds.

    ``model`` has ``prior``, ``bits`` (trait, level, two numbers), ``names`` (how often words of names occur) and
    ``version``; ``rules`` the thresholds and gates of ``identity/weights.toml``.
    """

    model: Mapping[str, Any]
    rules: Mapping[str, Any]
    world: Knowledge

    @property
    def traits(self) -> tuple[str, ...]:
        """What is compared, in the order in which it is told."""
        return NAMES

    @property
    def version(self) -> str:
        """Which model this is."""
        return str(self.model["version"])

    @cached_property
    def rules_text(self) -> str:
        """What decides beside the model, as JSON: thresholds and gates, loving forms, common languages."""
        rules = {name: told for name, told in self.rules.items() if name not in UNDECIDING}
        forms = sorted((name, sorted(groups)) for name, groups in self.world.nicknames.items())
        return json.dumps([rules, forms, sorted(self.world.common)], sort_keys=True)

    @cached_property
    def ruled(self) -> str:
        """A hash of :attr:`rules_text`, by which evidence names it."""
        return hashlib.sha256(self.rules_text.encode()).hexdigest()[:8]

    def prior(self) -> tuple[float, float]:
        """Bits before anything is compared: against a stranger, against a sibling."""
        return float(self.model["prior"]["stranger"]), float(self.model["prior"]["sibling"])

    def bits(self, trait: str, level: str) -> tuple[float, float]:
        """Bits of one level, against a stranger and against a sibling; an unknown level weighs nothing."""
        stranger, sibling = self.model["bits"].get(trait, {}).get(level, (0.0, 0.0))
        return float(stranger), float(sibling)

    def threshold(self, name: str) -> float:
        """``link``, ``ask`` or ``margin``, in bits."""
        return float(self.rules[name])

    def rarity(self, trait: str, name: str | None) -> float:
        """How much more a folded name says than the average one, in bits: rare names more, common names less.

        The chance that two strangers both bear it, its words taken as independent, held against the level's own chance.
        A word that the model has not counted is taken for an average one.
        """
        known = self.model["names"].get(trait)
        if name is None or not known:
            return 0.0
        words = name.split()
        many = min(len(words), 2)
        share = math.prod(known["word"].get(word, known["average"]) for word in words[:2])
        chance = share * known["with"][many - 1] * math.factorial(many)
        return max(-known["most"], min(known["most"], math.log2(known["level"][many - 1] / chance)))

    @cached_property
    def _gates(self) -> list[tuple[str, float, list[tuple[int, frozenset[str]]]]]:
        """Each gate's name, the bits from which it stands open, and the levels that shut it, by the place of their trait."""
        return [
            (
                gate["name"], float(gate.get("below", math.inf)),
                [(NAMES.index(t), frozenset(levels)) for t, levels in gate.items() if t not in OF_GATE],
            )
            for gate in self.rules["gate"]
        ]  # fmt: skip

    def judge(self, a: Profile, b: Profile) -> tuple[str, ...]:
        """The level of each trait."""
        world = self.world
        return tuple([judge(a, b, world) for judge in JUDGES])

    def rarities(self, a: Profile, b: Profile, levels: Sequence[str]) -> dict[str, float]:
        """The rarity of what both sides' names share where it counts on their level, by trait; see :func:`_rarest`."""
        found = {}
        for trait, place, name_of, counts in SPOKEN:
            sides = (name_of(a), name_of(b)) if levels[place] in counts else ()
            alone = [name for name in sides if " " not in name]
            found[trait] = min([self._rare(trait, name) for name in alone or sides], default=0.0)
        return found

    def _rare(self, trait: str, name: str | None) -> float:
        known = self._rarities.get((trait, name))
        if known is None:
            known = self._rarities[trait, name] = self.rarity(trait, name)
        return known

    @cached_property
    def _rarities(self) -> dict[tuple[str, str | None], float]:
        """Names asked for before: a deployment's names are few."""
        return {}

    def weigh(self, levels: Sequence[str], rare: Mapping[str, float]) -> tuple[float, float]:
        """Both sums over the levels of all traits; ``rare``: the rarity of the names where it counts, by trait."""
        stranger, sibling = self.prior()
        for (trait, table), level in zip(self._table.items(), levels, strict=True):
            one, other = table[level]
            stranger += one + rare[trait] if trait in rare else one
            sibling += other
        return stranger, sibling

    @cached_property
    def _table(self) -> dict[str, dict[str, tuple[float, float]]]:
        return {
            trait.name: {level: self.bits(trait.name, level) for level in trait.names} for trait in TRAITS
        }

    def closed(self, levels: Sequence[str], weight: float) -> str | None:
        """The name of the first gate that these levels close at this weight (the smaller sum, bits), or ``None``."""
        for name, below, gate in self._gates:
            if weight >= below:
                continue
            for place, shut in gate:
                if levels[place] not in shut:
                    break
            else:
                return name
        return None

    def weighed(self, levels: pl.DataFrame) -> pl.DataFrame:
        """The frame with ``stranger``, ``sibling``, ``weight`` and ``gate``, from its levels and the names' rarity."""
        sums = {}
        for against, name in enumerate(("stranger", "sibling")):
            parts = [self._part(trait, against) for trait in NAMES]
            sums[name] = pl.fold(pl.lit(self.prior()[against]), lambda total, part: total + part, parts)
        # One after the other: within one step every gate would add up its own weight again.
        with_sums = levels.with_columns(**sums)
        return with_sums.with_columns(weight=pl.min_horizontal(*sums)).with_columns(gate=self._gate())

    def _part(self, trait: str, against: int) -> pl.Expr:
        bits = {level: pair[against] for level, pair in self._table[trait].items()}
        known = pl.col(trait).replace_strict(bits, return_dtype=pl.Float64)
        if against or trait not in RARITY:
            return known
        rare = (
            pl.when(pl.col(trait).is_in(sorted(BY_NAME[trait].rare)))
            .then(pl.col(RARITY[trait]))
            .otherwise(0.0)
        )
        return known + rare

    def _gate(self) -> pl.Expr:
        closed = pl.lit(None, pl.String)
        for name, below, gate in reversed(self._gates):
            levels = (pl.col(NAMES[place]).is_in(sorted(shut)) for place, shut in gate)
            holds = pl.all_horizontal(pl.col("weight") < below, *levels)
            closed = pl.when(holds).then(pl.lit(name)).otherwise(closed)
        return closed

    def verdict(self) -> pl.Expr:
        """``same``, ``unclear`` or ``different`` from ``weight`` and ``gate``."""
        enough = pl.col("gate").is_null() & (pl.col("weight") >= self.threshold("link"))
        some = pl.col("weight") >= self.threshold("ask")
        said = pl.when(enough).then(pl.lit("same")).when(some).then(pl.lit("unclear"))
        return said.otherwise(pl.lit("different"))


def hundredths(bits: float) -> float:
    """Bits as evidence keeps them; :func:`in_hundredths` is the same of a column, to the last bit."""
    return math.floor(bits * 100 + 0.5) / 100


def in_hundredths(bits: pl.Expr) -> pl.Expr:
    """See :func:`hundredths`: neither Python nor Polars rounds halves as the other does."""
    # Polars divides by a number by multiplying with its inverse: the second rounding takes that error away.
    return ((bits * 100 + 0.5).floor() / 100).round(2)


def with_rarity(people: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    """Profiles with ``last_rare`` and ``first_rare``."""
    return people.with_columns(
        each(people["last"], lambda name: scale.rarity("surname", name), pl.Float64)
        .fill_null(0.0)
        .alias("last_rare"),
        each(people["first"], lambda name: scale.rarity("given", name), pl.Float64)
        .fill_null(0.0)
        .alias("first_rare"),
    )


class Engine(Protocol):
    """Where the pairs of many files are compared: arguments and answer as those of :func:`compare`."""

    def __call__(self, pairs: pl.DataFrame, people: pl.DataFrame, scale: Scale, /) -> pl.DataFrame: ...


def compare(pairs: pl.DataFrame, people: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    """Weigh pairs of files: the best that any two of their descriptions give.

    ``pairs``: ``a``, ``b`` (file ids); ``people``: ``file``, the columns of ``spec.PROFILE`` and of :func:`with_rarity`,
    several rows a file allowed. Returns ``a, b``, a level for each trait, ``surname_rare`` and ``given_rare`` (bits),
    ``stranger``, ``sibling``, ``weight`` (the smaller, bits), ``gate`` (name of what forbids, or null) and ``verdict``:
    ``same`` (enough to link), ``unclear`` (worth a question) or ``different``.
    """
    plain = pairs.select("a", "b")
    meant = people.filter(pl.col("file").is_in(pl.concat([plain["a"], plain["b"]]).unique().implode()))
    answers = answers_of({column: meant[column] for column in ASKED}, scale)
    told = meant.with_columns(answer.numbers(meant[column]) for column, answer in answers.items())
    wanted = pl.col(*PROFILE, *RARITY.values(), *(answer.column for answer in answers.values()))
    sides = [told.select(pl.col("file").alias(side), wanted.name.suffix(f"_{side}")) for side in "ab"]
    slices = plain.iter_slices(SLICE) if len(plain) else iter([plain])

    def judged() -> Generator[pl.DataFrame, None, None]:
        for part in slices:
            yield _judged(part.join(sides[0], on="a").join(sides[1], on="b"), scale, answers)

    # Functions in Python use one core: the next slice is judged while the last is weighed.
    return pl.concat(_best(levels, scale) for levels in Coming(judged()))


def _best(judged: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    """The pair of descriptions that decides, of each two files."""
    in_order = _weighed(judged, scale).sort("a", "b", pl.col("gate").is_not_null(), -pl.col("weight"), *NAMES)
    best = in_order.unique(subset=["a", "b"], keep="first", maintain_order=True)
    return best.with_columns(verdict=scale.verdict())


def weighed_pairs(both: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    """Levels and weights of pairs of descriptions; ``both``: ``a``, ``b`` and the columns of both sides (``…_a``, ``…_b``)."""
    return _weighed(_judged(both, scale), scale)


def _judged(both: pl.DataFrame, scale: Scale, answers: "Answers | None" = None) -> pl.DataFrame:
    return one_by_one(both, scale) if len(both) <= FEW else in_columns(both, scale, answers)


def _weighed(judged: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    rare = [
        pl.when(pl.col(trait).is_in(sorted(BY_NAME[trait].rare)))
        .then(pl.col(column))
        .otherwise(0.0)
        .alias(f"{trait}_rare")
        for trait, column in RARITY.items()
    ]
    weighed = scale.weighed(judged).with_columns(*rare)
    return weighed.select("a", "b", *NAMES, "surname_rare", "given_rare", *WEIGHED)


def _rarest(both: pl.DataFrame) -> list[pl.Series]:
    """The rarity of the name that has one word, because that is what the two share; else the smaller one's."""
    found = []
    for name in ("last", "first"):
        rarity = f"{name}_rare"
        alone = [~pl.col(f"{name}_{side}").str.contains(" ", literal=True).fill_null(True) for side in "ab"]
        shared = (
            pl.when(alone[0] & ~alone[1])
            .then(f"{rarity}_a")
            .when(alone[1] & ~alone[0])
            .then(f"{rarity}_b")
            .otherwise(pl.min_horizontal(f"{rarity}_a", f"{rarity}_b"))
        )
        found.append(both.select(shared.alias(rarity)).to_series())
    return found


def one_by_one(both: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    """``a``, ``b``, the levels and the names' rarity of each pair of descriptions, judged one after the other."""
    left, right = (sided(both, side) for side in "ab")
    judged = [scale.judge(a, b) for a, b in zip(left, right, strict=True)]
    levels = pl.DataFrame(judged, schema=dict.fromkeys(NAMES, pl.String), orient="row")
    return both.select("a", "b").hstack(levels).with_columns(_rarest(both))


def sided(both: pl.DataFrame, side: str) -> list[Profile]:
    """One side's descriptions."""
    sets = {name for name, kind in PROFILE.items() if isinstance(kind, pl.List)}
    columns = [
        [frozenset(v or ()) for v in both[f"{name}_{side}"].to_list()]
        if name in sets
        else both[f"{name}_{side}"].to_list()
        for name in PROFILE
    ]
    return [Profile(*row) for row in zip(*columns, strict=True)]


def in_columns(both: pl.DataFrame, scale: Scale, answers: "Answers | None" = None) -> pl.DataFrame:
    """The same as :func:`one_by_one`, by columns. ``answers``: those about all values that are going to be asked for."""
    if answers is None:
        answers = answers_of({c: pl.concat([both[f"{c}_a"], both[f"{c}_b"]]) for c in ASKED}, scale)
        both = both.with_columns(
            answer.numbers(both[f"{column}_{side}"]).alias(f"{answer.column}_{side}")
            for column, answer in answers.items()
            for side in "ab"
        )
    traits = {
        "number": answers["number"].levels(both),
        "court": _exact("court"),
        "surname": answers["last"].levels(both, plain="same-one", telling=pl.col("last_a").str.contains(" ", literal=True)),
        "given": answers["first"].levels(both),
        "dob": answers["dob"].levels(both, telling=_whole_and_known()),
        "sex": _exact("sex"),
        "country": _exact("country"),
        "language": _language(scale.world.common),
        "arrival": _arrival(),
        "release": _release(),
        "place": _place(),
        "phone": _shared("phones"),
        "sponsor": _shared("sponsors"),
    }  # fmt: skip
    return both.select("a", "b", *(level.alias(trait) for trait, level in traits.items())).with_columns(
        _rarest(both)
    )


def _known(*columns: str) -> pl.Expr:
    return pl.all_horizontal(pl.col(f"{column}_{side}").is_not_null() for column in columns for side in "ab")


def _levels(known: pl.Expr, *cases: tuple[pl.Expr, str], otherwise: str) -> pl.Expr:
    """The first case that is true, where both sides say something."""
    level = pl.lit(otherwise)
    for when, name in reversed(cases):
        level = pl.when(when.fill_null(False)).then(pl.lit(name)).otherwise(level)
    return pl.when(known).then(level).otherwise(pl.lit(UNKNOWN))


def _exact(column: str) -> pl.Expr:
    return _levels(
        _known(column), (pl.col(f"{column}_a") == pl.col(f"{column}_b"), "same"), otherwise="different"
    )


def _language(common: frozenset[str]) -> pl.Expr:
    a, b = pl.col("language_a"), pl.col("language_b")
    spoken = a.is_in(sorted(common))
    return _levels(
        _known("language"), ((a == b) & ~spoken, "same"), (a == b, "same-common"), otherwise="different"
    )


def _apart(column: str) -> pl.Expr:
    return (pl.col(f"{column}_a") - pl.col(f"{column}_b")).abs()


def _arrival() -> pl.Expr:
    trips = [(pl.col(f"custody_{one}") // 24 - pl.col(f"entry_{other}")) for one, other in ("ab", "ba")]
    same = (_apart("custody") <= HANDOVER_HOURS).fill_null(False) | (_apart("entry") == 0).fill_null(False)
    days = (_apart("custody") <= TRIP_HOURS).fill_null(False) | (
        _apart("entry") <= TRIP_HOURS // 24
    ).fill_null(False)
    near = days | pl.any_horizontal(trip.is_between(0, TRIP_DAYS).fill_null(False) for trip in trips)
    known = _known("custody") | _known("entry") | pl.any_horizontal(trip.is_not_null() for trip in trips)
    return _levels(known, (same, "same"), (near, "near"), otherwise="other")


def _release() -> pl.Expr:
    apart = _apart("release")
    return _levels(
        _known("release"), (apart <= 1, "same"), (apart <= RELEASE_DAYS, "near"), otherwise="other"
    )


def _meet(column: str) -> pl.Expr:
    return pl.col(f"{column}_a").list.set_intersection(f"{column}_b").list.len() > 0


def _shared(column: str) -> pl.Expr:
    return _levels(_known(column), (_meet(column), "same"), otherwise="other")


def _place() -> pl.Expr:
    return _levels(
        _known("places"), (_meet("places"), "same"), (_meet("buildings"), "building"), otherwise="other"
    )


def _whole_and_known() -> pl.Expr:
    return ~pl.col("dob_a").str.ends_with("-01-01") & (pl.col("dob_a").str.len_chars() == 10)


class Answer:
    """The level of each two values of a column, from one call of a function, whichever of them comes first.

    A nation's pairs come a slice at a time, with the same names again and again.
    """

    def __init__(self, column: str, values: pl.Series, level: Callable[[str, str], str]) -> None:
        self.column = f"{column}_number"
        self._values = values.drop_nulls().unique()
        self._numbered = pl.Enum(self._values)
        self._level = level
        self._known = pl.DataFrame(schema={"pair": pl.UInt64, "found": pl.String})

    def numbers(self, values: pl.Series) -> pl.Series:
        """The number of each value, as ``levels`` wants it beside the values of both sides."""
        numbers = values.cast(self._numbered).to_physical()
        return numbers.cast(pl.UInt64).alias(self.column)

    def levels(
        self, both: pl.DataFrame, *, plain: str | None = None, telling: pl.Expr | None = None
    ) -> pl.Expr:
        """The level of each row. Equal values are ``same`` without a call where ``telling`` is true of the value, and ``plain``
        (or, without it, a call) where it is not."""
        a, b = (pl.col(f"{self.column}_{side}") for side in "ab")
        equal = (
            pl.when(telling if telling is not None else pl.lit(True))
            .then(pl.lit("same"))
            .otherwise(pl.lit(plain, pl.String))
        )
        quick = both.select(
            pair=pl.min_horizontal(a, b) * len(self._values) + pl.max_horizontal(a, b),
            level=pl.when(a.is_null() | b.is_null()).then(pl.lit(UNKNOWN)).when(a == b).then(equal),
        )
        self._ask(quick.filter(pl.col("level").is_null()).select("pair").unique())
        whole = quick.join(self._known, on="pair", how="left", maintain_order="left")
        return pl.lit(whole.select(pl.coalesce("level", "found")).to_series())

    def _ask(self, pairs: pl.DataFrame) -> None:
        new = pairs.join(self._known, on="pair", how="anti")
        numbers = new.select(low=pl.col("pair") // len(self._values), high=pl.col("pair") % len(self._values))
        sides = (self._values.gather(numbers[side]).to_list() for side in ("low", "high"))
        found = pl.Series([self._level(*two) for two in zip(*sides, strict=True)], dtype=pl.String)
        self._known = pl.concat([self._known, new.with_columns(found=found)])


Answers = Mapping[str, Answer]  # by the column of a profile


def answers_of(values: Mapping[str, pl.Series], scale: Scale) -> Answers:
    """What functions say of these values, by column of a profile, as it is going to be asked."""
    nicknames = scale.world.nicknames
    levels = {**ASKED, "first": lambda a, b: given_level(a, b, nicknames)}
    return {column: Answer(column, values[column], level) for column, level in levels.items()}
