"""Running follow-ups: begun by gaps, moved by what is done, shown as work.

Everything is set-based. The protocol's own logic (:func:`protocol.ready`) is asked once for each state that occurs among
the stirred follow-ups, not once a follow-up: a nation has a few hundred such states.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from handhold import access, account, store, timeline
from handhold.account.calendar import Calendar
from handhold.followup.deadlines import BusinessDaysAfter, due
from handhold.followup.protocol import LAPSED, SKIPPED, START, Protocol, Step, parse, protocols, ready
from handhold.pack import Pack

SYSTEM = "system"
MOMENT = pl.Datetime("us", "UTC")
MANY = 10_000  # rows after which the database must look at a table anew, or it plans for the table as it was

NEW_GAPS = """
    select g.id as gap, g.times, g.child, g.subject, g.kind
    from account_gap g
    where g.closed is null and g.kind = any(%(kinds)s)
      and not exists (select from followup_run r where r.gap = g.id and r.times = g.times) {near}"""

# A gap that closed ends its follow-up, unless a person of this follow-up decided it: then the rest is still to be done.
GAP_CLOSED = """
    update followup_run r set ended = %(now)s, outcome = 'gap-closed', stirred = false
    from account_gap g
    where r.ended is null and g.id = r.gap and (g.closed is not null or g.times > r.times)
      and not exists (select from followup_step s where s.run = r.id and s.done is not null and s.name = any(%(deciding)s))
      {near}
    returning r.id"""
DROP_STEPS = "update followup_step set dropped = %(now)s where run = any(%(runs)s) and done is null and dropped is null"

TOLD = """
    update followup_step s
    set done = %(now)s, done_by = 'system', outcome = 'known', evidence = jsonb_build_object('code', 'known', 'gap', s.closes_with)
    where s.done is null and s.dropped is null and s.closes_with is not null
      and not exists (select from account_gap g where g.child = s.child and g.closed is null
                      and g.kind = split_part(s.closes_with, '/', 1) and g.reason = split_part(s.closes_with, '/', 2))
      {near}
    returning s.id, s.child, s.name, s.run"""
FOUND = """
    update followup_step s
    set done = %(now)s, done_by = 'system', outcome = f.code, evidence = jsonb_build_object('code', f.code, 'gap', %(gap)s::text)
    from (select o.id, case when exists (select from account_gap g where g.child = o.child and g.closed is null and g.kind = %(gap)s)
                            then %(open)s::text else %(none)s::text end as code
          from followup_step o join followup_run r on r.id = o.run
          where o.done is null and o.dropped is null and o.name = %(name)s and r.protocol = %(protocol)s and r.ended is null
            {near}) f
    where f.id = s.id
    returning s.id, s.child, s.name, s.run"""
LAPSE = """
    update followup_step s set lapsed = %(now)s, escalated_to = escalate_to, outcome = 'lapsed'
    where s.due < %(now)s and s.done is null and s.dropped is null and s.lapsed is null {near}
    returning s.id, s.child, s.name, s.run"""
STIR = "update followup_run set stirred = true where id = any(%(runs)s) and ended is null"

STATES = """
    select r.id as run, r.child, r.version, r.started,
           coalesce(string_agg(s.name || '=' || coalesce(s.outcome, ''), ' ' order by s.ordinal), '') as state
    from followup_run r left join followup_step s on s.run = r.id
    where r.stirred and r.ended is null
    group by r.id, r.child, r.version, r.started"""
BASES = """
    select s.run, s.name, coalesce(s.done, s.lapsed, s.dropped) as base
    from followup_step s join followup_run r on r.id = s.run where r.stirred and r.ended is null"""
CALM = """
    update followup_run r set stirred = false,
        ended = case when o.open then null else %(now)s::timestamptz end, outcome = case when o.open then null else o.outcome end
    from (select r.id, coalesce(bool_or(s.done is null and s.dropped is null), false) as open,
                 max(s.outcome) filter (where s.name = any(%(closing)s)) as outcome
          from followup_run r left join followup_step s on s.run = r.id where r.stirred and r.ended is null group by r.id) o
    where o.id = r.id"""

WORK = """
    select s.id, s.child, s.name, s.agency, s.role, s.due, s.trace, s.evidence_needed, s.lapsed, s.escalated_to,
           r.protocol, r.version, r.id as run, r.started
    from followup_step s join followup_run r on r.id = s.run
    where s.done is null and s.dropped is null and s.closes_with is null
      and ((s.agency = %(agency)s and s.role = %(role)s) or (s.lapsed is not null and s.escalated_to = %(seat)s))
    order by s.due, s.id limit %(limit)s offset %(offset)s"""


WHY = "follow-up"
# By sets: the planner, which knows nothing of a caseload just filled, would look each child up.
OWED = "select child from followup_step where agency = %(agency)s and done is null and dropped is null {near}"
SEEN = "select child from access_caseload where agency = %(agency)s and person = '' and until is null {near}"
TAKEN, GIVEN_BACK = f"{OWED} except {SEEN}", f"{SEEN} and why = %(why)s except {OWED}"


class StepError(Exception):
    """A step that cannot be completed so: the message says why and what would do."""


def respond(db: store.Db, *, now: datetime, pack: Pack, children: Sequence[int] | None = None) -> int:
    """Begin, move and end follow-ups so that they answer the gaps as they are; returns how many steps were set.

    Deterministic, and the same again changes nothing. ``children``: those whose accounts an act has just changed, where somebody
    waits for it; what the clock does to others is found by whoever looks at all. The caller's transaction.
    """
    store.lock(db, "followup.respond")
    current = protocols(pack)
    _begin(db, current, now, children)
    known = _followed(db)
    _end(db, known.values(), now, children)
    calendar = Calendar.of(pack)
    steps = 0
    while moved := _move(db, known, calendar, now, children):
        steps += moved
    db.execute(CALM, {"now": now, "closing": [s.name for p in known.values() for s in p.steps if s.closes]})
    _caseloads(db, pack, now, children)
    return steps


def _caseloads(db: store.Db, pack: Pack, now: datetime, children: Sequence[int] | None) -> None:
    """Providers and counsel see a child while a running follow-up asks something of them, and no longer."""
    for agency in sorted({role.agency for role in access.words(pack).roles if role.scope == "caseload"}):
        asked = {"agency": agency, "why": WHY, "children": children}
        taken, given_back = (
            store.frame(db, store.near(query, "child", children), asked) for query in (TAKEN, GIVEN_BACK)
        )
        access.assign(db, taken["child"], agency=agency, by=SYSTEM, why=WHY, now=now)
        access.release(db, given_back["child"], agency=agency, now=now)


def _begin(
    db: store.Db, current: Mapping[str, Protocol], now: datetime, children: Sequence[int] | None
) -> None:
    """A follow-up for each open gap whose kind has a protocol in force and that has none yet."""
    active = {kind: p for kind, p in current.items() if p.effective_from <= now.date()}
    asked = {"kinds": list(active), "children": children}
    fresh = store.frame(db, store.near(NEW_GAPS, "g.child", children), asked)
    if not len(fresh):
        return
    for protocol in active.values():
        db.execute(
            "insert into followup_protocol (version, name, text_, since) values (%s, %s, %s, %s) on conflict do nothing",
            [protocol.version, protocol.name, protocol.text, now],
        )
    names = pl.DataFrame(
        {
            "kind": list(active),
            "protocol": [p.name for p in active.values()],
            "version": [p.version for p in active.values()],
        }
    )
    runs = fresh.join(names, on="kind", how="left", maintain_order="left").with_columns(
        store.stable_ids("run", fresh["gap"], fresh["times"]).alias("id"),
        pl.lit(now).cast(MOMENT).alias("started"),
    )
    store.copy_in(
        db,
        "followup_run",
        runs.select("id", "gap", "times", "child", "protocol", "version", "subject", "started"),
    )
    _look_again(db, "followup_run", len(runs))


def _look_again(db: store.Db, table: str, written: int) -> None:
    """Have the database count a table into which many rows came in this transaction."""
    if written > MANY:
        db.execute(f"analyze {table}")


def _followed(db: store.Db) -> dict[str, Protocol]:
    """The protocols that running follow-ups began with, by version."""
    query = "select version, text_ from followup_protocol p where exists (select from followup_run r where r.version = p.version and r.ended is null)"
    return {row["version"]: parse(row["text_"]) for row in store.fetch(db, query)}


def _end(db: store.Db, followed: Iterable[Protocol], now: datetime, children: Sequence[int] | None) -> None:
    deciding = [step.name for protocol in followed for step in protocol.steps if step.decides]
    asked = {"now": now, "deciding": deciding, "children": children}
    ended = [run for (run,) in db.execute(store.near(GAP_CLOSED, "r.child", children), asked)]
    if ended:
        db.execute(DROP_STEPS, {"now": now, "runs": ended})


def _move(
    db: store.Db,
    known: Mapping[str, Protocol],
    calendar: Calendar,
    now: datetime,
    children: Sequence[int] | None,
) -> int:
    """One round: what completes by itself, what lapses, and the steps that follow. Zero when all is calm."""
    asked = {"now": now, "children": children}
    done = store.fetch(db, store.near(TOLD, "s.child", children), asked)
    done += _find(db, known.values(), asked)
    _record(db, "step-done", done, now)
    lapsed = store.fetch(db, store.near(LAPSE, "s.child", children), asked)
    _record(db, "step-lapsed", lapsed, now)
    db.execute(STIR, {"runs": [row["run"] for row in (*done, *lapsed)]})
    return _set_next(db, known, calendar, now)


def _find(db: store.Db, followed: Iterable[Protocol], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Steps that Handhold does by itself, by looking whether the child has a gap of some kind; ``asked``: when, and of whom."""
    found: list[dict[str, Any]] = []
    query = store.near(FOUND, "o.child", asked["children"])
    for protocol in followed:
        for step in protocol.steps:
            if step.finds:
                looked = {"gap": step.finds.gap, "open": step.finds.open, "none": step.finds.none}
                wanted = {"name": step.name, "protocol": protocol.name}
                found += store.fetch(db, query, {**asked, **looked, **wanted})
    return found


