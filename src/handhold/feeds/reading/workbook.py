"""Workbooks: the sheet and the row in which the header stands are found; every cell is text."""

import io
import zipfile
from collections.abc import Callable
from typing import BinaryIO

import fastexcel
import polars as pl

from handhold.feeds.model import Unreadable
from handhold.feeds.reading.delimited import trim

SEARCHED = 30  # rows in which a header may stand
SMALL = 20 << 20  # a workbook this large unpacked is no bomb, whatever its ratio


def read(
    source: BinaryIO,
    *,
    sheet: str | None,
    starred: list[str],
    bytes_: int,
    ratio: int,
    spell: Callable[[list[str]], list[str]],
) -> pl.DataFrame:
    """The rows below the header, as trimmed text, with ``line`` (the sheet's own row number).

    ``spell`` puts a header into known spelling; a column without a name, or with one that stood before, is left out. Raises :class:`Unreadable`: no workbook, a bomb, no such sheet, no header with all starred columns.
    """
    data = source.read(bytes_ + 1)
    _refuse_bomb(data, bytes_, ratio)
    try:
        book = fastexcel.read_excel(data)
        name = sheet if sheet in book.sheet_names else book.sheet_names[0]
        cells = book.load_sheet(
            name, header_row=None, skip_rows=0, dtypes="string", column_names=None
        ).to_polars()
    except Exception as error:  # noqa: BLE001 - whatever the parser trips over, the file is what is wrong with it
        raise Unreadable(
            f"the workbook cannot be read ({type(error).__name__}); open it, save it again and send it"
        ) from None
    return _below_header(cells, starred, spell)


def _refuse_bomb(data: bytes, bytes_: int, ratio: int) -> None:
    """Unpack into nothing first, and stop at the bound: what a zip declares of itself proves nothing."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            total = 0
            for part in packed.infolist():
                with packed.open(part) as stream:
                    while piece := stream.read(1 << 20):
                        total += len(piece)
                        if total > bytes_ or total > max(SMALL, ratio * len(data)):
                            raise Unreadable(
                                "the workbook unpacks to far more than a workbook holds; it was not opened. Ask who sent it"
                            )
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError, ValueError):
        raise Unreadable(
            "the file is not a whole workbook (cut short, encrypted or of another kind); send it again"
        ) from None
    except zipfile.zlib.error:  # type: ignore[attr-defined]
        raise Unreadable("the workbook is damaged inside; send it again") from None


def _below_header(
    cells: pl.DataFrame, starred: list[str], spell: Callable[[list[str]], list[str]]
) -> pl.DataFrame:
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
