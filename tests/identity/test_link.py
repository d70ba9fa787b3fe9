"""Many files: which are one child's, whatever the order, and what is asked instead of guessed."""

import random
import sys
from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handhold import identity, store
from handhold.feeds.model import DESCRIPTION
from handhold.identity import few
from handhold.identity.candidates import keys, profiles

from .said import ANA, CODES, NOW, PACK, SCALE, file_id, found, groups, said, tell, together

JUAN = {"last": "GARCIA LOPEZ", "first": "JUAN", "dob": "2007-03-02", "sex": "M", "country": "GUATEMALA"}
TWIN = JUAN | {"first": "WILMER"}
BROTHER = JUAN | {"first": "MATEO", "dob": "2010-11-20"}


def ids(*keyed: tuple[str, str]) -> frozenset[int]:
    return frozenset(file_id(agency, key) for agency, key in keyed)


def asked(db: store.Db) -> list[tuple[str, frozenset[int]]]:
    rows = store.fetch(
        db, "select reason, file_a, file_b from identity_question where closed is null order by id"
    )
    return [(row["reason"], frozenset((row["file_a"], row["file_b"]))) for row in rows]


def test_one_child_through_all_agencies(db: store.Db) -> None:
    got = tell(
        db,
        said("ERO", "216043624", **ANA | {"first": "ANA", "middle": "LUCIA"}),
        said("ORR", "UC1", number="216043624", **ANA),
        said("EOIR", "9000001", number="216043624", **ANA | {"country": "GT", "last": "DUARTE"}),
        said("OPLA", "216043634", court_case="9000001", **ANA | {"sex": None, "country": None}),
        said("USCIS", "ZAR1", number=None, **ANA | {"sex": None}),
    )
    assert together(db) == {
        ids(
            ("ERO", "216043624"),
            ("ORR", "UC1"),
            ("EOIR", "9000001"),
            ("OPLA", "216043634"),
            ("USCIS", "ZAR1"),
        )
    }
    assert (got.linked, got.questions, len(got.children)) == (4, 0, 1)
    linked = {(f["agency"], f["linked_by"]) for f in identity.files_of(db, got.children[0])}
    assert linked == {
        ("ERO", "number"),
        ("ORR", "number"),
        ("EOIR", "number"),
        ("OPLA", "number"),
        ("USCIS", "match"),
    }


def test_the_child_is_named_for_the_file_that_founded_it(db: store.Db) -> None:
    first = tell(db, said("ERO", "216043624", **ANA)).children.to_list()
    then = tell(
        db,
        said("ORR", "UC1", number="216043624", **ANA),
        said("EOIR", "9000001", number="216043624", **ANA),
        day=1,
    )
    assert then.children.to_list() == first
    assert first == store.stable_ids("child", pl.Series([file_id("ERO", "216043624")])).to_list()


def test_a_second_run_changes_nothing(db: store.Db) -> None:
    rows = [
        said("ERO", "216043624", **ANA),
        said("ORR", "UC1", number="216043624", **ANA),
        said("ORR", "UC2", **JUAN),
    ]
    tell(db, *rows)
    before = store.fetch(db, "select * from identity_link order by id"), together(db)
    again = tell(db, *rows, day=1)
    assert (again.children.len(), again.linked, again.questions) == (0, 0, 0)
    assert (store.fetch(db, "select * from identity_link order by id"), together(db)) == before


def test_brothers_with_neighbouring_numbers_stay_two(db: store.Db) -> None:
    tell(
        db,
        said("ERO", "216043624", **JUAN), said("ERO", "216043625", **BROTHER),
        said("ORR", "UC1", number="216043624", **JUAN), said("ORR", "UC2", number="216043625", **BROTHER),
    )  # fmt: skip
    assert together(db) == {
        ids(("ERO", "216043624"), ("ORR", "UC1")),
        ids(("ERO", "216043625"), ("ORR", "UC2")),
    }
    assert asked(db) == []


