"""Which files are one child's: candidates, compared, joined without running away. Pure.

Most children are plain: their files agree, no agency has two, nobody speaks against. Those are found in columns; what is
left, a few in a hundred, is joined link by link in :mod:`handhold.identity.cluster`, which asks at every link what the
rest of the evidence says. Both give the same answer where both apply (a test compares them).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import polars as pl

from handhold import store
from handhold.identity.candidates import by_description, by_number, short_keys
from handhold.identity.cluster import HOUSE_ORDER, ONE_FILE_EACH, Clusters, Edge, Facts, Refused, grow
from handhold.identity.compare import Engine, Scale, compare, with_rarity
from handhold.identity.spec import NAMES as TRAITS

EVERY_CHILD = ("ERO", "ORR")  # a child without one of these files is not complete
SURE_GIVEN, SURE_DOB = ["same", "part"], ["same", "same-estimated"]
RARE = ("surname_rare", "given_rare")
MANY = 30  # files that hang together: up to so many each is compared with each before any are joined
NONE: Mapping[int, int] = MappingProxyType({})
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Found:
    """A partition: ``links`` (file, child, had, mate, weight, levels), ``pairs`` compared, ``refused`` links."""

    links: pl.DataFrame
    pairs: pl.DataFrame
    refused: list[Refused]


def partition(
    files: pl.DataFrame,
    people: pl.DataFrame,
    judged: pl.DataFrame,
    weights: Scale,
    progress: Progress | None = None,
    engine: Engine = compare,
    founding: Mapping[int, int] = NONE,
) -> Found:
    """Which files are one child's: the same frames in any order of rows give the same partition.

    ``files``: file, agency, child (null before), fresh, held; ``people``: profiles; ``judged``: a, b, judgement of persons.
    Numbers settle first; then descriptions are followed for the files of children that still lack a file; then files that
    hang together are compared each with each, so that nothing is joined before all that can speak against it was heard.
    ``engine``: where pairs are compared; it changes nothing of the answer. ``founding``: the ids of the children that files would
    found whose own id is another's.
    """
    show = progress or (lambda _done, _total: None)
    fresh = files.filter("fresh")["file"]
    people = with_rarity(people, weights)
    met = short_keys(people)
    show(0, 3)
    numbered = engine(by_number(met, fresh), people, weights)
    unsettled = _unsettled(files, numbered)
    show(1, 3)
    meant = by_description(met, fresh, unsettled).join(numbered, on=["a", "b"], how="anti")
    pairs = pl.concat([numbered, engine(meant, people, weights)])
    together = _hanging(files, _near(pairs))
    pairs = pl.concat([pairs, engine(_unmet(files, together, pairs), people, weights)])
    show(2, 3)
    roots, refused = _joined(files, together, people, judged, pairs, weights)
    show(3, 3)
    return Found(_links(files, roots, pairs, founding), pairs, refused)


def _near(pairs: pl.DataFrame) -> pl.DataFrame:
    return pairs.filter(pl.col("verdict") != "different")


def _hanging(files: pl.DataFrame, edges: pl.DataFrame) -> pl.Series:
    """For each file the least file that hangs together with it, by the edges (``a, b``) and by the child it has."""
    ids = files["file"].to_numpy()
    order = np.argsort(ids)
    ranked = ids[order]
    stands = files.filter(pl.col("child").is_not_null()).select(
        a=pl.col("file").first().over("child"), b="file"
    )
    both = pl.concat([edges.select("a", "b"), stands])
    ends = [np.searchsorted(ranked, both[side].to_numpy()) for side in "ab"]
    label = np.arange(len(ranked))
    while True:
        least = np.minimum(label[ends[0]], label[ends[1]])
        lower = label.copy()
        for end in ends:
            np.minimum.at(lower, end, least)
        lower = lower[lower]
        if (lower == label).all():
            break
        label = lower
    found = np.empty_like(ids)
    found[order] = ranked[label]
    return pl.Series("root", found, pl.Int64)


def _unsettled(files: pl.DataFrame, numbered: pl.DataFrame) -> pl.Series:
    """Files whose child, by sure numbers alone, still lacks the file of an agency that has one of every child."""
    sure = numbered.filter(
        (pl.col("verdict") == "same") & pl.col("given").is_in(SURE_GIVEN) & pl.col("dob").is_in(SURE_DOB)
    )
    rooted = files.select("file", "agency", root=_hanging(files, sure))
    complete = pl.all_horizontal(*((pl.col("agency") == agency).any().over("root") for agency in EVERY_CHILD))
    return rooted.filter(~complete)["file"]


def _unmet(files: pl.DataFrame, together: pl.Series, pairs: pl.DataFrame) -> pl.DataFrame:
    """Pairs of files that hang together and were not compared, unless they are one child's already."""
    hanging = files.select("file", "child", root=together)
    few = hanging.filter(pl.len().over("root").is_between(3, MANY))
    all_ = few.join(few, on="root", suffix="_b").filter(pl.col("file") < pl.col("file_b"))
    apart = all_.filter((pl.col("child") != pl.col("child_b")).fill_null(True)).select(a="file", b="file_b")
    return apart.join(pairs, on=["a", "b"], how="anti").sort("a", "b")


