"""The Merkle tree of RFC 9162 section 2.1: roots, inclusion proofs, consistency proofs.

A pure leaf. ``hashes`` are always *leaf hashes* (32 bytes each, in the order of the log), never the data under them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

SIZE = 32  # bytes of a hash
EMPTY = sha256(b"").digest()  # root of a log without leaves (RFC 9162 2.1.1)


def leaf_hash(data: bytes) -> bytes:
    """Hash of a leaf; the prefix keeps leaves and nodes apart."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of a node over its two children."""
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    """What is needed to go on with a tree without its leaves: the roots of its perfect subtrees, largest first."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    @classmethod
    def unpacked(cls, size: int, packed: bytes) -> "Frontier":
        """A frontier as :meth:`packed` wrote it. Raises ``ValueError`` when it does not fit ``size``."""
        if len(packed) != SIZE * size.bit_count():
            raise ValueError(
                f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(packed) / SIZE:g}"
            )
        return cls(size, [packed[at : at + SIZE] for at in range(0, len(packed), SIZE)])

    def packed(self) -> bytes:
        """The peaks behind one another."""
        return b"".join(self.peaks)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash: as many merges as ``size`` ends in ones."""
        size = self.size
        while size & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def extend(self, leaves: Iterable[bytes]) -> "Frontier":
        """Add leaf hashes in their order; returns itself."""
        for leaf in leaves:
            self.append(leaf)
        return self

    def root(self) -> bytes:
        """The root of the tree so far."""
        if not self.peaks:
            return EMPTY
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def root(hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    return Frontier().extend(hashes).root()


def _split(size: int) -> int:
    """The largest power of two below ``size`` (at least 2): where RFC 9162 splits a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion(hashes: Sequence[bytes], index: int) -> list[bytes]:
    """The path that proves leaf ``index`` in the tree over all ``hashes`` (RFC 9162 2.1.3.1), from the leaf upwards."""
    if not 0 <= index < len(hashes):
        raise IndexError(f"leaf {index} is not in a log of {len(hashes)}")
    path, low, high = [], 0, len(hashes)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(root(hashes[middle:high]))
            high = middle
        else:
            path.append(root(hashes[low:middle]))
            low = middle
    return path[::-1]


def consistency(hashes: Sequence[bytes], old: int) -> list[bytes]:
    """The path that proves that the first ``old`` leaves are still the first ones (RFC 9162 2.1.4.1)."""
    if not 0 < old <= len(hashes):
        raise IndexError(f"no consistency proof leads from {old} to {len(hashes)} leaves")
    path, low, high, whole = [], 0, len(hashes), True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(root(hashes[middle:high]))
            high = middle
        else:
            path.append(root(hashes[low:middle]))
            low, whole = middle, False
    if not whole:
        path.append(root(hashes[low:high]))
    return path[::-1]


def proves_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes) -> bool:
    """Whether ``path`` leads from ``leaf`` at ``index`` to the root ``expected`` of ``size`` leaves (RFC 9162 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last, hash_ = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if node & 1 or node == last:
            hash_ = node_hash(step, hash_)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            hash_ = node_hash(hash_, step)
        node, last = node >> 1, last >> 1
    return last == 0 and hash_ == expected


def proves_consistency(old: int, old_root: bytes, size: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether ``path`` shows that the tree of ``size`` leaves begins with the tree of ``old`` (RFC 9162 2.1.4.2)."""
    if not 0 < old <= size:
        return False
    if old == size:
        return not path and old_root == new_root
    steps = list(path) if old & (old - 1) else [old_root, *path]
    if not steps:
        return False
    node, last = old - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    before = after = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            before, after = node_hash(step, before), node_hash(step, after)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            after = node_hash(after, step)
        node, last = node >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root
