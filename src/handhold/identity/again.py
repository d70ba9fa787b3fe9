"""All files linked as if they had come today, so that the order in which they came decides nothing.

A file that comes attaches to one child or is asked about, and never merges two children that stand; and what was linked when
nothing spoke against it stands though a later file does. So a nation that came in pieces has more children than its files
say, more questions, and a few links too many (``docs/decisions/0020-the-night-links-all-again.md``). Here everything is
compared at once and only what would stand otherwise is linked anew. What persons said stands: a child of whose files a person
has said that they are one child's, or that has a file which only persons may link, stays as it is, and others may join it; what
a person has said is not one child's stays apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from handhold import store
from handhold.identity.asking import ask
from handhold.identity.compare import Engine, Scale, compare
from handhold.identity.describe import everyone
from handhold.identity.judgement import WHOLE, lead_on, reopen, settle, unborne
from handhold.identity.link import BOTH, asked_of, doubts_among, write
from handhold.identity.model import codes, keep, scale_later
from handhold.identity.partition import Progress, partition
from handhold.identity.review import DOUBTED
from handhold.pack import Pack

SYSTEM = "system"  # whoever asks for it, it is not a person who says that a question is answered
STANDING = f"""
    select f.id as file, f.agency, f.child, f.hold as held, f.child in ({WHOLE}) as kept,
        l.evidence ->> 'through' is null as founds
    from identity_file f left join identity_link l on l.file = f.id and l.until is null and l.judgement = 'match'
    where f.child is not null order by f.id"""  # noqa: S608
ELDEST = "select id from identity_child where id = any(%s) order by born, id"
ENDED = "update identity_link set until = %s where file = any(%s) and until is null and judgement = 'match'"
# Files of the children that were drawn anew, and of those that anything was ever asked about with them: what a person said of a
# child closed its questions, and holds for the files that are still one child's with those it was said of.
NEAR = """
    select f.id from identity_file f where f.child in (
        select g.child from identity_file g where g.id = any(%(files)s)
        union select g.child from identity_question q join identity_file g on g.id in (q.file_a, q.file_b)
              where q.file_a = any(%(files)s) or q.file_b = any(%(files)s))"""
# Questions about children of whom nothing is unsure any more; not where nothing was compared, and not where a person has said
# something.
IDLE = """
    delete from identity_question q using identity_file a, identity_file b
    where q.closed is null and q.reason <> %s and a.id = q.file_a and b.id = q.file_b
      and not (a.child in (select child from left_whole) and b.child in (select child from left_whole))
      and not exists (select from doubted d where d.low = least(a.child, b.child) and d.high = greatest(a.child, b.child))
      and not exists (select from identity_proposal p where p.until is null
                      and p.file_a = least(q.file_a, q.file_b) and p.file_b = greatest(q.file_a, q.file_b))
      and not exists (select from identity_judgement j where j.until is null
                      and j.file_a = least(q.file_a, q.file_b) and j.file_b = greatest(q.file_a, q.file_b))
    returning a.child, b.child"""


@dataclass(frozen=True)
class Again:
    """What stands otherwise now: ``moved`` (``file``; the child it ``had``, and whether that ``stands``; the ``child`` it has, and
    whether files of several came together there, ``joins``), how many questions are new and how many wait no more, and all
    children to be accounted for anew."""

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
    rules, kept = scale_later(pack, db)()
    keep(db, pack, rules, kept, now=now)
    stands = store.frame(db, STANDING)
    # A child that is left whole has a name of its own meanwhile: its id may be the one that the founder of others would give.
    whole = stands.filter("kept")["child"].unique().sort()
    meanwhile = {child: -turn for turn, child in enumerate(whole, 1)}
    files = stands.select("file", "agency", "held", child=_renamed("child", meanwhile), fresh=~pl.col("kept"))
    people = everyone(db, stands["file"], codes(pack))
    judged = store.frame(
        db, "select file_a as a, file_b as b, judgement from identity_judgement where until is null"
    )
    found = partition(files, people, judged, rules, progress, engine)
    once = stands.join(found.links.select("file", once="child"), on="file", how="left").select(
        "file",
        "agency",
        "kept",
        "founds",
        had="child",
        once=pl.coalesce("once", _renamed("child", meanwhile)),
    )
    other = once.filter(_differs())
    ids = _ids(db, other, {name: child for child, name in meanwhile.items()})
    drawn = other.filter(~pl.col("kept")).select("file", child=_of(ids))
    waited = _waiting(db)
    spoken_of = _draw(db, found.links, drawn, rules, by, now) if len(drawn) else set()
    child = once.select("file", "agency", "had", child=_of(ids))
    doubtful = doubts_among(found, child.drop("had"), judged, rules)
    asked = ask(db, asked_of(doubtful, rules), now=now)
    settle(db, by=SYSTEM, now=now)
    idle = _idle(db, doubtful, whole)
    moved = child.select(
        "file", "had", "child", stands=pl.col("had").is_in(pl.col("child").unique().implode()),
        joins=pl.col("had").n_unique().over("child") > 1,
    ).filter(pl.col("child") != pl.col("had"))  # fmt: skip
    asked_of_them = pl.Series("child", sorted(spoken_of), pl.Int64)
    touched = [moved["had"], moved["child"], *(doubtful[side] for side in BOTH), idle, asked_of_them]
    children = pl.concat([some.alias("child") for some in touched]).unique().sort()
    return Again(moved, asked, waited + asked - _waiting(db), children)


def _draw(db: store.Db, links: pl.DataFrame, drawn: pl.DataFrame, rules: Scale, by: str, now: datetime) -> set[int]:  # fmt: skip
    """End the links of these files and draw those found instead, and let ids and questions follow; returns the children about whom
    a question closed or opened."""
    files = drawn["file"].to_list()
    db.execute(ENDED, [now, files])
    write(db, links.drop("child").join(drawn, on="file", maintain_order="left"), rules, by, now)
    lead_on(db, files)
    return reopen(db, [file for (file,) in db.execute(NEAR, {"files": files})], by=SYSTEM, now=now)


def _renamed(column: str, names: Mapping[int, int]) -> pl.Expr:
    """The ids of these children as other names, null for all others."""
    if not names:
        return pl.lit(None, pl.Int64)
    return pl.col(column).replace_strict(names, default=None, return_dtype=pl.Int64)


def _differs() -> pl.Expr:
    """Of files of children that are put together otherwise, all of them; also where two links of a child hang on nothing."""
    together, had, once = (pl.len().over(*by) for by in (("had", "once"), ("had",), ("once",)))
    loose = (pl.col("founds").sum().over("had") > 1) & ~pl.col("kept").any().over("had")
    return (together != had) | (together != once) | loose


def _of(ids: Mapping[int, int]) -> pl.Expr:
    had = pl.col("had")
    return pl.col("file").replace_strict(ids, default=had, return_dtype=pl.Int64) if ids else had


def _ids(db: store.Db, other: pl.DataFrame, whole: Mapping[int, int]) -> dict[int, int]:
    """The child id of each of these files (``file, had, once``): of a child left whole (``whole``: its id by its name meanwhile),
    its own; else that of the child that bore all its files, or most of those left; else its founder's, or the next of its kind
    where another child bears that."""
    named = {once: whole[once] for once in other["once"].unique() if once in whole}
    parts = (
        other.filter(~pl.col("had").is_in(list(whole.values())))
        .group_by("had", "once")
        .agg(n=pl.len(), least=pl.col("file").min())
    )
    held = parts.with_columns(all=pl.col("n") == pl.col("n").sum().over("had"))
    eldest = {row[0]: turn for turn, row in enumerate(db.execute(ELDEST, [held["had"].unique().to_list()]))}
    ranked = sorted(
        held.iter_rows(named=True), key=lambda p: (not p["all"], eldest[p["had"]], -p["n"], p["least"])
    )
    taken = set(whole.values())
    for part in ranked:
        if part["once"] not in named and part["had"] not in taken:
            named[part["once"]] = part["had"]
            taken.add(part["had"])
    for once in other["once"].unique(maintain_order=True):
        if once not in named:
            named[once] = unborne(db, once, taken)
            taken.add(named[once])
    return {file: named[once] for file, once in other.select("file", "once").iter_rows()}


def _waiting(db: store.Db) -> int:
    return int(store.fetch(db, "select count(*) as n from identity_question where closed is null")[0]["n"])


def _idle(db: store.Db, doubtful: pl.DataFrame, whole: pl.Series) -> pl.Series:
    """Take away the questions about children of whom nothing is unsure; returns both children of each."""
    db.execute("create temp table doubted (low bigint, high bigint, primary key (low, high)) on commit drop")
    db.execute("create temp table left_whole (child bigint primary key) on commit drop")
    store.copy_in(db, "doubted", doubtful.select("low", "high"))
    store.copy_in(db, "left_whole", whole.to_frame("child"))
    db.execute("analyze doubted; analyze left_whole")
    gone = db.execute(IDLE, [DOUBTED]).fetchall()
    db.execute("drop table doubted; drop table left_whole")
    return pl.Series("child", [child for pair in gone for child in pair], pl.Int64)
