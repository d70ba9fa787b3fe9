"""The book of mappings: versions that a person confirmed, which of them reads a delivery, and the rows they give."""

import json
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from handhold import store
from handhold.feeds.layout import Layout, layouts
from handhold.feeds.mapping import apply, header, sheets
from handhold.feeds.mapping.text import Mapping, MappingError, check_against, own_layout, parse, whys, write
from handhold.feeds.model import Delivery, Unreadable
from handhold.pack import Pack

RULES, BOUNDS = "feeds/mapping.toml", "feeds/reading.toml"

# What brought a delivery: the message it lies in, however deep; for what came without one, nothing.
ORIGIN = """
    with recursive up as (
        select %(id)s::bigint as id, 0 as depth
        union all
        select c.container, up.depth + 1 from up
        join lateral (select container from feeds_part where part = up.id order by container limit 1) c on true where up.depth < 12)
    select m.delivery, m.sent, m.sender_sealed, m.subject_sealed from up join feeds_message m on m.delivery = up.id
    order by up.depth limit 1"""


@dataclass(frozen=True)
class Version:
    """One version of a mapping as the book has it."""

    id: int
    version: int
    mapping: Mapping
    text: str
    confirmed: datetime
    confirmed_by: str
    ended: datetime | None


@dataclass(frozen=True)
class Origin:
    """Who sent a delivery, under which subject, and when."""

    sender: str
    subject: str
    sent: datetime | None

    def day(self, delivery: Delivery, zone: str) -> date:
        """The day it was sent, where the sender is; a file that came without a message says its day by its name."""
        if self.sent is not None:
            return self.sent.astimezone(ZoneInfo(zone)).date()
        return delivery.as_of or delivery.received.astimezone(ZoneInfo(zone)).date()


@lru_cache(maxsize=256)
def _parsed(text: str) -> Mapping:
    return parse(text)


def _version(row: dict[str, Any]) -> Version:
    return Version(row["id"], row["version"], _parsed(row["text_"]), row["text_"], row["confirmed"], row["confirmed_by"], row["ended"])  # fmt: skip


def listed(db: store.Db, name: str | None = None) -> list[Version]:
    """Versions by name, the newest first; all of them, or those of one mapping."""
    query = "select * from feeds_mapping where %(name)s::text is null or name = %(name)s order by name, version desc"
    return [_version(row) for row in store.fetch(db, query, {"name": name})]


def newest(db: store.Db, name: str) -> Version:
    """The newest version of ``name`` that is not ended. Raises :class:`MappingError` where there is none."""
    found = [one for one in listed(db, name) if one.ended is None]
    if not found:
        raise MappingError(f"no mapping {name} is in use; see handhold mapping list")
    return found[0]


def confirm(db: store.Db, text: str, *, by: str, now: datetime, pack: Pack) -> Version:
    """Save a text as the next version of its mapping. The same text again is the same version.

    A version whose days the new one takes over is ended; one that was for earlier days goes on to be used for those.
    """
    said = parse(text)
    check_against(said, layouts(pack))
    store.lock(db, "feeds.mapping")
    before = listed(db, said.name)
    if before and before[0].ended is None and before[0].mapping == said:
        return before[0]
    others = {one.mapping.sender.casefold() for one in before if one.ended is None} - {said.sender.casefold()}
    if others:
        raise MappingError(f"mapping {said.name} is another sender's; choose another name, or end it first")
    number = before[0].version + 1 if before else 1
    id_ = store.blind_one(f"{said.name}.{number}", "mapping")
    row = {"id": id_, "name": said.name, "version": number, "feed": said.feed,
           "text": text, "now": now, "by": by}  # fmt: skip
    db.execute(
        """insert into feeds_mapping (id, name, version, feed, text_, confirmed, confirmed_by)
           values (%(id)s, %(name)s, %(version)s, %(feed)s, %(text)s, %(now)s, %(by)s)""",
        row,
    )
    for one in before:
        if one.ended is None and (one.mapping.effective_from or date.min) >= (
            said.effective_from or date.min
        ):
            _end(db, one, by, now)
    return Version(id_, number, said, text, now, by, None)


def exported(one: Version) -> str:
    """A version's text with who confirmed it, to be kept elsewhere or looked at; it can be confirmed again."""
    confirmed = f"\n[confirmed]\nversion = {one.version}\nby = {json.dumps(one.confirmed_by)}\nat = {one.confirmed.isoformat()}\n"
    return write(one.mapping, whys=whys(one.text), tail=confirmed)


def end(db: store.Db, name: str, *, by: str, now: datetime) -> list[Version]:
    """Use no version of ``name`` any more; what was read stays. Raises :class:`MappingError` where none is in use."""
    used = [one for one in listed(db, name) if one.ended is None]
    if not used:
        raise MappingError(f"no mapping {name} is in use; see handhold mapping list")
    for one in used:
        _end(db, one, by, now)
    return used


def _end(db: store.Db, one: Version, by: str, now: datetime) -> None:
    db.execute("update feeds_mapping set ended = %s, ended_by = %s where id = %s", [now, by, one.id])


