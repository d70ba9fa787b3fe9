"""The story: one short function for each thing that can happen.

This is the only module that calls several rooms. Its heart is the same for a national file and for a single row: what
arrived is kept and understood, events are recorded, files find their child, accounts are brought up to date, gaps open
and close, follow-ups answer them, agencies are told. Each step is a transaction of its own that takes what the one
before left behind in the database, so a process killed anywhere is continued by running the same command again.
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Protocol
from uuid import UUID

import polars as pl
import psycopg

from handhold import account, feeds, followup, identity, ledger, notices, oversight, store, timeline
from handhold.pack import Pack

Db = psycopg.Connection[Any]
Transaction = Callable[[str], AbstractContextManager[Db]]
Told = notices.Told
SYSTEM = "system"
HOUSE = "casework"  # held together by all who act, and alone by a rehearsal: nobody acts on what is only pretended
LEFT_BEHIND = 15  # minutes after which a delivery that was kept and not read is taken up by the clock
FOLDER = "watched folder"
FOR_SENDERS = ("rows", "children touched")
PATIENCE = 30.0  # seconds a rehearsal waits until nobody acts


class Show(Protocol):
    """How long work tells how far it is: ``show(stage, done, total)``; called seldom, must be quick."""

    def __call__(self, stage: str, done: int, total: int, /) -> None: ...


def quiet(_stage: str, _done: int, _total: int, /) -> None:
    """Say nothing."""


class Busy(Exception):
    """Others are at work for longer than a rehearsal waits: the message says what to do."""


@dataclass
class Arrival:
    """What became of a batch: the deliveries with their counts, and how many things changed because of them.

    ``touched``: the children whose events or links changed; ``children``: how often an account was made anew; ``relinked``:
    files that have another child; ``idle``: questions that wait no more.
    """

    deliveries: list[feeds.Delivery] = field(default_factory=list)
    changed: int = 0
    events: int = 0
    superseded: int = 0
    linked: int = 0
    relinked: int = 0
    questions: int = 0
    idle: int = 0
    children: int = 0
    opened: int = 0
    closed: int = 0
    steps: int = 0
    notices: int = 0
    proposed: int = 0
    touched: set[int] = field(default_factory=set)
    gaps_opened: Counter[str] = field(default_factory=Counter)
    gaps_closed: Counter[str] = field(default_factory=Counter)
    told: Counter[Told] = field(default_factory=Counter)

    def count(self, name: str) -> int:
        """The sum of one of the deliveries' counts; a delivery that came before adds nothing."""
        return sum(getattr(d, name) or 0 for d in self.deliveries if not d.again and d.status == "read")


@dataclass(frozen=True)
class Preview:
    """What an act would do, found out by doing it where nothing remains. ``refused``: rows, without their values."""

    arrival: Arrival
    refused: list[dict[str, Any]]

    @property
    def rows(self) -> dict[str, int]:
        """Rows by what they would be; ``doubtful`` are questions that a person would have to answer."""
        arrival = self.arrival
        return {
            "new": arrival.count("loaded") - arrival.count("changed"),
            "changed": arrival.count("changed"),
            "unchanged": arrival.count("unchanged") + sum(d.rows or 0 for d in arrival.deliveries if d.again),
            "doubtful": arrival.questions,
            "quarantined": arrival.count("quarantined"),
            "withdrawn": arrival.count("withdrawn"),
            "left": arrival.count("left"),
        }

    def effects(self) -> list[tuple[str, str, int]]:
        """What would happen, to what, how often: ``(what, which, count)``."""
        arrival = self.arrival
        return [
            *(("rows", name, count) for name, count in self.rows.items()),
            ("children touched", "", len(arrival.touched)),
            *(("gaps would open", kind, count) for kind, count in sorted(arrival.gaps_opened.items())),
            *(("gaps would close", kind, count) for kind, count in sorted(arrival.gaps_closed.items())),
            *(("notices would go", f"{to}: {duty}", n) for (to, duty), n in sorted(arrival.told.items())),
        ]


@contextmanager
def working(by: str) -> Iterator[Db]:
    """A transaction in which ``by`` is known to the database as the one who acts, and no rehearsal is under way."""
    with ledger.acting_transaction(by) as db:
        store.share(db, HOUSE)
        yield db


