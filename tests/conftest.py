"""What every test may ask for: a home that is nobody's, and a database with all tables that is its module's own."""

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from handhold import store

TEMPLATE = "handhold_tests"
_numbers = itertools.count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Quick tests first, then the slow ones, then those in a browser."""
    items.sort(
        key=lambda item: (
            item.get_closest_marker("browser") is not None,
            item.get_closest_marker("slow") is not None,
        )
    )


@pytest.fixture(scope="session", autouse=True)
def home() -> Iterator[Path]:
    """A fresh HANDHOLD_HOME, so that no test touches a real one; its server is stopped at the end."""
    where = Path(tempfile.mkdtemp(prefix="handhold-tests-"))
    where.chmod(0o711)  # as root, PostgreSQL runs as another account, which must get through
    before = {name: os.environ.pop(name, None) for name in ("HANDHOLD_HOME", "DATABASE_URL")}
    os.environ["HANDHOLD_HOME"] = str(where)
    yield where
    os.environ["HANDHOLD_HOME"] = str(where)
    store.close()
    if list(where.glob("pg-*")):
        store.stop()
    shutil.rmtree(where)
    os.environ.pop("HANDHOLD_HOME")
    os.environ.update({name: value for name, value in before.items() if value is not None})


@pytest.fixture(scope="session")
def template(home: Path) -> str:
    """The server's address; in it a database with all tables, to be copied. Made by the first test that needs one."""
    dsn = store.ensure()
    _administer(dsn, f"create database {TEMPLATE}")
    with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname=TEMPLATE)) as db:
        store.migrate(db)
    return dsn


@pytest.fixture(scope="module")
def database(template: str) -> Iterator[str]:
    """A database of this module's own, with all tables; ``store.connect`` and ``store.transaction`` lead to it."""
    name = f"{TEMPLATE}_{next(_numbers)}"
    _administer(template, f"create database {name} template {TEMPLATE}")
    store.close()
    store.use(psycopg.conninfo.make_conninfo(template, dbname=name))
    shutil.rmtree(store.home() / "checkpoints", ignore_errors=True)  # those of another module's ledger
    yield store.dsn()
    store.close()
    _administer(template, f"drop database {name} with (force)")


@pytest.fixture
def db(database: str) -> Iterator[store.Db]:
    """A connection to the module's database; what the test does not commit is undone."""
    with store.connect() as connection:
        yield connection
        connection.rollback()


def _administer(dsn: str, statement: str) -> None:
    with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname="postgres"), autocommit=True) as db:
        db.execute(statement)