def test_a_brothers_number_keyed_in_does_not_beat_the_description(db: store.Db) -> None:
    tell(
        db,
        said("ERO", "216043624", **JUAN), said("ERO", "216043625", **BROTHER),
        said("ORR", "UC1", number="216043625", **JUAN), said("ORR", "UC2", number="216043625", **BROTHER),
    )  # fmt: skip
    assert together(db) == {
        ids(("ERO", "216043624"), ("ORR", "UC1")),
        ids(("ERO", "216043625"), ("ORR", "UC2")),
    }
    assert [reason for reason, _ in asked(db)] == ["same-number-other-child"]


def test_a_twins_number_keyed_in_is_asked(db: store.Db) -> None:
    tell(db, said("ERO", "216043624", **TWIN), said("ORR", "UC1", number="216043624", **JUAN))
    assert len(together(db)) == 2
    assert asked(db) == [("same-number-other-child", ids(("ERO", "216043624"), ("ORR", "UC1")))]


def test_a_description_that_fits_two_children_is_asked(db: store.Db) -> None:
    tell(db, said("ERO", "216043624", **JUAN), said("ERO", "238811111", **JUAN), said("ORR", "UC1", **JUAN))
    assert len(together(db)) == 3
    assert {reason for reason, _ in asked(db)} >= {"not-unique"}


def test_a_new_file_never_joins_two_children_that_stand(db: store.Db) -> None:
    tell(db, said("ERO", "216043624", **ANA), said("ORR", "UC1", **ANA | {"dob": "2009-08-14"}))
    stood = together(db)
    assert len(stood) == 2
    assert [reason for reason, _ in asked(db)] == ["alike"]
    tell(
        db,
        said("EOIR", "9000001", number="216043624", **ANA),
        said("ORR", "UC1", row="2", number="216043624", **ANA),
        day=1,
    )
    ero, orr = file_id("ERO", "216043624"), file_id("ORR", "UC1")
    assert {files - ids(("EOIR", "9000001")) for files in together(db)} == {
        frozenset({ero}),
        frozenset({orr}),
    }
    assert [reason for reason, _ in asked(db)] == ["same-number-other-child"], (
        "the same question, of what is known now"
    )