@dataclass(frozen=True)
class Office:
    """What every act needs besides its object: who acts, when, under which rules, and how progress is shown.

    ``transaction``: how a step's transaction is made (a rehearsal's are undone); ``real``: whether this is none;
    ``workers``: processes that make accounts; ``engine``: where the pairs of many files are compared.
    """

    by: str
    now: datetime
    pack: Pack
    show: Show = quiet
    workers: int = 3
    engine: identity.Engine = identity.compare
    transaction: Transaction = working
    real: bool = True


def _acting(office: Office, by: str | None = None) -> AbstractContextManager[Db]:
    """One step's transaction, in which ``by`` (usually the office's) is known to the database as the one who acts."""
    return office.transaction(by or office.by)


def preview(paths: Iterable[feeds.Source], office: Office, *, sender: str, whole: bool = False) -> Preview:
    """What :func:`arrive` would do with these files, without doing it. The look itself is an entry in the ledger."""
    return rehearse(lambda pretended: arrive(paths, pretended, sender=sender, whole=whole), office)


def rehearse(act: Callable[[Office], Arrival], office: Office) -> Preview:
    """Do ``act`` by its own functions, say what it did, and undo all of it.

    Its transactions are savepoints in one that nobody sees; nothing is sent or signed, kept bytes are removed again.
    What falls due at this moment anyway is part of it, as it will be part of the act. Others wait meanwhile; it does
    not begin before they are done, and raises :class:`Busy` when that takes too long.
    """
    with ledger.acting_transaction(office.by) as db:
        if not store.lock_within(db, HOUSE, PATIENCE):
            raise Busy("others are taking in deliveries just now; nothing was changed, try the preview again")
        with store.blobs.nothing_kept(), store.rehearsal(db) as transaction:
            seen = _rehearsed(act, office, transaction)
        ledger.acting(db, office.by)
        ids = [delivery.id for delivery in seen.arrival.deliveries]
        _trail(db, office, "delivery.previewed", "delivery", ids)
    return seen


def _rehearsed(
    act: Callable[[Office], Arrival], office: Office, transaction: Callable[[], AbstractContextManager[Db]]
) -> Preview:
    @contextmanager
    def pretended(by: str) -> Iterator[Db]:
        with transaction() as db:
            ledger.acting(db, by)
            yield db

    arrival = act(replace(office, transaction=pretended, real=False))
    with transaction() as db:
        return Preview(arrival, feeds.refused_rows(db, [delivery.id for delivery in arrival.deliveries]))


def arrive(paths: Iterable[feeds.Source], office: Office, *, sender: str, whole: bool = False) -> Arrival:
    """Take in what was sent, and follow it to the notices it causes: the one way in, whatever the door.

    ``paths`` are files in the order in which they should be read. The same bytes again change nothing. ``whole``: a
    delivery of which one row would be quarantined is refused, and changes nothing.
    """
    return _follow(Arrival(keep(paths, office, sender=sender, whole=whole)), office)


def release(deliveries: list[int], why: str, office: Office) -> Arrival:
    """A person looked at deliveries that were held: they are read as they are, by the same path."""
    with _acting(office) as db:
        kept = [feeds.release(db, one, by=office.by, why=why, now=office.now) for one in deliveries]
        _trail(db, office, "delivery.released", "delivery", deliveries)
    return _follow(Arrival(kept), office)


def refuse(deliveries: list[int], why: str, office: Office) -> None:
    """A person looked at deliveries that were held, and refuses them for good."""
    with _acting(office) as db:
        for one in deliveries:
            feeds.refuse(db, one, by=office.by, why=why, now=office.now)
        _trail(db, office, "delivery.refused", "delivery", deliveries)


def take_upload(sent: feeds.Upload, office: Office, *, sender: str, whole: bool = False) -> Arrival:
    """An upload that is whole becomes a delivery; its parts are removed. Again, it changes nothing."""
    arrival = arrive([sent], office, sender=sender, whole=whole)
    with _acting(office) as db:
        feeds.upload.became(db, sent, arrival.deliveries[0].id)
    feeds.upload.clear(sent)
    return arrival


def uploaded(
    part: store.spool.Part, id: UUID, office: Office, *, agency: str, name: str, as_of: date | None
) -> feeds.Upload:
    """A file that came in one piece through the page waits until it is looked at and taken in."""
    with _acting(office) as db:
        sent = feeds.upload.begin(
            db, id, agency=agency, by=office.by, name=name, size=part.written, as_of=as_of, now=office.now, pack=office.pack
        )  # fmt: skip
        return feeds.upload.grown(db, sent, part) if part.written else sent


