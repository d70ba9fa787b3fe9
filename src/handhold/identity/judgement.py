"""What people decide about links: never overwritten, always to be undone; and what is asked of them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store
from handhold.identity.cluster import HOUSE_ORDER

JUDGEMENTS = ("match", "possible", "no match")


class NoSuchFile(store.StoreError):
    """A file that is not known: check the number."""


def decide(
    db: store.Db, file_a: int, file_b: int, judgement: str, *, by: str, why: str, now: datetime
) -> list[int]:
    """A person's word on two files, final until a person changes it; returns the children touched.

    ``match``: their children become one; the elder's id stays, the other keeps resolving. ``no match``: if they are one
    child's now, they part where they were joined, so what a ``match`` put together a ``no match`` takes apart again.
    ``possible``: nothing changes and the question stays open.
    """
    store.lock(db, "identity")
    a, b = _child_of(db, file_a), _child_of(db, file_b)
    _judge(db, file_a, file_b, judgement, by=by, why=why, now=now)
    if judgement == "match" and a != b:
        return _join(db, a, b, by=by, why=why, now=now)
    if judgement == "no match" and a == b:
        return _part(db, a, file_a, file_b, by=by, why=why, now=now)
    return sorted({a, b})


def separate(db: store.Db, file: int, *, by: str, why: str, now: datetime) -> list[int]:
    """Take a file away from its child: it becomes a child of its own and is kept apart from each file it was with.

    Returns the children touched: the old one and the new one. Its events go with it, since they hang on the file.
    """
    store.lock(db, "identity")
    child = _child_of(db, file)
    others = [other for other in _files(db, child) if other != file]
    for other in others:
        _judge(db, file, other, "no match", by=by, why=why, now=now)
    return _leave(db, child, [file], by=by, why=why, now=now) if others else [child]


def _child_of(db: store.Db, file: int) -> int:
    found = db.execute("select child from identity_file where id = %s", [file]).fetchone()
    if found is None or found[0] is None:
        raise NoSuchFile(
            f"no file {file} is linked to a child; check the number (handhold export files lists them)"
        )
    return int(found[0])


def _judge(
    db: store.Db, file_a: int, file_b: int, judgement: str, *, by: str, why: str, now: datetime
) -> None:
    pair = sorted((file_a, file_b))
    db.execute(
        "update identity_judgement set until = %s where file_a = %s and file_b = %s and until is null",
        [now, *pair],
    )
    db.execute(
        "insert into identity_judgement (file_a, file_b, judgement, by, why, since) values (%s, %s, %s, %s, %s, %s)",
        [*pair, judgement, by, why, now],
    )
    if judgement != "possible":
        db.execute(
            "update identity_question set closed = %s, answer = %s, by = %s where file_a = %s and file_b = %s and closed is null",
            [now, judgement, by, *pair],
        )


def _files(db: store.Db, child: int) -> list[int]:
    return [
        row["id"]
        for row in store.fetch(db, "select id from identity_file where child = %s order by id", [child])
    ]


def _join(db: store.Db, one: int, other: int, *, by: str, why: str, now: datetime) -> list[int]:
    """Two children are one: the elder stays, and nobody says any longer that their files are apart."""
    elder = store.fetch(
        db, "select id from identity_child where id in (%s, %s) order by born, id limit 1", [one, other]
    )[0]["id"]
    goes = other if elder == one else one
    stay, move = _files(db, elder), _files(db, goes)
    db.execute(
        """update identity_judgement set until = %(now)s where until is null and judgement = 'no match'
           and (file_a = any(%(stay)s) and file_b = any(%(move)s) or file_a = any(%(move)s) and file_b = any(%(stay)s))""",
        {"now": now, "stay": stay, "move": move},
    )
    _relink(db, move, elder, by=by, why=why, now=now)
    db.execute("update identity_child set into_ = %s where id = %s", [elder, goes])
    db.execute("update identity_child set into_ = null where id = %s", [elder])
    settle(db, by=by, now=now)
    return sorted((one, other))


def _part(
    db: store.Db, child: int, file_a: int, file_b: int, *, by: str, why: str, now: datetime
) -> list[int]:
    """Two files of one child are not one person's: each keeps the files it was joined through, the founder's side stays."""
    near = _through(db, child, file_a, file_b)
    side_a, side_b = _reach(near, file_a), _reach(near, file_b)
    if file_b in side_a:  # they also hold together through others, so only the one that was named leaves
        side_b = {file_b}
    founder = [file for file in side_b if _founds(file) == child]
    leaving = side_a if founder and file_a not in side_b else side_b
    return _leave(db, child, sorted(leaving), by=by, why=why, now=now)


def _through(db: store.Db, child: int, file_a: int, file_b: int) -> dict[int, set[int]]:
    """Which files of a child were joined directly, by evidence or by a person, without the pair in question."""
    near: dict[int, set[int]] = {file: set() for file in _files(db, child)}
    joined = store.fetch(
        db,
        """select l.file, (l.evidence ->> 'through')::bigint as mate from identity_link l join identity_file f on f.id = l.file
           where f.child = %(child)s and l.until is null and l.evidence ? 'through'
           union select j.file_a, j.file_b from identity_judgement j join identity_file f on f.id = j.file_a
           where f.child = %(child)s and j.until is null and j.judgement = 'match'""",
        {"child": child},
    )
    for pair in joined:
        if pair["mate"] in near and {pair["file"], pair["mate"]} != {file_a, file_b}:
            near[pair["file"]].add(pair["mate"])
            near[pair["mate"]].add(pair["file"])
    return near


def _reach(near: dict[int, set[int]], start: int) -> set[int]:
    found, ahead = {start}, [start]
    while ahead:
        new = near[ahead.pop()] - found
        found |= new
        ahead.extend(new)
    return found


def _founds(file: int, again: int = 0) -> int:
    """The id of the child that a file founds; ``again`` counts up where that id is another's by now."""
    parts = [pl.Series([file])] + ([pl.Series([again])] if again else [])
    return int(store.stable_ids("child", *parts)[0])


