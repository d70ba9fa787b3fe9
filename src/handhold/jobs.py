"""The clock: what must happen without anybody asking.

Messages that came are read, accounts wake, steps lapse, notices go out, the ledger is sealed. Nothing here remembers anything: what is due is read
from dates in the database, so a missed night changes nothing, and a process killed anywhere is followed by the next.
Several may run: one holds the clock (a lock that its connection's end lets go), the others stand by.
"""

import io
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from handhold import casework, feeds, pack, store
from handhold.feeds.doors import imap
from handhold.feeds.doors.allowed import allowed
from handhold.feeds.doors.imap import Mailbox
from handhold.feeds.doors.smtp import Certificate, Door

CHANNEL = "handhold"  # NOTIFY on it, after a commit, to be served at once
PAUSE = 1.0  # seconds between rounds in which notices are sent and the ledger is sealed
WAKE_EVERY = 60.0  # seconds between rounds in which accounts wake and steps lapse, if nobody notified
RETRY = (1.0, 5.0, 30.0)  # seconds to wait after failures in a row
LOG = logging.getLogger("handhold.jobs")

PATIENCE = 5.0  # seconds the end waits for a look into the mailbox

Now = Callable[[], datetime]


@dataclass(frozen=True)
class Smtp:
    """Where the SMTP door listens, and by which certificate."""

    where: str
    certificate: Certificate | None = None


def run(
    now_fn: Now, *, once: bool = False, stop: threading.Event | None = None, watch: Path | None = None, smtp: Smtp | None = None,
    mailbox: Mailbox | None = None,
) -> None:  # fmt: skip
    """Turn the clock until told to stop (SIGTERM, SIGINT or ``stop``); with ``once``, one whole round.

    Meanwhile ``watch`` is a folder whose files are taken in, messages come in by ``smtp``, which listens, and from ``mailbox``,
    which is looked into now and then.

    Once a night all files are linked again, by a process of its own.

    With ``once`` an error is raised. Otherwise it is logged by its kind alone (a message could hold a value), and the
    round is tried again: a restarted database is found again.
    """
    watched = _watched(watch)
    if once:
        if mailbox is not None:
            look_into(mailbox, now_fn)
        with store.connect(autocommit=True) as db:
            _hold_clock(db)
            if watched:
                _watch(watched, now_fn())
                time.sleep(watched.still)
                _watch(watched, now_fn())
            everything(now_fn())
            night = Night()
            night.look(now_fn())
            night.wait()
        return
    ended = stop or _stopped_by_signal()
    with _doors(now_fn, ended, smtp, mailbox), closing(Night()) as night:
        _turn_until(now_fn, ended, watched, night)


class Night:
    """All files linked again, once a night, by a process that gives a nation's memory back when it ends.

    The clock goes on meanwhile. Killed, it leaves all as before or all done; what then follows for accounts the clock does.
    """

    def __init__(self) -> None:
        self._works: subprocess.Popen[bytes] | None = None

    def look(self, now: datetime) -> None:
        """Begin, if it is time; and say if the last one failed."""
        if self._works is not None and self._works.poll():
            LOG.error("linking all again ended with %s; the next night tries again", self._works.returncode)
        if self._works is not None and self._works.poll() is not None:
            self._works = None
        if self._works is None and casework.night_begins(_office(now)):
            command = [sys.executable, "-m", "handhold", "link", "again", "--now", now.isoformat()]
            same = os.environ | {"DATABASE_URL": store.dsn()}  # this clock's database, however it was found
            self._works = subprocess.Popen(
                command, env=same, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
            )

    def wait(self) -> None:
        """Until it is done. Raises :class:`store.StoreError` if it was not."""
        if self._works is not None and self._works.wait():
            raise store.StoreError(
                f"linking all again ended with {self._works.returncode}; what it says is above, and handhold link again does it by hand"
            )

    def close(self) -> None:
        """End it, if it is at work."""
        if self._works is not None and self._works.poll() is None:
            self._works.terminate()
            self._works.wait()


def _turn_until(now_fn: Now, ended: threading.Event, watched: feeds.Watched | None, night: Night) -> None:
    failures = -1
    while not ended.is_set():
        begun = time.monotonic()
        try:
            _turn(now_fn, ended, watched, night)
        except Exception as error:  # noqa: BLE001 - whatever it is, the clock must go on
            failures = 0 if time.monotonic() - begun > RETRY[-1] else failures + 1
            pause = RETRY[min(failures, len(RETRY) - 1)]
            LOG.error("a round failed with %s; trying again in %g s", type(error).__name__, pause)  # noqa: TRY400
            store.close()
            ended.wait(pause)