def drop_upload(sent: feeds.Upload, office: Office) -> None:
    """Forget what was uploaded and not taken in."""
    with _acting(office) as db:
        feeds.upload.drop(db, sent)
    feeds.upload.clear(sent)


def watch(watched: feeds.Watched, office: Office) -> int:
    """Take in what lies calm in a watched folder, and say beside it what would become of what is only asked about."""
    taken, asked = watched.look()
    for group in taken:
        arrive(group, office, sender=FOLDER)
        for path in group:
            watched.put_away(path)
    for path in asked:
        watched.answer(path, _said(preview([path], office, sender=FOLDER)))
    return sum(map(len, taken))


def _said(seen: Preview) -> Iterator[str]:
    """A preview for whoever can read the folder: of rows and how many children, not of gaps and notices."""
    for delivery in seen.arrival.deliveries:
        yield f"{delivery.feed or 'no feed'}: {delivery.fate}{f': {delivery.why}' if delivery.why else ''}"
    yield from (f"{what} {which}: {n:,}" for what, which, n in seen.effects() if what in FOR_SENDERS)
    yield from (f"line {row['line']}, {row['column'] or 'row'}: {row['why']}" for row in seen.refused)
    yield "Nothing was changed."


def left_behind(office: Office) -> Arrival:
    """Read what was kept and not read, because whoever took it in was killed."""
    with _acting(office) as db:
        found = feeds.left_behind(db, minutes=LEFT_BEHIND)
    return _follow(Arrival(found), office)


def _follow(arrival: Arrival, office: Office) -> Arrival:
    """Sort out what was kept, read what waits to be read, and go on to the notices."""
    arrival.deliveries = sort_out(arrival.deliveries, office)
    with feeds.turns(feeds.groups(arrival.deliveries), office.pack) as turns:
        for group, ahead in turns:
            take_in(group, office, arrival, ahead)
    link(office, arrival)
    take_up(office, arrival)
    return arrival


def keep(
    paths: Iterable[feeds.Source], office: Office, *, sender: str, whole: bool = False
) -> list[feeds.Delivery]:
    """Keep each file as it came, before anything is made of it; each in a transaction of its own."""
    wanted = list(paths)
    kept = []
    for done, path in enumerate(wanted):
        office.show("keep", done, len(wanted))
        with _acting(office) as db:
            delivery = feeds.keep(db, path, sender=sender, by=office.by, now=office.now, whole=whole)
            if not delivery.again:
                _trail(db, office, "delivery.kept", "delivery", [delivery.id])
        kept.append(delivery)
    office.show("keep", len(wanted), len(wanted))
    return kept


def keep_message(data: BinaryIO, office: Office, *, sender: str) -> feeds.Delivery:
    """Keep one message as it came, before anybody is told that it was received; it is read when the clock turns."""
    with _acting(office) as db:
        delivery = feeds.keep_message(db, data, sender=sender, now=office.now)
        if not delivery.again:
            _trail(db, office, "delivery.kept", "delivery", [delivery.id])
    return delivery


def messages_to_read(office: Office) -> list[feeds.Delivery]:
    """The messages, and parts that have a mapping, that were kept and not read yet."""
    with _acting(office) as db:
        return list(feeds.parts.not_read(db))


def take_in_kept(delivery: feeds.Delivery, office: Office) -> Arrival:
    """Read what was kept before, by a door or by a process that was killed, and follow it to the notices it causes."""
    return _follow(Arrival([delivery]), office)


def sort_out(kept: list[feeds.Delivery], office: Office) -> list[feeds.Delivery]:
    """Open messages and workbooks of several sheets: each part is a delivery with a fate of its own."""
    found: dict[int, feeds.Delivery] = {}
    for delivery in kept:
        own = [delivery]
        if feeds.parts.may_have(delivery):
            with _acting(office) as db:
                own = feeds.sort_out(db, delivery, pack=office.pack)
                if len(own) > 1:
                    _trail(db, office, "delivery.opened", "delivery", [one.id for one in own])
        found |= {one.id: one for one in own}
    return list(found.values())


def confirm_mapping(text: str, office: Office) -> tuple[feeds.mapping.Version, Arrival]:
    """A person confirms how a sender's spreadsheet is read; what waited for that is read at once."""
    with _acting(office) as db:
        version = feeds.mapping.confirm(db, text, by=office.by, now=office.now, pack=office.pack)
        ready = feeds.waiting.assign_waiting(db, pack=office.pack)
        _trail(db, office, "mapping.confirmed", "mapping", [version.id])
    return version, _follow(Arrival(ready), office)