@pytest.mark.parametrize("many", [8, 0])
def test_a_question_that_waits_says_what_is_known_now_and_an_answered_one_stays(
    db: store.Db, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(few, "FEW", many)
    brother = ANA | {"dob": "2009-08-14"}
    tell(db, said("ERO", "216043624", **ANA), said("ORR", "UC1", **brother))
    before = store.fetch(db, "select id, reason, evidence, weight, opened from identity_question")
    got = tell(db, said("ORR", "UC1", row="2", number="216043624", **brother), day=1)
    now = store.fetch(db, "select id, reason, evidence, weight, opened from identity_question")
    assert [(q["reason"], q["evidence"]["number"]) for q in (*before, *now)] == [
        ("alike", "unknown"),
        ("same-number-other-child", "same"),
    ]
    assert got.questions == 0
    assert now[0]["weight"] > before[0]["weight"]
    assert [now[0][same] for same in ("id", "opened")] == [before[0][same] for same in ("id", "opened")]
    db.execute("update identity_question set closed = opened, answer = 'no match', by = 'clerk'")
    tell(db, said("ORR", "UC1", row="3", number="216043624", **ANA), day=2)
    answered = store.fetch(
        db, "select id, reason, evidence, weight, opened from identity_question where closed is not null"
    )
    assert answered == now


@pytest.mark.parametrize("many", [8, 0])
def test_a_file_that_is_held_is_only_linked_by_a_person(
    db: store.Db, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    monkeypatch.setattr(few, "FEW", many)
    tell(db, said("ERO", "216043624", **ANA))
    db.execute("update identity_file set hold = true")
    tell(db, said("ORR", "UC1", number="216043624", **ANA), day=1)
    assert len(together(db)) == 2


def test_what_a_row_said_before_is_kept_but_no_longer_believed(db: store.Db) -> None:
    tell(db, said("ORR", "UC1", number="216043624", **ANA))
    tell(db, said("ORR", "UC1", number="216043699", **ANA), day=1)
    rows = store.fetch(db, "select withdrawn from identity_description order by recorded")
    assert [row["withdrawn"] for row in rows] == [True, False]
    tell(db, said("ERO", "216043624", **BROTHER), day=2)
    assert asked(db) == []


def test_nothing_sealed_can_be_read_in_the_tables(db: store.Db) -> None:
    tell(db, said("ERO", "216043624", **ANA), said("ORR", "UC1", number="216043624", **ANA))
    for table in ("file", "description", "key", "link", "question", "child"):
        text = str(store.fetch(db, f"select * from identity_{table}"))
        assert not any(secret in text for secret in ("DUARTE", "ANA LUCIA", "216043624", "UC1", "2008-03-31"))


CROWD = [
    said_of
    for n in range(6)
    for said_of in (("ERO", f"21604362{n}"), ("ORR", f"UC{n}"), ("EOIR", f"900000{n}"), ("USCIS", f"ZAR{n}"))
]
NAMES = [
    {"first": g, "last": s, "dob": d}
    for g in ("JUAN", "JOSE", "ANA")
    for s in ("GARCIA LOPEZ", "LOPEZ")
    for d in ("2007-03-02", "2007-02-03", "2008-01-01")
]
ROW = st.tuples(
    st.sampled_from(CROWD),
    st.sampled_from(NAMES),
    st.sampled_from([None, "216043620", "216043621", "216043622"]),
)


def a_row(drawn: tuple[tuple[str, str], dict[str, str], str | None]) -> dict[str, Any]:
    (agency, key), name, number = drawn
    return said(agency, key, **name | ({} if agency == "ERO" else {"number": number}))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(ROW, min_size=2, max_size=14, unique_by=lambda row: row[0]), st.randoms(use_true_random=False)
)
def test_the_order_of_rows_does_not_matter(keys_only: None, drawn: list[Any], dice: random.Random) -> None:
    rows = [a_row(row) for row in drawn]
    one = groups(found(*rows))
    dice.shuffle(rows)
    assert groups(found(*rows)) == one


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROW, min_size=2, max_size=14, unique_by=lambda row: row[0]))
def test_no_child_has_two_files_of_one_agency_that_gives_one(keys_only: None, drawn: list[Any]) -> None:
    rows = [a_row(row) for row in drawn]
    agency = {row["file"]: row["agency"] for row in rows}
    partition = groups(found(*rows))
    assert sorted(file for files in partition for file in files) == sorted(agency)
    for files in partition:
        once = [agency[file] for file in files if agency[file] != "USCIS"]
        assert len(once) == len(set(once))


def test_a_new_file_meets_by_the_keys_that_a_batch_meets_by(db: store.Db) -> None:
    """What is stored for later meets is every key of the batch, hashed; none is left out."""
    told = [said("ERO", "216043624", place=7, **ANA), said("EOIR", "9000001", number="216043624", **ANA)]
    rows = pl.DataFrame(told, DESCRIPTION)
    identity.describe(db, rows, now=NOW)
    stored = store.fetch(db, "select kind, count(*) as n from identity_key group by kind")
    court = pl.when(pl.col("agency") == "EOIR").then("file_key").otherwise(pl.lit(None))
    met = keys(profiles(rows.with_columns(court_case=court), CODES))
    assert {r["kind"]: r["n"] for r in stored} == dict(met.group_by("kind").len().iter_rows())


@pytest.mark.parametrize(
    ("says", "slips", "by"),
    [
        ({"custody": "2024-03-01T16:00"}, {"dob": "2008-03-13", "last": "DUARDE BASQUES", "custody": "2024-03-09T16:00"}, "month"),
        ({}, {"dob": "2008-03-13", "last": "TUARTE BASQUES"}, "month"),
        ({"custody": "2024-03-01T16:00"}, {"dob": "2008-04-13", "last": "TUARTE PASKUEZ"}, "handover"),
        ({"dob": "2008-03-02"}, {"dob": "2008-02-03", "first": "ANAI LUCIA"}, "day"),
        ({"custody": "2024-03-01T16:00"}, {"dob": "2008-04-13", "first": "NA LUCIA", "custody": "2024-03-02T08:00"}, "handover"),
        ({"dob": "2008-01-01"}, {"dob": "2009-01-01"}, "whole"),
    ],
)  # fmt: skip
def test_files_with_two_slips_meet(says: dict[str, str], slips: dict[str, str], by: str) -> None:
    """Each of these is what one way to meet is for: none of the others brings the two together."""
    rows = [said("ERO", "216043624", **ANA | says), said("ORR", "UC1", **ANA | says | slips)]
    met = keys(
        profiles(pl.DataFrame(rows, DESCRIPTION).with_columns(court_case=pl.lit(None, pl.String)), CODES)
    )
    shared = met.group_by("kind", "text").agg(pl.col("file").n_unique()).filter(pl.col("file") > 1)
    assert set(shared["kind"]) == {by}


