"""What people decide about links: never overwritten, always to be undone; and what is asked of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store

JUDGEMENTS = ("match", "possible", "no match")


class NoSuchFile(store.StoreError):
    """A file that is not known: check the number."""


def decide(db: store.Db, file_a: int, file_b: int, judgement: str, *, by: str, why: str, now: datetime) -> list[int]:
    """A person's word on two files; returns the children touched.

    ``match``: the child of ``file_b`` becomes one with the child of ``file_a`` (its id keeps resolving). ``no match``: if
    they are one child's now, ``file_b`` leaves. ``possible``: the question stays open.
    """
    store.lock(db, "identity")
    a, b = _child_of(db, file_a), _child_of(db, file_b)
    _judge(db, file_a, file_b, judgement, by=by, why=why, now=now)
    if judgement == "match" and a != b:
        _join(db, a, b, by=by, why=why, now=now)
        return [a, b]
    if judgement == "no match" and a == b:
        return _leave(db, file_b, by=by, why=why, now=now)
    return [a, b]


def separate(db: store.Db, file: int, *, by: str, why: str, now: datetime) -> list[int]:
    """Take a file away from its child: it becomes a child of its own and is kept apart from each file it was with.

    Returns the children touched: the old one and the new one. Its events go with it, since they hang on the file.
    """
    store.lock(db, "identity")
    child = _child_of(db, file)
    for other in store.fetch(db, "select id from identity_file where child = %s and id <> %s", [child, file]):
        _judge(db, file, other["id"], "no match", by=by, why=why, now=now)
    return _leave(db, file, by=by, why=why, now=now)


def _child_of(db: store.Db, file: int) -> int:
    found = db.execute("select child from identity_file where id = %s", [file]).fetchone()
    if found is None or found[0] is None:
        raise NoSuchFile(f"no file {file} is linked to a child; check the number (handhold export files lists them)")
    return int(found[0])


def _judge(db: store.Db, file_a: int, file_b: int, judgement: str, *, by: str, why: str, now: datetime) -> None:
    pair = sorted((file_a, file_b))
    db.execute("update identity_judgement set until = %s where file_a = %s and file_b = %s and until is null", [now, *pair])
    db.execute("insert into identity_judgement (file_a, file_b, judgement, by, why, since) values (%s, %s, %s, %s, %s, %s)", [*pair, judgement, by, why, now])
    if judgement != "possible":
        db.execute(
            "update identity_question set closed = %s, answer = %s, by = %s where file_a = %s and file_b = %s and closed is null",
            [now, judgement, by, *pair],
        )


def _join(db: store.Db, stays: int, goes: int, *, by: str, why: str, now: datetime) -> None:
    for file in store.fetch(db, "select id from identity_file where child = %s", [goes]):
        _relink(db, file["id"], stays, by=by, why=why, now=now)
    db.execute("update identity_child set into_ = %s where id = %s", [stays, goes])
    db.execute("update identity_child set into_ = null where id = %s", [stays])


def _leave(db: store.Db, file: int, *, by: str, why: str, now: datetime) -> list[int]:
    """The file becomes its own child: the one that its number would have founded, or a new one if that id is taken."""
    old = _child_of(db, file)
    new = int(store.stable_ids("child", pl.Series([file]))[0])
    if new == old:
        new = int(store.stable_ids("child", pl.Series([file]), pl.Series([now.isoformat()]))[0])
    db.execute("insert into identity_child (id, born) values (%s, %s) on conflict (id) do update set into_ = null", [new, now])
    _relink(db, file, new, by=by, why=why, now=now)
    return [old, new]


def _relink(db: store.Db, file: int, child: int, *, by: str, why: str, now: datetime) -> None:
    db.execute("update identity_link set until = %s where file = %s and until is null", [now, file])
    db.execute(
        "insert into identity_link (file, child, judgement, linked_by, by, why, since) values (%s, %s, 'match', 'person', %s, %s, %s)",
        [file, child, by, why, now],
    )
    db.execute("update identity_file set child = %s, linked_by = 'person', since = %s where id = %s", [child, now, file])


def questions(db: store.Db, *, limit: int = 50, offset: int = 0) -> list[dict[str, Any]]:
    """Open questions, the weightiest first: ids, the reason and the levels; no names."""
    return store.fetch(
        db,
        """select q.id, q.file_a, a.agency as agency_a, q.file_b, b.agency as agency_b, q.reason, q.evidence, q.opened
           from identity_question q join identity_file a on a.id = q.file_a join identity_file b on b.id = q.file_b
           where q.closed is null order by q.weight desc, q.id limit %s offset %s""",
        [limit, offset],
    )


def doubts(db: store.Db) -> pl.DataFrame:
    """Children about whom a question waits: ``child``, ``question``."""
    return store.frame(
        db,
        """select distinct f.child, q.id as question from identity_question q
           join identity_file f on f.id in (q.file_a, q.file_b) where q.closed is null and f.child is not null""",
    )


def children_of(db: store.Db, files: pl.Series) -> pl.DataFrame:
    """``file`` and ``child`` of each file that is linked."""
    return store.frame(db, "select id as file, child from identity_file where id = any(%s) and child is not null", [files.unique().to_list()])


def files_of(db: store.Db, child: int) -> list[dict[str, Any]]:
    """The files of a child, with how each was linked; keys stay sealed."""
    return store.fetch(db, "select id as file, agency, linked_by, probability, since from identity_file where child = %s order by agency, id", [child])


def resolve(db: store.Db, child: int) -> int:
    """The id under which a child goes now: ids that were joined to another keep resolving."""
    seen = {child}
    while True:
        row = db.execute("select into_ from identity_child where id = %s", [child]).fetchone()
        if row is None or row[0] is None or row[0] in seen:
            return child
        child = int(row[0])
        seen.add(child)


@dataclass(frozen=True)
class Person:
    """Who a child is, in the clear: only for those who may know. ``numbers``: agency and its own number."""

    last: str | None
    first: str | None
    dob: str | None
    sex: str | None
    country: str | None
    language: str | None
    numbers: tuple[tuple[str, str], ...]


def names(db: store.Db, children: list[int]) -> dict[int, Person]:
    """The fullest description of each child, unsealed; ERO's and ORR's before the others'."""
    ids = pl.Series("child", children, pl.Int64)
    sealed = store.frame(
        db,
        """select f.child, f.agency, d.id, d.sealed from identity_file f join identity_description d on d.file = f.id
           where f.child = any(%s) order by f.child, array_position(array['ORR', 'ERO', 'OPLA', 'USCIS', 'EOIR'], f.agency), d.id""",
        [ids.to_list()],
    )
    keys = store.frame(db, "select id, child, agency, key_ from identity_file where child = any(%s) order by agency, id", [ids.to_list()])
    said = sealed.with_columns(text=store.unseal_many("identity", "identity_description.sealed", sealed["id"], sealed["sealed"]))
    fields = ["last", "first", "dob", "sex", "country", "language"]
    shape = pl.Struct(dict.fromkeys(fields, pl.String))
    first = pl.all().drop_nulls().first()
    best = said.select("child", pl.col("text").str.json_decode(shape)).unnest("text").group_by("child", maintain_order=True).agg(first)
    numbers: dict[int, list[tuple[str, str]]] = {}
    own = store.unseal_many("identity", "identity_file.key_", keys["id"], keys["key_"])
    for child, agency, key in zip(keys["child"], keys["agency"], own, strict=True):
        numbers.setdefault(child, []).append((agency, key))
    return {row["child"]: Person(*(row[f] for f in fields), numbers=tuple(numbers.get(row["child"], ()))) for row in best.iter_rows(named=True)}