def end_mapping(name: str, office: Office) -> list[feeds.mapping.Version]:
    """A person says that a mapping is not to be used any more; what it read stays."""
    with _acting(office) as db:
        ended = feeds.mapping.end(db, name, by=office.by, now=office.now)
        _trail(db, office, "mapping.ended", "mapping", [one.id for one in ended])
    return ended


def reject_part(delivery: int, why: str, office: Office) -> feeds.Delivery:
    """A person says that a part is not to be mapped; it stays kept."""
    with _acting(office) as db:
        done = feeds.waiting.reject(db, delivery, why)
        _trail(db, office, "delivery.rejected", "delivery", [delivery])
    return done


def reread(name: str, office: Office, *, dry_run: bool) -> tuple[feeds.waiting.Again, Arrival]:
    """Read again, with the newest version of a mapping, what older ones read; with ``dry_run`` only say what would change."""
    arrival = Arrival()
    with _acting(office) as db, db.transaction(force_rollback=dry_run):
        again = feeds.waiting.reread(db, name, now=office.now, pack=office.pack)
        for reading in again.readings:
            identity.describe(db, reading.descriptions, now=office.now)
            _count(db, timeline.record(db, reading, now=office.now), arrival)
        if again.readings:
            _trail(
                db,
                office,
                "delivery.reread",
                "delivery",
                [d.id for reading in again.readings for d in reading.deliveries],
            )
    if not dry_run:
        link(office, arrival)
        take_up(office, arrival)
    return again, arrival


def take_in(
    group: list[feeds.Delivery],
    office: Office,
    arrival: Arrival,
    ahead: Mapping[int, feeds.Opened] | None = None,
) -> None:
    """Read one group of deliveries and record what its rows state, all in one transaction; ``ahead`` are open already."""
    office.show(f"read {group[0].feed}", 0, 1)
    with _acting(office) as db:
        if feeds.comes_between(db, group):
            told = feeds.take_between(db, group, now=office.now, pack=office.pack)
            deliveries = told.deliveries
            _restate(db, told, office, arrival)
        else:
            deliveries = _read(db, group, office, arrival, ahead)
        _note(arrival, [*deliveries, *feeds.settle_above(db, deliveries)])
        if feeds.newly_childrens(db, deliveries):
            _restate(db, feeds.court_again(db, now=office.now, pack=office.pack), office, arrival)
        read = [delivery.id for delivery in deliveries if not delivery.again]
        if read:
            _trail(db, office, "delivery.read", "delivery", read)
    office.show(f"read {group[0].feed}", 1, 1)


def _read(
    db: Db,
    group: list[feeds.Delivery],
    office: Office,
    arrival: Arrival,
    ahead: Mapping[int, feeds.Opened] | None,
) -> list[feeds.Delivery]:
    """Record what a group says as it is read, part by part. What of it is taken back at last is not counted."""
    deliveries: list[feeds.Delivery] = []
    recorded: list[tuple[int | None, timeline.Recorded]] = []
    with (
        closing(feeds.read(db, group, now=office.now, pack=office.pack, ahead=ahead)) as parts,
        closing(_made_ready(parts, office.now)) as heard,
    ):
        for part, descriptions, events in heard:
            if part.unsaid:
                recorded = [one for one in recorded if one[0] != part.of]
            identity.describe(db, descriptions, now=office.now)
            if part.says:
                recorded.append((part.of, timeline.record(db, part, now=office.now, events=events)))
            deliveries += part.deliveries
    for _, one in recorded:
        _count(db, one, arrival)
    return deliveries


Heard = tuple[feeds.Reading, identity.Ready, pl.DataFrame]


def _made_ready(parts: Iterable[feeds.Reading], now: datetime) -> Generator[Heard, None, None]:
    """Each part with its descriptions and events made ready, in a thread, while the one before is written and the next is read.

    A part comes out before anything is read of another delivery, whose savepoint it does not belong into; one that is taken
    back before it came out never does.
    """
    with ThreadPoolExecutor(1, "made-ready") as aside:
        going: Future[Heard] | None = None
        for part in parts:
            last, going = (None if part.unsaid else going), aside.submit(_heard, part, now)
            if last is not None:
                yield last.result()
            if part.deliveries or part.unsaid:
                yield going.result()
                going = None
        if going is not None:
            yield going.result()