def _joined(
    files: pl.DataFrame, together: pl.Series, people: pl.DataFrame, judged: pl.DataFrame, pairs: pl.DataFrame, weights: Scale
) -> tuple[pl.Series, list[Refused]]:  # fmt: skip
    """For each file the file that stands for its child, and the links that were refused."""
    rooted = files.with_columns(together)
    doubtful = _not_plain(rooted, judged, pairs)
    plain = _hanging(
        files.with_columns(child=pl.lit(None, pl.Int64)), pairs.filter(pl.col("verdict") == "same")
    )
    if not doubtful.any():
        return plain, []
    hard = rooted.filter(doubtful)
    inside = pairs.filter(
        pl.col("a").is_in(hard["file"].implode()) & pl.col("b").is_in(hard["file"].implode())
    )
    clusters = _standing(hard, people, judged)
    refused = grow(
        clusters, _edges(inside), against=_against(inside), margin=weights.threshold("margin"),
        negative=_negative(inside, weights), compared=inside.select("a", "b").iter_rows(),
    )  # fmt: skip
    named = pl.Series([clusters.root(f) for f in hard["file"]], dtype=pl.Int64)
    roots = rooted.select("file", plain=plain).join(
        hard.select("file", grown=named), on="file", how="left", maintain_order="left"
    )
    return roots.select(pl.coalesce("grown", "plain").alias("root")).to_series(), refused


def _not_plain(rooted: pl.DataFrame, judged: pl.DataFrame, pairs: pl.DataFrame) -> pl.Series:
    """Which files hang together with any that stand with a child, are held, were judged, or have an agency or a pair
    against them."""
    said = judged.filter(pl.col("judgement") == "no match")
    marked = pl.concat([said["a"], said["b"], _disputed(rooted, pairs)])
    twice = (pl.len().over("root", "agency") > 1) & pl.col("agency").is_in(sorted(ONE_FILE_EACH))
    own = pl.col("child").is_not_null() | pl.col("held") | twice | (pl.len().over("root") > MANY)
    seen = rooted.select("root", hard=own | pl.col("file").is_in(marked.implode()))
    return seen.select(pl.col("hard").any().over("root")).to_series()


def _disputed(rooted: pl.DataFrame, pairs: pl.DataFrame) -> pl.Series:
    """Files that hang together with one from which something keeps them apart."""
    apart = (
        (pl.col("verdict") == "different")
        | (pl.col("number") == "different")
        | (pl.col("sex") == "different")
    )
    told = pairs.filter(apart).select("a", "b")
    ends = [rooted.select(pl.col("file").alias(side), pl.col("root").alias(f"root_{side}")) for side in "ab"]
    both = told.join(ends[0], on="a").join(ends[1], on="b")
    return both.filter(pl.col("root_a") == pl.col("root_b"))["a"]


def _standing(files: pl.DataFrame, people: pl.DataFrame, judged: pl.DataFrame) -> Clusters:
    """What is together or apart before anything is compared: children that stand, and what people said."""
    apart = frozenset(judged.filter(pl.col("judgement") == "no match").select("a", "b").iter_rows())
    had = files.filter(pl.col("child").is_not_null())
    clusters = Clusters(
        dict(files.select("file", "agency").iter_rows()),
        dict(had.select("file", "child").iter_rows()),
        apart,
        frozenset(files.filter("held")["file"]),
        _facts(files, people),
    )
    for mates in had.group_by("child", maintain_order=True).agg("file")["file"]:
        for file in mates[1:]:
            clusters.join(mates[0], file)
    return clusters


