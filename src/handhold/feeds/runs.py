"""The history of rows: what each said, from which delivery to which. Pure.

A *run* is a stretch of deliveries in which a row keeps saying the same. It ends where the row says something else, or
where a snapshot lacks it. Refused rows of a snapshot are there, and say nothing new.
"""

from typing import Any

import polars as pl

SAID: dict[str, Any] = {
    "row": pl.Int64, "feed": pl.String, "nth": pl.Int32, "turn": pl.Int32, "content": pl.Int64, "file": pl.Int64,
    "number": pl.Int64, "line": pl.Int32,
}  # fmt: skip
RUN: dict[str, Any] = {
    "row": pl.Int64, "feed": pl.String, "turn": pl.Int32, "until": pl.Int32, "replaced": pl.Boolean, "last": pl.Int32,
    "content": pl.Int64, "file": pl.Int64, "number": pl.Int64, "line": pl.Int32,
}  # fmt: skip


def runs(said: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """The runs of every row, in the shape of :data:`RUN`.

    ``said`` (:data:`SAID`): one row a delivery and row, ``content`` null where it was refused; ``turn`` counts the
    deliveries of the stream, ``nth`` those of the feed. ``turns``: ``feed, nth, turn, snapshot`` of every delivery.
    ``until`` is the turn at which the run ended, null where it stands; ``replaced``: because the row said something else;
    ``last``: the last turn at which the row was said to be so.
    """
    present = said.join(turns.select("feed", "nth", "snapshot"), on=["feed", "nth"], how="left")
    ordered = present.sort("row", "nth", pl.col("content").is_null()).unique(
        ["row", "nth"], keep="first", maintain_order=True
    )
    gap = (pl.col("snapshot") & (pl.col("nth") - pl.col("nth").shift().over("row") > 1)).fill_null(False)
    stays = ordered.with_columns(stay=gap.cast(pl.Int32).cum_sum().over("row"))
    begun = pl.col("content").is_not_null().cast(pl.Int8).cum_max().over("row", "stay") == 1
    held = stays.filter(begun).with_columns(
        says=pl.col("content").forward_fill().over("row", "stay"),
        final=pl.col("nth").max().over("row", "stay"),
    )
    starts = (pl.col("says") != pl.col("says").shift().over("row", "stay")).fill_null(True)
    numbered = held.with_columns(start=starts).with_columns(
        run=pl.col("start").cast(pl.Int32).cum_sum().over("row")
    )
    last = (
        numbered.filter(pl.col("content").is_not_null()).group_by("row", "run").agg(last=pl.col("turn").max())
    )
    begins = numbered.filter("start").join(last, on=["row", "run"], how="left", maintain_order="left")
    return _ended(begins, turns).select(pl.col(name).cast(kind) for name, kind in RUN.items())


def _ended(begins: pl.DataFrame, turns: pl.DataFrame) -> pl.DataFrame:
    """Where each run ends: at the next of its row, or at the first snapshot after its stay."""
    absent = turns.filter("snapshot").select("feed", gone="turn", final=pl.col("nth") - 1)
    following = begins.with_columns(next=pl.col("turn").shift(-1).over("row", "stay")).join(
        absent, on=["feed", "final"], how="left", maintain_order="left"
    )
    return following.with_columns(until=pl.coalesce("next", "gone"), replaced=pl.col("next").is_not_null())


def standing(found: pl.DataFrame) -> pl.DataFrame:
    """The last run of every row: what is known of it now; ``until`` says since which turn a snapshot lacks it."""
    return found.sort("row", "turn").unique("row", keep="last", maintain_order=True)


def differing(one: pl.DataFrame, other: pl.DataFrame, names: list[str]) -> pl.Series:
    """Rows whose runs are not the same in both, compared by these columns."""
    here = one.join(other, on=names, how="anti", nulls_equal=True)["row"]
    there = other.join(one, on=names, how="anti", nulls_equal=True)["row"]
    return pl.concat([here, there]).unique()
