"""What is new: rows compared with the last kept state by keyed hashes of row key and content, batch after batch.

A delivery that speaks of an earlier day than what is already known rolls nothing back: its rows are kept as the past. Of
several lines with one key the last counts. Where they stand in different batches that is known too late: then
:class:`Repeats` is raised, what was written is undone by the caller, and :func:`last_lines` tells the next attempt.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import polars as pl

from handhold import store
from handhold.feeds.layout import Layout
from handhold.feeds.model import Delivery, Held, ids
from handhold.pack import Pack

SLOTS = 1 << 28  # bits that tell a key that came before from one that did not, in 32 MiB whatever comes

FEW = 20_000  # rows of a delta in one batch, of which the ids are simply asked for

HAD = "select r.id as row, r.content as had, r.as_of as had_as_of, r.withdrawn is null as standing from feeds_row r"
KNOWN, KNOWN_FEW = f"{HAD} join feeds_came c on c.row = r.id", f"{HAD} where r.id = any(%s)"
TWICE = "select exists (select from feeds_here where good group by row having count(*) > 1)"
STANDING = "select count(*) from feeds_row where feed = %s and withdrawn is null"
GONE = """
    select r.id from feeds_row r where r.feed = %(feed)s and r.withdrawn is null
    and not exists (select from feeds_here h where h.row = r.id)"""
WITHDRAW = "update feeds_row set withdrawn = %s where id = any(%s)"
LAST_LINES = """
    select distinct on (row) row, line as final_line, content as final from feeds_line
    where row in (select row from feeds_line group by row having count(*) > 1) order by row, line desc"""


class Repeats(Exception):
    """A key of one batch stands in another, too."""


@dataclass
class Change:
    """Rows of one batch by what they are: ``news`` are to be understood, the rest is only counted; ``last``: of every key the
    last row of the delivery, if it is in this batch; ``earlier``: the ones before it. ``kinds``: as :func:`_kinds` says."""

    news: pl.DataFrame
    last: pl.DataFrame
    earlier: pl.DataFrame
    kinds: dict[str, pl.DataFrame]
    changed: pl.Series
    returned: pl.Series


def last_lines(db: store.Db, batches: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Of each key that a delivery has in several lines the last one: ``row, final_line, final`` (its content).

    ``batches``: keyed rows.
    """
    db.execute("create temp table feeds_line (row bigint, line int, content bigint) on commit drop")
    for rows in batches:
        store.copy_in(db, "feeds_line", rows.select("row", "line", "content"))
    found = store.frame(db, LAST_LINES)
    db.execute("drop table feeds_line")
    return found


