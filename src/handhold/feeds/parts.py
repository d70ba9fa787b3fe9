"""What a delivery holds: a message's attachments, an mbox's messages, a workbook's sheets, an archive's tables; each with a
fate of its own.

A container is opened in one transaction with all its parts, so a process killed in between opens it again; a part whose
bytes came before is the same delivery, whoever brought it.
"""

import hashlib
import io
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from zoneinfo import ZoneInfo

from handhold import store
from handhold.feeds import archive, inbox, mail
from handhold.feeds.inbox import ARCHIVE, MAIL
from handhold.feeds.mapping import book, sheets
from handhold.feeds.model import Delivery, Unreadable
from handhold.pack import Pack

WORKBOOKS = {"xlsx", "xlsm", "xls", "ods"}
ABOVE = """
    select distinct d.* from feeds_part p join feeds_delivery d on d.id = p.container
    where p.part = any(%s) and not exists (select from feeds_undoing u where u.delivery = d.id and u.redone is null)"""
PARTS = "select d.*, p.n from feeds_part p join feeds_delivery d on d.id = p.part where p.container = %s order by p.n"
ZONE = "America/New_York"
LEFT_SHOWN = 2_000  # letters of a sentence that names what was left
MESSAGE_BYTES = 200 << 20  # the longest message that is opened


def sort_out(db: store.Db, delivery: Delivery, *, pack: Pack) -> list[Delivery]:
    """What a kept delivery comes to: itself and its parts, each ready to be read, waiting for a person, or refused.

    A delivery of the contract is itself. One that was sorted out before gives what is still to be read of it.
    """
    if not may_have(delivery):
        return [delivery]
    delivery = _as_it_is_now(db, delivery)
    known = _parts(db, delivery)
    if known:
        return [delivery, *(deep for part in known if part.status == "kept" or _parts(db, part)
                            for deep in sort_out(db, part, pack=pack))]  # fmt: skip
    if delivery.status not in {"kept", "waiting"} or (delivery.again and delivery.status != "kept"):
        return [delivery]
    if delivery.format in MAIL:
        return _message(db, delivery, pack, 0)
    if delivery.format == ARCHIVE:
        return _archive(db, delivery, pack)
    return _table(db, delivery, pack)


def _as_it_is_now(db: store.Db, delivery: Delivery) -> Delivery:
    """Two processes may have been told of one delivery; the second sees what the first made of it."""
    store.lock(db, "feeds.parts")
    (row,) = store.fetch(db, "select * from feeds_delivery where id = %s", [delivery.id])
    return inbox.from_row(row, again=delivery.again)


def may_have(delivery: Delivery) -> bool:
    """Whether a delivery is one of no feed's, or of a sender's own, that must be sorted out before it is read."""
    return bool(delivery.id) and (delivery.feed is None or delivery.mapping is not None)


def _parts(db: store.Db, delivery: Delivery) -> list[Delivery]:
    return [inbox.from_row(row) for row in store.fetch(db, PARTS, [delivery.id])] if delivery.id else []


def listed(db: store.Db, container: int) -> list[Delivery]:
    """The parts of a delivery, in the order in which they lie in it."""
    return [inbox.from_row(row) for row in store.fetch(db, PARTS, [container])]


def containers(db: store.Db, part: int) -> list[Delivery]:
    """What brought a delivery: every message or workbook it lies in."""
    rows = store.fetch(
        db, "select d.* from feeds_part p join feeds_delivery d on d.id = p.container where p.part = %s order by d.received, d.id", [part]
    )  # fmt: skip
    return [inbox.from_row(row) for row in rows]


def _message(db: store.Db, delivery: Delivery, pack: Pack, depth: int) -> list[Delivery]:
    """Open a message, or every message of an mbox."""
    try:
        with store.blobs.open_(delivery.sha256) as kept:
            if delivery.format == "mbox":
                made = [
                    deep
                    for n, data in enumerate(mail.messages(kept, MESSAGE_BYTES))
                    for deep in _inner(
                        db, delivery, n, mail.Part(f"message {n + 1}.eml", data, message=True), pack, depth
                    )
                ]
                return [settle(db, delivery), *made]
            data = kept.read(MESSAGE_BYTES + 1)
        if len(data) > MESSAGE_BYTES:
            raise Unreadable("the message is larger than a message may be; send its list in pieces")
        said = mail.parse(data, delivery.format or "eml")
    except Unreadable as why:
        return [fate(db, delivery.refused(str(why)))]
    delivery = _note(db, delivery, said)
    made = [deep for n, part in enumerate(said.parts) for deep in _inner(db, delivery, n, part, pack, depth)]
    return [settle(db, delivery), *made]


