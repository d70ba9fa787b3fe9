"""Lists for pages: set-based reads that span rooms. Nothing here says what a reader may see; pages ask ``access`` for that.

Every function returns rows as dictionaries, newest or most urgent first; ``limit`` and ``offset`` page through them.
"""

import json
from datetime import datetime
from typing import Any

import psycopg

from handhold import store

Db = psycopg.Connection[Any]
Row = dict[str, Any]
Scope = tuple[
    str, dict[str, Any]
]  # what ``access.scope`` gives: a condition on ``child``, and its parameters

OPEN_GAPS = """
    select g.id, g.child, g.kind, g.reason, g.owner, g.opened, g.since, g.due, g.times, s.next_hearing, s.missed_hearings
    from account_gap g left join account_standing s on s.child = g.child
    where g.closed is null and g.owner = %(agency)s and g.kind = any(%(kinds)s)
      and g.child in (select child from account_standing where {scope})
    order by g.due nulls last, g.opened, g.id limit %(limit)s offset %(offset)s"""
GAP_ROWS = """
    select id, child, kind, reason, owner, since, due, times from account_gap
    where closed is null and kind = %(kind)s and child in (select child from account_standing where {scope})
    order by due nulls last, since, id limit %(limit)s offset %(offset)s"""
GAP_COUNTS = """
    select kind, count(*) as open, count(*) filter (where due < %(now)s) as late, count(distinct child) as children
    from account_gap
    where closed is null and (%(agency)s::text is null or owner = %(agency)s) and (%(kinds)s::text[] is null or kind = any(%(kinds)s))
      and child in (select child from account_standing where {scope})
    group by kind order by late desc, open desc, kind"""
STEP_COUNTS = """
    select count(*) as open, count(*) filter (where due < %(now)s) as late,
           count(*) filter (where due >= %(now)s and due < %(now)s + interval '7 days') as soon
    from followup_step
    where done is null and dropped is null and closes_with is null
      and ((agency = %(agency)s and role = %(role)s) or (lapsed is not null and escalated_to = %(seat)s))"""
GAPS_OF = """
    select id, kind, reason, owner, opened, since, closed, closed_by, why, due, times, evidence
    from account_gap where child = %(child)s and kind = any(%(kinds)s) order by closed is not null, due nulls last, opened desc, id"""
STEPS_OF = """
    select s.id, s.run, s.name, s.ordinal, s.agency, s.role, s.due, s.trace, s.evidence_needed, s.closes_with, s.done, s.done_by,
           s.outcome, s.lapsed, s.escalated_to, r.protocol, r.version, r.started, r.ended, r.outcome as run_outcome, p.text_
    from followup_step s join followup_run r on r.id = s.run join followup_protocol p on p.version = r.version
    where s.child = %(child)s and s.outcome is distinct from 'skipped' and (s.dropped is null or s.done is not null)
    order by r.ended is not null, r.started desc, r.id, s.ordinal"""
NOTICES_OF = """
    select id, title, about, about_kind, recipient, purpose, agreement, created, due, sent, received, acknowledged, corrects, withheld
    from notices_outbox where child = %(child)s order by created desc, id"""
LOOKS_AT = """
    select at, by, verb, agency, purpose, rule from ledger_entry
    where thing = 'child' and verb like 'child.%%'
      and ((count = 1 and ids[1] = %(child)s) or (count between 2 and 16 and ids @> array[%(child)s]::bigint[]))
    order by seq desc limit %(limit)s"""
DELIVERIES = """
    select id, feed, format, agency, as_of, sender, bytes, received, status, why, rows, loaded, unchanged, quarantined, left_,
           withdrawn, missing_columns, read_at, name_sealed
    from feeds_delivery where %(status)s::text is null or status = %(status)s or (%(status)s = 'quarantine' and quarantined > 0)
    order by recorded desc, agency, feed, id limit %(limit)s offset %(offset)s"""
