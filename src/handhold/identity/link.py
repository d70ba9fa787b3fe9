"""Find the child of every fresh file: candidates, compared, joined without running away; what is unsure is asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from handhold import store
from handhold.identity import few, newcomers
from handhold.identity.asking import Asked, ask
from handhold.identity.candidates import keys, profiles
from handhold.identity.cluster import ONE_FILE_EACH
from handhold.identity.compare import Engine, Scale, compare, in_hundredths
from handhold.identity.describe import blind_keys, everyone, heed, made_later, renewed, spoken
from handhold.identity.judgement import founding, settle
from handhold.identity.model import codes, keep, scale_later
from handhold.identity.partition import RARE, Found, Progress, partition
from handhold.identity.spec import NAMES as TRAITS
from handhold.pack import Pack

BOTH = {"low": pl.min_horizontal("child_a", "child_b"), "high": pl.max_horizontal("child_a", "child_b")}
MET = """
    insert into involved select distinct k.file from looked_for l join identity_key k using (key) on conflict do nothing"""
KIN = """
    insert into involved
    select f.id from identity_file f where f.child in (
        select child from identity_file where fresh union select g.child from involved join identity_file g using (id))
    on conflict do nothing"""
GIVEN_UP = """
    select distinct g.child from identity_file f join identity_description d on d.file = f.id and d.withdrawn
    join identity_key k on k.key = d.number join identity_file g on g.id = k.file
    where f.fresh and f.child is not null and g.child is not null"""
FRESH = "select id as file, agency, child, true as fresh, hold as held from identity_file where fresh"
OTHERS = """
    select id as file, agency, child, false as fresh, hold as held from involved join identity_file using (id)"""


@dataclass(frozen=True)
class Identified:
    """The children whose files changed, how many files were linked to another, how many questions were opened, and the children
    about whom there is more or less doubt (``doubted``)."""

    children: pl.Series
    linked: int
    questions: int
    doubted: pl.Series


def identify(
    db: store.Db,
    *,
    by: str,
    now: datetime,
    pack: Pack,
    progress: Progress | None = None,
    engine: Engine = compare,
) -> Identified:
    """Link all fresh files; deterministic for the same files, whatever their order. The same run again changes nothing.

    A few new files beside many are taken one by one, the same way (see :mod:`handhold.identity.newcomers`), and never by ``engine``:
    where the pairs of many are compared.
    """
    # All that can be asked beforehand in one round trip: see newcomers.
    with db.pipeline():
        store.lock(db, "identity")
        heed(db)
        told = newcomers.fresh(db)
        made, scale = made_later(db), scale_later(pack, db)
    rows, before = told.fetchall(), made()
    if rows or before is not None:
        renewed(db, before)
    if not rows:
        return Identified(_children(()), 0, 0, _children(()))
    rules, kept = scale()
    keep(db, pack, rules, kept, now=now)
    written = codes(pack)
    if len(rows) <= few.FEW:
        few_files = newcomers.opened(rows, written)
        freed = _given_up(db) if any(file.child is not None for file in few_files.values()) else []
        links, unsure, asked = newcomers.join(db, few_files, rules, by=by, now=now, written=written)
        doubted = _children({child for doubt in unsure for child in doubt.children}.union(freed))
        linked = sum(link.through is not None for link in links)
        return Identified(_children({link.child for link in links}), linked, asked, doubted)
    freed = _given_up(db)
    files, people = _involved(db, written)
    judged = store.frame(
        db, "select file_a as a, file_b as b, judgement from identity_judgement where until is null"
    )
    new = files.filter(pl.col("child").is_null())["file"]
    found = partition(files, people, judged, rules, progress, engine, founding(db, new))
    child = files.join(found.links.select("file", now="child"), on="file", how="left")
    stands = child.select("file", "agency", child=pl.coalesce("now", "child"))
    doubtful = doubts_among(found, stands, judged, rules)
    asked = ask(db, asked_of(doubtful, rules), now=now)
    changed = write(db, found.links, rules, by, now)
    settle(db, by=by, now=now)
    doubted = _children({child for side in BOTH for child in doubtful[side]}.union(freed))
    return Identified(changed, found.links["through"].count(), asked, doubted)


def _children(ids: Iterable[int]) -> pl.Series:
    return pl.Series("child", sorted(ids), pl.Int64)


def _given_up(db: store.Db) -> list[int]:
    """Children of whom some file states an A-number that a fresh file states no more."""
    return [child for (child,) in db.execute(GIVEN_UP)]


def _involved(db: store.Db, written: dict[str, dict[str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fresh files, those they meet by any key, and the other files of those children, with their profiles.

    The first frame has ``file, agency, child, fresh, held``.
    """
    fresh = store.frame(db, FRESH)  # once: others may come meanwhile, and are linked next
    others = fresh.clear()
    if store.fetch(db, "select 1 from identity_file where not fresh limit 1"):
        met = [blind_keys(keys(profiles(said, {}))).select("key") for said in spoken(db, fresh["file"])]
        db.execute("create temp table looked_for (key bigint primary key) on commit drop")
        store.copy_in(db, "looked_for", pl.concat(met).unique())
        db.execute("analyze looked_for")
        db.execute("create temp table involved (id bigint primary key) on commit drop")
        db.execute(MET)
        db.execute(KIN)
        others = store.frame(db, OTHERS).join(fresh, on="file", how="anti")
        db.execute("drop table involved, looked_for")
    files = pl.concat([fresh, others])
    return files, everyone(db, files["file"], written)