def everything(now: datetime) -> casework.Arrival:
    """A whole round: messages are read, accounts wake, gaps follow, steps lapse, agencies are told, the ledger is sealed."""
    office = _office(now)
    for delivery in casework.messages_to_read(office):
        try:
            casework.take_in_kept(delivery, office)
        except Exception as error:  # noqa: BLE001 - one message that trips must not stop the clock for all; it stays kept
            LOG.error("a message could not be read: %s", type(error).__name__)  # noqa: TRY400
    return casework.time_passed(office)


def keep_message(data: bytes, now_fn: Now, *, sender: str) -> None:
    """Keep a message, and wake the clock once it is kept."""
    casework.keep_message(io.BytesIO(data), _office(now_fn()), sender=sender)
    with store.connect(autocommit=True) as db:
        db.execute(f"notify {CHANNEL}")


def look_into(mailbox: Mailbox, now_fn: Now) -> int:
    """Keep what is new in a mailbox; returns how many messages that was."""
    return imap.poll(mailbox, lambda data: keep_message(data, now_fn, sender="imap"), allowed(pack.load()))


@contextmanager
def _doors(now_fn: Now, ended: threading.Event, smtp: Smtp | None, mailbox: Mailbox | None) -> Iterator[None]:
    """The doors open for as long as the clock turns. A door that cannot be opened stops the start, with its sentence."""
    with ExitStack() as open_:
        if smtp is not None:
            door = Door(
                smtp.where,
                lambda data: keep_message(data, now_fn, sender="smtp"),
                allowed(pack.load()),
                smtp.certificate,
            )
            door.open()
            open_.callback(door.close)
        if mailbox is not None:
            poller = threading.Thread(
                target=_poll_until, args=(mailbox, now_fn, ended), name="imap", daemon=True
            )
            poller.start()
            open_.callback(poller.join, PATIENCE)
            open_.callback(ended.set)
        yield


def _poll_until(mailbox: Mailbox, now_fn: Now, ended: threading.Event) -> None:
    while not ended.is_set():
        try:
            look_into(mailbox, now_fn)
        except Exception as error:  # noqa: BLE001 - whatever it is, the mailbox is looked into again
            LOG.error("the mailbox could not be read: %s", type(error).__name__)  # noqa: TRY400 - a server's words could hold a value
        ended.wait(mailbox.every)


def outbound(now: datetime) -> None:
    """The short round: what was composed is sent, what was entered is sealed."""
    office = _office(now)
    casework.send_notices(office)
    casework.seal_ledger(office)


def _office(now: datetime) -> casework.Office:
    return casework.Office(by=casework.SYSTEM, now=now, pack=pack.load())


def _watched(folder: Path | None) -> feeds.Watched | None:
    still = pack.load().toml("feeds/doors.toml")["watch"]["still"]
    return feeds.Watched(folder, still) if folder else None


def _watch(watched: feeds.Watched, now: datetime) -> None:
    casework.watch(watched, _office(now))


def _turn(now_fn: Now, ended: threading.Event, watched: feeds.Watched | None, night: Night) -> None:
    """Rounds over one connection, for as long as it lasts."""
    with store.connect(autocommit=True) as db:
        db.execute(f"listen {CHANNEL}")
        woken = float("-inf")
        while not ended.is_set():
            notified = _wait(db)
            if ended.is_set() or not _try_clock(db):
                continue
            if watched:
                _watch(watched, now_fn())
            if notified or time.monotonic() - woken >= WAKE_EVERY:
                everything(now_fn())
                night.look(now_fn())
                woken = time.monotonic()
            else:
                outbound(now_fn())


def _wait(db: store.Db) -> bool:
    """Wait for a notification or the pause; whether there was one (those that came meanwhile count as one)."""
    return bool(list(db.notifies(timeout=PAUSE, stop_after=1)))


def _try_clock(db: store.Db) -> bool:
    """Hold the clock, if nobody else does. Asked anew each time: holding it twice does no harm while we live."""
    held: Any = db.execute(
        "select exists (select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid() and granted)"
        " or pg_try_advisory_lock(hashtextextended('handhold.jobs', 0))"
    ).fetchone()
    return bool(held[0])


def _hold_clock(db: store.Db) -> None:
    """Wait until the clock is ours."""
    db.execute("select pg_advisory_lock(hashtextextended('handhold.jobs', 0))")


def _stopped_by_signal() -> threading.Event:
    ended = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda _number, _frame: ended.set())
    return ended


__all__ = ["Certificate", "Mailbox", "Smtp", "everything", "keep_message", "look_into", "outbound", "run"]
