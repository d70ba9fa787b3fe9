"""Which children come into view: one rule for the one and for the many."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handhold import access, ledger, pack, store

PACK = pack.load()
NOW = datetime(2024, 6, 3, 12, 0, tzinfo=UTC)
CHILDREN = list(range(1, 9))


@pytest.fixture(autouse=True)
def acting(db: store.Db) -> Iterator[None]:
    ledger.acting(db, "system")
    yield
    db.rollback()


def seen(db: store.Db, reader: access.Reader) -> set[int]:
    condition, params = access.scope(reader, PACK)
    rows = store.fetch(
        db,
        f"select child from unnest(%(all)s::bigint[]) as child where {condition}",
        params | {"all": CHILDREN},
    )
    return {row["child"] for row in rows}


def caseworker(person: str = "ana") -> access.Reader:
    return access.reader(PACK, person=person, role="caseworker", purpose="safety")


def test_a_specialist_sees_every_child_and_a_removal_officer_none(db: store.Db) -> None:
    assert seen(db, access.reader(PACK, person="p", role="specialist", purpose="safety")) == set(CHILDREN)
    assert seen(db, access.reader(PACK, person="p", role="officer", purpose="enforcement")) == set()


def test_whoever_is_permitted_no_element_sees_nobody(db: store.Db) -> None:
    assert seen(db, access.reader(PACK, person="p", role="coordinator", purpose="enforcement")) == set()


def test_a_reader_that_is_not_in_the_pack_sees_nobody(db: store.Db) -> None:
    for stranger in [
        access.Reader("p", "ERO", "specialist", "safety"),
        access.Reader("p", "ORR", "specialist", "fun"),
        access.Reader("p", "FBI", "x", "court"),
    ]:
        assert seen(db, stranger) == set()


def test_a_caseworker_sees_the_caseload_of_the_agency_and_of_the_person(db: store.Db) -> None:
    access.assign(db, [1, 2], agency="PRS", by="person:1", why="intake", now=NOW)
    access.assign(db, [3], agency="PRS", person="ana", by="person:1", why="intake", now=NOW)
    access.assign(db, [4], agency="PRS", person="ben", by="person:1", why="intake", now=NOW)
    access.assign(db, [5], agency="LSP", by="person:1", why="e-28", now=NOW)
    assert seen(db, caseworker()) == {1, 2, 3}
    access.release(db, [2], agency="PRS", now=NOW)
    assert seen(db, caseworker()) == {1, 3}
    access.assign(db, [2, 1], agency="PRS", by="person:1", why="again", now=NOW)
    assert seen(db, caseworker()) == {1, 2, 3}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(CHILDREN), st.sampled_from(["PRS", "LSP"]), st.sampled_from(["", "ana", "ben"])
        )
    ),
    st.lists(
        st.tuples(
            st.sampled_from(CHILDREN), st.sampled_from(["PRS", "LSP"]), st.sampled_from(["", "ana", "ben"])
        )
    ),
    st.sampled_from(access.readers(PACK)),
    st.sampled_from(["ana", "ben", "eve"]),
)
def test_the_filter_and_the_single_question_agree(
    db: store.Db,
    given_: list[tuple[int, str, str]],
    taken: list[tuple[int, str, str]],
    reader: access.Reader,
    person: str,
) -> None:
    db.execute("delete from access_caseload")
    for child, agency, whose in given_:
        access.assign(db, pl.Series([child]), agency=agency, person=whose, by="person:1", why="test", now=NOW)
    for child, agency, whose in taken:
        access.release(db, [child], agency=agency, person=whose, now=NOW)
    reader = replace(reader, person=person)
    assert seen(db, reader) == {child for child in CHILDREN if access.in_view(db, reader, child, PACK)}
    if access.roles(PACK)[reader.role].scope == "caseload":
        held = set(given_) - set(taken)
        assert seen(db, reader) == {
            child for child, agency, whose in held if agency == reader.agency and whose in ("", person)
        }


def test_a_pack_cannot_invent_a_predicate(db: store.Db) -> None:
    odd = replace(
        PACK,
        texts=PACK.texts
        | {"roles.toml": PACK.texts["roles.toml"].replace('scope = "caseload"', 'scope = "friends"')},
    )
    with pytest.raises(access.AgreementError, match="friends"):
        access.scope(caseworker(), odd)


@pytest.mark.parametrize(
    ("role", "purpose"), [("specialist", "enforcement"), ("investigator", "safety"), ("nobody", "court")]
)
def test_a_purpose_that_a_role_may_not_choose_is_refused(role: str, purpose: str) -> None:
    with pytest.raises(access.AgreementError, match="may not choose"):
        access.reader(PACK, person="p", role=role, purpose=purpose)