def _heard(part: feeds.Reading, now: datetime) -> Heard:
    return part, identity.ready(part.descriptions), timeline.stated(part.reports, now)


def _restate(db: Db, told: feeds.Retelling, office: Office, arrival: Arrival) -> pl.Series:
    """Record a story that was told again from its beginning; returns the files that are described otherwise now."""
    changed = identity.redescribe(db, told.rows, told.descriptions, now=office.now)
    _count(db, timeline.restate(db, told, now=office.now), arrival)
    return changed


def _count(db: Db, recorded: timeline.Recorded, arrival: Arrival) -> None:
    arrival.touched |= set(_touch_files(db, recorded.files))
    arrival.events += recorded.new
    arrival.superseded += recorded.superseded


def undo(delivery: int, why: str, office: Office) -> Arrival:
    """Take a delivery back: its facts are withdrawn, what they had superseded returns, links made only by it fall, and
    whoever was told is owed a correction. Begun and killed, the same again goes on."""
    return _take_back(delivery, why, office, feeds.undo, "delivery.undone")


def redo(delivery: int, why: str, office: Office) -> Arrival:
    """Take a delivery in again that was undone, in its own place among those that came after it."""
    return _take_back(delivery, why, office, feeds.redo, "delivery.redone")


def _take_back(
    delivery: int, why: str, office: Office, act: Callable[..., list[feeds.Retelling]], verb: str
) -> Arrival:
    arrival = Arrival()
    office.show("read again", 0, 1)
    with _acting(office) as db:
        before = feeds.undoings(db, delivery)
        for told in act(db, delivery, by=office.by, why=why, now=office.now, pack=office.pack):
            _loosen(db, told, _restate(db, told, office, arrival), office)
        if feeds.undoings(db, delivery) != before:
            _trail(db, office, verb, "delivery", [delivery])
    office.show("read again", 1, 1)
    link(office, arrival)
    with _acting(office) as db:
        identity.forward(db)
    return take_up(office, arrival)


def fix(delivery: int, line: int, cells: Mapping[str, str], why: str, office: Office) -> Arrival:
    """A person corrects a refused row in place; it is read like any other, and the row as it came stays beside it."""
    arrival = Arrival()
    with _acting(office) as db:
        told = feeds.fix(db, delivery, line, cells, by=office.by, why=why, now=office.now, pack=office.pack)
        _restate(db, told, office, arrival)
        if feeds.newly_childrens(db, told.deliveries):
            _restate(db, feeds.court_again(db, now=office.now, pack=office.pack), office, arrival)
        _trail(db, office, "quarantine.fixed", "delivery", [delivery])
    link(office, arrival)
    return take_up(office, arrival)


def export_quarantine(delivery: int, target: Path, office: Office) -> int:
    """Write the rows of a delivery that wait in quarantine in their sender's layout, with the reasons; returns how many."""
    with _acting(office) as db:
        rows = feeds.write_refused(db, delivery, target, pack=office.pack)
        _trail(db, office, "quarantine.exported", "delivery", [delivery])
    return rows


def _loosen(db: Db, told: feeds.Retelling, changed: pl.Series, office: Office) -> None:
    """What was linked by descriptions that do not stand any more is linked anew; files nobody speaks of are no child's."""
    spoken_of = feeds.mentioned(db, told.files)
    gone = told.files.filter(~told.files.is_in(spoken_of.implode()))
    account.touch(db, identity.children_of(db, told.files)["child"], undone=True)
    account.touch(db, identity.unlink(db, changed, gone, spoken_of, now=office.now), undone=True)


def link(office: Office, arrival: Arrival) -> None:
    """Find the child of every file that is new or described anew."""
    office.show("link files", 0, 1)
    with _acting(office) as db:
        found = identity.identify(db, by=office.by, now=office.now, pack=office.pack, engine=office.engine)
        account.touch(db, pl.concat([found.children, found.doubted]))
        arrival.touched |= set(found.children)
        arrival.linked += found.linked
        arrival.questions += found.questions
        if len(found.children):
            _trail(db, office, "file.linked", "child", found.children)
    office.show("link files", 1, 1)


def night_begins(office: Office) -> bool:
    """Whether all files are to be linked again now; it is noted that somebody does."""
    with _acting(office) as db:
        return identity.night(db, now=office.now, pack=office.pack)


