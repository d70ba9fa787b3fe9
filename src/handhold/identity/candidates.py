"""Which files are worth comparing: descriptions as they are compared, and the keys by which files of one child meet. Pure.

Numbers come first and settle most files. Descriptions are only followed for files whose child is still incomplete, so the
number of pairs grows with what is unsettled and not with the nation.
"""

from collections.abc import Iterator, Mapping

import polars as pl

from handhold.identity.names import Name, each, folded, parts, surnames
from handhold.identity.spec import PROFILE

NUMBERS = ("number", "court-case")
MADE = 6  # how keys are made: another number has those of all files made anew (``describe.renewed``)
KINDS = [*NUMBERS, "name", "whole", "surname", "given", "year", "day", "home", "handover", "month"]
WHOLE_DATE, HOURS = 10, 24
NEW_YEAR = "-01-01"  # the day of births that were estimated: alone it tells nobody from another
TELLING = 3  # words of a whole name that need no date beside them
MONTHS = "12"
LETTERS = 3  # of a name that may be mistyped further on
CROWD = 300  # files behind one key: more are a key that says nothing (a shelter's placeholder name)
BETWEEN = "\x1f"

SAID = {
    "number": pl.String, "court_case": pl.String, "last": pl.String, "first": pl.String, "middle": pl.String, "dob": pl.String,
    "sex": pl.String, "country": pl.String, "language": pl.String, "phone": pl.Int64, "other_phone": pl.Int64, "sponsor": pl.Int64,
    "place": pl.Int64, "building": pl.Int64, "entry": pl.String, "custody": pl.String, "release": pl.String,
}  # fmt: skip
PERSON = ["number", "court", "last", "first", "dob", "sex", "country", "language"]


def profiles(said: pl.DataFrame, codes: dict[str, dict[str, str]]) -> pl.DataFrame:
    """Descriptions as they are compared: ``file``, the columns of ``spec.PROFILE`` and ``homes`` (the places that stood with
    this description), one row a distinct description.

    ``said`` has ``file`` and the columns of :data:`SAID`; ``codes`` how agencies write countries and languages, see
    :func:`one_code`. A description without a number takes the file's own, because it is the file that has it; what the
    file's rows say of arrival, release, places, phones and sponsors goes with each of its descriptions.
    """
    given = pl.concat_str("first", "middle", separator=" ", ignore_nulls=True)
    sex = pl.col("sex").str.to_uppercase()
    plain = said.select(
        "file", number=pl.col("number").fill_null(pl.col("number").drop_nulls().first().over("file")),
        court=pl.col("court_case").fill_null(pl.col("court_case").drop_nulls().first().over("file")),
        last="last", first=given.replace("", None), dob=pl.col("dob").str.slice(0, WHOLE_DATE), sex=pl.when(sex.is_in(["M", "F"])).then(sex),
        country="country", language="language", place="place",
    )  # fmt: skip
    spoken = plain.with_columns(
        each(plain["last"], folded), each(plain["first"], folded),
        each(plain["country"], lambda said: one_code(said, codes.get("country", {}))),
        each(plain["language"], lambda said: one_code(said, codes.get("language", {}))),
    ).group_by("file", *PERSON, maintain_order=True).agg(homes=pl.col("place").drop_nulls().unique(maintain_order=True))  # fmt: skip
    speaks = pl.any_horizontal(pl.col("last", "first", "dob").is_not_null())
    told = spoken.filter(speaks | ~speaks.any().over("file"))
    return told.join(circumstances(said), on="file", how="left", maintain_order="left").select(
        "file", *PROFILE, "homes"
    )


def one_code(said: str, codes: Mapping[str, str]) -> str | None:
    """What an agency wrote, as the others would: a code that is not listed is unknown, a whole word stands as it is."""
    plain = said.strip().upper()
    return codes.get(plain, plain if len(plain) > 3 else None)


