"""How two values of one trait compare, as a named level. Pure; one small function a trait.

These are the Python half of :mod:`handhold.identity.spec`; its SQL says the same, and a test holds the two together.
"""

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from rapidfuzz.distance import DamerauLevenshtein, JaroWinkler

from handhold.identity.names import Name, parts, surnames

DAYS_OFF, YEAR = 10, 365
SHORTENED = 3  # letters of a given name that may stand for the whole
ALIKE_LONG, ALIKE_SHORT = (
    0.91,
    4,
)  # Jaro-Winkler for words longer than so many letters; shorter ones may differ in one
LEADING = frozenset({"", "DE", "DEL", "DELA", "DELOS", "DELAS"})  # written in one with the name after them
PARTICLES = LEADING | {"Y", "LA", "LOS", "LAS"}
HANDOVER_HOURS, TRIP_HOURS, TRIP_DAYS = 24, 96, 10
RELEASE_DAYS = 7
Nicknames = Mapping[str, frozenset[int]]


def exact_level(a: str, b: str) -> str:
    """``same`` or ``different``."""
    return "same" if a == b else "different"


def number_level(a: str, b: str) -> str:
    """Two A-numbers of nine digits: ``same``, ``near`` (one slip of the fingers) or ``different``."""
    if a == b:
        return "same"
    return "near" if DamerauLevenshtein.distance(a, b, score_cutoff=1) == 1 else "different"


def language_level(a: str, b: str, common: frozenset[str]) -> str:
    """Two codes of languages: ``same-common`` for the one that most speak, ``same`` for any other, ``different``."""
    if a != b:
        return "different"
    return "same-common" if a in common else "same"


def words_alike(a: str, b: str, heard_a: str, heard_b: str) -> bool:
    """One word in two spellings: heard the same, or one letter off, or close where the word is long."""
    if a == b or heard_a == heard_b:
        return True
    short = min(len(a), len(b))
    if short >= 2 and DamerauLevenshtein.distance(a, b, score_cutoff=1) == 1:
        return True
    return short > ALIKE_SHORT and JaroWinkler.similarity(a, b) >= ALIKE_LONG


def surname_level(a: str, b: str) -> str:
    """Folded surnames in any order: ``same, same-one, alike, part, part-alike, one-of-two, other``.

    ``same``: also where one has them run together. ``same-one``: each has only one. ``alike``: each word is heard the same
    or nearly. ``part``: one of two is left out; ``part-alike``: the one that is left is spelt otherwise. ``one-of-two``: each
    has two, and only one agrees, or nearly: what half-brothers and strangers share more often than clerks leave it so.
    """
    if a == b:
        return "same" if " " in a else "same-one"
    one, other = surnames(a), surnames(b)
    if one.ordered == other.ordered or one.run in (other.run, other.turned) or one.turned == other.run:
        return "same" if one.second or other.second else "same-one"
    if bool(one.second) == bool(other.second):
        return _whole_names(one, other)
    few, many = (one, other) if not one.second else (other, one)
    if in_one(few.whole, many.first, many.second) or in_one(few.whole, many.second, many.first):
        return "same"
    return _one_left_out(few, many)


def in_one(word: str, first: str, second: str) -> bool:
    """``word`` is both names one after the other, with or without the particles that folding took from them."""
    if not word.endswith(second):
        return False
    rest = word.removesuffix(second)
    return any(
        rest.startswith(particle + first) and rest[len(particle + first) :] in PARTICLES
        for particle in LEADING
    )


def _pairs(one: Name, other: Name) -> tuple[bool, bool, bool, bool]:
    """Whether first and first, second and second, first and second, second and first are alike."""
    return (
        words_alike(one.first, other.first, one.first_heard, other.first_heard),
        words_alike(one.second, other.second, one.second_heard, other.second_heard),
        words_alike(one.first, other.second, one.first_heard, other.second_heard),
        words_alike(one.second, other.first, one.second_heard, other.first_heard),
    )


def _whole_names(one: Name, other: Name) -> str:
    """Two words each, or one each."""
    if not one.second:
        return "alike" if words_alike(one.first, other.first, one.first_heard, other.first_heard) else "other"
    straight, straight_too, crossed, crossed_too = _pairs(one, other)
    if (straight and straight_too) or (crossed and crossed_too):
        return "alike"
    return "one-of-two" if straight or straight_too or crossed or crossed_too else "other"


def _one_left_out(few: Name, many: Name) -> str:
    """One word against two."""
    if runs_alike(few, many):
        return "alike"
    if few.first in (many.first, many.second):
        return "part"
    alike = words_alike(few.first, many.first, few.first_heard, many.first_heard) or words_alike(
        few.first, many.second, few.first_heard, many.second_heard
    )
    return "part-alike" if alike else "other"


