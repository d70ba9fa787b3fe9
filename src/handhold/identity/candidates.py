"""Which files are worth comparing: the keys by which files of one child meet. Pure.

Numbers come first and settle most files. Descriptions are only followed for files whose child is still incomplete, so the
number of pairs grows with what is unsettled and not with the nation.
"""

import polars as pl

from handhold.identity.names import folded, sound, tokens

NUMBERS = ("number", "court-case")
WHOLE_DATE = 10
CROWD = 300  # files behind one key: more are a key that says nothing (a shelter's placeholder name)
BETWEEN = "\x1f"

SAID = {
    "number": pl.String, "court_case": pl.String, "last": pl.String, "first": pl.String, "middle": pl.String, "dob": pl.String,
    "sex": pl.String, "country": pl.String, "language": pl.String, "place": pl.Int64, "entry": pl.String, "release": pl.String,
}  # fmt: skip


def profiles(said: pl.DataFrame, countries: dict[str, str]) -> pl.DataFrame:
    """Descriptions as they are compared: ``file`` and the columns of ``compare.PROFILE``, one row a distinct description.

    ``said`` has ``file`` and the columns of :data:`SAID`; ``countries`` the names for two-letter codes. A description
    without a number takes the file's own, because it is the file that has it.
    """
    given = folded(pl.concat_str("first", "middle", separator=" ", ignore_nulls=True))
    sex, country = pl.col("sex").str.to_uppercase(), pl.col("country").str.to_uppercase()
    named = country.replace_strict(
        countries, default=pl.when(country.str.len_chars() > 2).then(country), return_dtype=pl.String
    )
    plain = said.select(
        "file", number=pl.col("number").fill_null(pl.col("number").drop_nulls().first().over("file")),
        court=pl.col("court_case").fill_null(pl.col("court_case").drop_nulls().first().over("file")),
        last=folded(pl.col("last")), first=given, dob="dob", sex=pl.when(sex.is_in(["M", "F"])).then(sex), country=named,
    )  # fmt: skip
    heard = plain.unique(maintain_order=True).with_columns(
        last_sound=sound(pl.col("last")), first_sound=sound(pl.col("first"))
    )
    speaks = pl.any_horizontal(pl.col("last", "first", "dob").is_not_null())
    return heard.filter(speaks | ~speaks.any().over("file"))


def keys(people: pl.DataFrame) -> pl.DataFrame:
    """``file, kind, text`` for each key of each profile; equal kind and text is where files meet.

    ``name`` is the whole name in any order with the whole date of birth; ``surname`` and ``given`` one word with it;
    ``year`` and ``day`` the name with one half of the date, for dates that were mistyped.
    """
    surnames, first = tokens(pl.col("last_sound")), tokens(pl.col("first_sound")).list.first()
    name = pl.concat_str(surnames.list.sort().list.join(" "), first, separator=BETWEEN)
    whole = pl.concat_str(
        tokens(pl.concat_str("last", "first", separator=" ")).list.sort().list.join(" "),
        "dob",
        separator=BETWEEN,
    )
    dated = people.filter(pl.col("dob").str.len_chars() == WHOLE_DATE)
    telling = dated.filter(~pl.col("dob").str.ends_with("-01-01"))
    parts = [
        people.select("file", kind=pl.lit("number"), text=pl.col("number")),
        people.select("file", kind=pl.lit("court-case"), text=pl.col("court")),
        dated.select("file", kind=pl.lit("name"), text=whole),
        telling.select("file", word=surnames, dob="dob")
        .explode("word")
        .select("file", kind=pl.lit("surname"), text=_with_date("word")),
        telling.select("file", word=first, dob="dob").select(
            "file", kind=pl.lit("given"), text=_with_date("word")
        ),
        telling.select(
            "file",
            kind=pl.lit("year"),
            text=pl.concat_str(name, pl.col("dob").str.slice(0, 4), separator=BETWEEN),
        ),
        telling.select(
            "file",
            kind=pl.lit("day"),
            text=pl.concat_str(name, pl.col("dob").str.slice(5), separator=BETWEEN),
        ),
    ]
    return pl.concat(parts).drop_nulls().unique(maintain_order=True)


def _with_date(word: str) -> pl.Expr:
    return pl.concat_str(word, "dob", separator=BETWEEN)


def by_number(met: pl.DataFrame, fresh: pl.Series) -> pl.DataFrame:
    """Pairs ``a < b`` of files that share a number or a court case, one of them fresh at least."""
    shared = met.filter(pl.col("kind").is_in(NUMBERS)).select(
        "file", key=pl.col("kind") + BETWEEN + pl.col("text")
    )
    return _pairs(shared, shared, fresh)


def by_description(met: pl.DataFrame, fresh: pl.Series, unsettled: pl.Series) -> pl.DataFrame:
    """Pairs ``a < b`` of files that share a description key, one unsettled at least; the same whole name meets always."""
    described = met.filter(~pl.col("kind").is_in(NUMBERS)).select(
        "file", "kind", key=pl.col("kind") + BETWEEN + pl.col("text")
    )
    open_ones = described.filter(pl.col("file").is_in(unsettled.implode()))
    whole = described.filter(pl.col("kind") == "name")
    found = [_pairs(open_ones, described, fresh), _pairs(whole, whole, fresh)]
    return pl.concat(found).unique(maintain_order=True)


def _pairs(left: pl.DataFrame, right: pl.DataFrame, fresh: pl.Series) -> pl.DataFrame:
    wanted = right.select("key", "file").unique().filter(pl.len().over("key").is_between(2, CROWD))
    met = (
        left.select("key", "file")
        .unique()
        .join(wanted, on="key", suffix="_b")
        .filter(pl.col("file") != pl.col("file_b"))
    )
    new = pl.col("file").is_in(fresh.implode()) | pl.col("file_b").is_in(fresh.implode())
    ordered = met.filter(new).select(
        a=pl.min_horizontal("file", "file_b"), b=pl.max_horizontal("file", "file_b")
    )
    return ordered.unique().sort("a", "b")
