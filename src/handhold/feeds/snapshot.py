"""What is new: rows compared with the last kept state by keyed hashes of row key and content.

A delivery that speaks of an earlier day than what is already known does not roll anything back: its rows are loaded as
the past.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from handhold import store
from handhold.feeds.layout import Layout
from handhold.feeds.model import Delivery, Held, ids
from handhold.pack import Pack


@dataclass
class Change:
    """Rows of one delivery by what they are: ``news`` are to be understood, the rest is only counted."""

    news: pl.DataFrame
    loaded: int = 0
    unchanged: int = 0
    changed: pl.Series = field(default_factory=ids)
    withdrawn: pl.Series = field(default_factory=ids)
    returned: pl.Series = field(default_factory=ids)


def compare(db: store.Db, rows: pl.DataFrame, delivery: Delivery, layout: Layout, *, now: datetime, pack: Pack) -> Change:
    """Compare and write down. ``rows`` has ``row``, ``content``, ``file``, ``number``, ``line`` and the cells.

    Raises :class:`Held` when a snapshot lost more keys than the pack allows.
    """
    as_of = delivery.as_of or delivery.received.date()
    known = store.frame(db, "select id as row, content as had, as_of as had_as_of, withdrawn from feeds_row where feed = %s", [layout.feed])
    last, earlier = _one_a_key(rows)
    seen = last.join(known, on="row", how="left", maintain_order="left")
    older = pl.col("had_as_of").is_not_null() & (pl.lit(as_of) < pl.col("had_as_of"))
    same = (pl.col("had") == pl.col("content")).fill_null(False)
    kinds = seen.with_columns(
        kind=pl.when(pl.col("had").is_null()).then(pl.lit("new"))
        .when(same & (pl.col("withdrawn").is_null() | older)).then(pl.lit("unchanged"))
        .when(older).then(pl.lit("past"))
        .when(same).then(pl.lit("returned")).otherwise(pl.lit("changed"))
    )  # fmt: skip
    gone = _gone(known, seen, as_of, layout, pack)
    of = {kind: kinds.filter(pl.col("kind") == kind) for kind in ("new", "changed", "returned", "past")}
    _write(db, of, gone, delivery, layout, as_of, now)
    twice = earlier.filter(pl.col("same_later"))
    loaded = sum(len(part) for part in of.values()) + len(earlier) - len(twice)
    _past(db, earlier.filter(~pl.col("same_later")), delivery, now)
    news = pl.concat([of["new"], of["changed"], of["returned"]]).select(rows.columns)
    changed = pl.concat([of["changed"], of["returned"]])["row"].alias("id")
    return Change(news, loaded, len(rows) - loaded, changed, gone, of["returned"]["row"].alias("id"))


def _one_a_key(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The last row of each key, and the ones before it (``same_later``: the last one says the same)."""
    last = rows.unique(subset="row", keep="last", maintain_order=True)
    if len(last) == len(rows):
        return last, rows.head(0).select("row", "content", "line", same_later=pl.lit(False))
    final = last.select("row", final="content", final_line="line")
    earlier = rows.join(final, on="row").filter(pl.col("line") != pl.col("final_line"))
    return last, earlier.select("row", "content", "line", same_later=pl.col("content") == pl.col("final"))


def _gone(known: pl.DataFrame, seen: pl.DataFrame, as_of: date, layout: Layout, pack: Pack) -> pl.Series:
    """Keys of a snapshot that were there and are not any more."""
    if not layout.snapshot or not len(known):
        return ids()
    standing = known.filter(pl.col("withdrawn").is_null() & (pl.col("had_as_of") <= as_of))
    gone = standing.join(seen.select("row"), on="row", how="anti")["row"].alias("id")
    bounds = pack.toml("feeds/reading.toml")["held"]
    if len(gone) >= bounds["vanished_least"] and len(gone) > bounds["vanished"] * len(standing):
        share = 100 * len(gone) / len(standing)
        raise Held(f"{len(gone):,} of {len(standing):,} rows ({share:.1f} %) that the last snapshot had are gone from this one; a person should look before it is taken in")
    return gone


def _write(db: store.Db, of: dict[str, pl.DataFrame], gone: pl.Series, delivery: Delivery, layout: Layout, as_of: date, now: datetime) -> None:
    standing = {"feed": pl.lit(layout.feed), "delivery": pl.lit(delivery.id), "as_of": pl.lit(as_of), "since": pl.lit(now)}
    columns = [pl.col("row").alias("id"), "content", "file", "number", "line"]
    store.copy_in(db, "feeds_row", of["new"].select(*columns, **standing))
    changed = pl.concat([of["changed"], of["returned"]])
    if len(changed):
        db.execute("create temp table changed_row (id bigint) on commit drop")
        store.copy_in(db, "changed_row", changed.select(pl.col("row").alias("id")))
        db.execute(
            """insert into feeds_row_past select r.id, r.content, r.delivery, r.line, r.since, %s from feeds_row r join changed_row using (id)""",
            [now],
        )
        db.execute("drop table changed_row")
        store.upsert(db, "feeds_row", changed.select(*columns, **standing, withdrawn=pl.lit(None, pl.Int64)), ["id"])
    _past(db, of["past"].select("row", "content", "line"), delivery, now)
    if len(gone):
        db.execute("update feeds_row set withdrawn = %s where id = any(%s)", [delivery.id, gone.to_list()])


def _past(db: store.Db, rows: pl.DataFrame, delivery: Delivery, now: datetime) -> None:
    store.copy_in(
        db, "feeds_row_past",
        rows.select(pl.col("row").alias("row_"), "content", "line", delivery=pl.lit(delivery.id), since=pl.lit(now), until=pl.lit(now)),
    )  # fmt: skip
