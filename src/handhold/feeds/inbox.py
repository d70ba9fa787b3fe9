"""The inbox: a delivery is kept before anything is made of it."""

import re
from datetime import date, datetime
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import polars as pl

from handhold import store
from handhold.feeds import archive, health
from handhold.feeds.layout import ORDER, Layout, layouts, recognise
from handhold.feeds.model import Delivery, FeedError, Source
from handhold.pack import Pack, load

UNFINISHED = {".part", ".tmp", ".crdownload", ".partial"}
MAIL = {"eml", "msg", "mbox"}
ARCHIVE = "zip"
WAITS = "no feed of the contract has a file of this name; it waits to be mapped"
SYNTHETIC = "SYNTHETIC.txt"
DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
KNOWN_NUMBERS = """
    select number from feeds_row where number is not null and (feed like 'ero.%' or feed like 'orr.%')
    union select p.number from feeds_row_past p join feeds_delivery d on d.id = p.delivery
    where p.number is not null and d.agency in ('ERO', 'ORR') and d.status = 'read'"""
LEFT = "a table of the court's extract that no feed has: kept, listed and left"
NOT_FEEDS = {SYNTHETIC.lower(), "readme.md", "readme.txt"}


def find(folder: Path) -> list[Path]:
    """The files of a folder of feeds, in the order in which they should be read; files still being written are left."""
    if not folder.exists():
        raise FeedError(f"there is no folder {folder.name!r} here; give the folder that holds the feeds")
    if folder.is_file():
        return [folder]
    files = [
        p
        for p in folder.rglob("*")
        if p.is_file()
        and p.suffix.lower() not in UNFINISHED
        and p.name.lower() not in NOT_FEEDS
        and not p.name.startswith(".")
        and not _being_delivered(p)
    ]
    return in_turn(files)


def in_turn(files: list[Path]) -> list[Path]:
    """Files in the order in which they should be read."""
    pack = load()
    return sorted(files, key=lambda p: (*_turn(p, pack), p.as_posix()))


def _being_delivered(path: Path) -> bool:
    """A message of a Maildir that its mail server is still writing, or the server's own notes."""
    maildir = path.parent.parent if path.parent.name == "tmp" else path.parent
    return (maildir / "tmp").is_dir() and (maildir / "new").is_dir() and (maildir / "cur").is_dir()


def _turn(path: Path, pack: Pack) -> tuple[int, str, int]:
    layout = recognise(path.name, pack)
    if _format(path) == ARCHIVE:
        return ORDER.index("EOIR"), str(as_of(path) or ""), 0
    if layout is None:
        return len(ORDER), "", 0
    return ORDER.index(layout.agency), str(as_of(path) or ""), list(layouts(pack)).index(layout.feed)


def says_synthetic(folder: Path) -> bool | None:
    """``True`` where the folder, or the one above it, carries the simulator's mark; ``None`` where nothing is said."""
    return True if any((place / SYNTHETIC).exists() for place in (folder, folder.parent)) else None


def as_of(path: Source | PurePath) -> date | None:
    """The day a file speaks of: the last date in its own name, else its folder's."""
    for text in (path.name, path.parent.name):
        days = DAY.findall(text)
        if days:
            try:
                return date(*map(int, days[-1]))
            except ValueError:
                continue
    return None


def keep(db: store.Db, path: Source, *, sender: str, by: str, now: datetime, whole: bool = False) -> Delivery:
    """Keep the bytes of ``path`` as they came. The same bytes twice are one delivery; ``again`` says so.

    What was refused because it could not be read whole (``whole``) may come again to be read row by row. A path that is
    no file, or a name that no feed has, is kept or refused with a sentence; only a path that does not exist raises
    :class:`FeedError`.
    """
    pack = load()
    if path.is_dir():
        return _refuse_folder(db, path, sender, now)
    try:
        with path.open("rb") as source:
            sha256, size = store.blobs.keep(source)
    except FileNotFoundError:
        raise FeedError(f"there is no file {path.name!r} here; check the path") from None
    known = _same(db, sha256, whole=whole)
    if known is not None:
        health.came_again(db, known.id, as_of(path), now)
        return known
    if not (known := _new(db, path, sha256, size, recognise(path.name, pack), sender, now, whole=whole)):
        known = _same(db, sha256, whole=whole)  # it came by another door meanwhile
    assert known is not None  # noqa: S101 - a delivery is never removed
    return known


