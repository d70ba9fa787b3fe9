"""Sealing: entries get their place in the Merkle tree, and the tree's head is signed and handed out.

Entries are appended flat by many transactions at once; one sequencer at a time puts those that have no leaf yet behind
the others. Identity order is not commit order, so it takes what is listed as waiting and not what has a higher number.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from handhold import store
from handhold.ledger import keys, trail
from handhold.ledger.errors import LedgerError
from handhold.ledger.merkle import Frontier
from handhold.ledger.note import Head

LOCK = "ledger"
BATCH = 50_000  # entries read at once
_signed: list[int] = []  # sizes of heads that this process signed and may not have handed out yet


@dataclass(frozen=True)
class Checkpoint:
    """A signed head: how many leaves, the root over them, the note, and the peaks to go on from."""

    size: int
    root: bytes
    note: str
    frontier: Frontier


def seal(db: store.Db, *, now: datetime) -> Checkpoint | None:
    """Give every committed entry without a leaf its place, and sign the head; ``None`` when nothing waited.

    Two sequencers at once are harmless: the second waits for the first. Raises :class:`LedgerError` when the stored
    head does not fit its own frontier: the ledger was tampered with, and nothing is built on it.
    """
    store.lock(db, LOCK)
    frontier = _stored_frontier(db)
    before = frontier.size
    _grow(db, frontier)
    if frontier.size == before:
        return None
    head = _sign(db, frontier, now)
    _signed.append(head.size)
    return head


def _stored_frontier(db: store.Db) -> Frontier:
    row = db.execute(
        "select size, root, frontier from ledger_checkpoint order by size desc limit 1"
    ).fetchone()
    if row is None:
        return Frontier()
    with suppress(ValueError):
        frontier = Frontier.unpacked(row[0], bytes(row[2]))
        if frontier.root() == bytes(row[1]):
            return frontier
    raise LedgerError(
        f"the ledger's head at {row[0]} does not fit its own root; run `handhold verify` and restore from backup"
    )


def _grow(db: store.Db, frontier: Frontier) -> None:
    """Move what waits into the tree, in the order of its numbers."""
    with db.cursor(name="ledger_waits") as waits:
        waits.itersize = BATCH
        waits.execute(WAITS)
        for rows in iter(lambda: waits.fetchmany(BATCH), []):
            leaves = [
                (frontier.size + n, seq, trail.leaf(payload, salt))
                for n, (seq, payload, salt) in enumerate(rows)
            ]
            _put_leaves(db, leaves)
            frontier.extend(leaf for _, _, leaf in leaves)
            db.execute("delete from ledger_waiting where seq = any(%s)", [[seq for _, seq, _ in leaves]])


WAITS = "select seq, payload, salt from ledger_entry join ledger_waiting using (seq) order by seq"


def _put_leaves(db: store.Db, leaves: Iterable[tuple[int, int, bytes]]) -> None:
    with db.cursor().copy("copy ledger_leaf (index, seq, hash) from stdin (format binary)") as copy:
        copy.set_types(["int8", "int8", "bytea"])
        for row in leaves:
            copy.write_row(row)


def _sign(db: store.Db, frontier: Frontier, now: datetime) -> Checkpoint:
    root = frontier.root()
    note = keys.signer().sign(frontier.size, root)
    db.execute(
        "insert into ledger_checkpoint (size, root, note, at, frontier) values (%s, %s, %s, %s, %s)",
        [frontier.size, root, note, now, frontier.packed()],
    )
    return Checkpoint(frontier.size, root, note, frontier)


def folder() -> Path:
    """Where this home keeps the heads it has handed out."""
    return store.home() / "checkpoints"


def hand_out() -> None:
    """Write the heads signed by this process as files, once they are committed; nothing to do costs nothing."""
    if not _signed:
        return
    with store.transaction() as db:
        publish(db)
    _signed.clear()


def publish(db: store.Db) -> int:
    """Write each stored head that is newer than the newest file to ``checkpoints/SIZE.txt``; returns how many.

    Only committed heads may be handed out: a head that is rolled back would look like a forked log for ever.
    """
    where = folder()
    where.mkdir(exist_ok=True)
    newest = max(handed_out_sizes(), default=0)
    rows = db.execute(
        "select size, note from ledger_checkpoint where size > %s order by size", [newest]
    ).fetchall()
    for size, note in rows:
        keys.put_down(where / f"{size}.txt", note, 0o644)
    return len(rows)


def handed_out_sizes() -> list[int]:
    """Sizes of the heads that lie as files."""
    return (
        [int(file.stem) for file in folder().glob("*.txt") if file.stem.isdigit()]
        if folder().is_dir()
        else []
    )


def latest(db: store.Db) -> tuple[Head, str] | None:
    """The newest head and its note, if its signature holds. Raises :class:`handhold.ledger.note.BadNote`."""
    row = db.execute("select note from ledger_checkpoint order by size desc limit 1").fetchone()
    return (keys.signer().verifier.open(row[0]), row[0]) if row else None
