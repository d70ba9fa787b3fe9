"""Telling a stream again: what its deliveries say when one of them comes between, is undone or is redone.

What is known of a row is a function of the deliveries that stand, in the order of the days they speak of; it must not
depend on when they came. Reading them one after another in that order is the plain case, and ``reader.read`` does it.
Everything else is done here: the kept bytes are read again, rows whose history is another one now are understood again,
and only those are written. Two passes, batch by batch: of every row the keys stand in memory, of a batch the cells.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

import polars as pl

from handhold import store
from handhold.feeds import children, inbox, opening, order, quarantine, reader
from handhold.feeds import runs as history
from handhold.feeds.layout import layouts
from handhold.feeds.mapping import book
from handhold.feeds.mapping.header import NoLongerFits
from handhold.feeds.model import DESCRIPTION, REPORT, Delivery, Unreadable, ids
from handhold.feeds.reading import court
from handhold.feeds.reading.meaning import Rows
from handhold.feeds.reading.numbers import Known
from handhold.pack import Pack

_Seen = dict[object, list[pl.DataFrame]]
TURN = {"turn": pl.Int32}
PERSON_TABLES = ("A_TblCase", "CaseIdentity")
KEYED = ["row", "content", "file", "number", "line", "feed"]
COMPARED = ["row", "delivery", "until_delivery", "replaced", "content", "file", "day"]
KNOWN_ROWS = """
    select r.id as row, r.feed, r.content, r.file, r.number, r.delivery, r.line, r.since, r.mapping
    from feeds_row r join told_again t on t.row = r.id"""
PAST_ROWS = (
    "select p.row_ as row, p.content, p.delivery from feeds_row_past p join told_again t on t.row = p.row_"
)
MENTIONED = """
    select r.file from feeds_row r where r.file = any(%(files)s)
    union select p.file from feeds_row_past p join feeds_delivery d on d.id = p.delivery
    where p.file = any(%(files)s) and d.status = 'read' and exists (select from feeds_row r where r.id = p.row_)"""


@dataclass(frozen=True)
class State:
    """What a stream is told from: the deliveries that stand, in order, and the numbers known from ERO and ORR."""

    deliveries: list[Delivery]
    numbers: pl.Series


@dataclass
class Retelling:
    """The whole story of the rows that have another one now.

    ``runs``: as ``feeds.runs`` gives them; ``reports`` and ``descriptions`` carry the ``turn`` of the run that states
    them; ``rows``: all rows told again, also those of which nothing is left; ``files``: all files they ever named.
    """

    rows: pl.Series = field(default_factory=ids)
    files: pl.Series = field(default_factory=ids)
    runs: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=history.RUN))
    reports: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REPORT | TURN))
    descriptions: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=DESCRIPTION | TURN))
    deliveries: list[Delivery] = field(default_factory=list)


@dataclass(frozen=True)
class _Turn:
    """Some deliveries read together, the number of the first of them in the stream, and the cases that count."""

    group: list[Delivery]
    first: int
    cases: court.Cases | None

    @property
    def key(self) -> object:
        """What its reading depends on."""
        cases = None if self.cases is None else hash(self.cases.numbers.numbers.tobytes())
        return tuple((d.id, d.edits) for d in self.group), cases


def again(db: store.Db, stream: str, before: State, after: State, *, now: datetime, pack: Pack) -> Retelling:
    """Tell a stream from ``after`` where it was told from ``before``: write down rows and what is past, and return what
    the rows with another history now state. The same again changes nothing."""
    store.lock(db, "feeds.read")
    seen: _Seen = {}
    was, _ = _told(db, before, seen, pack)
    told, said = _told(db, after, seen, pack)
    turns = _turns(after, pack)
    if stream == order.COURT:
        _leave_anew(db, turns, pack)
    rows = _affected(was, told, stream)
    mine = told.filter(pl.col("row").is_in(rows.implode()))
    files = pl.concat([mine["file"], was.filter(pl.col("row").is_in(rows.implode()))["file"]])
    found = Retelling(rows, files.drop_nulls().unique().sort().alias("file"), runs=mine)
    lines = said.filter(pl.col("row").is_in(rows.implode())).select("row", "delivery", "line").drop_nulls()
    for turn in turns:
        _understand(db, found, turn, lines, now, pack)
    _write(db, found, after.deliveries, now)
    quarantine.released_by(
        db, _released(said), [d.id for d in (*before.deliveries, *after.deliveries)], now=now
    )
    return found


def _released(said: pl.DataFrame) -> pl.DataFrame:
    """Refused rows with the next delivery that has a good row of their key: ``delivery, key, by``."""
    refused = said.filter(pl.col("content").is_null()).select("row", "turn", "delivery")
    good = said.filter(pl.col("content").is_not_null()).select("row", later="turn", by="delivery")
    after = refused.join(good, on="row").filter(pl.col("later") > pl.col("turn")).sort("later")
    return after.unique(["row", "delivery"], keep="first").select("delivery", "by", key="row")


def _turns(state: State, pack: Pack) -> list[_Turn]:
    """The deliveries as they are read together; a case that is a child's in one extract is one in all later ones."""
    found, first, taken = [], 0, Known()
    for group in order.turns(state.deliveries):
        cases = None
        if group[0].agency == order.COURT:
            shown = children.signs(_tables(group, pack), state.numbers, pack).children
            taken = Known.of(taken.numbers, shown.numbers)
            cases = court.Cases(taken)
        found.append(_Turn(group, first, cases))
        first += len(group)
    return found