REFERRALS = """
    select r.number as referral, r.issued, count(e.id) as actions, max(e.day) as last
    from feeds_referral r left join timeline_event e
      on e.kind = 'labour-action' and e.superseded_by is null and e.detail->>'referral' = r.number
    group by 1, 2 order by 2 desc, 1 limit %(limit)s offset %(offset)s"""
QUARANTINE = """
    select id, line, column_ as "column", value, why from feeds_quarantine
    where delivery = %(delivery)s order by line, id limit %(limit)s offset %(offset)s"""
QUARANTINE_WHYS = """
    select why, column_ as "column", count(*) as rows from feeds_quarantine
    where delivery = %(delivery)s group by 1, 2 order by 3 desc, 1 limit 20"""
QUESTION = """
    select q.*, a.agency as agency_a, a.child as child_a, b.agency as agency_b, b.child as child_b
    from identity_question q join identity_file a on a.id = q.file_a join identity_file b on b.id = q.file_b where q.id = %(question)s"""
SAID = (
    "select id, file, sealed from identity_description where file = any(%(files)s) order by recorded desc, id"
)
ENTRIES = """
    select e.seq, e.at, e.by, e.verb, e.thing, e.ids, e.count, e.agency, e.purpose, e.rule, l.index
    from ledger_entry e left join ledger_leaf l on l.seq = e.seq
    where (%(verb)s::text is null or e.verb = %(verb)s) order by e.seq desc limit %(limit)s offset %(offset)s"""
CHECKPOINTS = (
    "select size, encode(root, 'hex') as hex, at from ledger_checkpoint order by size desc limit %(limit)s"
)
FRESHNESS = "select max(as_of) as as_of, max(received) as received, max(read_at) as read_at from feeds_delivery where status = 'read'"
WAITING = "select count(*) as n from notices_outbox where recipient = %(agency)s and sent is not null and acknowledged is null"


def open_gaps(
    db: Db, agency: str, scope: Scope, *, kinds: list[str], limit: int = 25, offset: int = 0
) -> list[Row]:
    """Open gaps of these ``kinds`` that ``agency`` owns, of children in ``scope``, the most overdue first."""
    condition, params = scope
    asked = {**params, "agency": agency, "kinds": kinds, "limit": limit, "offset": offset}
    return store.fetch(db, OPEN_GAPS.format(scope=condition), asked)


def gap_counts(
    db: Db, agency: str | None, scope: Scope, *, now: datetime, kinds: list[str] | None = None
) -> list[Row]:
    """Per kind of gap: how many are open, how many of them late, of how many children; of one owner or of all."""
    condition, params = scope
    return store.fetch(
        db, GAP_COUNTS.format(scope=condition), {**params, "agency": agency, "now": now, "kinds": kinds}
    )


def in_scope(db: Db, children: list[int], scope: Scope) -> set[int]:
    """Those of ``children`` that are in ``scope``."""
    condition, params = scope
    asked = f"select child from unnest(%(children)s::bigint[]) as child where {condition}"  # noqa: S608 a closed list of conditions
    return {row["child"] for row in store.fetch(db, asked, {**params, "children": children})}


def step_counts(db: Db, agency: str, role: str, *, now: datetime) -> Row:
    """How many steps wait for this role: ``open``, ``late``, ``soon`` (within seven days)."""
    return store.fetch(
        db, STEP_COUNTS, {"agency": agency, "role": role, "seat": f"{agency}/{role}", "now": now}
    )[0]


def gap_rows(db: Db, kind: str, scope: Scope, *, limit: int = 25, offset: int = 0) -> list[Row]:
    """The open gaps of one kind, of children in ``scope``, whoever owns them; the most overdue first."""
    condition, params = scope
    return store.fetch(
        db, GAP_ROWS.format(scope=condition), {**params, "kind": kind, "limit": limit, "offset": offset}
    )


def gaps_of(db: Db, child: int, *, kinds: list[str]) -> list[Row]:
    """All gaps of a child of these ``kinds``, open ones first."""
    return store.fetch(db, GAPS_OF, {"child": child, "kinds": kinds})


