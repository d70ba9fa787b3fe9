"""Entries: who did what to which things, written in the transaction of the act itself.

An entry says codes and ids only. What goes into the tree is a salted commitment to its canonical JSON, so that what an
entry says can be destroyed (:func:`redact`) while the tree over it still verifies. An act on many things is one entry
that carries their count and a Merkle root over their sorted ids, so that each of them is provable through it.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np
import polars as pl

from handhold import store
from handhold.ledger import merkle
from handhold.ledger.errors import LedgerError, NotACode

INLINE = 16  # ids an entry shows in its row; more are packed beside it
TILE = 256  # ids under one leaf of the digest's tree: its proof shows at most this many others
LONGEST = 120
CODE = re.compile(r"[a-z0-9.:/_-]+", re.ASCII)
AGENCY = re.compile(r"[A-Z]{2,10}", re.ASCII)  # agencies are written in capitals everywhere
A_NUMBER = re.compile(r"(?:.*[.:/_-])?a?-?\d{2,3}-?\d{3}-?\d{3}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One act. ``ids``: what it was done to (64-bit, in any order); ``at``: aware; everything else is a code."""

    by: str
    verb: str
    thing: str
    ids: Iterable[int] | pl.Series
    at: datetime
    agency: str | None = None
    purpose: str | None = None
    rule: str | None = None


def write(
    db: store.Db,
    *,
    by: str,
    verb: str,
    thing: str,
    ids: Iterable[int] | pl.Series,
    at: datetime,
    agency: str | None = None,
    purpose: str | None = None,
    rule: str | None = None,
) -> None:
    """Enter one act in the caller's transaction. Raises :class:`NotACode` for any text that is not a code."""
    entry = Entry(by=by, verb=verb, thing=thing, ids=ids, at=at, agency=agency, purpose=purpose, rule=rule)
    write_many(db, [entry])


def write_many(db: store.Db, entries: Sequence[Entry]) -> int:
    """Enter many acts in the caller's transaction, each an entry of its own; returns how many."""
    salts = os.urandom(merkle.SIZE * len(entries))
    rows = [_row(entry, salts[merkle.SIZE * n : merkle.SIZE * (n + 1)]) for n, entry in enumerate(entries)]
    names = ", ".join(COLUMNS)
    with db.cursor().copy(f"copy ledger_entry ({names}) from stdin (format binary)") as copy:
        copy.set_types(list(COLUMNS.values()))
        for row in rows:
            copy.write_row(row)
    return len(rows)


COLUMNS = {
    "at": "timestamptz", "by": "text", "verb": "text", "thing": "text", "ids": "int8[]", "count": "int8", "digest": "bytea",
    "agency": "text", "purpose": "text", "rule": "text", "payload": "bytea", "salt": "bytea", "packed": "bytea",
}  # fmt: skip


def _row(entry: Entry, salt: bytes) -> tuple[Any, ...]:
    _check(entry)
    packed = pack(entry.ids)
    count = len(packed) // 8
    few = count <= INLINE
    said = {
        "at": entry.at.astimezone(UTC),
        "by": entry.by,
        "verb": entry.verb,
        "thing": entry.thing,
        "ids": unpack(packed) if few else [],
        "count": count,
        "digest": digest(packed),
        "agency": entry.agency,
        "purpose": entry.purpose,
        "rule": entry.rule,
    }
    return (*said.values(), payload(said), salt, None if few else packed)


def _check(entry: Entry) -> None:
    for name in ("by", "verb", "thing"):
        _code(name, getattr(entry, name))
    for name in ("purpose", "rule"):
        if getattr(entry, name) is not None:
            _code(name, getattr(entry, name))
    if entry.agency is not None and not AGENCY.fullmatch(entry.agency):
        _code("agency", entry.agency)
    if entry.at.tzinfo is None:
        raise LedgerError("an entry's moment has no zone; pass an aware datetime")


@lru_cache(maxsize=4096)
def _code(name: str, text: str) -> None:
    """Refuse what is not a code, and what looks like an A-number; the refused text is not repeated."""
    if len(text) > LONGEST or not CODE.fullmatch(text) or (name != "by" and A_NUMBER.fullmatch(text)):
        raise NotACode(
            f"the ledger refuses this {name}: it must be a code of a-z 0-9 . : / _ - and no number of a person"
        )


def pack(ids: Iterable[int] | pl.Series) -> bytes:
    """Ids sorted, each once, as 8 big-endian bytes each."""
    if isinstance(ids, pl.Series):
        values = ids.drop_nulls().to_numpy()
    else:
        values = np.array(ids if isinstance(ids, list | tuple) else list(ids), dtype=np.int64)
    if len(values) == 1:  # the usual case: a look at one child
        return int(values[0]).to_bytes(8, "big", signed=True)
    return np.unique(values.astype(np.int64)).astype(">i8").tobytes()