def write(db: store.Db, links: pl.DataFrame, rules: Scale, by: str, now: datetime) -> pl.Series:
    """Keep the children and the links that are new (``links`` of :class:`Found`); files that had a child keep it."""
    children = links.select(id="child", born=pl.lit(now)).unique(subset="id", maintain_order=True)
    store.upsert(db, "identity_child", children, ["id"], update=[])
    numbered = pl.col("through").is_null() | (pl.col("number") == "same") | (pl.col("court") == "same")
    new = links.filter(pl.col("had").is_null()).with_columns(
        linked_by=pl.when(numbered).then(pl.lit("number")).otherwise(pl.lit("match")),
        probability=_probability(),
        evidence=_evidence(rules),
    )
    same = {"judgement": pl.lit("match"), "by": pl.lit(by), "since": pl.lit(now)}
    store.copy_in(
        db, "identity_link", new.select("file", "child", "linked_by", "probability", "evidence", **same)
    )
    db.execute(
        "create temp table linked (id bigint primary key, child bigint, linked_by text, probability real) on commit drop"
    )
    store.copy_in(db, "linked", new.select("child", "linked_by", "probability", id="file"))
    db.execute(
        """update identity_file f set child = l.child, linked_by = l.linked_by, probability = l.probability, since = %s, fresh = false
           from linked l where l.id = f.id""",
        [now],
    )
    # Only what was read: others may have come meanwhile, and are linked next.
    had = links.filter(pl.col("had").is_not_null())["file"]
    db.execute("update identity_file set fresh = false where id = any(%s)", [had.to_list()])
    store.tell_planner(db, "identity_file", len(new))
    db.execute("drop table linked")
    return links["child"].unique().sort()


def _probability() -> pl.Expr:
    """Bits to a probability; the founder of a child is certainly its own."""
    return (
        pl.when(pl.col("through").is_null())
        .then(1.0)
        .otherwise(1 / (1 + pl.lit(2.0) ** -pl.col("weight").fill_null(0.0)))
    )


def _evidence(rules: Scale) -> pl.Expr:
    """Codes only: with which file, how each trait compared, how many bits, by which model and rules. See ``explain``."""
    told = pl.struct("through", pl.col("mate").alias("with"), *_bits(rules)).struct.json_encode()
    return pl.when(pl.col("through").is_null()).then(pl.lit("{}")).otherwise(told)


