"""Old workbooks (``.xls``), read in a process of their own: their parser may panic or ask for endless memory on a damaged file,
and what it does there must not be done to us.

Run as a program it reads a workbook from its standard input and writes its sheets to its standard output, each as a name and
an Arrow stream with their lengths in front. Its memory, time and output are bounded.
"""

import io
import resource
import struct
import subprocess
import sys

import polars as pl

MEMORY = 6 << 30  # of addresses, most of which nothing ever stands in
SECONDS = 120
LENGTH = struct.Struct("<Q")


class Apart(Exception):
    """The other process could not read it."""


def sheets(data: bytes) -> dict[str, pl.DataFrame]:
    """All sheets of a workbook as text, by name. Raises :class:`Apart` whatever became of the process that read it."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", __name__], input=data, capture_output=True, timeout=SECONDS, check=True
        )
    except (subprocess.SubprocessError, OSError):
        raise Apart("the workbook could not be read") from None
    source, found = io.BytesIO(done.stdout), {}
    while size := source.read(LENGTH.size):
        name = source.read(LENGTH.unpack(size)[0]).decode()
        found[name] = pl.read_ipc_stream(source.read(LENGTH.unpack(source.read(LENGTH.size))[0]))
    return found


def main() -> None:
    """Read what comes in, write its sheets out."""
    import fastexcel

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    book = fastexcel.read_excel(sys.stdin.buffer.read())
    for name in book.sheet_names:
        cells = book.load_sheet(name, header_row=None, skip_rows=0, dtypes="string", column_names=None)
        packed = io.BytesIO()
        cells.to_polars().write_ipc_stream(packed)
        for part in (name.encode(), packed.getvalue()):
            sys.stdout.buffer.write(LENGTH.pack(len(part)) + part)


if __name__ == "__main__":
    main()
