"""Rows that were refused: kept whole and sealed, with the column and the reason."""

from datetime import datetime
from typing import Any

import polars as pl

from handhold import store
from handhold.feeds.layout import Layout
from handhold.feeds.model import Delivery
from handhold.feeds.reading import table

UNIT = "\x1f"  # stands between the parts of a key (see store.sealed)


def keys(problems: pl.DataFrame, layout: Layout) -> pl.Series:
    """Ids of the rows in quarantine, as the reader gives them to good ones; null where no key can be read.

    A row of a feed that repeats is told by all its cells, and one in quarantine has not all of them.
    """
    if layout.repeats:
        return pl.Series("k", [None] * len(problems), pl.Int64)
    keyed = problems.select(pl.col("key").alias(layout.key))
    return store.blind(keyed.select(k=pl.lit(layout.feed + UNIT) + table.row_key(layout))["k"], "row")


def put(db: store.Db, problems: pl.DataFrame, delivery: Delivery, layout: Layout, now: datetime) -> int:
    """Quarantine one row a problem (``line, column, value, why, row``); returns how many."""
    keyed = problems.with_columns(
        id=store.stable_ids(
            "quarantine", pl.Series([delivery.id] * len(problems), dtype=pl.Int64), problems["line"]
        )
    )
    sealed = keyed.select(
        "id", "line", "why", pl.col("column").alias("column_"),
        value=store.seal_many("delivery", "feeds_quarantine.value", keyed["id"], keyed["value"]),
        row_=store.seal_many("delivery", "feeds_quarantine.row_", keyed["id"], keyed["row"]),
        key_=keys(keyed, layout), delivery=pl.lit(delivery.id), recorded=pl.lit(now),
    )  # fmt: skip
    return store.copy_in(db, "feeds_quarantine", sealed)


OPEN = "select distinct q.key_ as row from feeds_quarantine q join feeds_delivery d on d.id = q.delivery where d.feed = %s and q.released is null and q.key_ is not null and d.status = 'read' and d.id <> %s"
RELEASE = """
    update feeds_quarantine q set released = %(now)s, released_by = %(by)s from feeds_delivery d
    where d.id = q.delivery and d.feed = %(feed)s and d.status = 'read' and d.id <> %(by)s
      and q.released is null and q.key_ = any(%(keys)s)"""
AGAIN = """
    update feeds_quarantine q
    set released = case when r.by is null then null else coalesce(q.released, %(now)s) end, released_by = r.by
    from (select a.id, n.by from feeds_quarantine a left join released_now n on n.delivery = a.delivery and n.key = a.key_
          where a.delivery = any(%(of)s)) r
    where r.id = q.id and q.edit is null and q.released_by is distinct from r.by"""


def waiting(db: store.Db, delivery: Delivery) -> pl.Series:
    """The keys of rows of its feed that other deliveries have in quarantine."""
    return store.frame(db, OPEN, [delivery.feed, delivery.id])["row"]


def release(db: store.Db, waiting: pl.Series, rows: pl.Series, delivery: Delivery, now: datetime) -> None:
    """What was refused before (see :func:`waiting`) of rows that ``delivery`` has in good order leaves the quarantine."""
    keys_ = waiting.filter(waiting.is_in(rows.implode())).to_list()
    if keys_:
        db.execute(RELEASE, {"now": now, "by": delivery.id, "feed": delivery.feed, "keys": keys_})


def released_by(db: store.Db, found: pl.DataFrame, deliveries: list[int], *, now: datetime) -> None:
    """Write down what released the refused rows of these deliveries (``delivery, key, by``); all others wait (again)."""
    db.execute("create temp table released_now (delivery bigint, key bigint, by bigint) on commit drop")
    store.copy_in(db, "released_now", found)
    db.execute(AGAIN, {"now": now, "of": deliveries})
    db.execute("drop table released_now")


def listed(db: store.Db, *, delivery: int | None = None, limit: int = 200) -> list[dict[str, object]]:
    """Refused rows that wait, newest delivery first: line, column and reason, without the value."""
    return store.fetch(
        db,
        """select q.delivery, d.feed, q.line, q.column_ as "column", q.why, q.recorded from feeds_quarantine q
           join feeds_delivery d on d.id = q.delivery
           where q.released is null and d.status <> 'undone' and (%(delivery)s::bigint is null or q.delivery = %(delivery)s)
           order by q.recorded desc, q.delivery, q.line limit %(limit)s""",
        {"delivery": delivery, "limit": limit},
    )


def tally(db: store.Db, delivery: int) -> dict[str, int]:
    """How many refused rows of a delivery wait, were released by a corrected row, and by an edit in place."""
    return store.fetch(
        db,
        """select count(*) filter (where released is null) as waiting,
                  count(*) filter (where released is not null and edit is null) as by_row,
                  count(*) filter (where edit is not null) as by_edit
           from feeds_quarantine where delivery = %s""",
        [delivery],
    )[0]


def of_delivery(
    db: store.Db, delivery: int, *, released: bool, limit: int = 50, offset: int = 0
) -> list[dict[str, Any]]:
    """Refused rows of a delivery that wait, or that were released, with what released them; ``value`` still sealed."""
    return store.fetch(
        db,
        """select q.id, q.line, q.column_ as "column", q.value, q.why, q.released, q.released_by, e.by as edited_by
           from feeds_quarantine q left join feeds_edit e on e.id = q.edit
           where q.delivery = %(delivery)s and (q.released is not null) = %(released)s
           order by q.line, q.id limit %(limit)s offset %(offset)s""",
        {"delivery": delivery, "released": released, "limit": limit, "offset": offset},
    )


def refused_rows(db: store.Db, deliveries: list[int], *, limit: int = 100) -> list[dict[str, object]]:
    """The first refused rows of these deliveries: line, column and reason, without the value."""
    return store.fetch(
        db,
        """select delivery, line, column_ as "column", why from feeds_quarantine
           where delivery = any(%s) order by delivery, line, id limit %s""",
        [deliveries, limit],
    )
