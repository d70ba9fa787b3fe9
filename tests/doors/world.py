"""A database of one example's own, and all that can be seen of it from outside."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from handhold import casework, oversight, pack, store

NOW = datetime(2024, 5, 31, 20, 0, tzinfo=UTC)
PACK = pack.load()
_numbers = itertools.count(1)


@contextmanager
def world(template: str) -> Iterator[None]:
    """A fresh database with all tables; ``store.transaction`` leads to it meanwhile."""
    name = f"handhold_doors_{next(_numbers)}"
    address = psycopg.conninfo.make_conninfo
    with psycopg.connect(address(template, dbname="postgres"), autocommit=True) as db:
        db.execute(f"create database {name} template handhold_tests")
    store.close()
    store.use(address(template, dbname=name))
    try:
        yield
    finally:
        store.close()
        with psycopg.connect(address(template, dbname="postgres"), autocommit=True) as db:
            db.execute(f"drop database {name} with (force)")


def office(by: str = "person:1", now: datetime = NOW) -> casework.Office:
    return casework.Office(by=by, now=now, pack=PACK)


def exports(folder: Path, now: datetime = NOW) -> dict[str, bytes]:
    """Every export as the bytes of its file."""
    found = {}
    with store.transaction() as db:
        for what in sorted(oversight.EXPORTS):
            target = folder / f"{what}.csv"
            oversight.export(db, what, target, as_of=None, now=now, pack=PACK)
            found[what] = target.read_bytes()
    return found


TABLES = """
    select table_name from information_schema.tables
    where table_schema in ('public', 'sponsor') and table_type = 'BASE TABLE' and table_name not like 'ledger_%' order by 1"""


def everything() -> dict[str, list[str]]:
    """Every row of every table but the ledger's, and the bytes that are kept."""
    with store.transaction() as db:
        tables = [name for (name,) in db.execute(TABLES).fetchall()]
        rows = {
            name: sorted(
                text for (text,) in db.execute(f"select t::text from {_schema(db, name)}.{name} t").fetchall()
            )
            for name in tables
        }
    blobs = (store.home() / "blobs").rglob("*")
    return rows | {"blobs": sorted(str(path) for path in blobs if path.is_file())}


def _schema(db: store.Db, name: str) -> str:
    found = db.execute("select table_schema from information_schema.tables where table_name = %s", [name])
    return str(found.fetchone()[0])  # type: ignore[index]


def head() -> str | None:
    """The newest signed tree head."""
    with store.transaction() as db:
        found = db.execute("select note from ledger_checkpoint order by size desc limit 1").fetchone()
    return found[0] if found else None


def entries() -> list[str]:
    """The verbs of the ledger, in the order in which they were entered."""
    with store.transaction() as db:
        return [verb for (verb,) in db.execute("select verb from ledger_entry order by seq").fetchall()]
