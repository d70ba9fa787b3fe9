"""Workbooks: the sheet and the row in which the header stands are found; every cell is text."""

import io
import re
import zipfile
from collections.abc import Callable, Iterator
from typing import BinaryIO

import fastexcel
import polars as pl

from handhold.feeds.model import Unreadable
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
    data = source.read(bytes_ + 1)
    if not data.startswith(OLD):
        _refuse_bomb(data, bytes_, ratio, cells)
    book = _opened(data)
    if sheet in book.sheet_names:
        return _below_header(_cells(book, sheet), starred, spell)
    return _only_fitting([_cells(book, name) for name in book.sheet_names], starred, spell)


def _opened(data: bytes) -> fastexcel.ExcelReader:
    try:
        return fastexcel.read_excel(data)
    except Exception as error:  # noqa: BLE001 - whatever the parser trips over, the file is what is wrong with it
        if data.startswith(OLD):
            raise Unreadable(
                "the workbook is locked with a password, or is a damaged .xls; save it as .xlsx without a password and send it again"
            ) from None
        raise Unreadable(_cannot(error)) from None


def _cells(book: fastexcel.ExcelReader, name: str) -> pl.DataFrame:
    try:
        return book.load_sheet(
            name, header_row=None, skip_rows=0, dtypes="string", column_names=None
        ).to_polars()
    except Exception as error:  # noqa: BLE001 - as above
        raise Unreadable(_cannot(error)) from None


def _cannot(error: Exception) -> str:
    return f"the workbook cannot be read ({type(error).__name__}); open it, save it again and send it"


def _refuse_bomb(data: bytes, bytes_: int, ratio: int, cells: int) -> None:
    """Unpack into nothing first, and stop at the bound: what a zip declares of itself proves nothing. A sheet is refused,
    too, whose farthest cells span more than a list can have: it would stand in memory with all its blanks."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            total = 0
            for part in packed.infolist():
                rows, columns = 0, 0
                for piece in _pieces_of(packed, part):
                    total += min(len(piece), PIECE)
                    if total > bytes_ or total > max(SMALL, ratio * len(data)):
                        raise Unreadable(
                            "the workbook unpacks to far more than a workbook holds; it was not opened. Ask who sent it"
                        )
                    rows, columns = _farthest(piece, rows, columns)
                    if rows * columns > cells:
                        raise Unreadable(
                            f"a sheet spans {rows:,} rows and {columns:,} columns, far more than a list has; "
                            "delete what stands outside the table and send it again"
                        )
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        raise Unreadable(
            "the file is not a whole workbook (cut short, encrypted or of another kind); send it again"
        ) from None
    except zipfile.zlib.error:  # type: ignore[attr-defined]
        raise Unreadable("the workbook is damaged inside; send it again") from None


def _pieces_of(packed: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    """A part's bytes, each piece with the end of the one before in front of it."""
    end = b""
    with packed.open(part) as stream:
        while piece := stream.read(PIECE):
            yield end + piece
            end = piece[-OVERLAP:]


def _farthest(piece: bytes, rows: int, columns: int) -> tuple[int, int]:
    """The farthest row and column that cells of this piece name, or those known before."""
    found = REFERENCE.findall(piece)
    names = {letters for letters, _ in found}
    lines = {digits for _, digits in found}
    return max([rows, *map(int, lines)]), max([columns, *map(_column, names)])


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
