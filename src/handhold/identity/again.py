"""All files linked as if they had come today, so that the order in which they came decides nothing.

A file that comes attaches to one child or is asked about, and never merges two children that stand; and what was linked when
nothing spoke against it stands though a later file does. So a nation that came in pieces has more children than its files
say, more questions, and a few links too many (docs/decisions/0020). Here everything is compared at once and only what would
stand otherwise is linked anew. What persons said stands: a child that a person put together, or that has a file which only
persons may link, stays as it is, and what was said to be apart stays apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from handhold import store
from handhold.identity.asking import ask
from handhold.identity.compare import Engine, compare
from handhold.identity.describe import everyone
from handhold.identity.judgement import settle
from handhold.identity.link import BOTH, asked_of, doubts_among, write
from handhold.identity.model import codes, scale
from handhold.identity.parting import named
from handhold.identity.partition import Progress, partition
from handhold.identity.review import DOUBTED
from handhold.identity.unlink import forward
from handhold.pack import Pack

STANDING = """
    select f.id as file, f.agency, f.child, f.hold as held, f.child in (
        select g.child from identity_judgement j join identity_file g on g.id in (j.file_a, j.file_b)
        where j.until is null and j.judgement = 'match'
        union select g.child from identity_file g where g.linked_by = 'person' or g.hold) as kept,
        l.evidence ->> 'through' is null as founds
    from identity_file f left join identity_link l on l.file = f.id and l.until is null and l.judgement = 'match'
    where f.child is not null order by f.id"""
ELDEST = "select id from identity_child where id = any(%s) order by born, id"
BORNE = "select 1 from identity_file where child = %s limit 1"
ENDED = "update identity_link set until = %s where file = any(%s) and until is null and judgement = 'match'"
# Questions about children of whom nothing is unsure any more, unless a person has said something of theirs.
IDLE = """
    delete from identity_question q using identity_file a, identity_file b
    where q.closed is null and q.reason <> %s and a.id = q.file_a and b.id = q.file_b
      and not exists (select from doubted d where d.low = least(a.child, b.child) and d.high = greatest(a.child, b.child))
      and not exists (select from identity_proposal p where p.until is null
                      and p.file_a = least(q.file_a, q.file_b) and p.file_b = greatest(q.file_a, q.file_b))
      and not exists (select from identity_judgement j where j.until is null
                      and j.file_a = least(q.file_a, q.file_b) and j.file_b = greatest(q.file_a, q.file_b))"""


@dataclass(frozen=True)
class Again:
    """What stands otherwise now: ``moved`` (``file``, the child it ``had`` and the ``child`` it has), how many questions are
    new and how many are asked no more, and all children to be accounted for anew."""

    moved: pl.DataFrame
    asked: int
    idle: int
    children: pl.Series


def again(
    db: store.Db, *, by: str, now: datetime, pack: Pack, progress: Progress | None = None, engine: Engine = compare
) -> Again:  # fmt: skip
    """Link everything anew where it would stand otherwise had it all come at once; a second time changes nothing.

    The id of a child stays with the files that bore it, or most of them; one that nobody bears any more leads on. Files that
    are fresh are linked first: see :func:`handhold.identity.link.identify`.
    """
    store.lock(db, "identity")
    rules = scale(pack, db)
    stands = store.frame(db, STANDING)
    files = stands.select(
        "file", "agency", "held", child=pl.when("kept").then("child"), fresh=~pl.col("kept")
    )
    people = everyone(db, stands["file"], codes(pack))
    judged = store.frame(
        db, "select file_a as a, file_b as b, judgement from identity_judgement where until is null"
    )
    found = partition(files, people, judged, rules, progress, engine)
    once = stands.join(found.links.select("file", once="child"), on="file", how="left").select(
        "file", "agency", "kept", "founds", had="child", once=pl.coalesce("once", "child")
    )
    other = once.filter(_differs())
    ids = _ids(db, other)
    drawn = other.filter(~pl.col("kept")).select("file", child=_of(ids, pl.col("had")))
    if len(drawn):
        db.execute(ENDED, [now, drawn["file"].to_list()])
        links = found.links.drop("child").join(drawn, on="file", maintain_order="left")
        write(db, links, rules, by, now)
        forward(db)
    child = once.select("file", "agency", "had", child=_of(ids, pl.col("had")))
    doubtful = doubts_among(found, child.drop("had"), judged, rules)
    waited = _waiting(db)
    asked = ask(db, asked_of(doubtful, rules), now=now)
    settle(db, by=by, now=now)
    idle = _idle(db, doubtful)
    moved = child.filter(pl.col("child") != pl.col("had")).select("file", "had", "child")
    touched = [moved["had"], moved["child"], *(doubtful[side] for side in BOTH), idle]
    children = pl.concat([some.alias("child") for some in touched]).unique().sort()
    return Again(moved, asked, waited + asked - _waiting(db), children)


def _differs() -> pl.Expr:
    """Of files of children that are put together otherwise, all of them; also where two links of a child hang on nothing."""
    together, had, once = (pl.len().over(*by) for by in (("had", "once"), ("had",), ("once",)))
    loose = (pl.col("founds").sum().over("had") > 1) & ~pl.col("kept").any().over("had")
    return (together != had) | (together != once) | loose


def _of(ids: Mapping[int, int], default: pl.Expr) -> pl.Expr:
    return pl.col("file").replace_strict(ids, default=default, return_dtype=pl.Int64) if ids else default


def _ids(db: store.Db, other: pl.DataFrame) -> dict[int, int]:
    """The child id of each of these files (``file, kept, had, once``): that of a child that stays whole; else of the one that
    bore it whole, or mostly; else that of its founder, or the next of its kind where another child bears that by now."""
    stays = pl.col("had").filter("kept").first().alias("stays")
    groups = other.group_by("once", maintain_order=True).agg("file", stays)
    kept, free = (
        groups.filter(which) for which in (pl.col("stays").is_not_null(), pl.col("stays").is_null())
    )
    taken = set(kept["stays"])
    had = dict(other.filter(~pl.col("had").is_in(list(taken))).select("file", "had").iter_rows())
    eldest = [row[0] for row in db.execute(ELDEST, [sorted(set(had.values()))])]
    parts = [frozenset(files) for files in free["file"]]
    found = {file: child for files, child in kept.select("file", "stays").iter_rows() for file in files}
    names = named(parts, had, had, eldest)
    taken |= {child for child in names if child is not None}
    for part, name, once in zip(parts, names, free["once"], strict=True):
        child = _unborne(db, once, taken) if name is None else name
        taken.add(child)
        found |= dict.fromkeys(part, child)
    return found


def _unborne(db: store.Db, child: int, taken: set[int]) -> int:
    """This id, or the next of its kind that no child bears."""
    found, turn = child, 0
    while found in taken or db.execute(BORNE, [found]).fetchone():
        turn += 1
        found = int(store.stable_ids("child", pl.Series([child]), pl.Series([turn]))[0])
    return found


def _waiting(db: store.Db) -> int:
    return int(store.fetch(db, "select count(*) as n from identity_question where closed is null")[0]["n"])


def _idle(db: store.Db, doubtful: pl.DataFrame) -> pl.Series:
    """Take away the questions about children of whom nothing is unsure; returns both children of each."""
    db.execute("create temp table doubted (low bigint, high bigint) on commit drop")
    store.copy_in(db, "doubted", doubtful.select("low", "high"))
    gone = db.execute(IDLE + " returning a.child, b.child", [DOUBTED]).fetchall()
    db.execute("drop table doubted")
    return pl.Series("child", [child for pair in gone for child in pair], pl.Int64)
