"""Where Handhold keeps what it must keep: ``HANDHOLD_HOME``, by default ``~/.handhold``."""

import os
from pathlib import Path

from handhold.store.errors import StoreError

ROOTS_HOME = Path("/var/lib/handhold")
UNQUOTABLE = frozenset('"$`\\\n')


def home() -> Path:
    """The home folder, made if need be. Raises :class:`StoreError` when it cannot be made or written."""
    where = Path(os.environ.get("HANDHOLD_HOME") or _default()).absolute()
    if UNQUOTABLE & set(str(where)):
        raise StoreError(
            "HANDHOLD_HOME holds one of the characters \" $ ` \\ or a line break, which PostgreSQL's starter would misread; choose another folder"
        )
    try:
        where.mkdir(mode=0o711, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"HANDHOLD_HOME cannot be made ({error.strerror}); choose another folder") from None
    if not os.access(where, os.W_OK):
        raise StoreError("HANDHOLD_HOME cannot be written; choose another folder or mend its permissions")
    return where


def _default() -> Path:
    """Root's own folder is closed to others, and the database must not run as root: it could not get in there."""
    own = Path.home()
    if os.geteuid() == 0 and not own.stat().st_mode & 0o001:
        return ROOTS_HOME
    return own / ".handhold"
