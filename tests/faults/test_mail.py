"""Messages sent to a running Handhold that is killed again and again: what was acknowledged is kept, and kept once."""

import email.policy
import json
import os
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import polars as pl
import pytest
from feeds.doors.test_smtp import free_port
from feeds.mapping.spreadsheets import message, workbook

from .deployment import Home, fresh_home, moments

pytestmark = pytest.mark.slow
MESSAGES, KILLS, PATIENCE = 12, 4, 120.0


def listed(n: int) -> bytes:
    """The n-th list of an office: one child each."""
    rows = [[f"list {n}"], ["A#", "Last", "First", "FTA"], [f"A4000000{n:02}", "ROE", "ANA", "Y"]]
    made = message(
        ("no shows.xlsx", workbook(("S", rows))), sender="door@ero.example", subject=f"no shows {n}"
    )
    return made.as_bytes(policy=email.policy.SMTP)


@contextmanager
def listening(home: Home, port: int) -> Iterator["subprocess.Popen[str]"]:
    """Handhold with its SMTP door open; killed hard at the end."""
    running = home.start("jobs", "--smtp", f"127.0.0.1:{port}")
    try:
        ended = time.monotonic() + PATIENCE
        while time.monotonic() < ended and running.poll() is None:
            with suppress(OSError), smtplib.SMTP("127.0.0.1", port, timeout=5):
                break
            time.sleep(0.2)
        yield running
    finally:
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.communicate(timeout=60)


def send(port: int, data: bytes) -> bool:
    """Whether the server said 250."""
    try:
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
            client.sendmail("door@ero.example", "uc-tracking@handhold.example", data)
    except (OSError, smtplib.SMTPException):
        return False
    return True


def asked(home: Home, query: str) -> list[tuple[object, ...]]:
    code = f"import json; from handhold import store\nwith store.transaction() as db: print(json.dumps(db.execute({query!r}).fetchall(), default=str))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=home._environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return [tuple(row) for row in json.loads(done.stdout)]


def until(home: Home, query: str, wanted: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    ended = time.monotonic() + PATIENCE
    while (found := asked(home, query)) != wanted and time.monotonic() < ended:
        time.sleep(0.5)
    return found


def test_what_was_acknowledged_is_kept_once_and_becomes_events(tmp_path: Path) -> None:
    port = free_port()
    lists = [listed(n) for n in range(MESSAGES + 1)]
    with fresh_home() as home:
        acknowledged: set[int] = set()
        for seconds in moments(11, KILLS, 2.0):
            with listening(home, port) as running:
                begun = time.monotonic()
                for n in range(MESSAGES):
                    if n not in acknowledged and time.monotonic() - begun < seconds and send(port, lists[n]):
                        acknowledged.add(n)
                os.killpg(running.pid, signal.SIGKILL)
            kept = asked(
                home, "select count(*), count(distinct sha256) from feeds_delivery where format = 'eml'"
            )
            assert kept[0][0] == kept[0][1] and int(str(kept[0][0])) >= len(acknowledged)
        with listening(home, port):
            for n in range(
                MESSAGES
            ):  # a sender that was not told 250 sends again; some that were told do, too
                assert send(port, lists[n])
            waiting = "select format, status, count(*) from feeds_delivery group by 1, 2 order by 1"
            assert until(home, waiting, [("eml", "waiting", MESSAGES), ("xlsx", "waiting", MESSAGES)])[0] == (
                "eml",
                "waiting",
                MESSAGES,
            )
            (part,) = asked(
                home, "select id::text from feeds_delivery where format = 'xlsx' order by id limit 1"
            )[0]
            home.handhold("mapping", "propose", str(part), "--to", str(tmp_path / "door.toml"))
            home.handhold("mapping", "confirm", str(tmp_path / "door.toml"), "--by", "person:7")
            events = "select count(*), count(distinct file) from timeline_event where kind = 'missed-hearing-noted'"
            assert until(home, events, [(MESSAGES, MESSAGES)]) == [(MESSAGES, MESSAGES)]
            assert send(port, lists[MESSAGES])  # its mapping is confirmed: nobody has to do anything more
            assert until(home, events, [(MESSAGES + 1, MESSAGES + 1)]) == [(MESSAGES + 1, MESSAGES + 1)]
        home.handhold("verify")
        home.handhold("export", "events", "--to", str(tmp_path / "events.parquet"))
        noted = pl.read_parquet(tmp_path / "events.parquet").filter(pl.col("kind") == "missed-hearing-noted")
        assert noted["child"].n_unique() == MESSAGES + 1