def keep_message(db: store.Db, source: BinaryIO, *, sender: str, now: datetime) -> Delivery:
    """Keep a message that came by a door, as :func:`keep` keeps a file; it has no name but its kind."""
    sha256, size = store.blobs.keep(source)
    own = Delivery(
        store.blind_one(sha256.hex(), "delivery"), sha256, "message.eml", None, None, None, sender, size, now, "kept", format="eml",
    )  # fmt: skip
    known = _same(db, sha256, whole=False) or enter(db, own) or _same(db, sha256, whole=False)
    assert known is not None  # noqa: S101 - a delivery is never removed
    return known


def _refuse_folder(db: store.Db, path: Source, sender: str, now: datetime) -> Delivery:
    """A folder where a file was expected has no bytes to keep; the refusal is all there is to say."""
    why = "this is a folder, not a file; send the files in it"
    return Delivery(0, b"", path.name, None, None, None, sender, 0, now, "refused", why)


def _same(db: store.Db, sha256: bytes, *, whole: bool) -> Delivery | None:
    if not whole:
        db.execute(
            "update feeds_delivery set status = 'kept', whole = false, why = null where sha256 = %s and status = 'refused' and whole",
            [sha256],
        )
    known = store.fetch(db, "select * from feeds_delivery where sha256 = %s", [sha256])
    return from_row(known[0], again=known[0]["status"] != "kept") if known else None


def _new(
    db: store.Db,
    path: Source,
    sha256: bytes,
    size: int,
    layout: Layout | None,
    sender: str,
    now: datetime,
    *,
    whole: bool,
) -> Delivery | None:
    format_ = _format(path)
    status, why = ("kept", None) if layout or format_ in {*MAIL, ARCHIVE} else _nobodys(path)
    delivery = Delivery(
        id=store.blind_one(sha256.hex(), "delivery"), sha256=sha256, name=path.name, feed=layout.feed if layout else None,
        format=format_,
        agency=layout.agency if layout else None, as_of=as_of(path), sender=sender, bytes=size, received=now,
        status=status, why=why, whole=whole,
    )  # fmt: skip
    return enter(db, delivery)


def _nobodys(path: Source) -> tuple[str, str]:
    """What becomes of a file that no feed has: one of the court's many tables is left, anything else waits to be mapped."""
    if archive.names_a_table(path):
        return "read", LEFT
    return "waiting", WAITS


def open_(delivery: Delivery) -> BinaryIO:
    """The bytes of a delivery as they came."""
    if delivery.bytes_of is not None and delivery.member is not None:
        return archive.open_(delivery.bytes_of, delivery.member)
    return store.blobs.open_(delivery.sha256)


def _format(path: Source) -> str | None:
    """What kind of file it is by its name; the messages of a Maildir have no name that says so."""
    in_maildir = (
        isinstance(path, Path)
        and path.parent.name in {"cur", "new"}
        and (path.parent.parent / "tmp").is_dir()
    )
    return "eml" if in_maildir else path.suffix.lower().lstrip(".")[:8] or None


def enter(db: store.Db, delivery: Delivery) -> Delivery | None:
    """Write down a delivery that was not known; ``None`` where another process has written it meanwhile."""
    sealed = {
        name: store.seal("delivery", f"feeds_delivery.{name}_sealed.{delivery.id}", text.encode()) if text is not None else None
        for name, text in (("name", delivery.name), ("sheet", delivery.sheet))
    }  # fmt: skip
    made = db.execute(
        """insert into feeds_delivery (id, sha256, name_sealed, feed, format, agency, as_of, sender, bytes, received, status, why, whole,
                                       mapping, bytes_of, sheet_sealed, member)
           values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing""",
        [delivery.id, delivery.sha256, sealed["name"], delivery.feed, delivery.format, delivery.agency, delivery.as_of, delivery.sender,
         delivery.bytes, delivery.received, delivery.status, delivery.why, delivery.whole, delivery.mapping, delivery.bytes_of,
         sealed["sheet"], delivery.member],
    )  # fmt: skip
    return delivery if made.rowcount else None