def link_again(office: Office) -> Arrival:
    """Link all files as if they had come today; what persons said stands. Whoever was told of a child that has other files now
    is owed a correction."""
    arrival = Arrival()
    link(office, arrival)
    office.show("link again", 0, 1)
    with _acting(office) as db:
        found = identity.again(db, by=office.by, now=office.now, pack=office.pack, engine=office.engine)
        timeline.add(db, _moves(found.moved, office.now), by=office.by, now=office.now)
        account.touch(db, found.children)
        moved = pl.concat([found.moved["had"], found.moved["child"].alias("had")]).unique().sort()
        arrival.touched |= set(moved)
        arrival.relinked, arrival.idle = len(found.moved), found.idle
        arrival.questions += found.asked
        if len(moved):
            _trail(db, office, "file.relinked", "child", moved)
    office.show("link again", 1, 1)
    return take_up(office, arrival)


def _moves(moved: pl.DataFrame, now: datetime) -> list[timeline.OwnEvent]:
    """Coming together and parting are events of the children that stand."""
    files = pl.col("file").cast(pl.String).sort().str.join(" ")
    left = moved.filter("stands").select("file", child="had", kind=pl.lit("separated"))
    came = moved.select(
        "file", "child", kind=pl.when("joins").then(pl.lit("linked")).otherwise(pl.lit("separated"))
    )
    told = pl.concat([left, came]).group_by("child", "kind", maintain_order=True).agg(files)
    return [timeline.OwnEvent(child, kind, now, {"files": which}) for child, kind, which in told.iter_rows()]


def take_up(office: Office, arrival: Arrival | None = None, *, near: bool = False) -> Arrival:
    """Bring accounts up to date, and let gaps, follow-ups and notices follow from them.

    Having told an agency is news about the child, too, so it goes round until no account is waiting. ``near``: a person waits
    for what they said of a few children; agencies are told about those and their follow-ups move, and whatever is owed about others
    waits for the clock.
    """
    arrival = arrival or Arrival()
    waiting = True
    while waiting:
        accounted = _account(office, arrival)
        waiting = len(accounted) > 0
        children = accounted.to_list() if near else None
        arrival.told += _tell(office, children)
        arrival.notices = arrival.told.total()
        arrival.steps += _respond(office, children)
        send_notices(office)
    watch_feeds(office)
    seal_ledger(office)
    return arrival


def watch_feeds(office: Office) -> None:
    """See which feeds are silent or have changed: gaps of their own, which have no child."""
    with _acting(office) as db:
        watched = account.feedgaps.watch(db, now=office.now, pack=office.pack)
        for verb, ids in (("feed.gap-opened", watched.opened), ("feed.gap-closed", watched.closed)):
            if ids:
                _trail(db, office, verb, "feed-gap", ids)


def accept_feed(feed: str, why: str, office: Office) -> int:
    """A person says that what a feed shows is its new normal; how many gaps closed by that."""
    with _acting(office) as db:
        closed = account.feedgaps.accept(db, feed, by=office.by, why=why, now=office.now)
        _trail(db, office, "feed.accepted", "feed-gap", closed)
    return len(closed)


def _account(office: Office, arrival: Arrival) -> pl.Series:
    updated = account.update(
        partial(office.transaction, office.by),
        now=office.now,
        pack=office.pack,
        workers=office.workers if office.real else 0,
        progress=lambda done, total: office.show("account", done, total),
    )
    arrival.children += updated.children
    arrival.opened += len(updated.opened)
    arrival.closed += len(updated.closed)
    arrival.gaps_opened.update(updated.opened["kind"])
    arrival.gaps_closed.update(updated.closed["kind"])
    return updated.which


def time_passed(office: Office) -> Arrival:
    """What the clock alone changes: accounts that wake, steps that lapse, notices that fall due, work left behind."""
    with _acting(office) as db:
        stale = feeds.upload.stale(db, now=office.now, pack=office.pack)
        feeds.upload.sweep(db)
    for sent in stale:
        drop_upload(sent, office)
    return left_behind(office)


def _respond(office: Office, children: list[int] | None) -> int:
    office.show("follow up", 0, 1)
    with _acting(office) as db:
        steps = followup.respond(db, now=office.now, pack=office.pack, children=children)
    office.show("follow up", 1, 1)
    return steps


def _tell(office: Office, children: list[int] | None) -> Counter[Told]:
    office.show("tell agencies", 0, 1)
    with _acting(office) as db:
        told = notices.tell(db, now=office.now, pack=office.pack, children=children)
    office.show("tell agencies", 1, 1)
    return told


