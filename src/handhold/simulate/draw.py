"""Chance: named, seeded streams of random numbers, and columns made of them.

Each part of the nation draws from a stream of its own name, so that a change in one part leaves the others as they were.
"""

import zlib
from collections.abc import Sequence
from datetime import date
from typing import TypeAlias

import numpy as np
import polars as pl
from numpy.typing import NDArray

Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]

NEVER = -(10**6)
"""The day that is no day: written as a blank."""


class Chance:
    """Streams of random numbers for one seed."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def stream(self, name: str) -> np.random.Generator:
        """The stream called ``name``: the same numbers for the same seed, whatever else was drawn."""
        return np.random.Generator(np.random.PCG64([self._seed, zlib.crc32(name.encode())]))


def day(when: date) -> int:
    """Days since 1 January 1970."""
    return (when - date(1970, 1, 1)).days


def happens(rng: np.random.Generator, n: int, share: float | Floats) -> Bools:
    """``n`` times yes or no, yes in ``share`` of them."""
    return rng.random(n) < share


def between(rng: np.random.Generator, n: int, low: int, high: int) -> Ints:
    """``n`` whole numbers from ``low`` to ``high``, both included."""
    return rng.integers(low, high, n, endpoint=True)


def weighted(rng: np.random.Generator, n: int, weights: Sequence[float]) -> Ints:
    """``n`` positions in ``weights``, each as often as its weight says (weights need not add up to one)."""
    bounds = np.cumsum(weights)
    return np.searchsorted(bounds, rng.random(n) * bounds[-1], side="right").astype(np.int64)


def common(rng: np.random.Generator, n: int, size: int) -> Ints:
    """``n`` positions below ``size``, the first ones the commonest (as names are: weight 1 / (rank + 8))."""
    return weighted(rng, n, [1.0 / (rank + 8) for rank in range(size)])


def gather(words: Sequence[str], positions: Ints) -> pl.Series:
    """The words at ``positions``, as a column."""
    return pl.Series(list(words), dtype=pl.String).gather(positions)


def chosen(when: Bools, yes: pl.Series, no: pl.Series | str = "") -> pl.Series:
    """Row by row ``yes`` where ``when``, else ``no``."""
    frame = pl.DataFrame({"w": when, "y": yes})
    return frame.select(pl.when("w").then("y").otherwise(pl.lit(no))).to_series()


def joined(*parts: pl.Series | str) -> pl.Series:
    """The parts put together row by row; a plain text stands in every row."""
    frame = pl.DataFrame({str(i): part for i, part in enumerate(parts) if not isinstance(part, str)})
    texts = [pl.lit(part) if isinstance(part, str) else pl.col(str(i)) for i, part in enumerate(parts)]
    return frame.select(pl.concat_str(texts)).to_series()


def numbered(prefix: str, values: Ints) -> pl.Series:
    """``prefix`` and a number, row by row."""
    return joined(prefix, pl.Series(values).cast(pl.String))


ISO, US, STAMP, MONTH = "%Y-%m-%d", "%m/%d/%Y", "%Y-%m-%d 00:00:00.000", "month"


def _said(when: date, style: str) -> str:
    return f"{when.month}/{when.year}" if style == MONTH else when.strftime(style)


def written(days: Ints, style: str) -> pl.Series:
    """Days as text in ``style`` (``ISO``, ``US``, ``STAMP`` or ``MONTH`` for ``M/YYYY``); ``NEVER`` is blank."""
    never = days < NEVER // 2  # a day counted on from NEVER is none either
    known = days[~never]
    if not len(known):
        return pl.Series([""], dtype=pl.String).gather(np.zeros(len(days), dtype=np.int64))
    low, high = int(known.min()), int(known.max())
    table = [""] + [_said(date.fromordinal(719163 + d), style) for d in range(low, high + 1)]
    return gather(table, np.where(never, 0, days - low + 1))


def written_hours(hours: Ints) -> pl.Series:
    """Hours since 1970 as ``YYYY-MM-DD HH:00``; ``NEVER`` is blank."""
    days = np.where(hours == NEVER, NEVER, hours // 24)
    clock = gather([f" {h:02d}:00" for h in range(24)] + [""], np.where(hours == NEVER, 24, hours % 24))
    return joined(written(days, ISO), clock)


def parts_of(days: Ints) -> tuple[Ints, Ints, Ints]:
    """Year, month and day of the month of ``days``."""
    stamps = days.astype("datetime64[D]")
    months = stamps.astype("datetime64[M]")
    year = stamps.astype("datetime64[Y]").astype(np.int64) + 1970
    return year, months.astype(np.int64) % 12 + 1, (stamps - months).astype(np.int64) + 1


def day_of(year: Ints, month: Ints, number: Ints) -> Ints:
    """The day of a date; a day of the month past the month's end counts on into the next."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + number - 1
