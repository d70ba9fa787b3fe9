"""What every row said of a person, kept sealed with its file, and the blind keys by which files meet."""

from datetime import datetime

import polars as pl

from handhold import store
from handhold.identity.candidates import SAID, keys, profiles

STANDING = {
    "identity_file": "select id from asked join identity_file using (id)",
    "identity_description": "select id from asked join identity_description using (id)",
}
SAYING = [
    "number", "court_case", "last", "first", "dob", "phone", "other_phone", "sponsor", "place", "entry", "custody", "release",
]  # fmt: skip


def describe(db: store.Db, descriptions: pl.DataFrame, *, now: datetime) -> int:
    """Store descriptions (columns of ``feeds.model.DESCRIPTION``) and mark their files fresh; returns how many were new.

    A row that only mentions a file makes the file known. The same content again changes nothing; other content for the
    same row is kept beside the old, which is marked withdrawn. A sponsor, a phone and a place come as blind ids, which
    tell that two files have the same one and nothing else.
    """
    if not len(descriptions):
        return 0
    _files(db, descriptions)
    told = descriptions.filter(pl.any_horizontal(pl.col(SAYING).is_not_null())).with_columns(
        court_case=_own_case()
    )
    said = _identified(told.with_columns(text=pl.struct(SAID.keys()).struct.json_encode()))
    known = _known(db, "identity_description", said["id"])
    new = said.join(known, on="id", how="anti", maintain_order="left")
    sealed = store.seal_many("identity", "identity_description.sealed", new["id"], new["text"])
    store.copy_in(
        db, "identity_description", new.select("id", "file", row_="row", sealed=sealed, recorded=pl.lit(now))
    )
    if len(new):
        store.upsert(
            db, "identity_key", blind_keys(keys(profiles(new, {}))), ["key", "file", "kind"], update=[]
        )
    _supersede(db, said, new["id"])
    return len(new)


def _own_case() -> pl.Expr:
    """A court file is its case; the others may state one."""
    return pl.when(pl.col("agency") == "EOIR").then("file_key").otherwise("court_case")


def _files(db: store.Db, descriptions: pl.DataFrame) -> None:
    """Make known the files that are not."""
    files = descriptions.select("file", "agency", "file_key").unique(
        subset="file", keep="first", maintain_order=True
    )
    new = files.join(
        _known(db, "identity_file", files["file"]),
        left_on="file",
        right_on="id",
        how="anti",
        maintain_order="left",
    )
    sealed = store.seal_many("identity", "identity_file.key_", new["file"], new["file_key"])
    store.copy_in(db, "identity_file", new.select("agency", id="file", key_=sealed))


def _identified(told: pl.DataFrame) -> pl.DataFrame:
    """Descriptions with their ids, one of each."""
    keyed = told.with_columns(id=store.stable_ids("description", told["file"], told["row"], told["text"]))
    return keyed.unique(subset="id", keep="first", maintain_order=True)


def _known(db: store.Db, table: str, ids: pl.Series) -> pl.DataFrame:
    """Which of these ids stand in ``table`` already: ``id``."""
    db.execute("create temp table asked (id bigint) on commit drop")
    store.copy_in(db, "asked", pl.DataFrame({"id": ids.unique()}))
    found = store.frame(db, STANDING[table])
    db.execute("drop table asked")
    return found


def blind_keys(met: pl.DataFrame) -> pl.DataFrame:
    """Keys as they are stored: hashed with their kind, so that nothing can be read back and kinds never meet.

    In the order of the keys, because an index grows fastest in its own order.
    """
    blinded = met.select("file", "kind", key=store.stable_ids("identity-key", met["kind"], met["text"]))
    return blinded.unique().sort("key", "file")


def _supersede(db: store.Db, said: pl.DataFrame, new: pl.Series) -> None:
    """What the same rows said before is withdrawn, also where they say again what they said earlier; the files of which
    something else stands now are fresh."""
    db.execute("create temp table newly (id bigint primary key, row_ bigint, new boolean) on commit drop")
    store.copy_in(db, "newly", said.select("id", row_="row", new=pl.col("id").is_in(new.implode())))
    db.execute("analyze newly")
    db.execute(
        """update identity_file f set fresh = true from identity_description d join newly n on n.id = d.id
           where f.id = d.file and not f.fresh and (n.new or d.withdrawn)"""
    )
    db.execute(
        """update identity_description d set withdrawn = true from newly n
           where d.row_ = n.row_ and not d.withdrawn and d.id not in (select id from newly)"""
    )
    db.execute(
        "update identity_description d set withdrawn = false from newly n where d.id = n.id and d.withdrawn"
    )
    db.execute("drop table newly")
