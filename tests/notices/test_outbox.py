"""From open gaps to inboxes and back: what is owed is told once, sealed, sent, acknowledged, and taken back when it was wrong."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import polars as pl
import pytest

from handhold import identity, ledger, notices, pack, store
from handhold.feeds.model import DESCRIPTION

PACK = pack.load()
NOW = datetime(2024, 5, 31, 16, 0, tzinfo=UTC)
CHILD, ORR_FILE, ERO_FILE, EVENT, ROW = 9001, 301, 302, 401, 501
DESCRIBED = dict.fromkeys(DESCRIPTION) | {
    "number": "200031188", "last": "RIVERA", "first": "ANA", "dob": "2009-04-17", "sex": "F", "country": "HONDURAS",
    "row": ROW, "delivery": 1, "line": 1,
}  # fmt: skip


@pytest.fixture(autouse=True)
def acting(db: store.Db) -> Iterator[None]:
    ledger.acting(db, "system")
    yield
    db.rollback()


def describe(db: store.Db, child: int = CHILD, *, orr: int = ORR_FILE, ero: int = ERO_FILE) -> None:
    rows = [
        DESCRIBED | {"file": orr, "agency": "ORR", "file_key": f"4471{orr}"},
        DESCRIBED | {"file": ero, "agency": "ERO", "file_key": "200031188", "row": ROW + 1},
    ]
    identity.describe(db, pl.DataFrame(rows, DESCRIPTION), now=NOW)
    db.execute("insert into identity_child (id, born) values (%s, %s)", [child, NOW])
    for file in (orr, ero):
        db.execute("update identity_file set child = %s where id = %s", [child, file])
        db.execute(
            "insert into identity_link (file, child, judgement, linked_by, by, since) values (%s, %s, 'match', 'number', 'system', %s)",
            [file, child, NOW - timedelta(days=1)],
        )


def missed(db: store.Db, event: int = EVENT, file: int = ERO_FILE) -> None:
    db.execute(
        """insert into timeline_event (id, file, row_, agency, kind, at, day, precision_, known, known_day, recorded, detail)
           values (%s, %s, %s, 'EOIR', 'missed-hearing', %s, %s, 'd', %s, %s, %s, '{"pattern": "in-absentia"}')""",
        [event, file, ROW, NOW, date(2024, 5, 20), NOW, date(2024, 5, 20), NOW],
    )


def gap(
    db: store.Db, kind: str, reason: str, *, child: int = CHILD, subject: int | None = EVENT, times: int = 1
) -> int:
    one = store.blind_one(f"{child}{kind}{reason}", "gap")
    db.execute(
        """insert into account_gap (id, child, kind, key_, reason, subject, owner, opened, since, evidence, times, digest)
           values (%s, %s, %s, '', %s, %s, 'OPLA', %s, %s, '{}', %s, 0)
           on conflict (id) do update set closed = null, times = excluded.times""",
        [one, child, kind, reason, subject, NOW, NOW, times],
    )
    return one


def untold(db: store.Db) -> None:
    describe(db)
    missed(db)
    for agency in ("ORR", "ERO", "OPLA"):
        gap(db, "missed-hearing-untold", agency)


def told(db: store.Db, now: datetime = NOW) -> int:
    return notices.tell(db, now=now, pack=PACK).total()


def the(db: store.Db, agency: str, now: datetime = NOW) -> dict[str, object]:
    (row,) = notices.inbox(db, agency, now=now, texts=True)
    return row


def test_each_agency_that_does_not_know_is_told_once(db: store.Db) -> None:
    untold(db)
    assert told(db) == 3
    assert told(db) == 0
    rows = store.fetch(
        db,
        "select recipient, purpose, agreement, about_kind, pack_version from notices_outbox order by recipient",
    )
    assert [(row["recipient"], row["purpose"], row["agreement"]) for row in rows] == [
        ("ERO", "court", "court-process"),
        ("OPLA", "court", "court-process"),
        ("ORR", "safety", "child-welfare"),
    ]
    assert {row["pack_version"] for row in rows} == {PACK.version}


def test_a_closed_gap_owes_nothing_and_one_that_reopens_owes_again(db: store.Db) -> None:
    describe(db)
    missed(db)
    one = gap(db, "missed-hearing-untold", "ORR")
    db.execute("update account_gap set closed = %s where id = %s", [NOW, one])
    assert told(db) == 0
    gap(db, "missed-hearing-untold", "ORR", times=2)
    assert told(db) == 1
    gap(db, "missed-hearing-untold", "ORR", times=3)
    assert told(db) == 1


def test_ids_are_the_same_in_every_run(db: store.Db) -> None:
    untold(db)
    told(db)
    first = store.fetch(db, "select id from notices_outbox order by id")
    db.execute("delete from notices_outbox")
    told(db, NOW + timedelta(days=1))
    assert store.fetch(db, "select id from notices_outbox order by id") == first


def test_the_body_is_sealed_and_holds_the_recipients_own_number_only(db: store.Db) -> None:
    untold(db)
    told(db)
    notices.send(db, now=NOW)
    for row in store.fetch(db, "select body from notices_outbox"):
        assert b"RIVERA" not in bytes(row["body"])
    orr, ero, opla = (str(the(db, agency)["text"]) for agency in ("ORR", "ERO", "OPLA"))
    assert "Your file: 4471301\nChild: RIVERA, ANA\nBorn: 2009-04-17" in orr
    assert "200031188" not in orr
    assert "Your file: 200031188" in ero
    assert "Your file: none linked\nChild: RIVERA, ANA" in opla
    assert "Hearing: May 20, 2024; the child was ordered removed in absentia." in opla


def test_nothing_of_the_person_stands_outside_the_body(db: store.Db) -> None:
    untold(db)
    told(db)
    for row in store.fetch(db, "select * from notices_outbox"):
        shown = str({name: value for name, value in row.items() if name != "body"})
        assert not [secret for secret in ("RIVERA", "ANA", "2009-04", "200031188", "4471") if secret in shown]


def test_what_is_withheld_is_kept_with_its_rule(db: store.Db) -> None:
    untold(db)
    told(db)
    row = store.fetch(db, "select elements, withheld from notices_outbox where recipient = 'OPLA'")[0]
    assert row["elements"] == ["child.identity", "child.description", "child.case"]
    assert row["withheld"] == {"child.hhs-location": "no-agreement", "sponsor.contact": "no-agreement"}


def test_sending_is_an_event_an_entry_and_once(db: store.Db) -> None:
    untold(db)
    told(db)
    assert notices.inbox(db, "ORR", now=NOW) == []
    assert (notices.send(db, now=NOW), notices.send(db, now=NOW)) == (3, 0)
    events = store.fetch(
        db,
        "select detail ->> 'recipient' as to_, detail ->> 'about' as about from timeline_event where kind = 'told' order by 1",
    )
    assert [(event["to_"], event["about"]) for event in events] == [
        (agency, str(EVENT)) for agency in ("ERO", "OPLA", "ORR")
    ]
    entries = store.fetch(
        db, "select agency, purpose, rule, count from ledger_entry where verb = 'notice.sent' order by agency"
    )
    assert [tuple(entry.values()) for entry in entries] == [
        ("ERO", "court", "court-process", 1),
        ("OPLA", "court", "court-process", 1),
        ("ORR", "safety", "child-welfare", 1),
    ]
    assert store.fetch(db, "select child from account_touched") == [{"child": CHILD}]


def test_received_and_acknowledged_are_different_facts(db: store.Db) -> None:
    untold(db)
    told(db)
    notices.send(db, now=NOW)
    notice = int(str(the(db, "ORR")["id"]))
    assert notices.receive(db, [notice], agency="ERO", now=NOW) == 0
    assert notices.receive(db, [notice], agency="ORR", now=NOW) == 1
    assert the(db, "ORR")["acknowledged"] is None
    later = NOW + timedelta(hours=3)
    assert notices.acknowledge(db, notice, by="person:5", agency="ORR", now=later) == CHILD
    assert (
        notices.acknowledge(db, notice, by="person:6", agency="ORR", now=later + timedelta(hours=1)) == CHILD
    )
    (row,) = notices.inbox(db, "ORR", now=later, unacknowledged=False)
    assert (row["received"], row["acknowledged"], row["acknowledged_by"]) == (NOW, later, "person:5")
    assert notices.inbox(db, "ORR", now=later) == []
    (event,) = store.fetch(
        db, "select child, detail, subject from timeline_event where kind = 'acknowledged'"
    )
    assert event["detail"] == {
        "about": str(EVENT),
        "by": "person:5",
        "kind": "missed-hearing-untold",
        "notice": str(notice),
        "recipient": "ORR",
    }
    assert (event["child"], event["subject"]) == (CHILD, EVENT)


@pytest.mark.parametrize("act", ["read", "acknowledge"])
def test_another_agencys_notice_does_not_exist_for_one(db: store.Db, act: str) -> None:
    untold(db)
    told(db)
    notices.send(db, now=NOW)
    notice = int(str(the(db, "ORR")["id"]))
    messages = set()
    for asked in (notice, 12345):
        with pytest.raises(notices.NoticeError) as refused:
            if act == "read":
                notices.read(db, asked, agency="ERO", now=NOW)
            else:
                notices.acknowledge(db, asked, by="person:5", agency="ERO", now=NOW)
        messages.add(str(refused.value).replace(str(asked), "N"))
    assert len(messages) == 1


def test_the_inbox_says_what_is_late(db: store.Db) -> None:
    untold(db)
    told(db)
    notices.send(db, now=NOW)
    assert the(db, "ORR")["late"] is False
    assert the(db, "ORR", NOW + timedelta(days=4))["late"] is True


def test_what_rested_on_a_withdrawn_row_is_corrected_once(db: store.Db) -> None:
    untold(db)
    told(db)
    notices.send(db, now=NOW)
    db.execute("update timeline_event set superseded_by = 0, superseded = %s where id = %s", [NOW, EVENT])
    db.execute("update account_gap set closed = %s", [NOW])
    assert (told(db), told(db)) == (3, 0)
    notices.send(db, now=NOW)
    first, second = sorted(
        notices.inbox(db, "ORR", now=NOW, texts=True), key=lambda row: row["corrects"] or 0
    )
    assert second["corrects"] == first["id"]
    assert "CORRECTION. The notice of May 31, 2024" in second["text"]
    assert "what it rested on was withdrawn" in second["text"]
    assert len(store.fetch(db, "select id from timeline_event where kind = 'corrected'")) == 3


def test_a_row_that_was_only_reworded_owes_no_correction(db: store.Db) -> None:
    untold(db)
    told(db)
    notices.send(db, now=NOW)
    missed(db, EVENT + 1)
    db.execute(
        "update timeline_event set superseded_by = %s, superseded = %s where id = %s", [EVENT + 1, NOW, EVENT]
    )
    assert told(db) == 0


def test_a_file_that_was_another_childs_is_corrected(db: store.Db) -> None:
    untold(db)
    told(db)
    notices.send(db, now=NOW)
    later = NOW + timedelta(days=2)
    db.execute("insert into identity_child (id, born) values (%s, %s)", [CHILD + 1, later])
    db.execute("update identity_file set child = %s where id = %s", [CHILD + 1, ORR_FILE])
    db.execute("update identity_link set until = %s where file = %s", [later, ORR_FILE])
    db.execute("update account_gap set closed = %s", [later])
    assert told(db, later) == 3


def test_two_children_found_to_be_one_owe_no_correction(db: store.Db) -> None:
    untold(db)
    told(db)
    notices.send(db, now=NOW)
    later = NOW + timedelta(days=2)
    db.execute("insert into identity_child (id, born) values (%s, %s)", [CHILD + 1, later])
    db.execute("update identity_child set into_ = %s where id = %s", [CHILD + 1, CHILD])
    db.execute("update identity_file set child = %s", [CHILD + 1])
    db.execute("update identity_link set until = %s", [later])
    assert told(db, later) == 0


def test_a_broken_entry_leaves_nothing_sent(db: store.Db, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fact and trace fall together."""
    untold(db)
    told(db)

    def refuse(*_: object, **__: object) -> None:
        raise ledger.LedgerError("no entry today")

    monkeypatch.setattr(ledger, "write", refuse)
    with pytest.raises(ledger.LedgerError), db.transaction():
        notices.send(db, now=NOW)
    assert store.fetch(db, "select id from notices_outbox where sent is not null") == []
    assert store.fetch(db, "select id from timeline_event where kind = 'told'") == []


def test_nobody_acting_nothing_told(db: store.Db) -> None:
    untold(db)
    db.execute("select set_config('handhold.by', '', true)")
    with pytest.raises(Exception, match="nobody is acting"):
        told(db)
