"""Recording: reports become events, once each; what a row no longer states is superseded, never overwritten."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import polars as pl

from handhold import store
from handhold.timeline.kinds import KINDS

ZONE = "America/New_York"
AGENCY = "HANDHOLD"

BEFORE = """
    select e.id, e.file, e.row_, e.slot, e.kind, e.superseded_by
    from timeline_event e join timeline_matched_row m on m.row_ = e.row_ order by e.id"""
REVIVE_PAST = """
    insert into timeline_lapse (event, superseded_by, from_, until)
    select e.id, e.superseded_by, e.superseded, %(now)s
    from timeline_event e where e.id = any(%(ids)s) and e.superseded_by is not null"""
REVIVE = """
    update timeline_event set superseded_by = null, superseded = null, unsaid = null
    where id = any(%(ids)s) and superseded_by is not null"""
SUPERSEDE = """
    update timeline_event e set superseded_by = s.superseded_by, superseded = %(now)s
    from timeline_replaced s where e.id = s.id and e.superseded_by is null"""
SEALED = (
    ("location", "timeline_event", "location"), ("benefit", "timeline_sealed", "blob"), ("clinical", "timeline_sealed", "blob"),
    ("sponsor", "sponsor.timeline_sealed", "blob"),
)  # fmt: skip
"""What is sealed: its element class, the table and the column where it lies."""
COLUMNS = (
    "id", "file", "row_", "slot", "agency", "kind", "at", "day", "precision_", "known", "known_day", "recorded", "detail",
    "place", "building", "address_flags", "location", "subject", "delivery", "line",
)  # fmt: skip


class Reading(Protocol):
    """What :func:`record` needs of ``feeds.Reading``."""

    reports: pl.DataFrame
    changed: pl.Series
    withdrawn: pl.Series
    returned: pl.Series
    first: bool


@dataclass(frozen=True)
class Recorded:
    """How many events are new (or believed again), how many are no longer believed, and the files they belong to."""

    new: int
    superseded: int
    files: pl.Series


@dataclass(frozen=True)
class OwnEvent:
    """An event of Handhold's own on a child: a gap opened, an agency told. ``subject`` is what it is about, if an id."""

    child: int
    kind: str
    at: datetime
    detail: Mapping[str, Any] = field(default_factory=dict)
    subject: int | None = None
    slot: str = ""


def record(db: store.Db, reading: Reading, *, now: datetime, events: pl.DataFrame | None = None) -> Recorded:
    """Record what a reading's reports state, and take back what its changed and withdrawn rows no longer state.

    The same reading again changes nothing. Recorded at ``now``; one transaction, the caller's. ``events``: its reports as
    :func:`stated` gives them, where somebody has made them already.
    """
    events = stated(reading.reports, now) if events is None else events
    store.lock(db, "timeline.record")
    before = None if reading.first else _before(db, reading, events)
    if before is None or not len(before):
        insert(db, events)
        return Recorded(len(events), 0, _files(events["file"]))
    returned = _returned(before, reading, events)
    fresh = events.join(before, on="id", how="anti")
    again = before.filter(pl.col("superseded_by").is_not_null()).join(events, on="id", how="semi")
    revived = pl.concat([again["id"], returned["id"]]).unique()
    gone = _gone(before, reading, events)
    insert(db, fresh)
    _revive(db, revived, now)
    _supersede(db, gone, now)
    touched = [fresh["file"], gone["file"], before.filter(pl.col("id").is_in(revived.implode()))["file"]]
    return Recorded(len(fresh) + len(revived), len(gone), _files(pl.concat(touched)))


def _files(files: pl.Series) -> pl.Series:
    return files.drop_nulls().unique().sort().alias("file")


