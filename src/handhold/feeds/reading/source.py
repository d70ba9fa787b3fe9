"""From a delivery's bytes to text cells: the format is opened, the header is held against the layout, pieces follow.

Every row ends in one of three places: among the cells, among the problems, or among the rows that were left because
they are no child's. The three are counted here, so that nothing can be lost between them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, BinaryIO

import polars as pl

from handhold.feeds.layout import Layout
from handhold.feeds.model import Unreadable
from handhold.feeds.reading import delimited, shifted, table, workbook

WORKBOOKS = (".xlsx", ".xlsm", ".xls")
FEW = 20  # rows that are put between others one by one

Keep = Callable[
    [pl.DataFrame], pl.Series
]  # rows with the columns of key and file -> which of them are wanted


@dataclass
class Cells:
    """Text cells of a delivery or a piece of it, in the order of their lines: the rows kept, the problems met, and how many
    rows were left aside. ``last``: the line at which the piece ends, null where it is the whole."""

    rows: pl.DataFrame
    problems: pl.DataFrame
    left: int = 0
    missing: list[str] = field(default_factory=list)
    last: int | None = None

    @property
    def seen(self) -> int:
        return len(self.rows) + len(self.problems) + self.left


def cells(source: BinaryIO, name: str, layout: Layout, rules: dict[str, Any]) -> Cells:
    """All rows of a delivery as text. Raises :class:`Unreadable`."""
    return joined(list(pieces(source, name, layout, rules)))


def pieces(
    source: BinaryIO,
    name: str,
    layout: Layout,
    rules: dict[str, Any],
    *,
    keep: Keep | None = None,
    only: list[str] | None = None,
) -> Iterator[Cells]:
    """The rows of a delivery as text, piece by piece and at least one. ``keep`` chooses rows of an unquoted file, so that of a
    dump only those become cells; ``only`` names the columns wanted (default: all of the layout).

    Raises :class:`Unreadable`, also after some pieces.
    """
    if name.lower().endswith(WORKBOOKS):
        yield _of_workbook(source, layout, rules)
        return
    yield from _of_text(
        source,
        layout,
        rules,
        delimited.Choice(_keyless_too(keep, layout), (layout.key, layout.file), _columns(only)),
    )


def joined(parts: list[Cells]) -> Cells:
    """Pieces that follow one another as one."""
    if len(parts) == 1:
        return parts[0]
    return Cells(
        pl.concat([part.rows for part in parts]),
        pl.concat([part.problems for part in parts]),
        sum(part.left for part in parts),
        parts[0].missing,
        parts[-1].last,
    )


def batched(parts: Iterable[Cells], size: int) -> Iterator[Cells]:
    """The same rows in batches of ``size``; the last one may have fewer."""
    waiting: list[Cells] = []
    for part in parts:
        waiting.append(part)
        while sum(len(one.rows) + len(one.problems) for one in waiting) >= size:
            whole = joined(waiting)
            yield replace(whole, rows=whole.rows[:size])
            rest = whole.rows[size:]
            waiting = [Cells(rest, table.empty_problems(), 0, whole.missing, whole.last)]
    yield joined(waiting)


def _columns(only: list[str] | None) -> tuple[str, ...] | None:
    return tuple(only) if only else None


def _keyless_too(keep: Keep | None, layout: Layout) -> Keep | None:
    """Rows of which nothing says whose they are must be looked at, whatever is chosen."""
    return (lambda rows: keep(rows) | ~shifted.keyed(rows, layout)) if keep else None


def _of_workbook(source: BinaryIO, layout: Layout, rules: dict[str, Any]) -> Cells:
    book = workbook.read(
        source, sheet=layout.sheet, starred=layout.starred, bytes_=rules["workbook_bytes"], ratio=rules["workbook_ratio"],
        cells=rules["workbook_cells"], spell=lambda header: table.respelled(header, layout),
    )  # fmt: skip
    missing = table.header_fits([c for c in book.columns if c != "line"], layout)
    return Cells(table.complete(book, layout), table.empty_problems(), 0, missing)


def _of_text(
    source: BinaryIO, layout: Layout, rules: dict[str, Any], choice: delimited.Choice
) -> Iterator[Cells]:
    quoted = layout.separator == ","
    given = list(layout.columns) if layout.bare else None
    text = delimited.read(
        source, separator=layout.separator, quoted=quoted, line_bytes=rules["line_bytes"], header=given,
        spell=lambda header: table.respelled(header, layout), choice=choice,
    )  # fmt: skip
    missing = table.header_fits(text.header, layout)
    yield Cells(table.complete(_no_rows(), layout), table.empty_problems(), 0, missing, 0)
    for piece in _readable(text.pieces):
        yield replace(_piece(piece, text.header, layout, choice), missing=missing, last=piece.last)


def _no_rows() -> pl.DataFrame:
    return pl.DataFrame(schema={"line": pl.Int32})


def _readable(pieces: Iterator[delimited.Piece]) -> Iterator[delimited.Piece]:
    """The pieces; whatever the parser trips over, the file is what is wrong with it."""
    try:
        yield from pieces
    except pl.exceptions.PolarsError as error:
        raise Unreadable(
            f"the file cannot be read as columns ({type(error).__name__}); send it again"
        ) from None


def _piece(piece: delimited.Piece, header: list[str], layout: Layout, choice: delimited.Choice) -> Cells:
    odd = [
        (line, delimited.cells_of(row, layout.separator, layout.separator == ",")) for line, row in piece.odd
    ]
    rows = table.complete(piece.cells, layout)
    if not layout.shifts:
        trimmed, odd = _without_blank_tail(odd, header, layout)
        return Cells(_in_line(rows, trimmed), _wrong_width(odd, len(header)), piece.left)
    rows, keyless = (rows, table.empty_problems()) if choice.only else shifted.keyless(rows, layout)
    mended, odd = shifted.repaired(odd, layout) if header == list(layout.columns) else (rows.head(0), odd)
    wanted = mended.filter(choice.keep(mended)) if choice.keep else mended
    return Cells(
        _in_line(rows, wanted),
        pl.concat([_wrong_width(odd, len(header)), keyless]),
        piece.left + len(mended) - len(wanted),
    )


def _in_line(rows: pl.DataFrame, more: pl.DataFrame) -> pl.DataFrame:
    """Rows with others between them, by line. To put a few where they belong is faster than to sort all."""
    if not len(more):
        return rows
    if len(more) > FEW:
        return pl.concat([rows, more]).sort("line")
    more = more.sort("line")
    cuts = [0, *rows["line"].search_sorted(more["line"]).to_list(), len(rows)]
    between = [rows[a:b] for a, b in pairwise(cuts)]
    return pl.concat([part for n, rest in enumerate(between) for part in (rest, more[n : n + 1])])


def _without_blank_tail(
    odd: list[tuple[int, list[str]]], header: list[str], layout: Layout
) -> tuple[pl.DataFrame, list[tuple[int, list[str]]]]:
    """Rows of a quoted file whose surplus cells are all blank at the end: a spreadsheet's habit, and nothing is shifted."""
    width = len(header)
    tails = [
        (line, row)
        for line, row in odd
        if layout.separator == "," and len(row) > width and not any(row[width:])
    ]
    lines = {line for line, _ in tails}
    names = delimited.unique(header)
    shape = dict.fromkeys(names, pl.String) | {"line": pl.Int32}
    rows = pl.DataFrame([(*row[:width], line) for line, row in tails], schema=shape, orient="row")
    text = pl.col(names)
    filled = rows.with_columns(pl.when(text != "").then(text).name.keep()) if tails else rows
    return table.complete(filled, layout), [(line, row) for line, row in odd if line not in lines]


def _wrong_width(rows: list[tuple[int, list[str]]], width: int) -> pl.DataFrame:
    """Rows that have the wrong number of cells and could not be mended."""
    many = [
        {
            "line": line,
            "column": "",
            "value": None,
            "why": _why_width(len(row), width),
            "row": "\x1f".join(row),
            "key": row[0] or None,
        }
        for line, row in rows
    ]
    return pl.DataFrame(many, schema=table.PROBLEM)


def _why_width(has: int, width: int) -> str:
    if has < width:
        return f"the row has {has} cells where the header has {width}: it was cut short; send it whole"
    return f"the row has {has} cells where the header has {width}, and no single way to shift them back; send it corrected"
