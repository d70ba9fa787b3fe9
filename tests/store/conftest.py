"""Homes that a test may crash, move, fill and forbid."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from handhold import store
from handhold.store import server


@pytest.fixture
def settle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Path]]:
    """Makes a folder the home of this test; whatever server runs there at the end is stopped."""
    settled: list[Path] = []

    def at(where: Path) -> Path:
        store.close()
        monkeypatch.setenv("HANDHOLD_HOME", str(where))
        settled.append(where)
        return where

    yield at
    store.close()
    for where in settled:
        for data in where.glob("pg-*/postmaster.pid"):
            end(data)


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder that PostgreSQL's account may enter."""
    where = Path(tempfile.mkdtemp(prefix="handhold-store-"))
    where.chmod(0o755)
    yield where
    shutil.rmtree(where, ignore_errors=True)


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """A home whose server was made and stopped: making one takes seconds, copying it none."""
    where = Path(tempfile.mkdtemp(prefix="handhold-made-"))
    before = os.environ["HANDHOLD_HOME"]
    os.environ["HANDHOLD_HOME"] = str(where)
    try:
        with psycopg.connect(server.ensure()) as db:
            db.execute("create table kept (word text)")
            db.execute("insert into kept values ('kept')")
        server.stop()
    finally:
        os.environ["HANDHOLD_HOME"] = before
    yield where
    shutil.rmtree(where)


@pytest.fixture
def home_of_its_own(made: Path, folder: Path, settle: Callable[[Path], Path]) -> Path:
    """A copy of the made home; its server does not run yet."""
    return settle(copied(made, folder / "home"))


@pytest.fixture
def disk(folder: Path) -> Iterator[Callable[[str], Path]]:
    """Mounts a small disk; only root may, and not everywhere."""
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        where = folder / f"disk-{len(mounted)}"
        where.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=755", "none", str(where)]
        if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("only root can mount a small disk, and not in every container")
        mounted.append(where)
        return where

    yield mount
    for where in mounted:
        for data in where.glob("*/pg-*/postmaster.pid"):
            end(data)
        subprocess.run(["umount", "-l", str(where)], check=True)


def copied(home: Path, to: Path) -> Path:
    """A copy with its owners and rights."""
    subprocess.run(["cp", "-a", str(home), str(to)], check=True)
    return to


def pid_of(home: Path) -> int:
    """The process of the server that runs there."""
    (pid_file,) = home.glob("pg-*/postmaster.pid")
    return int(pid_file.read_text().split("\n", 1)[0])


def kill(home: Path) -> None:
    """End its server as a power cut would, and wait until it is gone."""
    end(next(home.glob("pg-*/postmaster.pid")))


def end(pid_file: Path) -> None:
    """Kill the server of a pid file; the file stays, as after a crash."""
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        if Path(f"/proc/{pid}/cwd").resolve() != pid_file.parent.resolve():
            return
        os.kill(pid, signal.SIGKILL)
    except (OSError, ValueError):
        return
    until = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < until:
        time.sleep(0.01)


FALLING = ("closed the connection unexpectedly", "recovery mode", "starting up")


def words(dsn: str) -> list[str]:
    """What was kept. A server that fell just after it had answered (its disk was full) is given time to stand up again."""
    until = time.monotonic() + 30
    while True:
        try:
            return _words(dsn)
        except psycopg.errors.OperationalError as error:
            if not any(sign in str(error) for sign in FALLING) or time.monotonic() > until:
                raise
            time.sleep(0.2)


def _words(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as db:
        return [word for (word,) in db.execute("select word from kept order by word").fetchall()]
