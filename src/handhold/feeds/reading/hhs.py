"""HHS's published list of releases (``feeds.md`` 8): counted, never linked. It states no event and describes nobody."""

from functools import lru_cache

import polars as pl
import zipcodes

from handhold import store
from handhold.feeds.model import DESCRIPTION, REPORT, empty
from handhold.feeds.reading.address import zip5
from handhold.feeds.reading.meaning import Meaning, Rows, iso, upper

FIRST_MONTH = 10  # the federal fiscal year begins in October


def releases(_rows: Rows) -> Meaning:
    """Nothing about any child."""
    return empty(REPORT), empty(DESCRIPTION)


def keep(db: store.Db, rows: pl.DataFrame) -> None:
    """Write down what the figures count: ``rows`` are those that are new or changed."""
    day = iso("Child's Date of Release").str.split("-")
    year, month = (day.list.get(n, null_on_oob=True).cast(pl.Int32, strict=False) for n in range(2))
    # A release of which only the year is known belongs to no fiscal year for certain.
    fiscal = year + (month >= FIRST_MONTH).cast(pl.Int32)
    found = rows.select(
        pl.col("row").alias("row_"), "delivery", "line", fiscal_year=fiscal, country=upper("Child's Country of Origin"),
        sex=upper("Child's Gender").str.slice(0, 1), zip=zip5(pl.col("Sponsor Zipcode")), category=pl.col("Sponsor Category"),
        relationship=upper("Relationship of Sponsor"),
    )  # fmt: skip
    placed = found.join(_states(), on="zip", how="left", maintain_order="left")
    store.upsert(db, "feeds_release", placed, ["row_", "delivery"])


@lru_cache(maxsize=1)
def _states() -> pl.DataFrame:
    known = {z["zip_code"]: z["state"] for z in zipcodes.list_all()}
    return pl.DataFrame({"zip": list(known), "state": list(known.values())})
