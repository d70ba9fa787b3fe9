"""What people decide about links: never overwritten, always to be undone; and what is asked of them."""

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store
from handhold.identity.cluster import HOUSE_ORDER
from handhold.identity.parting import Pair, ended_by_match, ended_by_no_match, named, pair, partition
from handhold.identity.review import DOUBTED, proposal, unpropose

JUDGEMENTS = ("match", "possible", "no match")


class NoSuchFile(store.StoreError):
    """A file that is not known: check the number."""


class NoJudgement(store.StoreError):
    """Nothing that a person said stands on these two files."""


def decide(
    db: store.Db, file_a: int, file_b: int, judgement: str, *, by: str, why: str, now: datetime
) -> list[int]:
    """A person's word on two files, final until a person changes it; returns the children touched.

    ``match``: their children become one; the elder's id stays, the other keeps resolving. ``no match``: if they are one
    child's now, they part where they were joined, so what a ``match`` put together a ``no match`` takes apart again.
    ``possible``: no word that joins or parts, so what an earlier one did is undone; the question stays open.
    """
    store.lock(db, "identity")
    _child_of(db, file_a), _child_of(db, file_b)
    near = _component(db, [file_a, file_b])
    leaves = _yields(near, file_a, file_b)
    stays = file_a if leaves == file_b else file_b
    if judgement != "match":
        unpropose(db, pair(file_a, file_b), by=by, now=now)
    if judgement == "match":
        _end(db, ended_by_match(near.of(file_a), near.of(file_b), near.apart), by=by, now=now)
    if judgement == "no match":
        _end(db, ended_by_no_match(stays, leaves, near.matches), by=by, now=now)
    _judge(db, pair(file_a, file_b), judgement, by=by, why=why, now=now)
    return _settle(db, [file_a, file_b], frozenset([leaves]), by=by, why=why, now=now)


def separate(db: store.Db, file: int, *, by: str, why: str, now: datetime) -> list[int]:
    """Take a file away from its child: it becomes a child of its own and is kept apart from each file it was with.

    Returns the children touched: the old one and the new one. Its events go with it, since they hang on the file.
    """
    store.lock(db, "identity")
    others = [other for other in _files(db, _child_of(db, file)) if other != file]
    for other in others:
        _judge(db, pair(file, other), "no match", by=by, why=why, now=now)
    return _settle(db, [file, *others], frozenset([file]), by=by, why=why, now=now)


def withdraw(db: store.Db, file_a: int, file_b: int, *, by: str, why: str, now: datetime) -> list[int]:
    """Take back what a person said of two files: it is as if it had not been said, and its question is open again.

    What one person has proposed and nobody confirmed, only that person takes back. The word stays in the history with its end and who ended it. Returns the children touched.
    """
    store.lock(db, "identity")
    files = pair(file_a, file_b)
    proposed = proposal(db, files)
    if proposed is not None and proposed["by"] == by:
        unpropose(db, files, by=by, now=now)
        return [_child_of(db, file_a), _child_of(db, file_b)]
    if not _end(db, [files], by=by, now=now):
        raise NoJudgement(
            f"nobody's word stands on the files {file_a} and {file_b}; handhold link said FILE lists what stands"
        )
    return _settle(db, [file_a, file_b], frozenset(), by=by, why=why, now=now)


def said_of(db: store.Db, file: int) -> list[dict[str, Any]]:
    """Everything people ever said of a file and another, the newest first; ``until`` is null where it stands."""
    return store.fetch(
        db,
        """select case when file_a = %(file)s then file_b else file_a end as other, judgement, by, why, since, until, ended_by
           from identity_judgement where %(file)s in (file_a, file_b) order by since desc, id desc""",
        {"file": file},
    )


def hold(db: store.Db, file: int, held: bool, *, by: str, why: str, now: datetime) -> list[int]:
    """Say that only a person may link a file (a protected location), or that it may be linked by itself again.

    Held, its links stay as they are and no other is made without a person. Released, it is looked at anew by the next run.
    Returns its child, if it has one. The same again changes nothing.
    """
    store.lock(db, "identity")
    found = db.execute("select hold, child from identity_file where id = %s for update", [file]).fetchone()
    if found is None:
        raise NoSuchFile(f"no file {file} is known; check the number (handhold export files lists them)")
    if found[0] != held:
        db.execute(
            "update identity_hold set until = %s, ended_by = %s where file = %s and until is null",
            [now, by, file],
        )
        if held:
            db.execute(
                "insert into identity_hold (file, by, why, since) values (%s, %s, %s, %s)",
                [file, by, why, now],
            )
        db.execute(
            "update identity_file set hold = %s, fresh = fresh or not %s where id = %s", [held, held, file]
        )
    return [] if found[1] is None else [int(found[1])]


