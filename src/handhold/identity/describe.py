"""What every row said of a person, kept sealed with its file, and the blind keys by which files meet."""

from datetime import datetime

import polars as pl

from handhold import store
from handhold.identity.names import folded, tokens

SAID = ["number", "court_case", "last", "first", "middle", "dob", "sex", "country", "language", "phone", "sponsor", "place", "entry", "release"]
NAMING = ["number", "court_case", "last", "first", "dob"]
SEPARATOR = "\x1f"
WHOLE_DATE = 10


def describe(db: store.Db, descriptions: pl.DataFrame, *, now: datetime) -> int:
    """Store descriptions (``feeds.model.DESCRIPTION``) and mark their files fresh; returns how many were new.

    A row that only mentions a file makes the file known. A description that was stored before changes nothing.
    """
    if not len(descriptions):
        return 0
    _files(db, descriptions)
    told = descriptions.filter(pl.any_horizontal(pl.col(NAMING).is_not_null()))
    if not len(told):
        return 0
    text = told.with_columns(text=pl.struct(SAID).struct.json_encode())
    keyed = text.with_columns(id=store.stable_ids("description", text["file"], text["text"])).unique(subset="id", maintain_order=True)
    new = keyed.join(_known(db, keyed), on="id", how="anti", maintain_order="left")
    sealed = store.seal_many("identity", "identity_description.sealed", new["id"], new["text"])
    store.copy_in(db, "identity_description", new.select("id", "file", row_="row", sealed=sealed, recorded=pl.lit(now)))
    store.upsert(db, "identity_key", keys(new), ["key", "file", "kind"], update=[])
    _freshen(db, new["file"])
    return len(new)


def _files(db: store.Db, descriptions: pl.DataFrame) -> None:
    files = descriptions.select("file", "agency", "file_key").unique(subset="file", keep="first", maintain_order=True)
    known = store.frame(db, "select id as file from identity_file")
    new = files.join(known, on="file", how="anti", maintain_order="left")
    sealed = store.seal_many("identity", "identity_file.key_", new["file"], new["file_key"])
    store.copy_in(db, "identity_file", new.select(pl.col("file").alias("id"), "agency", key_=sealed))


def _known(db: store.Db, keyed: pl.DataFrame) -> pl.DataFrame:
    return store.frame(db, "select id from identity_description where file = any(%s)", [keyed["file"].unique().to_list()])


def _freshen(db: store.Db, files: pl.Series) -> None:
    db.execute("update identity_file set fresh = true where not fresh and id = any(%s)", [files.unique().to_list()])


def keys(told: pl.DataFrame) -> pl.DataFrame:
    """Blind keys of descriptions: ``key``, ``file``, ``kind`` (``number``, ``court-case``, ``name``, ``short``).

    ``name`` is every word of the name in any order with the whole date of birth; ``short`` the first surname and the
    first given name with it.
    """
    words = told.select(
        "file", "agency", "file_key", "number", "court_case", "dob",
        last=folded(pl.col("last")), first=folded(pl.concat_str("first", "middle", separator=" ", ignore_nulls=True)),
    )  # fmt: skip
    dated = words.filter(pl.col("dob").str.len_chars() == WHOLE_DATE)
    every = tokens(pl.col("last")).list.concat(tokens(pl.col("first"))).list.unique().list.sort().list.join(" ")
    first_two = pl.concat_str(tokens(pl.col("last")).list.first(), tokens(pl.col("first")).list.first(), separator=" ")
    own_case = pl.when(pl.col("agency") == "EOIR").then(pl.col("file_key")).otherwise(pl.col("court_case"))
    parts = [
        words.select("file", kind=pl.lit("number"), text=pl.col("number")),
        words.select("file", kind=pl.lit("court-case"), text=own_case),
        dated.select("file", kind=pl.lit("name"), text=every + SEPARATOR + pl.col("dob")),
        dated.select("file", kind=pl.lit("short"), text=first_two + SEPARATOR + pl.col("dob")),
    ]
    found = pl.concat(parts).drop_nulls().unique(maintain_order=True)
    return found.select(store.blind(found.select(t=pl.col("kind") + SEPARATOR + pl.col("text"))["t"], "identity").alias("key"), "file", "kind")
