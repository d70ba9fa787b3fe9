"""Empty databases of one home, and everything that comes out of one, for tests that compare whole worlds."""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import polars as pl
import psycopg
import pytest

from handhold import casework, feeds, ledger, oversight, pack, store
from handhold.ledger import checkpoints

NOW = datetime.fromisoformat("2024-05-31T23:59-04:00")
WHAT = ("files", "children", "events", "gaps", "notices", "quarantine")
MOMENTS = ("recorded", "opened", "closed", "sent", "received", "acknowledged", "released")
Exports = dict[str, pl.DataFrame]


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the code under test may catch it."""


@contextmanager
def killed_after(commits: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Die as soon as the next ``commits`` transactions are committed."""
    whole, done = store.transaction, list[int]()

    @contextmanager
    def counted() -> Iterator[store.Db]:
        with whole() as db:
            yield db
        done.append(1)
        if len(done) == commits:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(store, "transaction", counted)
        yield


@contextmanager
def world(template: str, name: str) -> Iterator[None]:
    """An empty database of the same home (ids are keyed hashes: same home, same ids)."""
    store.close()
    before = store.dsn()
    _administer(template, f"create database {name} template handhold_tests")
    store.use(psycopg.conninfo.make_conninfo(template, dbname=name))
    shutil.rmtree(checkpoints.folder(), ignore_errors=True)
    try:
        yield
    finally:
        store.close()
        store.use(before)
        shutil.rmtree(checkpoints.folder(), ignore_errors=True)
        _administer(template, f"drop database {name} with (force)")


def _administer(dsn: str, statement: str) -> None:
    with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname="postgres"), autocommit=True) as db:
        db.execute(statement.encode())


def office(now: datetime = NOW, by: str = casework.SYSTEM) -> casework.Office:
    return casework.Office(by=by, now=now, pack=pack.load(), workers=1)


def take_in(batches: Iterable[list[Path]]) -> casework.Arrival:
    """Batch after batch is kept and read; then files are linked and accounts brought up to date, once."""
    arrival = casework.Arrival()
    for batch in batches:
        kept = casework.keep(batch, office(), sender="test")
        for group in feeds.groups(kept):
            casework.take_in(group, office(), arrival)
    casework.link(office(), arrival)
    return casework.take_up(office(), arrival)


def exports(folder: Path) -> Exports:
    """Everything that comes out, each in an order of its own."""
    found = {}
    for what in WHAT:
        target = folder / f"{what}.parquet"
        with ledger.acting_transaction(casework.SYSTEM) as db:
            oversight.export(db, what, target, as_of=None, now=NOW, pack=pack.load())
        rows = pl.read_parquet(target)
        rows = rows.with_columns(open=pl.col("closed").is_null()) if what == "gaps" else rows
        rows = rows.drop([name for name in MOMENTS if name in rows.columns])
        found[what] = rows.sort(rows.columns)
    return found


def differences(
    found: Exports, expected: Exports, less: dict[str, list[str]] | None = None
) -> dict[str, str]:
    """What is not the same, with a few rows of each side; ``less``: columns that do not count."""
    told = {}
    for what in WHAT:
        drop = (less or {}).get(what, [])
        one, other = (rows[what].drop(drop).sort(pl.all()) for rows in (found, expected))
        if not one.equals(other):
            only = [
                a.join(b, on=a.columns, how="anti", nulls_equal=True) for a, b in ((one, other), (other, one))
            ]
            told[what] = (
                f"{len(only[0])} rows too many, {len(only[1])} missing: {only[0].head(3).rows()} / {only[1].head(3).rows()}"
            )
    return told


def believed(found: Exports) -> Exports:
    """What is so now, without the history of Handhold's own doings: what agencies say, open gaps, and what was told of
    them and not taken back."""
    gaps = found["gaps"].filter("open")
    notices = found["notices"]
    stand = notices.filter(
        pl.col("corrects").is_null(),
        ~pl.col("notice").is_in(notices["corrects"].implode()),
        pl.col("about").is_in(gaps["gap"].implode()),
    )
    return found | {
        "events": found["events"].filter(pl.col("agency") != "HANDHOLD"),
        "gaps": gaps.drop("due"),
        "notices": stand.drop("notice").unique(),
    }
