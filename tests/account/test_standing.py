"""Accounts as stored: idempotent, with history; gaps open, close and reopen once; neighbours; kill and go on."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from builders import PACK, at
from readings import Reading, ids, reading, report

from handhold import account, store, timeline

NOW = datetime(2024, 5, 31, 16, 0, tzinfo=UTC)
NEXT = NOW + timedelta(days=1)
Transaction = Callable[[], object]


@pytest.fixture
def transaction(db: store.Db) -> Transaction:
    """Every chunk is a savepoint of the test's own transaction."""

    @contextmanager
    def begin() -> Iterator[store.Db]:
        with db.transaction():
            yield db

    return begin


def take(
    db: store.Db, said: Reading, now: datetime = NOW, child_of: Callable[[int], int] = lambda file: 100 + file
) -> None:
    """Record a reading; each file is a child's of its own unless ``child_of`` says otherwise."""
    files = timeline.record(db, said, now=now).files
    for file in files:
        row = [file, child_of(file)]
        db.execute(
            "insert into identity_file (id, agency, key_, child) values (%s, 'ORR', '', %s) on conflict do nothing",
            row,
        )
    account.touch(db, pl.Series([child_of(file) for file in files], dtype=pl.Int64))


def update(transaction: Transaction, now: datetime = NOW) -> account.Updated:
    return account.update(transaction, now=now, pack=PACK, workers=0)


def discharge(
    row: int, file: int = 1, *, family: str = "f", place: int = 10, flags: str = "", type_: str = "REUNIFIED"
) -> dict[str, object]:
    when = at("2024-01-02")
    return report(
        row,
        "discharged",
        slot="d",
        file=file,
        at=when,
        place=place,
        building=place,
        address_flags=flags,
        type=type_,
        family=family,
        precision="d",
    )


def told(row: int, file: int = 1) -> dict[str, object]:
    return report(row, "told-dhs", slot="t", file=file, at=at("2024-01-02"))


def served(row: int, file: int = 1) -> dict[str, object]:
    return report(row, "charging-document-served", slot="s", file=file, agency="ERO", at=at("2024-01-12"))


def gaps(db: store.Db) -> dict[str, bool]:
    """Whether each gap is open."""
    return {
        row["kind"]: row["closed"] is None
        for row in store.fetch(db, "select kind, closed from account_gap order by kind")
    }


def test_an_account_and_its_gaps(db: store.Db, transaction: Transaction) -> None:
    take(db, reading(discharge(1), told(1)))
    done = update(transaction)
    assert (done.children, done.opened["kind"].to_list()) == (1, ["no-charging-document"])
    standing = account.account_of(db, 101)
    assert standing is not None
    assert (standing["responsible"], standing["place"], standing["address_quality"]) == (
        "sponsor",
        "address",
        "plausible",
    )
    assert (standing["nta"], standing["nta_reason"], standing["open_gaps"], standing["told_orr"]) == (
        "none",
        "N-UNK",
        1,
        "n/a",
    )
    assert [gap["kind"] for gap in account.open_gaps(db, 101)] == ["no-charging-document"]
    assert timeline.stream(db, ids(101))["kind"].to_list()[-1] == "gap-opened"


def test_again_changes_nothing(db: store.Db, transaction: Transaction) -> None:
    take(db, reading(discharge(1), told(1)))
    update(transaction)
    account.touch(db, ids(101))
    again = update(transaction, NEXT)
    assert (again.children, len(again.opened), len(again.closed)) == (1, 0, 0)
    assert store.fetch(db, "select * from account_past") == []
    assert account.account_of(db, 101)["as_of"] == NOW  # type: ignore[index]


def test_a_gap_closes_and_reopens_and_the_past_stays(db: store.Db, transaction: Transaction) -> None:
    take(db, reading(discharge(1), told(1)))
    update(transaction)
    take(db, reading(served(2)), NEXT)
    assert update(transaction, NEXT).closed["kind"].to_list() == ["no-charging-document"]
    assert gaps(db) == {"no-charging-document": False}
    take(db, Reading(reading().reports, ids(), withdrawn=ids(2)), NEXT + timedelta(days=1))
    assert len(update(transaction, NEXT + timedelta(days=1)).opened) == 1
    (gap,) = store.fetch(db, "select * from account_gap")
    assert (gap["closed"], gap["why"], gap["times"]) == (None, None, 2)
    past = store.fetch(
        db,
        "select from_, until, account->'case'->'more'->>'charging' as charging from account_past order by from_",
    )
    assert [(row["from_"], row["until"], row["charging"]) for row in past] == [
        (NOW, NEXT, "none"),
        (NEXT, NEXT + timedelta(days=1), "served"),
    ]


