"""Killed after each single commit of a run and begun again, it ends where an undisturbed run ends.

``test_kill`` kills at chance moments from outside; here every boundary between two transactions is met, one by one. What
happens inside a transaction is the database's promise, and ends at the boundary before it.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import nation
import polars as pl
import psycopg
import pytest

from handhold import casework, feeds, ledger, oversight, pack, store, timeline
from handhold.ledger import checkpoints

NOW = datetime.fromisoformat("2024-05-31T23:59-04:00")
WHAT = ("files", "children", "events", "gaps", "notices", "quarantine")
Exports = dict[str, pl.DataFrame]


class Killed(BaseException):
    """Stands for SIGKILL: nothing in the code under test may catch it."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two children, both in court; one missed a hearing of which the notice went to another address."""
    made = nation.Nation()
    nation.released(made)
    nation.in_court(made)
    nation.hearing(made, "2023-06-01", reason="", mailed="2023-03-05", line="9 OLD RD")
    nation.hearing(made, "2023-09-01", id="4002", mailed="2023-06-05")
    nation.released(made, "216043625", "UC2", last="PAZ", first="LUIS", line="5 OAK AVE", served="")
    nation.in_court(made, "216043625", "9000001", last="PAZ", first="LUIS")
    return made.write(tmp_path_factory.mktemp("nation"))


@pytest.fixture
def new_database(template: str) -> Iterator[Callable[[], None]]:
    """Make, and go over to, an empty database of the same home (ids are keyed hashes: same home, same ids)."""
    made: list[str] = []

    def make() -> None:
        made.append(f"handhold_boundary_{len(made)}")
        store.close()
        administer(template, f"create database {made[-1]} template handhold_tests")
        store.use(psycopg.conninfo.make_conninfo(template, dbname=made[-1]))
        shutil.rmtree(checkpoints.folder(), ignore_errors=True)

    yield make
    store.close()
    shutil.rmtree(checkpoints.folder(), ignore_errors=True)
    for name in made:
        administer(template, f"drop database {name} with (force)")


ORPHANS = "select file from {} t where not exists (select from identity_file f where f.id = t.file)"


def administer(dsn: str, statement: str) -> None:
    with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname="postgres"), autocommit=True) as db:
        db.execute(statement.encode())


def run(folder: Path) -> None:
    office = casework.Office(by=casework.SYSTEM, now=NOW, pack=pack.load(), workers=1)
    casework.arrive(feeds.find(folder), office, sender="test")


def exports(folder: Path) -> Exports:
    found = {}
    for what in WHAT:
        target = folder / f"{what}.parquet"
        with ledger.acting_transaction(casework.SYSTEM) as db:
            oversight.export(db, what, target, as_of=None, now=NOW, pack=pack.load())
        rows = pl.read_parquet(target)
        found[what] = rows.sort(rows.columns)
    return found


@contextmanager
def killed_after(commits: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Die as soon as the next ``commits`` transactions are committed; the list grows by one with each."""
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
        yield done


@pytest.mark.slow
def test_every_boundary(
    folder: Path, tmp_path: Path, new_database: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    new_database()
    with killed_after(0, monkeypatch) as commits:
        run(folder)
    expected = exports(tmp_path)
    assert all(len(expected[what]) for what in WHAT if what != "quarantine")
    boundaries = len(commits)
    for boundary in range(1, boundaries + 1):
        new_database()
        with killed_after(boundary, monkeypatch), pytest.raises(Killed):
            run(folder)
        run(folder)
        differ = [what for what, rows in exports(tmp_path).items() if not rows.equals(expected[what])]
        assert differ == [], (
            f"killed after commit {boundary} of {boundaries}: {differ} are not as in an undisturbed run"
        )
        with ledger.acting_transaction(casework.SYSTEM) as db:
            assert ledger.verify(db).problems == []
            for table in ("identity_description", "identity_link", "identity_key"):
                assert store.fetch(db, ORPHANS.format(table)) == [], f"{table} without a file"


def test_a_commit_too_early_is_found(
    folder: Path, tmp_path: Path, new_database: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The test above can fail: were a delivery marked as read before its events are recorded, a kill would lose them."""
    new_database()
    run(folder)
    expected = exports(tmp_path)

    def too_early(db: store.Db, *_: object, **__: object) -> None:
        db.execute("commit")
        raise Killed

    new_database()
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(timeline, "record", too_early)
        run(folder)
    run(folder)
    assert not exports(tmp_path)["events"].equals(expected["events"])
