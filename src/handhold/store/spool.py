"""Bytes on their way in, sealed piece by piece, so that a broken transfer can go on where it stopped.

A part is one file named by its offset. It counts once whoever keeps the books says that so many bytes are here: what a
killed process wrote beyond that is overwritten by the next.
"""

import io
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from handhold.store import blobs, keys
from handhold.store.errors import StoreError
from handhold.store.home import home


class Readable(Protocol):
    """Where bytes come from; a broken connection raises ``OSError`` or ends early."""

    def read(self, size: int, /) -> bytes: ...


def _place(name: str) -> Path:
    return home() / "uploads" / name


@dataclass(frozen=True)
class Part:
    """Bytes that were sealed and do not count yet."""

    draft: Path
    target: Path
    written: int

    def settle(self) -> None:
        """Put it in its place: in the transaction that counts it, so that of two senders one is refused."""
        if self.written:
            self.draft.replace(self.target)

    def drop(self) -> None:
        """Remove it, if it is not in its place."""
        self.draft.unlink(missing_ok=True)


class Draft:
    """A part that is being written: pieces are sealed as they come, and count for nothing until it is settled."""

    def __init__(self, name: str, offset: int) -> None:
        where = _place(name)
        where.mkdir(parents=True, exist_ok=True)
        self._path = where / f"draft-{os.getpid()}-{os.urandom(4).hex()}"
        self._target, self._context = where / f"{offset:020}", f"upload.{name}.{offset}"
        self._out = open(self._path, "wb")  # noqa: SIM115 - closed by done() or drop()
        self._number = self.written = 0

    def write(self, piece: bytes) -> None:
        """Seal the next piece. Raises :class:`StoreError` when there is no room."""
        sealed = keys.seal("delivery", f"{self._context}.{self._number}", piece)
        with _explained():
            self._out.write(len(sealed).to_bytes(blobs.LENGTH_BYTES, "big") + sealed)
        self.written, self._number = self.written + len(piece), self._number + 1

    def done(self) -> Part:
        """All of it is here, and on the disk."""
        with _explained(), self._out:
            self._out.flush()
            os.fsync(self._out.fileno())
        return Part(self._path, self._target, self.written)

    def drop(self) -> None:
        """None of it is wanted."""
        self._out.close()
        self._path.unlink(missing_ok=True)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"an upload could not be kept ({error.strerror}); free space under HANDHOLD_HOME and go on with it"
        ) from None


def append(name: str, offset: int, source: Readable, limit: int) -> Part:
    """Seal what comes from ``source``, at most ``limit`` bytes, as the part at ``offset``.

    A source that breaks keeps what came before it broke.
    """
    draft = Draft(name, offset)
    try:
        while draft.written < limit and (piece := _came(source, min(blobs.CHUNK, limit - draft.written))):
            draft.write(piece)
        return draft.done()
    except BaseException:
        draft.drop()
        raise


def _came(source: Readable, size: int) -> bytes:
    """The next piece; nothing where the connection broke."""
    with suppress(OSError):
        return source.read(size)
    return b""


def open_(name: str, size: int) -> BinaryIO:
    """A buffered stream of the first ``size`` bytes. Raises :class:`StoreError` when a part is gone."""
    return io.BufferedReader(blobs._Reader(_pieces(name, size)), blobs.CHUNK)


def _pieces(name: str, size: int) -> Iterator[bytes]:
    at = 0
    while at < size:
        try:
            sealed = open(_place(name) / f"{at:020}", "rb")  # noqa: SIM115 - closed below
        except FileNotFoundError:
            raise StoreError("a part of an upload is gone; begin it again") from None
        with sealed:
            before = at
            for number, piece in enumerate(_sealed_pieces(sealed)):
                opened = keys.unseal("delivery", f"upload.{name}.{before}.{number}", piece)
                at += len(opened)
                yield opened


def _sealed_pieces(sealed: BinaryIO) -> Iterator[bytes]:
    while head := sealed.read(blobs.LENGTH_BYTES):
        yield sealed.read(int.from_bytes(head, "big"))


def forget(name: str) -> None:
    """Remove all parts."""
    shutil.rmtree(_place(name), ignore_errors=True)


def sweep(wanted: set[str], *, older: float) -> int:
    """Remove what no upload of these names owns and nobody has touched for ``older`` seconds; returns how many."""
    where = home() / "uploads"
    found = [place for place in (where.iterdir() if where.is_dir() else []) if place.name not in wanted]
    gone = [place for place in found if time.time() - place.stat().st_mtime > older]
    for place in gone:
        shutil.rmtree(place, ignore_errors=True)
    return len(gone)
