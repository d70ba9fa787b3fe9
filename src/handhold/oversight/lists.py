"""Lists for pages: set-based reads that span rooms. Nothing here says what a reader may see; pages ask ``access`` for that.

Every function returns rows as dictionaries, newest or most urgent first; ``limit`` and ``offset`` page through them.
"""

from datetime import datetime
from typing import Any

import psycopg

from handhold import store

Db = psycopg.Connection[Any]
Row = dict[str, Any]
Scope = tuple[str, dict[str, Any]]  # what ``access.scope`` gives: a condition on ``child``, and its parameters

OPEN_GAPS = """
    select g.id, g.child, g.kind, g.reason, g.owner, g.opened, g.due, g.times, s.next_hearing, s.missed_hearings
    from account_gap g left join account_standing s on s.child = g.child
    where g.closed is null and g.owner = %(agency)s and (%(kind)s::text is null or g.kind = %(kind)s)
      and g.child in (select child from account_standing where {scope})
    order by g.due nulls last, g.opened, g.id limit %(limit)s offset %(offset)s"""
GAP_COUNTS = """
    select kind, count(*) as open, count(*) filter (where due < %(now)s) as late, count(distinct child) as children
    from account_gap where closed is null and (%(agency)s::text is null or owner = %(agency)s)
    group by kind order by late desc, open desc, kind"""
STEP_COUNTS = """
    select count(*) as open, count(*) filter (where due < %(now)s) as late,
           count(*) filter (where due >= %(now)s and due < %(now)s + interval '7 days') as soon
    from followup_step where done is null and lapsed is null and agency = %(agency)s and role = %(role)s"""
GAPS_OF = """
    select id, kind, reason, owner, opened, closed, closed_by, why, due, times, evidence
    from account_gap where child = %(child)s order by closed is not null, due nulls last, opened desc, id"""
STEPS_OF = """
    select s.id, s.name, s.ordinal, s.agency, s.role, s.due, s.trace, s.evidence_needed, s.done, s.done_by, s.lapsed, s.escalated_to,
           r.protocol, r.started, r.ended, r.outcome
    from followup_step s join followup_run r on r.id = s.run
    where s.child = %(child)s order by r.ended is not null, r.started desc, r.id, s.ordinal"""
NOTICES_OF = """
    select id, about, about_kind, recipient, purpose, agreement, created, due, sent, received, acknowledged, corrects, withheld
    from notices_outbox where child = %(child)s order by created desc, id"""
LOOKS_AT = """
    select at, by, verb, agency, purpose, rule from ledger_entry
    where thing = 'child' and verb like 'child.%%' and ids @> array[%(child)s]::bigint[] order by seq desc limit %(limit)s"""
DELIVERIES = """
    select id, feed, format, agency, as_of, sender, bytes, received, status, why, rows, loaded, unchanged, quarantined, left_,
           withdrawn, missing_columns, read_at, name_sealed
    from feeds_delivery where %(status)s::text is null or status = %(status)s or (%(status)s = 'quarantine' and quarantined > 0)
    order by recorded desc, agency, feed, id limit %(limit)s offset %(offset)s"""
FEED_HEALTH = """
    select coalesce(agency, '') as agency, coalesce(feed, format, '') as feed, count(*) as deliveries, max(as_of) as as_of,
           max(received) as received, sum(rows) as rows, sum(loaded) as loaded, sum(unchanged) as unchanged,
           sum(quarantined) as quarantined, sum(left_) as left_, sum(withdrawn) as withdrawn,
           count(*) filter (where status in ('refused', 'held', 'waiting')) as stopped
    from feeds_delivery group by 1, 2 order by 1, 2"""
QUARANTINE = """
    select id, line, column_ as "column", value, why from feeds_quarantine
    where delivery = %(delivery)s order by line, id limit %(limit)s offset %(offset)s"""
QUARANTINE_WHYS = """
    select why, column_ as "column", count(*) as rows from feeds_quarantine
    where delivery = %(delivery)s group by 1, 2 order by 3 desc, 1 limit 20"""
QUESTIONS = """
    select q.id, q.file_a, q.file_b, q.reason, q.evidence, q.weight, q.opened, a.agency as agency_a, a.child as child_a,
           b.agency as agency_b, b.child as child_b
    from identity_question q join identity_file a on a.id = q.file_a join identity_file b on b.id = q.file_b
    where q.closed is null order by q.weight desc nulls last, q.id limit %(limit)s offset %(offset)s"""
QUESTION = """
    select q.*, a.agency as agency_a, a.child as child_a, b.agency as agency_b, b.child as child_b
    from identity_question q join identity_file a on a.id = q.file_a join identity_file b on b.id = q.file_b where q.id = %(question)s"""
ENTRIES = """
    select e.seq, e.at, e.by, e.verb, e.thing, e.ids, e.count, e.agency, e.purpose, e.rule, l.index
    from ledger_entry e left join ledger_leaf l on l.seq = e.seq
    where (%(verb)s::text is null or e.verb = %(verb)s) order by e.seq desc limit %(limit)s offset %(offset)s"""
CHECKPOINTS = "select size, root, note, at from ledger_checkpoint order by size desc limit %(limit)s"
FRESHNESS = "select max(as_of) as as_of, max(received) as received, max(read_at) as read_at from feeds_delivery where status = 'read'"
WAITING = "select count(*) as n from notices_outbox where recipient = %(agency)s and sent is not null and acknowledged is null"


