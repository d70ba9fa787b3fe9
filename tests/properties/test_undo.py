"""A delivery that is undone leaves what would be known had it never come; redone, what was known before."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from handhold import casework, feeds, ledger, store

from . import two_days, worlds
from .worlds import Killed, killed_after

CHILDREN = 40
CHOICES, SEED = 5, 20240531
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Thirty-four deliveries."""
    made = two_days.make(tmp_path_factory.mktemp("nation"), children=CHILDREN, seed=12)["plain"]
    return sorted(made, key=lambda p: (two_days.SECOND in p.as_posix(), p.as_posix()))


@pytest.fixture(scope="module")
def everything(
    template: str, database: str, paths: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[worlds.Exports]:
    """A world in which all of them were taken in, and what came out of it."""
    with worlds.world(template, "everything"):
        worlds.take_in([paths])
        yield worlds.exports(tmp_path_factory.mktemp("everything"))


def without(template: str, paths: list[Path], left_out: Path, folder: Path) -> worlds.Exports:
    """What comes out of a world that never saw one delivery."""
    here = store.dsn()
    with worlds.world(template, "never_saw_it"):
        worlds.take_in([[path for path in paths if path != left_out]])
        found = worlds.exports(folder)
    store.use(here)
    return found


def delivery_of(path: Path) -> int:
    with ledger.acting_transaction(casework.SYSTEM) as db:
        return feeds.keep(db, path, sender="test", by=casework.SYSTEM, now=worlds.NOW).id


@pytest.mark.parametrize("choice", range(CHOICES))
def test_undone_as_if_it_never_came_and_redone_as_if_never_undone(
    template: str, paths: list[Path], everything: worlds.Exports, tmp_path: Path, choice: int
) -> None:
    path = random.Random(SEED).sample(paths, CHOICES)[choice]
    delivery = delivery_of(path)
    before = len(worlds.exports(tmp_path)["events"])
    casework.undo(delivery, "sent by mistake", worlds.office())
    undone = worlds.exports(tmp_path)
    assert len(undone["events"]) != before, "nothing was undone, so this proves nothing"
    expected = without(template, paths, path, tmp_path)
    assert worlds.differences(worlds.believed(undone), worlds.believed(expected)) == {}, path.name
    casework.redo(delivery, "it was right after all", worlds.office())
    redone = worlds.exports(tmp_path)
    assert worlds.differences(worlds.believed(redone), worlds.believed(everything)) == {}, path.name
    with ledger.acting_transaction(casework.SYSTEM) as db:
        assert ledger.verify(db).problems == []


def test_several_undone_at_once_and_redone_in_another_order(
    paths: list[Path], everything: worlds.Exports, tmp_path: Path
) -> None:
    dice = random.Random(SEED)
    chosen = [delivery_of(path) for path in dice.sample(paths, 5)]
    for delivery in chosen:
        casework.undo(delivery, "sent by mistake", worlds.office())
    dice.shuffle(chosen)
    for delivery in chosen:
        casework.redo(delivery, "it was right after all", worlds.office())
    assert worlds.differences(worlds.believed(worlds.exports(tmp_path)), worlds.believed(everything)) == {}


def test_killed_anywhere_the_same_again_goes_on(
    template: str,
    paths: list[Path],
    everything: worlds.Exports,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After each single commit of an undo: what the same command makes of it is what an undisturbed one makes."""
    delivery = delivery_of(next(path for path in paths if "discharges" in path.name))
    casework.undo(delivery, "sent by mistake", worlds.office())
    expected = worlds.believed(worlds.exports(tmp_path))
    casework.redo(delivery, "it was right after all", worlds.office())
    for commits in (1, 2, 3, 5, 8):
        with killed_after(commits, monkeypatch), pytest.raises(Killed):
            casework.undo(delivery, "sent by mistake", worlds.office())
        casework.undo(delivery, "sent by mistake", worlds.office())
        assert worlds.differences(worlds.believed(worlds.exports(tmp_path)), expected) == {}, commits
        casework.redo(delivery, "it was right after all", worlds.office())
    assert worlds.differences(worlds.believed(worlds.exports(tmp_path)), worlds.believed(everything)) == {}
