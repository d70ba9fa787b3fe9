"""Cells as values: moments with their precision, A-numbers, codes. Expressions over columns."""

from datetime import date
from zoneinfo import ZoneInfo

import polars as pl

from handhold.feeds.model import INSTANT

UNKNOWN_DAY = "1900-01-01"  # EOIR's and others' sentinel for "not known"
A_NUMBER = r"^[Aa]?[\s\-]*((?:\d[\s\-]*){8,9})$"
ISO = r"^(\d{4})-(\d{1,2})(?:-(\d{1,2})(?:[ T](\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?(?:Z|[+-]00:?00)?)?$"
US = r"^(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?:[ ,]+(\d{1,2}):(\d{2})(?::(\d{2}))?\s*([AaPp][Mm])?)?$"
MONTH = r"^(\d{1,2})/(\d{4})$"
SERIAL = r"^(\d{5})(\.\d+)?$"  # Excel's days since 1899-12-30
SERIAL_DAY_ZERO = date(1899, 12, 30)
BLANKS = {"month": 1, "day": 1, "hour": 0, "minute": 0, "second": 0}


def a_number(cell: pl.Expr) -> pl.Expr:
    """Nine digits from any of the spellings of ``feeds.md``; null where it is no A-number."""
    digits = cell.str.extract(A_NUMBER, 1).str.replace_all(r"\D", "")
    return pl.when(digits.str.len_chars() >= 8).then(digits.str.zfill(9))


def moments(
    cells: pl.Series, *, zone: str, births_before: date | None = None, first: int = 1900, last: int = 2100
) -> pl.DataFrame:
    """Read each text as a moment.

    Columns, in the order of ``cells``: ``at`` (UTC; the beginning of what is known, in ``zone``), ``precision`` (``y``,
    ``m``, ``d`` or ``t``), ``iso`` (the text at its own precision), ``why`` (what is wrong with it, else null).
    ``births_before``: two-digit years then mean the past of that day; otherwise 1930 to 2029.
    """
    # Dates repeat a lot, so each distinct text is read once.
    distinct = pl.DataFrame({"text": cells.unique().drop_nulls()})
    parts = distinct.with_columns(**_iso_parts(), **_us_parts(births_before))
    read = parts.with_columns(_from_all(parts)).with_columns(**_chosen()).pipe(_judged, zone, first, last)
    joined = pl.DataFrame({"text": cells}).join(read, on="text", how="left", maintain_order="left")
    return joined.select("at", "precision", "iso", "why")


def _iso_parts() -> dict[str, pl.Expr]:
    return {"isoed": pl.col("text").str.extract_groups(ISO)}


def _us_parts(births_before: date | None) -> dict[str, pl.Expr]:
    return {
        "us": pl.col("text").str.extract_groups(US),
        "month_only": pl.col("text").str.extract_groups(MONTH),
        "serial": pl.col("text").str.extract_groups(SERIAL),
        "year_only": pl.col("text").str.extract(r"^(\d{4})$", 1),
        "pivot": pl.lit(births_before.year if births_before else 2029),
        "span": pl.lit(100),
    }


def _number(group: str, index: str) -> pl.Expr:
    return pl.col(group).struct.field(index).cast(pl.Int32, strict=False)


def _from_all(_parts: pl.DataFrame) -> list[pl.Expr]:
    short_year = _number("us", "3")
    century = pl.col("pivot") - pl.col("pivot") % 100
    full = (
        pl.when(century + short_year <= pl.col("pivot"))
        .then(century + short_year)
        .otherwise(century - 100 + short_year)
    )
    us_year = pl.when(pl.col("us").struct.field("3").str.len_chars() == 2).then(full).otherwise(short_year)
    noon = pl.col("us").struct.field("7").str.to_uppercase()
    us_hour = (
        pl.when(noon == "PM")
        .then(_number("us", "4") % 12 + 12)
        .when(noon == "AM")
        .then(_number("us", "4") % 12)
        .otherwise(_number("us", "4"))
    )
    days = _number("serial", "1")
    counted = pl.lit(SERIAL_DAY_ZERO) + pl.duration(days=days)
    fraction = pl.col("serial").struct.field("2").cast(pl.Float64, strict=False)
    seconds = (fraction * 86_400).round().cast(pl.Int32)
    return [
        pl.coalesce(
            _number("isoed", "1"),
            us_year,
            _number("month_only", "2"),
            counted.dt.year(),
            pl.col("year_only").cast(pl.Int32),
        ).alias("year"),
        pl.coalesce(
            _number("isoed", "2"),
            _number("us", "1"),
            _number("month_only", "1"),
            counted.dt.month().cast(pl.Int32),
        ).alias("month"),
        pl.coalesce(_number("isoed", "3"), _number("us", "2"), counted.dt.day().cast(pl.Int32)).alias("day"),
        pl.coalesce(_number("isoed", "4"), us_hour, seconds // 3600).alias("hour"),
        pl.coalesce(_number("isoed", "5"), _number("us", "5"), seconds // 60 % 60).alias("minute"),
        pl.coalesce(_number("isoed", "6"), _number("us", "6"), seconds % 60).alias("second"),
    ]


def _chosen() -> dict[str, pl.Expr]:
    midnight = (
        (pl.col("hour").fill_null(0) == 0)
        & (pl.col("minute").fill_null(0) == 0)
        & (pl.col("second").fill_null(0) == 0)
    )
    precision = (
        pl.when(pl.col("month").is_null()).then(pl.lit("y")).when(pl.col("day").is_null()).then(pl.lit("m"))
        .when(midnight).then(pl.lit("d")).otherwise(pl.lit("t"))
    )  # fmt: skip
    two = {name: pl.col(name).fill_null(blank).cast(pl.String).str.zfill(2) for name, blank in BLANKS.items()}
    local = pl.format(
        "{}-{}-{} {}:{}:{}", pl.col("year").cast(pl.String).str.zfill(4), *two.values()
    ).str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False, time_unit="us")
    return {"precision": precision, "local": local}


def _judged(read: pl.DataFrame, zone: str, first: int, last: int) -> pl.DataFrame:
    local = pl.col("local")
    unknown = local.dt.strftime("%Y-%m-%d") == UNKNOWN_DAY
    why = (
        pl.when(pl.col("year").is_null() | local.is_null()).then(pl.lit("is not a date"))
        .when(~pl.col("year").is_between(first, last)).then(pl.lit("is an impossible date"))
    )  # fmt: skip
    known = why.is_null() & ~unknown
    width = {"y": 4, "m": 7, "d": 10, "t": 16}
    iso = local.dt.strftime("%Y-%m-%dT%H:%M")
    zoned = local.dt.replace_time_zone(str(ZoneInfo(zone)), ambiguous="earliest", non_existent="null")
    later = (local + pl.duration(hours=1)).dt.replace_time_zone(
        zone, ambiguous="earliest", non_existent="null"
    )
    return read.with_columns(
        at=pl.when(known).then(pl.coalesce(zoned, later).dt.convert_time_zone("UTC").cast(INSTANT)),
        precision=pl.when(known).then(pl.col("precision")),
        iso=pl.when(known).then(
            iso.str.slice(0, pl.col("precision").replace_strict(width, return_dtype=pl.Int32))
        ),
        why=why,
    )