def _child_of(db: store.Db, file: int) -> int:
    found = db.execute("select child from identity_file where id = %s", [file]).fetchone()
    if found is None or found[0] is None:
        raise NoSuchFile(
            f"no file {file} is linked to a child; check the number (handhold export files lists them)"
        )
    return int(found[0])


def _judge(db: store.Db, files: Pair, judgement: str, *, by: str, why: str, now: datetime) -> None:
    _end(db, [files], by=by, now=now)
    db.execute(
        "insert into identity_judgement (file_a, file_b, judgement, by, why, since) values (%s, %s, %s, %s, %s, %s)",
        [*files, judgement, by, why, now],
    )


def _end(db: store.Db, pairs: Sequence[Pair], *, by: str, now: datetime) -> int:
    """End the words that stand on these pairs; they stay in the history. Returns how many."""
    if not pairs:
        return 0
    ended = db.execute(
        """update identity_judgement j set until = %s, ended_by = %s from unnest(%s::bigint[], %s::bigint[]) as p (a, b)
           where j.file_a = p.a and j.file_b = p.b and j.until is null""",
        [now, by, [a for a, _ in pairs], [b for _, b in pairs]],
    )
    return ended.rowcount


def _files(db: store.Db, child: int) -> list[int]:
    return [
        row["id"]
        for row in store.fetch(db, "select id from identity_file where child = %s order by id", [child])
    ]


@dataclass(frozen=True)
class _Near:
    """Files that have or had a child in common, directly or through others, and all that was said of them.

    ``linked``: the child each was linked to without a person; ``links``: between which files, the strongest first.
    """

    agency: Mapping[int, str]
    child: Mapping[int, int]
    linked: Mapping[int, int]
    links: list[Pair]
    matches: list[Pair]
    apart: list[Pair]
    eldest: list[int]

    def of(self, file: int) -> list[int]:
        """The files of the child that ``file`` has now."""
        return [other for other, child in self.child.items() if child == self.child[file]]

    def first(self, files: Iterable[int]) -> int:
        """The file that founds a child of these."""
        return min(
            files,
            key=lambda f: (HOUSE_ORDER.index(self.agency[f]) if self.agency[f] in HOUSE_ORDER else 99, f),
        )


NEAR = """
    with recursive near (file, child) as (
        select id, child from identity_file where id = any(%(files)s)
        union
        select o.file, o.child from near n cross join lateral (
            select f.id as file, f.child from identity_file f where f.child = n.child
            union all select l.file, f.child from identity_link l join identity_file f on f.id = l.file
                      where l.child = n.child and l.until is not null
            union all select l.file, l.child from identity_link l where l.file = n.file) o)
    select f.id, f.agency, f.child, m.child as linked, (m.evidence ->> 'through')::bigint as through
    from (select distinct file from near) n join identity_file f on f.id = n.file
    left join lateral (select l.child, l.evidence from identity_link l where l.file = f.id and l.linked_by <> 'person'
                       and l.judgement = 'match' order by l.id desc limit 1) m on true
    where f.child is not null
    order by coalesce((m.evidence ->> 'weight')::float, 0) desc, array_position(%(house)s::text[], f.agency), f.id"""
# Children that persons hold together, or that have a file which only persons may link: no machine takes them apart.
WHOLE = """
    select g.child from identity_judgement j join identity_file g on g.id in (j.file_a, j.file_b)
    where j.until is null and j.judgement = 'match'
    union select g.child from identity_file g where g.linked_by = 'person' or g.hold"""
BORNE = "select distinct f.child from unnest(%s::bigint[]) a (child) join identity_file f using (child)"
SAID = """
    select file_a, file_b, judgement from identity_judgement
    where until is null and judgement <> 'possible' and file_a = any(%(files)s) and file_b = any(%(files)s) order by 1, 2"""


