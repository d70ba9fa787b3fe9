"""Recording: once each, superseded and never overwritten, sealed by class."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from readings import NOON, ids, reading, report

from handhold import store, timeline

NOW = datetime(2024, 5, 31, 16, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
EVENTS = "select id, file, kind, superseded_by, superseded from timeline_event order by kind, id"


def believed(db: store.Db) -> list[str]:
    return [row["kind"] for row in store.fetch(db, EVENTS) if row["superseded_by"] is None]


def test_recorded_once(db: store.Db) -> None:
    one = reading(
        report(1, "admitted"), report(2, "admitted", file=2), report(2, "left-program", slot="b", file=2)
    )
    first = timeline.record(db, one, now=NOW)
    assert (first.new, first.superseded, first.files.to_list()) == (3, 0, [1, 2])
    again = timeline.record(db, one, now=LATER)
    assert (again.new, again.superseded, again.files.to_list()) == (0, 0, [])
    assert len(store.fetch(db, EVENTS)) == 3


def test_a_report_given_twice_is_one_event(db: store.Db) -> None:
    assert timeline.record(db, reading(report(1, "admitted"), report(1, "admitted")), now=NOW).new == 1


def test_a_changed_row_supersedes_what_it_no_longer_states(db: store.Db) -> None:
    timeline.record(
        db,
        reading(
            report(1, "discharged", type="OTHER"),
            report(1, "told-dhs", slot="b"),
            report(1, "admitted", slot="c"),
        ),
        now=NOW,
    )
    done = timeline.record(
        db, reading(report(1, "discharged", type="REUNIFIED"), report(1, "admitted", slot="c")), now=LATER
    )
    assert (done.new, done.superseded) == (1, 2)
    rows = {(row["kind"], row["superseded_by"] is None): row for row in store.fetch(db, EVENTS)}
    old, new = rows["discharged", False], rows["discharged", True]
    assert old["superseded_by"] == new["id"]
    assert old["superseded"] == LATER
    assert rows["told-dhs", False]["superseded_by"] == 0
    assert rows["admitted", True]["superseded"] is None


def test_a_row_that_changes_into_silence(db: store.Db) -> None:
    timeline.record(db, reading(report(1, "told-dhs")), now=NOW)
    silent = reading()
    silent.changed = ids(1)
    assert timeline.record(db, silent, now=LATER).superseded == 1
    assert believed(db) == []


def test_withdrawn_and_back(db: store.Db) -> None:
    timeline.record(db, reading(report(1, "court-file"), report(2, "court-file", file=2)), now=NOW)
    gone = timeline.record(db, reading(withdrawn=ids(1)), now=LATER)
    assert (gone.superseded, gone.files.to_list()) == (1, [1])
    assert len(believed(db)) == 1
    back = timeline.record(db, reading(returned=ids(1)), now=LATER + timedelta(days=7))
    assert (back.new, back.files.to_list()) == (1, [1])
    assert len(believed(db)) == 2
    lapse = store.fetch(db, "select from_, until from timeline_lapse")
    assert lapse == [{"from_": LATER, "until": LATER + timedelta(days=7)}]


def test_said_again_after_something_else(db: store.Db) -> None:
    first, second = report(1, "case-status", status="ACTIVE"), report(1, "case-status", status="CLOSED")
    for number, said in enumerate((first, second, first)):
        timeline.record(db, reading(said), now=NOW + timedelta(days=number))
    rows = store.fetch(db, "select detail->>'status' as status, superseded_by from timeline_event order by 1")
    assert [(row["status"], row["superseded_by"] is None) for row in rows] == [
        ("ACTIVE", True),
        ("CLOSED", False),
    ]
    assert len(store.fetch(db, "select * from timeline_lapse")) == 1


def test_days_are_local(db: store.Db) -> None:
    late = datetime(2024, 1, 6, 3, 0, tzinfo=UTC)  # ten in the evening of the fifth
    timeline.record(db, reading(report(1, "admitted", at=late)), now=NOW)
    (row,) = store.fetch(db, "select day, known_day from timeline_event")
    assert row["day"].isoformat() == row["known_day"].isoformat() == "2024-01-05"


def test_each_confidence_is_sealed_under_its_own_class(db: store.Db) -> None:
    said = report(
        1,
        "discharged",
        location='{"line1":"12 ELM ST"}',
        sponsor='{"last":"X"}',
        benefit='{"form":"I-589"}',
        clinical='{"note":"n"}',
    )
    timeline.record(db, reading(said, report(2, "admitted")), now=NOW)
    (row,) = store.fetch(db, "select id, location from timeline_event where location is not null")
    event = row["id"]
    assert b"ELM" not in row["location"]
    assert (
        store.unseal("location", f"timeline_event.location.{event}", row["location"])
        == b'{"line1":"12 ELM ST"}'
    )
    classes = store.fetch(db, "select class, blob from timeline_sealed order by class")
    assert [row["class"] for row in classes] == ["benefit", "clinical"]
    (sponsor,) = store.fetch(db, "select event, blob from sponsor.timeline_sealed")
    assert (
        store.unseal("sponsor", f"sponsor.timeline_sealed.blob.{event}", sponsor["blob"]) == b'{"last":"X"}'
    )


def test_own_events_and_the_stream(db: store.Db) -> None:
    db.execute("insert into identity_child (id, born, into_) values (7, now(), null), (8, now(), 7)")
    db.execute(
        "insert into identity_file (id, agency, key_, child) values (1, 'ORR', '', 7), (2, 'ERO', '', 7), (3, 'ERO', '', 9)"
    )
    timeline.record(
        db,
        reading(
            report(2, "transferred", file=2, at=NOON + timedelta(days=1)),
            report(1, "admitted"),
            report(3, "determined", file=3),
        ),
        now=NOW,
    )
    own = [timeline.OwnEvent(child, "acknowledged", NOW, {"recipient": "ORR"}) for child in (7, 8, 9)]
    timeline.add(db, own, by="person:1", now=NOW)
    timeline.add(db, own, by="person:1", now=LATER)
    stream = timeline.stream(db, pl.Series("child", [7], pl.Int64))
    assert stream["kind"].to_list() == ["admitted", "transferred", "acknowledged", "acknowledged"]
    assert stream["child"].unique().to_list() == [7]
    everything = timeline.stream(db, None)
    assert everything.filter(child=9)["kind"].to_list() == ["determined", "acknowledged"]


def test_a_kind_nobody_knows_is_refused(db: store.Db) -> None:
    with pytest.raises(KeyError, match="no kind of event made-up"):
        timeline.add(db, [timeline.OwnEvent(7, "made-up", NOW)], by="system", now=NOW)
