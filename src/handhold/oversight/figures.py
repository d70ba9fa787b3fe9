"""Oversight figures: each is one query that lists the children under it, so the number and its rows cannot differ.

Definitions are text in the pack (``figures.toml``): a title, a sentence, a source, and ``rows``, a query that gives
``child`` and, where one row of evidence counts it, ``event`` or ``gap``. The value is the number of distinct children
in it. ``unknown`` is a query of the same shape for the children about whom the figure cannot be said.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

import polars as pl
import psycopg

from handhold import feeds, store
from handhold.pack import Pack

NEWEST = """
    select d.feed, max(greatest(d.as_of, a.as_of)) as as_of
    from feeds_delivery d left join feeds_again a on a.delivery = d.id
    where d.status = 'read' and d.feed is not null and d.as_of is not null group by 1 order by 2, 1"""
Db = psycopg.Connection[Any]


class FigureError(Exception):
    """A figure that cannot be given: the message says which one and what there is instead."""


@dataclass(frozen=True)
class Definition:
    """What a figure means. ``rows`` and ``unknown`` are SQL that takes ``now``; ``rests_on``: patterns of feeds."""

    name: str
    title: str
    sentence: str
    source: str
    rows: str
    unknown: str | None
    on_picture: bool
    rests_on: tuple[str, ...]

    @property
    def version(self) -> str:
        """SHA-256 (hex) of everything that makes the number what it is."""
        return hashlib.sha256(
            "\0".join((self.name, self.sentence, self.rows, self.unknown or "")).encode()
        ).hexdigest()


@dataclass(frozen=True)
class Figure:
    """A number with its definition, as of a moment; ``unknown`` is ``None`` where nothing can be unknown.

    ``oldest``: of the feeds it rests on, the one whose newest delivery is the oldest, with the day of which that speaks;
    ``None`` where none of them has come.
    """

    name: str
    title: str
    value: int
    unknown: int | None
    as_of: datetime
    version: str
    oldest: tuple[str, date] | None


@dataclass(frozen=True)
class Opened:
    """A figure opened: ``rows`` has one line a child and row of evidence, with the delivery and line it came from;
    ``feeds`` are those it rests on that have come, each with the day of which its newest delivery speaks, oldest first."""

    definition: Definition
    value: int
    version: str
    rows: pl.DataFrame
    feeds: list[tuple[str, date]]


def definitions(pack: Pack) -> dict[str, Definition]:
    """All figures of the pack, in the order in which the picture shows them."""
    return {name: _definition(name, text) for name, text in pack.toml("figures.toml")["figure"].items()}


def _definition(name: str, text: Mapping[str, Any]) -> Definition:
    return Definition(
        name=name,
        title=text["title"],
        sentence=text["sentence"],
        source=text["source"],
        rows=text["rows"],
        unknown=text.get("unknown"),
        on_picture=text.get("on_picture", True),
        rests_on=tuple(text["rests_on"]),
    )


def picture(db: Db, *, now: datetime, pack: Pack, everything: bool = False) -> list[Figure]:
    """The figures of the picture (with ``everything``, all of them), as of ``now``."""
    wanted = [d for d in definitions(pack).values() if everything or d.on_picture]
    newest = newest_by_feed(db)
    return [_figure(db, definition, now, newest) for definition in wanted]


def newest_by_feed(db: Db) -> dict[str, date]:
    """The day of which the newest delivery of each feed speaks, oldest first; of feeds that have come."""
    return {row["feed"]: row["as_of"] for row in store.fetch(db, NEWEST)}


def _resting(definition: Definition, newest: Mapping[str, date]) -> list[tuple[str, date]]:
    """The feeds under a figure; a sender's own mapped list counts as the feed whose fields it fills."""
    return [
        (feed, day)
        for feed, day in newest.items()
        if any(fnmatchcase(feeds.mapping.base_feed(feed), p) for p in definition.rests_on)
    ]


def _figure(db: Db, definition: Definition, now: datetime, newest: Mapping[str, date]) -> Figure:
    value = _count(db, definition.rows, now)
    unknown = None if definition.unknown is None else _count(db, definition.unknown, now)
    # A sender's list comes when it comes: a figure is not old because of it.
    oldest = next(
        (one for one in _resting(definition, newest) if one[0] == feeds.mapping.base_feed(one[0])), None
    )
    return Figure(definition.name, definition.title, value, unknown, now, definition.version, oldest)


def _count(db: Db, rows: str, now: datetime) -> int:
    # The query is the pack's own reviewed text, never anything a user typed.
    counted = store.fetch(db, f"select count(distinct child) as n from ({rows}) as r", {"now": now})  # noqa: S608
    return int(counted[0]["n"])


def explain(db: Db, name: str, *, now: datetime, pack: Pack, limit: int | None = None) -> Opened:
    """Open figure ``name`` to the children and rows under it; raises :class:`FigureError` for an unknown name."""
    known = definitions(pack)
    if name not in known:
        raise FigureError(f"no figure {name!r}; there are {', '.join(known)}")
    definition = known[name]
    listed = store.frame(db, _with_evidence(definition.rows, limit), {"now": now})
    value = _count(db, definition.rows, now)
    return Opened(definition, value, definition.version, listed, _resting(definition, newest_by_feed(db)))


def _with_evidence(rows: str, limit: int | None) -> str:
    """The rows of a figure beside where each came from: agency, kind, moment, delivery and line; or the gap's words."""
    last = f"limit {int(limit)}" if limit else ""
    return f"""
        select r.child, r.reason, e.agency, e.kind, e.at, e.delivery, e.line, e.id as event, g.id as gap, g.kind as gap_kind, g.opened
        from (select (to_jsonb(x)->>'child')::bigint as child, (to_jsonb(x)->>'event')::bigint as event,
                     (to_jsonb(x)->>'gap')::bigint as gap, to_jsonb(x)->>'reason' as reason from ({rows}) as x) as r
        left join account_gap g on g.id = r.gap
        left join timeline_event e on e.id = coalesce(r.event,
             (select (v #>> '{{}}')::bigint from jsonb_array_elements(g.evidence->'events') v limit 1))
        order by r.child, e.at, e.id {last}"""  # noqa: S608
