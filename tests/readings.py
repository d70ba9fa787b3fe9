"""Readings as feeds would give them, a row at a time."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import polars as pl

MOMENT = pl.Datetime("us", "UTC")
SCHEMA: dict[str, Any] = {
    "file": pl.Int64, "row": pl.Int64, "slot": pl.String, "agency": pl.String, "kind": pl.String, "at": MOMENT,
    "precision": pl.String, "known": MOMENT, "detail": pl.String, "place": pl.Int64, "building": pl.Int64,
    "address_flags": pl.String, "location": pl.String, "sponsor": pl.String, "benefit": pl.String, "clinical": pl.String,
    "subject": pl.Int64, "delivery": pl.Int64, "line": pl.Int32,
}  # fmt: skip
NOON = datetime(2024, 1, 5, 17, 0, tzinfo=UTC)


@dataclass
class Reading:
    """What ``timeline.record`` takes of a reading."""

    reports: pl.DataFrame
    changed: pl.Series
    withdrawn: pl.Series = field(default_factory=lambda: ids())
    returned: pl.Series = field(default_factory=lambda: ids())
    first: bool = False


def ids(*values: int) -> pl.Series:
    return pl.Series("row", values, pl.Int64)


def report(
    row: int,
    kind: str,
    *,
    file: int = 1,
    slot: str = "a",
    at: datetime = NOON,
    agency: str = "ORR",
    **more: Any,
) -> dict[str, Any]:
    """One report; further names are columns, all others its detail."""
    columns = {name: more.pop(name) for name in list(more) if name in SCHEMA}
    given = {
        "file": file,
        "row": row,
        "slot": slot,
        "agency": agency,
        "kind": kind,
        "at": at,
        "known": at,
        "precision": "t",
    }
    return (
        dict.fromkeys(SCHEMA)
        | given
        | {"detail": json.dumps(more, sort_keys=True), "delivery": 9, "line": row}
        | columns
    )


def reading(
    *reports: dict[str, Any], withdrawn: pl.Series | None = None, returned: pl.Series | None = None
) -> Reading:
    """A reading of these reports, their rows changed."""
    frame = pl.DataFrame(list(reports), SCHEMA)
    return Reading(
        frame,
        frame["row"].unique(),
        ids() if withdrawn is None else withdrawn,
        ids() if returned is None else returned,
    )
