"""How fast each feed is read: ``python bench/ingest.py [--children 20000] [--feeds DIR]`` prints rows a second by feed.

A simulated nation with three adults a child in court. A feed's time is that of ``casework.take_in``: kept bytes are opened,
checked, compared, understood, and recorded with their files and events, durably. The court's tables are read together.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

from _home import home
from eoir import NOW
from nation import AS_OF


def main() -> None:
    """Make the nation if need be, take it in, print."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--children", type=int, default=20_000)
    asked.add_argument("--feeds", type=Path)
    wanted = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="handhold-nation-") as place, home():
        folder = wanted.feeds or _nation(Path(place), wanted.children)
        print(f"load average {', '.join(f'{n:.1f}' for n in os.getloadavg())}")
        _take_in(folder)


def _nation(place: Path, children: int) -> Path:
    from handhold.simulate import simulate

    simulate(place, children=children, seed=7, as_of=AS_OF, adults_per_child=3.0)
    return place / "feeds"


def _take_in(folder: Path) -> None:
    from handhold import casework, feeds, pack

    office = casework.Office(by=casework.SYSTEM, now=NOW, pack=pack.load())
    arrival = casework.Arrival(casework.keep(feeds.find(folder), office, sender="bench"))
    whole, rows = 0.0, 0
    for group in feeds.groups(arrival.deliveries):
        begun = time.perf_counter()
        casework.take_in(group, office, arrival)
        took = time.perf_counter() - begun
        ids = {delivery.id for delivery in group}
        read = sum(d.rows or 0 for d in arrival.deliveries if d.id in ids)
        name = f"{group[0].feed}" if len(group) == 1 else f"{group[0].agency}, {len(group)} tables"
        print(f"{name:<24} {read:>11,} rows  {took:7.1f} s  {read / took:>11,.0f} rows/s")
        whole, rows = whole + took, rows + read
    print(f"{'all':<24} {rows:>11,} rows  {whole:7.1f} s  {rows / whole:>11,.0f} rows/s")


if __name__ == "__main__":
    main()
