"""Addresses as they stand: normalised, hashed to places, and what is wrong with them on their face.

Quality is judged later, from these flags and from history; here nothing is decided and no address leaves in the clear
except to be sealed.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl
import zipcodes

from handhold import store
from handhold.pack import Pack

NO_ZIP = "00000"


@dataclass(frozen=True)
class Columns:
    """Where a feed keeps the parts of an address."""

    line: str
    unit: str
    city: str
    state: str
    zip: str


@lru_cache(maxsize=1)
def _real_zips() -> pl.Series:
    return pl.Series("zip", sorted({z["zip_code"] for z in zipcodes.list_all()}))


def zip5(cell: pl.Expr) -> pl.Expr:
    """Five digits: without EOIR's backtick and the +4, with the zeros that a spreadsheet lost."""
    digits = cell.str.strip_chars("` ").str.replace(r"\.0$", "").str.extract(r"^(\d{3,5})(?:-?\d{4})?$", 1)
    return digits.str.zfill(5)


def _tidy(cell: pl.Expr) -> pl.Expr:
    return (
        cell.fill_null("")
        .str.to_uppercase()
        .str.replace_all(r"[.,]", " ")
        .str.replace_all(r"\s+", " ")
        .str.strip_chars()
    )


def read(rows: pl.DataFrame, where: Columns, pack: Pack) -> pl.DataFrame:
    """Columns ``place``, ``building`` (blind ids), ``address_flags`` (comma-joined codes, null without any address) and
    ``location`` (JSON to be sealed), in the order of ``rows``."""
    words = pack.toml("feeds/reading.toml")["address"]
    parts = rows.select(
        line1=_tidy(pl.col(where.line)), unit=_tidy(pl.col(where.unit)), city=_tidy(pl.col(where.city)), state=_tidy(pl.col(where.state)),
        zip=pl.col(where.zip), zip5=zip5(pl.col(where.zip)),
    )  # fmt: skip
    judged = parts.unique().with_columns(_flags(words)).with_columns(street=_street(words), room=_room(words))
    keyed = judged.with_columns(
        _building(), _location(), address_flags=pl.when(_somewhere()).then(pl.col("address_flags"))
    )
    hashed = keyed.with_columns(
        building=store.blind(keyed["whole"], "building"),
        place=store.blind(keyed.select(pl.format("{}|{}", "whole", "room"))["whole"], "place"),
    )
    known = hashed.select(*parts.columns, "place", "building", "address_flags", "location")
    return parts.join(known, on=parts.columns, how="left", maintain_order="left", nulls_equal=True).drop(
        parts.columns
    )


def _somewhere() -> pl.Expr:
    return (pl.col("line1") != "") | (pl.col("city") != "") | pl.col("zip5").is_not_null()


def _building() -> pl.Expr:
    whole = pl.format("{}|{}", "street", pl.col("zip5").fill_null(""))
    return pl.when(pl.col("line1") != "").then(whole).alias("whole")


def _location() -> pl.Expr:
    said = pl.struct("line1", "unit", "city", "state", zip=pl.coalesce("zip5", "zip")).struct.json_encode()
    return pl.when(_somewhere()).then(said).alias("location")


def _unit_words(words: dict[str, Any]) -> str:
    return "(?:" + "|".join(words["unit_words"]) + ")"


ROOM = r"(?:[A-Z]?-?\d[A-Z0-9\-]*|[A-Z])"  # 3, 12B, B-2, C: a unit is no word


def _written(words: dict[str, Any]) -> str:
    """A unit written at the end of the line: ``APT 3``, ``#3``, ``APT3``."""
    return rf" (?:{_unit_words(words)}\s*#?\s*|#\s*)({ROOM})$"


def _room(words: dict[str, Any]) -> pl.Expr:
    """The unit without its designator, from its own column or from the end of the line."""
    own = pl.col("unit").str.replace(rf"^(?:{_unit_words(words)}\s*#?|#)\s*({ROOM})$", "$1")
    written = pl.col("line1").str.extract(_written(words), 1).fill_null("")
    return pl.when(own != "").then(own).otherwise(written)


def _street(words: dict[str, Any]) -> pl.Expr:
    """The line without its unit, in the short spelling of streets."""
    street = pl.col("line1").str.replace(_written(words), "").str.replace(rf" {_unit_words(words)}$", "")
    for long, short in words["street_words"].items():
        street = street.str.replace_all(rf"\b{long}\b", short)
    return street


def _flags(words: dict[str, Any]) -> pl.Expr:
    line = pl.col("line1")
    no_unit = line.str.contains(rf" (?:{_unit_words(words)}|#)$") & (pl.col("unit") == "")
    box = line.str.contains(r"^(?:P\s?O|POST OFFICE) BOX\b")
    somewhere_else = line.is_in(words["unknown"]) | line.is_in(words["general_delivery"]) | box
    wrong = {
        "blank": line == "",
        "unknown": line.is_in(words["unknown"]),
        "general-delivery": line.is_in(words["general_delivery"]),
        "po-box": box,
        "institution": line.str.contains("|".join(words["institution_words"])),
        "no-number": (line != "") & ~line.str.contains(r"^[NSEW]?\d") & ~somewhere_else,
        "no-unit": no_unit,
        "bad-zip": pl.col("zip5").is_null()
        | (pl.col("zip5") == NO_ZIP)
        | ~pl.col("zip5").is_in(_real_zips().implode()),
    }
    said = [pl.when(sign).then(pl.lit(flag)) for flag, sign in wrong.items()]
    return pl.concat_str(said, separator=",", ignore_nulls=True).alias("address_flags")