def _component(db: store.Db, files: list[int]) -> _Near:
    rows = store.fetch(db, NEAR, {"files": files, "house": list(HOUSE_ORDER)})
    inside = [row["id"] for row in rows]
    said = store.fetch(db, SAID, {"files": inside})
    ids = sorted({id_ for row in rows for id_ in (row["child"], row["linked"]) if id_ is not None})
    return _Near(
        agency={row["id"]: row["agency"] for row in rows},
        child={row["id"]: row["child"] for row in rows},
        linked={row["id"]: row["linked"] for row in rows if row["linked"] is not None},
        links=[pair(row["id"], row["through"]) for row in rows if row["through"] is not None],
        matches=[(j["file_a"], j["file_b"]) for j in said if j["judgement"] == "match"],
        apart=[(j["file_a"], j["file_b"]) for j in said if j["judgement"] == "no match"],
        eldest=[
            row["id"]
            for row in store.fetch(
                db, "select id from identity_child where id = any(%s) order by born, id", [ids]
            )
        ],
    )


def _yields(near: _Near, file_a: int, file_b: int) -> int:
    """Of two files that part, the one that leaves: the other founded their child, or comes first in the house."""
    return file_b if near.first([file_a, file_b]) == file_a else file_a


def unborne(db: store.Db, child: int, taken: Container[int] = (), *, but: int | None = None) -> int:
    """This id of a child, or the next of its kind where it is ``taken`` or a file bears it (other than ``but``): the id that a
    file gives stays with whom it was given to, also where that file has left."""
    found, turn = child, 0
    while found in taken or set(_files(db, found)) - {but}:
        turn += 1
        found = int(store.stable_ids("child", pl.Series([child]), pl.Series([turn]))[0])
    return found


def founding(db: store.Db, files: pl.Series) -> dict[int, int]:
    """The ids of the children that these files would found, of those whose own id is another's by now."""
    if not store.fetch(db, "select 1 from identity_file where child is not null limit 1"):
        return {}
    own = pl.DataFrame({"file": files, "child": store.stable_ids("child", files)})
    borne = store.frame(db, BORNE, [own["child"].to_list()])
    return {file: unborne(db, child) for file, child in own.join(borne, on="child").iter_rows()}


def _settle(
    db: store.Db, files: list[int], leaving: frozenset[int], *, by: str, why: str, now: datetime
) -> list[int]:
    """Bring the children of these files, and of all that have to do with them, to what links and standing words say."""
    near = _component(db, files)
    groups = partition(near.child, near.links, near.matches, near.apart)
    ids = named(groups, near.child, near.linked, near.eldest, leaving)
    child: dict[int, int] = {}
    taken = {id_ for id_ in ids if id_ is not None}
    for group, id_ in zip(groups, ids, strict=True):
        chosen = id_ if id_ is not None else _new(db, near.first(group), taken, now)
        taken.add(chosen)
        child |= dict.fromkeys(group, chosen)
    changed = _relink(db, near, child, by=by, why=why, now=now)
    lead_on(db, list(child))
    asked = reopen(db, list(child), by=by, now=now)
    touched = {near.child[f] for f in changed} | {child[f] for f in changed} | {child[f] for f in files}
    return sorted(touched | asked)


def _new(db: store.Db, founder: int, taken: set[int], now: datetime) -> int:
    """A child that nobody bears yet, founded by ``founder``."""
    new = unborne(db, store.blind_one(str(founder), "child"), taken, but=founder)
    db.execute(
        "insert into identity_child (id, born) values (%s, %s) on conflict (id) do nothing", [new, now]
    )
    return new


def _relink(
    db: store.Db, near: _Near, child: Mapping[int, int], *, by: str, why: str, now: datetime
) -> list[int]:
    """End the links that no longer hold and begin those that do; returns the files whose link changed.

    A file that stands where it was linked without a person has that link again, with its evidence and probability,
    unless a person's match names it: then it is linked by that person.
    """
    founders = {near.first(f for f in child if near.linked.get(f) == of) for of in set(near.linked.values())}
    confirmed = {f for found in near.matches for f in found} - founders
    person = {f: near.linked.get(f) != of or f in confirmed for f, of in child.items()}
    rows = store.fetch(
        db,
        """with wanted as (
               select w.file, w.child, case when w.person then 'person' else m.linked_by end as linked_by,
                      case when not w.person then m.probability end as probability, m.evidence
               from unnest(%(files)s::bigint[], %(children)s::bigint[], %(person)s::boolean[]) as w (file, child, person)
               left join lateral (select l.linked_by, l.probability, l.evidence from identity_link l where l.file = w.file
                                  and l.linked_by <> 'person' and l.judgement = 'match' order by l.id desc limit 1) m on true),
           ended as (update identity_link l set until = %(now)s from wanted w
                     where l.file = w.file and l.until is null and l.judgement = 'match'
                       and (l.child, l.linked_by) is distinct from (w.child, w.linked_by) returning l.file)
           select w.* from wanted w join ended e using (file)""",
        {
            "files": list(child),
            "children": list(child.values()),
            "person": [person[f] for f in child],
            "now": now,
        },
    )
    with db.cursor() as cursor:
        cursor.executemany(
            """insert into identity_link (file, child, judgement, linked_by, probability, evidence, by, why, since)
               select %(file)s, %(child)s, 'match', %(linked_by)s, %(probability)s,
                      coalesce((select evidence from identity_link where file = %(file)s order by id desc limit 1), '{}'),
                      %(by)s, %(why)s, %(now)s""",
            [row | {"by": by, "why": why, "now": now} for row in rows],
        )
        cursor.executemany(
            "update identity_file set child = %(child)s, linked_by = %(linked_by)s, probability = %(probability)s, since = %(now)s where id = %(file)s",
            [row | {"now": now} for row in rows],
        )
    return [row["file"] for row in rows]


