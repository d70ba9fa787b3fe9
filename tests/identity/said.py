"""Descriptions as feeds would give them, a row at a time, and a run over them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from handhold import identity, pack, store
from handhold.feeds.model import DESCRIPTION
from handhold.identity.candidates import SAID, profiles
from handhold.identity.model import codes, scale
from handhold.identity.partition import Found, partition

PACK = pack.load()
SCALE = scale(PACK)
NOW = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)
CODES = codes(PACK)
ANA = {
    "last": "DUARTE VASQUEZ",
    "first": "ANA LUCIA",
    "dob": "2008-03-31",
    "sex": "F",
    "country": "GUATEMALA",
}


def file_id(agency: str, key: str) -> int:
    """The id that feeds give a file."""
    return store.blind_one(f"{agency}\x1f{key}", "file")


def said(agency: str, key: str, *, row: str = "1", **more: Any) -> dict[str, Any]:
    """One description; ERO, OPLA and USCIS have the A-number as key."""
    number = {"number": key} if agency in ("ERO", "OPLA", "USCIS") else {}
    ids = {
        "file": file_id(agency, key),
        "row": store.blind_one(f"{agency}{key}{row}", "row"),
        "delivery": 1,
        "line": 1,
    }
    return dict.fromkeys(DESCRIPTION) | {"agency": agency, "file_key": key} | number | ids | more


def tell(db: store.Db, *rows: dict[str, Any], day: int = 0) -> identity.Identified:
    """Describe and identify, ``day`` days later."""
    now = NOW + timedelta(days=day)
    identity.describe(db, pl.DataFrame(list(rows), DESCRIPTION), now=now)
    return identity.identify(db, by="system", now=now, pack=PACK)


def together(db: store.Db) -> set[frozenset[int]]:
    """The partition: the files of each child."""
    rows = store.fetch(
        db, "select array_agg(id) as files from identity_file where child is not null group by child"
    )
    return {frozenset(row["files"]) for row in rows}


def found(*rows: dict[str, Any]) -> Found:
    """The partition of these descriptions without a database."""
    frame = pl.DataFrame(list(rows), DESCRIPTION)
    court = pl.when(pl.col("agency") == "EOIR").then("file_key").otherwise("court_case")
    people = profiles(frame.with_columns(court_case=court).select("file", *SAID), CODES)
    seen = {"child": pl.lit(None, pl.Int64), "fresh": pl.lit(True), "held": pl.lit(False)}
    files = frame.select("file", "agency", **seen).unique(subset="file", maintain_order=True)
    nothing = pl.DataFrame(schema={"a": pl.Int64, "b": pl.Int64, "judgement": pl.String})
    return partition(files, people, nothing, SCALE)


def groups(of: Found) -> set[frozenset[int]]:
    """The files of each child of a partition."""
    return {frozenset(files) for files in of.links.group_by("child").agg("file")["file"].to_list()}
