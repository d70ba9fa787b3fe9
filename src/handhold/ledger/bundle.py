"""A bundle: the log's proof in plain files, for an outsider who has neither Handhold nor its database.

``log.pub`` (the verifier key), ``checkpoints/SIZE.txt``, ``leaves.bin`` (32 bytes each), ``entries.jsonl`` (what those
entries say that are handed over, each with its salt), and ``verify.py``, the program that proves it all offline.
"""

import json
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from handhold import store
from handhold.ledger import checkpoints, keys

BATCH = 50_000


def export_bundle(db: store.Db, folder: Path, *, seqs: list[int] | None = None) -> int:
    """Write a bundle to ``folder`` and return how many entries it opens.

    ``seqs``: the entries whose text is handed over; by default all. Of the others only the leaf hash leaves the house.
    """
    store.lock(db, checkpoints.LOCK)
    (folder / "checkpoints").mkdir(parents=True, exist_ok=True)
    (folder / "log.pub").write_text(f"{keys.signer().verifier}\n")
    (folder / "verify.py").write_text(
        resources.files("handhold.ledger").joinpath("standalone.py").read_text("utf-8"), "utf-8"
    )
    for size, note in db.execute("select size, note from ledger_checkpoint order by size").fetchall():
        (folder / "checkpoints" / f"{size}.txt").write_text(note, "utf-8")
    with open(folder / "leaves.bin", "wb") as leaves:
        leaves.writelines(leaf for (leaf,) in _walk(db, "select hash from ledger_leaf order by index", None))
    return _write_entries(db, folder / "entries.jsonl", seqs)


def _write_entries(db: store.Db, target: Path, seqs: list[int] | None) -> int:
    count = 0
    with open(target, "w", encoding="utf-8") as out:
        for index, payload, salt in _walk(db, ENTRIES, [seqs, seqs]):
            count += 1
            out.write(json.dumps({"index": index, "payload": payload.decode(), "salt": salt.hex()}) + "\n")
    return count


ENTRIES = """
    select l.index, e.payload, e.salt from ledger_leaf l join ledger_entry e using (seq)
    where e.payload is not null and (%s::bigint[] is null or e.seq = any(%s::bigint[])) order by l.index"""


def _walk(db: store.Db, query: str, params: list[Any] | None) -> Iterator[tuple[Any, ...]]:
    with db.cursor(name="ledger_bundle") as cursor:
        cursor.itersize = BATCH
        cursor.execute(query, params)
        yield from cursor
