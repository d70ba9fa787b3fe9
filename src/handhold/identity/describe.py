"""What every row said of a person, kept sealed with its file, and the blind keys by which files meet."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from handhold import store
from handhold.identity.candidates import SAID, keys, profiles

FILES = "select f.id from unnest(%s::bigint[]) a (id) join identity_file f using (id)"
OF_ROWS = "select d.id, d.file, d.withdrawn from unnest(%s::bigint[]) a (id) join identity_description d on d.row_ = a.id"
WITHDRAW = "update identity_description set withdrawn = %s where id = any(%s)"
FRESH = "update identity_file set fresh = true where id = any(%s) and not fresh"
SAYING = [
    "number", "court_case", "last", "first", "dob", "phone", "other_phone", "sponsor", "place", "entry", "custody", "release",
]  # fmt: skip


@dataclass(frozen=True)
class Ready:
    """Descriptions made ready to be kept: ``files`` (``id, agency, key_``), ``said`` (``id, file, row_, sealed``) of those that
    say something, and the blind ``keys`` by which their files meet. The last two cells of a file and of a description are sealed.
    """

    files: pl.DataFrame
    said: pl.DataFrame
    keys: pl.DataFrame


def ready(descriptions: pl.DataFrame) -> Ready:
    """All of describing that needs no database. ``descriptions`` has the columns of ``feeds.model.DESCRIPTION``."""
    files = descriptions.select("file", "agency", "file_key").unique(
        subset="file", keep="first", maintain_order=True
    )
    numbers = store.seal_many("identity", "identity_file.key_", files["file"], files["file_key"])
    said = told(descriptions).unique(subset="id", keep="first").sort("file", "id")
    texts = store.seal_many("identity", "identity_description.sealed", said["id"], said["text"])
    return Ready(
        files.select("agency", id="file", key_=numbers),
        said.select("id", "file", row_="row", sealed=texts),
        blind_keys(keys(profiles(said, {}))),
    )


def describe(db: store.Db, descriptions: pl.DataFrame | Ready, *, now: datetime) -> int:
    """Keep descriptions (made ready or not) and mark their files fresh; returns how many were new.

    A row that only mentions a file makes the file known. The same content again changes nothing; other content for the
    same row is kept beside the old, which is marked withdrawn. A sponsor, a phone and a place come as blind ids, which
    tell that two files have the same one and nothing else.
    """
    made = descriptions if isinstance(descriptions, Ready) else ready(descriptions)
    if not len(made.files):
        return 0
    known = store.frame(db, FILES, [made.files["id"].to_list()])
    new_files = made.files.join(known, on="id", how="anti", maintain_order="left")
    store.copy_in(db, "identity_file", new_files)
    before = store.frame(db, OF_ROWS, [made.said["row_"].unique().to_list()])
    new = made.said.join(before, on="id", how="anti", maintain_order="left")
    store.copy_in(db, "identity_description", new.with_columns(recorded=pl.lit(now)))
    if len(new):
        _meet(db, made.keys, new_files["id"])
    _supersede(db, made.said, before)
    returned = before.filter("withdrawn").join(made.said, on="id", how="semi")
    otherwise = pl.concat([new.select(id="file"), returned.select(id="file")]).join(
        new_files, on="id", how="anti"
    )
    if len(otherwise):
        db.execute(FRESH, [otherwise["id"].unique().to_list()])
    return len(new)


def _meet(db: store.Db, keys: pl.DataFrame, new: pl.Series) -> None:
    """Keep the keys; those of files that are new cannot be there yet."""
    is_new = pl.col("file").is_in(new.implode())
    store.copy_in(db, "identity_key", keys.filter(is_new))
    store.upsert(db, "identity_key", keys.filter(~is_new), ["key", "file", "kind"], update=[])


def _own_case() -> pl.Expr:
    """A court file is its case; the others may state one."""
    return pl.when(pl.col("agency") == "EOIR").then("file_key").otherwise("court_case")


def told(descriptions: pl.DataFrame) -> pl.DataFrame:
    """The descriptions that say something, with all they say as ``text`` and their ``id``: of the file, the row and the text;
    those of a file lie together."""
    speaking = descriptions.filter(pl.any_horizontal(pl.col(SAYING).is_not_null()))
    said = speaking.with_columns(court_case=_own_case()).with_columns(
        text=pl.struct(SAID.keys()).struct.json_encode()
    )
    ids = store.stable_ids("description", said["file"], said["row"], said["text"], near=said["file"])
    return said.with_columns(ids)


def blind_keys(met: pl.DataFrame) -> pl.DataFrame:
    """Keys as they are stored: hashed with their kind, so that nothing can be read back and kinds never meet.

    In the order of the keys, because an index grows fastest in its own order.
    """
    blinded = met.select("file", "kind", key=store.stable_ids("identity-key", met["kind"], met["text"]))
    return blinded.unique().sort("key", "file")


def _supersede(db: store.Db, said: pl.DataFrame, before: pl.DataFrame) -> None:
    """What the same rows said before is withdrawn, also where they say again what they said earlier."""
    again = before.join(said, on="id", how="semi")
    other = before.join(said, on="id", how="anti")
    for withdrawn, rows in ((True, other.filter(~pl.col("withdrawn"))), (False, again.filter("withdrawn"))):
        if len(rows):
            db.execute(WITHDRAW, [withdrawn, rows["id"].to_list()])