def test_an_acknowledged_notice_about_a_gap_closes_it(db: store.Db, transaction: Transaction) -> None:
    take(db, reading(report(5, "missed-hearing", agency="EOIR", at=at("2024-01-05"), pattern="reset")))
    update(transaction)
    (gap,) = store.fetch(
        db, "select id, subject from account_gap where kind = 'missed-hearing-untold' and reason = 'ORR'"
    )
    detail = {"recipient": "ORR", "about": str(gap["id"]), "kind": "missed-hearing-untold"}
    timeline.add(db, [timeline.OwnEvent(101, "acknowledged", NEXT, detail)], by="person:1", now=NEXT)
    account.touch(db, ids(101))
    closed = update(transaction, NEXT).closed
    assert closed.select("kind", "reason").rows() == [("missed-hearing-untold", "ORR")]
    (row,) = store.fetch(db, "select closed, why from account_gap where id = %s", [gap["id"]])
    assert (row["closed"], row["why"]) == (NEXT, "acknowledged")
    assert account.account_of(db, 101)["told_orr"] == "acknowledged"  # type: ignore[index]


def test_time_alone_opens_a_gap(db: store.Db, transaction: Transaction) -> None:
    early = at("2024-01-03 22:00")
    take(db, reading(discharge(1), served(1)), early)
    assert "release-not-told" not in update(transaction, early).opened["kind"].to_list()
    assert update(transaction, early + timedelta(minutes=5)).children == 0
    woken = update(transaction, at("2024-01-04 00:00"))
    assert woken.opened["kind"].to_list() == ["release-not-told"]


def test_families_at_one_address(db: store.Db, transaction: Transaction) -> None:
    families = ["a", "b", "b", "b"]
    take(db, reading(*(discharge(n, n, family=family) for n, family in enumerate(families))))
    update(transaction)
    assert "shared-address" not in gaps(db)
    take(db, reading(discharge(9, 9, family="c")), NEXT)
    opened = update(transaction, NEXT).opened.filter(kind="shared-address")
    assert sorted(opened["child"]) == [100, 101, 102, 103, 109]
    take(db, reading(discharge(9, 9, family="c", place=11)), NEXT + timedelta(days=1))
    assert len(update(transaction, NEXT + timedelta(days=1)).closed.filter(kind="shared-address")) == 5


def test_an_unusable_address_is_shared_by_nobody(db: store.Db, transaction: Transaction) -> None:
    take(db, reading(*(discharge(n, n, family=str(n), flags="general-delivery") for n in range(4))))
    assert "shared-address" not in update(transaction).opened["kind"].to_list()


def test_a_question_that_waits_is_a_doubt(db: store.Db, transaction: Transaction) -> None:
    take(db, reading(discharge(1), told(1), served(1), discharge(2, 2)))
    db.execute(
        "insert into identity_question (id, file_a, file_b, reason, opened) values (1, 1, 2, 'x', now())"
    )
    update(transaction)
    assert {
        row["child"] for row in store.fetch(db, "select child from account_gap where kind = 'identity-doubt'")
    } == {101, 102}


def test_a_child_that_lost_its_files_stands_no_longer(db: store.Db, transaction: Transaction) -> None:
    take(db, reading(discharge(1)))
    update(transaction)
    db.execute("update identity_file set child = 102")
    account.touch(db, ids(101, 102))
    moved = update(transaction, NEXT)
    assert account.account_of(db, 101) is None
    assert set(moved.closed["child"]) == {101}
    assert set(moved.opened["child"]) == {102}


def test_a_chunk_that_fails_leaves_its_children_touched(db: store.Db, transaction: Transaction) -> None:
    take(db, reading(discharge(1)))

    @contextmanager
    def killed() -> Iterator[store.Db]:
        with db.transaction():
            yield db
            if db.execute("select exists (select from account_standing)").fetchone() == (True,):
                raise InterruptedError

    with pytest.raises(InterruptedError):
        account.update(killed, now=NOW, pack=PACK, workers=0)
    assert account.account_of(db, 101) is None
    assert update(transaction).children == 1


def test_a_decision_outlives_a_correction_of_the_row(db: store.Db, transaction: Transaction) -> None:
    hearing = report(5, "missed-hearing", agency="EOIR", at=at("2024-01-05"), pattern="reset")
    take(db, reading(hearing))
    update(transaction)
    (gap,) = store.fetch(db, "select subject from account_gap where kind = 'missed-hearing-unexplained'")
    detail = {"about": str(gap["subject"]), "kind": "missed-hearing-unexplained", "code": "F-SPONSOR"}
    timeline.add(
        db, [timeline.OwnEvent(101, "reason-decided", NEXT, detail, gap["subject"])], by="person:1", now=NEXT
    )
    account.touch(db, ids(101))
    assert "missed-hearing-unexplained" in update(transaction, NEXT).closed["kind"].to_list()
    later = NEXT + timedelta(days=1)
    take(db, reading(hearing | {"detail": '{"pattern": "in-absentia"}'}), later)
    assert len(update(transaction, later).opened) == 0
    (gap,) = store.fetch(
        db, "select closed, why, reason from account_gap where kind = 'missed-hearing-unexplained'"
    )
    assert (gap["closed"], gap["why"], gap["reason"]) == (NEXT, "decided", "F-SPONSOR")


def test_the_account_of_one_child_as_json(db: store.Db, transaction: Transaction) -> None:
    take(db, reading(discharge(1), told(1)))
    update(transaction)
    said = account.read(db, 101)
    assert json.loads(json.dumps(said)) == said
    assert said["responsible"]["value"] == "sponsor"
    assert [gap["kind"] for gap in said["gaps"]] == ["no-charging-document"]
    assert account.read(db, 999) == {}
