"""The process's keyring: read from ``HANDHOLD_HOME/keys.json`` (mode 0600), made there the first time."""

import fcntl
import json
import os
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from handhold.store.errors import StoreError
from handhold.store.home import home
from handhold.store.sealed import Key, Keyring

# By what HANDHOLD_HOME says: every sealed cell asks, and to look at the folder takes longer.
_held: dict[str, Keyring] = {}


def keyring() -> Keyring:
    """The keys of this home; loaded once a process."""
    ring = _held.get(_named())
    if ring is None:
        ring = _held[_named()] = _load(home() / "keys.json")
    return ring


def _named() -> str:
    return os.environ.get("HANDHOLD_HOME", "")


def _load(where: Path) -> Keyring:
    with open(where.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not where.exists():
            write(where, Keyring.new())
    try:
        text = json.loads(where.read_text())
        keys = {
            cls: [Key(bytes.fromhex(k["id"]), bytes.fromhex(k["secret"])) for k in ks]
            for cls, ks in text["classes"].items()
        }
        return Keyring(keys, bytes.fromhex(text["index"]))
    except (ValueError, KeyError, TypeError):
        raise StoreError(
            "HANDHOLD_HOME/keys.json cannot be read as keys; restore it from its backup"
        ) from None


def write(where: Path, ring: Keyring) -> None:
    """Put the ring down whole: a crash leaves the old file or the new one."""
    text = {
        "classes": {
            cls: [{"id": k.id.hex(), "secret": k.secret.hex()} for k in ks] for cls, ks in ring.keys.items()
        },
        "index": ring.index_secret.hex(),
    }
    fresh = where.with_suffix(".new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(text, out)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(where)


def rotate(cls: str) -> None:
    """Seal from now on with a new key of class ``cls``; what the old one sealed still opens."""
    where = home() / "keys.json"
    ring = keyring().rotated(cls)
    write(where, ring)
    _held[_named()] = ring


def hold(ring: Keyring) -> None:
    """Let this process work with ``ring`` instead of all keys (a task that needs few is given few)."""
    _held[_named()] = ring


def seal(cls: str, context: str, data: bytes) -> bytes:
    """One blob; see :meth:`Keyring.seal`."""
    return keyring().seal(cls, context, data)


def unseal(cls: str, context: str, blob: bytes) -> bytes:
    """What one blob holds; see :meth:`Keyring.open`."""
    return keyring().open(cls, context, bytes(blob))


def seal_many(cls: str, context: str, ids: pl.Series, values: pl.Series) -> pl.Series:
    """See :meth:`Keyring.seal_many`."""
    return keyring().seal_many(cls, context, ids, values)


def unseal_many(cls: str, context: str, ids: pl.Series, blobs: pl.Series) -> pl.Series:
    """See :meth:`Keyring.unseal_many`."""
    return keyring().unseal_many(cls, context, ids, blobs)


def blind(values: pl.Series, domain: str) -> pl.Series:
    """See :meth:`Keyring.blind`."""
    return keyring().blind(values, domain)


def blind_all(values: Iterable[str], domain: str) -> list[int]:
    """See :meth:`Keyring.blind_all`."""
    return keyring().blind_all(values, domain)


def blind_one(value: str, domain: str) -> int:
    """See :meth:`Keyring.blind_one`."""
    return keyring().blind_one(value, domain)


def stable_ids(domain: str, *parts: pl.Series, near: pl.Series | None = None) -> pl.Series:
    """See :meth:`Keyring.stable_ids`."""
    return keyring().stable_ids(domain, *parts, near=near)