class Comparison:
    """One delivery held against what is known of its feed. ``lines``: as :func:`last_lines` gives them."""

    def __init__(
        self,
        db: store.Db,
        delivery: Delivery,
        layout: Layout,
        *,
        now: datetime,
        pack: Pack,
        lines: pl.DataFrame | None = None,
    ) -> None:
        self._db, self._delivery, self._layout, self._now, self._pack = db, delivery, layout, now, pack
        self._lines = lines
        self._as_of = delivery.as_of or delivery.received.date()
        newest = _newest(db, layout)
        self._late = layout.snapshot and newest is not None and self._as_of < newest
        self.first = not self._late and not _any(db, layout)
        self._before = _standing(db, layout) if layout.snapshot and not self.first else 0
        self._seen: np.ndarray | None = None
        self._staged = False
        self._batches = self._here = self.rows = self.unchanged = self.past = self.changed = 0

    @property
    def loaded(self) -> int:
        """Rows that were not known as they are."""
        return self.rows - self.unchanged

    def take(self, rows: pl.DataFrame, quarantined: pl.Series, *, alone: bool) -> Change:
        """Compare a batch. ``rows`` has ``row``, ``content``, ``file``, ``number``, ``line`` and the cells;
        ``quarantined`` are ids of rows that are in the delivery but could not be used; ``alone``: it is the only batch.
        """
        last, earlier = _one_a_key(rows, self._lines)
        known = self._known(last, quarantined, alone=alone)
        kinds = _kinds(last, known, self._as_of, late=self._late)
        of = {
            kind: kinds.filter(pl.col("kind") == kind)
            for kind in ("new", "changed", "returned", "past", "unchanged")
        }
        self.rows += len(rows)
        self.unchanged += len(of["unchanged"]) + int(earlier["same_later"].sum())
        self.past += len(of["past"])
        changed = pl.concat([of["changed"], of["returned"].filter(~pl.col("same"))])["row"].alias("id")
        self.changed += len(changed)
        news = pl.concat([of["new"], of["changed"], of["returned"]]).select(rows.columns)
        return Change(news, last, earlier, of, changed, of["returned"]["row"].alias("id"))

    def keep(self, change: Change) -> None:
        """Write a batch down that was compared. Raises :class:`Repeats`."""
        self._once(change.last["row"])
        self._write(change.kinds)
        _past(self._db, change.earlier.filter(~pl.col("same_later")), self._delivery, self._now)

    def gone(self) -> pl.Series:
        """After the last batch: withdraw what a snapshot has no more; returns the ids. A row in quarantine is there.

        Raises :class:`Repeats`, and :class:`Held` when more keys vanished than the pack allows.
        """
        if not self._staged:
            return ids()
        if self._lines is None and self._batches > 1 and self._db.execute(TWICE).fetchone() == (True,):
            raise Repeats
        gone = ids()
        if self._layout.snapshot and not self._late:
            gone = store.frame(self._db, GONE, {"feed": self._layout.feed})["id"]
            self._enough_left(len(gone))
        if len(gone):
            self._db.execute(WITHDRAW, [self._delivery.id, gone.to_list()])
        self._db.execute("drop table feeds_here, feeds_came")
        return gone

    def _enough_left(self, gone: int) -> None:
        bounds = self._pack.toml("feeds/reading.toml")["held"]
        many = gone >= bounds["vanished_least"] and gone > bounds["vanished"] * self._before
        if (many or (self._before and not self._here)) and not self._delivery.released:
            share = 100 * gone / self._before
            raise Held(
                f"{gone:,} of {self._before:,} rows ({share:.1f} %) of the last snapshot are gone from this one; let a person look first"
            )

    def _once(self, keys: pl.Series) -> None:
        """Of a feed's first delivery no key may come in two batches. Nearly always a few bits say that none does."""
        self._batches += 1
        if not self.first or self._lines is not None:
            return
        slots = keys.to_numpy() & (SLOTS - 1)
        byte, bit = slots >> 3, (1 << (slots & 7)).astype(np.uint8)
        if self._seen is None:
            self._seen = np.zeros(SLOTS >> 3, np.uint8)
        maybe = keys.filter(pl.Series(self._seen[byte] & bit != 0))
        asked = "select exists (select from feeds_row where id = any(%s))"
        if len(maybe) and self._db.execute(asked, [maybe.to_list()]).fetchone() == (True,):
            raise Repeats
        np.bitwise_or.at(self._seen, byte, bit)

    def _known(self, last: pl.DataFrame, quarantined: pl.Series, *, alone: bool) -> pl.DataFrame:
        """What is kept of these rows; and which rows are here, for what comes after the last batch."""
        if self.first:
            return NOTHING
        if alone and not self._layout.snapshot and len(last) <= FEW:
            return store.frame(self._db, KNOWN_FEW, [last["row"].to_list()])
        db = self._db
        if not self._staged:
            db.execute("create temp table feeds_here (row bigint, good boolean) on commit drop")
            db.execute("create temp table feeds_came (row bigint) on commit drop")
            self._staged = True
        db.execute("truncate feeds_came")
        store.copy_in(db, "feeds_came", last.select(pl.col("row").sort()))
        db.execute("analyze feeds_came")
        db.execute("insert into feeds_here select row, true from feeds_came")
        store.copy_in(db, "feeds_here", pl.DataFrame({"row": quarantined}).with_columns(good=pl.lit(False)))
        self._here += len(last) + len(quarantined)
        return store.frame(db, KNOWN)

    def _write(self, of: dict[str, pl.DataFrame]) -> None:
        db, delivery, now = self._db, self._delivery, self._now
        standing = {
            "feed": pl.lit(self._layout.feed),
            "delivery": pl.lit(delivery.id),
            "as_of": pl.lit(self._as_of),
            "since": pl.lit(now),
            "mapping": pl.lit(delivery.mapping, pl.Int64),
        }
        columns: list[pl.Expr | str] = [pl.col("row").alias("id"), "content", "file", "number", "line"]
        # An index grows fastest in its own order.
        store.copy_in(db, "feeds_row", of["new"].select(*columns, **standing).sort("id"))
        changed = pl.concat([of["changed"], of["returned"]])
        if len(changed):
            _keep_past(db, changed, now)
            store.upsert(
                db,
                "feeds_row",
                changed.select(*columns, **standing, withdrawn=pl.lit(None, pl.Int64)),
                ["id"],
            )
        _past(db, of["past"], delivery, now)
        if not self._layout.snapshot:
            _still_so(db, of["unchanged"].filter(pl.col("had_as_of") < self._as_of), self._as_of)


