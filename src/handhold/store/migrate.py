"""The tables: numbered SQL files of each room, applied once, in the order of the house."""

import hashlib
from importlib import resources

from handhold.store.db import Db, lock
from handhold.store.errors import StoreError

# Foreign keys and views may look back at an earlier room, so earlier rooms come first.
ROOMS = (
    "store",
    "ledger",
    "access",
    "feeds",
    "identity",
    "timeline",
    "account",
    "followup",
    "notices",
    "oversight",
    "web",
)

BOOK = """
create table if not exists store_migration (
    room text not null, name text not null, sha256 text not null, at timestamptz not null default now(), primary key (room, name))"""


def pending(db: Db) -> list[tuple[str, str, str]]:
    """``(room, name, text)`` of what is not applied yet. Raises :class:`StoreError` when an applied file was changed."""
    applied = {
        (room, name): sha
        for room, name, sha in db.execute("select room, name, sha256 from store_migration").fetchall()
    }
    wanted = []
    for room, name, text in _shipped():
        known = applied.get((room, name))
        if known is None:
            wanted.append((room, name, text))
        elif known != _hash(text):
            raise StoreError(
                f"migration {room}/{name} was changed after it was applied; restore it and add a new file instead"
            )
    return wanted


def migrate(db: Db) -> int:
    """Apply what is pending, in the caller's transaction; returns how many files that was."""
    lock(db, "migrate")
    db.execute(BOOK)
    todo = pending(db)
    for room, name, text in todo:
        db.execute(text.encode())
        db.execute(
            "insert into store_migration (room, name, sha256) values (%s, %s, %s)", [room, name, _hash(text)]
        )
    return len(todo)


def _shipped() -> list[tuple[str, str, str]]:
    found = []
    for room in ROOMS:
        folder = resources.files("handhold") / room / "migrations"
        if folder.is_dir():
            files = sorted((f for f in folder.iterdir() if f.name.endswith(".sql")), key=lambda f: f.name)
            found += [(room, f.name, f.read_text("utf-8")) for f in files]
    return found


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
