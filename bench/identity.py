"""How long it takes to find whose file it is, for a nation and for one file: ``python bench/identity.py [--children N]``.

A simulated nation is read as the feeds come; linking it is timed beside Splink's own predict over the same files and the
same comparisons, then files that were kept back come one by one, alone and beside another intake. Works in a home of its
own, gone afterwards. At the end all is linked again as if it had come today. With a nation of 448,820 children the bars of issue 4
are held against it, and the run ends with an error where one is missed. Seconds of the clock are those of this machine now; CPU seconds stand beside them, because others may
be using it.
"""

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime
from multiprocessing import get_context
from pathlib import Path

import polars as pl
import psycopg
from _home import home

AS_OF = date(2024, 5, 31)
NOW = datetime(2024, 6, 1, 3, 59, tzinfo=UTC)
KEPT_BACK = 1_200
NATION = 448_820
LINKED_SECONDS, LINKED_MIB, ONE_P50, ONE_P99 = (
    240.0,
    8 * 1024,
    5.0,
    30.0,
)  # issue 4: on 2 cores; milliseconds with an intake


@contextmanager
def timed(what: str, count: int) -> Iterator[list[float]]:
    """Say how long it took, by the clock and in CPU seconds of this process; the seconds are in the list afterwards."""
    begun, cpu, seconds = time.monotonic(), time.process_time(), []
    yield seconds
    seconds.append(time.monotonic() - begun)
    took, used = seconds[0], time.process_time() - cpu
    print(
        f"{what:<34} {took:8.1f} s  {used:8.1f} CPU s  {count / took:12,.0f} files a second  {_rss()}",
        flush=True,
    )


def _mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _rss() -> str:
    return f"RSS {_mib():,} MiB"


def described(folder: Path) -> pl.DataFrame:
    """The descriptions in a folder of feeds."""
    return pl.concat(list(told(folder)))


def told(folder: Path) -> Iterator[pl.DataFrame]:
    """The same part by part, as reading gives them."""
    from handhold import casework, feeds, ledger, pack

    office = casework.Office(by=casework.SYSTEM, now=NOW, pack=pack.load())
    kept = casework.keep(feeds.find(folder), office, sender="bench")
    for group in feeds.groups(kept):
        with ledger.acting_transaction(casework.SYSTEM) as db:
            for one in feeds.read(db, group, now=NOW, pack=office.pack):
                yield one.descriptions


