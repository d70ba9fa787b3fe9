"""The tree keeps the promises of RFC 9162, and agrees with an independent one."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handhold.ledger import merkle, standalone


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(str(n).encode()) for n in range(count)]


def by_definition(hashes: list[bytes]) -> bytes:
    """The recursive definition of RFC 9162 2.1.1, word for word."""
    if not hashes:
        return sha256(b"").digest()
    if len(hashes) == 1:
        return hashes[0]
    split = max(2**n for n in range(len(hashes).bit_length()) if 2**n < len(hashes))
    return sha256(b"\x01" + by_definition(hashes[:split]) + by_definition(hashes[split:])).digest()


@pytest.mark.parametrize("count", [*range(18), 255, 256, 257])
def test_root_is_that_of_the_definition(count: int) -> None:
    assert merkle.root(leaves(count)) == by_definition(leaves(count)) == standalone.tree_root(leaves(count))


def test_known_root() -> None:
    """The eight-leaf tree used as a test vector by Certificate Transparency's own code."""
    data = [
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ]
    root = merkle.root(merkle.leaf_hash(bytes.fromhex(one)) for one in data)
    assert root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@given(st.integers(0, 300), st.integers(0, 300))
def test_a_frontier_goes_on_where_it_stopped(first: int, more: int) -> None:
    hashes = leaves(first + more)
    stopped = merkle.Frontier().extend(hashes[:first])
    again = merkle.Frontier.unpacked(stopped.size, stopped.packed())
    assert again.extend(hashes[first:]).root() == merkle.root(hashes)


def test_a_frontier_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="peaks"):
        merkle.Frontier.unpacked(4, merkle.Frontier().extend(leaves(3)).packed())


@given(st.data())
def test_inclusion_is_proved_and_nothing_else_is(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    hashes = leaves(size)
    root, path = merkle.root(hashes), merkle.inclusion(hashes, index)
    assert path == standalone.audit_path(hashes, index)
    assert merkle.proves_inclusion(hashes[index], index, size, path, root)
    other = data.draw(st.integers(-1, size).filter(lambda n: n != index))
    assert not merkle.proves_inclusion(hashes[index], other, size, path, root)
    assert not merkle.proves_inclusion(merkle.leaf_hash(b"another"), index, size, path, root)
    assert not merkle.proves_inclusion(hashes[index], index, size, [*path, root], root)
    if path:
        spoiled = data.draw(st.integers(0, len(path) - 1))
        bad = [flipped(step, data) if n == spoiled else step for n, step in enumerate(path)]
        assert not merkle.proves_inclusion(hashes[index], index, size, bad, root)
        assert not merkle.proves_inclusion(hashes[index], index, size, path[:-1], root)


@given(st.data())
def test_consistency_is_proved_and_a_fork_is_not(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 200))
    old = data.draw(st.integers(1, size))
    hashes = leaves(size)
    root, old_root, path = merkle.root(hashes), merkle.root(hashes[:old]), merkle.consistency(hashes, old)
    assert merkle.proves_consistency(old, old_root, size, root, path)
    changed = data.draw(st.integers(0, old - 1))
    fork = [merkle.leaf_hash(b"fork") if n == changed else leaf for n, leaf in enumerate(hashes)]
    assert not merkle.proves_consistency(old, old_root, size, merkle.root(fork), path)
    assert not merkle.proves_consistency(
        old, old_root, size, merkle.root(fork), merkle.consistency(fork, old)
    )
    assert not merkle.proves_consistency(old, old_root, size, root, [*path, root])
    if path:
        assert not merkle.proves_consistency(old, old_root, size, root, path[1:])


def flipped(hash_: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(0, 8 * len(hash_) - 1))
    return (int.from_bytes(hash_, "big") ^ 1 << bit).to_bytes(len(hash_), "big")


def test_no_proof_for_what_is_not_there() -> None:
    with pytest.raises(IndexError):
        merkle.inclusion(leaves(3), 3)
    with pytest.raises(IndexError):
        merkle.consistency(leaves(3), 4)
