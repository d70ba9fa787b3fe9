"""The clock: what must happen without anybody asking.

Accounts wake, steps lapse, notices go out, the ledger is sealed. Nothing here remembers anything: what is due is read
from dates in the database, so a missed night changes nothing, and a process killed anywhere is followed by the next.
Several may run: one holds the clock (a lock that its connection's end lets go), the others stand by.
"""

import logging
import signal
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from handhold import casework, feeds, pack, store

CHANNEL = "handhold"  # NOTIFY on it, after a commit, to be served at once
PAUSE = 1.0  # seconds between rounds in which notices are sent and the ledger is sealed
WAKE_EVERY = 60.0  # seconds between rounds in which accounts wake and steps lapse, if nobody notified
RETRY = (1.0, 5.0, 30.0)  # seconds to wait after failures in a row
LOG = logging.getLogger("handhold.jobs")

Now = Callable[[], datetime]


def run(
    now_fn: Now, *, once: bool = False, stop: threading.Event | None = None, watch: Path | None = None
) -> None:
    """Turn the clock until told to stop (SIGTERM, SIGINT or ``stop``); with ``once``, one whole round.

    ``watch``: a folder whose files are taken in.

    With ``once`` an error is raised. Otherwise it is logged by its kind alone (a message could hold a value), and the
    round is tried again: a restarted database is found again.
    """
    watched = _watched(watch)
    if once:
        with store.connect(autocommit=True) as db:
            _hold_clock(db)
            if watched:
                _watch(watched, now_fn())
                time.sleep(watched.still)
                _watch(watched, now_fn())
            everything(now_fn())
        return
    ended = stop or _stopped_by_signal()
    failures = -1
    while not ended.is_set():
        begun = time.monotonic()
        try:
            _turn(now_fn, ended, watched)
        except Exception as error:  # noqa: BLE001 - whatever it is, the clock must go on
            failures = 0 if time.monotonic() - begun > RETRY[-1] else failures + 1
            pause = RETRY[min(failures, len(RETRY) - 1)]
            LOG.error("a round failed with %s; trying again in %g s", type(error).__name__, pause)  # noqa: TRY400
            store.close()
            ended.wait(pause)


def everything(now: datetime) -> casework.Arrival:
    """A whole round: accounts wake, gaps follow, steps lapse, agencies are told, the ledger is sealed."""
    return casework.time_passed(_office(now))


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


def _turn(now_fn: Now, ended: threading.Event, watched: feeds.Watched | None) -> None:
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


__all__ = ["everything", "outbound", "run"]
