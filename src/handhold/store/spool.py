"""Bytes on their way in, sealed piece by piece, so that a broken transfer can go on where it stopped.

A part is one file named by its offset. It counts once whoever keeps the books says that so many bytes are here: what a
killed process wrote beyond that is overwritten by the next.
"""

import io
import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
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


def append(name: str, offset: int, source: Readable, limit: int) -> Part:
    """Seal what comes from ``source``, at most ``limit`` bytes, as the part at ``offset``.

    A source that breaks keeps what came before it broke.
    """
    where = _place(name)
    where.mkdir(parents=True, exist_ok=True)
    draft = where / f"draft-{os.getpid()}-{os.urandom(4).hex()}"
    try:
        return Part(draft, where / f"{offset:020}", _write(draft, f"{name}.{offset}", source, limit))
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise StoreError(
            f"an upload could not be kept ({error.strerror}); free space under HANDHOLD_HOME and go on with it"
        ) from None


def _write(draft: Path, context: str, source: Readable, limit: int) -> int:
    written = number = 0
    with open(draft, "wb") as out:
        while written < limit and (piece := _came(source, min(blobs.CHUNK, limit - written))):
            sealed = keys.seal("delivery", f"upload.{context}.{number}", piece)
            out.write(len(sealed).to_bytes(blobs.LENGTH_BYTES, "big") + sealed)
            written, number = written + len(piece), number + 1
        out.flush()
        os.fsync(out.fileno())
    return written


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
