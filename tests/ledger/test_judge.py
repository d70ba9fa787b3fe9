"""Whatever is done to a log, the verdict says so and names the place."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handhold.ledger import merkle, trail
from handhold.ledger.note import Signer
from handhold.ledger.verify import Row, StoredHead, Verdict, judge

NOW = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)
SIGNER = Signer.new()


class Log:
    """A log in memory: its rows, stored heads and the files handed out."""

    def __init__(self, sizes: list[int], *, verb: str = "child.seen", handed_out: bool = True) -> None:
        self.rows = [row(index, verb) for index in range(sizes[-1])]
        self.heads = [self.head(size) for size in sizes]
        self.files = {head.size: head.note for head in self.heads} if handed_out else {}

    def head(self, size: int) -> StoredHead:
        frontier = merkle.Frontier().extend(one.hash for one in self.rows[:size])
        root = frontier.root()
        return StoredHead(size, root, SIGNER.sign(size, root), frontier.packed())

    def verdict(self, **more: Any) -> Verdict:
        return judge(self.rows, self.heads, self.files, SIGNER.verifier, **more)


def row(index: int, verb: str, ids: tuple[int, ...] | None = None) -> Row:
    entry = trail.Entry(
        by="person:7", verb=verb, thing="child", ids=ids or [1000 + index], at=NOW, purpose="safety"
    )
    said = dict(zip(trail.COLUMNS, trail._row(entry, bytes([index % 256]) * 32), strict=True))
    return Row(index, index + 1, trail.leaf(said["payload"], said["salt"]), {"seq": index + 1, **said})


sizes = st.lists(st.integers(1, 40), min_size=1, max_size=4, unique=True).map(sorted)


@given(sizes)
def test_an_untouched_log_holds(at: list[int]) -> None:
    said = Log(at).verdict()
    assert said.ok and said.problems == [] and said.size == at[-1]


@given(sizes, st.data())
def test_a_flipped_bit_in_what_an_entry_says_names_its_index(at: list[int], data: st.DataObject) -> None:
    log = Log(at)
    index = data.draw(st.integers(0, at[-1] - 1))
    field = data.draw(st.sampled_from(["payload", "salt"]))
    said = dict(log.rows[index].said or {})
    said[field] = flip(said[field], data)
    log.rows[index] = replace(log.rows[index], said=said)
    assert log.verdict().problems == [
        f"index {index} (entry {index + 1}): what the entry says is not what the leaf was made of"
    ]


@given(sizes, st.data())
def test_a_changed_column_names_its_index(at: list[int], data: st.DataObject) -> None:
    log = Log(at)
    index = data.draw(st.integers(0, at[-1] - 1))
    field, value = data.draw(
        st.sampled_from([("by", "person:8"), ("verb", "child.told"), ("ids", [5]), ("count", 0), ("agency", "ERO"),
                         ("purpose", None), ("rule", "r"), ("at", NOW.replace(year=2023)), ("digest", b"x" * 32)])
    )  # fmt: skip
    log.rows[index] = replace(log.rows[index], said={**(log.rows[index].said or {}), field: value})
    assert log.verdict().problems[0].startswith(f"index {index} (entry {index + 1}): its columns do not say")


@given(sizes, st.data())
def test_an_entry_rewritten_with_its_leaf_breaks_the_signed_root(at: list[int], data: st.DataObject) -> None:
    """Somebody who knows how leaves are made changes the entry, its text and its leaf."""
    log = Log(at)
    index = data.draw(st.integers(0, at[-1] - 1))
    log.rows[index] = row(index, "child.unseen")
    low = max((size for size in at if size <= index), default=0)
    high = min(size for size in at if size > index)
    assert log.verdict().problems == [
        f"indexes {low} to {high - 1} are not those that were signed at {high}: a leaf was changed"
    ]


@given(sizes, st.data())
def test_a_dropped_leaf_is_named(at: list[int], data: st.DataObject) -> None:
    log = Log(at)
    index = data.draw(st.integers(0, at[-1] - 1))
    del log.rows[index]
    assert any(f"index {index} is missing" in problem for problem in log.verdict().problems)


@given(sizes, st.data())
def test_a_dropped_leaf_with_the_others_moved_up_is_noticed(at: list[int], data: st.DataObject) -> None:
    log = Log(at)
    index = data.draw(st.integers(0, at[-1] - 1))
    del log.rows[index]
    log.rows = [replace(one, index=n) for n, one in enumerate(log.rows)]
    assert not log.verdict().ok


@given(st.integers(2, 40), st.data())
def test_two_swapped_leaves_are_noticed(size: int, data: st.DataObject) -> None:
    log = Log([size])
    one, two = data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True))
    log.rows[one], log.rows[two] = replace(log.rows[two], index=one), replace(log.rows[one], index=two)
    assert log.verdict().problems[0].startswith(f"indexes 0 to {size - 1} are not those that were signed")


@given(sizes, st.data())
def test_a_tail_cut_off_with_its_heads_is_told_by_the_files(at: list[int], data: st.DataObject) -> None:
    log = Log(at)
    left = data.draw(st.sampled_from([0, *at[:-1]]))
    log.rows = log.rows[:left]
    log.heads = [head for head in log.heads if head.size <= left]
    problems = log.verdict().problems
    assert (
        f"index {left} is missing: {at[-1]} leaves were signed, {left} are left; the tail was cut off"
        in problems
    )


@given(sizes, st.data())
def test_a_fork_is_told_by_the_files(at: list[int], data: st.DataObject) -> None:
    """Another history, signed with the true key: only the heads handed out before can tell."""
    log, fork = Log(at), Log(at, verb="child.unseen")
    fork.files = log.files
    assert not fork.verdict().ok
    assert (
        fork.verdict()
        .problems[0]
        .startswith(f"indexes 0 to {at[0] - 1} are not those that were signed at {at[0]}")
    )


@given(sizes, st.data())
def test_a_head_signed_by_another_key_is_refused(at: list[int], data: st.DataObject) -> None:
    log = Log(at)
    which = data.draw(st.integers(0, len(at) - 1))
    head = log.heads[which]
    log.heads[which] = head._replace(note=Signer.new().sign(head.size, head.root))
    assert log.verdict().problems == [f"checkpoint {head.size}: it is not signed by this log's key"]


@given(sizes, st.data())
def test_a_spoiled_head_is_noticed(at: list[int], data: st.DataObject) -> None:
    log = Log(at)
    which = data.draw(st.integers(0, len(at) - 1))
    head = log.heads[which]
    field = data.draw(st.sampled_from(["root", "frontier"]))
    log.heads[which] = head._replace(**{field: flip(getattr(head, field), data)})
    assert not log.verdict().ok


@pytest.mark.parametrize("spoil", [lambda log: log.heads.pop(), lambda log: log.heads.pop(0)])
def test_a_head_that_is_gone_is_noticed(spoil: Any) -> None:
    log = Log([3, 7])
    spoil(log)
    assert any("is gone from the database" in problem for problem in log.verdict().problems)


def test_leaves_that_were_never_signed_are_noticed() -> None:
    log = Log([3, 7], handed_out=False)
    log.heads.pop()
    assert log.verdict().problems == ["index 3 and what follows was never signed, or its checkpoint is gone"]


def test_an_entry_that_is_gone_is_named() -> None:
    log = Log([5])
    log.rows[2] = replace(log.rows[2], said=None)
    assert log.verdict().problems == ["index 2 (entry 3): its entry is gone"]


def test_a_text_destroyed_without_a_record_is_named_and_with_one_it_is_not() -> None:
    log = Log([5])
    blank = dict.fromkeys(trail.COLUMNS) | {"seq": 3}
    log.rows[2] = replace(log.rows[2], said=blank)
    assert log.verdict().problems == [
        "index 2 (entry 3): its text was destroyed and no redaction is recorded"
    ]
    record = row(9, "ledger.redacted", (3,)).said or {}
    excused = log.verdict(unsealed=[record])
    assert excused.ok and excused.redacted == 1 and excused.waiting == 1


def test_an_entry_hidden_from_the_tree_is_named() -> None:
    assert Log([5]).verdict(lost=[77]).problems == [
        "entry 77 has no leaf and does not wait for one: it was hidden from the tree"
    ]


def test_many_problems_are_not_all_listed() -> None:
    log = Log([100])
    log.rows = [replace(one, said=None) for one in log.rows]
    assert len(log.verdict().problems) == 51 and log.verdict().problems[-1] == "and 50 more"


def flip(value: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(0, 8 * len(value) - 1)) if value else 0
    return (int.from_bytes(value, "big") ^ 1 << bit).to_bytes(len(value), "big")
