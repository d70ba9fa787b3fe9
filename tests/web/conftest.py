"""Django, ready in this process, with the store's test database."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest

os.environ.setdefault("HANDHOLD_SECRET_KEY", "only for tests; nothing is signed with it that anybody keeps")

from handhold.web import setup

setup.django()
PASSWORD = "quartz-river-sable-tulip-mesa"
NOW = datetime(2024, 6, 3, 14, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def people(database: str, django_db_blocker: Any) -> Iterator[list]:
    """One person for each role, in this module's database; the pages' clock stands at ``NOW``. Passwords are hashed quickly."""
    from django.db import connections
    from django.test import override_settings

    from handhold.web import clock
    from handhold.web.people import create_people

    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    held = {clock.HELD: NOW.isoformat()}
    with django_db_blocker.unblock(), quick, mock.patch.dict(os.environ, held):
        connections.close_all()
        yield create_people(PASSWORD)
        connections.close_all()


@pytest.fixture
def visit(people: list) -> Callable[[str, str], Any]:
    """Signs a role in for a purpose and gives the client."""
    from django.test import Client

    def signed_in(role: str, purpose: str) -> Client:
        client = Client()
        assert client.post("/sign-in/", {"username": role, "password": PASSWORD}).status_code == 302
        client.post("/purpose/", {"purpose": purpose})
        return client

    return signed_in