def _record(db: store.Db, kind: str, steps: list[dict[str, Any]], now: datetime, by: str = SYSTEM) -> None:
    """What became of steps, on the timelines of their children; their accounts are looked at again."""
    events = [
        timeline.OwnEvent(s["child"], kind, now, {"step": str(s["id"]), "name": s["name"]}, subject=s["id"])
        for s in steps
    ]
    timeline.add(db, events, by=by, now=now)
    account.touch(db, pl.Series("child", [s["child"] for s in steps], pl.Int64).unique())


def _set_next(db: store.Db, known: Mapping[str, Protocol], calendar: Calendar, now: datetime) -> int:
    """Set the steps that are reached, skip those whose condition does not hold."""
    states = store.frame(db, STATES)
    plans = [
        plan
        for version, state in states.select("version", "state").unique().iter_rows()
        for plan in _plan(known[version], state)
    ]
    if not plans:
        return 0
    planned = pl.DataFrame(plans, infer_schema_length=None)
    rows = _with_due(
        states.join(planned, on=["version", "state"]), store.frame(db, BASES), calendar, known, now
    )
    store.copy_in(db, "followup_step", rows.select(STEP_COLUMNS))
    _look_again(db, "followup_step", len(rows))
    opened = rows.filter(pl.col("outcome").is_null())
    _record(db, "step-set", opened.select("id", "child", "name").to_dicts(), now)
    return len(rows)


