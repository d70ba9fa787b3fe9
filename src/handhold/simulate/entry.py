"""How officers type: names, births and A-numbers as one agency's file has them, with that agency's share of slips."""

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from .draw import Bools, Chance, Ints, between, chosen, day_of, gather, happens, joined, parts_of, weighted
from .parameters import Rates
from .people import People
from .words import LOVING

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SURNAME_SLIPS = (  # sample: counted by hand among the differences between files
    ("drop", 0.27),
    ("swap", 0.22),
    ("hyphen", 0.19),
    ("run together", 0.04),
    ("letter", 0.17),
    ("sound", 0.11),
)
GIVEN_SLIPS = (("letter", 0.56), ("swap", 0.26), ("short", 0.18))
SOUNDS = tuple(  # written one way, heard another
    (re.compile(written), heard)
    for written, heard in (
        ("Z", "S"), ("V", "B"), ("TZ", "TS"), (r"S\b", "Z"), ("LL", "Y"), (r"Y([AEIOU])", r"LL\1"), (r"\bH([AEIOU])", r"\1"),
        (r"C([EI])", r"S\1"), (r"QU([EI])", r"K\1"), (r"C([AOU])", r"K\1"), (r"G([EI])", r"J\1"), ("X", "SH"), (r"\bJ", "H"), ("HU", "W"),
        ("B", "V"),
    )
)  # fmt: skip
TURNED = 0.3  # of names run together: the second first
AT_HOME = 0.5  # of short given names: the one used at home
BIRTH_SLIPS = (("days", 0.46), ("year", 0.24), ("swap", 0.16), ("january", 0.14))


@dataclass(frozen=True)
class Typed:
    """Children as one agency typed them: ``last``, ``first`` given, ``middle``, both given names, and the birth's day."""

    last: pl.Series
    first: pl.Series
    middle: pl.Series
    given: pl.Series
    born: Ints


def typed(chance: Chance, rates: Rates, agency: str, who: People, error: float) -> Typed:
    """Everybody in ``who`` as ``agency`` typed them; ``error`` multiplies the calibrated share of slips."""
    rng, n = chance.stream(f"typing {agency}"), len(who)
    share = dict(rates.name_error)[agency] * error
    last = _surname(rng, who.names, happens(rng, n, share))
    names = _given(rng, who.names, happens(rng, n, rates.given_error * error))
    plain = ~happens(rng, n, dict(rates.keeps_accents)[agency])
    first, middle = _plain(names["g1"], plain), _plain(names["g2"], plain)
    given = joined(first, " ", middle).str.strip_chars_end()
    born = _birth(rng, who.born, happens(rng, n, rates.birth_error * error))
    return Typed(_plain(last, plain), first, middle, given, born)


def _plain(names: pl.Series, when: Bools) -> pl.Series:
    return chosen(when, names.str.replace_all("Ñ", "N"), names)


def _slips(rng: np.random.Generator, wrong: Bools, kinds: tuple[tuple[str, float], ...]) -> pl.Series:
    drawn = weighted(rng, len(wrong), [share for _, share in kinds])
    return gather(["", *(kind for kind, _ in kinds)], np.where(wrong, drawn + 1, 0))


def _letter(rng: np.random.Generator, n: int, name: str) -> pl.Expr:
    """The column ``name`` with one letter left out or struck wrong (where the word has three letters or more)."""
    where = pl.lit(pl.Series(rng.random(n)))
    at = (where * pl.col(name).str.len_chars()).floor().cast(pl.Int64)
    struck = gather(["", *LETTERS], np.where(happens(rng, n, 0.55), 0, between(rng, n, 1, 26)))
    changed = pl.concat_str(pl.col(name).str.slice(0, at), pl.lit(struck), pl.col(name).str.slice(at + 1))
    return pl.when(pl.col(name).str.len_chars() > 2).then(changed).otherwise(name)


def _sounded(name: str, turn: int) -> str:
    """A name as it is written by ear: one sound another way, the first of the pairs from ``turn`` on that it has."""
    for pattern, heard in (*SOUNDS[turn:], *SOUNDS[:turn]):
        written = pattern.sub(heard, name)
        if written != name:
            return written
    return name


def _surname(rng: np.random.Generator, names: pl.DataFrame, wrong: Bools) -> pl.Series:
    """Both surnames as typed, with a slip where ``wrong``."""
    frame = names.select("s1", "s2").with_columns(slip=_slips(rng, wrong, SURNAME_SLIPS))
    right = pl.concat_str("s1", pl.lit(" "), "s2").str.strip_chars_end()
    slipped = frame.with_columns(row=pl.int_range(pl.len())).filter(pl.col("slip") != "")
    two, slip, many = pl.col("s2") != "", pl.col("slip"), len(slipped)
    letter = _letter(rng, many, "s1")
    turned = two & pl.Series(happens(rng, many, TURNED))
    turns = rng.integers(0, len(SOUNDS), many)
    by_ear = pl.Series(
        [_sounded(n, t) for n, t in zip(slipped.select(right).to_series(), turns, strict=True)],
        dtype=pl.String,
    )
    with_particle = pl.col("s1").str.contains(" ", literal=True)
    fixed = slipped.select(
        "row",
        name=pl.when(two & (slip == "drop"))
        .then("s1")
        .when(two & (slip == "swap"))
        .then(pl.concat_str("s2", pl.lit(" "), "s1"))
        .when(two & (slip == "hyphen"))
        .then(pl.concat_str("s1", pl.lit("-"), "s2"))
        .when((slip == "run together") & with_particle)
        .then(
            pl.concat_str(
                pl.col("s1").str.replace_all(" ", "", literal=True), pl.lit(" "), "s2"
            ).str.strip_chars_end()
        )
        .when((slip == "run together") & turned)
        .then(pl.concat_str("s2", "s1").str.replace_all(" ", "", literal=True))
        .when(two & (slip == "run together"))
        .then(pl.concat_str("s1", "s2").str.replace_all(" ", "", literal=True))
        .when(slip == "sound")
        .then(by_ear)
        .otherwise(pl.concat_str(letter, pl.lit(" "), "s2").str.strip_chars_end()),
    )
    return frame.select(right.alias("name"))["name"].scatter(fixed["row"], fixed["name"])


