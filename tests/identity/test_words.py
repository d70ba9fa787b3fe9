"""Whatever people say and take back, in whatever order: what stands is what their standing words say, and undone is undone."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handhold import identity, store
from handhold.feeds.model import DESCRIPTION

from .said import ANA, NOW, file_id, said, tell

ROSA = {"last": "PAZ NAVARRO", "first": "ROSA", "dob": "2006-09-20", "sex": "F", "country": "ECUADOR"}
LUIS = {"last": "XOL CAAL", "first": "LUIS", "dob": "2010-02-03", "sex": "M", "country": "GUATEMALA"}
KEYS = [
    ("ERO", "216043624"), ("ORR", "UC1"), ("OPLA", "216043624"),
    ("ERO", "217762312"), ("ORR", "UC2"), ("OPLA", "217762312"),
    ("ERO", "219000111"), ("ORR", "UC3"),
]  # fmt: skip
BY = {"by": "person:7", "why": "read both files"}
some = st.integers(0, len(KEYS) - 1)
acts = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["match", "match", "no match", "possible", "withdraw"]), some, some).filter(
            lambda act: act[1] != act[2]
        ),
        st.tuples(st.just("separate"), some, some),
    ),
    min_size=1,
    max_size=12,
)


@pytest.fixture
def three(db: store.Db) -> Iterator[store.Db]:
    """Three children of eight files, and a question: Luis's ORR file bears Ana's number."""
    tell(
        db,
        said("ERO", "216043624", **ANA), said("ORR", "UC1", number="216043624", **ANA), said("OPLA", "216043624", **ANA),
        said("ERO", "217762312", **ROSA), said("ORR", "UC2", number="217762312", **ROSA), said("OPLA", "217762312", **ROSA),
        said("ERO", "219000111", **LUIS), said("ORR", "UC3", number="216043624", **LUIS),
    )  # fmt: skip
    yield db


def act(db: store.Db, what: str, one: int, other: int, day: int) -> None:
    files = [file_id(*key) for key in KEYS]
    how = BY | {"now": NOW + timedelta(days=day)}
    if what == "separate":
        identity.separate(db, files[one], **how)
    elif what == "withdraw":
        if standing(db, files[one], files[other]):
            identity.withdraw(db, files[one], files[other], **how)
    else:
        identity.decide(db, files[one], files[other], what, **how)


def standing(db: store.Db, *files: int) -> list[dict[str, Any]]:
    """The words that stand; with two files, those on that pair."""
    return store.fetch(
        db,
        "select * from identity_judgement where until is null and (%(n)s = 0 or file_a = any(%(f)s) and file_b = any(%(f)s))",
        {"n": len(files), "f": list(files)},
    )


def picture(db: store.Db) -> Any:
    """What an export shows of files, and which questions wait."""
    return (
        store.fetch(db, "select id, child, linked_by, probability from identity_file order by id"),
        store.fetch(db, "select id from identity_question where closed is null order by id"),
    )


def check(db: store.Db) -> None:
    """What must hold after every act."""
    child = {row["id"]: row["child"] for row in store.fetch(db, "select id, child from identity_file")}
    for word in standing(db):
        together = child[word["file_a"]] == child[word["file_b"]]
        assert word["judgement"] == "possible" or together == (word["judgement"] == "match"), word
    links = store.fetch(
        db, "select file, child from identity_link where until is null and judgement = 'match' order by file"
    )
    assert {row["file"]: row["child"] for row in links} == child
    for row in store.fetch(db, "select id, into_ from identity_child"):
        assert identity.resolve(db, row["id"]) in child.values()
        assert (row["into_"] is None) == (row["id"] in child.values())


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(acts)
def test_standing_words_say_who_is_together_and_undoing_all_restores_the_start(
    three: store.Db, acts: list[tuple[str, int, int]]
) -> None:
    db = three
    start = picture(db)
    db.execute("savepoint start")
    for day, (what, one, other) in enumerate(acts):
        act(db, what, one, other, day)
        check(db)
    for word in standing(db):
        identity.withdraw(db, word["file_a"], word["file_b"], **BY, now=NOW + timedelta(days=90))
        check(db)
    assert picture(db) == start
    db.execute("rollback to savepoint start")


@pytest.mark.slow
@settings(max_examples=24, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.permutations([("match", 0, 3), ("match", 4, 7), ("no match", 1, 2), ("separate", 5, 5)]))
def test_words_that_do_not_touch_one_another_say_the_same_in_any_order(
    three: store.Db, acts: list[tuple[str, int, int]]
) -> None:
    db = three
    db.execute("savepoint start")
    for day, (what, one, other) in enumerate(acts):
        act(db, what, one, other, day)
    groups = store.fetch(db, "select array_agg(id order by id) as files from identity_file group by child")
    db.execute("rollback to savepoint start")
    assert {frozenset(group["files"]) for group in groups} == {
        frozenset(file_id(*KEYS[n]) for n in group) for group in ({0, 1, 3, 4, 6, 7}, {2}, {5})
    }


def test_a_held_file_is_left_to_people_and_looked_at_again_when_released(db: store.Db) -> None:
    tell(db, said("ERO", "216043624", **ANA))
    orr = file_id("ORR", "UC1")
    how = BY | {"now": NOW}
    alone = said("ORR", "UC1", number="216043624", **ANA)
    identity.describe(db, pl.DataFrame([alone], DESCRIPTION), now=NOW)
    assert identity.hold(db, orr, True, **how) == []
    tell(db, said("OPLA", "216043624", **ANA))
    child = {row["id"]: row["child"] for row in store.fetch(db, "select id, child from identity_file")}
    assert child[orr] not in {child[file_id("ERO", "216043624")], child[file_id("OPLA", "216043624")]}
    assert len(identity.questions(db)) == 1
    history = store.fetch(db, "select file, by, until from identity_hold")
    assert [(h["file"], h["by"], h["until"]) for h in history] == [(orr, "person:7", None)]
    identity.decide(db, orr, file_id("ERO", "216043624"), "match", **how)
    assert len(store.fetch(db, "select distinct child from identity_file")) == 1
    identity.hold(db, orr, False, **how | {"by": "person:8"})
    assert store.fetch(db, "select hold, fresh from identity_file where id = %s", [orr]) == [
        {"hold": False, "fresh": True}
    ]
    assert [(h["by"], h["ended_by"]) for h in store.fetch(db, "select by, ended_by from identity_hold")] == [
        ("person:7", "person:8")
    ]


@pytest.mark.parametrize("held", [True, False])
def test_an_undo_leaves_a_held_file_where_it_is(three: store.Db, held: bool) -> None:
    before = picture(three)
    files = [row["id"] for row in store.fetch(three, "select id from identity_file order by id")]
    if held:
        for file in files:
            identity.hold(three, file, True, by="person:7", why="protected location", now=NOW)
    none = pl.Series("file", [], pl.Int64)
    loosened = identity.unlink(three, pl.Series("file", files), none, none, now=NOW)
    assert (len(loosened) == 0) == held
    assert (picture(three) == before) == held


def test_what_nobody_said_cannot_be_withdrawn(three: store.Db) -> None:
    with pytest.raises(identity.NoJudgement, match="nobody's word stands"):
        identity.withdraw(three, file_id("ERO", "216043624"), file_id("ORR", "UC1"), **BY, now=NOW)


def test_everything_ever_said_of_a_file_stays(three: store.Db) -> None:
    ero, orr = file_id("ERO", "216043624"), file_id("ORR", "UC1")
    identity.decide(three, ero, orr, "no match", **BY, now=NOW)
    identity.decide(three, orr, ero, "match", **BY | {"by": "person:8"}, now=NOW + timedelta(days=1))
    words = identity.said_of(three, orr)
    assert [(w["other"], w["judgement"], w["by"], w["until"] is None, w["ended_by"]) for w in words] == [
        (ero, "match", "person:8", True, None), (ero, "no match", "person:7", False, "person:8"),
    ]  # fmt: skip
