"""Archives: a dump as it is handed out, one ``.zip`` with its tables in folders. Read as it is, never unpacked to disk.

The archive is kept once. Each of its tables that a feed of the contract has is a delivery of its own, under the hash of its
own bytes, and is read out of the archive. Names in an archive are looked at and never used as paths.
"""

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Any, BinaryIO

from handhold import store
from handhold.feeds.layout import Layout, recognise
from handhold.feeds.model import Source, Unreadable
from handhold.pack import Pack

CHUNK = 1 << 20
SMALL = 20 << 20  # a table this large unpacked is no bomb, whatever its ratio
TABLE = re.compile(
    r"^(?:tbl|[A-D]_Tbl)\w{1,60}\.(?:csv|txt)$", re.IGNORECASE
)  # a name that is a table's and nobody's
ENCRYPTED = 1
NOT_WHOLE = "the archive cannot be opened (cut short, damaged or of another kind); send it again as .zip"


@dataclass(frozen=True)
class Table:
    """One table of an archive that a feed has: where it lies, what it is called, the hash and size of its bytes."""

    member: int
    path: PurePosixPath
    layout: Layout
    sha256: bytes
    bytes: int


@dataclass(frozen=True)
class Contents:
    """The tables of an archive, and the names of those that were left; ``unnamed`` more were left whose names are not told."""

    tables: list[Table]
    left: list[str]
    unnamed: int


def names_a_table(path: Source | PurePath) -> bool:
    """Whether a file is called as the tables of the court are."""
    return TABLE.match(path.name) is not None


def contents(sha256: bytes, pack: Pack) -> Contents:
    """What an archive that was kept holds; every table of ours is unpacked into nothing, once, for its hash.

    Raises :class:`Unreadable`: no archive, encrypted, a bomb.
    """
    bounds = pack.toml("feeds/reading.toml")["bounds"]
    with store.blobs.open_(sha256) as kept, _opened(kept) as packed:
        members = packed.infolist()
        if len(members) > bounds["archive_members"]:
            raise Unreadable(
                f"the archive has {len(members):,} members, which no dump has; send its tables alone"
            )
        tables: list[Table] = []
        left: list[str] = []
        unnamed = total = 0
        for number, member in enumerate(members):
            path = PurePosixPath(member.filename.replace("\\", "/"))
            layout = (
                None if member.is_dir() or path.name.startswith((".", "._")) else recognise(path.name, pack)
            )
            if layout is not None and layout.agency == "EOIR":
                digest, size = _hashed(
                    packed, member, bounds["archive_bytes"] - total, bounds["archive_ratio"]
                )
                total += size
                tables.append(Table(number, path, layout, digest, size))
            elif not member.is_dir():
                left, unnamed = ([*left, path.stem], unnamed) if names_a_table(path) else (left, unnamed + 1)
        return Contents(tables, left, unnamed)


def _opened(kept: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(kept)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Unreadable(NOT_WHOLE) from None


def _hashed(packed: zipfile.ZipFile, member: zipfile.ZipInfo, room: int, ratio: int) -> tuple[bytes, int]:
    """The hash and size of a member's bytes, stopped at the bound: what an archive declares of itself proves nothing."""
    whole, size = hashlib.sha256(), 0
    for piece in _pieces(packed, member):
        whole.update(piece)
        size += len(piece)
        if size > room or size > max(SMALL, ratio * member.compress_size):
            raise Unreadable(
                "the archive unpacks to far more than a dump holds; it was not read. Ask who sent it"
            )
    return whole.digest(), size


def _pieces(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    if member.flag_bits & ENCRYPTED:
        raise Unreadable("the archive is encrypted; send it without a password, over a protected way")
    try:
        with packed.open(member) as stream:
            while piece := stream.read(CHUNK):
                yield piece
    except NotImplementedError:
        raise Unreadable(
            "the archive is packed in a way that cannot be opened here; pack it again as a plain .zip (deflate)"
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError):
        raise Unreadable(NOT_WHOLE) from None


def open_(archive: bytes, member: int) -> BinaryIO:
    """The bytes of one table of an archive."""
    kept = store.blobs.open_(archive)
    packed = zipfile.ZipFile(kept)
    stream = packed.open(packed.infolist()[member])
    return _Closing(stream, packed, kept)  # type: ignore[return-value]


class _Closing:
    """A member's stream; with it, the archive is closed."""

    def __init__(self, stream: Any, *behind: Any) -> None:
        self._stream, self._behind = stream, behind

    def read(self, size: int = -1) -> bytes:
        try:
            return bytes(self._stream.read(size))
        except (zipfile.BadZipFile, zlib.error, EOFError):
            raise Unreadable(NOT_WHOLE) from None

    def __enter__(self) -> "_Closing":
        return self

    def __exit__(self, *_error: object) -> None:
        for one in (self._stream, *self._behind):
            one.close()
