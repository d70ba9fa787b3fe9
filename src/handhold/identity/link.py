"""Find the child of every fresh file: candidates, compared, joined without running away; what is unsure is asked."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store
from handhold.identity import few
from handhold.identity.candidates import BETWEEN, CROWD, NUMBERS, keys, profiles
from handhold.identity.cluster import HOUSE_ORDER, ONE_FILE_EACH
from handhold.identity.compare import Engine, Scale, compare
from handhold.identity.describe import blind_keys, everyone, made_later, renewed, spoken
from handhold.identity.judgement import settle
from handhold.identity.model import codes, scale_later
from handhold.identity.partition import RARE, Found, Progress, partition
from handhold.identity.spec import NAMES as TRAITS
from handhold.pack import Pack

Codes = dict[str, dict[str, str]]  # how agencies write countries and languages: ``model.codes``
Judged = tuple[int, int, str]  # two files, the smaller first, and what a person said of them
MET = """
    insert into involved select distinct k.file from looked_for l join identity_key k using (key) on conflict do nothing"""
KIN = """
    insert into involved
    select f.id from identity_file f
    where f.child in (select g.child from identity_file g join involved i on i.id = g.id where g.child is not null)
    on conflict do nothing"""
INVOLVED = """
    select f.id as file, f.agency, f.child, f.fresh, f.hold as held from identity_file f join involved i using (id)
    order by array_position(%s::text[], f.agency), f.id"""
FRESH = """
    select f.id, f.agency, f.child, f.hold, d.id, d.sealed from (select id, agency, child, hold from identity_file where fresh limit %s) f
    left join identity_description d on d.file = f.id and not d.withdrawn"""
# The fresh files and those that any of the keys finds, unless a crowd shares it, by which keys, and whether they said otherwise
# before; the other files of their children; with which files persons judged each; and about which fresh ones a question waits
# (one by one: "exists" would read all questions that wait).
AROUND = """
    with met as (
        select met.file as id, array_agg(looked.key) as keys from unnest(%s::bigint[]) looked (key)
        cross join lateral (select array_agg(k.file) as files from (select file from identity_key where key = looked.key limit %s) k) found
        cross join lateral unnest(found.files) met (file) where cardinality(found.files) <= %s group by met.file),
    near as (
        select id, keys from met
        union all select id, null from identity_file where fresh and id not in (select id from met)),
    around as (
        select n.id, n.keys, exists (select from identity_description d where d.file = n.id and d.withdrawn) as changed from near n
        union all select g.id, null, false from (select distinct f.child from near join identity_file f using (id)) c
        join identity_file g on g.child = c.child where g.id not in (select id from near))
    select f.id, f.agency, f.child, f.fresh, f.hold, a.keys, a.changed, (
        select jsonb_agg(jsonb_build_array(j.file_b, j.judgement)) from identity_judgement j where j.until is null and j.file_a = f.id),
        f.fresh and coalesce((select true from identity_question q where q.closed is null and q.file_a = f.id limit 1),
            (select true from identity_question q where q.closed is null and q.file_b = f.id limit 1), false)
    from around a join identity_file f on f.id = a.id"""
SAYING = "select file, id, sealed from identity_description where file = any(%s) and not withdrawn"
SAYING_AROUND = """
    select d.file, d.id, d.sealed from identity_description d where not d.withdrawn and d.file in (
        select k.file from unnest(%s::bigint[]) looked (key) cross join lateral (
            select file from identity_key where key = looked.key limit %s) k)"""
LINK = """
    with link as (select %s::bigint as file, %s::bigint as child, %s as linked_by, %s::real as probability, %s::timestamptz as since),
    born as (insert into identity_child (id, born) select child, since from link on conflict (id) do nothing),
    drawn as (
        insert into identity_link (file, child, judgement, linked_by, probability, evidence, by, since)
        select file, child, 'match', linked_by, probability, %s::jsonb, %s, since from link)
    update identity_file f set child = l.child, linked_by = l.linked_by, probability = l.probability, since = l.since, fresh = false
    from link l where f.id = l.file"""
# One that waits already says henceforth what is known now; one that was answered stays as it was answered.
QUESTION = """
    insert into identity_question (id, file_a, file_b, reason, weight, evidence, opened) values (%s, %s, %s, %s, %s, %s, %s)
    on conflict (id) do update set reason = excluded.reason, weight = excluded.weight, evidence = excluded.evidence
    where identity_question.closed is null returning xmax = 0"""
ASKED = "select id, closed is not null as closed from identity_question where id = any(%s)"


@dataclass(frozen=True)
class Identified:
    """The children whose files changed, how many files were linked to another, how many questions were opened."""

    children: pl.Series
    linked: int
    questions: int


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

    A few new files beside many are taken one by one, the same way (see :mod:`handhold.identity.few`), and never by ``engine``:
    where the pairs of many are compared.
    """
    # A file that comes alone waits longer for answers than for work: all that is known beforehand in one round trip.
    with db.pipeline():
        store.lock(db, "identity")
        told = db.execute(FRESH, [few.FEW + 1])
        made, scale = made_later(db), scale_later(pack, db)
    rows = told.fetchall()
    fresh = {id: few.File(id, agency, child, True, hold, None) for id, agency, child, hold, _, _ in rows}
    if not fresh:
        return Identified(pl.Series("child", [], pl.Int64), 0, 0)
    renewed(db, made())
    rules = scale()
    if len(fresh) <= few.FEW:
        written = codes(pack)
        sealed = ((file, id, text) for file, *_, id, text in rows if id is not None)
        said = _heard(fresh, sealed, written)
        some = {id: replace(file, profiles=said[id]) for id, file in fresh.items()}
        return _identify_few(db, some, rules, by=by, now=now, written=written)
    files, people = _involved(db, codes(pack))
    judged = store.frame(
        db, "select file_a as a, file_b as b, judgement from identity_judgement where until is null"
    )
    found = partition(files, people, judged, rules, progress, engine)
    child = files.join(found.links.select("file", now="child"), on="file", how="left")
    asked = _ask(
        db, found, child.select("file", "agency", child=pl.coalesce("now", "child")), judged, rules, now
    )
    changed = _write(db, found.links, rules.version, by, now)
    settle(db, by=by, now=now)
    return Identified(changed, found.links["through"].count(), asked)


