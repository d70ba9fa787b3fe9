"""Accounts made by several processes are those that one makes, and no process outlives the one that started it."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest
from builders import PACK, at
from readings import reading, report

from handhold import account, store, timeline
from handhold.account import standing

pytestmark = pytest.mark.slow
NOW = datetime(2024, 5, 31, 16, 0, tzinfo=UTC)
CHILDREN = standing.FEW + 200
SEEN = "select child, account, responsible, place, open_gaps, wakes_at from account_standing order by child"
GAPS = "select id, child, kind, reason, closed, times from account_gap order by id"


@pytest.fixture
def nation(database: str) -> None:
    """So many children, each released and never heard of, that processes are started for them."""
    reports = [
        report(file, "discharged", slot="d", file=file, at=at("2024-01-02"), place=10, building=10, address_flags="",
               type="REUNIFIED", family=f"f{file}", precision="d")
        for file in range(1, CHILDREN + 1)
    ]  # fmt: skip
    with store.transaction() as db:
        timeline.record(db, reading(*reports), now=NOW)
        files = pl.DataFrame({"id": range(1, CHILDREN + 1)}).with_columns(
            agency=pl.lit("ORR"), key_=pl.lit(b""), child=pl.col("id") + 10_000
        )
        store.copy_in(db, "identity_file", files)
        account.touch(db, files["child"])


def stands() -> tuple[pl.DataFrame, pl.DataFrame]:
    with store.transaction() as db:
        return store.frame(db, SEEN), store.frame(db, GAPS)


def test_processes_make_what_one_makes(nation: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "CHUNK", 500)
    alone = account.update(store.transaction, now=NOW, pack=PACK, workers=0)
    made = stands()
    with store.transaction() as db:
        db.execute("truncate account_standing, account_gap, account_past")
        account.touch(db, made[0]["child"])
    seen: list[tuple[int, int]] = []
    shared = account.update(
        store.transaction,
        now=NOW,
        pack=PACK,
        workers=2,
        progress=lambda done, total: seen.append((done, total)),
    )
    assert (
        (shared.children, len(shared.opened))
        == (alone.children, len(alone.opened))
        == (CHILDREN, len(made[1]))
    )
    assert seen[0] == (0, CHILDREN) and seen[-1] == (CHILDREN, CHILDREN)
    for one, other in zip(made, stands(), strict=True):
        assert one.equals(other)


WAITING = textwrap.dedent(
    """
    import sys
    from datetime import UTC, datetime
    from handhold import pack, store
    from handhold.account import crew
    import waits_for_ever
    if __name__ == "__main__":
        store.use(sys.argv[1])
        list(crew.chunks(waits_for_ever.chunk, store.transaction, datetime.now(UTC), pack.load(), 2))
    """
)
FOREVER = textwrap.dedent(
    """
    import os, time
    def chunk(transaction, now, pack):
        with transaction() as db:
            open(f"{os.environ['MARKS']}/{os.getpid()}", "w").close()
            time.sleep(600)
    """
)


def test_a_killed_parent_takes_its_processes_along(database: str, tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    (tmp_path / "parent.py").write_text(WAITING)
    (tmp_path / "waits_for_ever.py").write_text(FOREVER)
    env = os.environ | {"MARKS": str(marks), "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    parent = subprocess.Popen([sys.executable, str(tmp_path / "parent.py"), store.dsn()], env=env)
    _until(lambda: len(list(marks.iterdir())) == 2)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    _until(lambda: not any(_lives(int(mark.name)) for mark in marks.iterdir()))


def _until(so: object, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not so():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.1)


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1][0] not in "ZX"
    except FileNotFoundError:
        return False
