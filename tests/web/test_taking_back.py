"""The pages of the quarantine and of taking a delivery back: who may, what is shown, what it does."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from nation import Nation, hearing, in_court, released

from handhold import casework, feeds, ledger, pack, store
from handhold.feeds.layout import layouts

Visit = Callable[[str, str], Any]
NOW = datetime(2024, 6, 3, 14, 0, tzinfo=UTC)
PASSWORD = "quartz-river-sable-tulip-mesa"
pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def visit(database: str, monkeypatch: pytest.MonkeyPatch, django_db_blocker: Any) -> Iterator[Visit]:
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
    with django_db_blocker.unblock():
        connections.close_all()
        create_people(PASSWORD)
        yield signed_in
        connections.close_all()


@pytest.fixture(scope="module")
def sent(database: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """A child who missed a hearing, and a row of ERO's that cannot be read; the deliveries by feed."""
    made = hearing(in_court(released(Nation())), "2024-05-02", reason="11", mailed="2024-03-01")
    made.rows["ero.uc_transfers"].append(
        {"A-Number": "216043699", "Last Name": "=PAZ", "First Name": "LUIS", "Date of Birth": "2009-01-05"}
    )
    office = casework.Office(by=casework.SYSTEM, now=NOW, pack=pack.load(), workers=1)
    arrived = casework.arrive(feeds.find(made.write(tmp_path_factory.mktemp("sent"))), office, sender="test")
    return {delivery.feed: delivery.id for delivery in arrived.deliveries if delivery.feed}


def test_only_the_steward_and_the_senders_own_people_see_refused_rows(
    sent: dict[str, int], visit: Visit
) -> None:
    ero = sent["ero.uc_transfers"]
    for role, purpose, may in (
        ("steward", "audit", True),
        ("coordinator", "safety", True),
        ("specialist", "safety", False),
        ("auditor", "audit", False),
    ):
        client = visit(role, purpose)
        found = [
            client.get(f"/feeds/{ero}/{page}").status_code
            for page in ("quarantine/", "quarantine.csv", "quarantine.xlsx", "quarantine/3/")
        ]
        assert found == [200 if may else 404] * 4, role


def test_a_row_is_sent_back_harmless_and_the_look_is_entered(sent: dict[str, int], visit: Visit) -> None:
    ero = sent["ero.uc_transfers"]
    answer = visit("coordinator", "safety").get(f"/feeds/{ero}/quarantine.csv")
    lines = answer.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("A-Number,Last Name,") and lines[0].endswith(",Why it was refused")
    assert lines[1].startswith("216043699,'=PAZ,LUIS,")
    with store.transaction() as db:
        assert store.fetch(
            db, "select 1 from ledger_entry where verb = 'quarantine.exported' and %s = any(ids)", [ero]
        )


def test_a_row_is_corrected_by_the_page(sent: dict[str, int], visit: Visit) -> None:
    ero, client = sent["ero.uc_transfers"], visit("coordinator", "safety")
    page = client.get(f"/feeds/{ero}/quarantine/3/").content.decode()
    assert "Updated On: is blank" in page and 'value="=PAZ"' in page
    columns = list(layouts(pack.load())["ero.uc_transfers"].columns)
    cell = f"cell-{columns.index('Updated On')}"
    wrong = client.post(f"/feeds/{ero}/quarantine/3/", {cell: "2924-05-01", "why": "by telephone"})
    assert wrong.status_code == 422 and "impossible date" in wrong.content.decode()
    right = client.post(f"/feeds/{ero}/quarantine/3/", {cell: "2024-05-01", "why": "by telephone"})
    assert right.status_code == 302
    assert "corrected in place by" in client.get(f"/feeds/{ero}/quarantine/").content.decode()


def test_taking_back_is_the_stewards_and_shows_its_effect_first(sent: dict[str, int], visit: Visit) -> None:
    court = sent["eoir.tbl_schedule"]
    assert visit("coordinator", "safety").get(f"/feeds/{court}/take-back/").status_code == 404
    steward = visit("steward", "audit")
    before = believed()
    page = steward.get(f"/feeds/{court}/take-back/").content.decode()
    assert "Facts withdrawn" in page and believed() == before
    assert (
        steward.post(f"/feeds/{court}/take-back/", {"was": "read", "why": ""}).status_code == 200
        and believed() == before
    )
    assert (
        steward.post(f"/feeds/{court}/take-back/", {"was": "read", "why": "the wrong month"}).status_code
        == 302
    )
    assert "missed-hearing" not in believed()
    assert corrected() > 0
    shown = steward.get(f"/feeds/{court}/").content.decode()
    assert "the wrong month" in shown and "Taken back" in shown
    stale = steward.post(f"/feeds/{court}/take-back/", {"was": "read", "why": "pressed twice"})
    assert stale.status_code == 200 and "missed-hearing" not in believed()
    assert (
        steward.post(f"/feeds/{court}/take-back/", {"was": "undone", "why": "it was right"}).status_code
        == 302
    )
    assert believed() == before
    with ledger.acting_transaction(casework.SYSTEM) as db:
        assert ledger.verify(db).problems == []


def believed() -> dict[str, int]:
    with store.transaction() as db:
        rows = store.fetch(
            db,
            "select kind, count(*) from timeline_event where superseded_by is null and file is not null group by 1 order by 1",
        )
    return {row["kind"]: row["count"] for row in rows}


def corrected() -> int:
    with store.transaction() as db:
        return len(store.fetch(db, "select 1 from notices_outbox where corrects is not null"))