def steps_of(db: Db, child: int) -> list[Row]:
    """All follow-up steps of a child, running follow-ups first, each in its protocol's order."""
    return store.fetch(db, STEPS_OF, {"child": child})


def notices_of(db: Db, child: int) -> list[Row]:
    """Every notice about a child to anybody, without its text."""
    return store.fetch(db, NOTICES_OF, {"child": child})


def looks_at(db: Db, child: int, *, limit: int = 20) -> list[Row]:
    """Who looked at this child, and who was refused."""
    return store.fetch(db, LOOKS_AT, {"child": child, "limit": limit})


def deliveries(db: Db, *, status: str | None = None, limit: int = 50, offset: int = 0) -> list[Row]:
    """Deliveries, newest first; ``status='quarantine'`` means those with quarantined rows."""
    return _named(store.fetch(db, DELIVERIES, {"status": status, "limit": limit, "offset": offset}))


def referrals(db: Db, *, limit: int = 50, offset: int = 0) -> list[Row]:
    """Labour referrals by their numbers, with how often the investigators have answered; nothing of a child."""
    return store.fetch(db, REFERRALS, {"limit": limit, "offset": offset})


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
    return (
        store.unseal("delivery", f"feeds_delivery.name_sealed.{delivery}", bytes(sealed)).decode()
        if sealed
        else ""
    )


def quarantine(db: Db, delivery: int, *, limit: int = 50, offset: int = 0) -> list[Row]:
    """Rows that were not read, each with the cell and the reason; ``value`` still sealed."""
    return store.fetch(db, QUARANTINE, {"delivery": delivery, "limit": limit, "offset": offset})


def quarantine_reasons(db: Db, delivery: int) -> list[Row]:
    """Why rows of a delivery were not read, the most frequent reason first."""
    return store.fetch(db, QUARANTINE_WHYS, {"delivery": delivery})


def question(db: Db, question: int) -> Row | None:
    """One question with the children its two files are linked to now."""
    found = store.fetch(db, QUESTION, {"question": question})
    return found[0] if found else None


def agencies_of(db: Db, files: list[int]) -> dict[int, str]:
    """The agency of each file."""
    rows = store.fetch(db, "select id, agency from identity_file where id = any(%(files)s)", {"files": files})
    return {row["id"]: row["agency"] for row in rows}


def links_of(db: Db, child: int) -> list[Row]:
    """The files of a child with the link that holds each, and whether only people may link it."""
    return store.fetch(
        db,
        """select f.id, f.agency, f.hold, f.linked_by, f.probability, l.evidence, l.by, l.why, l.since,
                  (select h.why from identity_hold h where h.file = f.id and h.until is null) as held_why
           from identity_file f left join identity_link l on l.file = f.id and l.until is null and l.judgement = 'match'
           where f.child = %(child)s order by f.agency, f.id""",
        {"child": child},
    )


def child_of(db: Db, file: int) -> int | None:
    """The child of a file, if it has one."""
    found = store.fetch(db, "select child from identity_file where id = %(file)s", {"file": file})
    return found[0]["child"] if found else None


def said_of(db: Db, files: list[int]) -> dict[int, list[dict[str, str]]]:
    """What each file says of a person, in the clear, the newest first; only for readers who may know identity."""
    sealed = store.frame(db, SAID, {"files": files})
    texts = store.unseal_many("identity", "identity_description.sealed", sealed["id"], sealed["sealed"])
    found: dict[int, list[dict[str, str]]] = {}
    for file, text in zip(sealed["file"], texts, strict=True):
        found.setdefault(file, []).append({k: v for k, v in json.loads(text).items() if v not in (None, "")})
    return found


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
    found = store.fetch(
        db,
        "select id, child, agency, role, name, lapsed, escalated_to from followup_step where id = %(step)s",
        {"step": step},
    )
    return found[0] if found else None


def cell(row: int, sealed: bytes | None) -> str | None:
    """The text of a quarantined cell; only for readers who mend feeds."""
    return (
        store.unseal("delivery", f"feeds_quarantine.value.{row}", bytes(sealed)).decode()
        if sealed is not None
        else None
    )