def _note(db: store.Db, delivery: Delivery, said: mail.Message) -> Delivery:
    """Keep what the message says besides its attachments. A date that lies after the receiving is no date of sending."""
    sent = min(said.sent or delivery.received, delivery.received)
    sealed = {
        name: store.seal(
            "delivery", f"feeds_message.{name}_sealed.{delivery.id}", text.encode("utf-8", "replace")
        )
        for name, text in (
            ("sender", said.sender or delivery.sender),
            ("subject", said.subject),
            ("remark", said.remark),
        )
    }
    db.execute(
        "insert into feeds_message (delivery, sent, sender_sealed, subject_sealed, remark_sealed) values (%s, %s, %s, %s, %s)",
        [delivery.id, sent, sealed["sender"], sealed["subject"], sealed["remark"]],
    )
    return replace(delivery, as_of=sent.astimezone(ZoneInfo(ZONE)).date())


def _inner(
    db: store.Db, container: Delivery, n: int, part: mail.Part, pack: Pack, depth: int
) -> list[Delivery]:
    """Keep one part and sort it out in turn."""
    sha256, size = store.blobs.keep(io.BytesIO(part.data))
    format_ = part.name.rpartition(".")[2].lower()[:8] or None if "." in part.name else None
    if part.message:
        format_ = "msg" if part.data.startswith(sheets.OLE) else "eml"
    own = Delivery(
        store.blind_one(sha256.hex(), "delivery"), sha256, part.name, None, None, container.as_of, container.sender, size, container.received,
        "waiting", format=format_, whole=container.whole,
    )  # fmt: skip
    made, again = _linked(db, container, n, own)
    if again or part.refused:
        return [made if again else fate(db, made.refused(part.refused or ""))]
    if part.message and depth >= mail.DEEPEST:
        return [
            fate(db, made.refused("a message too deep in other messages is not opened; send it by itself"))
        ]
    return _message(db, made, pack, depth + 1) if part.message else _table(db, made, pack)


def _linked(db: store.Db, container: Delivery, n: int, own: Delivery) -> tuple[Delivery, bool]:
    """The part as a delivery that hangs on its container; whether it had come before."""
    known = store.fetch(db, "select * from feeds_delivery where sha256 = %s", [own.sha256])
    made = inbox.from_row(known[0], again=True) if known else (inbox.enter(db, own) or own)
    db.execute("insert into feeds_part (container, n, part) values (%s, %s, %s)", [container.id, n, made.id])
    return made, bool(known)


def _table(db: store.Db, delivery: Delivery, pack: Pack) -> list[Delivery]:
    """A part that may be a table: its sheets as parts of their own where there are several, else itself.

    A plain file that nobody has mapped is not opened: a folder may hold gigabytes that are nobody's business.
    """
    in_mail = bool(store.fetch(db, "select 1 from feeds_part where part = %s limit 1", [delivery.id]))
    workbook = delivery.format in WORKBOOKS and delivery.sheet is None
    if in_mail or workbook:
        try:
            found = book.opened(delivery, pack)
        except Unreadable as why:
            return [fate(db, delivery.refused(str(why)))]
        if not found:
            return [fate(db, delivery.refused("there is nothing in this spreadsheet; send it again"))]
        if workbook and len(found) > 1:
            made = [_sheet(db, delivery, n, one.name, pack) for n, one in enumerate(found)]
            return [settle(db, delivery), *made]
    return [fate(db, book.assigned(db, delivery, pack))]


def _sheet(db: store.Db, workbook: Delivery, n: int, name: str, pack: Pack) -> Delivery:
    """One sheet of several: it has no bytes of its own, but a fate."""
    sha256 = hashlib.sha256(workbook.sha256 + b"\0sheet\0" + name.encode()).digest()
    own = replace(
        workbook, id=store.blind_one(sha256.hex(), "delivery"), sha256=sha256, bytes_of=workbook.sha256, sheet=name, status="waiting", why=None,
    )  # fmt: skip
    made, again = _linked(db, workbook, n, own)
    return made if again else fate(db, book.assigned(db, made, pack))


def _archive(db: store.Db, delivery: Delivery, pack: Pack) -> list[Delivery]:
    """The tables of a court's dump as parts of it; what no feed has is listed and left."""
    try:
        held = archive.contents(delivery.sha256, pack)
    except Unreadable as why:
        return [fate(db, delivery.refused(str(why)))]
    if not held.tables:
        return [fate(db, delivery.refused(NO_DUMP))]
    db.execute(
        "insert into feeds_archive (delivery, others, tables) values (%s, %s, %s)",
        [delivery.id, len(held.left) + held.unnamed, held.left],
    )
    made = [_of_archive(db, delivery, n, one) for n, one in enumerate(held.tables)]
    return [settle(db, delivery), *made]


