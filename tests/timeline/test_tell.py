"""The timeline for one reader: what the agreements permit, and what is withheld by name."""

import json
from datetime import UTC, datetime

import pytest
from readings import reading, report

from handhold import access, pack, store, timeline

NOW = datetime(2024, 5, 31, 16, 0, tzinfo=UTC)
TABLE = access.compiled(pack.load())
HOME = json.dumps({"line1": "12 ELM ST", "zip": "77081"})


@pytest.fixture
def told(db: store.Db) -> store.Db:
    """A release with everything sealed beside it, a notice with an address, a concern."""
    db.execute("insert into identity_file (id, agency, key_, child) values (1, 'ORR', '', 7)")
    said = [
        report(1, "discharged", type="REUNIFIED", category="3", place=5, address_flags="", location=HOME,
               sponsor='{"last":"X","phone":"5551000000"}'),
        report(2, "notice-mailed", agency="EOIR", code="6U", place=6, address_flags="", location=HOME),
        report(3, "concern-raised", category="LABOR", clinical="what the child said"),
        report(4, "benefit-filed", agency="USCIS", benefit='{"form":"I-589"}'),
        report(5, "missed-hearing", agency="EOIR", pattern="reset"),
    ]  # fmt: skip
    timeline.record(db, reading(*said), now=NOW)
    return db


def tell(db: store.Db, agency: str, role: str, purpose: str) -> timeline.Told:
    return timeline.tell(db, 7, access.Reader("1", agency, role, purpose), now=NOW, table=TABLE)


def by_kind(told: timeline.Told) -> dict[str, dict[str, object]]:
    return {event["kind"]: event for event in told.events}


def test_orr_for_safety_sees_the_child_and_the_sponsor(told: store.Db) -> None:
    seen = by_kind(tell(told, "ORR", "specialist", "safety"))
    assert seen["discharged"]["location"] == {"line1": "12 ELM ST", "zip": "77081"}
    assert seen["discharged"]["sealed"] == {"sponsor": {"last": "X", "phone": "5551000000"}}
    assert seen["concern-raised"]["sealed"] == {"clinical": {"text": "what the child said"}}


def test_counsel_of_the_government_sees_the_case_and_no_address_of_hhs(told: store.Db) -> None:
    answer = tell(told, "OPLA", "attorney", "court")
    seen = by_kind(answer)
    assert "missed-hearing" in seen
    assert "concern-raised" not in seen
    assert seen["notice-mailed"]["location"] == {"line1": "12 ELM ST", "zip": "77081"}
    assert seen["discharged"]["location"] is None
    assert seen["discharged"]["place"] is None
    assert seen["discharged"]["sealed"] == {}
    assert "category" not in seen["discharged"]["detail"]  # type: ignore[operator]
    withheld = {element.element: element for element in answer.withheld}
    assert {"child.hhs-location", "child.concern", "sponsor.status"} <= withheld.keys()
    assert all(element.rule and element.reason and element.count for element in answer.withheld)


def test_enforcement_never_sees_a_sponsor_an_hhs_address_or_a_benefit(told: store.Db) -> None:
    for seat in access.readers(pack.load()):
        if seat.purpose != "enforcement":
            continue
        text = json.dumps(timeline.tell(told, 7, seat, now=NOW, table=TABLE).events, default=str)
        assert "5551000000" not in text
        assert "I-589" not in text
        assert "benefit" not in text
        assert not any(
            e["kind"] == "discharged" and e["location"]
            for e in timeline.tell(told, 7, seat, now=NOW, table=TABLE).events
        )


def test_a_process_without_the_key_withholds(told: store.Db, monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(cls: str, context: str, blob: bytes) -> bytes:
        raise store.KeyMissing("no key")

    monkeypatch.setattr(store, "unseal", locked)
    answer = tell(told, "ORR", "specialist", "safety")
    assert by_kind(answer)["discharged"]["location"] is None
    assert "no-key" in {element.rule for element in answer.withheld}