def from_row(row: dict[str, Any], *, again: bool = False) -> Delivery:
    """A delivery as the table has it."""
    name = store.unseal("delivery", f"feeds_delivery.name_sealed.{row['id']}", row["name_sealed"]).decode()
    return Delivery(
        id=row["id"], sha256=bytes(row["sha256"]), name=name, feed=row["feed"], format=row["format"], agency=row["agency"], as_of=row["as_of"],
        sender=row["sender"], bytes=row["bytes"], received=row["received"], status=row["status"], why=row["why"], rows=row["rows"],
        loaded=row["loaded"], unchanged=row["unchanged"], quarantined=row["quarantined"], left=row["left_"],
        withdrawn=row["withdrawn"], missing_columns=tuple(row["missing_columns"]), again=again,
        whole=row["whole"], released=row["released"], changed=row["changed"], mapping=row["mapping"],
        bytes_of=bytes(row["bytes_of"]) if row["bytes_of"] else None, sheet=_sheet(row), member=row["member"],
    )  # fmt: skip


def _sheet(row: dict[str, Any]) -> str | None:
    sealed = row["sheet_sealed"]
    return (
        store.unseal("delivery", f"feeds_delivery.sheet_sealed.{row['id']}", sealed).decode()
        if sealed
        else None
    )


def groups(deliveries: list[Delivery]) -> list[list[Delivery]]:
    """What is read together: the tables of one court extract; every other delivery alone. Only what waits to be read."""
    found: dict[tuple[Any, ...], list[Delivery]] = {}
    for delivery in {d.id: d for d in deliveries}.values():
        if delivery.status == "kept" and not delivery.again:
            alone = () if delivery.agency == "EOIR" else (delivery.id,)
            found.setdefault((delivery.agency, delivery.as_of, *alone), []).append(delivery)
    return list(found.values())


def listed(db: store.Db, *, limit: int = 200) -> list[Delivery]:
    """The newest deliveries first."""
    rows = store.fetch(
        db, "select * from feeds_delivery order by received desc, recorded desc, id limit %s", [limit]
    )
    return [from_row(row) for row in rows]


def unread(db: store.Db, deliveries: list[Delivery]) -> tuple[list[Delivery], list[Delivery]]:
    """Those that still wait to be read, and those that somebody has read since they were kept, as they are now."""
    kept = {d.id: d for d in deliveries}
    rows = store.fetch(
        db, "select * from feeds_delivery where id = any(%s) and status <> 'kept'", [list(kept)]
    )
    done = [from_row(row, again=True) for row in rows]
    for delivery in done:
        kept.pop(delivery.id)
    return list(kept.values()), done


def left_behind(db: store.Db, *, minutes: int) -> list[Delivery]:
    """Deliveries that were kept a while ago and never read: whoever kept them was killed."""
    query = "select * from feeds_delivery where status = 'kept' and recorded < now() - make_interval(mins => %s) order by received, id"
    return [from_row(row) for row in store.fetch(db, query, [minutes])]


def settle(db: store.Db, delivery: Delivery, now: datetime) -> None:
    """Write down what became of a delivery."""
    db.execute(
        """update feeds_delivery set status = %s, why = %s, rows = %s, loaded = %s, unchanged = %s, quarantined = %s, left_ = %s,
           withdrawn = %s, missing_columns = %s, changed = %s, read_at = %s where id = %s""",
        [delivery.status, delivery.why, delivery.rows, delivery.loaded, delivery.unchanged, delivery.quarantined, delivery.left,
         delivery.withdrawn, list(delivery.missing_columns), delivery.changed, now, delivery.id],
    )  # fmt: skip


def known_numbers(db: store.Db) -> pl.Series:
    """Blind hashes of every A-number that ERO or ORR stated, also of one they corrected since: the court's cases that carry
    one are a child's, whichever came first."""
    return store.frame(db, KNOWN_NUMBERS)["number"]
