"""Uploads: files that come in parts through a page or the interface, kept apart until they are whole and taken in.

An upload's id is its sender's own (a UUID, so that it can say nothing), apart by agency. The same id with the same name
and size goes on where it stopped.
"""

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, BinaryIO, Literal
from uuid import UUID

from handhold import store
from handhold.feeds.layout import recognise
from handhold.feeds.model import FeedError
from handhold.pack import Pack
from handhold.store import spool

LONG = 86_400.0  # seconds after which parts that no upload owns are removed


class UploadError(FeedError):
    """An upload that cannot go on so: ``code`` is stable, the message says what to do."""

    def __init__(self, code: str, said: str) -> None:
        super().__init__(said)
        self.code = code


@dataclass(frozen=True)
class Folder:
    """The folder of something that came without one; its name may be the day it speaks of."""

    name: str

    @property
    def suffix(self) -> str:
        return ""

    @property
    def parent(self) -> "Folder":
        return Folder("")

    def is_dir(self) -> bool:
        return True

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        raise IsADirectoryError(self.name)


@dataclass(frozen=True)
class Upload:
    """A file on its way in: how much of it is here, and the delivery it became. A ``feeds.Source``."""

    agency: str
    id: UUID
    name: str
    size: int
    received: int
    as_of: date | None
    delivery: int | None

    @property
    def complete(self) -> bool:
        """Whether all of it is here, or has been."""
        return self.received == self.size

    @property
    def place(self) -> str:
        """The name of its parts in the spool."""
        return place(self.agency, self.id)

    @property
    def suffix(self) -> str:
        dot = self.name.rfind(".")
        return self.name[dot:] if dot > 0 else ""

    @property
    def parent(self) -> Folder:
        return Folder(self.as_of.isoformat() if self.as_of else "")

    def is_dir(self) -> bool:
        return False

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        return spool.open_(self.place, self.size)


def place(agency: str, id: UUID) -> str:
    """Where the parts of an upload lie in the spool."""
    return hashlib.sha256(f"{agency}/{id}".encode()).hexdigest()


def begin(
    db: store.Db, id: UUID, *, agency: str, by: str, name: str, size: int, as_of: date | None, now: datetime, pack: Pack
) -> Upload:  # fmt: skip
    """The upload of this id, begun now or before. Raises :class:`UploadError` for another file under the same id."""
    known = find(db, id, agency)
    if known is None:
        _room(db, agency, size, pack)
        sealed = store.seal("delivery", f"feeds_upload.name_sealed.{agency}.{id}", name.encode())
        db.execute(
            "insert into feeds_upload (agency, id, by, name_sealed, size, as_of, begun) values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            [agency, id, by, sealed, size, as_of, now],
        )
        known = find(db, id, agency)
    if known is None or (known.name, known.size, known.as_of) != (name, size, as_of):
        raise UploadError(
            "id-in-use", "another file was begun under this id; choose a new id, or delete this one first"
        )
    return known


def _room(db: store.Db, agency: str, size: int, pack: Pack) -> None:
    limits = pack.toml("feeds/doors.toml")["upload"]
    if size > limits["delivery_bytes"]:
        raise UploadError(
            "too-large", f"a delivery may have {limits['delivery_bytes']:,} bytes; split the file"
        )
    (count,) = db.execute(
        "select count(*) from feeds_upload where agency = %s and delivery is null", [agency]
    ).fetchone() or (0,)
    if count >= limits["unfinished"]:
        raise UploadError(
            "too-many-uploads", f"{count} uploads of your agency are not finished; finish or delete one first"
        )


def find(db: store.Db, id: UUID, agency: str) -> Upload | None:
    """The upload of this id, if this agency has one."""
    rows = store.fetch(db, "select * from feeds_upload where agency = %s and id = %s", [agency, id])
    return _from_row(rows[0]) if rows else None


def _from_row(row: dict[str, Any]) -> Upload:
    context = f"feeds_upload.name_sealed.{row['agency']}.{row['id']}"
    name = store.unseal("delivery", context, bytes(row["name_sealed"])).decode()
    return Upload(row["agency"], row["id"], name, row["size"], row["received"], row["as_of"], row["delivery"])


def append(upload: Upload, offset: int, source: spool.Readable, length: int) -> spool.Part:
    """Seal the bytes that follow. They count only after :func:`grown`."""
    if offset != upload.received:
        raise UploadError("offset-mismatch", f"{upload.received} bytes are here; go on from there")
    return spool.append(upload.place, offset, source, min(length, upload.size - offset))


def grown(db: store.Db, upload: Upload, part: spool.Part) -> Upload:
    """Count what :func:`append` sealed. Raises :class:`UploadError` when somebody else went on meanwhile."""
    done = db.execute(
        "update feeds_upload set received = received + %s where agency = %s and id = %s and received = %s and delivery is null",
        [part.written, upload.agency, upload.id, upload.received],
    )
    if not done.rowcount:
        part.drop()
        raise UploadError("offset-mismatch", "somebody else sent this part meanwhile; ask how much is here")
    part.settle()
    return replace(upload, received=upload.received + part.written)


def became(db: store.Db, upload: Upload, delivery: int) -> Upload:
    """Say which delivery it became."""
    db.execute(
        "update feeds_upload set delivery = %s where agency = %s and id = %s",
        [delivery, upload.agency, upload.id],
    )
    return replace(upload, delivery=delivery)


def drop(db: store.Db, upload: Upload) -> None:
    """Forget an upload that was not taken in; its parts are removed by :func:`clear` after the commit."""
    db.execute(
        "delete from feeds_upload where agency = %s and id = %s and delivery is null",
        [upload.agency, upload.id],
    )


def clear(upload: Upload) -> None:
    """Remove the parts of an upload that is taken in or forgotten."""
    spool.forget(upload.place)


def stale(db: store.Db, *, now: datetime, pack: Pack) -> list[Upload]:
    """Uploads that nobody finished or took in for so long that they are forgotten."""
    days = pack.toml("feeds/doors.toml")["upload"]["days"]
    rows = store.fetch(
        db,
        "select * from feeds_upload where delivery is null and begun < %s",
        [now - timedelta(days=days)],
    )
    return [_from_row(row) for row in rows]


def sweep(db: store.Db) -> int:
    """Remove parts that belong to no upload: whoever sent them was cut off before it was written down."""
    rows = store.fetch(db, "select agency, id from feeds_upload where delivery is null")
    return spool.sweep({place(row["agency"], row["id"]) for row in rows}, older=LONG)


def agency_of(name: str, pack: Pack) -> str | None:
    """Whose feed a file of this name is, or ``None`` where no feed has such a name."""
    layout = recognise(name, pack)
    return layout.agency if layout else None
