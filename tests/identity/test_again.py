"""All files linked as if they had come today: in pieces is as at once, twice is as once, and persons' words stand."""

import importlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handhold import identity, store
from handhold.feeds.model import DESCRIPTION
from handhold.identity.night import begins

from .said import ANA, NOW, PACK, file_id, said, tell, together
from .test_link import ROW, a_row
from .typed import told

module = importlib.import_module("handhold.identity.again")  # the package's own name for it is the function
LATER = NOW + timedelta(days=30)
BY = {"by": "person:7", "why": "read both files"}
SOME = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def again(db: store.Db) -> identity.Again:
    return identity.again(db, by="system", now=LATER, pack=PACK)


def between(db: store.Db) -> set[frozenset[frozenset[int]]]:
    """About which two children something is asked, each child by its files."""
    files = {
        row["child"]: frozenset(row["files"])
        for row in store.fetch(db, "select child, array_agg(id) as files from identity_file group by child")
    }
    asked = store.fetch(
        db,
        "select a.child as a, b.child as b from identity_question q join identity_file a on a.id = q.file_a"
        " join identity_file b on b.id = q.file_b where q.closed is null",
    )
    return {frozenset((files[row["a"]], files[row["b"]])) for row in asked}


def check(db: store.Db) -> None:
    """One link of each child hangs on nothing, the others on a file of it; every id leads to a child that stands."""
    rows = store.fetch(
        db,
        "select l.file, l.child, (l.evidence ->> 'through')::bigint as through from identity_link l"
        " where until is null and judgement = 'match' order by l.file",
    )
    child = {row["id"]: row["child"] for row in store.fetch(db, "select id, child from identity_file")}
    assert {row["file"]: row["child"] for row in rows} == child
    founders = [row["child"] for row in rows if row["through"] is None]
    assert sorted(founders) == sorted(set(child.values()))
    assert all(child[row["through"]] == row["child"] for row in rows if row["through"] is not None)
    for row in store.fetch(db, "select id from identity_child"):
        assert identity.resolve(db, row["id"]) in child.values()


def come(db: store.Db, parts: Iterable[list[dict[str, Any]]]) -> None:
    for day, rows in enumerate(parts):
        if rows:
            tell(db, *rows, day=day)


@SOME
@given(st.lists(ROW, min_size=2, max_size=12, unique_by=lambda row: row[0]), st.data())
def test_files_that_came_one_after_another_end_as_those_that_came_at_once(
    db: store.Db, drawn: list[Any], data: st.DataObject
) -> None:
    rows = [a_row(row) for row in drawn]
    order = data.draw(st.permutations(rows))
    db.execute("savepoint before")
    come(db, [rows])
    at_once, asked = together(db), between(db)
    db.execute("rollback to savepoint before")
    night = data.draw(st.integers(0, len(order)))  # another night lies between: what it joined may part again
    come(db, [[row] for row in order[:night]])
    again(db)
    check(db)
    come(db, [[row] for row in order[night:]])
    again(db)
    check(db)
    assert (together(db), between(db)) == (at_once, asked)
    after = again(db)
    assert (len(after.moved), after.asked, after.idle) == (0, 0, 0)
    db.execute("rollback to savepoint before")


TURN = st.tuples(ROW, st.one_of(st.none(), st.integers(0, 99)))


@SOME
@given(st.lists(TURN, min_size=2, max_size=10, unique_by=lambda turn: turn[0][0]))
def test_children_that_a_person_parted_end_as_if_that_had_been_known_at_once(
    db: store.Db, turns: list[Any]
) -> None:
    with db.transaction(force_rollback=True):
        parted = {pair for day, turn in enumerate(turns) for pair in come_and_part(db, turn, day)}
        again(db)
        check(db)
        ended, asked = together(db), between(db)
        assert len(again(db).moved) == 0
    with db.transaction(force_rollback=True):
        identity.describe(db, pl.DataFrame([a_row(row) for row, _ in turns], DESCRIPTION), now=NOW)
        for pair in parted:
            db.execute(
                "insert into identity_judgement (file_a, file_b, judgement, by, why, since) values (%s, %s, 'no match', %s, '', %s)",
                [*pair, BY["by"], NOW],
            )
        identity.identify(db, by="system", now=NOW, pack=PACK)
        assert (ended, asked) == (together(db), between(db))


def come_and_part(db: store.Db, turn: Any, day: int) -> list[tuple[int, int]]:
    """A file comes, and a person may say of two that are not one child's that they never are."""
    row, which = turn
    tell(db, a_row(row), day=day)
    child = {one["id"]: one["child"] for one in store.fetch(db, "select id, child from identity_file")}
    apart = [pair for pair in combinations(sorted(child), 2) if child[pair[0]] != child[pair[1]]]
    if which is None or not apart:
        return []
    pair = apart[which % len(apart)]
    identity.decide(db, *pair, "no match", **BY, now=NOW + timedelta(days=day))
    return [pair]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [3, 4])
