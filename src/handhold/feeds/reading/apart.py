"""Workbooks are opened in a process of their own: their parsers may panic or ask for endless memory on a damaged file, and
what happens there must not happen to us.

Run as a program it reads a workbook from its standard input and writes its sheets to its standard output, each as a JSON
description and an Arrow stream with their lengths in front. Its memory and time are bounded; what it trips over it names.
"""

import io
import json
import os
import resource
import struct
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

MEMORY = 6 << 30  # of addresses, most of which nothing ever stands in
SECONDS = 120
ALONE = {"POLARS_MAX_THREADS": "1"}  # each thread reserves addresses, and there is nothing to share
LENGTH = struct.Struct("<Q")
TRIPPED = 3  # exit code: the parser said what is wrong, by the name of an exception on the standard error
WANTED, BESIDE = "--sheet", "--beside"
Corner = tuple[int, int]  # row and column, from 0


@dataclass(frozen=True)
class Sheet:
    """One sheet: every cell as text. Where it was asked for: whether it is ``hidden``, the column at which its cells begin, and
    its ``merged`` ranges as first and last corner."""

    name: str
    cells: pl.DataFrame
    hidden: bool = False
    left: int = 0
    merged: tuple[tuple[Corner, Corner], ...] = ()


class Apart(Exception):
    """The other process could not read it; its text is the name of what the parser tripped over."""


def sheets(data: bytes, wanted: str | None = None, *, beside: bool = False) -> list[Sheet]:
    """The sheets of a workbook: the one of the name ``wanted``, where there is one, else all. ``beside``: with what stands
    beside the cells, too, and without charts. Raises :class:`Apart` whatever became of the process that read it."""
    asked = [*([WANTED, wanted] if wanted else []), *([BESIDE] if beside else [])]
    command = [sys.executable, "-I", __file__, *asked]
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=SECONDS, check=False, env=os.environ | ALONE
        )
    except subprocess.TimeoutExpired:
        raise Apart("TimeoutError") from None
    if done.returncode == TRIPPED:
        raise Apart(done.stderr.decode().strip().splitlines()[-1])
    if done.returncode:  # it was stopped; time was asked above, so what is left is memory
        raise Apart("MemoryError")
    source, found = io.BytesIO(done.stdout), []
    while size := source.read(LENGTH.size):
        about = json.loads(source.read(LENGTH.unpack(size)[0]))
        merged = tuple((tuple(first), tuple(last)) for first, last in about.pop("merged"))
        cells = pl.read_ipc_stream(source.read(LENGTH.unpack(source.read(LENGTH.size))[0]))
        found.append(Sheet(cells=cells, merged=merged, **about))
    return found


def main(arguments: list[str]) -> None:
    """Read what comes in, write its sheets out."""
    for bound, most in (
        (resource.RLIMIT_AS, MEMORY),
        (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(bound, (most, most))
    data = sys.stdin.buffer.read()
    wanted = arguments[arguments.index(WANTED) + 1] if WANTED in arguments else None
    try:
        for about, cells in _read(data, wanted, beside=BESIDE in arguments):
            packed = io.BytesIO()
            cells.write_ipc_stream(packed)
            for part in (json.dumps(about).encode(), packed.getvalue()):
                sys.stdout.buffer.write(LENGTH.pack(len(part)) + part)
    except BaseException as error:  # noqa: BLE001 - a panic of the parser is no Exception
        sys.stderr.write(type(error).__name__)
        raise SystemExit(TRIPPED) from None


def _read(data: bytes, wanted: str | None, *, beside: bool) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
    import fastexcel

    around = _beside(data) if beside else None  # first, for it tells what is locked from what is damaged
    book = fastexcel.read_excel(data)
    for name in [wanted] if wanted in book.sheet_names else book.sheet_names:
        if around is None or name in around:
            loaded = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", column_names=None)
            yield {"name": name, "merged": []} | (around or {}).get(name, {}), loaded.to_polars()


def _beside(data: bytes) -> dict[str, dict[str, Any]]:
    """What another parser knows of each sheet that holds cells, by name."""
    import python_calamine as calamine

    book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(data))
    found = {}
    for at, about in enumerate(book.sheets_metadata):
        if about.typ != calamine.SheetTypeEnum.WorkSheet:
            continue
        sheet = book.get_sheet_by_index(at)
        found[about.name] = {
            "hidden": about.visible != calamine.SheetVisibleEnum.Visible,
            "left": sheet.start[1] if sheet.start else 0,
            "merged": list(sheet.merged_cell_ranges or []),
        }
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