def open_gaps(db: Db, agency: str, scope: Scope, *, kind: str | None = None, limit: int = 25, offset: int = 0) -> list[Row]:
    """Open gaps that ``agency`` owns of children in ``scope``, the most overdue first; with ``kind`` only those."""
    condition, params = scope
    return store.fetch(
        db, OPEN_GAPS.format(scope=condition), {**params, "agency": agency, "kind": kind, "limit": limit, "offset": offset}
    )


def gap_counts(db: Db, agency: str | None, *, now: datetime) -> list[Row]:
    """Per kind of gap: how many are open, how many of them late, and of how many children; of one owner or of all."""
    return store.fetch(db, GAP_COUNTS, {"agency": agency, "now": now})


def step_counts(db: Db, agency: str, role: str, *, now: datetime) -> Row:
    """How many steps wait for this role: ``open``, ``late``, ``soon`` (within seven days)."""
    return store.fetch(db, STEP_COUNTS, {"agency": agency, "role": role, "now": now})[0]


def gaps_of(db: Db, child: int) -> list[Row]:
    """All gaps of a child, open ones first."""
    return store.fetch(db, GAPS_OF, {"child": child})


def steps_of(db: Db, child: int) -> list[Row]:
    """All follow-up steps of a child, running follow-ups first, each in its protocol's order."""
    return store.fetch(db, STEPS_OF, {"child": child})


def notices_of(db: Db, child: int) -> list[Row]:
    """Every notice about a child to anybody, without its text."""
    return store.fetch(db, NOTICES_OF, {"child": child})


def looks_at(db: Db, child: int, *, limit: int = 20) -> list[Row]:
    """Who looked at this child, and who was refused."""
    return store.fetch(db, LOOKS_AT, {"child": child, "limit": limit})


def feed_health(db: Db) -> list[Row]:
    """Per feed: deliveries, newest as-of, row counts, and how many deliveries stand still."""
    return store.fetch(db, FEED_HEALTH)


def deliveries(db: Db, *, status: str | None = None, limit: int = 50, offset: int = 0) -> list[Row]:
    """Deliveries, newest first; ``status='quarantine'`` means those with quarantined rows."""
    return _named(store.fetch(db, DELIVERIES, {"status": status, "limit": limit, "offset": offset}))


def delivery(db: Db, delivery: int) -> Row | None:
    """One delivery with the name under which it came."""
    found = _named(store.fetch(db, "select * from feeds_delivery where id = %(id)s", {"id": delivery}))
    return found[0] if found else None


def _named(rows: list[Row]) -> list[Row]:
    for row in rows:
        sealed = row.pop("name_sealed")
        row["name"] = _name(row["id"], sealed)
    return rows


def _name(delivery: int, sealed: bytes | None) -> str:
    return store.unseal("delivery", f"feeds_delivery.name_sealed.{delivery}", bytes(sealed)).decode() if sealed else ""


def quarantine(db: Db, delivery: int, *, limit: int = 50, offset: int = 0) -> list[Row]:
    """Rows that were not read, each with the cell and the reason; ``value`` still sealed."""
    return store.fetch(db, QUARANTINE, {"delivery": delivery, "limit": limit, "offset": offset})


def quarantine_reasons(db: Db, delivery: int) -> list[Row]:
    """Why rows of a delivery were not read, the most frequent reason first."""
    return store.fetch(db, QUARANTINE_WHYS, {"delivery": delivery})


def questions(db: Db, *, limit: int = 25, offset: int = 0) -> list[Row]:
    """Pairs of files of which a person must say whether they are the same child's; the likeliest first."""
    return store.fetch(db, QUESTIONS, {"limit": limit, "offset": offset})


def question(db: Db, question: int) -> Row | None:
    """One question with the children its two files are linked to now."""
    found = store.fetch(db, QUESTION, {"question": question})
    return found[0] if found else None


def entries(db: Db, *, verb: str | None = None, limit: int = 50, offset: int = 0) -> list[Row]:
    """Ledger entries, newest first, each with its place in the tree once it has one."""
    return store.fetch(db, ENTRIES, {"verb": verb, "limit": limit, "offset": offset})


def checkpoints(db: Db, *, limit: int = 5) -> list[Row]:
    """The newest signed tree heads."""
    return store.fetch(db, CHECKPOINTS, {"limit": limit})


def freshness(db: Db) -> Row:
    """As of which day the newest data was drawn, and when it was received and read."""
    return store.fetch(db, FRESHNESS)[0]


def notices_waiting(db: Db, agency: str) -> int:
    """How many notices to ``agency`` nobody there has acknowledged."""
    return int(store.fetch(db, WAITING, {"agency": agency})[0]["n"])


def step(db: Db, step: int) -> Row | None:
    """One follow-up step: whose it is, and of which child."""
    found = store.fetch(db, "select id, child, agency, role, name from followup_step where id = %(step)s", {"step": step})
    return found[0] if found else None


def notice_recipient(db: Db, notice: int) -> str | None:
    """The agency to which a notice is addressed; ``None`` when there is no such notice."""
    found = store.fetch(db, "select recipient from notices_outbox where id = %(notice)s", {"notice": notice})
    return str(found[0]["recipient"]) if found else None


def cell(row: int, sealed: bytes | None) -> str | None:
    """The text of a quarantined cell; only for readers who mend feeds."""
    return store.unseal("delivery", f"feeds_quarantine.value.{row}", bytes(sealed)).decode() if sealed is not None else None
