"""Bytes as they came, sealed in chunks, in files named by their own hash.

One pass hashes and seals. A chunk's number and whether it is the last are bound to it, so a shortened or reordered
file does not open.
"""

import hashlib
import io
import os
import shutil
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from pathlib import Path
from typing import BinaryIO

from handhold.store import keys
from handhold.store.errors import StoreError
from handhold.store.home import home
from handhold.store.sealed import SEAL_BYTES

CHUNK = 1 << 20
LENGTH_BYTES = 4
ASIDE = "rehearsal"
_rehearsing: list[bool] = []


def _folder() -> Path:
    where = home() / "blobs"
    where.mkdir(exist_ok=True)
    return where


def _place(sha256: bytes) -> Path:
    name = sha256.hex()
    return _folder() / name[:2] / name[2:]


def _aside(sha256: bytes) -> Path:
    return _folder() / ASIDE / sha256.hex()


def keep(source: BinaryIO) -> tuple[bytes, int]:
    """Hash and seal a stream; returns its SHA-256 and size. What is already there is left as it is."""
    fresh = _folder() / f"incoming-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        sha256, size = _seal_to(source, fresh)
        place = _place(sha256)
        if not place.exists():
            place = _aside(sha256) if _rehearsing else place
            place.parent.mkdir(parents=True, exist_ok=True)
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
    """Whatever is kept meanwhile lies aside and is removed at the end: for a rehearsal, while nobody else keeps anything.

    What a killed rehearsal left aside is removed by the next one.
    """
    shutil.rmtree(_folder() / ASIDE, ignore_errors=True)
    _rehearsing.append(True)
    try:
        yield
    finally:
        _rehearsing.clear()
        shutil.rmtree(_folder() / ASIDE, ignore_errors=True)


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


class _Reader(io.RawIOBase):
    """Pieces as one readable stream."""

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


class _Kept(io.RawIOBase):
    """The bytes that were kept as one stream. Any place in it can be gone to: a chunk opens without those before it."""

    def __init__(self, sealed: BinaryIO) -> None:
        self._sealed = sealed
        self._places = list(_places(sealed))  # where each chunk lies, how long it is sealed
        if not self._places or any(length < SEAL_BYTES for _, length in self._places):
            raise StoreError("the bytes of a delivery are damaged; restore HANDHOLD_HOME/blobs")
        sizes = [length - SEAL_BYTES for _, length in self._places]
        self._firsts = [0, *accumulate(sizes)]  # the first byte of each chunk, and the whole length
        self._at, self._number, self._chunk = 0, -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(
            0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._firsts[-1]}[whence]
        )
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]
        if self._at >= self._firsts[-1]:
            return 0
        number = bisect_right(self._firsts, self._at) - 1
        if number != self._number:
            self._number, self._chunk = number, self._opened(number)
        begin = self._at - self._firsts[number]
        size = min(len(buffer), len(self._chunk) - begin)
        buffer[:size] = self._chunk[begin : begin + size]
        self._at += size
        return size

    def _opened(self, number: int) -> bytes:
        place, length = self._places[number]
        self._sealed.seek(place)
        last = number == len(self._places) - 1
        return keys.unseal("delivery", _context(number, last=last), self._sealed.read(length))

    def close(self) -> None:
        self._sealed.close()
        super().close()


def _places(sealed: BinaryIO) -> Iterator[tuple[int, int]]:
    at = 0
    while head := sealed.read(LENGTH_BYTES):
        length = int.from_bytes(head, "big")
        yield at + LENGTH_BYTES, length
        at = sealed.seek(at + LENGTH_BYTES + length)


def open_(sha256: bytes) -> BinaryIO:
    """A buffered stream of the bytes that were kept, any place of which can be gone to. Raises :class:`StoreError` when they
    are gone, or on the way when they are damaged."""
    place = _place(sha256)
    try:
        return io.BufferedReader(_Kept(open(place if place.exists() else _aside(sha256), "rb")), CHUNK)
    except FileNotFoundError:
        raise StoreError(
            f"the bytes of delivery {sha256.hex()[:12]} are gone; restore HANDHOLD_HOME/blobs"
        ) from None
