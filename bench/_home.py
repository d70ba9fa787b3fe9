"""A deployment of its own for a benchmark."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def home() -> Iterator[None]:
    """A home that PostgreSQL's account may enter, with a running database and all tables; gone afterwards."""
    where = Path(tempfile.mkdtemp(prefix="handhold-bench-"))
    where.chmod(0o755)
    os.environ["HANDHOLD_HOME"] = str(where)
    os.environ.pop("DATABASE_URL", None)
    from handhold import store

    try:
        store.ensure()
        with store.transaction() as db:
            store.migrate(db)
        yield
    finally:
        store.close()
        store.stop()
        shutil.rmtree(where, ignore_errors=True)
