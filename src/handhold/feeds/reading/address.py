"""Addresses as they stand: normalised, hashed to places, and what is wrong with them on their face.

Quality is judged later, from these flags and from history; here nothing is decided and no address leaves in the clear
except to be sealed.
"""

from dataclasses import dataclass
from functools import lru_cache

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
    return cell.fill_null("").str.to_uppercase().str.replace_all(r"[.,]", " ").str.replace_all(r"\s+", " ").str.strip_chars()


def read(rows: pl.DataFrame, where: Columns, pack: Pack) -> pl.DataFrame:
    """Columns ``place``, ``building`` (blind ids), ``address_flags`` (comma-joined codes, null without any address) and
    ``location`` (JSON to be sealed), in the order of ``rows``."""
    parts = rows.select(line=_tidy(pl.col(where.line)), unit=_tidy(pl.col(where.unit)), city=_tidy(pl.col(where.city)),
                        state=_tidy(pl.col(where.state)), zip=pl.col(where.zip), zip5=zip5(pl.col(where.zip)))  # fmt: skip
    distinct = parts.unique()
    words = pack.toml("feeds/reading.toml")["address"]
    judged = distinct.with_columns(_flags(words), _unit(words).alias("room"))
    somewhere = (pl.col("line") != "") | (pl.col("city") != "") | pl.col("zip5").is_not_null()
    judged = judged.with_columns(
        address_flags=pl.when(somewhere).then(pl.col("address_flags")),
        location=pl.when(somewhere).then(pl.struct("line", "unit", "city", "state", "zip").struct.json_encode()),
        building_text=pl.when(pl.col("line") != "").then(pl.format("{}|{}", _street(words), pl.col("zip5").fill_null(""))),
    ).with_columns(place_text=pl.format("{}|{}", pl.col("building_text"), pl.col("room")))
    hashed = judged.with_columns(
        place=store.blind(judged["place_text"], "place"), building=store.blind(judged["building_text"], "building")
    ).drop("place_text", "building_text", "room")
    keys = ["line", "unit", "city", "state", "zip", "zip5"]
    return parts.join(hashed, on=keys, how="left", maintain_order="left", nulls_equal=True).select("place", "building", "address_flags", "location")


def _unit_pattern(words: dict[str, list[str]]) -> str:
    return "(?:" + "|".join(w.replace("#", r"\#") for w in words["unit_words"]) + ")"


def _unit(words: dict[str, list[str]]) -> pl.Expr:
    """The unit without its designator, from its own column or from the end of the line."""
    word = _unit_pattern(words)
    own = pl.col("unit").str.replace(rf"^{word}\s*", "")
    written = pl.col("line").str.extract(rf" {word}\s*([A-Z0-9\-]+)$", 1).fill_null("")
    return pl.when(own != "").then(own).otherwise(written)


def _street(words: dict[str, list[str]]) -> pl.Expr:
    return pl.col("line").str.replace(rf" {_unit_pattern(words)}\s*[A-Z0-9\-]*$", "")


def _flags(words: dict[str, list[str]]) -> pl.Expr:
    line = pl.col("line")
    no_unit = line.str.contains(rf" {_unit_pattern(words)}$") & (pl.col("unit") == "")
    somewhere_else = line.is_in(words["unknown"]) | line.is_in(words["general_delivery"]) | line.str.contains(r"^P\s?O BOX")
    wrong = {
        "blank": line == "",
        "unknown": line.is_in(words["unknown"]),
        "general-delivery": line.is_in(words["general_delivery"]),
        "po-box": line.str.contains(r"^P\s?O BOX"),
        "institution": line.str.contains("|".join(words["institution_words"])),
        "no-number": (line != "") & ~line.str.contains(r"^\d") & ~somewhere_else,
        "no-unit": no_unit,
        "bad-zip": pl.col("zip5").is_null() | (pl.col("zip5") == NO_ZIP) | ~pl.col("zip5").is_in(_real_zips().implode()),
    }
    said = [pl.when(sign).then(pl.lit(flag)) for flag, sign in wrong.items()]
    return pl.concat_str(said, separator=",", ignore_nulls=True).alias("address_flags")
