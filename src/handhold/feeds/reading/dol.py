"""What the rows of DOL's Wage and Hour Division mean (``feeds.md`` 6): what became of a referral, and nothing of a person."""

import polars as pl

from handhold.feeds.model import DESCRIPTION, empty
from handhold.feeds.reading.meaning import Meaning, Rows, upper

# Beside a row's own cells: the referral number that a concern was given, and when; and ORR's file that a referral is about.
REFERRAL, ISSUED, FILE = "␟referral", "␟issued", "␟referred file"
HANDHOLD = "HANDHOLD"


def referred(rows: Rows) -> pl.DataFrame:
    """That a concern was referred: Handhold's own act, at the moment at which it gave the number out."""
    if REFERRAL not in rows.frame.columns:
        return rows.where(pl.lit(False)).report(
            "labour-referred", moment=pl.col("as_of"), precision=pl.lit("t")
        )
    given = rows.where(pl.col(REFERRAL).is_not_null())
    said = given.report(
        "labour-referred", moment=pl.col(ISSUED), precision=pl.lit("t"), detail={"referral": pl.col(REFERRAL)}
    )
    return said.with_columns(agency=pl.lit(HANDHOLD), known=pl.col("at"))


def actions(rows: Rows) -> Meaning:
    """What the investigators did. It belongs to the file that the referral is about; it describes nobody."""
    about = rows.with_(file=pl.col(FILE))
    detail = {"action": upper("Action"), "referral": upper("Referral")}
    note = {"clinical": {"note": pl.col("Note")}}
    return about.report("labour-action", "Action On", detail=detail, sealed=note), empty(DESCRIPTION)
