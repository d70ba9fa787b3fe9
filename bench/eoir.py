"""The court's dump, read and loaded: speed beside DuckDB and beside a bare COPY, losses against the truth, peak memory.

    python bench/eoir.py [--rows 300000] [--load 100000] [--memory 100000 300000] [--every 10] [--place /tmp/handhold-bench-eoir]

Four figures, each said with what it measures:

* *scan*: every cell of ``tbl_schedule.csv`` as clean text columns, shifted rows mended, by our reader and by a bare DuckDB
  scan of the same file (all columns as text, Latin-1), in turns. Bar: DuckDB at most twice as fast; reach 1.3 times.
* *truth*: rows lost and cells wrong, at 8 defects a million and at 1 %; how many of the rows with a tab between cells were mended.
* *load*: ``tbl_schedule`` alone through ``casework.take_in`` into a durable PostgreSQL, the tables beside being there from
  the month before; beside a binary COPY of the same rows, clean, into a bare typed table without an index. Bar: half of its rate; goal
  250,000 rows/s. Twice: where every case is a child's, each row gets its line in ``feeds_row`` and its event in ``timeline_event``, with all
  their indexes; where one in ``--every`` is (of the real extract's 12.7 million cases 0.75 million are flagged as a child's, one in 17:
  ``domain.md`` 3), the others are counted and left.
* *memory*: peak RSS of the loading process for each size, one case in ``--every`` a child's.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent))
from _home import home
from dump import Made, make

NOW = datetime(2024, 6, 1, 3, 59, tzinfo=UTC)
ROUNDS = 3
MANY = 10_000  # defects a million: 1 %
DATES = ("OSC_DATE", "INPUT_DATE", "UPDATE_DATE", "ADJ_DATE")
NUMBERS = (
    "IDNSCHEDULE",
    "IDNPROCEEDING",
    "IDNCASE",
    "GENERATION",
    "SUB_GENERATION",
    "ADJ_ELAP_DAYS",
    "LNGSESSNID",
)


def rules() -> tuple[Any, dict[str, Any]]:
    """The layout of ``tbl_schedule`` and the bounds of reading."""
    from handhold import pack
    from handhold.feeds.layout import layouts

    shipped = pack.load()
    return layouts(shipped)["eoir.tbl_schedule"], shipped.toml("feeds/reading.toml")["bounds"]


def pieces(made: Made) -> Iterator[Any]:
    """What our reader gives of the file as it lies there, piece by piece."""
    from handhold.feeds.reading import source

    layout, bounds = rules()
    with open(made.schedule, "rb") as file:
        yield from source.pieces(file, made.schedule.name, layout, bounds)


def cells(made: Made) -> Any:
    """The same as a whole."""
    from handhold.feeds.reading import source

    return source.joined(list(pieces(made)))


def ours(made: Made) -> int:
    """Rows that our reader gives, piece by piece as its caller takes them; DuckDB holds no more of them either."""
    return sum(len(piece.rows) for piece in pieces(made))


def duckdb_scan(made: Made) -> int:
    """Rows that a bare DuckDB scan gives, every cell looked at."""
    import duckdb

    query = """select count(columns(*)) from read_csv(?, delim='\t', quote='', escape='', header=true, all_varchar=true, encoding='latin-1',
                                                      ignore_errors=true, strict_mode=false)"""
    found = duckdb.connect().execute(query, [str(made.schedule)]).fetchone()
    return max(found) if found else 0


def timed(work: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds of the wall and of the processor, and what came of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = work()
    return time.perf_counter() - wall, time.process_time() - cpu, found


def scan(made: Made) -> dict[str, Any]:
    """Both readers in turns."""
    took: dict[str, list[tuple[float, float]]] = {"ours": [], "duckdb": []}
    for _ in range(ROUNDS):
        for name, reader in (("ours", ours), ("duckdb", duckdb_scan)):
            wall, cpu, rows = timed(lambda reader=reader: reader(made))
            took[name].append((wall, cpu))
            assert rows >= 0.99 * made.rows, (name, rows)
    best = {name: min(wall for wall, _ in times) for name, times in took.items()}
    middle = {name: statistics.median(wall for wall, _ in times) for name, times in took.items()}
    cpu = {name: min(cpu for _, cpu in times) for name, times in took.items()}
    return {"best": best, "median": middle, "cpu": cpu, "rows": made.rows}


def truth(made: Made) -> dict[str, int]:
    """What our reader gives, held against what every line means."""
    names, found, known = list(rules()[0].columns), cells(made), pl.read_parquet(made.truth)
    both = found.rows.join(known, on="line", how="inner", suffix="␟true")
    assert len(both) == len(found.rows), "a line that nobody wrote"
    differ = both.select(
        pl.sum_horizontal((~pl.col(n).eq_missing(pl.col(f"{n}␟true"))).sum() for n in names)
    ).item()
    harmed = known.filter(pl.col("harm") > 0)
    # What was cut short or split inside a cell cannot be put together again: it belongs in quarantine.
    mendable = harmed.filter(pl.col("harm") == 1)
    return {
        "rows": len(both), "quarantined": len(found.problems), "wrong": differ, "harmed": len(harmed), "mendable": len(mendable),
        "mended": both.filter(pl.col("harm") == 1).height,
    }  # fmt: skip


def load(made: Made, *, peer: bool) -> dict[str, Any]:
    """``tbl_schedule`` into PostgreSQL; the tables beside it are there before. With ``peer``: the COPY, before and after."""
    from handhold import casework, feeds, pack, store

    office = casework.Office(by=casework.SYSTEM, now=NOW, pack=pack.load())
    with home():
        copied = [copy_clean(made)] if peer else []
        arrival = casework.Arrival(casework.keep(feeds.find(made.beside), office, sender="bench"))
        for group in feeds.groups(arrival.deliveries):
            casework.take_in(group, office, arrival)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        kept = casework.keep([made.schedule], office, sender="bench")
        arrival = casework.Arrival(kept)
        wall, cpu, _ = timed(lambda: casework.take_in(feeds.groups(kept)[0], office, arrival))
        (done,) = arrival.deliveries
        assert done.status == "read" and done.rows == made.rows, (done.status, done.why)
        assert (done.loaded or 0) + (done.quarantined or 0) + (done.left or 0) == made.rows
        with store.transaction() as db:
            stored = db.execute("select count(*) from feeds_row where feed = 'eoir.tbl_schedule'").fetchone()
            events = db.execute(
                "select count(*) from timeline_event where delivery = %s", [done.id]
            ).fetchone()
        copied += [copy_clean(made)] if peer else []
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return {
        "rows": made.rows, "seconds": wall, "cpu": cpu, "loaded": done.loaded, "left": done.left, "quarantined": done.quarantined, "stored": stored[0] if stored else 0,
        "events": events[0] if events else 0, "copy": min(copied, default=0.0), "rss_others": before, "rss": rss,
    }  # fmt: skip


def copy_clean(made: Made) -> float:
    """Seconds of a binary COPY of the clean rows into a bare, logged, typed table."""
    from handhold import store

    names = list(rules()[0].columns)
    kind = {**dict.fromkeys(DATES, "timestamp"), **dict.fromkeys(NUMBERS, "bigint")}
    columns = ", ".join(f'"{name}" {kind.get(name, "text")}' for name in names)
    typed = ", ".join(f'"{name}"::{kind.get(name, "text")}' for name in names)
    packed = Path(os.environ["HANDHOLD_HOME"]) / "clean.copy"
    with store.transaction() as db:
        db.execute("create table clean_text ({})".format(", ".join(f'"{name}" text' for name in names)))  # type: ignore[arg-type]
        for part in pq.ParquetFile(made.truth).iter_batches(batch_size=250_000):
            rows = pl.from_arrow(part)
            assert isinstance(rows, pl.DataFrame)
            store.copy_in(db, "clean_text", rows.select(pl.col(names).cast(pl.String)))
        out = f"copy (select {typed} from clean_text) to stdout (format binary)"
        with db.cursor().copy(out) as pieces, open(packed, "wb") as file:  # type: ignore[arg-type]
            for piece in pieces:
                file.write(piece)
        db.execute(f"create table clean ({columns})")  # type: ignore[arg-type]
    begun = time.perf_counter()
    with (
        store.transaction() as db,
        db.cursor().copy("copy clean from stdin (format binary)") as copy,
        open(packed, "rb") as file,
    ):
        while piece := file.read(1 << 20):
            copy.write(piece)
    took = time.perf_counter() - begun
    with store.transaction() as db:
        db.execute("drop table clean, clean_text")
    packed.unlink()
    return took


def apart(part: str, place: Path, rows: int, per_million: int = 8, every: int = 1) -> dict[str, Any]:
    """One measurement in a process of its own, so that its peak memory is its own."""
    command = [
        sys.executable,
        __file__,
        "--part",
        part,
        "--place",
        str(place),
        "--rows",
        str(rows),
        "--defects",
        str(per_million),
        "--every",
        str(every),
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


PARTS: dict[str, Callable[[Made], dict[str, Any]]] = {
    "scan": scan,
    "truth": truth,
    "load": lambda made: load(made, peer=True),
    "memory": lambda made: load(made, peer=False),
}


def main() -> None:
    """Measure and print; each figure beside its bar."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--rows", type=int, default=300_000)
    asked.add_argument("--load", type=int, default=100_000)
    asked.add_argument("--memory", type=int, nargs="*", default=[100_000, 300_000])
    asked.add_argument("--place", type=Path, default=Path(tempfile.gettempdir()) / "handhold-bench-eoir")
    asked.add_argument("--part", choices=sorted(PARTS))
    asked.add_argument("--defects", type=int, default=8)
    asked.add_argument("--every", type=int, default=10)
    asked.add_argument("--only", choices=sorted(PARTS), nargs="*", default=sorted(PARTS))
    wanted = asked.parse_args()
    if wanted.part:
        print(json.dumps(PARTS[wanted.part](make(wanted.place, wanted.rows, wanted.defects, wanted.every))))
        return
    print(f"load average {', '.join(f'{n:.1f}' for n in os.getloadavg())}; {os.cpu_count()} processors")
    for name in ("scan", "truth", "load", "memory"):
        if name in wanted.only:
            SHOWN[name](wanted)


