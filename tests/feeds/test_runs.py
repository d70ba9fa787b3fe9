"""The history of rows, against a plain walk through the deliveries one by one."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from handhold.feeds.runs import SAID, runs

ABSENT, REFUSED = None, 0
# What one row is in each delivery of a feed: absent, refused, or one of three contents.
lives = st.lists(st.sampled_from([ABSENT, REFUSED, 1, 2, 3]), min_size=1, max_size=8)


def walked(life: list[int | None], *, snapshot: bool) -> list[tuple[int, int | None, bool, int]]:
    """Runs as ``content, until, replaced, last``: what a clerk would note who reads the deliveries in their order."""
    found: list[tuple[int, int | None, bool, int]] = []
    says: int | None = None
    for turn, content in enumerate(life):
        if content is ABSENT:
            if snapshot and says is not None:
                found[-1] = (found[-1][0], turn, False, found[-1][3])
                says = None
        elif content == REFUSED:
            continue
        elif content == says:
            found[-1] = (*found[-1][:3], turn)
        else:
            if says is not None:
                found[-1] = (found[-1][0], turn, True, found[-1][3])
            found.append((content, None, False, turn))
            says = content
    return found


def told(several: list[list[int | None]], *, snapshot: bool) -> pl.DataFrame:
    said = [
        {"row": row, "feed": "f", "nth": turn, "turn": turn, "content": content or None, "file": row, "number": None, "line": 2}
        for row, life in enumerate(several)
        for turn, content in enumerate(life)
        if content is not ABSENT
    ]  # fmt: skip
    longest = max(len(life) for life in several)
    turns = pl.DataFrame(
        {
            "feed": ["f"] * longest,
            "nth": range(longest),
            "turn": range(longest),
            "snapshot": [snapshot] * longest,
        },
        schema={"feed": pl.String, "nth": pl.Int32, "turn": pl.Int32, "snapshot": pl.Boolean},
    )
    return runs(pl.DataFrame(said, schema=SAID), turns)


@given(several=st.lists(lives, min_size=1, max_size=5), snapshot=st.booleans())
def test_runs_are_what_a_walk_through_the_deliveries_finds(
    several: list[list[int | None]], snapshot: bool
) -> None:
    longest = max(len(life) for life in several)
    whole = [[*life, *[ABSENT] * (longest - len(life))] for life in several]
    found = told(whole, snapshot=snapshot).sort("row", "turn")
    for row, life in enumerate(whole):
        mine = found.filter(pl.col("row") == row).select("content", "until", "replaced", "last")
        assert mine.rows() == walked(life, snapshot=snapshot)


@given(several=st.lists(lives, min_size=1, max_size=5), snapshot=st.booleans(), data=st.data())
def test_the_order_of_the_lines_does_not_matter(
    several: list[list[int | None]], snapshot: bool, data: st.DataObject
) -> None:
    longest = max(len(life) for life in several)
    whole = [[*life, *[ABSENT] * (longest - len(life))] for life in several]
    order = data.draw(st.permutations(range(len(whole))))
    plain = told(whole, snapshot=snapshot).drop("row", "file").sort(pl.all())
    mixed = told([whole[n] for n in order], snapshot=snapshot).drop("row", "file").sort(pl.all())
    assert plain.equals(mixed)
