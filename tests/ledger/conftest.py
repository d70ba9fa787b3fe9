"""A home of its own, with a running database, for the tests of the ledger."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from handhold import ledger, store
from handhold.ledger import checkpoints

NOW = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="package")
def server() -> Iterator[None]:
    """PostgreSQL under a fresh HANDHOLD_HOME. Its parents must be open to the account that PostgreSQL runs as."""
    where = Path(tempfile.mkdtemp(prefix="ledger-tests-"))
    where.chmod(0o755)
    before = os.environ.get("HANDHOLD_HOME")
    os.environ["HANDHOLD_HOME"] = str(where)
    store.close()
    store.ensure()
    with store.transaction() as db:
        store.migrate(db)
    yield
    store.close()
    store.stop()
    shutil.rmtree(where)
    if before is None:
        del os.environ["HANDHOLD_HOME"]
    else:
        os.environ["HANDHOLD_HOME"] = before


@pytest.fixture
def clean(server: None) -> None:
    """An empty ledger (a test may do what nobody else may: it switches the guards off)."""
    with store.transaction() as db:
        db.execute("set local session_replication_role = replica")
        db.execute("delete from ledger_waiting")
        db.execute("delete from ledger_leaf")
        db.execute("delete from ledger_checkpoint")
        db.execute("delete from ledger_entry")
    shutil.rmtree(checkpoints.folder(), ignore_errors=True)


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