def _leave(db: store.Db, child: int, files: list[int], *, by: str, why: str, now: datetime) -> list[int]:
    """The files become a child of their own: the one that the first of them founds, or a new one if that id is in use."""
    turn = "select id from identity_file where id = any(%s) order by array_position(%s::text[], agency), id limit 1"
    founder = store.fetch(db, turn, [files, list(HOUSE_ORDER)])[0]["id"]
    again = 0
    while _founds(founder, again) == child or _files(db, _founds(founder, again)):
        again += 1
    new = _founds(founder, again)
    db.execute(
        "insert into identity_child (id, born) values (%s, %s) on conflict (id) do update set into_ = null",
        [new, now],
    )
    _relink(db, files, new, by=by, why=why, now=now)
    return sorted((child, new))


def _relink(db: store.Db, files: list[int], child: int, *, by: str, why: str, now: datetime) -> None:
    """End the links of these files and begin new ones to ``child``; the evidence among them stays with them."""
    db.execute(
        """with ended as (update identity_link set until = %(now)s where file = any(%(files)s) and until is null and judgement = 'match'
                          returning file, evidence)
           insert into identity_link (file, child, judgement, linked_by, evidence, by, why, since)
           select file, %(child)s, 'match', 'person', evidence, %(by)s, %(why)s, %(now)s from ended""",
        {"now": now, "files": files, "child": child, "by": by, "why": why},
    )
    db.execute(
        "update identity_file set child = %s, linked_by = 'person', probability = null, since = %s where id = any(%s)",
        [child, now, files],
    )


def settle(db: store.Db, *, by: str, now: datetime) -> None:
    """Close the questions whose two files are one child's by now."""
    db.execute(
        """update identity_question q set closed = %s, answer = 'match', by = %s from identity_file a, identity_file b
           where q.closed is null and a.id = q.file_a and b.id = q.file_b and a.child = b.child""",
        [now, by],
    )


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
    return store.frame(
        db,
        "select id as file, child from identity_file where id = any(%s) and child is not null",
        [files.unique().to_list()],
    )


def files_of(db: store.Db, child: int) -> list[dict[str, Any]]:
    """The files of a child, with how each was linked; keys stay sealed."""
    return store.fetch(
        db,
        "select id as file, agency, linked_by, probability, since from identity_file where child = %s order by agency, id",
        [child],
    )


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
    """The fullest description of each child, unsealed; ORR's and ERO's before the others', what was withdrawn last."""
    sealed = store.frame(
        db,
        """select f.child, d.id, d.sealed from identity_file f join identity_description d on d.file = f.id where f.child = any(%s)
           order by f.child, d.withdrawn, array_position(array['ORR', 'ERO', 'OPLA', 'USCIS', 'EOIR'], f.agency), d.recorded desc, d.id""",
        [children],
    )
    fields = ["last", "first", "dob", "sex", "country", "language"]
    opened = store.unseal_many("identity", "identity_description.sealed", sealed["id"], sealed["sealed"])
    said = pl.DataFrame(
        {
            "child": sealed["child"],
            "said": opened.str.json_decode(pl.Struct(dict.fromkeys(fields, pl.String))),
        }
    )
    best = said.unnest("said").group_by("child", maintain_order=True).agg(pl.all().drop_nulls().first())
    numbers = _numbers(db, children)
    return {
        child: Person(last, first, dob, sex, country, language, numbers.get(child, ()))
        for child, last, first, dob, sex, country, language in best.iter_rows()
    }


def _numbers(db: store.Db, children: list[int]) -> dict[int, tuple[tuple[str, str], ...]]:
    """Each child's files as agency and its own number, in the clear."""
    keys = store.frame(
        db,
        "select id, child, agency, key_ from identity_file where child = any(%s) order by agency, id",
        [children],
    )
    own = store.unseal_many("identity", "identity_file.key_", keys["id"], keys["key_"])
    found: dict[int, tuple[tuple[str, str], ...]] = {}
    for child, agency, key in zip(keys["child"], keys["agency"], own, strict=True):
        found[child] = (*found.get(child, ()), (agency, key))
    return found
