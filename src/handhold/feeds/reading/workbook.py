"""Workbooks: the sheet and the row in which the header stands are found; every cell is text."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

import polars as pl

from handhold.feeds.model import Unreadable
from handhold.feeds.reading import apart
from handhold.feeds.reading.delimited import trim

SEARCHED = 30  # rows in which a header may stand
SMALL = 20 << 20  # a workbook this large unpacked is no bomb, whatever its ratio
OLD = bytes.fromhex("d0cf11e0a1b11ae1")  # begins an .xls of old, and every workbook with a password
PIECE = 1 << 20
REFERENCE = re.compile(rb"""[\s]r\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
OVERLAP = 64  # bytes: a cell's reference may lie across two pieces


def read(
    source: BinaryIO,
    *,
    sheet: str | None,
    starred: list[str],
    bytes_: int,
    ratio: int,
    cells: int,
    spell: Callable[[list[str]], list[str]],
) -> pl.DataFrame:
    """The rows below the header, as trimmed text, with ``line`` (the sheet's own row number).

    ``sheet`` is read where there is one of that name, else the only sheet that has such a header. ``spell`` puts a header
    into known spelling; a column without a name, or with one that stood before, is left out. Bounds: ``bytes_`` and
    ``ratio`` for what is unpacked, ``cells`` for what a sheet spans. Raises :class:`Unreadable`: no workbook, a bomb, no
    sheet with all starred columns or several.
    """
    sheets = _sheets(source.read(bytes_ + 1), sheet, bytes_, ratio, cells)
    if [one.name for one in sheets] == [sheet]:
        return _below_header(sheets[0].cells, starred, spell)
    return _only_fitting([one.cells for one in sheets], starred, spell)


def _sheets(data: bytes, wanted: str | None, bytes_: int, ratio: int, cells: int) -> list[apart.Sheet]:
    """The sheet of this name, or all of them."""
    old = data.startswith(OLD)
    if not old:
        for _ in unpacked(data, bytes_, ratio, cells):
            pass  # into nothing first
    try:
        return apart.sheets(data, wanted)
    except apart.Apart as error:
        raise Unreadable(
            "the workbook is locked with a password, or is a damaged .xls; save it as .xlsx without a password and send it again"
            if old
            else cannot(str(error))
        ) from None


def cannot(error: str) -> str:
    """What is said of a workbook on which the parser tripped; ``error``: the name of what it tripped over."""
    return f"the workbook cannot be read ({error}); open it, save it again and send it"


def unpacked(data: bytes, bytes_: int, ratio: int, cells: int) -> Iterator[tuple[str, bytes]]:
    """The parts of a workbook that is a zip, piece by piece, each with its part's name.

    Raises :class:`Unreadable` at the bound, for what a zip declares of itself proves nothing; where the farthest cells of a
    sheet span more than a list can have, which would stand in memory with all its blanks; and where it is damaged.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            total = 0
            for part in packed.infolist():
                corner, end = (0, 0), b""
                with packed.open(part) as stream:
                    while piece := stream.read(PIECE):
                        total += len(piece)
                        if total > bytes_ or total > max(SMALL, ratio * len(data)):
                            raise Unreadable(
                                "the workbook unpacks to far more than a workbook holds; it was not opened. Ask who sent it"
                            )
                        corner = _farthest(end + piece, *corner, cells)
                        end = piece[-OVERLAP:]
                        yield part.filename, piece
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        raise Unreadable(
            "the file is not a whole workbook (cut short, encrypted or of another kind); send it again"
        ) from None
    except zipfile.zlib.error:  # type: ignore[attr-defined]
        raise Unreadable("the workbook is damaged inside; send it again") from None


def _farthest(piece: bytes, rows: int, columns: int, cells: int) -> tuple[int, int]:
    """The farthest row and column that cells of this piece name, or those known before. Raises :class:`Unreadable` where they
    span more than ``cells``."""
    found = REFERENCE.findall(piece)
    names = {letters for letters, _ in found}
    lines = {digits for _, digits in found}
    rows, columns = max([rows, *map(int, lines)]), max([columns, *map(_column, names)])
    if rows * columns > cells:
        raise Unreadable(
            f"a sheet spans {rows:,} rows and {columns:,} columns, far more than a list has; "
            "delete what stands outside the table and send it again"
        )
    return rows, columns


def _column(letters: bytes) -> int:
    """A column's number from its letters: A is 1, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _only_fitting(
    sheets: list[pl.DataFrame], starred: list[str], spell: Callable[[list[str]], list[str]]
) -> pl.DataFrame:
    found, refusals = [], []
    for cells in sheets:
        try:
            found.append(_below_header(cells, starred, spell))
        except Unreadable as refusal:
            refusals.append(refusal)
    if len(found) > 1:
        raise Unreadable(
            f"{len(found)} sheets have these columns; send the one that counts, or name it as the contract does"
        )
    if not found:
        raise refusals[0] if refusals else Unreadable("the workbook has no sheet; send it again")
    return found[0]


def _below_header(
    cells: pl.DataFrame, starred: list[str], spell: Callable[[list[str]], list[str]]
) -> pl.DataFrame:
    if not cells.width or not len(cells):
        raise Unreadable("the workbook has no cells; send it again")
    wanted = set(starred)
    best: set[str] = set()
    for at, row in enumerate(cells.head(SEARCHED).iter_rows()):
        names = spell([(value or "").strip() for value in row])
        if wanted <= set(names):
            return _named(cells, at, names)
        best = max(best, wanted & set(names), key=len)
    missing = ", ".join(sorted(wanted - best))
    raise Unreadable(f"no row of the first {SEARCHED} has all columns that must be there; missing: {missing}")


def _named(cells: pl.DataFrame, at: int, names: list[str]) -> pl.DataFrame:
    used = [(old, new) for old, new in zip(cells.columns, names, strict=True) if new]
    rows = cells.slice(at + 1).with_row_index("line", offset=at + 2)
    unique = {new: old for old, new in reversed(used)}
    table = rows.select(
        pl.col("line").cast(pl.Int32),
        *(trim(pl.col(old).cast(pl.String)).alias(new) for new, old in unique.items()),
    )
    return table.filter(pl.any_horizontal(pl.exclude("line").is_not_null()))