def _bits(rules: Scale) -> list[pl.Expr]:
    rarity = pl.struct(in_hundredths(pl.col(f"{trait}_rare")).alias(trait) for trait in ("surname", "given"))
    return [
        pl.lit(rules.version).alias("model"),
        pl.lit(rules.ruled).alias("rules"),
        in_hundredths(pl.col("weight")),
        rarity.alias("rarity"),
        *(pl.col(t) for t in TRAITS),
    ]


def asked_of(doubtful: pl.DataFrame, rules: Scale) -> list[Asked]:
    """What :func:`doubts_among` found, as it is asked."""
    told = pl.struct("gate", "why", *_bits(rules)).struct.json_encode().alias("evidence")
    rows = doubtful.select("a", "b", "low", "high", "reason", "weight", told).iter_rows()
    return [Asked((a, b), (low, high), *rest) for a, b, low, high, *rest in rows]


def doubts_among(found: Found, child: pl.DataFrame, judged: pl.DataFrame, weights: Scale) -> pl.DataFrame:
    """Compared pairs that a person should see, the weightiest of each two children (``low, high``): ``a, b, reason, weight``,
    levels. ``child``: file, agency, child; ``judged``: a, b, judgement.

    A shared number on two children is asked, and every link that was refused, with its reason; what only looks alike is asked
    when it weighs enough and the two children could be one (no agency has a file of each). Where a person has said of any of
    their files that these are two children, nobody is asked again.
    """
    refused = pl.DataFrame(
        [(r.edge.a, r.edge.b, r.why) for r in found.refused],
        schema={"a": pl.Int64, "b": pl.Int64, "why": pl.String},
        orient="row",
    )
    shared = (pl.col("number") == "same") | (pl.col("court") == "same")
    heavy = pl.col("weight") >= weights.threshold("ask")
    sides = [child.rename({"file": s, "child": f"child_{s}", "agency": f"agency_{s}"}) for s in "ab"]
    apart = (
        found.pairs.filter(shared | heavy)  # a nation's other pairs are three of four
        .join(sides[0], on="a")
        .join(sides[1], on="b")
        .filter(pl.col("child_a") != pl.col("child_b"))
    )
    full = (
        child.filter(pl.col("agency").is_in(list(ONE_FILE_EACH)))
        .group_by("child")
        .agg(pl.col("agency").unique())
    )
    held = [full.rename({"child": f"child_{s}", "agency": f"has_{s}"}) for s in "ab"]
    known = (
        apart.join(refused, on=["a", "b"], how="left")
        .join(held[0], on="child_a", how="left")
        .join(held[1], on="child_b", how="left")
    )
    clash = (pl.col("has_a").list.set_intersection("has_b").list.len() > 0).fill_null(False)
    reason = (
        pl.when(shared).then(pl.lit("same-number-other-child"))
        .when(pl.col("why").is_not_null()).then("why")
        .when(heavy & ~clash).then(pl.lit("alike"))
    )  # fmt: skip
    told = known.with_columns(reason=reason, **BOTH)
    picked = (
        told.filter(pl.col("reason").is_not_null())
        .join(_parted(judged, sides), on=["low", "high"], how="anti")
        .sort(-pl.col("weight"), "a", "b")
    )
    return picked.unique(subset=["low", "high"], keep="first", maintain_order=True).select(
        "a", "b", "low", "high", "reason", "why", "weight", "gate", *RARE, *TRAITS
    )


def _parted(judged: pl.DataFrame, sides: list[pl.DataFrame]) -> pl.DataFrame:
    """Two children each (``low, high``) of whose files a person has said that these are not one child's."""
    said = judged.filter(pl.col("judgement") == "no match").join(sides[0], on="a").join(sides[1], on="b")
    return said.select(**BOTH).unique()


__all__ = ["Found", "Identified", "asked_of", "doubts_among", "identify", "partition", "write"]
