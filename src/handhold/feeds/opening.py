"""Deliveries opened batch by batch: cells, mended and checked, with what they need of their neighbours, and keyed.

Nothing of a delivery is held but the batch at hand, its counts, and what the tables beside it need to know of it.
"""

import json
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from handhold import store
from handhold.feeds import health, inbox, referrals
from handhold.feeds.layout import Layout, layouts
from handhold.feeds.mapping import book
from handhold.feeds.mapping.text import base_feed
from handhold.feeds.model import Delivery
from handhold.feeds.reading import court, source, table
from handhold.feeds.reading.columns import a_number
from handhold.feeds.reading.coming import Coming
from handhold.pack import Pack

RULES = "feeds/reading.toml"
NUMBERS = {
    "ero.uc_transfers": "A-Number", "orr.placements": "A-Number", "orr.discharges": "A-Number", "opla.cases": "A-Number",
    "uscis.benefits": "A-Number", "uscis.ar11": "A-Number", "eoir.CaseIdentity": "A_NUMBER",
}  # fmt: skip
COUNT, ACTIONS = "eoir.Count", "dol.actions"
UNIT = "\x1f"  # stands between the parts of a key (see store.sealed)


@dataclass
class Batch:
    """Some rows of a delivery that can be used, with their keys (see :func:`keyed`), and the problems of others."""

    rows: pl.DataFrame
    problems: pl.DataFrame


@dataclass
class Opened:
    """A delivery that is read batch by batch, with what is counted meanwhile; the counts are whole after the last batch.

    ``good`` rows can be used, ``refused`` ones not, ``left`` ones are no child's; ``unknown``: see ``table.Checked``;
    ``apart``: its batches need nothing of the database, so they are made in a thread of their own.
    """

    delivery: Delivery
    layout: Layout
    begin: Callable[["Opened"], Generator[Batch, None, None]]
    apart: bool = True
    good: int = 0
    refused: int = 0
    left: int = 0
    missing: list[str] = field(default_factory=list)
    unknown: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    profiles: list[pl.DataFrame] = field(default_factory=list)
    coming: Coming[Batch] | None = None

    @property
    def seen(self) -> int:
        """All rows of the delivery."""
        return self.good + self.refused + self.left

    @property
    def compared(self) -> bool:
        """Whether its rows are compared with what is known; the court's control totals are not."""
        return self.delivery.feed != COUNT

    def batches(self) -> Iterator[Batch]:
        """The delivery's rows, at least one batch; from the beginning, whenever it is asked.

        Raises ``Unreadable``, or ``NoLongerFits`` for a sender's own spreadsheet whose header is no longer the confirmed one.
        """
        begun, self.coming = self.coming, None
        yield from begun or self._begun()

    def ahead(self) -> "Opened":
        """Begin to make the first batches."""
        self.coming = Coming(self.begin(self))
        return self

    def _begun(self) -> Iterable[Batch]:
        self.good = self.refused = self.left = 0
        self.unknown, self.notes, self.profiles = {}, [], []
        return Coming(self.begin(self)) if self.apart else self.begin(self)

    def close(self) -> None:
        """What was made ahead is not wanted."""
        if self.coming is not None:
            self.coming.close()

    def count(self, batch: Batch, cells: source.Cells, unknown: Mapping[str, int]) -> None:
        """Add a batch to the counts."""
        self.good += len(batch.rows)
        self.refused += len(batch.problems)
        self.left += cells.left
        self.missing = cells.missing
        for column, many in unknown.items():
            self.unknown[column] = self.unknown.get(column, 0) + many
        latest = health.profile(batch.rows, self.layout)
        self.profiles = [health.together([*self.profiles, latest])]

    @property
    def profile(self) -> pl.DataFrame:
        """As ``health.profile`` gives it."""
        return self.profiles[0]

    def why(self, past: int, newest_first: str) -> str | None:
        """What a person should know of a delivery that was read."""
        missing = self.missing if self.delivery.mapping is None else []
        unknown = self.unknown
        said = [
            f"read as blank, since the file lacks them: {', '.join(missing)}" if missing else "",
            f"read as unknown, since they are no known codes: {', '.join(f'{n} in {c}' for c, n in unknown.items())}"
            if unknown
            else "",
            newest_first if past else "",
            *self.notes,
        ]
        return "; ".join(part for part in said if part)[:1000] or None


