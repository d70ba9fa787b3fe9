"""The key that signs sessions: given by the environment, or made once and kept under ``HANDHOLD_HOME``."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from handhold import store

NAME = "web-secret"
SHORTEST = 50


def secret() -> str:
    """The signing key. Two processes that make it at once end with the same one."""
    if given := os.environ.get("HANDHOLD_SECRET_KEY"):
        return given
    where = store.home() / NAME
    if not where.exists():
        _make(where)
    kept = where.read_text().strip()
    if len(kept) < SHORTEST:
        raise store.StoreError(
            f"{NAME} under HANDHOLD_HOME is cut short; delete it and start again (everybody signs in anew)"
        )
    return kept


def _make(where: Path) -> None:
    """Write beside, then link: the name appears only with its whole content, and the first one to link wins."""
    with tempfile.NamedTemporaryFile("w", dir=where.parent, prefix=NAME) as fresh:  # made 0600 by tempfile
        fresh.write(secrets.token_urlsafe(64))
        fresh.flush()
        with suppress(FileExistsError):
            os.link(fresh.name, where)