def circumstances(said: pl.DataFrame) -> pl.DataFrame:
    """``file`` with the earliest arrival and release that its rows tell, and all places, phones and sponsors."""
    clock = pl.col("custody").str.slice(11, 2).cast(pl.Int64, strict=False).fill_null(12)

    def known(column: str) -> pl.Expr:
        return pl.col(column).drop_nulls().unique(maintain_order=True)

    found = said.select(
        "file", *("place", "building", "sponsor"), custody=_days("custody") * 24 + clock, entry=_days("entry"), release=_days("release"),
        phone=pl.concat_list("phone", "other_phone"),
    )  # fmt: skip
    gathered = found.group_by("file", maintain_order=True).agg(
        pl.col("custody", "entry", "release").min(), places=known("place"), buildings=known("building"), sponsors=known("sponsor"),
        phones=pl.col("phone").explode().drop_nulls().unique(maintain_order=True),
    )  # fmt: skip
    sets = [name for name, kind in PROFILE.items() if isinstance(kind, pl.List)]
    return gathered.with_columns(pl.when(pl.col(name).list.len() > 0).then(pl.col(name)) for name in sets)


def _days(column: str) -> pl.Expr:
    """Days since 1970 of a whole date; null for less."""
    return (
        pl.col(column)
        .str.slice(0, WHOLE_DATE)
        .str.to_date("%Y-%m-%d", strict=False)
        .to_physical()
        .cast(pl.Int64)
    )


def keys(people: pl.DataFrame) -> pl.DataFrame:
    """``file, kind, text`` for each key of each profile; equal kind and text is where files meet.

    ``name`` is the whole name in any order with the whole date of birth, ``whole`` one of three words or more with none, for
    dates that were estimated or are slips all through; ``surname`` and ``given`` one word with the whole date;
    ``year`` the name with one half of the date, for dates that were mistyped; ``day`` the beginnings of both names with the
    other half (the whole of a first of January), and with the date whose day and month may have been exchanged; ``home`` an
    address with the initial of the given name, ``handover`` the surnames, and the given names, with the day on which custody
    passed and with the next, because agencies note hours apart when it did; ``month`` a given name, of any two, with the
    beginning of the surname and the month of birth, and two given names with the month, for several slips at once.
    """
    return pl.concat(_key_parts(people)).drop_nulls().unique(maintain_order=True)


def short_keys(people: pl.DataFrame) -> pl.DataFrame:
    """The same as ``file, kind, key``, the text hashed to 64 bits with its kind: what a nation meets by, in less room.

    Two texts that share a hash are one candidate too many and nothing else.
    """
    kind = pl.Enum(KINDS)
    parts_ = [
        part.drop_nulls().select("file", pl.col("kind").cast(kind), key=pl.col("text").hash(seed)).unique()
        for seed, part in enumerate(_key_parts(people))
    ]
    return pl.concat(parts_)


