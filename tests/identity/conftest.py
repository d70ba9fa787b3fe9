"""The database of these tests, and a keyring for those that need none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import home

from handhold import store

TABLES = "identity_judgement, identity_question, identity_link, identity_key, identity_description, identity_file, identity_child"


@pytest.fixture(scope="package")
def server() -> Iterator[None]:
    """One server for all of them."""
    with home("identity"):
        yield


@pytest.fixture
def db(server: None) -> Iterator[store.Db]:
    """A transaction on empty tables, never committed."""
    with store.connect() as connection:
        connection.execute(f"truncate {TABLES} cascade".encode())
        yield connection
        connection.rollback()


@pytest.fixture
def keys_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys without a database: ids can be made, nothing can be stored."""
    monkeypatch.setenv("HANDHOLD_HOME", str(tmp_path))
    store.hold(store.Keyring.new())
