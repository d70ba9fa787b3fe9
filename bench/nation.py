"""The main job on a synthetic nation: empty database to notices in the outbox, then the same folder again.

    python bench/nation.py [--children 100000] [--adults 3] [--feeds DIR]

Prints seconds for each stage (by the clock, and of processor in this process, its workers and the database: on a machine
that others use, too, the clock says more of them), the peak memory, and how long the same folder takes again. The bar (design.md 12): 100,000 children under 3 minutes and 4 GiB, again under 20 s.
"""

import argparse
import os
import resource
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from _home import home

AS_OF = date(2024, 5, 31)
NOW = datetime(2024, 6, 1, 3, 59, tzinfo=UTC)
MIB = 1024


class Stages:
    """Seconds by stage, gathered from the progress that casework shows: by the clock, of our processors, of the database's."""

    def __init__(self) -> None:
        self.seconds: dict[str, list[float]] = {}
        self._begun: dict[str, tuple[float, ...]] = {}

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        if stage not in self._begun:
            self._begun[stage] = clocks()
        if done >= total:
            took = [after - before for after, before in zip(clocks(), self._begun.pop(stage), strict=True)]
            self.seconds[stage] = [
                a + b for a, b in zip(self.seconds.get(stage, [0.0] * 3), took, strict=True)
            ]


def clocks() -> tuple[float, ...]:
    """Seconds by the clock, of processor in this process and its ended children, and in the database's processes."""
    own = sum(os.times()[:4])
    return time.monotonic(), own, database()


def database() -> float:
    """Processor seconds of the server and of all its children, ended or not."""
    lock = next(Path(os.environ["HANDHOLD_HOME"]).glob("pg-*/postmaster.pid"), None)
    if lock is None:
        return 0.0
    postmaster = lock.read_text().split("\n", 1)[0]
    family = [postmaster, *Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()]
    return sum(map(processor, family)) + processor(postmaster, ended=True)


def processor(pid: str, *, ended: bool = False) -> float:
    """Processor seconds of one process, or of its ended children."""
    try:
        words = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    except FileNotFoundError:
        return 0.0
    return sum(map(int, words[13:15] if ended else words[11:13])) / os.sysconf("SC_CLK_TCK")


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
        took, stages, rows = once(folder)
        print(f"  {'stage':<28} {'clock':>8} {'ours':>8} {'database':>8}  seconds")
        for stage, seconds in stages.seconds.items():
            print(f"  {stage:<28} " + " ".join(f"{one:8.1f}" for one in seconds))
        print(
            f"  {'all':<28} "
            + " ".join(f"{sum(column):8.1f}" for column in zip(*stages.seconds.values(), strict=True))
        )
        print(f"first run   {took:8.1f} s   {rows:,} rows   {rows / took:,.0f} rows/s   RSS {_rss()}")
        again, _, _ = once(folder)
        print(f"again       {again:8.1f} s   first / again = {took / again:.1f}")


def _nation(place: Path, children: int, adults: float) -> Path:
    from handhold.simulate import simulate

    begun = time.monotonic()
    simulate(place, children=children, seed=7, as_of=AS_OF, adults_per_child=adults)
    print(f"simulated {children:,} children in {time.monotonic() - begun:.1f} s")
    return place / "feeds"


def _rss() -> str:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // MIB
    worker = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // MIB
    return f"{own:,} MiB, largest child process {worker:,} MiB"


if __name__ == "__main__":
    main()
