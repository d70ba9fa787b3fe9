"""What linking is for: nobody is merged with another, and most files of a child find each other. Figures of nations are in ``bench``."""

import polars as pl
import pytest

from handhold.identity.link import doubts_among

from .said import SCALE
from .test_order import NOBODY, found
from .typed import nation

CHILDREN = 600


def pairs(files: pl.DataFrame, *by: str) -> int:
    """Pairs of files that are alike in these columns."""
    return int(files.group_by(by).len().select((pl.col("len") * (pl.col("len") - 1) // 2).sum()).item())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_a_quarter_of_everything_is_blank_nobody_is_merged_and_most_are_found(
    keys_only: None, seed: int
) -> None:
    said = nation(CHILDREN, seed=seed, error=3)
    once = found(said, {}, set(said["file"]))
    truth = said.select("file", "agency", "child").unique()
    linked = truth.rename({"child": "true"}).join(once.links.select("file", "child"), on="file")
    merged = linked.group_by("child").agg(pl.col("true").n_unique()).filter(pl.col("true") > 1)
    assert merged.is_empty()
    assert pairs(linked, "child", "true") / pairs(linked, "true") > 0.8
    asked = doubts_among(once, linked.select("file", "agency", "child"), NOBODY, SCALE)
    assert 0 < len(asked) < 0.1 * len(linked)
    of = dict(linked.select("file", "true").iter_rows())
    right = sum(of[a] == of[b] for a, b in asked.select("a", "b").iter_rows())
    assert right > 0.5 * len(asked), "what is asked is mostly one child's"
