"""The agreements: how long a pack takes to compile, once for each version, and one decision afterwards.

    python bench/access.py [--rounds 5]

Prints the median. No bar: a pack is compiled when a
process starts.
"""

import argparse
import statistics
import time
from dataclasses import replace


def main() -> None:
    """Measure and print."""
    from handhold import access, pack

    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--rounds", type=int, default=5)
    wanted, shipped, took = asked.parse_args(), pack.load(), []
    for n in range(wanted.rounds):
        fresh = replace(shipped, texts=shipped.texts | {"note.toml": f"round = {n}"})
        begun = time.perf_counter()
        table = access.compiled(fresh)
        took.append(time.perf_counter() - begun)
    questions = list(table.cells)
    begun = time.perf_counter()
    for question in questions:
        access.decide(table, *question)
    each = (time.perf_counter() - begun) / len(questions)
    print(
        f"compiled {len(questions):,} questions in {statistics.median(took):.2f} s; {each * 1e6:.1f} µs to decide one"
    )


if __name__ == "__main__":
    main()