def _key_parts(people: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """``file, kind, text`` of each kind, one after the other: together they would be larger than all that is compared."""
    named = people.with_columns(
        words=pl.concat_str("last", "first", separator=" ").str.split(" ").list.sort(),
        surname=each(people["last"], lambda name: " ".join(heard_words(surnames(name)))),
        givens=each(people["first"], lambda name: " ".join(heard_words(parts(name)))),
        given=each(people["first"], lambda name: parts(name).first_heard),
        begins=each(people["last"], beginning), initial=each(people["first"], initial),
        day=pl.col("custody") // HOURS, month=pl.col("dob").str.slice(0, 7),
    )  # fmt: skip
    named = named.with_columns(whole=pl.col("words").list.join(" "))
    dated = named.filter(pl.col("dob").str.len_chars() == WHOLE_DATE)
    telling = dated.filter(~pl.col("dob").str.ends_with(NEW_YEAR))
    yield _key("number", named, pl.col("number"))
    yield _key("court-case", named, pl.col("court"))
    yield _key("name", dated, _with("whole", "dob"))
    yield _key("whole", named.filter(pl.col("words").list.len() >= TELLING), pl.col("whole"))
    yield _key(
        "surname", telling.select("file", "dob", word=_words("surname")).explode("word"), _with("word", "dob")
    )
    yield _key("given", telling, _with("given", "dob"))
    yield _key("year", dated, _with("surname", "given", pl.col("dob").str.slice(0, 4)))
    half = pl.when(pl.col("dob").str.ends_with(NEW_YEAR)).then("dob").otherwise(pl.col("dob").str.slice(5))
    begun = [pl.col(name).str.slice(0, LETTERS) for name in ("word", "given")]
    either = each(dated["dob"], either_way)
    halves = pl.concat([dated.with_columns(half=half), dated.with_columns(either.alias("half"))])
    yield _key(
        "day",
        halves.select("file", "given", "half", word=_words("surname")).explode("word"),
        _with(*begun, "half"),
    )
    yield _key(
        "home",
        named.select("file", "initial", place="homes").explode("place"),
        _with(pl.col("place").cast(pl.String), "initial"),
    )
    passed = [
        named.select("file", name=name, day=pl.col("day") + later)
        for name in ("surname", "givens")
        for later in (0, 1)
    ]
    yield _key("handover", pl.concat(passed), _with(pl.col("day").cast(pl.String), "name"))
    told = dated.select("file", "begins", "month", "givens", word=_words("givens"))
    two = told.filter(pl.col("givens").str.contains(" ", literal=True)).with_columns(word="givens")
    one = told.explode("word").select("file", "month", text=_with("word", "begins", "month"))
    yield _key(
        "month", pl.concat([one, two.select("file", "month", text=_with("word", "month"))]), pl.col("text")
    )


def _words(names: str) -> pl.Expr:
    """The words of a column of names, as a list; null where there is none."""
    return pl.when(pl.col(names) != "").then(pl.col(names).str.split(" "))


def _key(kind: str, told: pl.DataFrame, text: pl.Expr) -> pl.DataFrame:
    return told.select("file", kind=pl.lit(kind), text=text)


def either_way(dob: str) -> str | None:
    """A whole date that reads the same with day and month exchanged; ``None`` where they cannot be, or are the same."""
    year, month, day = dob[:4], dob[5:7], dob[8:10]
    return None if day > MONTHS or day == month else year + min(month, day) + max(month, day)


def beginning(name: str) -> str:
    """The first letters of a surname as heard."""
    return surnames(name).first_heard[:LETTERS]


def initial(name: str) -> str:
    """The first letter of a name as heard."""
    return parts(name).first_heard[:1]


def heard_words(name: Name) -> list[str]:
    """The words of a name as heard, without doubles, in the order of the alphabet."""
    return sorted({name.first_heard, name.second_heard} - {""})


def _with(*columns: str | pl.Expr) -> pl.Expr:
    return pl.concat_str(*columns, separator=BETWEEN)


def by_number(met: pl.DataFrame, fresh: pl.Series) -> pl.DataFrame:
    """Pairs ``a < b`` of files that share a number or a court case (``met``: see :func:`short_keys`), one of them fresh at least."""
    shared = met.filter(pl.col("kind").is_in(NUMBERS)).select("file", "key")
    return _once(_meetings(shared, shared, fresh))


def by_description(met: pl.DataFrame, fresh: pl.Series, unsettled: pl.Series) -> pl.DataFrame:
    """Pairs ``a < b`` of files that share a description key, one unsettled at least; the same whole name meets always."""
    described = met.filter(~pl.col("kind").is_in(NUMBERS))
    open_ones = described.filter(pl.col("file").is_in(unsettled.implode()))
    whole = described.filter(pl.col("kind") == "name")
    return _once(pl.concat([_meetings(open_ones, described, fresh), _meetings(whole, whole, fresh)]))


def _once(meetings: pl.DataFrame) -> pl.DataFrame:
    return meetings.unique().sort("a", "b")


def _meetings(left: pl.DataFrame, right: pl.DataFrame, fresh: pl.Series) -> pl.DataFrame:
    """Pairs ``a < b``, as often as they meet."""
    looking = left.select("key", "file").unique()
    there = right.select("key", "file").join(looking, on="key", how="semi").unique()
    wanted = there.filter(pl.len().over("key").is_between(2, CROWD))
    met = looking.join(wanted, on="key", suffix="_b").filter(pl.col("file") != pl.col("file_b"))
    new = pl.col("file").is_in(fresh.implode()) | pl.col("file_b").is_in(fresh.implode())
    return met.filter(new).select(
        a=pl.min_horizontal("file", "file_b"), b=pl.max_horizontal("file", "file_b")
    )
