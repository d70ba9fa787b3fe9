"""Rows of an unquoted file with a tab too many: shifted back where exactly one position makes the row valid.

What is valid is decided by the layout alone: the types of its columns, its code lists, and the columns that stand
filled only together (``together``). Where that leaves several positions, those count in which every cell has its usual
shape (``shapes``, ``usual``). The tab may also have come into the middle of a cell. Such a position counts, so that
no other is taken for the only one, but the cell is not put together again: a blank may have stood there.
"""

import numpy as np
import polars as pl

from handhold.feeds.layout import Column, Layout
from handhold.feeds.reading import table

DOUBLE = 100  # rows of a piece with two tabs too many that are tried: of those each pair of positions is
AT_ONCE = 20_000  # rows tried together: a hostile file of nothing but shifted rows stays within memory

EXACT_DATE = (
    r"^\d{4}-\d{1,2}-\d{1,2}(?:[ T]\d{1,2}:\d{2}(?::\d{2}(?:\.\d{3})?)?)?$|^\d{1,2}/\d{4}$"
    r"|^\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})(?: \d{1,2}:\d{2}(?::\d{2})?(?: ?[AaPp][Mm])?)?$"
)

Row = tuple[int, list[str]]


def _numbers(layout: Layout) -> list[str]:
    return [c.name for c in layout.columns.values() if c.type == "idn" and c.needed]


def _no_number(key: str) -> pl.Expr:
    return ~pl.col(key).str.contains(table.PATTERNS["idn"]).fill_null(False)


def _surely_number(key: str) -> pl.Expr:
    plain = pl.col(key).str.len_bytes() <= 18
    return pl.col(key).cast(pl.UInt64, strict=False).is_not_null() & plain & ~pl.col(key).str.starts_with("+")


def keyed(rows: pl.DataFrame, layout: Layout) -> pl.Series:
    """Which rows have a number in every column that must hold one: key and file."""
    numbers = [key for key in _numbers(layout) if key in rows.columns]
    # Nearly always all are; what is read as one is one, and faster than a pattern (a sign would be read too, so must not be).
    if rows.select(pl.all_horizontal(pl.lit(True), *(_surely_number(key).all() for key in numbers))).item():
        return pl.repeat(True, len(rows), eager=True)
    return rows.select(
        ok=~pl.any_horizontal(_no_number(key) for key in numbers) if numbers else pl.lit(True)
    )["ok"]


