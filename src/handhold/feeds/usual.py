"""What is usual for a feed, and whether a delivery is so far from it that a person should look first."""

from collections.abc import Iterator
from statistics import median
from typing import Any

import polars as pl

from handhold import store
from handhold.feeds.layout import Layout
from handhold.feeds.model import Delivery
from handhold.pack import Pack

ROWS = """
    select rows from feeds_delivery
    where feed = %(feed)s and status = 'read' and rows is not null order by as_of desc nulls last, recorded desc limit %(past)s"""
FILL = """
    select f.column_, f.filled from feeds_fill f
    join (select id, rank() over (order by as_of desc nulls last, recorded desc) as turn from feeds_delivery
          where feed = %(feed)s and status = 'read' and rows >= %(least)s) d on d.id = f.delivery
    where d.turn <= %(past)s"""


def fill(rows: pl.DataFrame, layout: Layout) -> dict[str, float]:
    """The share of rows in which each column of the layout is not blank."""
    here = [name for name in layout.columns if name in rows.columns]
    if not len(rows) or not here:
        return {}
    filled = rows.select((pl.col(name).fill_null("") != "").mean() for name in here)
    return {name: float(share) for name, share in filled.row(0, named=True).items()}


def keep(db: store.Db, delivery: Delivery, filled: dict[str, float]) -> None:
    """Remember how full a delivery's columns were."""
    shares = pl.DataFrame({"column_": list(filled), "filled": list(filled.values())})
    store.copy_in(db, "feeds_fill", shares.select(pl.lit(delivery.id).alias("delivery"), "column_", "filled"))


def odd(
    db: store.Db, layout: Layout, *, seen: int, refused: int, good: int, filled: dict[str, float], pack: Pack
) -> str | None:
    """Why a person should look before this delivery is taken in, or ``None``.

    ``seen`` rows came, of which ``refused`` would be quarantined and ``good`` loaded; ``filled`` as :func:`fill` gives it.
    """
    bounds = pack.toml("feeds/reading.toml")["held"]
    past = {"feed": layout.feed, "past": bounds["past"], "least": bounds["fill_rows"]}
    counts = [row["rows"] for row in store.fetch(db, ROWS, past)]
    said = [*_refused(refused, good, bounds), *_counted(seen, counts, layout, bounds)]
    if good >= bounds["fill_rows"]:
        said += _filled(store.fetch(db, FILL, past), filled, layout, bounds)
    return f"{'; '.join(said)}; let a person look first" if said else None


def _refused(refused: int, good: int, bounds: dict[str, Any]) -> Iterator[str]:
    if refused >= bounds["quarantined_least"] and refused > bounds["quarantined"] * (refused + good):
        yield f"{refused:,} of {refused + good:,} rows ({100 * refused / (refused + good):.0f} %) cannot be read"


def _counted(seen: int, counts: list[int], layout: Layout, bounds: dict[str, Any]) -> Iterator[str]:
    """Rows far from the usual number: a snapshot is compared with the last one, deltas with the middle of several."""
    if len(counts) < _needed(layout, bounds):
        return
    usual = median(counts[:1] if layout.snapshot else counts)
    times = bounds["rows_times"]
    if abs(seen - usual) >= bounds["rows_least"] and not usual / times <= seen <= usual * times:
        yield f"{seen:,} rows, where {usual:,.0f} are usual"


def _filled(
    known: list[dict[str, Any]], filled: dict[str, float], layout: Layout, bounds: dict[str, Any]
) -> Iterator[str]:
    shares: dict[str, list[float]] = {}
    for row in known:
        shares.setdefault(row["column_"], []).append(row["filled"])
    for column, before in shares.items():
        usual, share = median(before), filled.get(column, 0.0)
        if len(before) >= _needed(layout, bounds) and abs(share - usual) > bounds["fill_jump"]:
            yield f"{column} is filled in {100 * share:.0f} % of the rows, where {100 * usual:.0f} % are usual"


def _needed(layout: Layout, bounds: dict[str, Any]) -> int:
    """How many deliveries make a usual one: a snapshot repeats everything, so its last one is enough."""
    return 1 if layout.snapshot else int(bounds["past_least"])