def _tables(group: list[Delivery], pack: Pack) -> list[Delivery]:
    return [delivery for delivery in group if layouts(pack)[delivery.feed or ""].shifts]


def _told(db: store.Db, state: State, seen: _Seen, pack: Pack) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All runs of a stream, with the ids of deliveries beside the turns, and what they are made of. ``seen`` keeps what
    was read already."""
    said = []
    numbers = pl.DataFrame(
        [(d.feed, n, book.layout_of(db, d, pack).snapshot, d.id, order.day_of(d)) for n, d in enumerate(state.deliveries)],
        schema={"feed": pl.String, "turn": pl.Int32, "snapshot": pl.Boolean, "delivery": pl.Int64, "day": pl.Date}, orient="row",
    ).with_columns(nth=pl.int_range(pl.len(), dtype=pl.Int32).over("feed"))  # fmt: skip
    for turn in _turns(state, pack):
        if turn.key not in seen:
            seen[turn.key] = [
                _said(one).with_columns(delivery=pl.lit(one.delivery.id))
                for one in opening.opened(db, turn.group, turn.cases, pack)
            ]
        said += seen[turn.key]
    whole = pl.concat([_nobody(), *said]).join(numbers.drop("feed"), on="delivery", how="left")
    found = history.runs(whole, numbers)
    by_turn = numbers.select("turn", "delivery", "day")
    ended = numbers.select(until="turn", until_delivery="delivery")
    last = numbers.select(last="turn", day=pl.when(~pl.col("snapshot")).then("day"))
    told = found.join(by_turn.drop("day"), on="turn", how="left")
    return told.join(ended, on="until", how="left").join(last, on="last", how="left"), whole


def _nobody() -> pl.DataFrame:
    keyed = {name: history.SAID[name] for name in ("row", "content", "file", "number", "line", "feed")}
    return pl.DataFrame(schema=keyed | {"delivery": pl.Int64})


def _said(one: opening.Opened) -> pl.DataFrame:
    """The keys of a delivery's rows, the last line of each; ``content`` is null for a row that was refused. Nothing of a
    delivery that cannot be read."""
    if not one.compared:
        return _nobody().select(KEYED)
    try:
        parts = [_keys(batch, one) for batch in one.batches()]
    except (NoLongerFits, Unreadable):
        return _nobody().select(KEYED)
    both = pl.concat(parts)
    good = both.filter(pl.col("content").is_not_null())
    return pl.concat([_last(good), both.filter(pl.col("content").is_null())])


def _keys(batch: opening.Batch, one: opening.Opened) -> pl.DataFrame:
    refused = quarantine.keys(batch.problems, one.layout).drop_nulls()
    blank = [pl.lit(None, _nobody().schema[name]).alias(name) for name in KEYED[1:-1]]
    feed = pl.lit(one.layout.feed).alias("feed")
    return pl.concat(
        [
            batch.rows.select(*KEYED[:-1], feed),
            pl.DataFrame({"row": refused}).select("row", *blank, feed),
        ]
    )


def _last(keyed: pl.DataFrame) -> pl.DataFrame:
    """Of several lines with one key the last one counts."""
    return keyed.sort("line").unique("row", keep="last", maintain_order=True)


def _affected(was: pl.DataFrame, told: pl.DataFrame, stream: str) -> pl.Series:
    """Rows with another history; of the court all rows of their files, whose meaning hangs together."""
    rows = history.differing(was, told, COMPARED)
    if stream != order.COURT:
        return rows.alias("id")
    both = pl.concat([was.select("row", "file"), told.select("row", "file")]).unique()
    files = both.filter(pl.col("row").is_in(rows.implode()))["file"].unique()
    return both.filter(pl.col("file").is_in(files.implode()))["row"].unique().alias("id")


def _understand(
    db: store.Db, found: Retelling, turn: _Turn, lines: pl.DataFrame, now: datetime, pack: Pack
) -> None:
    """What the rows that begin a run in this turn state, and whom they describe. ``lines``: ``row, delivery, line`` of all
    rows told again, the last line of each."""
    numbered = {d.id: turn.first + n for n, d in enumerate(turn.group)}
    begins = found.runs.filter(pl.col("turn").is_in(list(numbered.values()))).select("row", "turn")
    if not len(begins):
        return
    opened = opening.opened(db, turn.group, turn.cases, pack)
    people = court.People([one.layout.table for one in opened])
    reports, described, persons = [found.reports], [found.descriptions], []
    for one in opened:
        at = numbered[one.delivery.id]
        mine = lines.filter(pl.col("delivery") == one.delivery.id).select("row", "line")
        news = begins.filter(pl.col("turn") == at).select("row")
        teller = reader.Teller(db, pack, now)
        for rows in _rows(one, mine):
            fresh = rows.join(news, on="row", how="semi", maintain_order="left")
            told, about = teller.tell(Rows(fresh, one.layout, pack))
            reports.append(told.with_columns(turn=pl.lit(at, pl.Int32)))
            described.append(about.with_columns(turn=pl.lit(at, pl.Int32)))
            if one.layout.table in PERSON_TABLES and one.layout.shifts:
                persons.append(people.described(one.layout.table, rows, begins["row"]))
    persons.append(people.rest())
    last = pl.concat(persons).unique("row", keep="last", maintain_order=True)
    found.reports = pl.concat(reports)
    found.descriptions = pl.concat(
        [*described, last.with_columns(turn=pl.lit(max(numbered.values()), pl.Int32))]
    )


def _rows(one: opening.Opened, lines: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """These rows of a delivery (``row, line``), batch by batch; none of one that cannot be read."""
    if not one.compared:
        return
    with suppress(NoLongerFits, Unreadable):
        for batch in one.batches():
            yield batch.rows.join(lines, on=["row", "line"], how="semi", maintain_order="left")


def _write(db: store.Db, found: Retelling, deliveries: list[Delivery], now: datetime) -> None:
    """Put what stands in the place of what stood; nothing that was ever believed is lost from the past."""
    if not len(found.rows):
        return
    db.execute("create temp table told_again (row bigint primary key) on commit drop")
    store.copy_in(db, "told_again", pl.DataFrame({"row": found.rows}))
    known, past = store.frame(db, KNOWN_ROWS), store.frame(db, PAST_ROWS)
    moment = pl.lit(now).cast(pl.Datetime("us", "UTC"))
    stands = history.standing(found.runs)
    same = ["row", "content", "delivery"]
    ended = known.join(stands, on=same, how="anti").join(past, on=same, how="anti")
    never = (
        found.runs.join(stands, on=same, how="anti")
        .join(past, on=same, how="anti")
        .join(ended, on=same, how="anti")
    )
    kept = ["content", "delivery", "line", "file", "number"]
    read_by = pl.DataFrame(
        [(d.id, d.mapping) for d in deliveries], schema={"delivery": pl.Int64, "mapping": pl.Int64}, orient="row"
    )  # fmt: skip
    past_ones = [
        ended.select(*kept, "mapping", row_="row", since="since", until=moment),
        never.unique(same)
        .join(read_by.unique("delivery"), on="delivery", how="left")
        .select(*kept, "mapping", row_="row", since=moment, until=moment),
    ]
    store.copy_in(db, "feeds_row_past", pl.concat(past_ones))
    db.execute("delete from feeds_row r using told_again t where t.row = r.id")
    db.execute("drop table told_again")
    since = known.select(*same, "since")
    days = pl.DataFrame(
        {"last": range(len(deliveries)), "as_of": [order.day_of(d) for d in deliveries]},
        schema_overrides={"last": pl.Int32},
    )
    rows = stands.drop("day").join(since, on=same, how="left").join(days, on="last", how="left")
    rows = rows.join(read_by.unique("delivery"), on="delivery", how="left")
    standing = rows.select(
        *kept,
        "mapping",
        "feed",
        "as_of",
        id="row",
        since=pl.coalesce("since", moment),
        withdrawn="until_delivery",
    )
    store.copy_in(db, "feeds_row", standing)


def _leave_anew(db: store.Db, turns: list[_Turn], pack: Pack) -> None:
    """Which numbered cases are left aside is a matter of the extracts that stand."""
    db.execute("delete from feeds_left_case")
    for turn in turns:
        if turn.cases is not None:
            children.leave(db, _tables(turn.group, pack), turn.cases, pack)


def take_between(db: store.Db, group: list[Delivery], *, now: datetime, pack: Pack) -> Retelling:
    """Take in deliveries of which something read already has its turn later, or with them, as if they had come in time.

    Refused is what cannot be read, held what has not the rows its control total says; the keys a late snapshot lacks are
    not counted against it, because it says nothing of now.
    """
    store.lock(db, "feeds.read")
    group, done = inbox.unread(db, group)
    if not group:
        return Retelling(deliveries=done)
    stream = order.stream_of(group[0])
    numbers = inbox.known_numbers(db)
    before = State(order.standing(db, stream), numbers)
    settled = _settled_with(db, group, numbers, now, pack)
    for delivery, _ in settled:
        inbox.settle(db, delivery, now)
    after = State(order.standing(db, stream), numbers)
    found = again(db, stream, before, after, now=now, pack=pack)
    counted = [_counted(delivery, keyed, found) for delivery, keyed in settled]
    for delivery in counted:
        inbox.settle(db, delivery, now)
    return replace(found, deliveries=[*done, *counted])


Settled = tuple[
    Delivery, pl.DataFrame
]  # a delivery with what became of it, and the keys of its rows: row, line, content


def _settled_with(
    db: store.Db, group: list[Delivery], numbers: pl.Series, now: datetime, pack: Pack
) -> list[Settled]:
    """The group read together with what is read with it."""
    stream = order.stream_of(group[0])
    days = {order.day_of(delivery) for delivery in group}
    state = State(order.standing(db, stream, also=group), numbers)
    settled: list[Settled] = []
    for turn in _turns(state, pack):
        if days.isdisjoint(order.day_of(d) for d in turn.group) or not any(d in group for d in turn.group):
            continue
        totals: dict[str, int] = {}
        for one in opening.opened(db, turn.group, turn.cases, pack):
            if one.delivery in group:
                settled.append(_settled(db, one, totals, now, pack))
            else:
                _only_read(one, totals)
    return settled


def _only_read(one: opening.Opened, totals: dict[str, int]) -> None:
    """Read for what its neighbours need of it."""
    with suppress(NoLongerFits, Unreadable):
        for batch in one.batches():
            _total(one, batch, totals)


def _total(one: opening.Opened, batch: opening.Batch, totals: dict[str, int]) -> None:
    if not one.compared:
        totals.update(reader.control_totals(batch.rows) | totals)


def _settled(db: store.Db, one: opening.Opened, totals: dict[str, int], now: datetime, pack: Pack) -> Settled:
    """The delivery as read, its rows counted as loaded until their history says more; or refused, or held."""
    delivery, keys = one.delivery, [_nobody().select("row", "line", "content")]
    try:
        with db.transaction():
            for batch in one.batches():
                quarantine.put(db, batch.problems, delivery, one.layout, now)
                _total(one, batch, totals)
                keys += [batch.rows.select("row", "line", "content")] if one.compared else []
            if one.compared:
                reader.look(db, one, totals, pack)
                reader.remember(db, one)
    except reader.NOT_TAKEN as why:
        return reader.not_taken(delivery, why), keys[0]
    return replace(
        delivery, status="read", rows=one.seen, loaded=one.good, unchanged=0, quarantined=one.refused, left=one.left,
        withdrawn=0, missing_columns=tuple(one.missing), why=one.why(1, BETWEEN),
    ), pl.concat(keys)  # fmt: skip


BETWEEN = (
    "it speaks of an earlier day than what was known, or belongs with it: told again in the order of the days"
)


def _counted(delivery: Delivery, keyed: pl.DataFrame, found: Retelling) -> Delivery:
    """With how many of its rows said nothing new, and how many rows a snapshot no longer has."""
    if delivery.status != "read" or delivery.feed == opening.COUNT:
        return delivery
    final = _last(keyed).select("row", "line", last="content")
    begun = found.runs.filter(pl.col("delivery") == delivery.id).select("row")
    before = keyed.join(final, on="row").filter(pl.col("line") != pl.col("line_right"))
    unchanged = len(final.join(begun, on="row", how="anti")) + int(
        (before["content"] == before["last"]).sum()
    )
    gone = found.runs.filter((pl.col("until_delivery") == delivery.id) & ~pl.col("replaced"))
    loaded = (delivery.loaded or 0) - unchanged
    other = found.runs.filter(pl.col("turn") > pl.col("turn").min().over("row"))
    changed = len(other.filter(pl.col("delivery") == delivery.id))
    return replace(delivery, loaded=loaded, unchanged=unchanged, withdrawn=len(gone), changed=changed)


def newly_childrens(db: store.Db, deliveries: list[Delivery]) -> bool:
    """Whether these deliveries state the number of a court case that was left aside."""
    found = db.execute(
        """select exists (select from feeds_left_case l join feeds_row r on r.number = l.number
                          where r.delivery = any(%s) and (r.feed like 'ero.%%' or r.feed like 'orr.%%'))""",
        [[delivery.id for delivery in deliveries]],
    ).fetchone()
    return found == (True,)


def court_again(db: store.Db, before: pl.Series | None = None, *, now: datetime, pack: Pack) -> Retelling:
    """The court told again because other numbers are known from ERO and ORR than ``before`` (default: than when cases
    were left aside)."""
    known = inbox.known_numbers(db)
    if before is None:
        left = store.frame(db, "select distinct number from feeds_left_case")["number"]
        before = known.filter(~known.is_in(left.implode()))
    deliveries = order.standing(db, order.COURT)
    return again(db, order.COURT, State(deliveries, before), State(deliveries, known), now=now, pack=pack)


def mentioned(db: store.Db, files: pl.Series) -> pl.Series:
    """Those of ``files`` of which a row of a delivery that stands speaks, or once spoke."""
    return store.frame(db, MENTIONED, {"files": files.to_list()})["file"]
