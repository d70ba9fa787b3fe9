"""What people decide is final, kept, and can be taken back."""

from datetime import timedelta

import polars as pl
import pytest

from handhold import identity, store

from .said import ANA, NOW, PACK, file_id, said, tell, together

OTHER = {"last": "PAZ NAVARRO", "first": "ROSA", "dob": "2006-09-20", "sex": "F", "country": "ECUADOR"}
BY = {"by": "person:7", "why": "read both files", "now": NOW + timedelta(days=3)}


def two_children(db: store.Db) -> tuple[int, int, int, int]:
    """ERO and ORR files of two children that only a person could join: ``(ero, orr, opla, uscis)``."""
    tell(
        db,
        said("ERO", "216043624", **ANA), said("ORR", "UC1", number="216043624", **ANA),
        said("OPLA", "217762312", **OTHER), said("USCIS", "217762312", **OTHER),
    )  # fmt: skip
    return (
        file_id("ERO", "216043624"),
        file_id("ORR", "UC1"),
        file_id("OPLA", "217762312"),
        file_id("USCIS", "217762312"),
    )


def child_of(db: store.Db, file: int) -> int:
    return int(identity.children_of(db, pl.Series([file]))["child"][0])


def children(db: store.Db) -> dict[int, int]:
    return {row["id"]: row["child"] for row in store.fetch(db, "select id, child from identity_file")}


def test_a_match_joins_whole_children_and_a_no_match_takes_them_apart_again(db: store.Db) -> None:
    _, orr, opla, _ = two_children(db)
    before, gone = children(db), child_of(db, opla)
    touched = identity.decide(db, orr, opla, "match", **BY)
    assert len(together(db)) == 1
    assert set(touched) == set(before.values())
    assert identity.resolve(db, gone) == child_of(db, orr)
    identity.decide(db, orr, opla, "no match", **BY)
    assert children(db) == before
    assert identity.resolve(db, gone) == gone


def test_a_file_taken_away_and_given_back_restores_the_partition(db: store.Db) -> None:
    ero, orr, _, _ = two_children(db)
    before = together(db)
    child = child_of(db, ero)
    assert len(identity.separate(db, orr, **BY)) == 2
    assert child_of(db, ero) == child != child_of(db, orr)
    identity.decide(db, orr, ero, "match", **BY)
    assert together(db) == before
    assert child_of(db, orr) == child


def test_the_founder_taken_away_leaves_the_childs_id_with_the_others(db: store.Db) -> None:
    ero, orr, _, _ = two_children(db)
    child, before = child_of(db, ero), together(db)
    identity.separate(db, ero, **BY)
    assert child_of(db, orr) == child != child_of(db, ero)
    identity.decide(db, ero, orr, "match", **BY)
    assert together(db) == before


def test_a_persons_word_outlives_the_next_run(db: store.Db) -> None:
    ero, orr, opla, _ = two_children(db)
    identity.separate(db, orr, **BY)
    identity.decide(db, ero, opla, "match", **BY)
    decided = together(db)
    db.execute("update identity_file set fresh = true")
    identity.identify(db, by="system", now=NOW, pack=PACK)
    assert together(db) == decided
    assert store.fetch(db, "select 1 from identity_question where closed is null") == []


def test_a_question_is_closed_by_its_answer_and_not_asked_again(db: store.Db) -> None:
    tell(
        db,
        said("ERO", "216043624", **ANA),
        said("ORR", "UC1", number="216043624", **ANA | {"first": "WENDY"}),
    )
    waiting = identity.questions(db)
    assert [q["reason"] for q in waiting] == ["same-number-other-child"]
    identity.decide(db, waiting[0]["file_a"], waiting[0]["file_b"], "possible", **BY)
    assert len(identity.questions(db)) == 1
    identity.decide(db, waiting[0]["file_a"], waiting[0]["file_b"], "no match", **BY)
    assert identity.questions(db) == []
    db.execute("update identity_file set fresh = true")
    identity.identify(db, by="system", now=NOW, pack=PACK)
    assert identity.questions(db) == []


def test_every_link_that_ever_was_is_in_the_history(db: store.Db) -> None:
    ero, orr, _, _ = two_children(db)
    identity.separate(db, orr, **BY)
    identity.decide(db, ero, orr, "match", **BY | {"now": NOW + timedelta(days=4)})
    history = store.fetch(
        db, "select linked_by, until, by, why from identity_link where file = %s order by id", [orr]
    )
    assert [(h["linked_by"], h["until"] is None, h["by"]) for h in history] == [
        ("number", False, "system"), ("person", False, "person:7"), ("person", True, "person:7"),
    ]  # fmt: skip


def test_a_file_is_one_childs_only(db: store.Db) -> None:
    ero, _, _, _ = two_children(db)
    with pytest.raises(Exception, match="identity_link_one"):
        db.execute(
            "insert into identity_link (file, child, judgement, linked_by, by, since) values (%s, 1, 'match', 'person', 'person:7', %s)",
            [ero, NOW],
        )


def test_an_unknown_file_is_refused(db: store.Db) -> None:
    with pytest.raises(identity.NoSuchFile, match="no file 5"):
        identity.decide(db, 5, 6, "match", **BY)


def test_names_are_opened_for_those_who_ask(db: store.Db) -> None:
    ero, orr, _, _ = two_children(db)
    child = child_of(db, ero)
    person = identity.names(db, [child])[child]
    assert (person.last, person.first, person.dob) == ("DUARTE VASQUEZ", "ANA LUCIA", "2008-03-31")
    assert person.numbers == (("ERO", "216043624"), ("ORR", "UC1"))
    assert {f["file"] for f in identity.files_of(db, child)} == {ero, orr}
