"""Find the child of every fresh file: candidates by blind keys, compared, joined without running away."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl

from handhold import store
from handhold.feeds.layout import ORDER
from handhold.identity.cluster import ONE_FILE_EACH, Clusters, Edge, grow
from handhold.identity.compare import LEVELS, levels, verdict
from handhold.identity.describe import SAID
from handhold.identity.names import folded
from handhold.pack import Pack

RANKS = {"number": 1, "court-case": 2, "name": 3, "short": 4}
BY = {"number": "number", "court-case": "number", "name": "match", "short": "match", "person": "person", "standing": "number"}
CROWD = 40  # files that meet by one key and are still compared pair by pair
BETTER = {"same": 0, "unclear": 1, "different": 2}


@dataclass(frozen=True)
class Identified:
    """The children whose files changed, how many files were linked, how many questions were opened."""

    children: pl.Series
    linked: int
    questions: int


def identify(db: store.Db, *, by: str, now: datetime, pack: Pack) -> Identified:
    """Link all fresh files; deterministic for the same files, whatever their order. The same run again does nothing."""
    store.lock(db, "identity")
    fresh = store.frame(db, "select id as file from identity_file where fresh or child is null order by id")["file"]
    if not len(fresh):
        return Identified(pl.Series("child", [], pl.Int64), 0, 0)
    met = _met(db, fresh)
    files = _involved(db, fresh, met)
    pairs = _compared(db, met, files)
    clusters, linked_by, refused = _joined(db, files, pairs)
    links = _children(clusters, files, fresh, linked_by)
    changed = _write(db, links, by, now)
    asked = _ask(db, pairs, refused, clusters, now)
    return Identified(changed, len(links.filter(pl.col("by") != "own")), asked)


def _met(db: store.Db, fresh: pl.Series) -> pl.DataFrame:
    """Pairs of files that share a key, at least one of them fresh: ``a < b``, ``kind``, and whether the key is unique."""
    shared = store.frame(
        db,
        """with fresh as (select id from identity_file where fresh or child is null),
                touched as (select distinct k.key from identity_key k join fresh on fresh.id = k.file)
           select k.key, k.kind, k.file, f.agency from identity_key k join touched using (key) join identity_file f on f.id = k.file
           where not f.hold""",
    )
    sized = shared.with_columns(size=pl.len().over("key"), alike=pl.len().over("key", "agency")).filter(pl.col("size").is_between(2, CROWD))
    crowded = (pl.col("agency").is_in(list(ONE_FILE_EACH)) & (pl.col("alike") > 1)).any().over("key")
    sized = sized.with_columns(unique=~crowded)
    both = sized.join(sized.select("key", "file", "agency"), on="key", suffix="_b").filter(pl.col("file") < pl.col("file_b"))
    apart = both.filter((pl.col("agency") != pl.col("agency_b")) | ~pl.col("agency").is_in(list(ONE_FILE_EACH)))
    with_fresh = apart.filter(pl.col("file").is_in(fresh.implode()) | pl.col("file_b").is_in(fresh.implode()))
    ranked = with_fresh.with_columns(rank=pl.col("kind").replace_strict(RANKS, return_dtype=pl.Int32)).sort("rank", "file", "file_b")
    return ranked.unique(subset=["file", "file_b"], keep="first", maintain_order=True).select(a="file", b="file_b", kind="kind", rank="rank", unique="unique")


def _involved(db: store.Db, fresh: pl.Series, met: pl.DataFrame) -> pl.DataFrame:
    """Fresh files, those they met, and the other files of those children: ``file``, ``agency``, ``child``."""
    ids = pl.concat([fresh, met["a"].alias("file"), met["b"].alias("file")]).unique()
    db.execute("create temp table involved (id bigint primary key) on commit drop")
    store.copy_in(db, "involved", pl.DataFrame({"id": ids}))
    files = store.frame(
        db,
        """select f.id as file, f.agency, f.child from identity_file f
           where f.id in (select id from involved)
              or f.child in (select g.child from identity_file g join involved i on i.id = g.id where g.child is not null)
           order by f.id""",
    )
    return files


def _compared(db: store.Db, met: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """Every met pair with its verdict and levels: the best that any two of their descriptions give."""
    people = _descriptions(db)
    a = people.rename({c: f"{c}_a" for c in people.columns if c != "file"}).rename({"file": "a"})
    b = people.rename({c: f"{c}_b" for c in people.columns if c != "file"}).rename({"file": "b"})
    crossed = met.join(a, on="a", how="left").join(b, on="b", how="left")
    judged = levels(crossed).with_columns(verdict=verdict("kind"))
    order = pl.col("verdict").replace_strict(BETTER, return_dtype=pl.Int32)
    return judged.sort("a", "b", order, *LEVELS).unique(subset=["a", "b"], keep="first", maintain_order=True).select(
        "a", "b", "kind", "rank", "unique", "verdict", *LEVELS
    )


def _descriptions(db: store.Db) -> pl.DataFrame:
    """The distinct things said of the involved files' people: ``file, last, first, dob, sex``, names folded."""
    sealed = store.frame(db, "select d.id, d.file, d.sealed from identity_description d join involved i on i.id = d.file")
    opened = store.unseal_many("identity", "identity_description.sealed", sealed["id"], sealed["sealed"])
    shape = pl.Struct(dict.fromkeys(SAID, pl.String) | {"place": pl.Int64})
    said = pl.DataFrame({"file": sealed["file"], "said": opened}).with_columns(pl.col("said").str.json_decode(shape)).unnest("said")
    people = said.select(
        "file", last=folded(pl.col("last")), first=folded(pl.concat_str("first", "middle", separator=" ", ignore_nulls=True)).replace("", None),
        dob="dob", sex=pl.col("sex").str.to_uppercase(),
    )  # fmt: skip
    named = pl.col("last").is_not_null() | pl.col("first").is_not_null()
    return people.filter(named | ~named.any().over("file")).unique(maintain_order=True)


