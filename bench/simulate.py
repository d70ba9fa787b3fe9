"""How fast a synthetic nation is made: ``python bench/simulate.py [CHILDREN …]`` prints rows a second and peak memory."""

import resource
import shutil
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from handhold.simulate import simulate


def measure(children: int) -> str:
    """Make one nation of ``children``, two adults a child, and say how long it took."""
    folder = Path(tempfile.mkdtemp(prefix="handhold-bench-"))
    begun = time.perf_counter()
    try:
        made = simulate(folder, children=children, seed=1, as_of=date(2024, 5, 31), adults_per_child=2.0)
        took = time.perf_counter() - begun
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    finally:
        shutil.rmtree(folder)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return (
        f"{children:>9,} children  {made.rows:>11,} rows  {size / 2**20:8,.0f} MiB  {took:6.1f} s  "
        f"{made.rows / took:>10,.0f} rows/s  {peak:5.2f} GiB"
    )


if __name__ == "__main__":
    for argument in sys.argv[1:] or ["1000", "10000", "100000"]:
        print(measure(int(argument)))
