"""Where Handhold keeps what it must keep: ``HANDHOLD_HOME``, by default ``~/.handhold``."""

import os
from pathlib import Path

from handhold.store.errors import StoreError


def home() -> Path:
    """The home folder, made if need be. Raises :class:`StoreError` when it cannot be made or written."""
    where = Path(os.environ.get("HANDHOLD_HOME") or Path.home() / ".handhold").absolute()
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"HANDHOLD_HOME cannot be made ({error.strerror}); choose another folder") from None
    if not os.access(where, os.W_OK):
        raise StoreError("HANDHOLD_HOME cannot be written; choose another folder or mend its permissions")
    return where
