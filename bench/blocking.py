"""Which files are compared at all: our keys beside Splink's blocking, over the same files and the same comparisons.

    python bench/blocking.py [--children 20000] [--error 3] [--bare]

Of each: pairs compared, the share of true pairs that are among them, files of a child that meet no other file of it, and seconds to block
and score. ``docs/decisions/0012-our-keys-find-the-pairs.md`` rests on these figures.
"""

import argparse
import time

import polars as pl
from _bare import BARE
from linkage import nation

from handhold import pack
from handhold.identity import training
from handhold.identity.candidates import SAID, profiles
from handhold.identity.model import NOBODY, codes, scale
from handhold.identity.partition import partition
from handhold.simulate.parameters import RATES

NOTHING_LESS = -1e9  # every blocked pair, however unlike


def ours(files: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The pairs that ``partition`` compares: ``a, b``."""
    fresh = files.with_columns(child=pl.lit(None, pl.Int64), fresh=pl.lit(True), held=pl.lit(False))
    return partition(fresh, people, pl.DataFrame(schema=NOBODY), scale(pack.load())).pairs.select("a", "b")


def splinks(people: pl.DataFrame) -> pl.DataFrame:
    """The pairs that Splink's batch blocking gives, scored by its SQL: ``a, b``. It takes one row a file, the fullest."""
    filled = pl.sum_horizontal(pl.all().exclude("file").is_not_null())
    once = people.sort(filled, descending=True, maintain_order=True).unique(
        "file", keep="first", maintain_order=True
    )
    told = training.for_sql(once, scale(pack.load()).world).with_columns(unique_id="file")
    linked = training.linker(told, prior=1e-6)
    pairs = linked.inference.predict(
        threshold_match_weight=NOTHING_LESS, warning_mode="never"
    ).as_duckdbpyrelation()
    return pairs.select("unique_id_l as a, unique_id_r as b").pl()


def shown(name: str, pairs: pl.DataFrame, truth: pl.DataFrame, seconds: float) -> None:
    """One line of figures."""
    child = dict(truth.select("file", "child").iter_rows())
    told = pairs.with_columns(
        x=pl.col("a").replace_strict(child, default=None), y=pl.col("b").replace_strict(child, default=None)
    )
    met = (
        told.filter(pl.col("x") == pl.col("y"))
        .select(pl.min_horizontal("a", "b").alias("a"), pl.max_horizontal("a", "b").alias("b"))
        .unique()
    )
    many = truth.group_by("child").len().filter(pl.col("len") > 1)
    true = int((many["len"] * (many["len"] - 1) // 2).sum())
    alone = truth.filter(
        pl.col("child").is_in(many["child"].implode()),
        ~pl.col("file").is_in(pl.concat([met["a"], met["b"]]).implode()),
    )
    print(
        f"{name:<8} {len(pairs):>12,} pairs  {len(met) / true:8.4%} of {true:,} true pairs  {len(alone):6,} files met no other of their child  {seconds:7.1f} s",
        flush=True,
    )


def main() -> None:
    """Make a nation, block it twice, print."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--children", type=int, default=20_000)
    asked.add_argument("--error", type=float, default=3.0)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument(
        "--bare", action="store_true", help="half of ORR's, EOIR's and USCIS's files have no A-number"
    )
    wanted = asked.parse_args()
    rates = BARE if wanted.bare else RATES
    said, truth = nation(wanted.children, wanted.seed, wanted.error, rates)
    court = pl.when(pl.col("agency") == "EOIR").then("file_key").otherwise("court_case")
    people = profiles(said.with_columns(court_case=court).select("file", *SAID), codes(pack.load()))
    files = said.select("file", "agency").unique(subset="file", maintain_order=True)
    print(f"{wanted.children:,} children, {len(files):,} files, errors times {wanted.error:g}")
    for name, blocked in (("ours", lambda: ours(files, people)), ("Splink", lambda: splinks(people))):
        begun = time.perf_counter()
        pairs = blocked()
        shown(name, pairs, truth, time.perf_counter() - begun)


if __name__ == "__main__":
    main()
