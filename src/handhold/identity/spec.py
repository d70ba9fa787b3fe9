"""The one comparison specification: what is compared, by which ordered levels, in SQL and in Python. Pure.

The SQL goes to Splink and DuckDB, which train the model; the Python functions (:mod:`handhold.identity.levels`) make every
weight that decides, of the pairs that our own keys find (``docs/decisions/0012-our-keys-find-the-pairs.md``).
``tests/identity/test_spec.py`` holds the two together on more than 100,000 pairs. In the SQL ``x_l`` and ``x_r`` are the two sides' columns of :data:`PROFILE`.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import polars as pl

from handhold.identity.levels import (
    ALIKE_LONG,
    ALIKE_SHORT,
    DAYS_OFF,
    HANDOVER_HOURS,
    LEADING,
    PARTICLES,
    RELEASE_DAYS,
    SHORTENED,
    TRIP_DAYS,
    TRIP_HOURS,
    YEAR,
    arrival_level,
    dob_level,
    exact_level,
    given_level,
    language_level,
    number_level,
    place_level,
    release_level,
    shared_level,
    surname_level,
)
from handhold.identity.names import FOLDING

UNKNOWN = "unknown"


class Profile(NamedTuple):
    """One description of a file, folded, with what the whole file says of the circumstances: what is compared.

    ``custody`` in hours, ``entry`` and ``release`` in days since 1970; the sets hold blind ids; ``rarity`` in bits, see
    :meth:`handhold.identity.compare.Scale.rarity`.
    """

    number: str | None
    court: str | None
    last: str | None
    first: str | None
    dob: str | None
    sex: str | None
    country: str | None
    language: str | None
    custody: int | None
    entry: int | None
    release: int | None
    places: frozenset[int]
    buildings: frozenset[int]
    phones: frozenset[int]
    sponsors: frozenset[int]


@dataclass(frozen=True)
class Knowledge:
    """What a comparison needs to know of the world: loving forms of names (name to its groups), the common languages."""

    nicknames: Mapping[str, frozenset[int]]
    common: frozenset[str]


Judge = Callable[[Profile, Profile, Knowledge], str]


@dataclass(frozen=True)
class Trait:
    """One trait: its levels in order with the SQL that is true of each (the first that is true counts), and the Python.

    ``known``: SQL that is true where both sides say something; all else is ``unknown`` and weighs nothing. ``personal``:
    tells brothers and sisters apart; the other traits weigh nothing against a sibling. ``rare``: the name's rarity counts
    on these levels, against a stranger.
    """

    name: str
    known: str
    levels: tuple[tuple[str, str], ...]
    judge: Judge
    personal: bool = False
    rare: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """The levels' names, ``unknown`` last."""
        return (*(name for name, _ in self.levels), UNKNOWN)

    def sql(self) -> str:
        """A CASE that gives the level's name."""
        cases = " ".join(f"when {when} then '{name}'" for name, when in self.levels)
        return f"case when not coalesce({self.known}, false) then '{UNKNOWN}' {cases} end"


def both(column: str) -> str:
    """SQL: both sides have it."""
    return f"({column}_l is not null and {column}_r is not null)"


def _of(column: str, level: Callable[..., str], more: Callable[[Knowledge], Any] | None = None) -> Judge:
    at = Profile._fields.index(column)

    def judge(a: Profile, b: Profile, world: Knowledge) -> str:
        x, y = a[at], b[at]
        if x is None or y is None:
            return UNKNOWN
        return level(x, y) if more is None else level(x, y, more(world))

    return judge


def _of_sets(column: str) -> Judge:
    def judge(a: Profile, b: Profile, _world: Knowledge) -> str:
        x, y = getattr(a, column), getattr(b, column)
        return shared_level(x, y) if x and y else UNKNOWN

    return judge


def _arrival(a: Profile, b: Profile, _world: Knowledge) -> str:
    return arrival_level(a.custody, a.entry, b.custody, b.entry)


def _place(a: Profile, b: Profile, _world: Knowledge) -> str:
    return place_level(a.places, b.places, a.buildings, b.buildings)


def _alike(a: str, b: str) -> str:
    """SQL of :func:`handhold.identity.levels.words_alike`; ``a`` and ``b`` name columns with their side."""
    heard_a, heard_b = (x.replace("_1_", "_h1_").replace("_2_", "_h2_") for x in (a, b))
    short = f"least(length({a}), length({b}))"
    return (
        f"({a} = {b} or {heard_a} = {heard_b} or ({short} >= 2 and damerau_levenshtein({a}, {b}) <= 1)"
        f" or ({short} > {ALIKE_SHORT} and jaro_winkler_similarity({a}, {b}) >= {ALIKE_LONG}))"
    )


