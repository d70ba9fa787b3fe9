"""How a feed is: when it last came and when it was due, how many rows, how full its columns, whether its codes shifted.

What a delivery looked like is written down when it is read (:func:`profile`, :func:`keep`) and compared with the deliveries
before it when somebody asks (:func:`check`). The thresholds are ``feeds/health.toml`` of the pack.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from statistics import median
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from handhold import store
from handhold.feeds.layout import Layout, layouts
from handhold.feeds.model import Delivery
from handhold.pack import Pack

RHYTHM = re.compile(r"P(\d+)([DWM])")
SHOWN = 12  # deliveries of a feed that its health tells of
PART = 1e-4  # stands for a share of nothing, whose logarithm nobody can take

DELIVERIES = """
    select * from (
        select id, feed, as_of, received, read_at, status, why, rows, loaded, unchanged, quarantined, left_, withdrawn,
               row_number() over (partition by feed order by as_of desc nulls last, received desc, recorded desc) as turn
        from feeds_delivery where feed is not null and status in ('read', 'held')) d
    where turn <= %(shown)s order by feed, turn desc"""
COLUMNS = (
    "select delivery, column_, rows, filled, codes from feeds_column where delivery = any(%(deliveries)s)"
)
AGAIN = """
    select d.feed, max(a.as_of) as as_of from feeds_again a join feeds_delivery d on d.id = a.delivery
    where d.status = 'read' group by 1"""
NORMAL = "select feed, from_ from feeds_normal"


@dataclass(frozen=True)
class Profile:
    """What one delivery looked like. ``filled``: by column; ``codes``: by column of codes, how often each stood."""

    rows: int
    quarantined: int = 0
    withdrawn: int = 0
    filled: Mapping[str, int] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def good(self) -> int:
        """Rows that could be read."""
        return self.rows - self.quarantined


@dataclass(frozen=True)
class Finding:
    """One way in which a delivery is unlike those before it: a code, and the numbers (now and usual) that show it."""

    reason: str
    now: float
    usual: float
    column: str = ""


@dataclass(frozen=True)
class Came:
    """One delivery of a feed, with what it looked like."""

    delivery: int
    as_of: date
    received: datetime
    status: str
    profile: Profile
    loaded: int
    unchanged: int
    left: int


@dataclass(frozen=True)
class Health:
    """How one feed is. ``came``: its last deliveries, oldest first. ``as_of``: the newest day of which it spoke. ``due``: the day on which it should come again;
    ``silent_from``: when it counts as silent. ``findings``: how its newest delivery differs from those before it."""

    feed: str
    agency: str
    every: str | None
    came: tuple[Came, ...]
    as_of: date
    due: date | None
    silent_from: datetime | None
    usual: Profile | None
    findings: tuple[Finding, ...]
    now: datetime

    @property
    def newest(self) -> Came:
        """The delivery that speaks of the newest day."""
        return self.came[-1]

    @property
    def read(self) -> list[Came]:
        """Those that were read, oldest first."""
        return [one for one in self.came if one.status == "read"]

    @property
    def silent(self) -> bool:
        """Whether a delivery is late beyond its grace."""
        return self.silent_from is not None and self.now >= self.silent_from


def profile(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """How full each column is: ``column_``, ``rows``, ``filled``, ``codes`` (JSON, for columns of codes, else null)."""
    names = [name for name in layout.columns if name in rows.columns]
    filled = rows.select(pl.col(names).count()).row(0) if names else ()
    codes = [_codes(rows[name]) if layout.columns[name].codes else None for name in names]
    shape: dict[str, Any] = {"column_": pl.String, "rows": pl.Int64, "filled": pl.Int64, "codes": pl.String}
    return pl.DataFrame([names, [len(rows)] * len(names), list(filled), codes], schema=shape)


def _codes(cells: pl.Series) -> str:
    counted = cells.drop_nulls().str.to_uppercase().value_counts(name="n")
    return json.dumps(dict(sorted(counted.iter_rows())))


def keep(db: store.Db, delivery: Delivery, profiled: pl.DataFrame) -> None:
    """Write down what a delivery looked like when it was read."""
    store.copy_in(
        db,
        "feeds_column",
        profiled.select("column_", "rows", "filled", "codes", delivery=pl.lit(delivery.id)),
    )


def came_again(db: store.Db, delivery: int, as_of: date | None, now: datetime) -> None:
    """The bytes of ``delivery`` came again, as what is so on ``as_of``: no news, but a sign of life."""
    db.execute(
        """insert into feeds_again (delivery, as_of, received)
           select id, %(as_of)s, %(now)s from feeds_delivery where id = %(delivery)s and as_of < %(as_of)s on conflict do nothing""",
        {"delivery": delivery, "as_of": as_of, "now": now},
    )


def accept(db: store.Db, feed: str, *, by: str, now: datetime) -> None:
    """A person says that what the feed shows now is normal: it is measured by deliveries from here on."""
    db.execute(
        """insert into feeds_normal (feed, from_, by) values (%s, %s, %s)
           on conflict (feed) do update set from_ = excluded.from_, by = excluded.by, recorded = now()""",
        [feed, now, by],
    )


def check(db: store.Db, *, now: datetime, pack: Pack) -> list[Health]:
    """Every feed that has come, in the order of the pack. One that never came is nobody's silence."""
    rows = store.fetch(db, DELIVERIES, {"shown": SHOWN})
    profiles = _profiles(db, [row["id"] for row in rows])
    normal = {row["feed"]: row["from_"] for row in store.fetch(db, NORMAL)}
    again = {row["feed"]: row["as_of"] for row in store.fetch(db, AGAIN)}
    rules = pack.toml("feeds/health.toml")
    found = []
    for feed, layout in layouts(pack).items():
        came = tuple(_came(row, profiles) for row in rows if row["feed"] == feed)
        if came:
            since = normal.get(feed)
            known = [row["read_at"] for row in rows if row["feed"] == feed]
            measured = [
                one
                for one, at in zip(came, known, strict=True)
                if one.status == "read" and not (since and at and at < since)
            ]
            found.append(_health(layout, came, measured, again.get(feed), rules, now))
    return found