def origin(db: store.Db, delivery: Delivery) -> Origin:
    """Who sent a delivery, when and under which subject: the message it lies in says so, else the door it came by."""
    found = store.fetch(db, ORIGIN, {"id": delivery.id})
    if not found:
        return Origin(delivery.sender, "", None)
    row = found[0]
    sender, subject = (
        store.unseal(
            "delivery", f"feeds_message.{name}_sealed.{row['delivery']}", row[f"{name}_sealed"]
        ).decode()
        if row[f"{name}_sealed"]
        else ""
        for name in ("sender", "subject")
    )
    return Origin(sender, subject, row["sent"])


def fitting(db: store.Db, delivery: Delivery, whence: Origin) -> list[Version]:
    """The version in use of each mapping whose sender, subject, name and days fit, the newest of each."""
    found: dict[str, Version] = {}
    for one in listed(db):
        said = one.mapping
        day = whence.day(delivery, said.zone)
        sheet = delivery.sheet if delivery.sheet is not None else said.sheet
        if one.ended is None and said.fits_sender(whence.sender, whence.subject, delivery.name, sheet, day):
            found.setdefault(said.name, one)
    return list(found.values())


def assigned(db: store.Db, delivery: Delivery, pack: Pack) -> Delivery:
    """The delivery with the mapping that is to read it; waiting, with a sentence, where none or more than one would."""
    whence = origin(db, delivery)
    found = fitting(db, delivery, whence)
    if len(found) > 1:
        found = [one for one in found if _header_fits(delivery, one.mapping, pack)] or found
    if len(found) != 1:
        return replace(
            delivery, status="waiting", why=_why_waiting(found), mapping=None, feed=None, agency=None
        )
    one = found[0]
    agency = layouts(pack)[one.mapping.feed].agency
    day = whence.day(delivery, one.mapping.zone)
    return replace(
        delivery, status="kept", why=None, mapping=one.id, feed=one.mapping.own_feed, agency=agency, as_of=day
    )


def _why_waiting(found: list[Version]) -> str:
    if not found:
        return "it waits to be mapped: no mapping for its sender is confirmed, and nothing is guessed"
    names = ", ".join(sorted(one.mapping.name for one in found))
    return f"more than one mapping would read it ({names}); end one, or narrow its sender, subject, part or sheet"


def _header_fits(delivery: Delivery, said: Mapping, pack: Pack) -> bool:
    try:
        header.find_known(sheet_of(delivery, said, pack).cells, said)
    except (Unreadable, header.NoLongerFits):
        return False
    return True


def opened(delivery: Delivery, pack: Pack) -> list[sheets.Sheet]:
    """The sheets of a delivery that lies in a spreadsheet. Raises :class:`Unreadable`."""
    bounds = pack.toml(BOUNDS)["bounds"]
    most = bounds["workbook_bytes"]
    with store.blobs.open_(delivery.bytes_of or delivery.sha256) as kept:
        data = kept.read(most + 1)
    found = sheets.read(
        data, delivery.name, bytes_=most, ratio=bounds["workbook_ratio"], cells=bounds["workbook_cells"]
    )
    return [one for one in found if delivery.sheet is None or one.name == delivery.sheet]


def sheet_of(delivery: Delivery, said: Mapping, pack: Pack) -> sheets.Sheet:
    """The one sheet that a mapping reads. Raises :class:`Unreadable`."""
    found = opened(delivery, pack)
    if not found:
        raise Unreadable("there is nothing in this spreadsheet; send it again")
    return found[0]


def version(db: store.Db, id_: int) -> Version:
    """The version of that id."""
    (row,) = store.fetch(db, "select * from feeds_mapping where id = %s", [id_])
    return _version(row)


def layout_of(db: store.Db, delivery: Delivery, pack: Pack) -> Layout:
    """The layout by which a delivery is read: the feed's own, or what a mapping makes of it."""
    if delivery.mapping is None:
        return layouts(pack)[delivery.feed or ""]
    return own_layout(version(db, delivery.mapping).mapping, layouts(pack))


def rows_of(db: store.Db, delivery: Delivery, layout: Layout, pack: Pack) -> apply.Applied:
    """A delivery's rows in the contract's columns, as its mapping reads them.

    Raises :class:`Unreadable`, or :class:`header.NoLongerFits` when the header is not the confirmed one.
    """
    said = version(db, delivery.mapping or 0).mapping
    day = origin(db, delivery).day(delivery, said.zone)
    return apply.apply(sheet_of(delivery, said, pack), said, layout, day, pack.toml(RULES)["total_words"])


def as_sent(
    db: store.Db, delivery: Delivery, lines: set[int], pack: Pack
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header of a sender's own spreadsheet, and the cells of these lines, as they came."""
    said = version(db, delivery.mapping or 0).mapping
    sheet = sheet_of(delivery, said, pack)
    found = header.find_known(sheet.cells, said)
    rows = header.below(sheet.cells, found)
    names = [name for name in rows.columns if name != "line"]
    wanted = rows.filter(rows["line"].is_in(list(lines)))
    return names, [(row["line"], [row[name] or "" for name in names]) for row in wanted.iter_rows(named=True)]
