"""Restating: the events of rows whose whole history is told again, whatever was recorded of them before.

Recording goes forward: it knows what a row says now. Restating knows everything a row ever said, from which delivery to
which, and makes the events what they would be had it all been recorded in that order. What no delivery says any more
is marked and stays.
"""

from datetime import datetime
from typing import Any, Protocol

import polars as pl

from handhold import store
from handhold.timeline.record import Recorded, identified, insert, replaced, sealed

BEFORE = """
    select e.id, e.file, e.row_, e.slot, e.kind, e.superseded_by, e.unsaid, e.delivery, e.line, e.known
    from timeline_event e join timeline_restated_row r on r.row_ = e.row_ order by e.id"""
LAPSED = """
    insert into timeline_lapse (event, superseded_by, from_, until)
    select e.id, e.superseded_by, e.superseded, %(now)s from timeline_event e join timeline_restated s using (id)
    where e.superseded_by is not null and s.superseded_by is null"""
RESTATE = """
    update timeline_event e
    set superseded_by = s.superseded_by, superseded = case when s.superseded_by is null then null else coalesce(e.superseded, %(now)s) end,
        unsaid = case when s.said then null else coalesce(e.unsaid, %(now)s) end,
        delivery = s.delivery, line = s.line, known = s.known, known_day = s.known_day
    from timeline_restated s where s.id = e.id"""
CHANGE: dict[str, Any] = {
    "id": pl.Int64, "superseded_by": pl.Int64, "said": pl.Boolean, "delivery": pl.Int64, "line": pl.Int32,
    "known": pl.Datetime("us", "UTC"), "known_day": pl.Date,
}  # fmt: skip


class Retelling(Protocol):
    """What :func:`restate` needs of ``feeds.Retelling``."""

    rows: pl.Series
    runs: pl.DataFrame
    reports: pl.DataFrame


def restate(db: store.Db, told: Retelling, *, now: datetime) -> Recorded:
    """Make the events of these rows what the whole of their history states; one transaction, the caller's.

    The same again changes nothing. An event belongs to the first delivery that states it; it is believed where the last
    run of its row states it and no snapshot lacks the row.
    """
    store.lock(db, "timeline.record")
    stated = _stated(told, now)
    canon = _canon(stated)
    before = _before(db, told.rows)
    fresh = canon.join(before, on="id", how="anti")
    unsaid = _unsaid(before, canon, stated, now)
    changed = pl.concat([_changed(before, canon), unsaid])
    insert(
        db,
        sealed(fresh).with_columns(
            superseded=pl.when(pl.col("superseded_by").is_not_null()).then(pl.lit(now).cast(CHANGE["known"]))
        ),
    )
    _apply(db, changed, now)
    return _recorded(before, changed, fresh)


def _stated(told: Retelling, now: datetime) -> pl.DataFrame:
    """Every event once for each run that states it, with the run's end."""
    spans = told.runs.select("turn", "until", "replaced", row_="row")
    events = identified(told.reports, now).unique(["id", "turn"], keep="first", maintain_order=True)
    return events.join(spans, on=["row_", "turn"], how="inner", maintain_order="left")


def _canon(stated: pl.DataFrame) -> pl.DataFrame:
    """Each event as its first run states it, with what stands in its place since its last one ended (null: believed)."""
    first = stated.sort("turn", "id").unique("id", keep="first", maintain_order=True)
    last = stated.sort("turn", "id").unique("id", keep="last", maintain_order=True)
    ended = last.filter("replaced").select("id", "file", "row_", "slot", "kind", turn="until")
    followed = replaced(ended, stated, ["row_", "turn"]).select("id", follows="superseded_by")
    ends = last.select("id", last_until="until").join(followed, on="id", how="left")
    superseded = pl.when(pl.col("last_until").is_not_null()).then(pl.coalesce("follows", pl.lit(0, pl.Int64)))
    return first.drop("until", "replaced", "turn").join(ends, on="id").with_columns(superseded_by=superseded)


def _before(db: store.Db, rows: pl.Series) -> pl.DataFrame:
    db.execute("create temp table timeline_restated_row (row_ bigint primary key) on commit drop")
    store.copy_in(db, "timeline_restated_row", pl.DataFrame({"row_": rows.unique()}))
    db.execute("analyze timeline_restated_row")
    before = store.frame(db, BEFORE)
    db.execute("drop table timeline_restated_row")
    return before


def _changed(before: pl.DataFrame, canon: pl.DataFrame) -> pl.DataFrame:
    """Events that are recorded otherwise than they should be."""
    names = ["superseded_by", "delivery", "line", "known"]
    both = canon.select("id", *names, "known_day").join(
        before.select("id", "unsaid", *(pl.col(name).alias(f"had_{name}") for name in names)), on="id"
    )
    differs = [pl.col(name).ne_missing(pl.col(f"had_{name}")) for name in names]
    wrong = both.filter(pl.any_horizontal(pl.col("unsaid").is_not_null(), *differs))
    return wrong.with_columns(said=pl.lit(True)).select(
        pl.col(name).cast(kind) for name, kind in CHANGE.items()
    )


def _unsaid(before: pl.DataFrame, canon: pl.DataFrame, stated: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Recorded events that nobody says any more, with what stands in their place."""
    gone = before.filter(pl.col("unsaid").is_null()).join(canon, on="id", how="anti")
    believed = canon.filter(pl.col("superseded_by").is_null())
    place = replaced(gone, believed, ["row_"]).select("id", follows="superseded_by")
    told = gone.drop("superseded_by").join(place, on="id")
    return told.with_columns(
        said=pl.lit(False),
        superseded_by="follows",
        known_day=pl.col("known").dt.convert_time_zone("America/New_York").dt.date(),
    ).select(pl.col(name).cast(kind) for name, kind in CHANGE.items())


def _apply(db: store.Db, changed: pl.DataFrame, now: datetime) -> None:
    if not len(changed):
        return
    db.execute(
        """create temp table timeline_restated (id bigint primary key, superseded_by bigint, said boolean, delivery bigint, line int,
           known timestamptz, known_day date) on commit drop"""
    )
    store.copy_in(db, "timeline_restated", changed)
    db.execute("analyze timeline_restated")
    db.execute(LAPSED, {"now": now})
    db.execute(RESTATE, {"now": now})
    db.execute("drop table timeline_restated")


def _recorded(before: pl.DataFrame, changed: pl.DataFrame, fresh: pl.DataFrame) -> Recorded:
    """What is newly believed, what no longer is, and whose files that concerns."""
    was = before.select("id", "file", had=pl.col("superseded_by")).join(
        changed.select("id", "superseded_by"), on="id"
    )
    again = was.filter(pl.col("had").is_not_null() & pl.col("superseded_by").is_null())
    ended = was.filter(pl.col("had").is_null() & pl.col("superseded_by").is_not_null())
    new = fresh.filter(pl.col("superseded_by").is_null())
    files = pl.concat([was["file"], fresh["file"]]).drop_nulls().unique().sort().alias("file")
    return Recorded(len(new) + len(again), len(ended), files)
