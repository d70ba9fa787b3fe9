"""Who the children are: families, names, births, countries, numbers."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from .draw import NEVER, Bools, Chance, Ints, between, common, day_of, gather, happens, parts_of, weighted
from .parameters import Rates
from .words import COUNTRIES, MAYA_LANGUAGES, REGIONS, SPANISH_ENYE

NUMBERS_FROM = 200_000_000
NUMBERS = 12_400_000
"""So many first A-numbers, four apart, leaving room for siblings between."""
SECOND_FROM = 249_600_000
SECONDS = 10_000_000
LANGUAGES = [language for *_, language in COUNTRIES] + [language for language, _ in MAYA_LANGUAGES]


@dataclass(frozen=True)
class People:
    """The children, one position each; siblings stand beside one another.

    ``family`` is the position of the family's first child, ``ordinal`` the place among the siblings; days are days since
    1970; ``names`` has the columns ``s1 s2 g1 g2`` (two surnames, two given names, blank where there is none).
    """

    family: Ints
    ordinal: Ints
    country: Ints
    region: Ints
    language: Ints
    male: Bools
    determined: Ints
    born: Ints
    names: pl.DataFrame
    number: Ints
    second: Ints  # a second A-number, 0 for none

    def __len__(self) -> int:
        return len(self.family)


def people(chance: Chance, rates: Rates, n: int, start: int, until: int) -> People:
    """``n`` children determined to be unaccompanied between the days ``start`` and ``until``."""
    family, ordinal = _families(chance, rates, n)
    country = weighted(chance.stream("country"), n, [share for *_, share, _, _ in COUNTRIES])[family]
    region, language = _regions(chance, rates, country, family)
    male = happens(chance.stream("sex"), n, rates.male)
    determined = _determined(chance, rates, n, start, until, family, ordinal)
    born = _born(chance, rates, determined, family, ordinal)
    names = _names(chance, rates, family, ordinal, region, male)
    number = _numbers(chance, rates, family, ordinal)
    second = _seconds(chance, rates, n)
    return People(family, ordinal, country, region, language, male, determined, born, names, number, second)


def _families(chance: Chance, rates: Rates, n: int) -> tuple[Ints, Ints]:
    alone = 1 - rates.sibling_pairs - rates.sibling_threes
    shares = [alone, rates.sibling_pairs / 2, rates.sibling_threes / 3]
    sizes = weighted(chance.stream("families"), n, shares) + 1
    first = np.concatenate(([0], np.cumsum(sizes)[:-1]))
    family = np.repeat(first, sizes)[:n].astype(np.int64)
    return family, np.arange(n, dtype=np.int64) - family


def _regions(chance: Chance, rates: Rates, country: Ints, family: Ints) -> tuple[Ints, Ints]:
    rng, n = chance.stream("region"), len(country)
    region = np.array([r for *_, r, _ in COUNTRIES], dtype=np.int64)[country]
    maya = (country == 0) & happens(rng, n, rates.maya)[family]
    tongue = len(COUNTRIES) + weighted(rng, n, [share for _, share in MAYA_LANGUAGES])[family]
    told = maya & happens(rng, n, rates.language_of_home)
    return np.where(maya, 1, region), np.where(told, tongue, country)


def _determined(
    chance: Chance, rates: Rates, n: int, start: int, until: int, family: Ints, ordinal: Ints
) -> Ints:
    """The day of each child's determination; siblings come the same day or the next."""
    rng = chance.stream("determined")
    room = max(until - start, 1)
    years = [share * max(min(room - 365 * i, 365), 0) / 365 for i, share in enumerate(rates.fiscal_years)]
    year = weighted(rng, n, years)
    found = start + 365 * year + (rng.random(n) * np.minimum(room - 365 * year, 365)).astype(np.int64)
    return np.minimum(found[family] + (ordinal > 0) * between(rng, n, 0, 1), until - 1)


def _born(chance: Chance, rates: Rates, determined: Ints, family: Ints, ordinal: Ints) -> Ints:
    rng, n = chance.stream("born"), len(determined)
    band = weighted(rng, n, [share for *_, share in rates.ages])
    low = np.array([first for first, *_ in rates.ages])[band]
    high = np.array([last for _, last, _ in rates.ages])[band]
    age = low + (rng.random(n) * (high - low + 1)).astype(np.int64)
    year, month, number = parts_of(determined)
    born = day_of(year - age, month, np.minimum(number, 28)) - 2 - (rng.random(n) * 360).astype(np.int64)
    guessed = happens(rng, n, rates.first_january)
    born_year, _, _ = parts_of(born)
    born = np.where(guessed, day_of(born_year, np.ones_like(born), np.ones_like(born)), born)
    born = np.maximum(born, day_of(year - 18, month, np.minimum(number, 28)) + 9)
    twin = (ordinal == 1) & happens(rng, n, rates.twins)
    return np.where(twin, born[family], born)