STEP_COLUMNS = (
    "id", "run", "child", "name", "ordinal", "agency", "role", "set_", "due", "trace", "evidence_needed", "closes_with", "escalate_to",
    "outcome", "dropped",
)  # fmt: skip


def _plan(protocol: Protocol, state: str) -> list[dict[str, Any]]:
    """The steps to set and to skip for every follow-up in this state."""
    settled = dict(part.split("=", 1) for part in state.split())
    waiting = [name for name, outcome in settled.items() if not outcome]
    to_set, to_skip = ready(
        protocol, {name: outcome for name, outcome in settled.items() if outcome}, waiting
    )
    return [_row(protocol, state, name, skipped=name in to_skip) for name in (*to_set, *to_skip)]


def _row(protocol: Protocol, state: str, name: str, *, skipped: bool) -> dict[str, Any]:
    step = protocol.step(name)
    return {
        "version": protocol.version, "state": state, "name": name, "ordinal": protocol.names.index(name), "agency": step.agency,
        "role": step.role, "since": step.since, "evidence_needed": ",".join(step.evidence), "closes_with": step.closes_with,
        "escalate_to": step.escalate_to, "outcome": SKIPPED if skipped else None,
    }  # fmt: skip


def _with_due(
    rows: pl.DataFrame, bases: pl.DataFrame, calendar: Calendar, known: Mapping[str, Protocol], now: datetime
) -> pl.DataFrame:
    """Rows of ``followup_step`` with ids and due dates; each distinct deadline is reckoned once."""
    since = bases.rename({"name": "since"})
    moment = pl.lit(now).cast(MOMENT)
    based = rows.join(since, on=["run", "since"], how="left", maintain_order="left").with_columns(
        pl.when(pl.col("since") == START)
        .then("started")
        .otherwise(pl.coalesce("base", moment))
        .alias("base"),
        store.stable_ids("step", rows["run"], rows["name"]).alias("id"),
        moment.alias("set_"),
        pl.when(pl.col("outcome").is_not_null()).then(moment).alias("dropped"),
    )
    wanted = based.select("version", "name", "base").unique()
    reckoned = [_reckon(known[version], name, base, calendar) for version, name, base in wanted.iter_rows()]
    deadlines = wanted.with_columns(
        pl.DataFrame(reckoned, schema={"due": MOMENT, "trace": pl.String}, orient="row")
    )
    return based.join(deadlines, on=["version", "name", "base"], how="left", maintain_order="left")


