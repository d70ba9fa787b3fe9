"""Prove a ledger bundle offline. Needs Python 3.9 or newer and the package ``cryptography``; nothing of Handhold.

    python verify.py BUNDLE [--key LOG.PUB] [--seen OLD_CHECKPOINT.txt ...] [--prove INDEX]

It proves that every checkpoint was signed by the log's key, that the leaves give every signed root (so each later
checkpoint contains each earlier one: nothing was removed, changed or put in between), and that every entry handed over
is one of those leaves. ``--key``: the key you were given by another way than the bundle: use it, or you only prove that
the bundle agrees with itself. ``--seen``: checkpoints you kept from earlier. ``--prove INDEX``: print the audit path of
one leaf. Exit code 0: everything holds; 1: something does not (each problem is a line); 2: misuse.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sys
from collections.abc import Iterable
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Key = tuple[str, bytes, Ed25519PublicKey]  # name, key id, public key
Head = tuple[str, int, bytes]  # file name, size, root


def leaf_hash(data: bytes) -> bytes:
    """RFC 9162 2.1.1."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 9162 2.1.1."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def tree_root(leaves: list[bytes]) -> bytes:
    """Root over a list of leaf hashes, level by level (an odd one out rises by itself)."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    while len(leaves) > 1:
        pairs = [node_hash(leaves[n], leaves[n + 1]) for n in range(0, len(leaves) - 1, 2)]
        leaves = pairs + leaves[len(leaves) // 2 * 2 :]
    return leaves[0]


def running_roots(leaves: list[bytes], sizes: list[int]) -> dict[int, bytes]:
    """Root at each of ``sizes``, in one pass over the leaves."""
    wanted = set(sizes)
    roots: dict[int, bytes] = {}
    peaks: list[bytes] = []
    for size, leaf in enumerate(leaves, 1):
        peaks.append(leaf)
        merges = size
        while merges % 2 == 0:
            right = peaks.pop()
            peaks.append(node_hash(peaks.pop(), right))
            merges //= 2
        if size in wanted:
            root = peaks[-1]
            for peak in reversed(peaks[:-1]):
                root = node_hash(peak, root)
            roots[size] = root
    return roots


def audit_path(leaves: list[bytes], index: int) -> list[bytes]:
    """Inclusion path of a leaf, from the leaf upwards."""
    path = []
    while len(leaves) > 1:
        if index ^ 1 < len(leaves):
            path.append(leaves[index ^ 1])
        pairs = [node_hash(leaves[n], leaves[n + 1]) for n in range(0, len(leaves) - 1, 2)]
        leaves = pairs + leaves[len(leaves) // 2 * 2 :]
        index //= 2
    return path


def read_key(text: str) -> Key:
    """``(name, key id, public key)`` of ``name+keyid+base64``."""
    name, key_id, data = text.strip().split("+", 2)
    raw = base64.b64decode(data, validate=True)
    own_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
    if raw[:1] != b"\x01" or own_id.hex() != key_id:
        raise ValueError("the key does not fit its own key id")
    return name, own_id, Ed25519PublicKey.from_public_bytes(raw[1:])


def open_checkpoint(note: str, key: Key) -> tuple[int, bytes]:
    """``(size, root)`` of a checkpoint signed by ``key``, else ValueError."""
    name, key_id, public = key
    text, _, signatures = note.partition("\n\n")
    text += "\n"
    for line in signatures.splitlines():
        mark, signer, data = [*line.split(" "), "", ""][:3]
        if mark != "\u2014" or signer != name:
            continue
        raw = base64.b64decode(data, validate=True)
        if raw[:4] != key_id:
            continue
        try:
            public.verify(raw[4:], text.encode())
        except InvalidSignature:
            raise ValueError("its signature does not hold") from None
        origin, size, root = text.split("\n")[:3]
        if origin != name:
            raise ValueError("it is of another log")
        return int(size), base64.b64decode(root, validate=True)
    raise ValueError("it is not signed by this log's key")


def read_checkpoints(files: list[Path], key: Key, problems: list[str]) -> list[Head]:
    """``[(file name, size, root)]`` of those whose signature holds."""
    heads = []
    for file in files:
        try:
            heads.append((file.name, *open_checkpoint(file.read_text("utf-8"), key)))
        except (OSError, ValueError) as error:
            problems.append(f"checkpoint {file.name}: {error}")
    return heads


def check_heads(leaves: list[bytes], heads: list[Head], problems: list[str]) -> None:
    """Every signed root is the root over the first leaves."""
    roots = running_roots(leaves, [size for _, size, _ in heads])
    for name, size, root in sorted(heads, key=lambda head: head[1]):
        if size > len(leaves):
            problems.append(
                f"index {len(leaves)} is missing: {name} signed {size} leaves, the bundle has {len(leaves)}"
            )
        elif roots.get(size, tree_root([])) != root:
            problems.append(f"checkpoint {name}: the first {size} leaves are not those that were signed")
    if leaves and not any(size == len(leaves) for _, size, _ in heads):
        problems.append("the newest leaves are under no checkpoint")


def check_entries(lines: Iterable[str], leaves: list[bytes], problems: list[str]) -> int:
    """Every entry handed over is the leaf at its index. Returns how many there are."""
    count = 0
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            index, text, salt = entry["index"], entry["payload"].encode(), bytes.fromhex(entry["salt"])
            held = leaf_hash(hashlib.sha256(salt + text).digest()) == leaves[index] and index >= 0
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            problems.append(f"entries.jsonl line {number} is not an entry of this log")
            continue
        count += 1
        if not held:
            problems.append(f"index {index}: the entry does not say what was sealed")
    return count


def prove(
    bundle: Path, key_file: str | None, seen: list[str]
) -> tuple[list[str], list[bytes], int, list[Head]]:
    """Check a bundle; returns ``(problems, leaves, entries opened, heads)``."""
    problems: list[str] = []
    key = read_key(Path(key_file or bundle / "log.pub").read_text("utf-8"))
    data = (bundle / "leaves.bin").read_bytes()
    if len(data) % 32:
        problems.append("leaves.bin was cut off within a leaf")
    leaves = [data[at : at + 32] for at in range(0, len(data) // 32 * 32, 32)]
    heads = read_checkpoints(
        sorted((bundle / "checkpoints").glob("*.txt")) + [Path(s) for s in seen], key, problems
    )
    check_heads(leaves, heads, problems)
    with open(bundle / "entries.jsonl", encoding="utf-8") as lines:
        count = check_entries(lines, leaves, problems)
    return problems, leaves, count, heads


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description="Prove a ledger bundle offline.")
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--key", help="the log's verifier key, from a source you trust")
    parser.add_argument("--seen", action="append", default=[], help="a checkpoint you kept from earlier")
    parser.add_argument("--prove", type=int, help="print the audit path of this leaf")
    asked = parser.parse_args(arguments)
    try:
        problems, leaves, count, heads = prove(asked.bundle, asked.key, asked.seen)
    except (OSError, ValueError) as error:
        print(f"the bundle cannot be read: {error}", file=sys.stderr)  # noqa: T201
        return 2
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201
    if asked.prove is not None and 0 <= asked.prove < len(leaves):
        path = [step.hex() for step in audit_path(leaves, asked.prove)]
        print(  # noqa: T201
            json.dumps(
                {"index": asked.prove, "size": len(leaves), "leaf": leaves[asked.prove].hex(), "path": path}
            )
        )
    if not problems:
        print(  # noqa: T201
            f"holds: {len(leaves)} leaves under {len(heads)} signed checkpoints, {count} entries opened, root {tree_root(leaves).hex()}"
        )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
