"""A workbook of 1997 (``.xls``, BIFF8 in an OLE container), written by hand: nothing we depend on writes them any more."""

import struct
from typing import Any

SECTOR, FREE, END, FAT = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
LEAST = 4096  # a shorter stream would lie among the small ones


def old_book(cells: list[list[Any]], sheet: str = "UC Transfers") -> bytes:
    """One sheet with these cells: text or numbers; blank ones are no cells."""
    written = b"".join(
        _cell(row, column, value)
        for row, line in enumerate(cells)
        for column, value in enumerate(line)
        if value not in (None, "")
    )
    begin, end = _begin(5) + _record(0x42, struct.pack("<H", 1200)), _record(0x0A, b"")
    name = struct.pack("<BB", len(sheet), 0) + sheet.encode("latin-1")
    first = len(begin) + 4 + 6 + len(name) + len(end)  # where the sheet's own records begin
    book = begin + _record(0x85, struct.pack("<IBB", first, 0, 0) + name) + end
    return _container(book + _begin(0x10) + written + end)


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _begin(kind: int) -> bytes:
    return _record(0x809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 0x07CC, 0, 6))


def _cell(row: int, column: int, value: Any) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, str):
        return _record(0x204, place + struct.pack("<HB", len(value), 1) + value.encode("utf-16-le"))
    return _record(0x203, place + struct.pack("<d", value))


def _container(stream: bytes) -> bytes:
    stream = stream.ljust(max(LEAST, -(-len(stream) // SECTOR) * SECTOR), b"\0")
    sectors, tables = len(stream) // SECTOR, 1
    while tables * 128 < sectors + 1 + tables:
        tables += 1
    chain = [FAT] * tables + [END] + [tables + 2 + n for n in range(sectors - 1)] + [END]
    chain += [FREE] * (tables * 128 - len(chain))
    head = (
        bytes.fromhex("d0cf11e0a1b11ae1")
        + bytes(16)
        + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
        + bytes(6)
    )
    head += struct.pack("<IIIIIIIII", 0, tables, tables, 0, LEAST, END, 0, END, 0)
    head += struct.pack("<109I", *range(tables), *[FREE] * (109 - tables))
    folder = (
        _entry("Root Entry", 5, 1, END, 0) + _entry("Workbook", 2, FREE, tables + 1, len(stream)) + bytes(256)
    )
    return head + struct.pack(f"<{len(chain)}I", *chain) + folder + stream


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    links = struct.pack("<HBBIII", len(text), kind, 1, FREE, FREE, child)
    return text.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", start, size)