def test_files_that_met_by_keys_of_another_kind_meet_the_next_one_all_the_same(db: store.Db) -> None:
    """Two slips at once: the date and the surname. Only the month of birth brings them together."""
    ana = ANA | {"custody": "2024-03-01T16:00"}
    tell(db, said("ERO", "216043624", **ana), said("ERO", "216043700", **JUAN))
    kept = set(db.execute("select key, file, kind from identity_key").fetchall())
    assert {kind for _, _, kind in kept} >= {"handover", "month"}
    db.execute("delete from identity_key where kind <> 'number'")
    store.put_setting(db, "identity.keys", 1)
    got = tell(db, said("ORR", "UC1", **ana | {"dob": "2008-03-13", "last": "DUARDE BASQUES"}))
    assert got.linked == 1
    assert together(db) == {ids(("ERO", "216043624"), ("ORR", "UC1")), ids(("ERO", "216043700"))}
    assert set(db.execute("select key, file, kind from identity_key").fetchall()) >= kept


def test_a_file_meets_nobody_by_what_it_said_before(db: store.Db) -> None:
    tell(db, said("ERO", "216043624", **JUAN))
    tell(db, said("ERO", "216043624", **ANA))
    tell(db, said("ORR", "UC1", **JUAN), day=1)
    tell(db, said("ORR", "UC2", **ANA), day=2)
    assert together(db) == {ids(("ERO", "216043624"), ("ORR", "UC2")), ids(("ORR", "UC1"))}


def test_what_is_told_while_many_are_linked_is_looked_at_next(
    db: store.Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few, "FEW", 0)
    case, juans = said("EOIR", "9000001", **ANA), said("ERO", "228485185", **JUAN)
    tell(db, case, juans)
    link = sys.modules["handhold.identity.link"]
    spoken = link.spoken

    def meanwhile(db: store.Db, files: pl.Series) -> Iterator[pl.DataFrame]:
        monkeypatch.setattr(link, "spoken", spoken)
        identity.describe(db, pl.DataFrame([case | {"number": "228485185"}], DESCRIPTION), now=NOW)
        yield from spoken(db, files)

    monkeypatch.setattr(link, "spoken", meanwhile)
    tell(db, said("ORR", "UC1", **ANA))
    assert together(db) == {ids(("EOIR", "9000001"), ("ORR", "UC1")), ids(("ERO", "228485185"))}
    assert asked(db) == []
    identity.identify(db, by="system", now=NOW, pack=PACK)
    assert asked(db) == [("same-number-other-child", frozenset((case["file"], juans["file"])))]


