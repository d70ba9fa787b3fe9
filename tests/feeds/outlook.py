"""A message as Outlook saves it, made by hand: a compound file (MS-CFB) with the streams that MS-OXMSG names."""

import struct
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

SECTOR, SMALL, FREE, END, FAT = 512, 4096, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
UNICODE, BINARY, TIME, NUMBER = 0x001F, 0x0102, 0x0040, 0x0003
SUBJECT, BODY, SENDER, SENT, DATA, METHOD, FILE = 0x0037, 0x1000, 0x0C1F, 0x0039, 0x3701, 0x3705, 0x3707


def outlook(
    *attached: tuple[str, bytes | None], sender: str, subject: str, body: str, sent: datetime
) -> bytes:
    """A .msg; an attachment without bytes is one that Outlook kept by reference."""
    ticks = int((sent.astimezone(UTC) - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds()) * 10_000_000
    root: dict[str, Any] = _storage(struct.pack("<8x4I8x", 0, len(attached), 0, len(attached)), {SUBJECT: subject, BODY: body, SENDER: sender}, {SENT: ticks})  # fmt: skip
    for at, (name, data) in enumerate(attached):
        root[f"__attach_version1.0_#{at:08X}"] = _storage(
            b"\0" * 8, {FILE: name, DATA: data} if data is not None else {FILE: name}, {}
        )
    return _compound(root)


def _storage(head: bytes, long: Mapping[int, str | bytes | None], times: Mapping[int, int]) -> dict[str, Any]:
    entries, streams = head, {}
    for pid, value in long.items():
        kind, data = (
            (UNICODE, value.encode("utf-16-le")) if isinstance(value, str) else (BINARY, bytes(value or b""))
        )
        entries += struct.pack("<HHIII", kind, pid, 6, len(data) + (2 if kind == UNICODE else 0), 0)
        streams[f"__substg1.0_{pid:04X}{kind:04X}"] = data
    for pid, ticks in times.items():
        entries += struct.pack("<HHIQ", TIME, pid, 6, ticks)
    return {"__properties_version1.0": entries, **streams}


class _Sectors:
    """Sectors of one size, and the table that says which follows which."""

    def __init__(self, size: int) -> None:
        self.size, self.data, self.next = size, b"", list[int]()

    def put(self, data: bytes) -> int:
        """Where ``data`` begins."""
        if not data:
            return END
        first, count = len(self.next), -(-len(data) // self.size)
        self.data += data.ljust(count * self.size, b"\0")
        self.next += [*range(first + 1, first + count), END]
        return first


def _compound(root: Mapping[str, Any]) -> bytes:
    """A compound file; streams below 4,096 bytes lie in the small sectors, as the format wants it."""
    entries: list[list[Any]] = [["Root Entry", 5, FREE, FREE, FREE, END, 0]]
    large, small = _Sectors(SECTOR), _Sectors(64)

    def add(parent: int, things: Mapping[str, Any]) -> None:
        before = None
        for name, thing in things.items():
            at = len(entries)
            stored = isinstance(thing, dict)
            start = 0 if stored else (small if len(thing) < SMALL else large).put(thing)
            entries.append([name, 1 if stored else 2, FREE, FREE, FREE, start, 0 if stored else len(thing)])
            if before is None:
                entries[parent][4] = at
            else:
                entries[before][3] = at  # a chain to the right is a tree, if a lopsided one
            before = at
            if stored:
                add(at, thing)

    add(0, root)
    entries[0][5:] = [large.put(small.data), len(small.data)]
    follows = large.put(_words(small.next))
    directory = large.put(b"".join(map(_entry, entries)))
    count = -(-(len(large.next) + 8) // (SECTOR // 4 - 1))  # sectors that the table of sectors itself takes
    table = len(large.next)
    words = _words([*large.next, *[FAT] * count]).ljust(count * SECTOR, b"\xff")
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + struct.pack(
        "<16xHHHHH6xIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, count, directory, 0, SMALL, follows, -(-4 * len(small.next) // SECTOR), END, 0
    )  # fmt: skip
    return (
        head
        + struct.pack("<109I", *range(table, table + count), *[FREE] * (109 - count))
        + large.data
        + words
    )


def _entry(said: list[Any]) -> bytes:
    name, kind, left, right, child, start, size = said
    return name.encode("utf-16-le").ljust(64, b"\0") + struct.pack(
        "<HBBIII36xIQ", 2 * len(name) + 2, kind, 1, left, right, child, start, size
    )  # fmt: skip


def _words(numbers: list[int]) -> bytes:
    """A table of sectors, filled up to whole ones with free places."""
    filled = [*numbers, *[FREE] * (-len(numbers) % (SECTOR // 4))]
    return struct.pack(f"<{len(filled)}I", *filled)
