"""The main job on a synthetic nation: empty database to notices in the outbox, then the same folder again.

    python bench/nation.py [--children 100000] [--adults 3] [--feeds DIR]

Prints seconds and rows a second for each stage, the peak memory of this process and of its largest worker, and how long
the same folder takes again. The bar (design.md 12): 100,000 children under 3 minutes and 4 GiB, again under 20 s.
"""

import argparse
import os
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

AS_OF = date(2024, 5, 31)
NOW = datetime(2024, 6, 1, 3, 59, tzinfo=UTC)
MIB = 1024


class Stages:
    """Seconds by stage, gathered from the progress that casework shows."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._begun: dict[str, float] = {}

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        if stage not in self._begun:
            self._begun[stage] = time.monotonic()
        if done >= total:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + time.monotonic() - self._begun.pop(stage)


@contextmanager
def home() -> Iterator[None]:
    """A home of its own that PostgreSQL's account may enter, gone afterwards."""
    where = Path(tempfile.mkdtemp(prefix="handhold-bench-"))
    where.chmod(0o755)
    os.environ["HANDHOLD_HOME"] = str(where)
    os.environ.pop("DATABASE_URL", None)
    from handhold import store

    try:
        yield
    finally:
        store.close()
        store.stop()
        shutil.rmtree(where, ignore_errors=True)


def once(folder: Path) -> tuple[float, Stages, int]:
    """Run the main job; seconds, stages, rows."""
    from handhold import casework, feeds, pack

    stages = Stages()
    office = casework.Office(by=casework.SYSTEM, now=NOW, pack=pack.load(), show=stages)
    begun = time.monotonic()
    arrival = casework.arrive(feeds.find(folder), office, sender="bench")
    took = time.monotonic() - begun
    print(
        f"  events {arrival.events:,}; children {arrival.children:,}; gaps {arrival.opened:,}; notices {arrival.notices:,}"
    )
    return took, stages, sum(d.rows or 0 for d in arrival.deliveries)


def main() -> None:
    """Make the nation if need be, run twice, print."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--children", type=int, default=100_000)
    asked.add_argument("--adults", type=float, default=3.0)
    asked.add_argument("--feeds", type=Path)
    wanted = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="handhold-nation-") as place, home():
        folder = wanted.feeds or _nation(Path(place), wanted.children, wanted.adults)
        _prepare()
        took, stages, rows = once(folder)
        for stage, seconds in stages.seconds.items():
            print(f"  {stage:<28} {seconds:8.1f} s")
        print(f"first run   {took:8.1f} s   {rows:,} rows   {rows / took:,.0f} rows/s   RSS {_rss()}")
        again, _, _ = once(folder)
        print(f"again       {again:8.1f} s   first / again = {took / again:.1f}")


def _nation(place: Path, children: int, adults: float) -> Path:
    from handhold.simulate import simulate

    begun = time.monotonic()
    simulate(place, children=children, seed=7, as_of=AS_OF, adults_per_child=adults)
    print(f"simulated {children:,} children in {time.monotonic() - begun:.1f} s")
    return place / "feeds"


def _prepare() -> None:
    from handhold import store

    store.ensure()
    with store.transaction() as db:
        store.migrate(db)


def _rss() -> str:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MIB
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // MIB
    return f"{own:,} MiB, largest child process {worker:,} MiB"


if __name__ == "__main__":
    main()
