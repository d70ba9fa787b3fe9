"""How long recording and accounting take: ``python bench/account.py [CHILDREN]`` (default 100,000; 20 events a child).

Made events of the kinds and proportions of a real child's: custody, release, three contacts, papers, five hearings with
their notices. Works in a home of its own under the system's temporary folder, gone afterwards.
"""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import polars as pl
from _home import home

from handhold import account, pack, store, timeline

NOW = datetime(2024, 5, 31, 16, 0, tzinfo=UTC)
DAY = 86_400_000_000
MOMENT = pl.Datetime("us", "UTC")

# (slot, kind, agency, row of the file it stands in, days after apprehension, detail, has a place)
STORY = (
    ("a", "apprehended", "ERO", 0, 0, {}, False),
    ("b", "determined", "ERO", 0, 0.3, {}, False),
    ("c", "transferred", "ERO", 0, 2, {"aor": "SNA"}, False),
    ("d", "admitted", "ORR", 1, 2.3, {"program": "P", "level": "SHELTER"}, False),
    ("e", "discharged", "ORR", 2, 30, {"type": "REUNIFIED", "category": "1"}, True),
    ("f", "told-dhs", "ORR", 2, 30, {}, False),
    (
        "g",
        "contact-attempted",
        "ORR",
        3,
        40,
        {"outcome": "REACHED", "with_sponsor": "Y", "address_confirmed": "Y"},
        False,
    ),
    ("g", "contact-attempted", "ORR", 4, 50, {"outcome": "NO ANSWER"}, False),
    ("g", "contact-attempted", "ORR", 5, 70, {"outcome": "REACHED", "with_sponsor": "Y"}, True),
    ("h", "charging-document-issued", "ERO", 0, 40, {}, False),
    ("i", "charging-document-served", "ERO", 0, 45, {"on": "CHILD"}, False),
    ("j", "proceeding-opened", "EOIR", 6, 60, {"case_type": "RMV"}, False),
    ("k", "charging-document-filed", "EOIR", 6, 60, {"basis": "court"}, False),
    ("l", "hearing-held", "EOIR", 7, 150, {"reason": "17", "cal": "M"}, False),
    ("m", "notice-mailed", "EOIR", 8, 100, {"code": "6U"}, True),
    ("l", "hearing-held", "EOIR", 9, 250, {"reason": "11", "cal": "M"}, False),
    ("n", "missed-hearing", "EOIR", 9, 250, {"pattern": "reset", "reason": "11"}, False),
    ("m", "notice-mailed", "EOIR", 10, 200, {"code": "6U"}, True),
    ("l", "hearing-scheduled", "EOIR", 11, 2500, {"cal": "I"}, False),
    ("o", "court-file", "OPLA", 12, 300, {"disposition": "OPEN", "fta": "N"}, False),
)


@dataclass
class Reading:
    """What ``timeline.record`` takes."""

    reports: pl.DataFrame
    changed: pl.Series
    withdrawn: pl.Series
    returned: pl.Series


def made(children: int) -> Reading:
    """A reading of the story for that many children."""
    chance = np.random.default_rng(1)
    begin = chance.integers(1_560_000_000, 1_690_000_000, children) * 1_000_000
    who = np.arange(children, dtype=np.int64)
    reports = pl.concat([_one(part, who, begin) for part in STORY])
    none = pl.Series("row", [], pl.Int64)
    return Reading(reports, reports["row"].unique(), none, none)


def _one(
    part: tuple[str, str, str, int, float, dict[str, str], bool], who: np.ndarray, begin: np.ndarray
) -> pl.DataFrame:
    slot, kind, agency, row, days, detail, placed = part
    at = pl.Series(begin + int(days * DAY)).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    address = pl.lit('{"line1":"12 ELM ST","zip":"77081"}') if placed else pl.lit(None, pl.String)
    file = {"ERO": 0, "ORR": 1, "EOIR": 2, "OPLA": 3}[agency]
    return pl.DataFrame({"file": who * 4 + file, "row": who * 20 + row, "at": at, "known": at}).with_columns(
        pl.lit(slot).alias("slot"), pl.lit(agency).alias("agency"), pl.lit(kind).alias("kind"), pl.lit("t").alias("precision"),
        pl.lit(json.dumps(detail, sort_keys=True)).alias("detail"), address.alias("location"),
        (pl.lit(who + days) if placed else pl.lit(None)).cast(pl.Int64).alias("place"), pl.lit(None, pl.Int64).alias("building"),
        pl.lit("" if placed else None, pl.String).alias("address_flags"), pl.lit(None, pl.String).alias("sponsor"),
        pl.lit(None, pl.String).alias("benefit"), pl.lit(None, pl.String).alias("clinical"),
        (pl.lit(who * 20 + row - 1) if kind == "notice-mailed" else pl.lit(None)).cast(pl.Int64).alias("subject"),
        pl.lit(1, pl.Int64).alias("delivery"), pl.lit(1, pl.Int32).alias("line"),
    )  # fmt: skip


@contextmanager
def timed(what: str, count: int) -> Iterator[None]:
    """Say how long it took."""
    begun = time.monotonic()
    yield
    took = time.monotonic() - begun
    print(f"{what:<28} {took:7.1f} s  {count / took:12,.0f} a second", flush=True)


def main(children: int) -> None:
    """Record, account, account again, account for one child."""
    reading, rules = made(children), pack.load()
    events = len(reading.reports)
    with home():
        with store.transaction() as db:
            files = reading.reports.select(pl.col("file").unique()).select(
                pl.col("file").alias("id"), child=pl.col("file") // 4
            )
            store.copy_in(db, "identity_file", files.with_columns(agency=pl.lit("ORR"), key_=pl.lit(b"")))
        with timed("record", events), store.transaction() as db:
            timeline.record(db, reading, now=NOW)
        with timed("record again", events), store.transaction() as db:
            timeline.record(db, reading, now=NOW)
        with store.transaction() as db:
            db.execute("analyze timeline_event")
            account.touch(db, pl.Series(range(children)))
        with timed("account", events):
            account.update(store.transaction, now=NOW, pack=rules)
        with store.transaction() as db:
            account.touch(db, pl.Series(range(children)))
        with timed("account again", events):
            account.update(store.transaction, now=NOW, pack=rules)
        with store.transaction() as db:
            account.touch(db, pl.Series([7]))
        with timed("account, one child", 1):
            account.update(store.transaction, now=NOW, pack=rules)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