def _names(
    chance: Chance, rates: Rates, family: Ints, ordinal: Ints, region: Ints, male: Bools
) -> pl.DataFrame:
    rng = chance.stream("names")
    first = _surnames(rng, rates, region, family)
    single = (region >= 3) | happens(rng, len(family), rates.single_surname)[family]
    second = _surnames(rng, rates, region, family)
    given = _given(rng, region, male, family, ordinal)
    more = _given(rng, region, male, family, ordinal)
    two = happens(rng, len(family), rates.second_given) & (given != more)
    columns = pl.DataFrame({"s1": _word(first), "s2": _word(second), "g1": _word(given), "g2": _word(more)})
    return columns.with_columns(
        s2=pl.when(pl.Series(single)).then(pl.lit("")).otherwise("s2"),
        g2=pl.when(pl.Series(two)).then("g2").otherwise(pl.lit("")),
    )


def _pools() -> tuple[list[str], dict[tuple[str, int], tuple[int, int]]]:
    """All names in one list, and where each pool begins in it and how long it is."""
    words: list[str] = []
    found: dict[tuple[str, int], tuple[int, int]] = {}
    for at, region in enumerate(REGIONS):
        for kind, pool in (("surname", region.surnames), ("male", region.male), ("female", region.female)):
            found[kind, at] = (len(words), len(pool))
            words += pool
    found["enye", 0] = (len(words), len(SPANISH_ENYE))
    return words + SPANISH_ENYE, found


_WORDS, _POOLS = _pools()


def _word(positions: Ints) -> pl.Series:
    return gather(_WORDS, positions)


def _from(rng: np.random.Generator, kind: str, region: int, n: int) -> Ints:
    begin, size = _POOLS[kind, region]
    return begin + common(rng, n, size)


def _surnames(rng: np.random.Generator, rates: Rates, region: Ints, family: Ints) -> Ints:
    """One surname a family, from its region's pool; every tenth Maya surname is a Spanish one."""
    n = len(family)
    pool = np.where((region == 1) & happens(rng, n, 0.1)[family], 0, region)
    found = np.select(
        [pool == r for r in range(len(REGIONS))], [_from(rng, "surname", r, n) for r in range(len(REGIONS))]
    )
    enye = (pool == 0) & happens(rng, n, rates.enye)[family]
    return np.where(enye, _from(rng, "enye", 0, n), found)[family]


def _given(rng: np.random.Generator, region: Ints, male: Bools, family: Ints, ordinal: Ints) -> Ints:
    """A given name a child; a sibling who drew the eldest's name takes a neighbouring one."""
    n = len(region)
    where = [(region == r) & (male == boy) for r in range(len(REGIONS)) for boy in (True, False)]
    kinds = [(r, kind) for r in range(len(REGIONS)) for kind in ("male", "female")]
    found = np.select(where, [_from(rng, kind, r, n) for r, kind in kinds])
    begin = np.select(where, [_POOLS[kind, r][0] for r, kind in kinds])
    size = np.select(where, [_POOLS[kind, r][1] for r, kind in kinds])
    again = (ordinal > 0) & (found == found[family])
    return np.where(again, begin + (found - begin + ordinal) % size, found)


def _numbers(chance: Chance, rates: Rates, family: Ints, ordinal: Ints) -> Ints:
    """A-numbers: every one its own; siblings' often follow one another."""
    rng, n = chance.stream("numbers"), len(family)
    own = NUMBERS_FROM + 4 * rng.choice(NUMBERS, n, replace=False)
    together = happens(rng, n, rates.siblings_numbered_together)[family]
    return np.where(together, own[family] + ordinal, own)


def _seconds(chance: Chance, rates: Rates, n: int) -> Ints:
    rng = chance.stream("second numbers")
    number = SECOND_FROM + rng.choice(SECONDS, n, replace=False)
    return np.where(happens(rng, n, rates.two_numbers), number, 0)


def eighteenth(born: Ints) -> Ints:
    """The day of the 18th birthday (1 March for those born on 29 February)."""
    year, month, number = parts_of(born)
    return np.where(born == NEVER, NEVER, day_of(year + 18, month, number))
