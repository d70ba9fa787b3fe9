"""Django, ready in this process, with the store's test database."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

os.environ.setdefault("HANDHOLD_SECRET_KEY", "only for tests; nothing is signed with it that anybody keeps")

from handhold.web import setup

setup.django()
PASSWORD = "quartz-river-sable-tulip-mesa"
NOW = datetime(2024, 6, 3, 14, 0, tzinfo=UTC)


@pytest.fixture
def people(database: str, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list]:
    """One person for each role, in this module's database; the pages' clock stands at ``NOW``."""
    from django.db import connections

    from handhold.web import clock
    from handhold.web.people import create_people

    monkeypatch.setenv(clock.HELD, NOW.isoformat())
    with django_db_blocker.unblock():  # the database is the store's own, and this module's: nothing to guard
        connections.close_all()
        yield create_people(PASSWORD)
        connections.close_all()


@pytest.fixture
def visit(people: list) -> Callable[[str, str], object]:
    """Signs a role in for a purpose and gives the client."""
    from django.test import Client

    def signed_in(role: str, purpose: str) -> Client:
        client = Client()
        assert client.post("/sign-in/", {"username": role, "password": PASSWORD}).status_code == 302
        client.post("/purpose/", {"purpose": purpose})
        return client

    return signed_in
