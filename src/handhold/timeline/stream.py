"""The timeline as a stream: what is believed now, child by child, in the order in which it happened."""

import polars as pl

from handhold import store

# An event of Handhold's own may name a child that has since been merged into another; it belongs to that other, and to no
# one else. Of a child without any file nothing is known, whatever Handhold once did because of it.
BELIEVED = """
    with recursive kin (child, id) as (
        select child, child from timeline_wanted_child w
        where exists (select from identity_file f where f.child = w.child)
          and not exists (select from identity_child c where c.id = w.child and c.into_ is not null)
        union select k.child, i.id from kin k join identity_child i on i.into_ = k.id)
    select f.child, e.file, e.id, e.agency, e.kind, e.at, e.day, e.precision_, e.known, e.known_day, e.detail, e.place, e.building,
           e.address_flags, e.subject, e.row_, e.delivery, e.line
    from timeline_wanted_child w join identity_file f on f.child = w.child join timeline_event e on e.file = f.id
    where e.superseded_by is null
    union all
    select k.child, e.file, e.id, e.agency, e.kind, e.at, e.day, e.precision_, e.known, e.known_day, e.detail, e.place, e.building,
           e.address_flags, e.subject, e.row_, e.delivery, e.line
    from kin k join timeline_event e on e.child = k.id
    where e.superseded_by is null"""


def stream(db: store.Db, children: pl.Series | None) -> pl.DataFrame:
    """Believed events of these children (``None``: of all), sorted by child, time and id.

    Columns: child, file, id, agency, kind, at, day, precision_, known, known_day, detail (JSON text), place, building,
    address_flags, subject, row_, delivery, line. ``child`` is the id asked for, also where an event names one merged into it.
    """
    db.execute("create temp table timeline_wanted_child (child bigint primary key) on commit drop")
    if children is None:
        db.execute(
            "insert into timeline_wanted_child select distinct child from identity_file where child is not null"
        )
    else:
        store.copy_in(
            db,
            "timeline_wanted_child",
            pl.DataFrame({"child": children.cast(pl.Int64).drop_nulls().unique()}),
        )
    db.execute("analyze timeline_wanted_child")
    events = store.frame(db, BELIEVED)
    db.execute("drop table timeline_wanted_child")
    return events.sort("child", "at", "id")
