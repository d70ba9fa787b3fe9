"""Bytes as they came, sealed in chunks, in files named by their own hash.

One pass hashes and seals. A chunk's number and whether it is the last are bound to it, so a shortened or reordered
file does not open.
"""

import hashlib
import io
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from handhold.store import keys
from handhold.store.errors import StoreError
from handhold.store.home import home

CHUNK = 1 << 20
LENGTH_BYTES = 4


def _folder() -> Path:
    where = home() / "blobs"
    where.mkdir(exist_ok=True)
    return where


def _place(sha256: bytes) -> Path:
    name = sha256.hex()
    return _folder() / name[:2] / name[2:]


def keep(source: BinaryIO) -> tuple[bytes, int]:
    """Hash and seal a stream; returns its SHA-256 and size. What is already there is left as it is."""
    fresh = _folder() / f"incoming-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        sha256, size = _seal_to(source, fresh)
        place = _place(sha256)
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            fresh.replace(place)
            _sync_folder(place.parent)
        return sha256, size
    except OSError as error:
        raise StoreError(
            f"a delivery could not be kept ({error.strerror}); free space under HANDHOLD_HOME and send it again"
        ) from None
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def nothing_kept() -> Iterator[None]:
    """Whatever is kept meanwhile is removed at the end: for a rehearsal, during which nobody else keeps anything."""
    before = set(_folder().glob("??/*"))
    try:
        yield
    finally:
        for place in set(_folder().glob("??/*")) - before:
            place.unlink(missing_ok=True)


def _seal_to(source: BinaryIO, target: Path) -> tuple[bytes, int]:
    whole, size, number = hashlib.sha256(), 0, 0
    with open(target, "wb") as out:
        chunk = source.read(CHUNK)
        while True:
            following = source.read(CHUNK) if chunk else b""
            whole.update(chunk)
            size += len(chunk)
            sealed = keys.seal("delivery", _context(number, last=not following), chunk)
            out.write(len(sealed).to_bytes(LENGTH_BYTES, "big") + sealed)
            if not following:
                break
            chunk, number = following, number + 1
        out.flush()
        os.fsync(out.fileno())
    return whole.digest(), size


def _context(number: int, *, last: bool) -> str:
    return f"blob.{number}.{'last' if last else 'more'}"


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def chunks(sha256: bytes) -> Iterator[bytes]:
    """The bytes that were kept, piece by piece. Raises :class:`StoreError` when they are gone or damaged."""
    try:
        with open(_place(sha256), "rb") as sealed:
            yield from _open_from(sealed)
    except FileNotFoundError:
        raise StoreError(
            f"the bytes of delivery {sha256.hex()[:12]} are gone; restore HANDHOLD_HOME/blobs"
        ) from None


def _open_from(sealed: BinaryIO) -> Iterator[bytes]:
    number, head = 0, sealed.read(LENGTH_BYTES)
    while head:
        blob = sealed.read(int.from_bytes(head, "big"))
        head = sealed.read(LENGTH_BYTES)
        yield keys.unseal("delivery", _context(number, last=not head), blob)
        number += 1


class _Reader(io.RawIOBase):
    """The chunks as one readable stream."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._rest = piece
        size = min(len(buffer), len(self._rest))
        buffer[:size], self._rest = self._rest[:size], self._rest[size:]
        return size


def open_(sha256: bytes) -> BinaryIO:
    """A buffered stream of the bytes that were kept."""
    return io.BufferedReader(_Reader(chunks(sha256)), CHUNK)
