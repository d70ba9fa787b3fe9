"""How well files find their child: ``python bench/linkage.py [--nations 2000,20000] [--errors 1,3]``.

Simulated nations at calibrated and at more errors, whole and by group (Maya surnames, one surname, no A-number at ORR,
twins, siblings, under five, 1 January): children falsely merged per 100,000, pairwise recall, the share of files about
which a person is asked, and recall once those questions are answered truthfully. Bars: issue 4; a nation has to keep them as a
whole, and what a group alone misses is named in its line.
"""

import argparse
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import polars as pl
from _bare import BARE
from _home import home
from identity import AS_OF, described

from handhold import pack
from handhold.identity.candidates import SAID, profiles
from handhold.identity.link import doubts_among
from handhold.identity.model import NOBODY, codes, scale
from handhold.identity.partition import partition
from handhold.simulate import simulate
from handhold.simulate.draw import Chance, day, parts_of
from handhold.simulate.parameters import RATES, Rates
from handhold.simulate.people import people

START = date(2018, 10, 1)
FALSE = {1.0: 5.0, 3.0: 15.0}  # most children falsely merged per 100,000, by errors as calibrated or more
RECALL, ANSWERED, ASKED = 0.99, 0.999, 0.02  # least recall, least once answered, most questions per file


def nation(children: int, seed: int, error: float, rates: Rates) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What the feeds say of persons, and the truth (``file, agency, child``)."""
    with TemporaryDirectory(prefix="linkage-nation-") as place, home():
        simulate(
            Path(place),
            children=children,
            seed=seed,
            as_of=AS_OF,
            adults_per_child=0.05,
            error=error,
            rates=rates,
        )
        said = described(Path(place) / "feeds")
        truth = pl.read_parquet(Path(place) / "truth" / "files.parquet")
    named = said.select("file", "agency", "file_key").unique(subset="file")
    return said, truth.join(named, on=["agency", "file_key"]).select("file", "agency", "child").unique(
        subset="file"
    )


def groups(
    children: int, seed: int, rates: Rates, said: pl.DataFrame, truth: pl.DataFrame
) -> dict[str, set[int]]:
    """Children by what makes them hard to link."""
    who = people(Chance(seed), rates, children, day(START), day(AS_OF))
    _, month, number = parts_of(who.born)
    at = np.arange(children)
    many = np.bincount(who.family, minlength=children)[who.family] > 1
    twin = np.isin(who.family, who.family[(who.ordinal == 1) & (who.born == who.born[who.family])]) & (
        who.ordinal < 2
    )
    orr = said.filter(pl.col("agency") == "ORR").group_by("file").agg(pl.col("number").is_not_null().any())
    blank = truth.join(orr.filter(~pl.col("number")), on="file")["child"]
    marks = {
        "Maya surnames": who.region == 1, "one surname": (who.names["s2"] == "").to_numpy(), "twins": twin, "siblings": many,
        "under five": who.determined - who.born < 5 * 365, "1 January": (month == 1) & (number == 1),
    }  # fmt: skip
    return {name: set(at[mark].tolist()) for name, mark in marks.items()} | {
        "no A-number at ORR": set(blank.to_list())
    }


def linked(said: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Each file's child as found, and the questions (``a, b``), by the code that a deployment runs."""
    rules, packed = scale(pack.load()), pack.load()
    court = pl.when(pl.col("agency") == "EOIR").then("file_key").otherwise("court_case")
    told = profiles(said.with_columns(court_case=court).select("file", *SAID), codes(packed))
    files = said.select("file", "agency").unique(subset="file", maintain_order=True)
    fresh = files.with_columns(child=pl.lit(None, pl.Int64), fresh=pl.lit(True), held=pl.lit(False))
    nobody = pl.DataFrame(schema=NOBODY)
    found = partition(fresh, told, nobody, rules)
    child = found.links.select("file", "child").join(files, on="file")
    return child.select("file", got="child"), doubts_among(found, child, nobody, rules).select(
        "a", "b", "reason"
    )


def answered(got: pl.DataFrame, questions: pl.DataFrame, truth: pl.DataFrame) -> pl.DataFrame:
    """Children once every question is answered truthfully."""
    true, mine = dict(truth.select("file", "child").iter_rows()), dict(got.iter_rows())
    into: dict[int, int] = {}

    def now(child: int) -> int:
        while child in into:
            child = into[child]
        return child

    for a, b, _ in questions.iter_rows():
        if true.get(a) == true.get(b) and now(mine[a]) != now(mine[b]):
            into[now(mine[a])] = now(mine[b])
    return got.with_columns(pl.Series("got", [now(child) for child in got["got"]]))


