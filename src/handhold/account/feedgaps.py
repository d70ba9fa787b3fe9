"""Gaps of a feed: one that is silent, one that has changed. They have an owner and a clock as a child's gaps have, but no child.

What opens them is ``feeds.health``; who must answer, and until when, is ``gaps.toml``. Nothing here runs by a timer of its
own: :func:`watch` compares what is so now with what stands open, so a missed night changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl
from psycopg.types.json import Jsonb

from handhold import feeds, store
from handhold.account import rules
from handhold.feeds.health import Finding, Health
from handhold.pack import Pack

SILENT, DRIFT = "feed-silent", "feed-drift"
STANDING = "select id, feed, kind, reason, closed, times from account_feed_gap for update"
OPEN = """
    insert into account_feed_gap (id, feed, kind, reason, owner, opened, since, due, evidence)
    values (%(id)s, %(feed)s, %(kind)s, %(reason)s, %(owner)s, %(now)s, %(since)s, %(due)s, %(evidence)s)
    on conflict (id) do update set opened = excluded.opened, since = excluded.since, due = excluded.due, evidence = excluded.evidence,
        owner = excluded.owner, closed = null, closed_by = null, why = null, times = account_feed_gap.times + 1"""
CLOSE = "update account_feed_gap set closed = %s, closed_by = %s, why = %s where id = %s and closed is null"
GAPS = """
    select id, feed, kind, reason, owner, opened, since, closed, closed_by, due, evidence, times from account_feed_gap
    where closed is null or closed > %(since)s order by closed is not null, due, feed, kind, reason"""


class NoSuchGap(feeds.FeedError):
    """There is no open gap of a feed to decide about."""


@dataclass(frozen=True)
class Found:
    """A gap that a feed has now."""

    id: int
    feed: str
    kind: str
    reason: str
    owner: str
    since: datetime
    evidence: dict[str, Any]


@dataclass(frozen=True)
class Watched:
    """Ids of the gaps that opened and closed."""

    opened: list[int]
    closed: list[int]


def watch(db: store.Db, *, now: datetime, pack: Pack) -> Watched:
    """Open what feeds lack now, and close what they lack no more."""
    of = rules.of(pack)
    wanted = {gap.id: gap for one in feeds.health.check(db, now=now, pack=pack) for gap in _found(one)}
    standing = {row["id"]: row for row in store.fetch(db, STANDING)}
    fresh = [gap for gap in wanted.values() if gap.id not in standing or standing[gap.id]["closed"]]
    for gap in fresh:
        db.execute(OPEN, _row(gap, of, now))
    ended = [id_ for id_, row in standing.items() if row["closed"] is None and id_ not in wanted]
    for id_ in ended:
        db.execute(CLOSE, [now, "evidence", None, id_])
    return Watched([gap.id for gap in fresh], ended)


def _row(gap: Found, of: rules.Rules, now: datetime) -> dict[str, Any]:
    said = {
        "id": gap.id,
        "feed": gap.feed,
        "kind": gap.kind,
        "reason": gap.reason,
        "owner": gap.owner,
        "since": gap.since,
        "now": now,
    }
    return said | {"due": of.due(gap.kind, gap.since), "evidence": Jsonb(gap.evidence)}


def _found(one: Health) -> Iterator[Found]:
    if one.silent and one.silent_from is not None:
        evidence = {"as_of": one.as_of.isoformat(), "due": one.due.isoformat() if one.due else None}
        yield _gap(one, SILENT, "late", one.silent_from, evidence)
    by_reason: dict[str, list[Finding]] = {}
    for finding in one.findings:
        by_reason.setdefault(finding.reason, []).append(finding)
    for reason, findings in by_reason.items():
        numbers = [{"column": f.column, "now": f.now, "usual": f.usual} for f in findings]
        yield _gap(
            one,
            DRIFT,
            reason,
            one.newest.received,
            {"delivery": str(one.newest.delivery), "findings": numbers},
        )


def _gap(one: Health, kind: str, reason: str, since: datetime, evidence: dict[str, Any]) -> Found:
    keys = [pl.Series([part]) for part in (one.feed, kind, reason)]
    return Found(
        int(store.stable_ids("feed-gap", *keys)[0]), one.feed, kind, reason, one.agency, since, evidence
    )


def listed(db: store.Db, *, closed_since: datetime) -> list[dict[str, Any]]:
    """Gaps of feeds: the open ones, the most overdue first, then those closed since."""
    return store.fetch(db, GAPS, {"since": closed_since})


def accept(db: store.Db, feed: str, *, by: str, why: str, now: datetime) -> list[int]:
    """A person says that what a feed shows is its new normal: its drift closes with the reason, and it is measured anew
    from here on. Returns the gaps that closed; raises :class:`NoSuchGap`."""
    if not why.strip():
        raise feeds.FeedError("a decision about a feed needs a reason; say why")
    asked = "select id from account_feed_gap where feed = %(feed)s and kind = %(kind)s and closed is null for update"
    found = [row["id"] for row in store.fetch(db, asked, {"feed": feed, "kind": DRIFT})]
    if not found:
        raise NoSuchGap(f"{feed} has no open feed-drift; `handhold feeds health` lists what is open")
    feeds.health.accept(db, feed, by=by, now=now)
    for id_ in found:
        db.execute(CLOSE, [now, by, store.seal("delivery", f"account_feed_gap.why.{id_}", why.encode()), id_])
    return found