NO_DUMP = (
    "an archive (zip) is opened only for the court's tables, and none is in it; send its files themselves"
)


def _of_archive(db: store.Db, whole: Delivery, n: int, one: archive.Table) -> Delivery:
    """A table's day is the one its own name or folder says, else its archive's. Alone it may have come before."""
    own = replace(
        whole, id=store.blind_one(one.sha256.hex(), "delivery"), sha256=one.sha256, name=one.path.name, feed=one.layout.feed,
        format=one.path.suffix.lower().lstrip(".")[:8] or None, agency=one.layout.agency, as_of=inbox.as_of(one.path) or whole.as_of,
        bytes=one.bytes, status="kept", why=None, again=False, bytes_of=whole.sha256, member=one.member,
    )  # fmt: skip
    made, _ = _linked(db, whole, n, own)
    return replace(made, again=made.status != "kept")


def fate(db: store.Db, delivery: Delivery) -> Delivery:
    """Write down what a delivery waits for, or why it is refused."""
    db.execute(
        "update feeds_delivery set status = %s, why = %s, mapping = %s, feed = %s, agency = %s, as_of = %s where id = %s",
        [
            delivery.status,
            delivery.why,
            delivery.mapping,
            delivery.feed,
            delivery.agency,
            delivery.as_of,
            delivery.id,
        ],
    )
    return replace(delivery, again=False)


def settle(db: store.Db, container: Delivery) -> Delivery:
    """Say of a container what became of its parts."""
    fates = Counter(row["status"] for row in store.fetch(db, PARTS, [container.id]))
    if not fates:
        done = container.refused(
            "the message carries no attachment; its text is kept, and nothing is read from it"
        )
    else:
        waits = fates["kept"] + fates["waiting"] > 0
        taken = "read" if fates["read"] + fates["held"] else "undone" if fates["undone"] else "refused"
        status = "waiting" if waits else taken
        said = ", ".join(f"{n} {SAID[status]}" for status, n in sorted(fates.items()))
        done = replace(
            container,
            status=status,
            why=(f"{fates.total()} parts: {said}" if fates.total() > 1 else f"1 part: {said}")
            + _left(db, container),
        )
    return fate(db, done)


def _left(db: store.Db, container: Delivery) -> str:
    """What of an archive no feed has."""
    rows = store.fetch(
        db, "select others, tables from feeds_archive where delivery = %s and others > 0", [container.id]
    )
    if not rows:
        return ""
    named = ", ".join(rows[0]["tables"])
    return f"; {rows[0]['others']} more listed and left{f': {named}' if named else ''}"[:LEFT_SHOWN]


SAID = {
    "kept": "to be read",
    "read": "read",
    "held": "held",
    "refused": "refused",
    "waiting": "waiting to be mapped",
    "undone": "undone",
}


def settle_above(db: store.Db, deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Bring what is said of their containers up to date, from the inside out; returns the containers. What a person undid stays
    undone, whatever becomes of its parts."""
    ids = [delivery.id for delivery in deliveries]
    settled: list[Delivery] = []
    while ids:
        rows = store.fetch(db, ABOVE, [ids])
        above = [settle(db, inbox.from_row(row)) for row in rows]
        ids = [one.id for one in above]
        settled += above
    return settled


def waiting(db: store.Db, *, limit: int = 200, offset: int = 0) -> list[Delivery]:
    """The parts that wait for a mapping, the oldest first; what holds parts is not one of them."""
    rows = store.fetch(
        db,
        """select d.* from feeds_delivery d where d.status = 'waiting' and not exists (select from feeds_part p where p.container = d.id)
           order by d.received, d.id limit %s offset %s""",
        [limit, offset],
    )
    return [inbox.from_row(row) for row in rows]


def not_read(db: store.Db) -> Iterator[Delivery]:
    """Messages that were kept and not opened yet, and parts that have a mapping and were not read yet."""
    rows = store.fetch(
        db,
        """select * from feeds_delivery where status = 'kept' and (mapping is not null or format = any(%s))
           order by received, recorded, id""",
        [sorted(MAIL)],
    )
    return (inbox.from_row(row) for row in rows)


def remark(db: store.Db, delivery: int) -> dict[str, str] | None:
    """``sender``, ``subject`` and ``remark`` of a message in the clear; ``None`` for what is no message."""
    rows = store.fetch(db, "select * from feeds_message where delivery = %s", [delivery])
    if not rows:
        return None
    return {
        name: store.unseal(
            "delivery", f"feeds_message.{name}_sealed.{delivery}", rows[0][f"{name}_sealed"]
        ).decode()
        for name in ("sender", "subject", "remark")
        if rows[0][f"{name}_sealed"]
    }
