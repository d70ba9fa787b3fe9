"""The interface for machines, with a database of the test's own."""

import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

os.environ.setdefault("HANDHOLD_SECRET_KEY", "only for tests; nothing is signed with it that anybody keeps")

from doors.world import NOW, PACK, world
from handhold import access, store
from handhold.web import clock, setup

setup.django()


@pytest.fixture
def api(template: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., "Caller"]]:
    """Makes a caller for a role and purpose."""
    monkeypatch.setenv(clock.HELD, NOW.isoformat())

    def caller(role: str, purpose: str) -> "Caller":
        with store.transaction() as db:
            _, secret = access.tokens.make(db, role=role, purpose=purpose, by="test", now=NOW, pack=PACK)
        return Caller(secret)

    from django.db import connections

    with world(template):
        connections.close_all()
        yield caller
        connections.close_all()


class Caller:
    """A program that uses the interface with one token."""

    def __init__(self, secret: str) -> None:
        from django.test import Client

        self.secret = secret
        self.client = Client(raise_request_exception=False)

    def __call__(
        self, method: str, id: uuid.UUID | str, body: bytes = b"", /, tail: str = "", **headers: str
    ) -> Any:
        named = {key.replace("_", "-"): value for key, value in headers.items()}
        return self.client.generic(
            method, f"/api/v1/deliveries/{id}{tail}", body, "application/octet-stream",
            headers={"Authorization": f"Bearer {self.secret}", **named},
        )  # fmt: skip

    def send(self, id: uuid.UUID, name: str, body: bytes, tail: str = "", **headers: str) -> Any:
        """PUT a whole file, or the part that ``Content_Range`` says."""
        return self(
            "PUT", id, body, tail=tail, Content_Disposition=f'attachment; filename="{name}"', **headers
        )