def runs_alike(few: Name, many: Name) -> bool:
    """``few`` is the two names of ``many`` run together in either order, heard the same or one letter off."""
    if few.run_heard in (many.run_heard, many.turned_heard):
        return True
    return any(
        DamerauLevenshtein.distance(few.run, whole, score_cutoff=1) == 1 for whole in (many.run, many.turned)
    )


def given_level(a: str, b: str, nicknames: Nicknames) -> str:
    """Folded given names: ``same, part, alike, second-differs, other``. The first one counts most.

    ``part``: one has a name more. ``alike``: the first is shortened, heard the same, nearly spelt so or a loving form,
    and the second does not speak against it; ``second-differs``: it does, or only one of two names agrees.
    """
    if a == b:
        return "same"
    one, other = parts(a), parts(b)
    if one.ordered == other.ordered or one.run == other.run:
        return "same"
    if _holds(one, other) or _holds(other, one):
        return "part"
    first = _first_alike(one, other, nicknames)
    if first and _seconds_agree(one, other):
        return "alike"
    shared = (
        one.first == other.second or one.second == other.first or (one.second and one.second == other.second)
    )
    return "second-differs" if first or shared else "other"


def _holds(few: Name, many: Name) -> bool:
    """``few`` is one name, and one of the two of ``many``."""
    return not few.second and bool(many.second) and few.first in (many.first, many.second)


def _first_alike(one: Name, other: Name, nicknames: Nicknames) -> bool:
    a, b = one.first, other.first
    if min(len(a), len(b)) >= SHORTENED and (a.startswith(b) or b.startswith(a)):
        return True
    if words_alike(a, b, one.first_heard, other.first_heard):
        return True
    return a in nicknames and b in nicknames and not nicknames[a].isdisjoint(nicknames[b])


def _seconds_agree(one: Name, other: Name) -> bool:
    if not one.second or not other.second:
        return True
    a, b = one.second, other.second
    if a.startswith(b) or b.startswith(a):
        return True
    return words_alike(a, b, one.second_heard, other.second_heard)


def dob_level(a: str, b: str) -> str:
    """ISO dates, each to its own precision (``2005``, ``2005-03``, ``2005-03-31``).

    ``same-estimated``: the same 1 January. ``exchanged``: day and month. ``day-off``: up to ten days, or the same month.
    ``year-off``: a year apart, give or take a day. ``month``: one has no day. ``estimated``: one is a 1 January of the
    same year or the next, or a year alone.
    """
    if len(a) < 10 or len(b) < 10:
        return _partial(a, b)
    if a == b:
        return "same-estimated" if a.endswith("-01-01") else "same"
    one, other = day(a), day(b)
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


@lru_cache(20_000)
def day(text: str) -> date | None:
    """A whole date, or ``None`` for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _partial(a: str, b: str) -> str:
    """At least one date lacks its day or month."""
    if min(len(a), len(b)) >= 7:
        return "month" if a[:7] == b[:7] else "other"
    return "estimated" if a[:4] == b[:4] else "other"


def arrival_level(
    custody_a: int | None, entry_a: int | None, custody_b: int | None, entry_b: int | None
) -> str:
    """When the child came, as each side knows it: hours (custody passing to ORR) and days (entry) since 1970.

    ``same``: the same handover, or the same day of entry; ``near``: days apart, or custody within the days after the
    entry that a transfer takes; ``other``; ``unknown`` where the two sides speak of nothing that can be compared.
    """
    hours = None if custody_a is None or custody_b is None else abs(custody_a - custody_b)
    days = None if entry_a is None or entry_b is None else abs(entry_a - entry_b)
    trips = [
        custody // 24 - entry
        for custody, entry in ((custody_a, entry_b), (custody_b, entry_a))
        if custody is not None and entry is not None
    ]
    if (hours is not None and hours <= HANDOVER_HOURS) or days == 0:
        return "same"
    near = (hours is not None and hours <= TRIP_HOURS) or (days is not None and days <= TRIP_HOURS // 24)
    if near or any(0 <= trip <= TRIP_DAYS for trip in trips):
        return "near"
    return "unknown" if hours is None and days is None and not trips else "other"


def release_level(a: int, b: int) -> str:
    """Two days of release: ``same`` (or the next), ``near`` (a week), ``other``."""
    apart = abs(a - b)
    if apart <= 1:
        return "same"
    return "near" if apart <= RELEASE_DAYS else "other"


def shared_level(a: frozenset[int], b: frozenset[int]) -> str:
    """Two sets of blind ids, neither empty: ``same`` where they share one, else ``other``."""
    return "other" if a.isdisjoint(b) else "same"


def place_level(
    places_a: frozenset[int],
    places_b: frozenset[int],
    buildings_a: frozenset[int],
    buildings_b: frozenset[int],
) -> str:
    """Addresses at which each side knew the child: ``same``, ``building`` (another unit), ``other``; ``unknown``."""
    if not places_a or not places_b:
        return "unknown"
    if not places_a.isdisjoint(places_b):
        return "same"
    return "other" if buildings_a.isdisjoint(buildings_b) else "building"
