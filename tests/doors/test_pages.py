"""The pages of this room without a browser: sending, looking, taking in, and deciding about what is held."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from nation import Nation, released

from doors.test_holds import WEEKS, transfers
from doors.world import NOW, entries, everything, office, world
from handhold import casework, feeds, store

PASSWORD = "quartz-river-sable-tulip-mesa"


@pytest.fixture
def visit(
    template: str, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any
) -> Iterator[Callable[[str, str], Any]]:
    """Signs a role in for a purpose and gives the client."""
    from django.db import connections
    from django.test import Client

    from handhold.web import clock
    from handhold.web.people import create_people

    def signed_in(role: str, purpose: str) -> Any:
        client = Client()
        assert client.post("/sign-in/", {"username": role, "password": PASSWORD}).status_code == 302
        client.post("/purpose/", {"purpose": purpose})
        return client

    monkeypatch.setenv(clock.HELD, NOW.isoformat())
    with world(template), django_db_blocker.unblock():
        connections.close_all()
        create_people(PASSWORD)
        yield signed_in
        connections.close_all()


def file(name: str, body: bytes) -> BytesIO:
    sent = BytesIO(body)
    sent.name = name
    return sent


def body(tmp_path: Path) -> bytes:
    nation = Nation({"ero.uc_transfers": released(Nation()).rows["ero.uc_transfers"]})
    return next(nation.write(tmp_path).rglob("*.csv")).read_bytes()


def test_sent_looked_at_and_taken_in(visit: Callable[[str, str], Any], tmp_path: Path) -> None:
    ero = visit("coordinator", "safety")
    to = ero.post("/feeds/send/", {"file": file("uc_transfers_2024-05-31.csv", body(tmp_path))})
    assert to.status_code == 302
    before = everything()
    page = ero.get(to["Location"])
    assert page.status_code == 200
    assert "Nothing has been changed" in page.content.decode()
    assert everything() == before
    assert entries()[-1] == "delivery.previewed"
    assert not any(b"DUARTE" in p.read_bytes() for p in (store.home() / "uploads").rglob("*") if p.is_file())
    done = ero.post(to["Location"], {"decision": "take"})
    assert done["Location"].startswith("/feeds/")
    with store.transaction() as db:
        (delivery,) = feeds.listed(db)
    assert (delivery.status, delivery.loaded, delivery.sender.split(" ")[0]) == ("read", 1, "ERO")
    assert ero.get(to["Location"])["Location"] == done["Location"]
    assert visit("attorney", "court").get(to["Location"]).status_code == 404


def test_a_file_of_another_agency_and_no_file_at_all(
    visit: Callable[[str, str], Any], tmp_path: Path
) -> None:
    opla = visit("attorney", "court")
    refused = opla.post("/feeds/send/", {"file": file("uc_transfers_2024-05-31.csv", body(tmp_path))})
    assert (refused.status_code, "states what ERO states" in refused.content.decode()) == (422, True)
    assert entries()[-1] == "delivery.refused-to-agency"
    assert not [p for p in (store.home() / "uploads").rglob("*") if p.is_file()]
    assert opla.post("/feeds/send/", {}).status_code == 422
    assert visit("auditor", "audit").get("/feeds/send/").status_code == 404


def test_a_form_from_elsewhere_is_refused(visit: Callable[[str, str], Any], tmp_path: Path) -> None:
    ero = visit("coordinator", "safety")
    ero.handler.enforce_csrf_checks = True
    sent = ero.post("/feeds/send/", {"file": file("uc_transfers_2024-05-31.csv", body(tmp_path))})
    assert sent.status_code == 403


def test_the_steward_decides_about_what_is_held(visit: Callable[[str, str], Any], tmp_path: Path) -> None:
    casework.arrive([transfers(tmp_path, WEEKS[0], 250)], office(), sender="test")
    held = casework.arrive([transfers(tmp_path, WEEKS[1], 200)], office(), sender="test").deliveries[0]
    steward, ero = visit("steward", "safety"), visit("coordinator", "safety")
    where, decide = f"/feeds/{held.id}/", f"/feeds/{held.id}/decide"
    assert "Release" in steward.get(where).content.decode()
    assert "Release" not in ero.get(where).content.decode()
    assert ero.post(decide, {"decision": "release", "why": "x"}).status_code == 404
    look = steward.post(decide, {"decision": "look"})
    assert "Nothing has been changed" in look.content.decode()
    no_reason = steward.post(decide, {"decision": "release"}, follow=True)
    assert "say why" in no_reason.content.decode()
    steward.post(decide, {"decision": "release", "why": "they were duplicates"})
    page = steward.get(where).content.decode()
    assert "they were duplicates" in page
    assert "they were duplicates" not in ero.get(where).content.decode()
    with store.transaction() as db:
        assert [d.status for d in feeds.listed(db)] == ["read", "read"]
