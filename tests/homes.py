"""A home with a running database, for the tests of rooms that need one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from handhold import store


@contextmanager
def home(name: str) -> Iterator[None]:
    """PostgreSQL with all tables under a fresh HANDHOLD_HOME, gone afterwards."""
    where = Path(tempfile.mkdtemp(prefix=f"{name}-tests-"))
    where.chmod(0o755)  # PostgreSQL runs as another account, which must get in
    before = os.environ.get("HANDHOLD_HOME")
    os.environ["HANDHOLD_HOME"] = str(where)
    store.close()
    try:
        store.ensure()
        with store.transaction() as db:
            store.migrate(db)
        yield
    finally:
        store.close()
        store.stop()
        shutil.rmtree(where)
        os.environ.pop("HANDHOLD_HOME")
        if before is not None:
            os.environ["HANDHOLD_HOME"] = before
