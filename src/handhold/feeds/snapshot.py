"""What is new: rows compared with the last kept state by keyed hashes of row key and content.

A delivery that speaks of an earlier day than what is already known rolls nothing back: its rows are kept as the past.
"""

from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from handhold import store
from handhold.feeds.layout import Layout
from handhold.feeds.model import Delivery, Held, ids
from handhold.pack import Pack

FEW = 20_000  # rows of a delta that are looked up by id; for more, the feed's whole state is moved


@dataclass
class Change:
    """Rows of one delivery by what they are: ``news`` are to be understood, the rest is only counted."""

    news: pl.DataFrame
    loaded: int = 0
    unchanged: int = 0
    changed: pl.Series = field(default_factory=ids)
    withdrawn: pl.Series = field(default_factory=ids)
    returned: pl.Series = field(default_factory=ids)
    past: int = 0


def compare(
    db: store.Db,
    rows: pl.DataFrame,
    quarantined: pl.Series,
    delivery: Delivery,
    layout: Layout,
    *,
    now: datetime,
    pack: Pack,
) -> Change:
    """Compare and write down. ``rows`` has ``row``, ``content``, ``file``, ``number``, ``line`` and the cells;
    ``quarantined`` are ids of rows that are in the delivery but could not be used.

    Raises :class:`Held` when a snapshot lost more keys than the pack allows.
    """
    as_of = delivery.as_of or delivery.received.date()
    newest = _newest(db, layout)
    late = layout.snapshot and newest is not None and as_of < newest
    known = _known(db, rows, layout)
    last, earlier = _one_a_key(rows)
    kinds = _kinds(last, known, as_of, late=late)
    gone = ids() if late else _gone(known, kinds["row"], quarantined, layout, pack, delivery.released)
    of = {
        kind: kinds.filter(pl.col("kind") == kind)
        for kind in ("new", "changed", "returned", "past", "unchanged")
    }
    _write(db, of, gone, delivery, layout, as_of, now)
    _past(db, earlier.filter(~pl.col("same_later")), delivery, now)
    news = pl.concat([of["new"], of["changed"], of["returned"]]).select(rows.columns)
    unchanged = len(of["unchanged"]) + int(earlier["same_later"].sum())
    changed = pl.concat([of["changed"], of["returned"].filter(~pl.col("same"))])["row"].alias("id")
    return Change(
        news,
        len(rows) - unchanged,
        unchanged,
        changed,
        gone,
        of["returned"]["row"].alias("id"),
        len(of["past"]),
    )


def _newest(db: store.Db, layout: Layout) -> date | None:
    found = db.execute(
        "select max(as_of) from feeds_delivery where feed = %s and status = 'read'", [layout.feed]
    ).fetchone()
    return found[0] if found else None


