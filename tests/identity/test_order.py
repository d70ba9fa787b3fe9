"""The order of arrival: what comes in pieces ends as what comes at once, or it is asked.

One difference is meant: a link that was drawn when nothing spoke against it stands until a person ends it, also where a
later file would have stopped it had both come at once.
"""

import importlib
import itertools
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handhold import identity, store
from handhold.identity.candidates import SAID, profiles
from handhold.identity.link import doubts_among
from handhold.identity.partition import Found, partition

from .said import CODES, SCALE, tell, together
from .test_link import ROW, a_row
from .typed import nation

parting = importlib.import_module(
    "handhold.identity.partition"
)  # the package's own name for it is the function
SOME = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def standing(
    db: store.Db, *deliveries: list[dict[str, Any]]
) -> tuple[set[frozenset[int]], set[frozenset[int]]]:
    """The files of each child after these deliveries, and the files of the children about whom something is asked."""
    db.execute("savepoint before")
    for day, rows in enumerate(deliveries):
        if rows:
            tell(db, *rows, day=day)
    children = together(db)
    asked = set(identity.doubts(db)["child"])
    rows = store.fetch(db, "select child, array_agg(id) as files from identity_file group by child")
    db.execute("rollback to savepoint before")
    return children, {frozenset(row["files"]) for row in rows if row["child"] in asked}


@SOME
@given(st.lists(ROW, min_size=3, max_size=12, unique_by=lambda row: row[0]), st.data())
def test_in_pieces_as_at_once_or_asked(db: store.Db, drawn: list[Any], data: st.DataObject) -> None:
    rows = [a_row(row) for row in drawn]
    late = data.draw(st.sets(st.sampled_from(range(len(rows)))))
    first, then = ([row for n, row in enumerate(rows) if (n in late) == side] for side in (False, True))
    at_once, _ = standing(db, rows)
    in_pieces, asked = standing(db, first, then)
    doubtful = frozenset().union(*asked)
    of = [{file: files for files in children for file in files} for children in (at_once, in_pieces)]
    for x, y in itertools.combinations(of[0], 2):
        if of[0][x] is of[0][y] and of[1][x] is not of[1][y]:
            assert {x, y} & doubtful, "arrival in pieces kept files apart, and nobody is asked"


NOBODY = pl.DataFrame(schema={"a": pl.Int64, "b": pl.Int64, "judgement": pl.String})


def found(said: pl.DataFrame, child: dict[int, int], fresh: set[int]) -> Found:
    files = said.select("file", "agency").unique(maintain_order=True).with_columns(
        child=pl.col("file").replace_strict(child, default=None, return_dtype=pl.Int64) if child else pl.lit(None, pl.Int64),
        fresh=pl.col("file").is_in(list(fresh)), held=pl.lit(False),
    )  # fmt: skip
    return partition(files, profiles(said.select("file", *SAID), CODES), NOBODY, SCALE)


def test_a_nation_that_comes_in_two_halves_is_the_nation(keys_only: None) -> None:
    said = nation(400, seed=9, error=2)
    whole = found(said, {}, set(said["file"]))
    half = said.filter(pl.col("file") % 3 == 0)
    began = dict(found(half, {}, set(half["file"])).links.select("file", "child").iter_rows())
    late = found(said, began, set(said["file"]) - set(began))
    then = began | dict(late.links.select("file", "child").iter_rows())
    at_once = dict(whole.links.select("file", "child").iter_rows())
    apart = [
        (x, y)
        for x, y in itertools.combinations(sorted(at_once), 2)
        if x // 10 == y // 10 and (at_once[x] == at_once[y]) != (then[x] == then[y])
    ]
    child = (
        said.select("file", "agency")
        .unique()
        .with_columns(child=pl.col("file").replace_strict(then, return_dtype=pl.Int64))
    )
    asked = doubts_among(late, child, NOBODY, SCALE).select("a", "b")
    doubtful = {then[file] for pair in asked.iter_rows() for file in pair}
    silent = [(x, y) for x, y in apart if not {then[x], then[y]} & doubtful]
    assert all(then[x] == then[y] for x, y in silent), (
        "what would be one child stands apart, and nobody is asked"
    )
    assert len(silent) < len(at_once) / 200, "links that only stand because they came first are few"


def test_the_same_run_twice_is_the_same_whatever_the_order_of_rows(keys_only: None) -> None:
    said = nation(300, seed=5, error=3)
    once = found(said, {}, set(said["file"]))
    again = found(said.sample(fraction=1.0, shuffle=True, seed=3), {}, set(said["file"]))
    assert once.links.sort("file").equals(again.links.sort("file"))
    assert {(r.edge.a, r.edge.b, r.why) for r in once.refused} == {
        (r.edge.a, r.edge.b, r.why) for r in again.refused
    }


def test_plain_children_come_out_of_columns_as_they_come_out_link_by_link(
    keys_only: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = nation(300, seed=8, error=3)
    by_columns = found(said, {}, set(said["file"]))
    monkeypatch.setattr(parting, "_not_plain", lambda rooted, *_: pl.repeat(True, len(rooted), eager=True))
    grown = found(said, {}, set(said["file"]))
    assert by_columns.links.equals(grown.links)


@pytest.mark.parametrize("seed", [5, 6])
def test_every_link_refused_is_within_a_child_already_or_asked_of_its_two_children(
    keys_only: None, seed: int
) -> None:
    said = nation(400, seed=seed, error=4)
    once = found(said, {}, set(said["file"]))
    child = once.links.select("file", "child").join(said.select("file", "agency").unique(), on="file")
    of = dict(child.select("file", "child").iter_rows())
    asked = {
        frozenset(pair) for pair in doubts_among(once, child, NOBODY, SCALE).select("low", "high").iter_rows()
    }
    refused = [frozenset((of[r.edge.a], of[r.edge.b])) for r in once.refused]
    assert any(len(pair) == 2 for pair in refused)
    assert [pair for pair in refused if len(pair) == 2 and pair not in asked] == []
