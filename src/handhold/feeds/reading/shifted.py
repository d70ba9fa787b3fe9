"""Rows of an unquoted file with a tab too many: shifted back where exactly one position makes the row valid.

What is valid is decided by the layout alone: the types of its columns, its code lists, and the columns that stand
filled only together (``together``).
"""

import polars as pl

from handhold.feeds.layout import Column, Layout
from handhold.feeds.reading import table

SURPLUS = 2  # tabs too many that are still tried
BATCH = 2_000  # rows tried at once: a hostile file of nothing but shifted rows stays within memory
MOST = 200_000  # ... and within time: rows beyond this are not tried

Row = tuple[int, list[str]]


def _numbers(layout: Layout) -> list[str]:
    return [c.name for c in layout.columns.values() if c.type == "idn" and c.needed]


def _no_number(key: str) -> pl.Expr:
    return ~pl.col(key).str.contains(table.PATTERNS["idn"]).fill_null(False)


def keyed(rows: pl.DataFrame, layout: Layout) -> pl.Series:
    """Which rows have a number in every column that must hold one: key and file."""
    numbers = [key for key in _numbers(layout) if key in rows.columns]
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
    tried = [(line, cells) for line, cells in odd if 0 < len(cells) - width <= SURPLUS][:MOST]
    parts = [_valid(tried[at : at + BATCH], layout) for at in range(0, len(tried), BATCH)]
    mended = pl.concat(parts) if parts else _shape(layout)
    lines = set(mended["line"])
    return mended, [(line, cells) for line, cells in odd if line not in lines]


def _shape(layout: Layout) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(layout.columns, pl.String) | {"line": pl.Int32})


def _valid(odd: list[Row], layout: Layout) -> pl.DataFrame:
    """Every way to drop the surplus blank cells is tried; ways that give the same row count once."""
    rows = [(*row, line) for line, cells in odd for row in _ways(cells, len(layout.columns))]
    ways = pl.DataFrame(rows, schema=_shape(layout).schema, orient="row")
    text = pl.col(list(layout.columns))
    ways = ways.with_columns(pl.when(text != "").then(text).name.keep())
    fitting = ways.filter(_fits(layout))
    return fitting.filter(pl.len().over("line") == 1)


def _ways(cells: list[str], width: int) -> list[tuple[str, ...]]:
    rows = {tuple(cells)}
    for _ in range(len(cells) - width):
        rows = {row[:at] + row[at + 1 :] for row in rows for at, cell in enumerate(row) if not cell}
    return sorted(rows)


def _fits(layout: Layout) -> pl.Expr:
    """Every cell is what its column holds, and what stands together stands together."""
    cells = [_fits_column(column) for column in layout.columns.values()]
    together = [_all_or_none(names) for names in layout.together]
    return pl.all_horizontal(*cells, *together)


def _fits_column(column: Column) -> pl.Expr:
    cell = pl.col(column.name)
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