def _facts(files: pl.DataFrame, people: pl.DataFrame) -> dict[int, Facts]:
    """What files state of number, sex and given name."""
    told = (
        people.filter(pl.col("file").is_in(files["file"].implode()))
        .group_by("file")
        .agg("number", "sex", "first")
    )
    return {
        file: Facts(frozenset(numbers) - {None}, frozenset(sexes) - {None}, frozenset(w for n in firsts if n for w in n.split()))
        for file, numbers, sexes, firsts in told.iter_rows()
    }  # fmt: skip


def _edges(pairs: pl.DataFrame) -> list[Edge]:
    sure = (pl.col("given") == "same") & (pl.col("dob") == "same")
    near = _near(pairs).select("weight", "a", "b", pl.col("verdict") == "same", sure=sure)
    return [Edge(*row) for row in near.iter_rows()]


def _two_people() -> pl.Expr:
    """Given name and date of birth, or one of them and sex, speak against."""
    other = [(pl.col(trait).is_in(["other", "different"])).cast(pl.Int8) for trait in ("given", "dob", "sex")]
    return (pl.sum_horizontal(*other) >= 2) & (pl.col("weight") < 0)


def _against(pairs: pl.DataFrame) -> list[tuple[int, int]]:
    """Pairs that are clearly two people."""
    return list(pairs.filter(_two_people()).select("a", "b").iter_rows())


def _negative(pairs: pl.DataFrame, weights: Scale) -> list[tuple[int, int]]:
    """Pairs that weigh so little that they speak against."""
    return list(pairs.filter(pl.col("weight") < weights.threshold("negative")).select("a", "b").iter_rows())


def _links(
    files: pl.DataFrame, roots: pl.Series, pairs: pl.DataFrame, founding: Mapping[int, int]
) -> pl.DataFrame:
    """Each fresh file with its child and the file of that child which it resembles most; the founder has none.

    Files that stand come before those that join them: every link hangs on what was there.
    """
    turn = pl.col("agency").replace_strict(
        {a: n for n, a in enumerate(HOUSE_ORDER)}, default=len(HOUSE_ORDER), return_dtype=pl.Int32
    )
    rooted = (
        files.with_columns(turn=turn, root=roots)
        .sort("root", pl.col("child").is_null(), "turn", "file")
        .with_row_index("rank")
    )
    founded = rooted.with_columns(
        founder=pl.col("file").first().over("root"), stands=pl.col("child").drop_nulls().first().over("root")
    )
    other = pl.DataFrame(list(founding.items()), {"founder": pl.Int64, "other": pl.Int64}, orient="row")
    whole = founded.join(other, on="founder", how="left", maintain_order="left").with_columns(
        had="child", child=pl.coalesce("stands", "other", store.stable_ids("child", founded["founder"]))
    )
    best, through = _mates(whole.select("file", "root", "rank"), pairs)
    told = whole.filter("fresh").join(best, on="file", how="left").join(through, on="file", how="left")
    founds = pl.col("file") == pl.col("founder")
    mates = {
        "mate": pl.when(~founds).then("mate"),
        "through": pl.when(~founds).then(pl.coalesce("through", "founder")),
    }
    return (
        told.with_columns(**mates)
        .sort("file")
        .select("file", "child", "had", "mate", "through", "weight", *RARE, *TRAITS)
    )


def _mates(rooted: pl.DataFrame, pairs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """For each file the pair within its child that weighs most (``file, mate, weight``, levels), and the one with a file
    that comes before it (``file, through``), so that a child's files hang together as a tree below its founder."""
    ways = [pairs.select(pl.col(x).alias("file"), pl.col(y).alias("mate"), "weight") for x, y in ("ab", "ba")]
    inside = (
        pl.concat(ways)
        .join(rooted, on="file")
        .join(rooted.rename({"file": "mate", "rank": "before"}), on=["mate", "root"])
    )
    heavy = inside.sort("file", -pl.col("weight"), "mate")
    best = heavy.unique(subset="file", keep="first", maintain_order=True).select(
        "file", "mate", a=pl.min_horizontal("file", "mate"), b=pl.max_horizontal("file", "mate")
    )
    earlier = heavy.filter(pl.col("before") < pl.col("rank")).unique(
        subset="file", keep="first", maintain_order=True
    )
    told = best.join(pairs, on=["a", "b"]).select("file", "mate", "weight", *RARE, *TRAITS)
    return told, earlier.select("file", through="mate")