def _profiles(db: store.Db, deliveries: list[int]) -> dict[int, list[dict[str, Any]]]:
    found: dict[int, list[dict[str, Any]]] = {}
    for row in store.fetch(db, COLUMNS, {"deliveries": deliveries}):
        found.setdefault(row["delivery"], []).append(row)
    return found


def _came(row: dict[str, Any], profiles: dict[int, list[dict[str, Any]]]) -> Came:
    columns = profiles.get(row["id"], [])
    looked = Profile(
        rows=row["rows"] or 0,
        quarantined=row["quarantined"] or 0,
        withdrawn=row["withdrawn"] or 0,
        filled={c["column_"]: c["filled"] for c in columns},
        codes={c["column_"]: c["codes"] for c in columns if c["codes"] is not None},
    )
    as_of = row["as_of"] or row["received"].astimezone(UTC).date()
    counts = (row["loaded"] or 0, row["unchanged"] or 0, row["left_"] or 0)
    # Rows that are no child's say nothing of how full a column is.
    looked = Profile(
        looked.rows - counts[2], looked.quarantined, looked.withdrawn, looked.filled, looked.codes
    )
    return Came(row["id"], as_of, row["received"], row["status"], looked, *counts)


def _health(
    layout: Layout,
    came: tuple[Came, ...],
    measured: list[Came],
    again: date | None,
    rules: dict[str, Any],
    now: datetime,
) -> Health:
    read = [one.as_of for one in came if one.status == "read"] or [came[-1].as_of]
    newest = max([*read, *([again] if again else [])])
    due = after(newest, layout.every) if layout.every else None
    before = [one.profile for one in measured[:-1]][-rules["drift"]["remembered"] :]
    found = (
        drift(measured[-1].profile, before, snapshot=layout.snapshot, bounds=rules["drift"])
        if measured
        else []
    )
    if came[-1].status == "held":
        found = [*found, Finding("held", 1, 0)]
    return Health(
        layout.feed, layout.agency, layout.every, came, newest, due,
        silent_from(newest, layout.every, rules["silent"], layout.zone) if layout.every else None,
        pooled(before) if before else None, tuple(found), now,
    )  # fmt: skip