def _reckon(protocol: Protocol, name: str, base: datetime, calendar: Calendar) -> tuple[datetime, str]:
    found = due(base, protocol.step(name).within, zone=protocol.zone, after=_after(calendar))
    return found.at, json.dumps(found.trace, sort_keys=True)


def _after(calendar: Calendar) -> BusinessDaysAfter:
    return calendar.add_business_days


def complete_step(db: store.Db, step: int, *, evidence: str, by: str, now: datetime) -> int:
    """Somebody says that ``step`` is done, and which of the accepted codes shows it; returns the child.

    A lapsed step may still be done. Raises :class:`StepError` for an unknown or finished step and for other evidence.
    """
    asked = """select s.*, r.protocol, r.version, r.subject, p.text_ from followup_step s
               join followup_run r on r.id = s.run join followup_protocol p on p.version = r.version where s.id = %s for update of s"""
    rows = store.fetch(db, asked, [step])
    if not rows:
        raise StepError(f"there is no step {step}; open the worklist again")
    row = rows[0]
    if row["done"] or row["dropped"]:
        raise StepError(f"step {step} ({row['name']}) is finished already; nothing was changed")
    if evidence not in row["evidence_needed"].split(","):
        raise StepError(f"step {step} ({row['name']}) is completed by one of: {row['evidence_needed']}")
    db.execute(
        "update followup_step set done = %s, done_by = %s, outcome = %s, evidence = jsonb_build_object('code', %s::text) where id = %s",
        [now, by, evidence, evidence, step],
    )
    db.execute(STIR, {"runs": [row["run"]]})
    _record(db, "step-done", [row], now, by)
    _decide(db, parse(row["text_"]), row, evidence, by, now)
    return int(row["child"])


def _decide(
    db: store.Db, protocol: Protocol, row: Mapping[str, Any], evidence: str, by: str, now: datetime
) -> None:
    """A step that decides gives the gap its reason."""
    if protocol.step(row["name"]).decides:
        detail = {"about": str(row["subject"] or ""), "kind": protocol.gap, "code": evidence.upper()}
        timeline.add(
            db,
            [timeline.OwnEvent(row["child"], "reason-decided", now, detail, subject=row["subject"])],
            by=by,
            now=now,
        )


def worklist(
    db: store.Db, agency: str, role: str, *, now: datetime, limit: int = 50, offset: int = 0
) -> list[dict[str, Any]]:
    """What ``role`` of ``agency`` has to do, soonest due first: its own steps, and those that lapsed and came up to it.

    Steps that an acknowledged notice completes are not listed: they are in the inbox. Each row has ``words``, ``late`` and
    ``escalated`` beside the columns of the step; ``evidence_needed`` is a list of codes.
    """
    asked = {"agency": agency, "role": role, "seat": f"{agency}/{role}", "limit": limit, "offset": offset}
    rows = store.fetch(db, WORK, asked)
    versions = [row["version"] for row in rows]
    texts = store.fetch(
        db, "select version, text_ from followup_protocol where version = any(%s)", [versions]
    )
    steps = {row["version"]: parse(row["text_"]) for row in texts}
    return [_shown(row, steps[row["version"]].step(row["name"]), now, f"{agency}/{role}") for row in rows]


def _shown(row: dict[str, Any], step: Step, now: datetime, seat: str) -> dict[str, Any]:
    own = f"{row['agency']}/{row['role']}" == seat
    return row | {
        "words": step.words,
        "late": row["due"] < now,
        "escalated": not own and row["lapsed"] is not None,
        "evidence_needed": row["evidence_needed"].split(","),
    }


__all__ = ["LAPSED", "StepError", "complete_step", "respond", "worklist"]
