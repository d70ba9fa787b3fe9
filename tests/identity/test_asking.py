"""Two children are asked about once: by what weighs most, in the turn of the first, and not after a person has spoken."""

from typing import Any

import pytest

from handhold import identity, store
from handhold.identity import few

from .said import ANA, NOW, file_id, said, tell
from .test_judgement import BY

ERO, ORR, EOIR = (file_id(*key) for key in (("ERO", "216043624"), ("ORR", "UC1"), ("EOIR", "9000001")))
BROTHER = ANA | {"dob": "2009-08-14"}
ALIKE = [said("ERO", "216043624", **ANA), said("ORR", "UC1", **BROTHER)]
# The court's file is the second child's by name and birth, and has the number of the first.
NEARER = said("EOIR", "9000001", number="216043624", **BROTHER)


@pytest.fixture(params=[8, 0], ids=["few", "many"])
def many(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Over plain values, and by columns."""
    monkeypatch.setattr(few, "FEW", request.param)


def asked(db: store.Db) -> list[tuple[set[int], Any, Any]]:
    rows = store.fetch(db, "select * from identity_question where closed is null order by id")
    return [({row["file_a"], row["file_b"]}, row["opened"], row["weight"]) for row in rows]


@pytest.mark.usefixtures("many")
def test_what_weighs_more_takes_the_place_and_the_turn_of_what_waits(db: store.Db) -> None:
    tell(db, *ALIKE)
    ((files, opened, weight),) = asked(db)
    assert (files, opened) == ({ERO, ORR}, NOW)
    assert tell(db, NEARER, day=1).questions == 0
    ((now_files, now_opened, now_weight),) = asked(db)
    assert (now_files, now_opened) == ({ERO, EOIR}, NOW)
    assert now_weight > weight


@pytest.mark.usefixtures("many")
def test_what_one_of_two_people_has_answered_stays(db: store.Db) -> None:
    tell(db, *ALIKE)
    before = asked(db)
    identity.propose(db, identity.pair(ERO, ORR), **BY)
    assert tell(db, NEARER, day=1).questions == 0
    assert asked(db) == before


@pytest.mark.usefixtures("many")
def test_what_weighs_less_does_not_take_the_place_of_what_waits(db: store.Db) -> None:
    tell(db, *ALIKE)
    db.execute("update identity_question set weight = 99")
    assert tell(db, NEARER, day=1).questions == 0
    assert [files for files, _, _ in asked(db)] == [{ERO, ORR}]


@pytest.mark.usefixtures("many")
def test_of_two_children_that_a_person_has_parted_no_other_file_asks_again(db: store.Db) -> None:
    tell(db, *ALIKE)
    identity.decide(db, ERO, ORR, "no match", **BY)
    assert tell(db, NEARER, day=1).questions == 0
    assert asked(db) == []
    identity.withdraw(db, ERO, ORR, **BY)
    assert [files for files, _, _ in asked(db)] == [{ERO, ORR}]


def test_one_word_closes_all_that_is_asked_about_two_children_and_taken_back_opens_them(db: store.Db) -> None:
    tell(db, *ALIKE, said("USCIS", "Z1", number=None, **BROTHER | {"first": "ANA", "sex": None}))
    third = file_id("USCIS", "Z1")
    told = "insert into identity_question (id, file_a, file_b, reason, weight, evidence, opened) values (%s, %s, %s, 'alike', 4, '{}', %s)"
    db.execute("delete from identity_question")
    for id, other in enumerate((ORR, third)):
        db.execute(told, [id, *identity.pair(ERO, other), NOW])
    identity.decide(db, ORR, third, "match", **BY)
    assert len(asked(db)) == 2
    identity.decide(db, ERO, third, "no match", **BY)
    assert asked(db) == []
    assert store.fetch(db, "select distinct answer from identity_question") == [{"answer": "no match"}]
    identity.withdraw(db, ERO, third, **BY)
    assert [files for files, _, _ in asked(db)] == [{ERO, ORR}, {ERO, third}]
