"""Sending things to Handhold in tests: files are written, kept and read, all in the caller's transaction."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from handhold import feeds, pack, store
from handhold.feeds.layout import layouts
from handhold.feeds.model import DESCRIPTION, REPORT, empty

NOW = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
PACK = pack.load()
READING = "feeds/reading.toml"


def in_batches(rows: int) -> pack.Pack:
    """The shipped pack, but deliveries are read so many rows at a time."""
    text, many = re.subn(r"(?m)^batch_rows = [0-9_]+", f"batch_rows = {rows}", PACK.text(READING))
    assert many == 1
    return pack.Pack(PACK.name, PACK.texts | {READING: text})


@dataclass
class Taken:
    """What came of some files, in the order of their groups."""

    deliveries: list[feeds.Delivery]
    reports: pl.DataFrame
    descriptions: pl.DataFrame
    changed: list[int]
    withdrawn: list[int]
    returned: list[int]

    @property
    def one(self) -> feeds.Delivery:
        (delivery,) = self.deliveries
        return delivery

    def of(self, feed: str) -> feeds.Delivery:
        return next(d for d in self.deliveries if d.feed == feed)

    def kinds(self) -> dict[str, int]:
        return dict(self.reports["kind"].value_counts().sort("kind").iter_rows())


def send(
    db: store.Db,
    *paths: Path,
    now: datetime = NOW,
    search: bool = True,
    apart: bool = False,
    pack: pack.Pack = PACK,
) -> Taken:
    """Keep these files, or all in these folders, and read what waits to be read. Not to ``search`` sends a folder as it is;
    what holds parts is taken ``apart``."""
    files = [file for path in paths for file in (feeds.find(path) if search and path.is_dir() else [path])]
    kept = [feeds.keep(db, file, sender="test", by="system", now=now) for file in files]
    if apart:
        kept = [one for whole in kept for one in feeds.sort_out(db, whole, pack=pack)]
    readings = [feeds.whole(feeds.read(db, group, now=now, pack=pack)) for group in feeds.groups(kept)]
    done = {d.id: d for reading in readings for d in reading.deliveries}
    done |= {d.id: d for d in feeds.settle_above(db, list(done.values()))}
    return Taken(
        [done.get(d.id, d) for d in kept],
        pl.concat([empty(REPORT), *(r.reports for r in readings)]),
        pl.concat([empty(DESCRIPTION), *(r.descriptions for r in readings)]),
        [i for r in readings for i in r.changed],
        [i for r in readings for i in r.withdrawn],
        [i for r in readings for i in r.returned],
    )


def write(folder: Path, name: str, content: str | bytes) -> Path:
    """A file of that name; text as UTF-8."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def header(feed: str) -> list[str]:
    return list(layouts(PACK)[feed].columns)


def tabbed(feed: str, *rows: dict[str, str]) -> str:
    """A court table; cells that are not named are blank."""
    names = header(feed)
    return "".join(
        "\t".join(line) + "\n" for line in [names, *([row.get(n, "") for n in names] for row in rows)]
    )


def adds_up(delivery: feeds.Delivery) -> bool:
    """Nothing lost: the counts make the rows."""
    counts = (delivery.loaded, delivery.unchanged, delivery.quarantined, delivery.left)
    return (
        delivery.status == "read"
        and all(n is not None for n in counts)
        and sum(n or 0 for n in counts) == delivery.rows
    )
