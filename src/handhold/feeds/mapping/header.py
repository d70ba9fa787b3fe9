"""Where a sheet's header stands, what its columns are called, and where its rows end. Pure.

Titles, notes and blank lines may stand above; a header may take two rows; the last lines may be totals.
"""

import re
from dataclasses import dataclass

import polars as pl

from handhold.feeds.mapping.text import Mapping, MappingError
from handhold.feeds.reading.columns import A_NUMBER, ISO, MONTH, US
from handhold.feeds.reading.table import same_name

SEARCHED = 30  # rows in which a header may stand
DATA = re.compile("|".join(f"(?:{one})" for one in (A_NUMBER, ISO, US, MONTH, r"^[\d.,$%+\-/() ]+$")))
LONGEST = 60  # letters of a column's name; longer is a sentence
SHOWN = 8


class NoLongerFits(MappingError):
    """A sheet whose header is not the one a person confirmed: the message says what differs, and nothing is guessed."""


@dataclass(frozen=True)
class Header:
    """``row``: where it begins (from 0); ``rows``: 1 or 2; ``names``: by column of the sheet, blank where a column has none."""

    row: int
    rows: int
    names: tuple[str, ...]

    @property
    def begin(self) -> int:
        """The first row below it."""
        return self.row + self.rows

    def named(self) -> dict[str, int]:
        """Column names with their place, in the sheet's order; a name that stands twice is told apart by its number."""
        return {name: at for at, name in enumerate(self.names) if name}


def _tally(row: tuple[str | None, ...]) -> tuple[int, int]:
    """How many different cells of a row look like names of columns, and how many like data."""
    filled = {cell for cell in row if cell}
    data = sum(bool(DATA.match(cell)) for cell in filled)
    return sum(len(cell) <= LONGEST and not DATA.match(cell) for cell in filled), data


def find(cells: pl.DataFrame) -> Header | None:
    """The likeliest header: the row among the first with the most names and no data, above a row of something."""
    rows = cells.head(SEARCHED + 2).rows()
    tallies = [_tally(row) for row in rows]
    best: tuple[int, int] | None = None
    for at, (names, data) in enumerate(tallies[:SEARCHED]):
        if names < min(2, cells.width) or data or at + 1 >= len(rows):
            continue
        if best is None or names > best[0]:
            best = (names, at)
    if best is None:
        return None
    at = _first_of_two(rows, tallies, best[1])
    return _header(rows, at, 2 if _two(rows, tallies, at) else 1)


def _first_of_two(rows: list[tuple[str | None, ...]], tallies: list[tuple[int, int]], at: int) -> int:
    """The row above, where it is the upper half of the header (merged cells stand there twice)."""
    return at - 1 if at and _two(rows, tallies, at - 1) and tallies[at - 1][0] >= 2 else at


def _two(rows: list[tuple[str | None, ...]], tallies: list[tuple[int, int]], at: int) -> bool:
    """Whether row ``at`` and the next are one header: the next holds names only, tells apart or completes what stands above,
    and data follows."""
    if at + 2 >= len(rows) or not tallies[at + 1][0] or tallies[at + 1][1] or not tallies[at + 2][1]:
        return False
    upper, lower = rows[at], rows[at + 1]
    said = [cell for cell in upper if cell]
    pairs = list(zip(upper, lower, (*upper[1:], "-"), strict=True))
    spans = [up and low and up != low and (said.count(up) > 1 or after is None) for up, low, after in pairs]
    alone = any(up and (not low or low == up) for up, low, _ in pairs)
    stray = any(
        up and low and up != low and not span for (up, low, _), span in zip(pairs, spans, strict=True)
    )
    # A title above a whole header has names under all it says; the upper half of a header has some of its own.
    return any(spans) and not stray and (alone or len(set(said)) < len(said))


def _header(rows: list[tuple[str | None, ...]], at: int, count: int) -> Header:
    upper = rows[at]
    lower = rows[at + 1] if count == 2 and at + 1 < len(rows) else (None,) * len(upper)
    names: list[str] = []
    seen: dict[str, int] = {}
    for up, low in zip(upper, lower, strict=True):
        name = " ".join(dict.fromkeys(re.sub(r"\s+", " ", part).strip() for part in (up, low) if part))
        key = same_name(name)
        seen[key] = seen.get(key, 0) + 1
        names.append(f"{name} ({seen[key]})" if name and seen[key] > 1 else name)
    return Header(at, count, tuple(names))


