"""Telling: the timeline of a child for one reader and one purpose, with what is withheld named as withheld."""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import polars as pl

from handhold import access, pack, store
from handhold.timeline.kinds import DETAIL_ELEMENTS, KINDS, SEALED_ELEMENTS, location_element
from handhold.timeline.stream import stream

LOCATIONS = "select id, location from timeline_event where id = any(%s) and location is not null"
SEALED = "select event, class, blob from timeline_sealed where event = any(%s)"
SPONSORS = "select event, 'sponsor' as class, blob from sponsor.timeline_sealed where event = any(%s)"
NO_KEY = access.Decision(False, "no-key", "this process holds no key for it")
UNLISTED = "child.case"


@dataclass(frozen=True)
class Withheld:
    """An element of which ``count`` statements exist that the reader may not know; by which rule, and why."""

    element: str
    rule: str
    reason: str
    count: int


@dataclass(frozen=True)
class Told:
    """The events a reader may know, oldest first, and the elements withheld.

    An event has the columns of the stream with ``detail`` read, ``words``, and ``location`` and ``sealed`` (class →
    part → value) as far as the reader may know them.
    """

    events: list[dict[str, Any]]
    withheld: list[Withheld]


@dataclass
class _Desk:
    """Decisions for one reader, counted where they refuse."""

    table: access.Table
    reader: access.Reader
    refused: Counter[str] = field(default_factory=Counter)
    why: dict[str, access.Decision] = field(default_factory=dict)

    def allows(self, element: str, kind: str = "*") -> bool:
        """Whether the reader may know it; what is refused is counted."""
        who = self.reader
        decision = access.decide(self.table, who.agency, who.role, who.purpose, element, kind)
        if not decision.allowed:
            self.refuse(element, decision)
        return decision.allowed

    def refuse(self, element: str, decision: access.Decision) -> None:
        self.refused[element] += 1
        self.why.setdefault(element, decision)

    def withheld(self) -> list[Withheld]:
        """What was refused, by element."""
        return [Withheld(e, self.why[e].rule, self.why[e].reason, n) for e, n in sorted(self.refused.items())]


def tell(
    db: store.Db, child: int, reader: access.Reader, *, now: datetime, table: access.Table | None = None
) -> Told:
    """What ``reader`` may know of this child's timeline at ``now``. Who looks is the caller's to enter in the ledger.

    ``table``: the decisions in force (default: those of the shipped pack). What is not permitted is left out and counted.
    """
    desk = _Desk(table or _shipped(), reader)
    rows = stream(db, pl.Series("child", [child], pl.Int64)).rows(named=True)
    events = [_event(row, desk) for row in rows if desk.allows(_element(row["kind"]), row["kind"])]
    _open(db, events, desk)
    return Told([event for event in events if event["known"] <= now], desk.withheld())


@cache
def _shipped() -> access.Table:
    return access.compiled(pack.load())


def _element(kind: str) -> str:
    return KINDS[kind].element if kind in KINDS else UNLISTED


def _event(row: dict[str, Any], desk: _Desk) -> dict[str, Any]:
    """The event with its detail read, less what the reader may not know of it."""
    detail = json.loads(row["detail"] or "{}")
    for kind, key, value, element in DETAIL_ELEMENTS:
        says_it = row["kind"] == kind and key in detail and value in (None, detail[key])
        if says_it and not desk.allows(element):
            del detail[key]
    words = KINDS[row["kind"]].words if row["kind"] in KINDS else row["kind"]
    event = {**row, "detail": detail, "words": words, "location": None, "sealed": {}}
    placed = row["place"] is not None or row["address_flags"]
    if placed and not desk.allows(location_element(row["kind"], detail), row["kind"]):
        event |= {"place": None, "building": None, "address_flags": None, "closed": True}
    return event


def _open(db: store.Db, events: list[dict[str, Any]], desk: _Desk) -> None:
    """Unseal, of the events told, what the reader may know."""
    by_id = {event["id"]: event for event in events}
    open_to = [event["id"] for event in events if not event.pop("closed", False)]
    for row in store.fetch(db, LOCATIONS, [open_to]):
        event = by_id[row["id"]]
        element = location_element(event["kind"], event["detail"])
        event["location"] = _unsealed(
            "location", f"timeline_event.location.{row['id']}", row["location"], element, desk
        )
    for row in store.fetch(db, SEALED, [list(by_id)]) + _sponsors(db, list(by_id), desk):
        _open_sealed(row, by_id[row["event"]], desk)


def _sponsors(db: store.Db, events: list[int], desk: _Desk) -> list[dict[str, Any]]:
    """Sponsor blobs; a session that may know nothing of sponsors does not touch their schema."""
    parts = set(SEALED_ELEMENTS["sponsor"].values())
    who = desk.reader
    allowed = [
        access.decide(desk.table, who.agency, who.role, who.purpose, element).allowed for element in parts
    ]
    return store.fetch(db, SPONSORS, [events]) if any(allowed) else []


def _open_sealed(row: dict[str, Any], event: dict[str, Any], desk: _Desk) -> None:
    elements = SEALED_ELEMENTS[row["class"]]
    may = {element: desk.allows(element) for element in set(elements.values())}
    if not any(may.values()):
        return
    table = "sponsor.timeline_sealed" if row["class"] == "sponsor" else "timeline_sealed"
    said = _unsealed(row["class"], f"{table}.blob.{row['event']}", row["blob"], elements["*"], desk) or {}
    parts = {part: value for part, value in said.items() if may[elements.get(part, elements["*"])]}
    if parts:
        event["sealed"][row["class"]] = parts


def _unsealed(cls: str, context: str, blob: bytes, element: str, desk: _Desk) -> dict[str, Any] | None:
    """What was sealed; a process without the key withholds it, as an agreement would."""
    try:
        text = store.unseal(cls, context, blob)
    except store.KeyMissing:
        desk.refuse(element, NO_KEY)
        return None
    said = _read(text.decode())
    return said if isinstance(said, dict) else {"text": said}


def _read(text: str) -> Any:
    """JSON where it is JSON, else the text as it stands (a caller's note is plain text)."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text
