"""Links and standing words give one partition, whatever the order; ids stay with what they were given to."""

from hypothesis import given
from hypothesis import strategies as st

from handhold.identity.parting import ended_by_match, ended_by_no_match, named, pair, partition

FILES = list(range(1, 8))
pairs = st.sets(st.tuples(st.sampled_from(FILES), st.sampled_from(FILES)).filter(lambda p: p[0] < p[1]))


@given(pairs, pairs, pairs)
def test_nothing_that_was_said_to_be_apart_is_together(
    links: set[tuple[int, int]], matches: set[tuple[int, int]], apart: set[tuple[int, int]]
) -> None:
    groups = partition(FILES, sorted(links), matches, apart)
    assert sorted(f for group in groups for f in group) == FILES
    assert not any({a, b} <= group for a, b in apart for group in groups)


@given(pairs, pairs)
def test_a_match_is_never_refused_where_nothing_speaks_against_it(
    links: set[tuple[int, int]], matches: set[tuple[int, int]]
) -> None:
    groups = partition(FILES, sorted(links), matches, ())
    assert all(any({a, b} <= group for group in groups) for a, b in (*matches, *links))


def test_a_file_said_to_be_apart_leaves_alone_and_takes_those_that_hang_on_it() -> None:
    chain = [(1, 2), (2, 3), (1, 4)]
    assert partition([1, 2, 3, 4], chain, (), [(1, 2)]) == [{1, 4}, {2, 3}]
    assert partition([1, 2, 3, 4], chain, (), [(1, 3)]) == [{1, 2, 4}, {3}]


def test_a_match_of_two_children_ends_the_words_between_them_only() -> None:
    assert ended_by_match([1, 2], [3, 4], [(1, 3), (2, 5), (1, 2)]) == [(1, 3)]


def test_a_no_match_ends_the_matches_that_still_hold_the_two_together() -> None:
    assert ended_by_no_match(1, 3, [(1, 2), (2, 3), (3, 4)]) == [(2, 3)]
    assert ended_by_no_match(1, 3, [(1, 3), (3, 4)]) == []


def test_an_id_stays_with_the_larger_part_and_of_two_equal_ones_with_the_one_that_stays() -> None:
    of = dict.fromkeys((1, 2, 3), 100)
    assert named([frozenset({1}), frozenset({2, 3})], of, of, [100]) == [None, 100]
    two = dict.fromkeys((1, 2), 100)
    assert named([frozenset({1}), frozenset({2})], two, two, [100], frozenset({1})) == [None, 100]
    assert named([frozenset({1}), frozenset({2})], two, two, [100], frozenset({2})) == [100, None]


def test_of_two_joined_children_the_elder_keeps_its_id() -> None:
    of = {1: 100, 2: 200}
    assert named([frozenset({1, 2})], of, of, [200, 100]) == [200]


def test_a_pair_has_one_order() -> None:
    assert pair(5, 2) == pair(2, 5) == (2, 5)