def unpack(packed: bytes) -> list[int]:
    """The ids that :func:`pack` packed."""
    listed: list[int] = np.frombuffer(packed, ">i8").tolist()
    return listed


def digest(packed: bytes) -> bytes:
    """The Merkle root over packed ids, 256 ids to a leaf."""
    return merkle.root(tiles(packed))


def tiles(packed: bytes) -> list[bytes]:
    """Leaf hashes of the digest's tree."""
    return [merkle.leaf_hash(packed[at : at + 8 * TILE]) for at in range(0, len(packed), 8 * TILE)]


def payload(said: Mapping[str, Any]) -> bytes:
    """The canonical JSON (RFC 8785) of an entry's columns. Ids are strings: JSON numbers end at 2^53."""
    shown = {
        "agency": said["agency"],
        "at": said["at"].astimezone(UTC).isoformat(timespec="microseconds"),
        "by": said["by"],
        "count": said["count"],
        "digest": said["digest"].hex(),
        "ids": [str(one) for one in said["ids"]],
        "purpose": said["purpose"],
        "rule": said["rule"],
        "thing": said["thing"],
        "verb": said["verb"],
    }
    return _canonical(shown).encode()


_canonical = json.JSONEncoder(separators=(",", ":"), sort_keys=False).encode  # the keys above are in order


def leaf(payload: bytes, salt: bytes) -> bytes:
    """The leaf hash of an entry: over a salted commitment, which tells nothing once the salt is destroyed."""
    return merkle.leaf_hash(sha256(salt + payload).digest())


def about(db: store.Db, thing_id: int, *, limit: int = 200) -> list[dict[str, Any]]:
    """Every entry that names ``thing_id``, newest first: who looked at it, changed it, was told or refused."""
    return store.fetch(db, ABOUT, {"id": thing_id, "limit": limit})


ABOUT = """
    select seq, at, by, verb, thing, count, agency, purpose, rule from ledger_entry where count = 1 and ids[1] = %(id)s
    union all
    select seq, at, by, verb, thing, count, agency, purpose, rule from ledger_entry
    where count between 2 and 16 and ids @> array[%(id)s::bigint]
    union all
    select seq, at, by, verb, thing, count, agency, purpose, rule from ledger_entry
    where packed is not null and (position(int8send(%(id)s::bigint) in packed) - 1) %% 8 = 0
    order by seq desc limit %(limit)s"""


def ids_of(db: store.Db, seq: int) -> list[int]:
    """All ids of an entry, sorted; empty when it has none or was redacted."""
    row = db.execute("select ids, packed from ledger_entry where seq = %s", [seq]).fetchone()
    if row is None:
        raise LedgerError(f"the ledger has no entry {seq}")
    return unpack(row[1]) if row[1] is not None else list(row[0] or [])


@dataclass(frozen=True)
class Through:
    """That ``id`` is one of the ids of an entry: the tile that holds it and its path to the entry's digest."""

    id: int
    tile: bytes
    index: int
    size: int  # tiles
    path: list[bytes]

    def proves(self, digest: bytes) -> bool:
        """Whether it leads to ``digest``, the one in the entry's payload."""
        held = self.id in unpack(self.tile)
        return held and merkle.proves_inclusion(
            merkle.leaf_hash(self.tile), self.index, self.size, self.path, digest
        )


def through(db: store.Db, seq: int, id: int) -> Through:
    """Prove ``id`` through entry ``seq``. Raises :class:`LedgerError` when the entry does not name it."""
    packed = pack(ids_of(db, seq))
    held = np.frombuffer(packed, ">i8")
    at = int(np.searchsorted(held, id))
    if at == len(held) or held[at] != id:
        raise LedgerError(f"entry {seq} does not name this id")
    index = at // TILE
    hashes = tiles(packed)
    tile = packed[8 * TILE * index : 8 * TILE * (index + 1)]
    return Through(id, tile, index, len(hashes), merkle.inclusion(hashes, index))


def redact(db: store.Db, seq: int, *, by: str, rule: str, now: datetime) -> None:
    """Destroy what entry ``seq`` says, by the authority of ``rule``; its leaf stays and the log still verifies.

    The redaction is an entry itself, and cannot be redacted. Raises :class:`LedgerError` when there is nothing to
    redact or the entry has no place in the tree yet.
    """
    if db.execute("select from ledger_leaf where seq = %s", [seq]).fetchone() is None:
        raise LedgerError(f"entry {seq} has no place in the tree yet; seal the ledger first")
    if not (db.execute("select ledger_redact(%s)", [seq]).fetchone() or [None])[0]:
        raise LedgerError(
            f"entry {seq} was redacted before, or is itself the record of a redaction; leave it"
        )
    write(db, by=by, verb="ledger.redacted", thing="entry", ids=[seq], at=now, rule=rule)
