"""What every row said of a person, kept sealed with its file, and the blind keys by which files meet."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from handhold import store
from handhold.feeds.reading.coming import Coming
from handhold.identity import few
from handhold.identity.candidates import MADE, NUMBERS, SAID, keys, profiles

FILES = "select f.id from unnest(%s::bigint[]) a (id) join identity_file f using (id)"
OF_ROWS = "select d.id, d.file, d.withdrawn from unnest(%s::bigint[]) a (id) join identity_description d on d.row_ = a.id"
WITHDRAW = "update identity_description set withdrawn = %s where id = any(%s)"
TOLD = "insert into identity_told (file) select unnest(%s::bigint[])"
HEEDED = """
    with told as (delete from identity_told returning file)
    update identity_file f set fresh = true from told where f.id = told.file and not f.fresh"""
NUMBERED = """
    update identity_description d set number = n.number from unnest(%s::bigint[], %s::bigint[]) n (id, number)
    where n.id = d.id and d.number is distinct from n.number"""
KEYS = "identity.keys"  # the setting that says how keys were made
AT_ONCE = 50_000  # files whose descriptions are opened at once
SPEAKING = """
    select d.id, d.file, d.sealed from unnest(%s::bigint[]) a (id) join identity_description d on d.file = a.id
    where not d.withdrawn order by d.file, d.id"""
SAYING = [
    "number", "court_case", "last", "first", "dob", "phone", "other_phone", "sponsor", "place", "entry", "custody", "release",
]  # fmt: skip


@dataclass(frozen=True)
class Ready:
    """Descriptions made ready to be kept: ``files`` (``id, agency, key_``), ``said`` (``id, file, row_, sealed, number``) of
    those that say something, and the blind ``keys`` by which their files meet. ``key_`` and ``sealed`` are sealed, ``number`` is
    the key of the A-number.
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
        said.select("id", "file", row_="row", sealed=texts, number=_blind_numbers(said["number"])),
        blind_keys(_met_by(said)),
    )


def _met_by(said: pl.DataFrame) -> pl.DataFrame:
    """The keys of these descriptions: ``file, kind, text``. Of a few files over plain values, see :mod:`handhold.identity.few`."""
    if said["file"].n_unique() > few.FEW:
        return keys(profiles(said, {}))
    found = [
        (file, *key)
        for (file,), rows in said.select("file", *SAID)
        .partition_by("file", as_dict=True, include_key=False)
        .items()
        for key in few.keys(few.profiles(rows.to_dicts(), {}))
    ]
    return pl.DataFrame(found, {"file": pl.Int64, "kind": pl.String, "text": pl.String}, orient="row")


def describe(db: store.Db, descriptions: pl.DataFrame | Ready, *, now: datetime) -> int:
    """Keep descriptions (made ready or not), for the next to link their files; returns how many were new.

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
        tell(db, otherwise["id"].unique())
    return len(new)


def tell(db: store.Db, files: pl.Series) -> None:
    """Note that something else is said of these files, which are known; the next that links them looks at them.

    Not their own mark: who links them meanwhile has read what was said before, and takes that away.
    """
    db.execute(TOLD, [files.to_list()])


def heed(db: store.Db) -> None:
    """Mark the files fresh of which something else is said by now; only for who has the lock of ``identity``."""
    db.execute(HEEDED)


def _meet(db: store.Db, keys: pl.DataFrame, new: pl.Series) -> None:
    """Keep the keys; those of files that are new cannot be there yet."""
    is_new = pl.col("file").is_in(new.implode())
    store.copy_in(db, "identity_key", keys.filter(is_new))
    store.upsert(db, "identity_key", keys.filter(~is_new), ["key", "file", "kind"], update=[])


def made_later(db: store.Db) -> Callable[[], int | None]:
    """Ask how the keys of files were made (``MADE``); ``None`` of a deployment that has none yet. See ``store.setting_later``."""
    return store.setting_later(db, KEYS)


def renewed(db: store.Db, before: int | None) -> int:
    """Make the keys of all files anew where they were made in another way (``before``) than today's; returns of how many files."""
    if before == MADE:
        return 0
    store.put_setting(db, KEYS, MADE)
    if before is None:
        return 0
    db.execute("delete from identity_key")
    files = store.frame(db, "select id from identity_file")["id"]
    for said in spoken(db, files):
        store.copy_in(db, "identity_key", blind_keys(keys(profiles(said, {}))))
        numbers = [said["description"].to_list(), _blind_numbers(said["number"]).to_list()]
        db.execute(NUMBERED, numbers)
    return len(files)


def spoken(db: store.Db, files: pl.Series) -> Iterator[pl.DataFrame]:
    """What these files say now, in the clear, some files at a time: ``description``, ``file`` and the columns of ``SAID``.

    The next are fetched and opened meanwhile, so the database is left alone until all are taken.
    """
    for texts in Coming(_texts(db, files.sort())):
        yield texts.with_columns(pl.col("said").str.json_decode(pl.Struct(SAID))).unnest("said")


def everyone(db: store.Db, files: pl.Series, written: dict[str, dict[str, str]]) -> pl.DataFrame:
    """The profiles of these files; ``written``: how agencies write countries and languages (``model.codes``)."""
    nobody = profiles(pl.DataFrame(schema={"file": pl.Int64, **SAID}), written)
    return pl.concat([nobody, *(profiles(said, written) for said in spoken(db, files))])


def _texts(db: store.Db, files: pl.Series) -> Generator[pl.DataFrame, None, None]:
    for first in range(0, len(files), AT_ONCE):
        sealed = store.frame(db, SPEAKING, [files[first : first + AT_ONCE].to_list()])
        texts = store.unseal_many("identity", "identity_description.sealed", sealed["id"], sealed["sealed"])
        yield pl.DataFrame({"description": sealed["id"], "file": sealed["file"], "said": texts})


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


def _blind_numbers(numbers: pl.Series) -> pl.Series:
    """A-numbers as the keys by which files meet; null where there is none."""
    kind = pl.Series([NUMBERS[0]], dtype=pl.String).new_from_index(0, len(numbers))
    return store.stable_ids("identity-key", kind, numbers).set(numbers.is_null(), None)


def _supersede(db: store.Db, said: pl.DataFrame, before: pl.DataFrame) -> None:
    """What the same rows said before is withdrawn, also where they say again what they said earlier."""
    again = before.join(said, on="id", how="semi")
    other = before.join(said, on="id", how="anti")
    for withdrawn, rows in ((True, other.filter(~pl.col("withdrawn"))), (False, again.filter("withdrawn"))):
        if len(rows):
            db.execute(WITHDRAW, [withdrawn, rows["id"].to_list()])