def _identify_few(
    db: store.Db, fresh: dict[int, few.File], rules: Scale, *, by: str, now: datetime, written: Codes
) -> Identified:
    """The same for a few fresh files, over plain values."""
    files, judged, waits = _around(db, fresh, written)
    apart = [(a, b) for a, b, judgement in judged if judgement == "no match"]
    found = few.partition(files, apart, rules, lambda more: _said(db, more, written))
    made = few.links(files, found)
    child = {id: file.child for id, file in files.items()} | {link.file: link.child for link in made}
    answered = {(a, b) for a, b, judgement in judged if judgement != "possible"}
    doubts = [doubt for doubt in few.doubts(files, found, child, rules) if (doubt.a, doubt.b) not in answered]
    asked = _write_few(db, made, doubts, rules.version, by, now)
    if waits:
        settle(db, by=by, now=now, files=[link.file for link in made])
    children = pl.Series("child", sorted({link.child for link in made}), pl.Int64)
    return Identified(children, sum(link.through is not None for link in made), asked)


def _around(
    db: store.Db, fresh: Mapping[int, few.File], written: Codes
) -> tuple[dict[int, few.File], list[Judged], bool]:
    """These files with all that any of their keys finds, and the other files of their children; only at those that share a
    number has anybody looked. Also what persons said of any two of them, and whether a question waits about a fresh one.

    One that said otherwise before may have been found by that: what it shares now is to be found out.
    """
    plain = [key for file in fresh.values() for key in few.keys(file)]
    blinded = store.blind_all((BETWEEN.join(key) for key in plain), "identity-key")
    looked_for = dict(zip(blinded, plain, strict=True))
    numbers = [key for key, (kind, _) in looked_for.items() if kind in NUMBERS]
    with db.pipeline():
        around = db.execute(AROUND, [list(looked_for), CROWD + 1, CROWD])
        saying = db.execute(SAYING_AROUND, [numbers, CROWD])
    rows, sealed = around.fetchall(), saying.fetchall()
    said = _heard({file for file, _, _ in sealed} - fresh.keys(), sealed, written)
    files = dict(fresh)
    for id, agency, child, new, hold, met, changed, _, _ in rows:
        if not new:
            shares = None if changed else frozenset(looked_for[key] for key in met or ())
            files[id] = few.File(id, agency, child, False, hold, said.get(id), shares)
    judged = [(a, b, how) for a, *_, words, _ in rows for b, how in words or () if b in files]
    return files, judged, any(waits for *_, waits in rows)