NOTHING = pl.DataFrame(
    schema={"row": pl.Int64, "had": pl.Int64, "had_as_of": pl.Date, "standing": pl.Boolean}
)


def _newest(db: store.Db, layout: Layout) -> date | None:
    found = db.execute(
        "select max(as_of) from feeds_delivery where feed = %s and status = 'read'", [layout.feed]
    ).fetchone()
    return found[0] if found else None


def _any(db: store.Db, layout: Layout) -> bool:
    found = db.execute("select exists (select from feeds_row where feed = %s)", [layout.feed]).fetchone()
    return found == (True,)


def _standing(db: store.Db, layout: Layout) -> int:
    found = db.execute(STANDING, [layout.feed]).fetchone()
    return int(found[0]) if found else 0


def _kinds(last: pl.DataFrame, known: pl.DataFrame, as_of: date, *, late: bool) -> pl.DataFrame:
    """Each row with its ``kind``: new, changed, unchanged, returned (was withdrawn), or past."""
    seen = last.join(known, on="row", how="left", maintain_order="left")
    older = (pl.lit(as_of) < pl.col("had_as_of")).fill_null(False) | pl.lit(late)
    same = (pl.col("had") == pl.col("content")).fill_null(False)
    standing = pl.col("standing").fill_null(True)
    return seen.with_columns(
        same=same,
        kind=pl.when(same & (standing | older)).then(pl.lit("unchanged"))
        .when(older).then(pl.lit("past"))
        .when(pl.col("had").is_null()).then(pl.lit("new"))
        .when(~standing).then(pl.lit("returned"))
        .otherwise(pl.lit("changed")),
    )  # fmt: skip


def _one_a_key(rows: pl.DataFrame, lines: pl.DataFrame | None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The last row of each key, and the ones before it (``same_later``: the last one says the same)."""
    if lines is None:
        lines = rows.filter(pl.col("row").is_duplicated()).sort("line").unique("row", keep="last")
        lines = lines.select("row", final_line="line", final="content")
    if not len(lines):
        return rows, rows.head(0).select("row", "content", "line", "file", "number", same_later=pl.lit(False))
    known = rows.join(lines, on="row", how="left", maintain_order="left")
    is_last = pl.col("final_line").is_null() | (pl.col("line") == pl.col("final_line"))
    earlier = known.filter(~is_last)
    return known.filter(is_last).select(rows.columns), earlier.select(
        "row", "content", "line", "file", "number", same_later=pl.col("content") == pl.col("final")
    )


def _keep_past(db: store.Db, changed: pl.DataFrame, now: datetime) -> None:
    """What was believed until now, with the period in which it was."""
    db.execute("create temp table changed_row (id bigint) on commit drop")
    store.copy_in(db, "changed_row", changed.select(pl.col("row").alias("id")))
    db.execute(
        """insert into feeds_row_past (row_, content, delivery, line, file, number, since, until, mapping)
           select r.id, r.content, r.delivery, r.line, r.file, r.number, r.since, %s, r.mapping from feeds_row r join changed_row using (id)""",
        [now],
    )
    db.execute("drop table changed_row")


def _still_so(db: store.Db, unchanged: pl.DataFrame, as_of: date) -> None:
    """A delta that repeats a row says that it still holds; a delta of a day between must not roll it back."""
    if len(unchanged):
        db.execute("update feeds_row set as_of = %s where id = any(%s)", [as_of, unchanged["row"].to_list()])


def _past(db: store.Db, rows: pl.DataFrame, delivery: Delivery, now: datetime) -> None:
    """Rows that were never the newest word: written down as believed for no time at all."""
    store.copy_in(
        db, "feeds_row_past",
        rows.select(pl.col("row").alias("row_"), "content", "line", "file", "number", delivery=pl.lit(delivery.id), since=pl.lit(now),
                    until=pl.lit(now), mapping=pl.lit(delivery.mapping, pl.Int64)),
    )  # fmt: skip
