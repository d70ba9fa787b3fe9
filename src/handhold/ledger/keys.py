"""The log's signing key: ``HANDHOLD_HOME/ledger_key`` (mode 0600); its public half lies beside it."""

import fcntl
import os
import threading
from pathlib import Path

from handhold import store
from handhold.ledger.errors import LedgerError
from handhold.ledger.note import Signer

_held: dict[Path, Signer] = {}


def signer() -> Signer:
    """The key of this home, made there the first time. Raises :class:`LedgerError` when it cannot be read."""
    where = store.home() / "ledger_key"
    if where not in _held:
        _held[where] = _load(where)
    return _held[where]


def _load(where: Path) -> Signer:
    with open(where.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not where.exists():
            _make(where)
    try:
        name, secret = where.read_text().split()
        return Signer(name, bytes.fromhex(secret))
    except ValueError:
        raise LedgerError(
            "HANDHOLD_HOME/ledger_key cannot be read as a key; restore it from its backup"
        ) from None


def _make(where: Path) -> None:
    key = Signer.new()
    put_down(where.with_suffix(".pub"), f"{key.verifier}\n", 0o644)
    put_down(where, f"{key.name} {key.secret.hex()}\n", 0o600)


def put_down(where: Path, text: str, mode: int) -> None:
    """Write a file whole: a crash leaves the old one or the new one."""
    fresh = where.with_name(f"{where.name}.{os.getpid()}-{threading.get_native_id()}.new")
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(where)