def find_known(cells: pl.DataFrame, said: Mapping) -> Header:
    """The header that a mapping was confirmed for, wherever it stands now; columns may have changed places.

    Raises :class:`NoLongerFits` with what differs.
    """
    rows = cells.head(SEARCHED + 2).rows()
    wanted = {same_name(name) for name in said.header}
    nearest: Header | None = None
    for at in range(min(SEARCHED, len(rows))):
        found = _header(rows, at, said.header_rows)
        has = {same_name(name) for name in found.names if name}
        if has == wanted:
            own = {same_name(name): name for name in said.header}
            return Header(at, said.header_rows, tuple(own.get(same_name(name), "") for name in found.names))
        if nearest is None or len(has & wanted) > len({same_name(n) for n in nearest.names} & wanted):
            nearest = found
    raise NoLongerFits(_differs(said, nearest))


def _differs(said: Mapping, found: Header | None) -> str:
    has = {same_name(name): name for name in found.names if name} if found else {}
    had = {same_name(name): name for name in said.header}
    common = has.keys() & had.keys()
    again = "look at it under To be mapped and confirm a new version"
    if not common:
        return f"this no longer fits mapping {said.name}: no row of the first {SEARCHED} has any of its columns; {again}"
    gone = [had[key] for key in had if key not in has]
    new = [has[key] for key in has if key not in had and looks_like_name(has[key])]
    other = sum(key not in had for key in has) - len(new)
    parts = [
        f"gone: {', '.join(gone[:SHOWN])}" if gone else "",
        f"new: {', '.join(new[:SHOWN])}" if new else "",
        f"{other} cells where a name should stand" if other else "",
    ]
    return f"this no longer fits mapping {said.name}; {'; '.join(part for part in parts if part)}; {again}"


def looks_like_name(text: str) -> bool:
    """Whether a cell may be repeated as a column's name: a sheet without a header begins with somebody's data."""
    return len(text) <= LONGEST and not DATA.match(text) and "," not in text


def below(cells: pl.DataFrame, header: Header) -> pl.DataFrame:
    """The rows under the header with the names of their columns, and ``line`` (the sheet's own row number); blank rows are no rows."""
    rows = cells.with_row_index("line", offset=1).slice(header.begin)
    named = rows.select(
        pl.col("line").cast(pl.Int32), *(pl.col(f"c{at}").alias(name) for name, at in header.named().items())
    )
    return named.filter(pl.any_horizontal(pl.exclude("line").is_not_null()))


def nameless(cells: pl.DataFrame, header: Header) -> int:
    """How many columns hold something below the header and have no name."""
    rows = cells.slice(header.begin)
    return sum(not name and rows[f"c{at}"].null_count() < len(rows) for at, name in enumerate(header.names))


def total_pattern(words: list[str]) -> str:
    """What a cell of a total line begins with."""
    return rf"(?i)^\W*(?:{'|'.join(re.escape(word) for word in words)})\b"


def totals(rows: pl.DataFrame, key: pl.Series, words: list[str]) -> pl.Series:
    """Which rows at the end are a total line: some cell begins with one of the ``words``, and the key is none.

    ``key``: for each row whether its key can be a key. A total in the middle is a row like any other, and quarantined.
    """
    said = (
        rows.select(
            pl.any_horizontal(pl.exclude("line").str.contains(total_pattern(words)).fill_null(False))
        ).to_series()
        & ~key
    )
    last = (~said).arg_true()
    after = int(last[-1]) + 1 if len(last) else 0
    return pl.Series("total", [at >= after for at in range(len(rows))], pl.Boolean)


def repeated(rows: pl.DataFrame, names: list[str]) -> pl.Series:
    """Which rows are the header once more, as on each page of a printed list."""
    same = [pl.col(name).str.to_lowercase() == name.lower() for name in names]
    return rows.select(pl.all_horizontal(same).fill_null(False).alias("again")).to_series()