def test_what_is_told_while_one_is_linked_is_looked_at_next(
    db: store.Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, juans = said("EOIR", "9000001", **ANA), said("ERO", "228485185", **JUAN)
    tell(db, case, juans)
    newcomers = sys.modules["handhold.identity.newcomers"]
    opened = newcomers.opened

    def meanwhile(*asked_for: Any) -> Any:
        rows = [case | {"number": "228485185"}, said("USCIS", "216043624", **ANA)]
        identity.describe(db, pl.DataFrame(rows, DESCRIPTION), now=NOW)
        monkeypatch.setattr(newcomers, "opened", opened)
        return opened(*asked_for)

    monkeypatch.setattr(newcomers, "opened", meanwhile)
    tell(db, said("ORR", "UC1", **ANA))
    assert together(db) == {ids(("EOIR", "9000001"), ("ORR", "UC1")), ids(("ERO", "228485185"))}
    assert asked(db) == []
    identity.identify(db, by="system", now=NOW, pack=PACK)
    mine = ids(("EOIR", "9000001"), ("ORR", "UC1"), ("USCIS", "216043624"))
    assert together(db) == {mine, ids(("ERO", "228485185"))}
    assert asked(db) == [("same-number-other-child", frozenset((case["file"], juans["file"])))]


@pytest.mark.parametrize(
    ("at_most", "after_reading"), [(0, "partition"), (few.FEW, "codes")], ids=["columns", "few"]
)
def test_what_is_told_of_a_fresh_file_while_it_is_linked_is_looked_at_next(
    db: store.Db, monkeypatch: pytest.MonkeyPatch, at_most: int, after_reading: str
) -> None:
    monkeypatch.setattr(few, "FEW", at_most)
    juans, anas = said("ERO", "228485185", **JUAN), said("ORR", "UC1", **ANA)
    tell(db, juans)
    link = sys.modules["handhold.identity.link"]
    then = getattr(link, after_reading)

    def meanwhile(*asked_for: Any) -> Any:
        monkeypatch.setattr(link, after_reading, then)
        identity.describe(db, pl.DataFrame([anas | {"number": "228485185"}], DESCRIPTION), now=NOW)
        return then(*asked_for)

    identity.describe(db, pl.DataFrame([anas], DESCRIPTION), now=NOW)
    monkeypatch.setattr(link, after_reading, meanwhile)
    identity.identify(db, by="system", now=NOW, pack=PACK)
    identity.identify(db, by="system", now=NOW, pack=PACK)
    assert asked(db) == [("same-number-other-child", frozenset((anas["file"], juans["file"])))]


@pytest.mark.parametrize("at_most", [0, few.FEW], ids=["columns", "few"])
def test_a_file_does_not_found_a_child_whose_id_another_bears(
    db: store.Db, monkeypatch: pytest.MonkeyPatch, at_most: int
) -> None:
    """The id that a file once gave stayed with others when it left; it comes back, and has nothing to do with them."""
    monkeypatch.setattr(few, "FEW", at_most)
    juans, anas = said("ERO", "228485185", **JUAN), said("ORR", "UC1", **ANA)
    tell(db, juans)
    given = store.blind_one(str(anas["file"]), "child")
    db.execute("insert into identity_child (id, born) values (%s, %s)", [given, NOW])
    db.execute("update identity_link set child = %s", [given])
    db.execute("update identity_file set child = %s", [given])
    tell(db, anas)
    assert together(db) == {frozenset([juans["file"]]), frozenset([anas["file"]])}
    standing = store.fetch(db, "select child from identity_file where id = %s", [juans["file"]])
    assert standing == [{"child": given}]


@pytest.mark.parametrize("last, first", [("LNU", "FNU"), ("UNKNOWN", "Unknown"), ("Desconocido", "XXXX")])
def test_what_is_written_for_an_unknown_name_links_nobody(db: store.Db, last: str, first: str) -> None:
    nobody = ANA | {"last": last, "first": first}
    tell(db, said("ERO", "216043624", **nobody), said("ORR", "UC1", **nobody))
    assert len(together(db)) == 2


def test_a_link_refused_for_any_reason_is_asked_with_its_reason(db: store.Db) -> None:
    one = JUAN | {"dob": "2007-02-03", "entry": "2023-01-01", "place": 7, "building": 7}
    other = one | {"dob": "2007-03-02"}
    tell(
        db,
        said("ERO", "216043624", **one),
        said("EOIR", "9000001", number="216043624", **one),
        said("ERO", "251566471", **other),
        said("EOIR", "9000002", number="251566471", **other),
    )
    assert together(db) == {
        ids(("ERO", "216043624"), ("EOIR", "9000001")),
        ids(("ERO", "251566471"), ("EOIR", "9000002")),
    }
    (question,) = store.fetch(db, "select reason, evidence ->> 'why' as why, weight from identity_question")
    assert question["reason"] == question["why"] == "two-files-of-one-agency"
    assert question["weight"] > SCALE.threshold("link"), "it would have been linked"
