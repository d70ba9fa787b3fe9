"""Do two descriptions speak of one person? Levels for and against, named; pure.

A first cut: named levels and rules over them. The trained model (``linkage.md`` 4) takes this module's place behind the
same shape: a frame of pairs in, a verdict with its levels out.
"""

import polars as pl
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cpdist

ALIKE_SURNAME, ALIKE_GIVEN = 0.90, 0.88  # Jaro-Winkler on folded words; below this clerks' errors and other names mix

LEVELS = ("given", "surname", "dob", "sex")


def levels(pairs: pl.DataFrame) -> pl.DataFrame:
    """Add a level per trait: ``same``, ``alike``, ``different`` or ``unknown``.

    ``pairs`` has for each side (suffix ``_a``, ``_b``): ``last``, ``first`` (folded text), ``dob`` (ISO, own precision),
    ``sex``. ``dob`` may also be ``swapped`` (day and month), ``near`` (one part off).
    """
    return pairs.with_columns(
        given=_names(pairs, "first", ALIKE_GIVEN), surname=_names(pairs, "last", ALIKE_SURNAME), dob=_dob(), sex=_sex()
    )


def _names(pairs: pl.DataFrame, column: str, alike: float) -> pl.Series:
    a, b = pairs[f"{column}_a"].fill_null(""), pairs[f"{column}_b"].fill_null("")
    close = pl.Series(cpdist(a.to_list(), b.to_list(), scorer=JaroWinkler.normalized_similarity) if len(a) else [], dtype=pl.Float32)
    words = pl.DataFrame({"a": a.str.split(" "), "b": b.str.split(" "), "ja": a.str.replace_all(" ", ""), "jb": b.str.replace_all(" ", "")})
    first = pl.Series(
        cpdist(words["a"].list.first().fill_null("").to_list(), words["b"].list.first().fill_null("").to_list(), scorer=JaroWinkler.normalized_similarity)
        if len(a) else [], dtype=pl.Float32,
    )  # fmt: skip
    shared = words["a"].list.set_intersection(words["b"]).list.len() > 0
    level = (
        pl.when((a == "") | (b == "")).then(pl.lit("unknown"))
        .when((words["a"].list.sort() == words["b"].list.sort()) | (words["ja"] == words["jb"])).then(pl.lit("same"))
        .when(shared | (close >= alike) | (first >= alike)).then(pl.lit("alike"))
        .otherwise(pl.lit("different"))
    )  # fmt: skip
    return pairs.select(level.alias(column)).to_series()


def _dob() -> pl.Expr:
    """1 January is what is written for an estimate, so it says little."""
    a, b = pl.col("dob_a"), pl.col("dob_b")
    part = lambda side, at, n: side.str.slice(at, n)  # noqa: E731
    year, month, day = ((part(a, at, n), part(b, at, n)) for at, n in ((0, 4), (5, 2), (8, 2)))
    whole = (a.str.len_chars() == 10) & (b.str.len_chars() == 10)
    shorter = pl.min_horizontal(a.str.len_chars(), b.str.len_chars())
    swapped = whole & (year[0] == year[1]) & (month[0] == day[1]) & (day[0] == month[1])
    off = sum(((x != y).cast(pl.Int8) for x, y in (year, month, day)), pl.lit(0, pl.Int8))
    years = (year[0].cast(pl.Int32) - year[1].cast(pl.Int32)).abs()
    estimated = a.str.ends_with("-01-01") | b.str.ends_with("-01-01")
    return (
        pl.when(a.is_null() | b.is_null()).then(pl.lit("unknown"))
        .when(whole & (a == b)).then(pl.when(estimated).then(pl.lit("near")).otherwise(pl.lit("same")))
        .when(~whole & (a.str.slice(0, shorter) == b.str.slice(0, shorter))).then(pl.lit("near"))
        .when(swapped).then(pl.lit("swapped"))
        .when(whole & (off == 1) & (years <= 1)).then(pl.lit("near"))
        .when(estimated & (years <= 2)).then(pl.lit("near"))
        .otherwise(pl.lit("different"))
    )  # fmt: skip


def _sex() -> pl.Expr:
    told = ["M", "F"]
    known = pl.col("sex_a").is_in(told) & pl.col("sex_b").is_in(told)
    return (
        pl.when(known & (pl.col("sex_a") == pl.col("sex_b"))).then(pl.lit("same"))
        .when(known).then(pl.lit("different")).otherwise(pl.lit("unknown"))
    )  # fmt: skip


def verdict(by: str) -> pl.Expr:
    """``same``, ``unclear`` or ``different`` for a pair that met by ``by`` (the column naming the key).

    A shared number is trusted unless the given name speaks against it (a brother's number keyed in) or neither surname
    nor date of birth speaks for it. Without a number everything has to agree.
    """
    dob_for = pl.col("dob").is_in(["same", "swapped", "near"])
    given_for, surname_for = (pl.col(c).is_in(["same", "alike"]) for c in ("given", "surname"))
    nothing = (pl.col("given") == "unknown") & (pl.col("surname") == "unknown") & (pl.col("dob") == "unknown")
    against = (
        (pl.col("given") == "different").cast(pl.Int8) + (pl.col("surname") == "different").cast(pl.Int8)
        + (pl.col("dob") == "different").cast(pl.Int8)
    )  # fmt: skip
    numbered = (
        pl.when(nothing).then(pl.lit("unclear"))
        .when(given_for & (surname_for | dob_for) & ~((pl.col("dob") == "different") & (pl.col("given") != "same"))).then(pl.lit("same"))
        .when((pl.col("given") == "unknown") & dob_for & surname_for).then(pl.lit("same"))
        .when(against >= 2).then(pl.lit("different")).otherwise(pl.lit("unclear"))
    )  # fmt: skip
    described = (
        pl.when(given_for & surname_for & (pl.col("dob") == "same") & (pl.col("sex") != "different")).then(pl.lit("same"))
        .when((against >= 1) | (pl.col("sex") == "different")).then(pl.lit("different")).otherwise(pl.lit("unclear"))
    )  # fmt: skip
    return pl.when(pl.col(by).is_in(["number", "court-case"])).then(numbered).otherwise(described)
