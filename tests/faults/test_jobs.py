"""The clock: it goes on, it is held once, and a mishap does not stop it."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from handhold import casework, jobs, store

NOW = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)


pytestmark = pytest.mark.usefixtures("database")


class Watched:
    """Casework's acts, counted instead of done."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.whole: list[casework.Office] = []
        self.short: list[str] = []
        self.sealed = 0
        self.mishaps = 0
        monkeypatch.setattr(casework, "time_passed", self._time_passed)
        monkeypatch.setattr(casework, "messages_to_read", lambda _office: [])
        monkeypatch.setattr(casework, "night_begins", lambda _office: False)
        monkeypatch.setattr(casework, "send_notices", self._send)
        monkeypatch.setattr(casework, "seal_ledger", self._seal)
        monkeypatch.setattr(jobs, "PAUSE", 0.02)
        monkeypatch.setattr(jobs, "RETRY", (0.02,))

    def _time_passed(self, office: casework.Office) -> casework.Arrival:
        self.whole.append(office)
        if self.mishaps:
            self.mishaps -= 1
            raise RuntimeError("Maria Lopez, A200123456")
        return casework.Arrival()

    def _send(self, _office: casework.Office) -> int:
        self.short.append(threading.current_thread().name)
        return 0

    def _seal(self, _office: casework.Office) -> None:
        self.sealed += 1


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(monkeypatch)


@pytest.fixture
def turn() -> Iterator[Callable[[str], threading.Event]]:
    """Start a clock in a thread; all are stopped at the end."""
    running: list[tuple[threading.Thread, threading.Event]] = []

    def start(name: str) -> threading.Event:
        stop = threading.Event()
        thread = threading.Thread(target=jobs.run, args=(lambda: NOW,), kwargs={"stop": stop}, name=name)
        running.append((thread, stop))
        thread.start()
        return stop

    yield start
    for thread, stop in running:
        stop.set()
        thread.join(10)
        assert not thread.is_alive()


def soon(holds: Callable[[], bool]) -> bool:
    """Whether it comes true within ten seconds."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.01)
    return False


def test_once_is_one_whole_round(watched: Watched) -> None:
    jobs.run(lambda: NOW, once=True)
    assert [(office.by, office.now) for office in watched.whole] == [("system", NOW)]


def test_once_does_not_hide_an_error(watched: Watched) -> None:
    watched.mishaps = 1
    with pytest.raises(RuntimeError):
        jobs.run(lambda: NOW, once=True)


def test_it_begins_with_a_whole_round_and_goes_on_with_short_ones(
    watched: Watched, turn: Callable[[str], threading.Event]
) -> None:
    turn("clock")
    assert soon(lambda: len(watched.short) >= 3 and watched.sealed >= 3)
    assert len(watched.whole) == 1


def test_a_notification_brings_a_whole_round(
    watched: Watched, turn: Callable[[str], threading.Event]
) -> None:
    turn("clock")
    assert soon(lambda: len(watched.short) >= 1)
    with store.transaction() as db:
        db.execute(f"notify {jobs.CHANNEL}".encode())
    assert soon(lambda: len(watched.whole) == 2)


def test_one_holds_the_clock_and_another_takes_it_over(
    watched: Watched, turn: Callable[[str], threading.Event]
) -> None:
    first = turn("first")
    assert soon(lambda: "first" in watched.short)
    turn("second")
    seen = len(watched.short)
    assert soon(lambda: len(watched.short) > seen + 5)
    assert set(watched.short) == {"first"}
    first.set()
    assert soon(lambda: "second" in watched.short)


def test_a_mishap_is_logged_by_its_kind_alone_and_tried_again(
    watched: Watched, turn: Callable[[str], threading.Event], caplog: pytest.LogCaptureFixture
) -> None:
    watched.mishaps = 2
    turn("clock")
    assert soon(lambda: len(watched.short) >= 1)
    assert len(watched.whole) == 3
    assert "a round failed with RuntimeError" in caplog.text
    assert "Maria" not in caplog.text and "A200" not in caplog.text
