"""The days that deliveries speak of decide what is known, not the order in which they came."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handhold import feeds

from . import two_days, worlds

CHILDREN = 40
ORDERS = 8
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def nation(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    return two_days.make(tmp_path_factory.mktemp("nation"), children=CHILDREN, seed=11)


@pytest.fixture(scope="module")
def plain(
    template: str, database: str, nation: dict[str, list[Path]], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, worlds.Exports]:
    """What comes out of the plain order: in few files, and in many."""
    found = {}
    for name, paths in nation.items():
        with worlds.world(template, f"plain_{name}"):
            worlds.take_in([sorted(paths, key=lambda p: (two_days.SECOND in p.as_posix(), p.as_posix()))])
            found[name] = worlds.exports(tmp_path_factory.mktemp(name))
    return found


def test_the_nation_has_something_of_everything(plain: dict[str, worlds.Exports]) -> None:
    """Otherwise the comparisons below would prove nothing."""
    events = plain["plain"]["events"]
    assert events["superseded_by"].is_not_null().sum() > 20
    assert (events["superseded_by"] == 0).sum() > 5
    assert all(len(plain["plain"][what]) > 5 for what in worlds.WHAT)
    assert events["agency"].n_unique() == 6


def test_many_files_say_what_few_files_said(plain: dict[str, worlds.Exports]) -> None:
    less = {"events": ["delivery", "row"], "quarantine": ["delivery", "row", "released_by"]}
    assert worlds.differences(plain["split"], plain["plain"], less) == {}


@given(seed=st.integers(0, 2**32))
@settings(max_examples=ORDERS, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_any_order_ends_the_same(
    template: str,
    database: str,
    nation: dict[str, list[Path]],
    plain: dict[str, worlds.Exports],
    tmp_path: Path,
    seed: int,
) -> None:
    with worlds.world(template, "shuffled"):
        worlds.take_in(shuffled(nation["split"], tmp_path, seed))
        found = worlds.exports(tmp_path)
    assert worlds.differences(found, plain["split"]) == {}


def shuffled(paths: list[Path], folder: Path, seed: int) -> Iterator[list[Path]]:
    """The files in any order, some twice, some of these under another name, in batches."""
    dice = random.Random(seed)
    twice = dice.sample(paths, len(paths) // 4)
    order = [*paths, *twice]
    dice.shuffle(order)
    while order:
        size = dice.randint(1, 8)
        batch, order = order[:size], order[size:]
        yield batch


def test_an_order_that_is_not_mended_is_found(
    template: str,
    database: str,
    nation: dict[str, list[Path]],
    plain: dict[str, worlds.Exports],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The test above can fail: read as they come, late deliveries leave another world behind."""
    monkeypatch.setattr(feeds, "comes_between", lambda *_: False)
    with worlds.world(template, "as_they_come"):
        worlds.take_in(shuffled(nation["split"], tmp_path, 1))
        found = worlds.exports(tmp_path)
    assert "events" in worlds.differences(found, plain["split"])
