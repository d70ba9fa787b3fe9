"""Deliveries that come late, or a table at a time: one story each of what ``tests/properties`` shows for all."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import nation
import polars as pl
import pytest

from handhold import casework, feeds, pack, store

NOW = datetime.fromisoformat("2024-05-31T23:59-04:00")


@pytest.fixture(autouse=True)
def _empty(database: str) -> Iterator[None]:
    """Each story begins with nothing known."""
    with store.transaction() as db:
        names = [
            name
            for (name,) in db.execute(
                "select tablename from pg_tables where schemaname = 'public' and tablename ~ '^(feeds|timeline|identity|account|followup|notices)_'"
            ).fetchall()
        ]
        db.execute(f"truncate {', '.join(names)} cascade".encode())
    yield


def send(*paths: Path) -> list[feeds.Delivery]:
    office = casework.Office(by=casework.SYSTEM, now=NOW, pack=pack.load(), workers=1)
    return casework.arrive(paths, office, sender="test").deliveries


def asked(query: str) -> pl.DataFrame:
    with store.transaction() as db:
        return store.frame(db, query)


def by_number_alone(folder: Path) -> tuple[Path, list[Path]]:
    """ERO's list, and a court extract in which nothing but the number shows a child."""
    made = nation.in_court(nation.released(nation.Nation()), dob="")
    nation.hearing(made, "2024-06-20")
    made.rows["eoir.A_TblCase"] = [row | {"CASEPRIORITY_CODE": ""} for row in made.rows["eoir.A_TblCase"]]
    made.write(folder)
    return next(folder.rglob("uc_transfers*")), sorted((folder / "eoir").rglob("*.csv"))


def test_a_case_left_aside_is_taken_in_when_ero_states_its_number(tmp_path: Path) -> None:
    ero, court = by_number_alone(tmp_path)
    (schedule,) = (d for d in send(*court) if d.feed == "eoir.tbl_schedule")
    assert (schedule.loaded, schedule.left) == (0, 1)
    send(ero)
    assert (
        asked("select count(distinct child) as n from identity_file where agency in ('ERO', 'EOIR')")["n"][0]
        == 1
    )
    assert "hearing-scheduled" in asked("select kind from timeline_event")["kind"].to_list()


def test_and_is_left_again_when_ero_takes_it_back(tmp_path: Path) -> None:
    ero, court = by_number_alone(tmp_path)
    send(*court)
    (delivery,) = send(ero)
    office = casework.Office(by=casework.SYSTEM, now=NOW, pack=pack.load(), workers=1)
    casework.undo(delivery.id, "not ours", office)
    assert asked(
        "select 1 as n from timeline_event where superseded_by is null and file is not null"
    ).is_empty()
    assert asked("select 1 as n from identity_file where child is not null").is_empty()
    casework.redo(delivery.id, "ours after all", office)
    assert (
        "hearing-scheduled"
        in asked("select kind from timeline_event where superseded_by is null")["kind"].to_list()
    )


def test_a_late_snapshot_is_the_past_and_says_since_when(tmp_path: Path) -> None:
    later = nation.released(nation.Nation(), served="2023-02-07").write(tmp_path / "later")
    before = nation.released(nation.Nation(), served="").write(tmp_path / "before")
    first = next(before.rglob("uc_transfers*"))
    late = first.with_name("uc_transfers_2024-05-24.csv")
    first.rename(late)
    send(next(later.rglob("uc_transfers*")))
    (delivery,) = send(late)
    assert delivery.status == "read" and delivery.loaded == 1
    told = asked(
        "select kind, delivery, superseded_by from timeline_event where kind in ('transferred', 'charging-document-served') and file is not null"
    )
    assert set(told.filter(pl.col("kind") == "transferred")["delivery"]) == {delivery.id}
    assert told.filter(pl.col("kind") == "charging-document-served")["superseded_by"].to_list() == [None]
