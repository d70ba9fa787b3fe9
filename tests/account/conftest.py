"""The database of these tests."""

from collections.abc import Iterator

import pytest
from homes import home

from handhold import store

TABLES = "timeline_lapse, timeline_sealed, sponsor.timeline_sealed, timeline_event, account_touched, account_standing, account_past, account_gap, account_shared"
IDENTITY = (
    "identity_question, identity_link, identity_key, identity_description, identity_file, identity_child"
)


@pytest.fixture(scope="package")
def server() -> Iterator[None]:
    """One server for all of them."""
    with home("account"):
        yield


@pytest.fixture
def db(server: None) -> Iterator[store.Db]:
    """A transaction on empty tables, never committed."""
    with store.connect() as connection:
        connection.execute(f"truncate {TABLES}, {IDENTITY} cascade".encode())
        yield connection
        connection.rollback()