def opened(
    db: store.Db,
    deliveries: list[Delivery],
    cases: court.Cases | None,
    pack: Pack,
    ahead: Mapping[int, Opened] | None = None,
) -> list[Opened]:
    """Deliveries to be read one after the other in this order, each to its last batch; of a court extract only what
    belongs to ``cases``. A table that tells its neighbours something stands before them."""
    known, facts = ahead or {}, court.Beside()
    found = [known.get(d.id) or _opened(db, d, cases, facts, pack) for d in deliveries]
    return sorted(found, key=lambda one: court.turn(one.layout.table) if one.layout.agency == "EOIR" else 0)


def alone(delivery: Delivery, pack: Pack) -> Opened | None:
    """A delivery whose first batches are made while something else is written, where that needs nothing but the delivery: no
    other table, mapping or number. ``None`` where it must wait for its turn."""
    if delivery.mapping is not None:
        return None
    layout = layouts(pack)[delivery.feed or ""]
    if layout.shifts or layout.feed in (COUNT, ACTIONS):
        return None
    return Opened(delivery, layout, lambda one: _batches(one, cells(delivery, layout, pack), pack)).ahead()


def _opened(
    db: store.Db, delivery: Delivery, cases: court.Cases | None, facts: court.Beside, pack: Pack
) -> Opened:
    layout = book.layout_of(db, delivery, pack)
    keep = cases if layout.shifts else None
    beside = facts if layout.shifts else None
    apart = delivery.mapping is None and base_feed(layout.feed) != ACTIONS

    def begin(one: Opened) -> Generator[Batch, None, None]:
        own = delivery.mapping is None
        pieces = cells(delivery, layout, pack, keep=keep) if own else _mapped(db, one, pack)
        yield from _batches(one, pieces, pack, db=db, beside=beside)

    return Opened(delivery, layout, begin, apart)


def _batches(
    one: Opened,
    pieces: Iterable[source.Cells],
    pack: Pack,
    *,
    db: store.Db | None = None,
    beside: court.Beside | None = None,
) -> Generator[Batch, None, None]:
    """The batches of a delivery. Its neighbours are told only once all of it could be read."""
    layout, told = one.layout, []
    for came in source.batched(pieces, pack.toml(RULES)["bounds"]["batch_rows"]):
        checked = _checked(came.rows, one.delivery, layout, pack)
        checked = replace(checked, problems=pl.concat([checked.problems, came.problems]))
        if db is not None and base_feed(layout.feed) == ACTIONS:
            checked = referrals.met(db, checked, layout)
        rows = checked.rows
        if beside is not None:
            told.append(beside.tells(layout.table, rows))
            rows = beside.added(layout.table, rows)
        batch = Batch(keyed(rows, layout, one.delivery) if one.compared else rows, checked.problems)
        one.count(batch, came, checked.unknown)
        yield batch
    if beside is not None:
        beside.know(layout.table, told)


def _mapped(db: store.Db, one: Opened, pack: Pack) -> Iterator[source.Cells]:
    applied = book.rows_of(db, one.delivery, one.layout, pack)
    one.notes = applied.notes
    yield from _edited([applied.cells], one.delivery, one.layout, None)


def cells(
    delivery: Delivery,
    layout: Layout,
    pack: Pack,
    *,
    keep: court.Cases | None = None,
    only: list[str] | None = None,
) -> Iterator[source.Cells]:
    """The cells of a delivery as it lies there, corrected lines as they should have come; see ``source.pieces``."""
    rules = pack.toml(RULES)["bounds"]
    with inbox.open_(delivery) as kept:
        came = source.pieces(kept, delivery.name, layout, rules, keep=keep, only=only)
        yield from _edited(came, delivery, layout, keep)