def send_notices(office: Office) -> int:
    """Put composed notices where their recipients find them."""
    with _acting(office) as db:
        return notices.send(db, now=office.now)


def seal_ledger(office: Office) -> None:
    """Give every entry without a leaf its place in the Merkle tree, and sign the tree's head.

    Not in a rehearsal: a signed head of a tree that never was would look like a forked log for ever.
    """
    if not office.real:
        return
    with _acting(office, SYSTEM) as db:
        ledger.seal(db, now=office.now)


def train_model(office: Office, *, seed: int = 1, adopt: bool = False) -> identity.Candidate:
    """Train a model of whose file it is on the files that are loaded; it decides only if it is adopted."""
    with _acting(office) as db:
        found = identity.train(db, office.pack, by=office.by, now=office.now, seed=seed)
        _trail(db, office, "model.trained", "model", [int(found.version, 16)])
        if adopt:
            _adopt(db, found.version, office)
    return found


def adopt_model(version: str, office: Office) -> None:
    """Let a model that was trained here decide from now on, or the pack's own again."""
    with _acting(office) as db:
        _adopt(db, version, office)


def _adopt(db: Db, version: str, office: Office) -> None:
    identity.adopt(db, version, office.pack, now=office.now)
    _trail(db, office, "model.adopted", "model", [int(version, 16)])


def decide_link(file_a: int, file_b: int, judgement: str, why: str, office: Office) -> Arrival:
    """A person says whether two files are the same child's; accounts and notices follow."""
    return decide_links([(file_a, file_b)], judgement, why, office)


def decide_links(pairs: list[tuple[int, int]], judgement: str, why: str, office: Office) -> Arrival:
    """One word of a person on several pairs of files that are alike.

    A match that would let an agency know what it is guarded from is only proposed (``Arrival.proposed``) until another
    person says it too. Some of what was decided is drawn to be asked again of somebody else.
    """
    arrival = Arrival()
    wanted = [identity.pair(*files) for files in pairs]
    with _acting(office) as db:
        done = [files for files in wanted if _decide(db, files, judgement, why, office)]
        arrival.proposed = len(wanted) - len(done)
        share = office.pack.toml(oversight.QUESTIONS)["ask_again"]
        identity.draw_again(db, done, share, by=office.by, now=office.now)
    return take_up(office, arrival, near=True)


def _decide(db: Db, files: tuple[int, int], judgement: str, why: str, office: Office) -> bool:
    """Decide one pair, or propose it where two people must say so; whether it is decided."""
    how: dict[str, Any] = {"by": office.by, "why": why, "now": office.now}
    two = judgement == "match" and oversight.needs_two(db, files, office.pack)
    if two and not identity.propose(db, files, **how):
        _trail(db, office, "link.proposed", "file", list(files))
        return False
    verb = f"link.{judgement.replace(' ', '-')}"
    _relink(db, list(files), verb, office, lambda: identity.decide(db, *files, judgement, **how))
    return True


def _relink(db: Db, files: list[int], verb: str, office: Office, act: Callable[[], list[int]]) -> None:
    """Do what a person says of files. Coming together and parting are events; the children are accounted for anew."""
    before = identity.children_of(db, pl.Series(files))["child"].n_unique()
    children = act()
    stand = identity.children_of(db, pl.Series(files))["child"].unique().sort().to_list()
    parted = verb == "link.separated" and len(children) > 1
    kind = "separated" if parted or len(stand) > before else "linked" if len(stand) < before else None
    if kind:
        said = {"files": " ".join(map(str, sorted(files)))}
        on = children if parted else stand
        timeline.add(
            db,
            [timeline.OwnEvent(child, kind, office.now, said) for child in on],
            by=office.by,
            now=office.now,
        )
    account.touch(db, pl.Series("child", children, pl.Int64))
    _trail(db, office, verb, "file", files)


def separate(file: int, why: str, office: Office) -> Arrival:
    """A person takes a file away from its child; whoever was told is owed a correction."""
    how: dict[str, Any] = {"by": office.by, "why": why, "now": office.now}
    with _acting(office) as db:
        _relink(db, [file], "link.separated", office, lambda: identity.separate(db, file, **how))
    return take_up(office, near=True)