def _joined(db: store.Db, files: pl.DataFrame, pairs: pl.DataFrame) -> tuple[Clusters, dict[int, str], list[tuple[Edge, str]]]:
    """Grow clusters from what stands, from what people said, and from what compared as the same."""
    judged = store.fetch(db, "select file_a, file_b, judgement from identity_judgement where until is null")
    apart = frozenset((j["file_a"], j["file_b"]) for j in judged if j["judgement"] == "no match")
    standing = dict(files.filter(pl.col("child").is_not_null()).select("file", "child").iter_rows())
    clusters = Clusters(dict(files.select("file", "agency").iter_rows()), apart, standing)
    for together in files.filter(pl.col("child").is_not_null()).group_by("child", maintain_order=True).agg("file")["file"]:
        for file in together[1:]:
            _force(clusters, together[0], file)
    for j in judged:
        if j["judgement"] == "match" and j["file_a"] in clusters.agency and j["file_b"] in clusters.agency:
            _force(clusters, j["file_a"], j["file_b"])
    sure = pairs.filter((pl.col("verdict") == "same") & (pl.col("unique") | pl.col("kind").is_in(["number", "court-case"])))
    edges = [Edge(rank, a, b, kind) for a, b, kind, rank in sure.select("a", "b", "kind", "rank").iter_rows()]
    linked_by, refused = grow(clusters, edges)
    return clusters, linked_by, refused


def _force(clusters: Clusters, a: int, b: int) -> None:
    one, other = clusters.root(a), clusters.root(b)
    if one != other:
        clusters.join(one, other)


