"""A preview and a watched folder that are killed at any moment: the one changes nothing, the other loses and doubles nothing."""

import shutil
import time
from pathlib import Path

import pytest
from nation import Nation, hearing, in_court, released

from .deployment import NOW, Home, fresh_home, moments
from .test_kill import exports

KILLS = 4
pytestmark = pytest.mark.slow


def first(folder: Path) -> Path:
    return hearing(in_court(released(Nation())), "2024-05-02", mailed="2024-03-01").write(folder)


def second(folder: Path) -> Path:
    nation = hearing(in_court(released(Nation())), "2024-05-02", reason="11", mailed="2024-03-01")
    return released(nation, "216043625", "UC2", first="LUZ", line="9 OAK ST").write(folder)


def took(home: Home, *words: str) -> float:
    begun = time.monotonic()
    home.handhold(*words)
    return time.monotonic() - begun


def test_a_killed_preview_changes_nothing(tmp_path: Path) -> None:
    with fresh_home() as home:
        home.handhold("run", str(first(tmp_path / "first")), "--now", NOW)
        before = exports(home, tmp_path)
        look = ("ingest", str(second(tmp_path / "second")), "--dry-run", "--now", NOW)
        whole = took(home, *look)
        hit = [home.kill_after(moment, *look) for moment in moments(7, KILLS, whole)]
        assert any(hit)
        found = exports(home, tmp_path)
        assert [what for what in before if not found[what].equals(before[what])] == []
        home.handhold(*look)
        assert not list((home.where / "blobs").glob("rehearsal/*"))
        assert "ledger verifies" in home.handhold("verify")


def test_a_killed_watcher_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with fresh_home() as calm, fresh_home() as home:
        folder = second(tmp_path / "calm")
        calm.handhold("db", "status")
        watch = ("jobs", "--once", "--now", NOW, "--watch")
        whole = took(calm, *watch, str(folder))
        expected = exports(calm, tmp_path)
        assert len(expected["events"]) > 0
        home.take_keys_of(calm)
        again = second(tmp_path / "killed")
        count = sum(path.is_file() for path in again.rglob("*"))
        hit = [home.kill_after(moment, *watch, str(again)) for moment in moments(8, KILLS, whole)]
        assert any(hit)
        home.handhold(*watch, str(again))
        found = exports(home, tmp_path)
        assert sum(path.is_file() for path in (again / "taken").rglob("*")) == count
        assert "ledger verifies" in home.handhold("verify")
        for what in ("files", "children", "gaps"):
            assert found[what].equals(expected[what]), what
        assert sorted(found["events"]["event"]) == sorted(expected["events"]["event"])
        assert sorted(found["notices"]["notice"]) == sorted(expected["notices"]["notice"])
        shutil.rmtree(again)