def _given(rng: np.random.Generator, names: pl.DataFrame, wrong: Bools) -> pl.DataFrame:
    """The given names ``g1`` and ``g2`` as typed, with a slip where ``wrong``."""
    frame = names.select("g1", "g2").with_columns(slip=_slips(rng, wrong, GIVEN_SLIPS))
    swapped = (pl.col("slip") == "swap") & (pl.col("g2") != "")
    short = (pl.col("slip") == "short") & (pl.col("g1").str.len_chars() > 5)
    loving = pl.col("g1").replace_strict(LOVING, default=None)
    at_home = (
        (pl.col("slip") == "short") & pl.Series(happens(rng, len(frame), AT_HOME)) & loving.is_not_null()
    )
    first = _letter(rng, len(frame), "g1")
    return frame.select(
        g1=pl.when(swapped)
        .then("g2")
        .when(at_home)
        .then(loving)
        .when(short)
        .then(pl.col("g1").str.slice(0, 4))
        .when(pl.col("slip") == "letter")
        .then(first)
        .otherwise("g1"),
        g2=pl.when(swapped).then("g1").otherwise("g2"),
    )


def _birth(rng: np.random.Generator, born: Ints, wrong: Bools) -> Ints:
    """Births as typed: some days off, a year off, day and month changed over, or 1 January."""
    n = len(born)
    slip = np.where(wrong, weighted(rng, n, [share for _, share in BIRTH_SLIPS]), -1)
    year, month, number = parts_of(born)
    off = between(rng, n, 1, 8) * np.where(happens(rng, n, 0.5), 1, -1)
    sign = np.where(happens(rng, n, 0.5), 1, -1)
    low = number <= 12
    changed = day_of(year, np.where(low, number, month), np.where(low, month, number))
    choices = [
        born + off,
        day_of(year + sign, month, number),
        changed,
        day_of(year, np.ones_like(year), np.ones_like(year)),
    ]
    return np.select([slip == i for i in range(4)], choices, born)


def numbers(
    chance: Chance, rates: Rates, agency: str, who: People, error: float, *, siblings: bool = False
) -> Ints:
    """The A-number that ``agency`` has for everybody: a second one, a mistyped one, or (``siblings``) a sibling's.

    A mistyped number never is one that somebody else was given.
    """
    rng, n = chance.stream(f"numbers {agency}"), len(who)
    desk = chance.stream("second number " + ("court" if agency in ("EOIR", "OPLA") else agency))
    other = (who.second > 0) & happens(desk, n, rates.second_number_used)
    number = np.where(other, who.second, who.number)
    place = 10 ** between(rng, n, 1, 5)
    digit = number // place % 10
    slipped = number + place * np.where(digit == 9, -1, 1)
    wrong = happens(rng, n, rates.number_mistyped * error) & ~np.isin(
        slipped, np.concatenate((who.number, who.second))
    )
    number = np.where(wrong & ~other, slipped, number)
    if not siblings:
        return number
    beside = np.where(who.ordinal > 0, who.number[np.maximum(np.arange(n) - 1, 0)], who.number)
    keyed = (who.ordinal > 0) & ~other & happens(rng, n, _of_siblings(rates, who, error))
    return np.where(keyed, beside, number)


def _of_siblings(rates: Rates, who: People, error: float) -> float:
    """The share among younger siblings that gives the calibrated share among all children."""
    younger = max(float((who.ordinal > 0).mean()), 1e-9)
    return min(rates.sibling_number * error / younger, 0.2)


def formatted(rng: np.random.Generator, number: Ints, blank: Bools | None = None) -> pl.Series:
    """A-numbers in the four ways they are typed, each a quarter; blank where ``blank``."""
    digits = pl.Series(number).cast(pl.String).str.zfill(9)
    frame = pl.DataFrame({"d": digits, "w": between(rng, len(number), 0, 3)})
    a, b, c = (pl.col("d").str.slice(i, 3) for i in (0, 3, 6))
    written = (
        pl.when(pl.col("w") == 0)
        .then("d")
        .when(pl.col("w") == 1)
        .then(pl.lit("A") + pl.col("d"))
        .when(pl.col("w") == 2)
        .then(pl.concat_str(a, b, c, separator="-"))
        .otherwise(pl.concat_str(pl.lit("A"), a, b, c, separator=" "))
    )
    text = frame.select(written.alias("t"))["t"]
    return text if blank is None else chosen(~blank, text)


def key(number: Ints) -> pl.Series:
    """A-numbers as nine digits, the way a file is named by its number."""
    return pl.Series(number).cast(pl.String).str.zfill(9)
