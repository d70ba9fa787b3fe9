"""How fast entries are written, sealed and proved. ``python bench/ledger.py [ENTRIES]``, under a HANDHOLD_HOME of its own.

Bar (design.md 12): 20,000 entries a second, written in batches. Exit code 1 when it is missed.
"""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from handhold import ledger, store

BAR = 20_000
BATCH = 1_000
NOW = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)


def entries(first: int, count: int) -> list[ledger.Entry]:
    """Looks at ``count`` children, each an entry of its own."""
    return [
        ledger.Entry(
            by="person:7", verb="child.seen", thing="child", ids=[n], at=NOW, agency="ORR", purpose="safety"
        )
        for n in range(first, first + count)
    ]


def write(count: int) -> None:
    """Batches, each in a transaction of its own."""
    for first in range(0, count, BATCH):
        with ledger.acting_transaction("person:7") as db:
            ledger.write_many(db, entries(first, BATCH))


def seal() -> None:
    """Seal all that waits."""
    with ledger.acting_transaction("system") as db:
        ledger.seal(db, now=NOW)


def prove() -> None:
    """Verify, and insist that it holds."""
    with ledger.acting_transaction("system") as db:
        said = ledger.verify(db)
    assert said.ok, said.problems


def one_by_one() -> None:
    """A thousand single looks, each its own transaction."""
    for n in range(BATCH):
        with ledger.acting_transaction("person:7") as db:
            ledger.write_many(db, entries(n, 1))


def rate(what: str, count: int, work: Callable[[], None]) -> float:
    """Do it, print and return how many a second."""
    begun = time.perf_counter()
    work()
    per_second = count / (time.perf_counter() - begun)
    print(f"{what:<34}{per_second:>12,.0f} /s")
    return per_second


def main() -> int:
    """Run all, and compare with the bar."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    store.ensure()
    with store.transaction() as db:
        store.migrate(db)
    written = rate(f"write, {BATCH} a transaction", count, lambda: write(count))
    rate("seal", count, seal)
    with store.transaction() as db:
        size = store.fetch(db, "select count(*) as n from ledger_leaf")[0]["n"]
    rate("verify", size, prove)
    rate("write, one a transaction", BATCH, one_by_one)
    return 0 if written >= BAR else 1


if __name__ == "__main__":
    sys.exit(main())