def look_again(review: int, answer: str, why: str, office: Office) -> Arrival:
    """A second person says what a pair is, without knowing what the first said; it measures, and decides nothing.

    Where the two contradict each other, a question is opened, which only a new word closes.
    """
    return _judge(
        office,
        lambda db: _doubted(
            db, identity.answer_review(db, review, answer, by=office.by, why=why, now=office.now)
        ),
        "link.reviewed",
        "review",
        [review],
    )


def sample_links(each: int, office: Office) -> int:
    """Draw links made without a person, up to ``each`` of every range of weight, for people to look at; how many."""
    edges = [float(edge) for edge in office.pack.toml(oversight.QUESTIONS)["bins"]]
    with _acting(office) as db:
        drawn = identity.draw_linked(db, edges, each, now=office.now)
        _trail(db, office, "links.sampled", "link", [])
    return drawn


def _doubted(db: Db, files: list[int]) -> list[int]:
    return identity.children_of(db, pl.Series(files, dtype=pl.Int64))["child"].to_list()


def withdraw_word(file_a: int, file_b: int, why: str, office: Office) -> Arrival:
    """A person takes back what was said of two files; what followed from it is undone."""
    how: dict[str, Any] = {"by": office.by, "why": why, "now": office.now}
    files = [file_a, file_b]
    with _acting(office) as db:
        _relink(db, files, "link.withdrawn", office, lambda: identity.withdraw(db, file_a, file_b, **how))
    return take_up(office, near=True)


def hold_file(file: int, held: bool, why: str, office: Office) -> Arrival:
    """A person says that only people may link a file; or that it may be linked by itself again, which is done at once."""
    arrival = _judge(
        office,
        lambda db: identity.hold(db, file, held, by=office.by, why=why, now=office.now),
        "file.held" if held else "file.released",
        "file",
        [file],
    )
    if not held:
        link(office, arrival)
        take_up(office, arrival)
    return arrival


def _judge(office: Office, act: Callable[[Db], list[int]], verb: str, thing: str, ids: list[int]) -> Arrival:
    with _acting(office) as db:
        children = act(db)
        account.touch(db, pl.Series("child", children, pl.Int64))
        _trail(db, office, verb, thing, ids)
    return take_up(office, near=True)


def complete_step(step: int, evidence: str, office: Office) -> Arrival:
    """A person says that a step is done, and by what it shows."""
    with _acting(office) as db:
        child = followup.complete_step(db, step, evidence=evidence, by=office.by, now=office.now)
        account.touch(db, pl.Series("child", [child], pl.Int64))
        _trail(db, office, "step.done", "step", [step])
    return take_up(office, near=True)


def acknowledge(notice: int, agency: str, office: Office) -> Arrival:
    """The agency that was told says so; what waited for that closes."""
    with _acting(office) as db:
        child = notices.acknowledge(db, notice, by=office.by, agency=agency, now=office.now)
        account.touch(db, pl.Series("child", [child], pl.Int64))
        _trail(db, office, "notice.acknowledged", "notice", [notice])
    return take_up(office, near=True)


def _note(arrival: Arrival, read: list[feeds.Delivery]) -> None:
    """Put the counts of what was just read in the place of what was only kept."""
    now_read = {delivery.id: delivery for delivery in read}
    arrival.deliveries = [now_read.get(delivery.id, delivery) for delivery in arrival.deliveries]


def _touch_files(db: Db, files: pl.Series) -> pl.Series:
    """Accounts rest on children: mark those of the files whose events changed, and say which they are."""
    children = identity.children_of(db, files)["child"].drop_nulls().unique()
    account.touch(db, children)
    return children


def _trail(db: Db, office: Office, verb: str, thing: str, ids: list[int] | pl.Series) -> None:
    ledger.write(db, by=office.by, verb=verb, thing=thing, ids=ids, at=office.now)


__all__ = [
    "Arrival",
    "Busy",
    "Office",
    "Preview",
    "accept_feed",
    "acknowledge",
    "arrive",
    "complete_step",
    "confirm_mapping",
    "decide_link",
    "decide_links",
    "drop_upload",
    "end_mapping",
    "fix",
    "hold_file",
    "keep_message",
    "link_again",
    "look_again",
    "messages_to_read",
    "preview",
    "redo",
    "refuse",
    "rehearse",
    "reject_part",
    "release",
    "reread",
    "sample_links",
    "separate",
    "store",
    "take_in_kept",
    "take_upload",
    "time_passed",
    "undo",
    "uploaded",
    "watch",
    "watch_feeds",
    "withdraw_word",
]
