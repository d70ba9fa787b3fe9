"""Loosening links whose ground was taken back, so that they are found anew from what still stands.

What a machine linked falls with the descriptions it rested on; what a person said stays. Files near the changed ones are
loosened with them, because whether two files are one child's depends on who else might want them.
"""

from datetime import datetime

import polars as pl

from handhold import store
from handhold.identity.describe import heed
from handhold.identity.judgement import WHOLE
from handhold.identity.review import DOUBTED

HOPS = 2  # a file that lost a rival may now find a mate, and that mate's child another founder
NEAR = """
    insert into loosened
    select distinct o.file from loosened l join identity_key k on k.file = l.id join identity_key o on o.key = k.key
    join identity_file f on f.id = o.file where f.child is not null or f.fresh
    on conflict do nothing"""
KIN = """
    insert into loosened
    select f.id from identity_file f
    where f.child in (select g.child from identity_file g join loosened l on l.id = g.id where g.child is not null)
    on conflict do nothing"""
# Of a child that is left whole, only files that nobody speaks of any more leave.
KEPT = f"""
    delete from loosened l using identity_file f
    where f.id = l.id and not l.gone and f.child in ({WHOLE})"""  # noqa: S608
ENDED = """
    update identity_link k set until = %(now)s from loosened l
    where l.id = k.file and k.until is null and k.judgement = 'match'"""
LOOSE = """
    update identity_file f set child = null, linked_by = null, probability = null, since = null, fresh = not l.gone
    from loosened l where l.id = f.id"""
AWAKE = "update identity_file set fresh = true where id = any(%(files)s) and child is null and not fresh"
UNASKED = """
    delete from identity_question q using loosened l
    where l.id in (q.file_a, q.file_b) and (q.reason <> %(doubted)s or l.gone) and not exists (
        select from identity_judgement j where j.file_a = q.file_a and j.file_b = q.file_b and j.until is null)"""
FORWARD = """
    update identity_child c set into_ = w.child
    from (select distinct on (l.child) l.child as old, f.child from identity_link l join identity_file f on f.id = l.file
          where l.until is not null and f.child is not null and f.child <> l.child order by l.child, l.until desc, f.id) w
    where w.old = c.id and c.into_ is null and not exists (select from identity_file f where f.child = c.id)"""
BACK = """
    update identity_child c set into_ = null
    where c.into_ is not null and exists (select from identity_file f where f.child = c.id)"""


def unlink(
    db: store.Db, changed: pl.Series, gone: pl.Series, spoken_of: pl.Series, *, now: datetime
) -> pl.Series:
    """Loosen the files of which something else is said now and those near them, for ``identify`` to link anew; ``gone``
    are files that nobody speaks of any more, which belong to no child; ``spoken_of`` are such as belong to one (again).
    Returns the children touched."""
    store.lock(db, "identity")
    heed(db)
    db.execute(AWAKE, {"files": spoken_of.to_list()})
    db.execute(
        "create temp table loosened (id bigint primary key, gone boolean not null default false) on commit drop"
    )
    files = pl.DataFrame(
        {"id": pl.concat([changed.cast(pl.Int64).alias("id"), gone.cast(pl.Int64).alias("id")]).unique()}
    )
    store.copy_in(db, "loosened", files.with_columns(gone=pl.col("id").is_in(gone.implode())))
    db.execute(KIN)
    for _ in range(HOPS):
        db.execute(NEAR)
        db.execute(KIN)
    db.execute(KEPT)
    children = store.frame(
        db,
        "select distinct f.child from identity_file f join loosened l on l.id = f.id where f.child is not null",
    )
    db.execute(ENDED, {"now": now})
    db.execute(UNASKED, {"doubted": DOUBTED})
    db.execute(LOOSE)
    db.execute("drop table loosened")
    return children["child"]


def forward(db: store.Db) -> None:
    """Ids of children that have no file any more lead to where their files went; ids that have some stand for themselves."""
    db.execute(BACK)
    db.execute(FORWARD)
