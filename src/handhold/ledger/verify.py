"""Verification: everything is computed anew from what the entries say, and compared with what was signed.

:func:`judge` is pure: it takes rows, heads and files from anywhere. :func:`verify` brings them from the database.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from handhold import store
from handhold.ledger import checkpoints, keys, trail
from handhold.ledger.merkle import EMPTY, Frontier
from handhold.ledger.note import BadNote, Verifier

MOST = 50  # problems named one by one
BATCH = 20_000


@dataclass(frozen=True)
class Verdict:
    """Whether the ledger holds. ``problems``: sentences, the first bad place first; ``waiting``: entries not sealed yet."""

    ok: bool
    size: int
    root: bytes
    problems: list[str]
    waiting: int = 0
    redacted: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """A leaf with its entry. ``said`` is None when the entry is gone; its ``payload`` is None when it was redacted."""

    index: int
    seq: int
    hash: bytes
    said: Mapping[str, Any] | None


class StoredHead(NamedTuple):
    """A checkpoint as the database has it."""

    size: int
    root: bytes
    note: str
    frontier: bytes


@dataclass
class _Course:
    """What the walk over the leaves has found so far."""

    verifier: Verifier
    heads: dict[int, StoredHead]
    files: dict[int, str]
    frontier: Frontier = field(default_factory=Frontier)
    problems: list[str] = field(default_factory=list)
    blank: dict[int, int] = field(default_factory=dict)  # seq -> index of entries that say nothing any more
    excused: set[int] = field(default_factory=set)  # seqs that a record of redaction names
    good: int = 0  # size of the last head that held
    forked: bool = False

    def fault(self, text: str) -> None:
        self.problems.append(text)


def judge(
    rows: Iterable[Row], heads: Iterable[StoredHead], files: Mapping[int, str], verifier: Verifier, *,
    unsealed: Iterable[Mapping[str, Any]] = (), lost: Iterable[int] = (),
) -> Verdict:  # fmt: skip
    """Judge a whole log.

    ``rows`` in the order of their indexes; ``heads``: stored checkpoints; ``files``: notes handed out, by size;
    ``unsealed``: what entries without a leaf say; ``lost``: numbers of entries that neither have a leaf nor wait.
    """
    course = _Course(verifier, {head.size: head for head in heads}, dict(files))
    _judge_notes(course)
    for row in rows:
        _judge_row(course, row)
        if course.frontier.size in course.heads or course.frontier.size in course.files:
            _judge_head(course, course.frontier.size)
    waiting = [said for said in unsealed if _excuse(course, said)]
    _judge_end(course)
    for seq in lost:
        course.fault(f"entry {seq} has no leaf and does not wait for one: it was hidden from the tree")
    return _verdict(course, len(waiting))


def _judge_notes(course: _Course) -> None:
    for size, head in sorted(course.heads.items()):
        _judge_note(course, f"checkpoint {size}", head.note, size, head.root)
    for size, note in sorted(course.files.items()):
        _judge_note(course, f"checkpoint file {size}.txt", note, size, None)


def _judge_note(course: _Course, what: str, note: str, size: int, root: bytes | None) -> None:
    try:
        head = course.verifier.open(note)
    except BadNote as bad:
        course.fault(f"{what}: {bad}")
        return
    if head.size != size or (root is not None and head.root != root):
        course.fault(f"{what}: what was signed is another size or root than the stored one")


def _judge_row(course: _Course, row: Row) -> None:
    expected = course.frontier.size
    if row.index != expected:
        course.fault(f"index {expected} is missing: the next leaf is {row.index}")
    course.frontier.append(row.hash)
    fault = _entry_fault(row)
    if fault:
        course.fault(f"index {row.index} (entry {row.seq}): {fault}")
    elif row.said is not None and row.said["payload"] is None:
        course.blank[row.seq] = row.index
    elif row.said is not None:
        _excuse(course, row.said)


def _entry_fault(row: Row) -> str | None:
    said = row.said
    if said is None:
        return "its entry is gone"
    if said["payload"] is None:
        return None
    if trail.leaf(said["payload"], said["salt"]) != row.hash:
        return "what the entry says is not what the leaf was made of"
    if trail.payload(said) != said["payload"]:
        return "its columns do not say what its sealed text says"
    packed = said["packed"] if said["packed"] is not None else trail.pack(said["ids"])
    if len(packed) != 8 * said["count"] or trail.digest(packed) != said["digest"]:
        return "its ids are not those that its digest was made of"
    return None


def _excuse(course: _Course, said: Mapping[str, Any]) -> bool:
    """Remember what a record of redaction excuses; always true."""
    if said["verb"] == "ledger.redacted":
        course.excused.update(said["ids"])
    return True


def _judge_head(course: _Course, size: int) -> None:
    """The root over the leaves so far is the one that was stored, signed and handed out."""
    if course.forked:
        return
    root = course.frontier.root()
    head = course.heads.get(size)
    if (head and head.root != root) or _signed_root(course, size) not in (None, root):
        course.forked = True
        course.fault(
            f"indexes {course.good} to {size - 1} are not those that were signed at {size}: a leaf was changed"
        )
        return
    if head and head.frontier != course.frontier.packed():
        course.fault(f"checkpoint {size}: its frontier does not fit its root")
    course.good = size


def _signed_root(course: _Course, size: int) -> bytes | None:
    """The root in the file handed out at ``size``; None without a file or when its note was faulted already."""
    if size not in course.files:
        return None
    try:
        return course.verifier.open(course.files[size]).root
    except BadNote:
        return None


def _judge_end(course: _Course) -> None:
    size = course.frontier.size
    beyond = [s for s in (*course.heads, *course.files) if s > size]
    if beyond:
        course.fault(
            f"index {size} is missing: {max(beyond)} leaves were signed, {size} are left; the tail was cut off"
        )
    elif size and size not in course.heads:
        course.fault(
            f"index {max((s for s in course.heads), default=0)} and what follows was never signed, or its checkpoint is gone"
        )
    for gone in sorted(set(course.files) - set(course.heads)):
        course.fault(f"checkpoint {gone} was handed out as a file and is gone from the database")
    for seq in sorted(set(course.blank) - course.excused):
        course.fault(
            f"index {course.blank[seq]} (entry {seq}): its text was destroyed and no redaction is recorded"
        )


def _verdict(course: _Course, waiting: int) -> Verdict:
    problems = course.problems[:MOST]
    if len(course.problems) > MOST:
        problems.append(f"and {len(course.problems) - MOST} more")
    size = course.frontier.size
    root = course.frontier.root() if size else EMPTY
    return Verdict(not problems, size, root, problems, waiting, len(course.blank))


def verify(db: store.Db) -> Verdict:
    """Prove this deployment's ledger against its own entries, its log key and the heads it has handed out.

    Sealing waits meanwhile; writing entries does not.
    """
    store.lock(db, checkpoints.LOCK)
    heads = [
        StoredHead(size, bytes(root), note, bytes(frontier))
        for size, root, note, frontier in db.execute(HEADS)
    ]
    unsealed = list(_said(db, UNSEALED))
    lost = [said["seq"] for said in unsealed if not said["waits"]]
    files = {
        size: (checkpoints.folder() / f"{size}.txt").read_text("utf-8")
        for size in checkpoints.handed_out_sizes()
    }
    return judge(_rows(db), heads, files, keys.signer().verifier, unsealed=unsealed, lost=lost)


def _rows(db: store.Db) -> Iterator[Row]:
    for said in _said(db, ROWS):
        yield Row(said["index"], said["leaf_seq"], said["hash"], said if said["seq"] is not None else None)


def _said(db: store.Db, query: str) -> Iterator[dict[str, Any]]:
    with db.cursor(name="ledger_walk") as cursor:
        cursor.itersize = BATCH
        cursor.execute(query)
        names = [column.name for column in cursor.description or []]
        for row in cursor:
            yield dict(zip(names, row, strict=True))


HEADS = "select size, root, note, frontier from ledger_checkpoint order by size"
ROWS = "select l.index, l.seq as leaf_seq, l.hash, e.* from ledger_leaf l left join ledger_entry e on e.seq = l.seq order by l.index"
UNSEALED = """
    select e.*, w.seq is not null as waits from ledger_entry e left join ledger_waiting w on w.seq = e.seq
    where not exists (select from ledger_leaf l where l.seq = e.seq) order by e.seq"""