def keyless(rows: pl.DataFrame, layout: Layout) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows whose key or file is no number are quarantined at once: nothing could say whose they are."""
    good = keyed(rows, layout)
    if good.all():
        return rows, table.empty_problems()
    keys = _numbers(layout)
    bad = rows.filter(~good).with_columns(
        column=pl.coalesce(pl.when(_no_number(key)).then(pl.lit(key)) for key in keys)
    )
    told = bad.select(
        "line", "column", value=pl.coalesce(pl.when(pl.col("column") == key).then(pl.col(key)) for key in keys),
        why=pl.format("{}: is no number, so nothing says whose row this is; send it corrected", "column"),
        row=table.whole_row(layout), key=pl.lit(None, pl.String),
    )  # fmt: skip
    return rows.filter(good), told.cast(table.PROBLEM)  # type: ignore[arg-type]


def repaired(odd: list[Row], layout: Layout) -> tuple[pl.DataFrame, list[Row]]:
    """The rows that could be shifted back, as cells with ``line``, and the rest."""
    width = len(layout.columns)
    single = [row for row in odd if len(row[1]) == width + 1]
    double = [row for row in odd if len(row[1]) == width + 2][:DOUBLE]
    parts = [_mended(single[at : at + AT_ONCE], layout) for at in range(0, len(single), AT_ONCE)]
    if double:
        parts.append(_twice(double, layout))
    mended = pl.concat([_shape(layout), *parts])
    lines = set(mended["line"])
    return mended, [(line, cells) for line, cells in odd if line not in lines]


def _shape(layout: Layout) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(layout.columns, pl.String) | {"line": pl.Int32})


def _mended(odd: list[Row], layout: Layout) -> pl.DataFrame:
    """Rows of one cell too many. What stands before the position must fit its column, what stands behind it the one before."""
    width = len(layout.columns)
    cells = pl.DataFrame([row for _, row in odd], schema=[f"{n}" for n in range(width + 1)], orient="row")
    cells = cells.cast(pl.String).with_columns(pl.when(pl.all() != "").then(pl.all()).name.keep())
    dropped, joined = _positions(cells, layout)
    ways = [
        (*way, line)
        for n, (line, row) in enumerate(odd)
        for way in _whole_ways(row, np.flatnonzero(dropped[n]), np.flatnonzero(joined[n]))
    ]
    return _only_ones(ways, layout)


def _positions(cells: pl.DataFrame, layout: Layout) -> tuple[np.ndarray, np.ndarray]:
    """At which positions a row is valid without its blank cell, and at which with two cells put together."""
    columns = list(layout.columns.values())
    stays = cells.select(
        _fits_column(c, pl.col(f"{n}")).alias(f"{n}") for n, c in enumerate(columns)
    ).to_numpy()
    moves = cells.select(
        _fits_column(c, pl.col(f"{n + 1}")).alias(f"{n}") for n, c in enumerate(columns)
    ).to_numpy()
    both = cells.select(
        _fits_together(c, pl.col(f"{n}"), pl.col(f"{n + 1}")).alias(f"{n}") for n, c in enumerate(columns)
    ).to_numpy()
    yes = np.ones((len(cells), 1), bool)
    before = np.hstack(
        [yes, np.logical_and.accumulate(stays, axis=1)]
    )  # [:, p]: cells 0 to p-1 fit where they stand
    behind = np.hstack(
        [np.logical_and.accumulate(moves[:, ::-1], axis=1)[:, ::-1], yes]
    )  # [:, p]: cells p+1 on fit one before
    blank = cells.select(pl.all().is_null()).to_numpy()
    return blank & before & behind, before[:, :-1] & both & behind[:, 1:]


def _fits_together(column: Column, one: pl.Expr, other: pl.Expr) -> pl.Expr:
    """Two cells that may have been one. Cells are trimmed, so a blank may have stood beside the tab."""
    fits = pl.any_horizontal(
        _fits_column(column, one + gap + other) & _date_or_none(column, one + gap + other)
        for gap in ("", " ")
    )
    return fits & one.is_not_null() & other.is_not_null()


def _date_or_none(column: Column, cell: pl.Expr) -> pl.Expr:
    """A date and the time of day in the next column are no date, though they begin like one."""
    return cell.str.contains(EXACT_DATE) if column.type in {"date", "birth"} else pl.lit(True)


def _whole_ways(cells: list[str], dropped: np.ndarray, joined: np.ndarray) -> list[tuple[str, ...]]:
    """The different rows that come of it; ways that give the same row count once, those that put a cell together end in
    ``"+"``."""
    without = {(*cells[:at], *cells[at + 1 :], "") for at in dropped}
    together = {
        (*cells[:at], cells[at] + gap + cells[at + 1], *cells[at + 2 :], "+")
        for at in joined
        for gap in ("", " ")
    }
    return sorted(without | together)


def _twice(odd: list[Row], layout: Layout) -> pl.DataFrame:
    """Rows of two cells too many: every pair of blank cells is tried."""
    width = len(layout.columns)
    return _only_ones(
        [(*way, "", line) for line, cells in odd for way in _without_blanks(cells, width)], layout
    )


def _without_blanks(cells: list[str], width: int) -> list[tuple[str, ...]]:
    ways = {tuple(cells)}
    for _ in range(len(cells) - width):
        ways = {way[:at] + way[at + 1 :] for way in ways for at, cell in enumerate(way) if not cell}
    return sorted(ways)


def _only_ones(ways: list[tuple[object, ...]], layout: Layout) -> pl.DataFrame:
    """Of all ways those that are valid and the only valid one of their line, and put no cell together."""
    shape = dict(_shape(layout).schema)
    line = shape.pop("line")
    table_ = pl.DataFrame(ways, schema=shape | {JOINED: pl.String, "line": line}, orient="row")
    text = pl.col(list(layout.columns))
    fitting = table_.with_columns(pl.when(text != "").then(text).name.keep()).filter(_fits(layout))
    alone = pl.len().over("line") == 1
    several = fitting.filter(~alone).filter(_looks_usual(layout)).filter(alone)
    return pl.concat([fitting.filter(alone), several]).filter(pl.col(JOINED) == "").drop(JOINED)


JOINED = "␟joined"


def _fits(layout: Layout) -> pl.Expr:
    """Every cell is what its column holds, and what stands together stands together."""
    cells = [_fits_column(column, pl.col(column.name)) for column in layout.columns.values()]
    together = [_all_or_none(names) for names in layout.together]
    return pl.all_horizontal(*cells, *together)


def _looks_usual(layout: Layout) -> pl.Expr:
    shapes = [pl.col(name).str.contains(shape).fill_null(True) for name, shape in layout.shapes.items()]
    return pl.all_horizontal(pl.lit(True), *shapes, *(_all_or_none(names) for names in layout.usual))


def _fits_column(column: Column, cell: pl.Expr) -> pl.Expr:
    if column.type in {"date", "birth"}:
        test = cell.str.contains(table.DATE_LIKE)
    elif column.codes:
        test = cell.is_in(list(column.codes))
    elif column.type in table.PATTERNS:
        test = cell.str.contains(table.PATTERNS[column.type])
    else:
        test = ~cell.str.contains(table.DATE_LIKE)
    return test.fill_null(not column.needed)


def _all_or_none(names: tuple[str, ...]) -> pl.Expr:
    return pl.sum_horizontal(pl.col(name).is_not_null() for name in names).is_in([0, len(names)])
