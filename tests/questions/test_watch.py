"""The arithmetic of samples: intervals, agreement, what is expected of links that were not looked at, and drift."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handhold.identity import agreement, wilson
from handhold.oversight.watch import Bin, expected_precision, expected_recall, rates, recall_from

NONE = wilson(0, 0)


def test_wilsons_interval_is_that_of_the_books() -> None:
    found = wilson(9, 10)  # Newcombe 1998 and others: 0.596 to 0.982
    assert (found.share, round(found.low, 3), round(found.high, 3)) == (0.9, 0.596, 0.982)
    assert wilson(10, 10).high == 1.0
    assert wilson(10, 10).low > 0.7
    assert (NONE.share, NONE.low, NONE.high) == (None, 0.0, 1.0)


@given(st.integers(1, 500), st.data())
def test_an_interval_holds_its_share(of: int, data: st.DataObject) -> None:
    found = wilson(data.draw(st.integers(0, of)), of)
    assert found.share is not None
    assert 0.0 <= found.low <= found.share + 1e-12
    assert found.share - 1e-12 <= found.high <= 1.0


def test_cohens_kappa_is_that_of_the_textbook() -> None:
    """Two readers of 50 grant proposals: 20 times both yes, 15 both no, 5 and 10 apart: kappa 0.4."""
    said = [("y", "y")] * 20 + [("n", "n")] * 15 + [("y", "n")] * 5 + [("n", "y")] * 10
    found = agreement(said)
    assert (found.of, found.same.share) == (50, 0.7)
    assert found.kappa == pytest.approx(0.4)
    assert agreement([("y", "y")] * 3).kappa is None
    assert agreement([]).kappa is None


def bin_(
    links: int = 0, right: tuple[int, int] = (0, 0), waiting: int = 0, alike: tuple[int, int] = (0, 0)
) -> Bin:
    return Bin(0.0, 5.0, links, wilson(*right), waiting, wilson(*alike), alike[0])


def test_a_bin_stands_for_its_links_and_what_nobody_saw_is_left_out() -> None:
    found = expected_precision([bin_(900, (50, 50)), bin_(100, (5, 10)), bin_(7)])
    assert found.share == pytest.approx(0.95)
    assert found.left_out == 7
    assert found.low < 0.95 < found.high
    assert expected_precision([bin_(7)]).share is None


def test_recall_counts_what_people_matched_and_what_they_would_match() -> None:
    found = expected_recall([bin_(90, (10, 10)), bin_(waiting=10, alike=(5, 10))])
    assert found.share == pytest.approx(90 / (90 + 5 + 5))
    assert 0 < found.low < found.share < found.high <= 1


def test_recall_by_range_is_what_linking_from_there_upwards_would_find() -> None:
    bins = [bin_(waiting=10, alike=(5, 10)), bin_(40, (10, 10)), bin_(50, (10, 10)), bin_(3)]
    found = recall_from(bins)
    assert [one.share for one in found] == pytest.approx([1.0, 0.9, 0.5, 0.0])
    assert all(
        one.low <= one.share <= one.high and one.left_out == 3 for one in found if one.share is not None
    )
    assert found[1].share == expected_recall(bins).share
    assert [one.share for one in recall_from([bin_(7)])] == [None]


@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.integers(0, 9), st.integers(0, 99), st.integers(0, 9)),
        min_size=1,
        max_size=6,
    )
)
def test_recall_never_grows_where_less_is_linked(told: list[tuple[int, int, int, int]]) -> None:
    bins = [bin_(links, (right, 9), waiting, (alike, 9)) for links, right, waiting, alike in told]
    shares = [one.share for one in recall_from(bins)]
    if None not in shares:
        assert shares[0] == pytest.approx(1.0)
        assert shares == sorted(shares, reverse=True)  # type: ignore[type-var]
    else:
        assert set(shares) == {None}


def test_a_month_drifts_when_it_is_not_what_the_months_before_were() -> None:
    months = [(1, 1000, 980), (2, 1000, 978), (3, 1000, 900), (4, 10, 10)]
    rows = [{"month": date(2024, m, 1), "files": files, "linked": linked} for m, files, linked in months]
    assert [rate.drifts for rate in rates(rows)] == [False, False, True, False]