def take_in(children: int, seed: int) -> tuple[int, float, pl.DataFrame]:
    """Simulate a nation and describe its files but for those that are kept back: how many, in how many seconds, and those.

    In a process of its own, so that the memory of linking is that of linking.
    """
    from handhold import identity, store
    from handhold.simulate import simulate

    files: set[int] = set()
    took, back = 0.0, []
    with tempfile.TemporaryDirectory(prefix="identity-nation-") as place:
        simulate(Path(place), children=children, seed=seed, as_of=AS_OF, adults_per_child=0.05)
        for part in told(Path(place) / "feeds"):
            late = pl.col("file") % max(3 * children // KEPT_BACK, 1) == 0
            back.append(part.filter(late))
            begun = time.monotonic()
            with store.transaction() as db:
                identity.describe(db, part.filter(~late), now=NOW)
            took += time.monotonic() - begun
            files.update(part["file"].unique())
    store.close()
    return len(files), took, pl.concat(back)


def nation(children: int, seed: int) -> tuple[int, pl.DataFrame, dict[str, float]]:
    """Describe and link all files that are not kept back, as ``casework`` does; how many files, those kept back, and what it took."""
    from handhold import identity, pack, store

    with ProcessPoolExecutor(1, get_context("spawn")) as apart:
        files, took, back = apart.submit(take_in, children, seed).result()
    print(
        f"{'describe, a part at a time':<34} {took:8.1f} s  {files / took:12,.0f} files a second", flush=True
    )
    with timed("link (identify)", files) as seconds, store.transaction() as db:
        found = identity.identify(db, by="system", now=NOW, pack=pack.load())
    cost = {"seconds to link the nation": seconds[0], "MiB to link the nation": float(_mib())}
    print(f"  {len(found.children):,} children, {found.linked:,} links, {found.questions:,} questions")
    # What the server does by itself a minute later: until then every newcomer's query passes by the dead entries of a nation.
    with psycopg.connect(store.ensure(), autocommit=True) as db:
        db.execute("vacuum (analyze)")
    return files, back, cost


def anew(files: int) -> None:
    """Everything linked as if it had come today."""
    from handhold import identity, pack, store

    with timed("link again", files), store.transaction() as db:
        found = identity.again(db, by="system", now=NOW, pack=pack.load())
    print(
        f"  {len(found.moved):,} files with another child, {found.asked:,} questions new, {found.idle:,} no more"
    )


def beside(people: int) -> None:
    """Splink's own predict over the same files and comparisons, with the blocking rules nearest to ours."""
    from handhold import pack, store
    from handhold.identity import training
    from handhold.identity.model import everything, scale

    with store.transaction() as db:
        _, profiles = everything(db, pack.load())
    once = profiles.unique(subset="file", keep="first", maintain_order=True)
    told = training.for_sql(once, scale(pack.load()).world).with_columns(unique_id="file")
    linked = training.linker(told, prior=1e-6)
    with timed("Splink predict (blocking, score)", people):
        pairs = linked.inference.predict(
            threshold_match_weight=0.0, warning_mode="never"
        ).as_duckdbpyrelation()
        print(f"  {len(pairs):,} pairs above nought")


def one_by_one(said: pl.DataFrame) -> tuple[list[float], ...]:
    """Files that were kept back, each described and linked in a transaction of its own: milliseconds of both, and of its commit."""
    from handhold import identity, pack, store

    rules, describe, link, commit = pack.load(), [], [], []
    for part in said.partition_by("file", maintain_order=True):
        with store.transaction() as db:
            begun = time.perf_counter()
            identity.describe(db, part, now=NOW)
            described = time.perf_counter()
            identity.identify(db, by="system", now=NOW, pack=rules)
            linked = time.perf_counter()
        commit.append((time.perf_counter() - linked) * 1000)
        link.append((linked - described) * 1000)
        describe.append((described - begun) * 1000)
    return describe, link, commit


def newcomers(said: pl.DataFrame) -> dict[str, float]:
    """A third of what was kept back while nobody else works, a third while the last third is taken in beside it; what linking
    one of these took."""
    whose = (pl.col("file").rank("dense") % 3).alias("whose")
    thirds = said.with_columns(whose).partition_by("whose", as_dict=True, include_key=False)
    quiet, busy, beside = (thirds[n,] for n in range(3))
    _show("nobody else at work", one_by_one(quiet))
    with ProcessPoolExecutor(1, get_context("spawn")) as other:
        intake = other.submit(one_by_one, beside)
        took = one_by_one(busy)
        intake.result()
    _show("another intake beside it", took)
    ranked = statistics.quantiles(took[1], n=100)
    return {"ms to link one file, p50": ranked[49], "ms to link one file, p99": ranked[98]}


def missed(cost: dict[str, float]) -> list[str]:
    """The bars that were not kept."""
    bars = dict(zip(cost, (LINKED_SECONDS, LINKED_MIB, ONE_P50, ONE_P99), strict=True))
    for name, bar in bars.items():
        print(
            f"bar: {name:<30} {cost[name]:10,.1f} of {bar:8,.0f}  {'kept' if cost[name] < bar else 'MISSED'}"
        )
    return [name for name, bar in bars.items() if cost[name] >= bar]


def _show(when: str, took: tuple[list[float], ...]) -> None:
    for name, each in zip(("describe one file", "link one file (identify)", "commit"), took, strict=True):
        ranked = statistics.quantiles(each, n=100)
        print(
            f"{name + ', ' + when:<52} p50 {ranked[49]:7.1f} ms   p99 {ranked[98]:7.1f} ms   of {len(each):,}"
        )


def main() -> None:
    """Make the nation, link it, compare, link one by one."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--children", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--no-splink", action="store_true")
    wanted = asked.parse_args()
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with home():
        files, back, cost = nation(wanted.children, wanted.seed)
        cost |= newcomers(back)
        if not wanted.no_splink:
            beside(files)
        anew(files)
    print(f"load of the machine {os.getloadavg()[0]:.1f}")
    if wanted.children >= NATION and (over := missed(cost)):
        raise SystemExit(f"missed: {', '.join(over)}")


if __name__ == "__main__":
    main()
