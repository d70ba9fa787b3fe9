"""Rows that were refused: kept whole and sealed, with the column and the reason."""

from datetime import datetime

import polars as pl

from handhold import store
from handhold.feeds.model import Delivery


def put(db: store.Db, problems: pl.DataFrame, delivery: Delivery, now: datetime) -> int:
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
        delivery=pl.lit(delivery.id), recorded=pl.lit(now),
    )  # fmt: skip
    return store.copy_in(db, "feeds_quarantine", sealed)


def listed(db: store.Db, *, limit: int = 200) -> list[dict[str, object]]:
    """Refused rows, newest delivery first: line, column and reason, without the value."""
    return store.fetch(
        db,
        """select q.delivery, d.feed, q.line, q.column_ as "column", q.why, q.recorded from feeds_quarantine q
           join feeds_delivery d on d.id = q.delivery order by q.recorded desc, q.delivery, q.line limit %s""",
        [limit],
    )


def refused_rows(db: store.Db, deliveries: list[int], *, limit: int = 100) -> list[dict[str, object]]:
    """The first refused rows of these deliveries: line, column and reason, without the value."""
    return store.fetch(
        db,
        """select delivery, line, column_ as "column", why from feeds_quarantine
           where delivery = any(%s) order by delivery, line, id limit %s""",
        [deliveries, limit],
    )