def _either_starts(a: str, b: str) -> str:
    return f"(starts_with({a}, {b}) or starts_with({b}, {a}))"


LAST_SAME = "(last_ordered_l = last_ordered_r or last_run_l in (last_run_r, last_turned_r) or last_turned_l = last_run_r)"
BEFORE, BETWEEN = (f"(?:{'|'.join(sorted(some))})" for some in (LEADING, PARTICLES))
LAST_IN_ONE = " or ".join(
    f"(last_2_{few} = '' and last_2_{many} <> '' and ends_with(last_1_{few}, last_{second}_{many})"
    f" and regexp_full_match(last_1_{few}, '{BEFORE}' || last_{first}_{many} || '{BETWEEN}' || last_{second}_{many}))"
    for few, many in ("lr", "rl")
    for first, second in ("12", "21")
)
LAST_TWO = "(last_2_l <> '' and last_2_r <> '')"
LAST_ONE = "(last_2_l = '' and last_2_r = '')"
LAST_PART = (
    "((last_2_l = '' and last_2_r <> '' and last_1_l in (last_1_r, last_2_r)) or"
    " (last_2_r = '' and last_2_l <> '' and last_1_r in (last_1_l, last_2_l)))"
)
LAST_WHOLE = (
    f"(({LAST_ONE} and {_alike('last_1_l', 'last_1_r')}) or ({LAST_TWO} and (({_alike('last_1_l', 'last_1_r')} and {_alike('last_2_l', 'last_2_r')})"
    f" or ({_alike('last_1_l', 'last_2_r')} and {_alike('last_2_l', 'last_1_r')}))))"
)
LAST_JOINED = " or ".join(
    f"(last_2_{few} = '' and last_2_{many} <> '' and (last_run_heard_{few} in (last_run_heard_{many}, last_turned_heard_{many})"
    f" or damerau_levenshtein(last_run_{few}, last_run_{many}) = 1 or damerau_levenshtein(last_run_{few}, last_turned_{many}) = 1))"
    for few, many in ("lr", "rl")
)
LAST_SOME = (
    f"({_alike('last_1_l', 'last_1_r')} or (last_2_r <> '' and {_alike('last_1_l', 'last_2_r')}) or (last_2_l <> '' and {_alike('last_2_l', 'last_1_r')})"
    f" or ({LAST_TWO} and {_alike('last_2_l', 'last_2_r')}))"
)
GIVEN_PART = (
    "((first_2_l = '' and first_2_r <> '' and first_1_l in (first_1_r, first_2_r)) or"
    " (first_2_r = '' and first_2_l <> '' and first_1_r in (first_1_l, first_2_l)))"
)
GIVEN_FIRST = (
    f"((least(length(first_1_l), length(first_1_r)) >= {SHORTENED} and {_either_starts('first_1_l', 'first_1_r')})"
    f" or {_alike('first_1_l', 'first_1_r')} or list_has_any(first_nick_l, first_nick_r))"
)
GIVEN_SECOND = f"(first_2_l = '' or first_2_r = '' or {_either_starts('first_2_l', 'first_2_r')} or {_alike('first_2_l', 'first_2_r')})"
GIVEN_SHARED = (
    "(first_1_l = first_2_r or first_2_l = first_1_r or (first_2_l <> '' and first_2_l = first_2_r))"
)
WHOLE = "(length(dob_l) = 10 and length(dob_r) = 10)"
DAYS = "(try_cast(dob_l as date) is not null and try_cast(dob_r as date) is not null)"
APART = "abs(date_diff('day', try_cast(dob_l as date), try_cast(dob_r as date)))"
YEARS = "abs(year(try_cast(dob_l as date)) - year(try_cast(dob_r as date)))"
NEW_YEAR = "(dob_l like '%-01-01' or dob_r like '%-01-01')"
TRIPS = [f"((custody_{a} // 24 - entry_{b}) between 0 and {TRIP_DAYS})" for a, b in (("l", "r"), ("r", "l"))]


def _shared(name: str, column: str) -> Trait:
    return Trait(
        name,
        both(column),
        (("same", f"list_has_any({column}_l, {column}_r)"), ("other", "true")),
        _of_sets(column),
    )