def after(day: date, every: str) -> date:
    """The day one rhythm after ``day``: ``P1D``, ``P2W``, ``P1M`` (a month without such a day ends sooner)."""
    count, unit = _rhythm(every)
    if unit != "M":
        return day + timedelta(days=count * (7 if unit == "W" else 1))
    month = day.year * 12 + day.month - 1 + count
    first = date(month // 12, month % 12 + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def _rhythm(every: str) -> tuple[int, str]:
    found = RHYTHM.fullmatch(every)
    if found is None:
        raise ValueError(f"{every!r} is no rhythm; write P1D, P2W or P1M")
    return int(found[1]), found[2]


def silent_from(newest: date, every: str, rules: Mapping[str, Any], zone: str) -> datetime:
    """The moment (UTC) from which a feed that last spoke of ``newest`` is silent: the end of its last day of grace."""
    due = after(newest, every)
    grace = max(int(rules["grace_least"]), math.ceil(rules["grace"] * (due - newest).days))
    return datetime.combine(due + timedelta(days=grace + 1), time(), ZoneInfo(zone)).astimezone(UTC)


def pooled(profiles: Sequence[Profile]) -> Profile:
    """Several deliveries as one: what is usual."""
    filled: dict[str, int] = {}
    codes: dict[str, dict[str, int]] = {}
    for one in profiles:
        _add(filled, one.filled)
        for column, counts in one.codes.items():
            _add(codes.setdefault(column, {}), counts)
    return Profile(
        sum(p.rows for p in profiles),
        sum(p.quarantined for p in profiles),
        sum(p.withdrawn for p in profiles),
        filled,
        codes,
    )


def _add(total: dict[str, int], counts: Mapping[str, int]) -> None:
    for name, count in counts.items():
        total[name] = total.get(name, 0) + count


def drift(
    delivery: Profile, before: Sequence[Profile], *, snapshot: bool, bounds: Mapping[str, Any]
) -> list[Finding]:
    """How ``delivery`` differs from those ``before`` it (oldest first), beyond the bounds and beyond chance."""
    found = [*_keys(delivery, bounds), *_quarantined(delivery, bounds)]
    if before:
        usual = pooled(before)
        found += [
            *_rows(delivery, before, snapshot, bounds),
            *_fill(delivery, usual, bounds),
            *_shift(delivery, usual, bounds),
        ]
    return found


def _keys(delivery: Profile, bounds: Mapping[str, Any]) -> Iterator[Finding]:
    gone, standing = delivery.withdrawn, delivery.good + delivery.withdrawn
    if gone >= bounds["vanished_least"] and gone > bounds["vanished"] * standing:
        yield Finding("keys", gone / standing, 0)


def _quarantined(delivery: Profile, bounds: Mapping[str, Any]) -> Iterator[Finding]:
    if (
        delivery.quarantined >= bounds["quarantined_least"]
        and delivery.quarantined > bounds["quarantined"] * delivery.rows
    ):
        yield Finding("quarantined", delivery.quarantined / delivery.rows, 0)


def _rows(
    delivery: Profile, before: Sequence[Profile], snapshot: bool, bounds: Mapping[str, Any]
) -> Iterator[Finding]:
    counts = [one.rows for one in before]
    if not snapshot and len(counts) < bounds["least"]:
        return
    usual = counts[-1] if snapshot else median(counts)
    times = bounds["rows_times_snapshot" if snapshot else "rows_times"]
    if (
        abs(delivery.rows - usual) >= bounds["rows_least"]
        and not usual / times <= delivery.rows <= usual * times
    ):
        yield Finding("rows", delivery.rows, usual)


def _fill(delivery: Profile, usual: Profile, bounds: Mapping[str, Any]) -> Iterator[Finding]:
    n, m = delivery.good, usual.good
    if min(n, m) < bounds["fill_rows"]:
        return
    for column, filled in delivery.filled.items():
        if column in usual.filled:
            share, was = filled / n, usual.filled[column] / m
            middle = (filled + usual.filled[column]) / (n + m)
            chance = bounds["surprise"] * math.sqrt(middle * (1 - middle) * (1 / n + 1 / m))
            if abs(share - was) > max(bounds["fill"], chance):
                yield Finding("fill", share, was, column)


def _shift(delivery: Profile, usual: Profile, bounds: Mapping[str, Any]) -> Iterator[Finding]:
    for column, counts in delivery.codes.items():
        was = usual.codes.get(column, {})
        n, m = sum(counts.values()), sum(was.values())
        if min(n, m) < bounds["codes_rows"]:
            continue
        # Two samples of one population differ, too: by chance the index is about (codes - 1)(1/n + 1/m).
        chance = bounds["surprise"] * (len({*counts, *was}) - 1) * (1 / n + 1 / m)
        index = stability(counts, was)
        if index > max(bounds["codes"], chance):
            yield Finding("codes", index, 0, column)


def stability(counts: Mapping[str, int], was: Mapping[str, int]) -> float:
    """Population stability index: the sum over codes of (share - share before) ln(share / share before)."""
    n, m = sum(counts.values()), sum(was.values())
    shares = ((max(counts.get(c, 0) / n, PART), max(was.get(c, 0) / m, PART)) for c in {*counts, *was})
    return sum((a - b) * math.log(a / b) for a, b in shares)
