"""Numbers of cases and proceedings as integers, and what is known of them: sorted columns that are asked a batch at a time.

A dump has millions of cases; as text they fill gigabytes. A number takes eight bytes, and to look a batch up in a sorted
column costs no hash table of the whole. Pure.
"""

from dataclasses import dataclass, field

import numpy as np
import polars as pl

NONE = np.zeros(0, np.int64)


def compact(cells: pl.Series) -> pl.Series:
    """Text as Int64: a number as it is, any other text (a leading zero, letters) as a negative number of its own.

    Different texts stay different, but for a chance of one in 2^63; null stays null.
    """
    number = cells.cast(pl.Int64, strict=False)
    plain = (number.cast(pl.String) == cells).fill_null(False) & (number >= 0).fill_null(False)
    if (plain | cells.is_null()).all():
        return number
    odd = -halved(cells.hash(0)) - 1
    return pl.DataFrame({"n": number, "odd": odd, "plain": plain, "text": cells}).select(
        pl.when("plain").then("n").when(pl.col("text").is_not_null()).then("odd").alias(cells.name)
    )[cells.name]


def halved(hashes: pl.Series) -> pl.Series:
    """Unsigned hashes as Int64, never negative."""
    return pl.Series(hashes.to_numpy() >> np.uint64(1)).cast(pl.Int64)


@dataclass
class Known:
    """A set of numbers that grows by whole columns."""

    numbers: np.ndarray = field(default_factory=lambda: NONE)

    @classmethod
    def of(cls, *columns: pl.Series | np.ndarray) -> "Known":
        """The numbers of these columns; null is none."""
        return cls(np.unique(np.concatenate([NONE, *map(_array, columns)])))

    def __len__(self) -> int:
        return len(self.numbers)

    def has(self, asked: pl.Series | np.ndarray) -> np.ndarray:
        """Which of ``asked`` are among them; null is not."""
        if not isinstance(asked, np.ndarray):
            blank = asked.is_null().to_numpy()
            return self.has(asked.fill_null(0).to_numpy()) & ~blank
        if not len(self.numbers):
            return np.zeros(len(asked), bool)
        at = np.searchsorted(self.numbers, asked)
        return self.numbers[np.minimum(at, len(self.numbers) - 1)] == asked

    def add(self, column: pl.Series | np.ndarray) -> None:
        """Know these, too."""
        new = np.unique(_array(column))
        new = new[~self.has(new)]
        if len(new):
            self.numbers = np.sort(np.concatenate([self.numbers, new]), kind="stable")


def _array(column: pl.Series | np.ndarray) -> np.ndarray:
    return column if isinstance(column, np.ndarray) else column.drop_nulls().to_numpy()


@dataclass
class Facts:
    """A small table sorted by its column ``n``: of a batch's numbers only the rows that speak of them are handed out."""

    rows: pl.DataFrame

    @classmethod
    def of(cls, rows: pl.DataFrame) -> "Facts":
        """``rows`` with an Int64 column ``n``, in any order."""
        return cls(rows.drop_nulls("n").sort("n"))

    def about(self, asked: pl.Series) -> pl.DataFrame:
        """The rows of these numbers."""
        if not len(self.rows):
            return self.rows
        numbers, wanted = self.rows["n"].to_numpy(), np.unique(_array(asked))
        first, end = np.searchsorted(numbers, wanted), np.searchsorted(numbers, wanted, "right")
        many = end - first
        before = np.cumsum(many) - many
        return self.rows[np.repeat(first - before, many) + np.arange(int(many.sum()))]