def _said(db: store.Db, files: list[int], written: Codes) -> dict[int, few.Told]:
    """What files say now, in the clear."""
    return _heard(files, db.execute(SAYING, [files]).fetchall(), written)


def _heard(
    files: Iterable[int], sealed: Iterable[tuple[int, int, bytes]], written: Codes
) -> dict[int, few.Told]:
    """The same, once fetched: of these files, whatever else was."""
    said: dict[int, list[dict[str, Any]]] = {file: [] for file in files}
    for file, id, text in sealed:
        if file in said:
            told = store.unseal("identity", f"identity_description.sealed.{id}", text)
            said[file].append(json.loads(told))
    return {file: few.profiles(rows, written) for file, rows in said.items()}


def _write_few(
    db: store.Db, made: list[few.Link], doubts: list[few.Doubt], model: str, by: str, now: datetime
) -> int:
    """Keep the children and the links that are new and open the questions, in one round trip; how many questions are new."""
    new = [link for link in made if link.had is None]
    had = [link.file for link in made if link.had is not None]
    with db.pipeline():
        for link in new:
            numbered = link.through is None or (
                link.weighed is not None and "same" in link.weighed.levels[:2]
            )
            how = "number" if numbered else "match"
            bits = link.weighed.weight if link.weighed else 0.0
            sure = 1.0 if link.through is None else 1 / (1 + 2.0**-bits)
            told = json.dumps(_told(link, model))
            db.execute(LINK, [link.file, link.child, how, sure, now, told, by])
        if had:
            db.execute("update identity_file set fresh = false where id = any(%s)", [had])
        opened = [db.execute(QUESTION, _question(doubt, model, now)) for doubt in doubts]
    return sum((True,) in one.fetchall() for one in opened)


def _question(doubt: few.Doubt, model: str, now: datetime) -> list[Any]:
    told = {"gate": doubt.weighed.gate, "why": doubt.why, **_weighed(doubt.weighed, model)}
    id = store.stable_ids("question", pl.Series([doubt.a]), pl.Series([doubt.b]))[0]
    return [id, doubt.a, doubt.b, doubt.reason, doubt.weighed.weight, json.dumps(told), now]


def _told(link: few.Link, model: str) -> dict[str, Any]:
    """The evidence of a link; see :func:`_evidence`."""
    if link.through is None:
        return {}
    return {"through": link.through, "with": link.mate, **_weighed(link.weighed, model)}


def _weighed(w: few.Weighed | None, model: str) -> dict[str, Any]:
    """The same as :func:`_bits`."""
    if w is None:
        nothing = {"surname": None, "given": None}
        return {"model": model, "weight": None, "rarity": nothing, **dict.fromkeys(TRAITS)}
    rarity = {"surname": round(w.surname_rare, 2), "given": round(w.given_rare, 2)}
    levels = dict(zip(TRAITS, w.levels, strict=True))
    return {"model": model, "weight": round(w.weight, 2), "rarity": rarity, **levels}