LEADS = """
    with ids as (select distinct child from identity_link where file = any(%(files)s)),
    files as (
        select id, child from identity_file where child in (select child from ids)
        union all select l.file, l.child from ids join identity_link l using (child) where l.until is not null),
    bore as (
        select b.child as id, f.child, count(distinct b.id) as files
        from files b join identity_file f on f.id = b.id where f.child is not null group by 1, 2),
    heir as (select distinct on (id) id, child from bore order by id, (id = child) desc, files desc, child)
    update identity_child c set into_ = nullif(h.child, c.id) from heir h
    where c.id = h.id and c.into_ is distinct from nullif(h.child, c.id)"""


def lead_on(db: store.Db, files: list[int]) -> None:
    """Every id that these files ever bore leads to a child that stands: itself, or the one that most of its files bear now."""
    db.execute(LEADS, {"files": files})


def reopen(db: store.Db, files: list[int], *, by: str, now: datetime) -> set[int]:
    """Bring the questions among these files to what stands: closed where both are one child's, or where a person has said of
    them or of any two files of their children that these are not one child's. Returns the children about whom a question
    closed or opened."""
    brought = db.execute(
        """with parted as (
               select least(a.child, b.child) as low, greatest(a.child, b.child) as high
               from identity_judgement j join identity_file a on a.id = j.file_a join identity_file b on b.id = j.file_b
               where j.until is null and j.judgement = 'no match' and j.file_a = any(%(files)s) and j.file_b = any(%(files)s)),
           state as (
               select q.id, coalesce(j.by, %(by)s) as by,
                      coalesce(j.judgement, case when q.reason = %(doubted)s then null when a.child = b.child then 'match'
                                                 when (least(a.child, b.child), greatest(a.child, b.child)) in (select low, high from parted)
                                                 then 'no match' end) as answer
               from identity_question q join identity_file a on a.id = q.file_a join identity_file b on b.id = q.file_b
               left join identity_judgement j on j.file_a = least(q.file_a, q.file_b) and j.file_b = greatest(q.file_a, q.file_b)
                    and j.until is null and j.judgement <> 'possible' and (q.reason <> %(doubted)s or j.since >= q.opened)
               where q.file_a = any(%(files)s) and q.file_b = any(%(files)s))
           update identity_question q set closed = case when s.answer is not null then coalesce(q.closed, %(now)s) end,
                  answer = s.answer, by = case when s.answer is not null then s.by end
           from state s, identity_file a, identity_file b
           where s.id = q.id and q.answer is distinct from s.answer and (q.closed is null or q.answer in ('match', 'no match'))
             and a.id = q.file_a and b.id = q.file_b
           returning a.child, b.child""",
        {"files": files, "by": by, "now": now, "doubted": DOUBTED},
    )
    return {child for children in brought for child in children}


def settle(db: store.Db, *, by: str, now: datetime, files: list[int] | None = None) -> None:
    """Close the questions whose two files are one child's by now; where that is what is doubted, only a person does.

    ``files``: those that were linked, where they are few (default: any may have been).
    """
    some = "" if files is None else "and (q.file_a = any(%(files)s) or q.file_b = any(%(files)s))"
    db.execute(
        f"""update identity_question q set closed = %(now)s, answer = 'match', by = %(by)s from identity_file a, identity_file b
            where q.closed is null and q.reason <> %(doubted)s and a.id = q.file_a and b.id = q.file_b and a.child = b.child {some}""",  # noqa: S608
        {"now": now, "by": by, "doubted": DOUBTED, "files": files},
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