def stated(reports: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Reports as events, one of each, sealed, recorded at ``now``; needs no database.

    In the order of their files: the events of a file, its rows and their ids lie near one another in the indexes, and an
    index grows fastest where it was touched last.
    """
    return sealed(identified(reports, now).unique("id", keep="first").sort("file", "row_", "id"))


def identified(reports: pl.DataFrame, now: datetime) -> pl.DataFrame:
    """Reports as events, with their ids and local days. What is sealed is part of what is stated; so is whose file it is."""
    ids = store.stable_ids(
        "event",
        reports["row"],
        reports["file"],
        reports["slot"],
        reports["kind"],
        reports["at"].dt.epoch("us"),
        reports["detail"],
        reports["place"],
        reports["sponsor"],
        reports["benefit"],
        reports["clinical"],
        near=reports["file"],
    )
    return reports.with_columns(
        ids.alias("id"),
        pl.col("at").dt.convert_time_zone(ZONE).dt.date().alias("day"),
        pl.col("known").dt.convert_time_zone(ZONE).dt.date().alias("known_day"),
        pl.lit(now).cast(pl.Datetime("us", "UTC")).alias("recorded"),
    ).rename({"row": "row_", "precision": "precision_"})


def _before(db: store.Db, reading: Reading, events: pl.DataFrame) -> pl.DataFrame:
    """What is recorded already, believed or not, from the rows this reading speaks of."""
    rows = pl.concat(
        [
            s.cast(pl.Int64).alias("row_")
            for s in (events["row_"], reading.changed, reading.withdrawn, reading.returned)
        ]
    )
    db.execute("create temp table timeline_matched_row (row_ bigint primary key) on commit drop")
    if db.execute("select exists (select from timeline_event where row_ is not null)").fetchone() == (True,):
        store.copy_in(db, "timeline_matched_row", pl.DataFrame({"row_": rows.drop_nulls().unique()}))
        db.execute("analyze timeline_matched_row")
    before = store.frame(db, BEFORE)
    db.execute("drop table timeline_matched_row")
    return before


def _returned(before: pl.DataFrame, reading: Reading, events: pl.DataFrame) -> pl.DataFrame:
    """Withdrawn events of rows that are back as they were: no report repeats them, so they are believed again."""
    said_anew = events["row_"].unique()
    return before.filter(
        pl.col("superseded_by") == 0,
        pl.col("row_").is_in(reading.returned.cast(pl.Int64).implode()),
        ~pl.col("row_").is_in(said_anew.implode()),
    )


def _gone(before: pl.DataFrame, reading: Reading, events: pl.DataFrame) -> pl.DataFrame:
    """Believed events that their row no longer states, each with what stands in its place (0: nothing)."""
    unsaid = before.filter(pl.col("superseded_by").is_null()).join(events, on="id", how="anti")
    changed = pl.concat([reading.changed.cast(pl.Int64).alias("row_"), events["row_"]]).unique()
    withdrawn = reading.withdrawn.cast(pl.Int64)
    in_place = replaced(unsaid.filter(pl.col("row_").is_in(changed.implode())), events, ["row_"])
    removed = unsaid.filter(pl.col("row_").is_in(withdrawn.implode())).select(
        "id", "file", superseded_by=pl.lit(0, pl.Int64)
    )
    return pl.concat([in_place, removed]).unique("id", keep="first", maintain_order=True)


def replaced(ended: pl.DataFrame, events: pl.DataFrame, on: list[str]) -> pl.DataFrame:
    """Ended events (``id, file, slot, kind`` and ``on``), each with what stands in its place among ``events`` that agree
    in ``on``: the same kind in the same slot, else what is in the slot, else nothing (0)."""
    order = events.sort("id")
    by_kind = order.unique([*on, "slot", "kind"], keep="first").select(*on, "slot", "kind", same=pl.col("id"))
    by_slot = order.unique([*on, "slot"], keep="first").select(*on, "slot", near=pl.col("id"))
    return (
        ended.join(by_kind, on=[*on, "slot", "kind"], how="left", nulls_equal=True)
        .join(by_slot, on=[*on, "slot"], how="left", nulls_equal=True)
        .select("id", "file", superseded_by=pl.coalesce("same", "near", pl.lit(0, pl.Int64)))
    )


def sealed(events: pl.DataFrame) -> pl.DataFrame:
    """Events with every address and every confidence sealed, each for its place; only what is said goes through the cipher."""
    return events.with_columns(_blobs(events, cls, f"{table}.{column}") for cls, table, column in SEALED)


def _blobs(events: pl.DataFrame, cls: str, context: str) -> pl.Series:
    said = events.select("id", cls).filter(pl.col(cls).is_not_null())
    blobs = store.seal_many(cls, context, said["id"], said[cls])
    opened = said.select("id", blobs.alias("blob"))
    return events.select("id").join(opened, on="id", how="left", maintain_order="left")["blob"].alias(cls)


def insert(db: store.Db, fresh: pl.DataFrame) -> None:
    """Put new events in, as :func:`sealed` gives them; such as are superseded already, too."""
    if not len(fresh):
        return
    past = [name for name in ("superseded_by", "superseded") if name in fresh.columns]
    store.copy_in(db, "timeline_event", fresh.select(*COLUMNS, *past))
    for cls, table, _ in SEALED[1:]:
        said = fresh.filter(pl.col(cls).is_not_null()).select(event="id", blob=cls)
        named = [] if cls == "sponsor" else [pl.lit(cls).alias("class")]
        store.copy_in(db, table, said.with_columns(named))


def _revive(db: store.Db, ids: pl.Series, now: datetime) -> None:
    if len(ids):
        wanted = {"ids": ids.to_list(), "now": now}
        db.execute(REVIVE_PAST, wanted)
        db.execute(REVIVE, wanted)


def _supersede(db: store.Db, gone: pl.DataFrame, now: datetime) -> None:
    if not len(gone):
        return
    db.execute(
        "create temp table timeline_replaced (id bigint primary key, superseded_by bigint) on commit drop"
    )
    store.copy_in(db, "timeline_replaced", gone.select("id", "superseded_by"))
    db.execute(SUPERSEDE, {"now": now})
    db.execute("drop table timeline_replaced")


def add(db: store.Db, rows: list[OwnEvent], *, by: str, now: datetime) -> None:
    """Record events of Handhold's own. The same event (child, kind, time, detail) again is the same event.

    ``by`` goes into the detail: who acted belongs to what happened. Raises ``KeyError`` for a kind not in the house.
    """
    if not rows:
        return
    unknown = {row.kind for row in rows} - KINDS.keys()
    if unknown:
        raise KeyError(f"no kind of event {', '.join(sorted(unknown))}; add it to timeline/kinds.py")
    store.upsert(db, "timeline_event", _own(rows, by, now), ["id"], [])


def _own(rows: list[OwnEvent], by: str, now: datetime) -> pl.DataFrame:
    moments = pl.Datetime("us", "UTC")
    frame = pl.DataFrame(
        {
            "child": [row.child for row in rows],
            "slot": [row.slot for row in rows],
            "kind": [row.kind for row in rows],
            "at": [row.at for row in rows],
            "detail": [json.dumps(dict(row.detail) | {"by": by}, sort_keys=True) for row in rows],
            "subject": [row.subject for row in rows],
        },
        schema_overrides={"child": pl.Int64, "at": moments, "subject": pl.Int64},
    )
    ids = store.stable_ids(
        "own",
        frame["child"],
        frame["slot"],
        frame["kind"],
        frame["at"].dt.epoch("us"),
        frame["detail"],
        frame["subject"],
        near=frame["child"],
    )
    local = pl.col("at").dt.convert_time_zone(ZONE).dt.date()
    return frame.with_columns(
        ids.alias("id"), local.alias("day"), local.alias("known_day"), pl.col("at").alias("known"),
        agency=pl.lit(AGENCY), precision_=pl.lit("t"), recorded=pl.lit(now).cast(moments),
    ).unique("id", keep="first").sort("child", "id")  # fmt: skip