def test_a_nation_that_came_in_pieces_ends_as_at_once(db: store.Db, seed: int) -> None:
    rows = told(150, seed=seed, error=5)
    db.execute("savepoint before")
    identity.describe(db, rows, now=NOW)
    identity.identify(db, by="system", now=NOW, pack=PACK)
    at_once, asked = together(db), between(db)
    db.execute("rollback to savepoint before")
    for n in range(12):
        identity.describe(db, rows.filter(rows["file"] % 12 == (5 * n) % 12), now=NOW + timedelta(days=n))
        identity.identify(db, by="system", now=NOW + timedelta(days=n), pack=PACK)
    assert together(db) != at_once, "or this proves nothing"
    done = again(db)
    check(db)
    assert (together(db), between(db)) == (at_once, asked)
    assert len(done.moved) > 0
    assert done.idle > 0
    assert set(done.moved["child"]) <= set(done.children)


def test_what_persons_said_stands_and_a_held_file_stays(db: store.Db) -> None:
    orr, ero, court = file_id("ORR", "UC1"), file_id("ERO", "216043624"), file_id("EOIR", "9000001")
    rows = [
        said("ORR", "UC1", number="216043624", **ANA), said("ERO", "216043624", **ANA),
        said("EOIR", "9000001", number="216043624", **ANA), said("USCIS", "219999999", **ANA | {"dob": "2011-12-12"}),
    ]  # fmt: skip
    come(db, [[row] for row in rows])
    identity.separate(db, court, **BY, now=NOW)
    identity.decide(db, ero, file_id("USCIS", "219999999"), "match", **BY, now=NOW)
    before = together(db)
    assert frozenset([court]) in before
    assert len(again(db).moved) == 0
    assert together(db) == before
    identity.decide(db, ero, file_id("USCIS", "219999999"), "no match", **BY, now=LATER)
    identity.withdraw(db, court, orr, **BY, now=LATER)
    identity.hold(db, court, True, **BY, now=LATER)
    before = together(db)
    again(db)
    assert together(db) == before


def test_a_question_about_two_children_that_persons_spoke_of_waits_on(db: store.Db) -> None:
    number = {"number": "216043624"}
    come(db, [[said("ERO", "216043624", **ANA), said("ORR", "UC1", **number, **ANA)]])
    identity.decide(db, file_id("ERO", "216043624"), file_id("ORR", "UC1"), "match", **BY, now=NOW)
    identity.describe(db, pl.DataFrame([said("ORR", "UC2", **number, **ANA)], DESCRIPTION), now=NOW)
    identity.hold(db, file_id("ORR", "UC2"), True, **BY, now=NOW)
    identity.identify(db, by="system", now=NOW, pack=PACK)
    asked = between(db)
    assert len(asked) == 1
    done = again(db)
    assert (len(done.moved), done.idle, between(db)) == (0, 0, asked)


def test_a_file_never_joins_a_child_because_it_once_gave_it_its_id(db: store.Db) -> None:
    """The child that ERO's file founded kept its id with a file that is held, and that has nothing to do with it."""
    ero, orr = file_id("ERO", "216043624"), file_id("ORR", "UC1")
    come(
        db,
        [
            [said("ERO", "216043624", **ANA)],
            [said("ORR", "UC1", last="TZOC", first="WILMER", dob="2011-02-03")],
        ],
    )
    child = {row["id"]: row["child"] for row in store.fetch(db, "select id, child from identity_file")}
    db.execute("insert into identity_child (id, born) values (7, %s)", [NOW])
    for file, id_ in ((ero, 7), (orr, child[ero])):
        db.execute("update identity_link set child = %s where file = %s", [id_, file])
        db.execute("update identity_file set child = %s where id = %s", [id_, file])
    identity.hold(db, orr, True, **BY, now=NOW)
    again(db)
    after = {row["id"]: row["child"] for row in store.fetch(db, "select id, child from identity_file")}
    assert after == {ero: 7, orr: child[ero]}
    db.execute("update identity_link set evidence = '{}' where file = %s", [ero])
    again(db)
    assert {
        row["id"]: row["child"] for row in store.fetch(db, "select id, child from identity_file")
    } == after


@pytest.mark.parametrize("told", PACK.toml("identity/night.toml")["example"], ids=lambda told: told["why"])
def test_examples_of_the_pack_when_the_night_begins(told: dict[str, Any]) -> None:
    rule = PACK.toml("identity/night.toml")
    zone = PACK.toml("calendar.toml")["zone"]
    assert begins(rule, zone, told.get("last"), told["now"]) == told["begins"]


def test_a_night_is_noted_as_begun(db: store.Db) -> None:
    night = datetime(2024, 6, 1, 7, 0, tzinfo=UTC)
    assert identity.night(db, now=night, pack=PACK)
    assert not identity.night(db, now=night + timedelta(hours=1), pack=PACK)
    assert identity.night(db, now=night + timedelta(days=1), pack=PACK)


def test_what_comes_while_all_is_linked_again_is_linked_next(
    db: store.Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    come(db, [[said("ORR", "UC1", number="216043624", **ANA)], [said("ERO", "216043624", **ANA)]])
    db.execute("update identity_link set evidence = '{}'")  # as it was kept once: something to draw anew
    late = pl.DataFrame([said("EOIR", "9000001", number="216043624", **ANA)], DESCRIPTION)
    real = module.partition

    def meanwhile(*args: Any) -> Any:
        identity.describe(db, late, now=NOW)
        return real(*args)

    monkeypatch.setattr(module, "partition", meanwhile)
    again(db)
    assert identity.identify(db, by="system", now=LATER, pack=PACK).linked == 1
    assert len(together(db)) == 1