def _pairs(frame: pl.DataFrame, *by: str) -> int:
    return int(frame.group_by(by).len().select((pl.col("len") * (pl.col("len") - 1) // 2).sum()).item() or 0)


def measured(
    mine: pl.DataFrame, truth: pl.DataFrame, got: pl.DataFrame, after: pl.DataFrame, asked: pl.DataFrame
) -> dict[str, float]:
    """The figures over the children of ``mine``, some or all of ``truth``."""
    both = mine.join(got, on="file")
    true = max(_pairs(both, "child"), 1)
    files = pl.concat([asked["a"], asked["b"]]).unique()
    return {
        "children": both["child"].n_unique(), "false per 100k": _false(mine, truth, got),
        "recall": _pairs(both, "child", "got") / true, "answered": _pairs(mine.join(after, on="file"), "child", "got") / true,
        "asked of files": len(asked) / max(len(both), 1), "files asked about": both["file"].is_in(files.implode()).mean() or 0.0,
    }  # fmt: skip


def report(children: int, error: float, seed: int, rates: Rates, name: str) -> bool:
    """Make a nation, link it, print the figures whole and by group; whether the bars are kept."""
    said, truth = nation(children, seed, error, rates)
    begun = time.process_time()
    got, questions = linked(said)
    took = time.process_time() - begun
    after = answered(got, questions, truth)
    bare = said.group_by("file").agg(pl.col("number").is_null().all())["number"].mean()
    print(
        f"\n{name}: {children:,} children, errors × {error:g}, seed {seed}, {len(truth):,} files, {bare:.1%} of them without an A-number, {took:.1f} CPU s"
    )
    print(
        f"{'':22}{'children':>10}{'false/100k':>12}{'recall':>10}{'answered':>10}{'questions':>11}{'files asked':>12}"
    )
    whole = measured(truth, truth, got, after, questions)
    _line("all", whole, error)
    for group, members in groups(children, seed, rates, said, truth).items():
        mine = truth.filter(pl.col("child").is_in(list(members)))
        inside = pl.concat([mine["file"]]).implode()
        some = questions.filter(pl.col("a").is_in(inside) | pl.col("b").is_in(inside))
        _line(group, measured(mine, truth, got, after, some), error)
    return not missed(whole, error)


def missed(figures: dict[str, float], error: float) -> list[str]:
    """The bars of this error rate that these figures miss; there are none for others."""
    if error not in FALSE:
        return []
    kept = {
        f"false ≤ {FALSE[error]:g}": figures["false per 100k"] <= FALSE[error],
        f"recall ≥ {RECALL}": figures["recall"] >= RECALL,
        f"answered ≥ {ANSWERED}": figures["answered"] >= ANSWERED,
        f"questions ≤ {ASKED:.0%} of files": figures["asked of files"] <= ASKED,
    }
    return [bar for bar, held in kept.items() if not held]


def _false(mine: pl.DataFrame, truth: pl.DataFrame, got: pl.DataFrame) -> float:
    """Of 100,000 children of ``mine``, those that were put together with another, also one outside: two made one are two."""
    merged = truth.join(got, on="file").filter(pl.col("child").n_unique().over("got") > 1)
    those = mine.join(merged, on="file", how="semi")
    return 1e5 * those["child"].n_unique() / max(mine["child"].n_unique(), 1)


def _line(name: str, figures: dict[str, Any], error: float) -> None:
    f = figures
    print(
        f"{name:22}{f['children']:10,}{f['false per 100k']:12.1f}{f['recall']:10.4f}{f['answered']:10.4f}"
        f"{f['asked of files']:11.2%}{f['files asked about']:12.2%}{''.join(f'  not {bar}' for bar in missed(f, error))}",
        flush=True,
    )


def _numbers(text: str) -> Iterator[float]:
    return (float(part) for part in text.split(",") if part)


def main() -> None:
    """Nations of several sizes and error rates, and one in which half of the files that can lack an A-number lack it."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--nations", default="2000,20000", help="how many children, comma-separated")
    asked.add_argument("--errors", default="1,3", help="multiples of the calibrated errors, comma-separated")
    asked.add_argument("--seed", type=int, default=31)
    asked.add_argument(
        "--no-numbers",
        action="store_true",
        help="also a nation in which half of ORR's, EOIR's and USCIS's files have no A-number",
    )
    wanted = asked.parse_args()
    kinds = {"simulated nation": RATES} | (
        {"half of ORR's, EOIR's and USCIS's files without A-number": BARE} if wanted.no_numbers else {}
    )
    kept = [
        report(int(children), error, wanted.seed, rates, name)
        for children in _numbers(wanted.nations)
        for error in _numbers(wanted.errors)
        for name, rates in kinds.items()
    ]
    if not all(kept):
        raise SystemExit(f"{kept.count(False)} of {len(kept)} nations miss a bar")


if __name__ == "__main__":
    main()
