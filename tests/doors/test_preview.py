"""A preview says what the commit does, and changes nothing."""

import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from nation import Nation, hearing, in_court, released

from doors.world import entries, everything, exports, head, office, world
from handhold import casework, feeds, store
from handhold.simulate import simulate

SETTINGS = settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def same(seen: casework.Arrival, done: casework.Arrival) -> None:
    assert [(d.id, d.status, d.why, d.rows, d.loaded, d.unchanged, d.quarantined, d.left, d.withdrawn) for d in seen.deliveries] == [
        (d.id, d.status, d.why, d.rows, d.loaded, d.unchanged, d.quarantined, d.left, d.withdrawn) for d in done.deliveries
    ]  # fmt: skip
    seen.deliveries, done.deliveries = [], []
    assert seen == done


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A small synthetic nation's files."""
    from datetime import date

    folder = tmp_path_factory.mktemp("nation")
    simulate(folder, children=40, seed=7, as_of=date(2024, 5, 31), adults_per_child=0.5, error=3.0)
    return list(feeds.find(folder / "feeds" if (folder / "feeds").is_dir() else folder))


@pytest.mark.slow
@SETTINGS
@given(data=st.data())
def test_the_commit_does_what_the_preview_said_and_the_preview_nothing(
    template: str, sent: list[Path], tmp_path: Path, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(sent))
    cut = data.draw(st.integers(0, len(order) - 1))
    with world(template):
        casework.arrive(order[:cut], office(), sender="test")
        said = exports(tmp_path)
        before, signed, entered = everything(), head(), entries()
        seen = casework.preview(order[cut:], office(), sender="test")
        assert everything() == before
        assert head() == signed
        assert entries() == [*entered, "delivery.previewed"]
        assert exports(tmp_path) == said
        same(seen.arrival, casework.arrive(order[cut:], office(), sender="test"))
        again = casework.preview(order, office(), sender="test")
        assert again.rows["new"] == again.rows["changed"] == 0
        assert again.arrival.events == again.arrival.children == 0


def test_a_preview_names_rows_children_gaps_and_recipients(template: str, tmp_path: Path) -> None:
    nation = hearing(in_court(released(Nation())), "2024-05-02", reason="", mailed="2024-03-01")
    paths = feeds.find(nation.write(tmp_path / "first"))
    missed = hearing(in_court(released(Nation())), "2024-05-02", reason="11", mailed="2024-03-01")
    missed.rows["ero.uc_transfers"].append({"A-Number": "no number", "Last Name": "DUARTE"})
    later = feeds.find(missed.write(tmp_path / "second"))
    with world(template):
        casework.arrive(paths, office(), sender="test")
        seen = casework.preview(later, office(), sender="test")
    assert seen.rows["changed"] == 1
    assert seen.rows["quarantined"] == 1
    assert [row["line"] for row in seen.refused] == [3]
    assert seen.rows["unchanged"] > 0
    assert seen.rows["withdrawn"] == seen.rows["doubtful"] == 0
    assert len(seen.arrival.touched) == 1
    assert seen.arrival.gaps_opened["missed-hearing-untold"] == 3
    assert {recipient for recipient, _duty in seen.arrival.told} >= {"ORR", "ERO", "OPLA"}
    assert isinstance(seen.arrival.told, Counter)


def test_nobody_acts_while_something_is_only_pretended(template: str, tmp_path: Path) -> None:
    paths = feeds.find(released(Nation()).write(tmp_path))
    with world(template):
        inside, done = threading.Event(), threading.Event()

        def slowly(pretended: casework.Office) -> casework.Arrival:
            arrival = casework.arrive(paths, pretended, sender="test")
            inside.set()
            assert not done.wait(1)
            return arrival

        looking = threading.Thread(target=casework.rehearse, args=(slowly, office()))
        looking.start()
        assert inside.wait(30)
        committed = casework.arrive(paths, office(), sender="test")
        done.set()
        looking.join(30)
        assert [d.status for d in committed.deliveries] == ["read"] * len(paths)
        assert not any(d.again for d in committed.deliveries)
        with store.transaction() as db:
            for delivery in committed.deliveries:
                assert store.blobs.open_(delivery.sha256).read()
            assert len(feeds.listed(db)) == len(paths)


def test_a_preview_that_fails_leaves_nothing(template: str, tmp_path: Path) -> None:
    paths = feeds.find(released(Nation()).write(tmp_path))
    with world(template):
        before, entered = everything(), entries()

        def fails(pretended: casework.Office) -> casework.Arrival:
            casework.arrive(paths, pretended, sender="test")
            raise RuntimeError("in the middle")

        with pytest.raises(RuntimeError, match="in the middle"):
            casework.rehearse(fails, office())
        assert everything() == before
        assert entries() == entered
        assert casework.arrive(paths, office(), sender="test").events


def test_a_preview_waits_for_those_who_act(
    template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(casework, "PATIENCE", 0.2)
    with world(template), casework.working("person:2"), pytest.raises(casework.Busy, match="try the preview"):
        casework.preview([], office(), sender="test")
