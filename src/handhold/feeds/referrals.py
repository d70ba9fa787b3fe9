"""Referrals of labour concerns: a number that names nobody is given out, and what comes back under it finds ORR's file.

The Department of Labor never learns whose file it is (``domain.md`` 2.4 L3): it gets the number, and sends the number back.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store
from handhold.feeds.reading import table
from handhold.feeds.reading.dol import FILE, ISSUED, REFERRAL
from handhold.pack import Pack

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: none that are mistaken for one another
LENGTH = 10
ISSUE = """
    insert into feeds_referral (number, row_, file, issued, delivery)
    values (%(number)s, %(row)s, %(file)s, %(now)s, %(delivery)s) on conflict (row_) do nothing"""
KNOWN = 'select number as "key", file from feeds_referral where number = any(%(numbers)s)'
OF_ROWS = "select row_, number, issued from feeds_referral where row_ = any(%(rows)s)"
UNKNOWN = "Referral: Handhold has given out no such number, so nothing says what this answers; send the row with the right one"


def issue(db: store.Db, concerns: pl.DataFrame, pack: Pack, now: datetime) -> pl.DataFrame:
    """Give a number to every concern that is to be referred and has none; the rows with their numbers and when they were given.

    The number of a concern is always the same, so the same row again refers nothing twice.
    """
    categories = pack.toml("feeds/dol.toml")["referral"]["categories"]
    due = pl.col("Category").str.to_uppercase().is_in(categories) & pl.col("Employer").is_not_null()
    referred = concerns.filter(due.fill_null(False))
    numbers = [_number(n) for n in store.stable_ids("referral", referred["row"].cast(pl.String))]
    for number, row in zip(
        numbers, referred.select("row", "file", "delivery").iter_rows(named=True), strict=True
    ):
        db.execute(ISSUE, row | {"number": number, "now": now})
    given = store.frame(db, OF_ROWS, {"rows": referred["row"].to_list()})
    named = given.select(
        pl.col("row_").alias("row"), pl.col("number").alias(REFERRAL), pl.col("issued").alias(ISSUED)
    )
    return concerns.join(named, on="row", how="left", maintain_order="left")


def _number(id_: int) -> str:
    """``R-`` and ten letters, from an id that says nothing."""
    return "R-" + "".join(LETTERS[(id_ >> 5 * n) % len(LETTERS)] for n in range(LENGTH))


def met(db: store.Db, checked: table.Checked, layout: Any) -> table.Checked:
    """Actions with the file that their referral is about; those whose referral nobody gave out are problems."""
    key = pl.col("Referral").str.to_uppercase().str.strip_chars()
    rows = checked.rows.with_columns(key=key)
    known = store.frame(db, KNOWN, {"numbers": rows["key"].unique().to_list()})
    found = rows.join(
        known.select("key", pl.col("file").alias(FILE)), on="key", how="left", maintain_order="left"
    ).drop("key")
    strange = found.filter(pl.col(FILE).is_null()).select(
        "line",
        column=pl.lit("Referral"),
        value=pl.col("Referral"),
        why=pl.lit(UNKNOWN),
        row=table.whole_row(layout),
        key=pl.col(layout.key),
    )
    problems = pl.concat([checked.problems, strange.cast(table.PROBLEM)])  # type: ignore[arg-type]
    return replace(checked, rows=found.filter(pl.col(FILE).is_not_null()), problems=problems)
