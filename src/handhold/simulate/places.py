"""Addresses: real towns and ZIP codes, drawn streets and numbers; and how an address goes bad."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from .draw import Bools, Chance, Ints, between, chosen, gather, happens, joined, numbered, weighted
from .parameters import Rates
from .words import PLACES, STREETS

_TOWNS = [(city, state, code, court) for city, state, codes, court, _ in PLACES for code in codes.split()]
_WEIGHTS = [weight / len(codes.split()) for _, _, codes, _, weight in PLACES for _ in codes.split()]
COURTS = sorted({court for *_, court, _ in PLACES})


@dataclass(frozen=True)
class Addresses:
    """Addresses, one position each: ``text`` has the columns ``line unit city state zip``; ``court`` the nearest court."""

    text: pl.DataFrame
    court: pl.Series

    def of(self, positions: Ints) -> "Addresses":
        """The addresses at ``positions``."""
        return Addresses(self.text[positions], self.court.gather(positions))


def addresses(chance: Chance, rates: Rates, name: str, n: int) -> Addresses:
    """``n`` well-formed addresses from the stream ``name``."""
    rng = chance.stream(name)
    town = weighted(rng, n, _WEIGHTS)
    line = joined(
        pl.Series(between(rng, n, 100, 8999)).cast(pl.String),
        " ",
        gather(STREETS, between(rng, n, 0, len(STREETS) - 1)),
    )
    flat = numbered("APT ", between(rng, n, 1, 412))
    text = pl.DataFrame(
        {
            "line": line,
            "unit": chosen(happens(rng, n, rates.unit), flat),
            **{key: gather([t[i] for t in _TOWNS], town) for i, key in enumerate(("city", "state", "zip"))},
        }
    )
    return Addresses(text, gather([t[3] for t in _TOWNS], town))


def spoilt(chance: Chance, rates: Rates, text: pl.DataFrame, may: Bools) -> pl.DataFrame:
    """The addresses with a calibrated share of those that ``may`` be bad made so: blank, undeliverable, no unit."""
    rng, n = chance.stream("bad addresses"), len(text)
    bad = may & happens(rng, n, rates.bad_address)
    rest = 1 - rates.bad_blank - rates.bad_undeliverable
    how = weighted(rng, n, [rates.bad_blank, rates.bad_undeliverable, rest])
    shape = weighted(rng, n, [0.36, 0.38, 0.21, 0.05])  # sample
    undeliverable = bad & (how == 1)
    marks = pl.DataFrame(
        {
            "blank": bad & (how == 0),
            "unknown": undeliverable & (shape == 0),
            "general": undeliverable & (shape == 1),
            "zipless": undeliverable & (shape == 2),
            "numberless": undeliverable & (shape == 3),
            "flatless": bad & (how == 2),
        }
    )
    return _spoilt(text, marks)


def _spoilt(text: pl.DataFrame, marks: pl.DataFrame) -> pl.DataFrame:
    line, blank = pl.col("line"), pl.lit("")
    spoilt = pl.concat([text, marks], how="horizontal").with_columns(
        line=pl.when("unknown")
        .then(pl.lit("ADDRESS UNKNOWN"))
        .when("general")
        .then(pl.lit("GENERAL DELIVERY"))
        .when("numberless")
        .then(line.str.replace(r"^\d+ ", ""))
        .when("flatless")
        .then(line + " APT")
        .otherwise(line),
        unit=pl.when("flatless").then(blank).otherwise("unit"),
        zip=pl.when("zipless").then(pl.lit("00000")).otherwise("zip"),
    )
    return spoilt.select(pl.when("blank").then(blank).otherwise(name).alias(name) for name in text.columns)


def blanked(text: pl.DataFrame, when: Bools) -> pl.DataFrame:
    """The addresses, wholly blank where ``when``."""
    mark = pl.Series(when)
    return text.select(pl.when(mark).then(pl.lit("")).otherwise(name).alias(name) for name in text.columns)


def replaced(text: pl.DataFrame, at: Ints, by: pl.DataFrame) -> pl.DataFrame:
    """The addresses with those at the positions ``at`` taken from ``by``, row by row."""
    source = np.arange(len(text), dtype=np.int64)
    source[at] = len(text) + np.arange(len(at), dtype=np.int64)
    return pl.concat([text, by])[source]