def _show_scan(wanted: argparse.Namespace) -> None:
    found = apart("scan", wanted.place, wanted.rows)
    rate = {name: found["rows"] / seconds for name, seconds in found["best"].items()}
    ratio = {kind: found[kind]["ours"] / found[kind]["duckdb"] for kind in ("best", "median", "cpu")}
    print(
        f"scan    {ratio['best']:.2f} x DuckDB's time (median {ratio['median']:.2f}, processor {ratio['cpu']:.2f}; bar 2, reach 1.3): "
        f"ours {rate['ours']:,.0f} rows/s, DuckDB {rate['duckdb']:,.0f} rows/s, {found['rows']:,} rows"
    )


def _show_truth(wanted: argparse.Namespace) -> None:
    for rows, per_million in ((wanted.rows, 8), (min(wanted.rows, 500_000), MANY)):
        found = apart("truth", wanted.place, rows, per_million)
        lost = rows - found["rows"] - found["quarantined"]
        share = f"{found['mended'] / found['mendable']:.1%}" if found["mendable"] else "none"
        print(
            f"truth   {lost} rows lost, {found['wrong']} cells wrong of {rows:,} rows at {per_million:,} defects a million; "
            f"{found['harmed']:,} harmed, {found['mendable']:,} by a tab between cells: {share} of those mended; {found['quarantined']:,} quarantined"
        )


