"""Descriptions of rows whose whole history is told again, and links that must be found anew because of it."""

from datetime import datetime

import polars as pl

from handhold import store
from handhold.identity.describe import describe, tell, told

STANDING = """
    select d.id, d.file from identity_description d join retold_row r on r.row_ = d.row_ where not d.withdrawn"""
FLAG = """
    update identity_description d set withdrawn = (s.id is null)
    from retold_row r, identity_description e left join described_now s on s.id = e.id
    where d.id = e.id and e.row_ = r.row_ and d.withdrawn <> (s.id is null)"""


def redescribe(db: store.Db, rows: pl.Series, descriptions: pl.DataFrame, *, now: datetime) -> pl.Series:
    """Keep everything these rows ever said of a person, with the last of it standing; returns the files of which something
    else stands now. ``descriptions`` carry the ``turn`` in which each was said."""
    ordered = descriptions.sort("turn", "line")
    db.execute("create temp table retold_row (row_ bigint primary key) on commit drop")
    store.copy_in(db, "retold_row", pl.DataFrame({"row_": rows.unique()}))
    before = store.frame(db, STANDING)
    describe(db, ordered.drop("turn"), now=now)
    _flag(db, _standing(ordered))
    after = store.frame(db, STANDING)
    db.execute("drop table retold_row")
    files = pl.concat([before.join(after, on="id", how="anti"), after.join(before, on="id", how="anti")])[
        "file"
    ].unique()
    tell(db, files)
    return files


def _standing(ordered: pl.DataFrame) -> pl.Series:
    """Ids of what each row says last of a person; a row that names nobody any more leaves standing whom it named."""
    return told(ordered).filter(pl.col("turn") == pl.col("turn").max().over("row"))["id"]


def _flag(db: store.Db, stands: pl.Series) -> None:
    db.execute("create temp table described_now (id bigint primary key) on commit drop")
    store.copy_in(db, "described_now", pl.DataFrame({"id": stands.unique()}))
    db.execute(FLAG)
    db.execute("drop table described_now")
