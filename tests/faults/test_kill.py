"""A run that is killed at any moment and begun again ends where an undisturbed one ends."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from .deployment import NOW, Home, fresh_home, moments

CHILDREN = 60
KILLS = 6  # one in each sixth of the time that an undisturbed run takes
pytestmark = pytest.mark.slow
WHAT = ("files", "children", "events", "gaps", "notices", "quarantine")


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small synthetic nation, or the folder named by HANDHOLD_SAMPLE."""
    if given := os.environ.get("HANDHOLD_SAMPLE"):
        return Path(given)
    nation = tmp_path_factory.mktemp("nation")
    with fresh_home() as home:
        home.handhold("simulate", str(nation), "--children", str(CHILDREN), "--seed", "3")
    return nation / "feeds" if (nation / "feeds").is_dir() else nation


@pytest.fixture(scope="module")
def undisturbed(
    feeds: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Home, float, dict[str, pl.DataFrame]]]:
    """A run that nobody disturbs: its home, how long it took with a warm database, what it exports."""
    with fresh_home() as home:
        home.handhold("db", "status")
        begun = time.monotonic()
        home.handhold("run", str(feeds), "--now", NOW)
        took = time.monotonic() - begun
        yield home, took, exports(home, tmp_path_factory.mktemp("undisturbed"))


def exports(home: Home, folder: Path) -> dict[str, pl.DataFrame]:
    """Everything that comes out, each in an order of its own."""
    found = {}
    for what in WHAT:
        target = folder / f"{what}.csv"
        home.handhold("export", what, "--to", str(target), "--now", NOW)
        found[what] = pl.read_csv(target, infer_schema=False)
    return {what: rows.sort(rows.columns) for what, rows in found.items()}


def difference(found: pl.DataFrame, expected: pl.DataFrame) -> str | None:
    """The first rows that only one side has, or nothing."""
    if found.equals(expected):
        return None
    here = found.join(expected, on=found.columns, how="anti", nulls_equal=True)
    there = expected.join(found, on=found.columns, how="anti", nulls_equal=True)
    return f"{len(found)} rows, {len(expected)} undisturbed; {here.head(2).rows()} instead of {there.head(2).rows()}"


def test_the_undisturbed_run_comes_to_something(
    undisturbed: tuple[Home, float, dict[str, pl.DataFrame]],
) -> None:
    """Otherwise the comparison below would prove nothing."""
    for what in ("files", "children", "events", "gaps", "notices"):
        assert len(undisturbed[2][what]) > 0, f"no {what}"


@pytest.mark.parametrize("database_too", [False, True], ids=["process", "process-and-database"])
def test_killed_and_begun_again_it_ends_the_same(
    undisturbed: tuple[Home, float, dict[str, pl.DataFrame]], feeds: Path, tmp_path: Path, database_too: bool
) -> None:
    calm, took, expected = undisturbed
    with fresh_home() as home:
        home.take_keys_of(calm)
        hit = [
            home.kill_after(moment, "run", str(feeds), "--now", NOW, database_too=database_too)
            for moment in moments(20240531, KILLS, took)
        ]
        assert sum(hit) >= KILLS // 2, "most kills came too late to disturb anything"
        home.handhold("run", str(feeds), "--now", NOW)
        found = exports(home, tmp_path)
        assert "ledger verifies" in home.handhold("verify")
    assert {what: difference(found[what], expected[what]) for what in WHAT} == dict.fromkeys(WHAT)


def test_the_same_files_again_change_nothing(
    undisturbed: tuple[Home, float, dict[str, pl.DataFrame]], feeds: Path, tmp_path: Path
) -> None:
    home, _, expected = undisturbed
    home.handhold("run", str(feeds), "--now", NOW)
    found = exports(home, tmp_path)
    assert [what for what in WHAT if not found[what].equals(expected[what])] == []