def _children(clusters: Clusters, files: pl.DataFrame, fresh: pl.Series, linked_by: dict[int, str]) -> pl.DataFrame:
    """``file``, ``child``, ``had``, ``by`` of every fresh file. A child's id is made from the file that founded it."""
    turn = {agency: n for n, agency in enumerate(ORDER)}
    roots = pl.DataFrame(
        [(f, clusters.root(f), child, turn.get(agency, len(turn))) for f, agency, child in files.iter_rows()],
        schema={"file": pl.Int64, "root": pl.Int64, "had": pl.Int64, "turn": pl.Int32}, orient="row",
    ).sort("root", "turn", "file")  # fmt: skip
    founders = roots.group_by("root", maintain_order=True).agg(founder=pl.col("file").first(), stands=pl.col("had").drop_nulls().first())
    made = store.stable_ids("child", founders["founder"])
    founders = founders.with_columns(child=pl.coalesce(pl.col("stands"), made))
    whole = roots.join(founders, on="root").filter(pl.col("file").is_in(fresh.implode())).sort("file")
    by = pl.Series("by", [linked_by.get(f, "own") for f in whole["file"]], pl.String)
    return whole.select("file", "child", "had", by)


def _write(db: store.Db, links: pl.DataFrame, by: str, now: datetime) -> pl.Series:
    children = links.select(id="child", born=pl.lit(now)).unique(subset="id", maintain_order=True)
    store.upsert(db, "identity_child", children, ["id"], update=[])
    new = links.filter(pl.col("had").is_null()).with_columns(linked_by=pl.col("by").replace_strict(BY | {"own": "number"}, return_dtype=pl.String))
    store.copy_in(
        db, "identity_link",
        new.select("file", "child", "linked_by", judgement=pl.lit("match"), by=pl.lit(by), since=pl.lit(now),
                   evidence=pl.struct(met="by").struct.json_encode()),
    )  # fmt: skip
    db.execute("create temp table linked (id bigint primary key, child bigint, linked_by text) on commit drop")
    store.copy_in(db, "linked", new.select("child", "linked_by", id="file"))
    db.execute("update identity_file f set child = l.child, linked_by = l.linked_by, since = %s from linked l where l.id = f.id", [now])
    db.execute("update identity_file set fresh = false where fresh")
    return links["child"].unique().sort()


def _ask(db: store.Db, pairs: pl.DataFrame, refused: list[tuple[Edge, str]], clusters: Clusters, now: datetime) -> int:
    """Open a question for what stayed undecided: doubtful pairs that ended apart, and links that were refused."""
    said = {(e.a, e.b): why for e, why in refused}
    doubtful = pairs.filter((pl.col("verdict") == "unclear") | (pl.col("kind").is_in(["number", "court-case"]) & (pl.col("verdict") == "different"))
                            | ((pl.col("verdict") == "same") & ~pl.col("unique")))  # fmt: skip
    rows = []
    for row in pl.concat([doubtful, pairs.filter(pl.struct("a", "b").is_in([{"a": a, "b": b} for a, b in said]))]).unique().iter_rows(named=True):
        if clusters.root(row["a"]) == clusters.root(row["b"]):
            continue
        reason = said.get((row["a"], row["b"])) or ("same-number-other-person" if row["kind"] in ("number", "court-case") else "alike-not-unique")
        rows.append((row["a"], row["b"], reason, {c: row[c] for c in ("kind", "verdict", *LEVELS)}))
    if not rows:
        return 0
    asked = pl.DataFrame([(a, b, reason) for a, b, reason, _ in rows], schema={"file_a": pl.Int64, "file_b": pl.Int64, "reason": pl.String}, orient="row")
    evidence = pl.DataFrame([e for *_, e in rows]).select(pl.struct(pl.all()).struct.json_encode().alias("evidence"))["evidence"]
    asked = asked.with_columns(evidence, opened=pl.lit(now), id=store.stable_ids("question", asked["file_a"], asked["file_b"])).unique("id").sort("id")
    answered = store.frame(db, "select file_a, file_b from identity_judgement where until is null and judgement <> 'possible'")
    return store.upsert(db, "identity_question", asked.join(answered, on=["file_a", "file_b"], how="anti"), ["id"], update=[])