def _edited(
    pieces: Iterable[source.Cells], delivery: Delivery, layout: Layout, keep: source.Keep | None
) -> Iterator[source.Cells]:
    """The cells with the lines that were corrected in place as they should have come, each in its place."""
    if not delivery.edits:
        yield from pieces
        return
    shape = dict.fromkeys(layout.columns, pl.String) | {"line": pl.Int32}
    rows = pl.DataFrame([json.loads(cells) | {"line": line} for line, cells in delivery.edits], schema=shape)
    lines, last = rows["line"].implode(), None
    for last in pieces:
        here = rows if last.last is None else rows.filter(pl.col("line") <= last.last)
        rows = rows.join(here.select("line"), on="line", how="anti")
        yield _mended(last, here, lines, keep)
    if len(rows) and last is not None:
        nothing = source.Cells(last.rows.clear(), table.empty_problems(), 0, last.missing)
        yield _mended(nothing, rows, lines, keep)


def _mended(
    came: source.Cells, rows: pl.DataFrame, lines: pl.Series | pl.Expr, keep: source.Keep | None
) -> source.Cells:
    wanted = rows.filter(keep(rows)) if keep else rows
    others = came.rows.filter(~pl.col("line").is_in(lines))
    return replace(
        came,
        rows=pl.concat([others, wanted.select(others.columns)]).sort("line"),
        problems=came.problems.filter(~pl.col("line").is_in(lines)),
        left=came.left + len(rows) - len(wanted),
    )


def problem_of(
    delivery: Delivery, line: int, row: Mapping[str, str], layout: Layout, pack: Pack
) -> str | None:
    """Why a corrected row would be refused again, or ``None``."""
    shape = dict.fromkeys(layout.columns, pl.String) | {"line": pl.Int32}
    said: dict[str, Any] = {name: value or None for name, value in row.items()} | {"line": line}
    problems = _checked(pl.DataFrame([said], schema=shape), delivery, layout, pack).problems
    return problems["why"][0] if len(problems) else None


def _checked(cells: pl.DataFrame, delivery: Delivery, layout: Layout, pack: Pack) -> table.Checked:
    """Dates are understood as of the day on which the delivery came, so that it reads the same whenever it is read again."""
    if layout.shifts:
        cells = court.unredacted(cells, pack.toml("feeds/eoir.toml")["codes"], layout)
    rules = pack.toml(RULES)["bounds"]
    today = delivery.received.astimezone(ZoneInfo(layout.zone)).date()
    return table.check(cells, layout, today=today, first=rules["first_year"], last=rules["last_year"])


def case_files(cases: pl.Series) -> pl.Series:
    """Blind ids of the court's files, from IDNCASE."""
    return store.blind(("EOIR" + UNIT + cases).alias("file"), "file")


def keyed(rows: pl.DataFrame, layout: Layout, delivery: Delivery) -> pl.DataFrame:
    """The rows with their blind keys ``row, content, file, number``, and the file's own number in the clear for its description."""
    beside = [name for name in rows.columns if name.startswith(court.BESIDE)]
    text = rows.select(
        key=pl.lit(layout.feed + UNIT) + table.row_key(layout),
        content=pl.concat_str(pl.col([*layout.columns, *beside]).fill_null(""), separator=UNIT),
        file_key=table.file_key(layout),
    )
    number = (
        text["file_key"].clear(len(rows))
        if base_feed(layout.feed) not in NUMBERS
        else rows.select(n=a_number(pl.col(NUMBERS[base_feed(layout.feed)])))["n"]
    )
    as_of = delivery.as_of or delivery.received.date()
    return rows.with_columns(
        store.blind(text["key"], "row").alias("row"),
        store.blind(text["content"], "content").alias("content"),
        _file_ids(text["file_key"], layout).alias("file"),
        store.blind(number, "number").alias("number"),
        text["file_key"],
        delivery=pl.lit(delivery.id),
        as_of=pl.lit(
            datetime(as_of.year, as_of.month, as_of.day, tzinfo=ZoneInfo(layout.zone))
        ).dt.convert_time_zone("UTC"),
    )


def _file_ids(keys: pl.Series, layout: Layout) -> pl.Series:
    """Blind ids of files; a file's rows are many, so each file is hashed once."""
    distinct = pl.DataFrame({"key": keys.unique()})
    hashed = distinct.with_columns(
        file=store.blind((layout.agency + UNIT + distinct["key"]).alias("file"), "file")
    )
    return pl.DataFrame({"key": keys}).join(hashed, on="key", how="left", maintain_order="left")["file"]