def _show_load(wanted: argparse.Namespace) -> None:
    for every in (1, wanted.every):
        found = apart("load", wanted.place, wanted.load, every=every)
        rate, bare = found["rows"] / found["seconds"], found["rows"] / found["copy"]
        print(
            f"load    {rate / bare:.2f} of a binary COPY (bar 0.5): {rate:,.0f} rows/s (goal 250,000), COPY {bare:,.0f} rows/s; one case in {every} a child's: "
            f"{found['stored']:,} rows and {found['events']:,} events stored, {found['left']:,} left, {found['quarantined']} quarantined; "
            f"our processor {found['cpu']:.0f} of {found['seconds']:.0f} s"
        )


def _show_memory(wanted: argparse.Namespace) -> None:
    for rows in wanted.memory:
        found = apart("memory", wanted.place, rows, every=wanted.every)
        print(
            f"memory  {found['rss'] / 1024:,.0f} MiB at the peak with {rows:,} hearing rows, {found['stored']:,} a child's "
            f"({found['rss_others'] / 1024:,.0f} MiB for the tables beside); {rows / found['seconds']:,.0f} rows/s"
        )


SHOWN = {"scan": _show_scan, "truth": _show_truth, "load": _show_load, "memory": _show_memory}


if __name__ == "__main__":
    main()