def _known(db: store.Db, rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """The kept state: of the whole feed for a snapshot, of the rows at hand for a small delta."""
    query = (
        "select id as row, content as had, as_of as had_as_of, withdrawn from feeds_row where feed = %(feed)s"
    )
    if layout.snapshot or len(rows) > FEW:
        return store.frame(db, query, {"feed": layout.feed})
    return store.frame(
        db, query + " and id = any(%(ids)s)", {"feed": layout.feed, "ids": rows["row"].unique().to_list()}
    )


def _kinds(last: pl.DataFrame, known: pl.DataFrame, as_of: date, *, late: bool) -> pl.DataFrame:
    """Each row with its ``kind``: new, changed, unchanged, returned (was withdrawn), or past."""
    seen = last.join(known, on="row", how="left", maintain_order="left")
    older = (pl.lit(as_of) < pl.col("had_as_of")).fill_null(False) | pl.lit(late)
    same = (pl.col("had") == pl.col("content")).fill_null(False)
    standing = pl.col("withdrawn").is_null()
    return seen.with_columns(
        same=same,
        kind=pl.when(same & (standing | older)).then(pl.lit("unchanged"))
        .when(older).then(pl.lit("past"))
        .when(pl.col("had").is_null()).then(pl.lit("new"))
        .when(~standing).then(pl.lit("returned"))
        .otherwise(pl.lit("changed")),
    )  # fmt: skip


def _one_a_key(rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The last row of each key, and the ones before it (``same_later``: the last one says the same)."""
    if rows["row"].n_unique() == len(rows):
        return rows, rows.head(0).select("row", "content", "line", "file", "number", same_later=pl.lit(False))
    ordered = rows.sort("line")
    last = ordered.unique(subset="row", keep="last", maintain_order=True)
    final = last.select("row", final="content", final_line="line")
    earlier = ordered.join(final, on="row").filter(pl.col("line") != pl.col("final_line"))
    return last, earlier.select(
        "row", "content", "line", "file", "number", same_later=pl.col("content") == pl.col("final")
    )


def _gone(
    known: pl.DataFrame, seen: pl.Series, quarantined: pl.Series, layout: Layout, pack: Pack, released: bool
) -> pl.Series:
    """Keys of a snapshot that were there and are not any more; a row in quarantine is there."""
    if not layout.snapshot or not len(known):
        return ids()
    standing = known.filter(pl.col("withdrawn").is_null())
    here = pl.DataFrame({"row": pl.concat([seen.cast(pl.Int64), quarantined.cast(pl.Int64).alias("row")])})
    gone = standing.join(here, on="row", how="anti")["row"].alias("id")
    bounds = pack.toml("feeds/reading.toml")["held"]
    many = len(gone) >= bounds["vanished_least"] and len(gone) > bounds["vanished"] * len(standing)
    if (many or (len(standing) and not len(here))) and not released:
        share = 100 * len(gone) / len(standing)
        raise Held(
            f"{len(gone):,} of {len(standing):,} rows ({share:.1f} %) of the last snapshot are gone from this one; let a person look first"
        )
    return gone


def _write(
    db: store.Db,
    of: dict[str, pl.DataFrame],
    gone: pl.Series,
    delivery: Delivery,
    layout: Layout,
    as_of: date,
    now: datetime,
) -> None:
    standing = {
        "feed": pl.lit(layout.feed),
        "delivery": pl.lit(delivery.id),
        "as_of": pl.lit(as_of),
        "since": pl.lit(now),
        "mapping": pl.lit(delivery.mapping, pl.Int64),
    }
    columns: list[pl.Expr | str] = [pl.col("row").alias("id"), "content", "file", "number", "line"]
    store.copy_in(db, "feeds_row", of["new"].select(*columns, **standing))
    changed = pl.concat([of["changed"], of["returned"]])
    if len(changed):
        _keep_past(db, changed, now)
        store.upsert(
            db, "feeds_row", changed.select(*columns, **standing, withdrawn=pl.lit(None, pl.Int64)), ["id"]
        )
    _past(db, of["past"], delivery, now)
    if not layout.snapshot:
        _still_so(db, of["unchanged"].filter(pl.col("had_as_of") < as_of), as_of)
    if len(gone):
        db.execute("update feeds_row set withdrawn = %s where id = any(%s)", [delivery.id, gone.to_list()])


def _keep_past(db: store.Db, changed: pl.DataFrame, now: datetime) -> None:
    """What was believed until now, with the period in which it was."""
    db.execute("create temp table changed_row (id bigint) on commit drop")
    store.copy_in(db, "changed_row", changed.select(pl.col("row").alias("id")))
    db.execute(
        """insert into feeds_row_past (row_, content, delivery, line, file, number, since, until, mapping)
           select r.id, r.content, r.delivery, r.line, r.file, r.number, r.since, %s, r.mapping from feeds_row r join changed_row using (id)""",
        [now],
    )
    db.execute("drop table changed_row")


def _still_so(db: store.Db, unchanged: pl.DataFrame, as_of: date) -> None:
    """A delta that repeats a row says that it still holds; a delta of a day between must not roll it back."""
    if len(unchanged):
        db.execute("update feeds_row set as_of = %s where id = any(%s)", [as_of, unchanged["row"].to_list()])


def _past(db: store.Db, rows: pl.DataFrame, delivery: Delivery, now: datetime) -> None:
    """Rows that were never the newest word: written down as believed for no time at all."""
    store.copy_in(
        db, "feeds_row_past",
        rows.select(pl.col("row").alias("row_"), "content", "line", "file", "number", delivery=pl.lit(delivery.id), since=pl.lit(now),
                    until=pl.lit(now), mapping=pl.lit(delivery.mapping, pl.Int64)),
    )  # fmt: skip