TRAITS: tuple[Trait, ...] = (
    Trait("number", both("number"), (
        ("same", "number_l = number_r"), ("near", "damerau_levenshtein(number_l, number_r) = 1"), ("different", "true"),
    ), _of("number", number_level), personal=True),
    Trait("court", both("court"), (("same", "court_l = court_r"), ("different", "true")), _of("court", exact_level), personal=True),
    Trait("surname", both("last"), (
        ("same", f"({LAST_SAME} or {LAST_IN_ONE}) and (last_2_l <> '' or last_2_r <> '')"), ("same-one", LAST_SAME), ("alike", f"{LAST_WHOLE} or {LAST_JOINED}"),
        ("part", LAST_PART), ("part-alike", f"{LAST_SOME} and not {LAST_TWO}"), ("one-of-two", LAST_SOME), ("other", "true"),
    ), _of("last", surname_level), rare=frozenset({"same", "same-one", "part"})),
    Trait("given", both("first"), (
        ("same", "first_ordered_l = first_ordered_r or first_run_l = first_run_r"), ("part", GIVEN_PART),
        ("alike", f"{GIVEN_FIRST} and {GIVEN_SECOND}"), ("second-differs", f"{GIVEN_FIRST} or {GIVEN_SHARED}"), ("other", "true"),
    ), _of("first", given_level, lambda world: world.nicknames), personal=True, rare=frozenset({"same"})),
    Trait("dob", both("dob"), (
        ("same-estimated", "length(dob_l) = 10 and dob_l = dob_r and dob_l like '%-01-01'"),
        ("same", "length(dob_l) = 10 and dob_l = dob_r"),
        ("exchanged", f"{WHOLE} and {DAYS} and dob_l[1:4] = dob_r[1:4] and dob_l[6:7] = dob_r[9:10] and dob_l[9:10] = dob_r[6:7]"),
        ("year-off", f"{WHOLE} and {DAYS} and abs({APART} - {YEAR}) <= 1"),
        ("estimated", f"({WHOLE} and {DAYS} and {NEW_YEAR} and {YEARS} <= 1)"
                      " or (least(length(dob_l), length(dob_r)) < 7 and dob_l[1:4] = dob_r[1:4])"),
        ("day-off", f"{WHOLE} and {DAYS} and not {NEW_YEAR} and ({APART} <= {DAYS_OFF} or dob_l[1:7] = dob_r[1:7])"),
        ("month", f"not {WHOLE} and least(length(dob_l), length(dob_r)) >= 7 and dob_l[1:7] = dob_r[1:7]"), ("other", "true"),
    ), _of("dob", dob_level), personal=True),
    Trait("sex", both("sex"), (("same", "sex_l = sex_r"), ("different", "true")), _of("sex", exact_level), personal=True),
    Trait("country", both("country"), (("same", "country_l = country_r"), ("different", "true")), _of("country", exact_level)),
    Trait("language", both("language"), (
        ("same", "language_l = language_r and not language_common_l"), ("same-common", "language_l = language_r"), ("different", "true"),
    ), _of("language", language_level, lambda world: world.common)),
    Trait("arrival", f"{both('custody')} or {both('entry')} or (custody_l is not null and entry_r is not null)"
                     " or (custody_r is not null and entry_l is not null)", (
        ("same", f"abs(custody_l - custody_r) <= {HANDOVER_HOURS} or entry_l = entry_r"),
        ("near", f"abs(custody_l - custody_r) <= {TRIP_HOURS} or abs(entry_l - entry_r) <= {TRIP_HOURS // 24} or {' or '.join(TRIPS)}"),
        ("other", "true"),
    ), _arrival),
    Trait("release", both("release"), (
        ("same", "abs(release_l - release_r) <= 1"), ("near", f"abs(release_l - release_r) <= {RELEASE_DAYS}"), ("other", "true"),
    ), _of("release", release_level)),
    Trait("place", both("places"), (
        ("same", "list_has_any(places_l, places_r)"), ("building", "list_has_any(buildings_l, buildings_r)"), ("other", "true"),
    ), _place),
    _shared("phone", "phones"),
    _shared("sponsor", "sponsors"),
)  # fmt: skip
NAMES = tuple(trait.name for trait in TRAITS)
BY_NAME = {trait.name: trait for trait in TRAITS}

PROFILE: dict[str, Any] = {
    "number": pl.String, "court": pl.String, "last": pl.String, "first": pl.String, "dob": pl.String, "sex": pl.String,
    "country": pl.String, "language": pl.String, "custody": pl.Int64, "entry": pl.Int64, "release": pl.Int64,
    "places": pl.List(pl.Int64), "buildings": pl.List(pl.Int64), "phones": pl.List(pl.Int64), "sponsors": pl.List(pl.Int64),
}  # fmt: skip
"""The columns of a profile frame, beside ``file``; lists are null where empty."""


@cache
def version() -> str:
    """A hash over every trait, level and its SQL, and how names are folded: a model belongs to what it was trained for."""
    text = repr([(t.name, t.known, t.levels, t.personal, sorted(t.rare)) for t in TRAITS] + [FOLDING])
    return hashlib.sha256(text.encode()).hexdigest()[:16]
