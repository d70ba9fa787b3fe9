"""Ids of what is stated: the same for the same, another for anything else, and near what they belong to where that is asked."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from handhold import store

HIGH = 43  # bits of an id that are its own; those above are its neighbour's
TEXTS = st.lists(st.text(max_size=8), min_size=1, max_size=50, unique=True)


@given(TEXTS, st.integers(0, (1 << 63) - 1))
def test_near_ids_share_their_first_bits_and_nothing_else(texts: list[str], neighbour: int) -> None:
    said = pl.Series("said", texts)
    plain = store.stable_ids("test", said)
    near = store.stable_ids("test", said, near=pl.Series([neighbour] * len(texts), dtype=pl.Int64))
    assert all(one >> HIGH == neighbour >> HIGH for one in near)
    assert [one % (1 << HIGH) for one in near] == [one % (1 << HIGH) for one in plain]
    assert near.is_unique().all() and near.min() >= 0
    assert near.equals(
        store.stable_ids("test", said, near=pl.Series([neighbour] * len(texts), dtype=pl.Int64))
    )


def test_parts_do_not_run_together() -> None:
    ids = store.stable_ids("test", pl.Series(["ab", "a", None]), pl.Series(["c", "bc", "abc"]))
    assert ids.is_unique().all()
