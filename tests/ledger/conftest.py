"""An empty ledger, and the few acts that its tests are made of."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from handhold import ledger, store
from handhold.ledger import checkpoints

NOW = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)


@pytest.fixture
def clean(database: str) -> Iterator[None]:
    """An empty ledger (a test may do what nobody else may: it switches the guards off)."""
    with store.transaction() as db:
        db.execute("set local session_replication_role = replica")
        db.execute("delete from ledger_waiting")
        db.execute("delete from ledger_leaf")
        db.execute("delete from ledger_checkpoint")
        db.execute("delete from ledger_entry")
    shutil.rmtree(checkpoints.folder(), ignore_errors=True)
    yield
    shutil.rmtree(
        checkpoints.folder(), ignore_errors=True
    )  # another log in this home must not be judged by its heads


def enter(count: int, *, first: int = 1) -> None:
    """Write that many looks, each an entry of its own."""
    entries = [
        ledger.Entry(
            by="person:7",
            verb="child.seen",
            thing="child",
            ids=[first + n],
            at=NOW,
            agency="ORR",
            purpose="safety",
        )
        for n in range(count)
    ]
    with ledger.acting_transaction("person:7") as db:
        ledger.write_many(db, entries)


def seal() -> None:
    """Seal what waits."""
    with ledger.acting_transaction("system") as db:
        ledger.seal(db, now=NOW)


def verdict() -> ledger.Verdict:
    """Verify as the command does."""
    with ledger.acting_transaction("system") as db:
        return ledger.verify(db)


def tamper(statement: str) -> None:
    """Change the tables as somebody could who owns the database: no trigger fires."""
    with store.transaction() as db:
        db.execute("set local session_replication_role = replica")
        db.execute(statement.encode())