def _involved(db: store.Db, written: dict[str, dict[str, str]]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Fresh files, those they meet by any key, and the other files of those children, with their profiles.

    The first frame has ``file, agency, child, fresh, held``.
    """
    db.execute("create temp table involved (id bigint primary key) on commit drop")
    db.execute("insert into involved select id from identity_file where fresh")
    if store.fetch(db, "select 1 from identity_file where not fresh limit 1"):
        fresh = store.frame(db, "select id from involved")["id"]
        met = [blind_keys(keys(profiles(said, {}))).select("key") for said in spoken(db, fresh)]
        db.execute("create temp table looked_for (key bigint primary key) on commit drop")
        store.copy_in(db, "looked_for", pl.concat(met).unique())
        db.execute("analyze looked_for")
        db.execute(MET)
        db.execute(KIN)
        db.execute("drop table looked_for")
    files = store.frame(db, INVOLVED, [list(HOUSE_ORDER)])
    return files, everyone(db, files["file"], written)


def _write(db: store.Db, links: pl.DataFrame, model: str, by: str, now: datetime) -> pl.Series:
    """Keep the children and the links that are new; files that had a child keep it."""
    children = links.select(id="child", born=pl.lit(now)).unique(subset="id", maintain_order=True)
    store.upsert(db, "identity_child", children, ["id"], update=[])
    numbered = pl.col("through").is_null() | (pl.col("number") == "same") | (pl.col("court") == "same")
    new = links.filter(pl.col("had").is_null()).with_columns(
        linked_by=pl.when(numbered).then(pl.lit("number")).otherwise(pl.lit("match")),
        probability=_probability(),
        evidence=_evidence(model),
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
    db.execute("update identity_file set fresh = false where fresh")
    store.tell_planner(db, "identity_file", len(new))
    db.execute("drop table linked; drop table involved")
    return links["child"].unique().sort()


def _probability() -> pl.Expr:
    """Bits to a probability; the founder of a child is certainly its own."""
    return (
        pl.when(pl.col("through").is_null())
        .then(1.0)
        .otherwise(1 / (1 + pl.lit(2.0) ** -pl.col("weight").fill_null(0.0)))
    )


def _evidence(model: str) -> pl.Expr:
    """Codes only: with which file, how each trait compared, how many bits, by which model. See ``explain``."""
    told = pl.struct("through", pl.col("mate").alias("with"), *_bits(model)).struct.json_encode()
    return pl.when(pl.col("through").is_null()).then(pl.lit("{}")).otherwise(told)


def _bits(model: str) -> list[pl.Expr]:
    rarity = pl.struct(pl.col(f"{trait}_rare").round(2).alias(trait) for trait in ("surname", "given"))
    return [
        pl.lit(model).alias("model"),
        pl.col("weight").round(2),
        rarity.alias("rarity"),
        *(pl.col(t) for t in TRAITS),
    ]


def _ask(
    db: store.Db, found: Found, child: pl.DataFrame, judged: pl.DataFrame, weights: Scale, now: datetime
) -> int:
    """Open a question for what stayed undecided between two children: one for each pair of children, the weightiest.

    One that waits already says henceforth what is known now, see :data:`QUESTION`. Returns how many are new.
    """
    doubtful = doubts_among(found, child, weights)
    if not len(doubtful):
        return 0
    told = pl.struct("gate", "why", *_bits(weights.version)).struct.json_encode().alias("evidence")
    evidence = doubtful.select(told)["evidence"]
    asked = doubtful.select(
        file_a="a", file_b="b", reason="reason", weight="weight", evidence=evidence, opened=pl.lit(now),
        id=store.stable_ids("question", doubtful["a"], doubtful["b"]),
    )  # fmt: skip
    answered = judged.filter(pl.col("judgement") != "possible").select(file_a="a", file_b="b")
    known = store.frame(db, ASKED, [asked["id"].to_list()])
    open_ones = asked.join(answered, on=["file_a", "file_b"], how="anti").join(
        known.filter("closed"), on="id", how="anti"
    )
    store.upsert(db, "identity_question", open_ones, ["id"], update=["reason", "weight", "evidence"])
    return len(open_ones.join(known, on="id", how="anti"))


def doubts_among(found: Found, child: pl.DataFrame, weights: Scale) -> pl.DataFrame:
    """Compared pairs that a person should see: ``a, b, reason, weight``, levels. ``child``: file, agency, child.

    A shared number on two children is always asked; what only looks alike is asked when it weighs enough and the two
    children could be one (no agency has a file of each), or when it was refused for a reason worth a look.
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
        .when(heavy & (pl.col("why") == "two-files-of-one-agency") & (pl.col("dob") == "same")).then(pl.lit("two-files-of-one-agency"))
        .when(heavy & ~clash).then(pl.coalesce("why", pl.lit("alike")))
    )  # fmt: skip
    told = known.with_columns(
        reason=reason,
        low=pl.min_horizontal("child_a", "child_b"),
        high=pl.max_horizontal("child_a", "child_b"),
    )
    picked = told.filter(pl.col("reason").is_not_null() & (pl.col("reason") != "said-to-be-apart")).sort(
        -pl.col("weight"), "a", "b"
    )
    return picked.unique(subset=["low", "high"], keep="first", maintain_order=True).select(
        "a", "b", "reason", "why", "weight", "gate", *RARE, *TRAITS
    )


__all__ = ["Found", "Identified", "doubts_among", "identify", "partition"]
