"""The queue of questions: what hangs on each, which are alike, and what a link would let somebody know.

Nothing is compared when a page is opened: a question was stored when it arose, and the queue is a read of stored rows,
paged from the last one seen. What a reader may be shown of it is the pages' business.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg

from handhold import access, account, store
from handhold.pack import Pack
from handhold.timeline.kinds import DETAIL_ELEMENTS, KINDS, SEALED_ELEMENTS, location_element

Db = psycopg.Connection[Any]
Row = dict[str, Any]
Pair = tuple[int, int]

RULES = "questions.toml"
RANKS = ("soon", "waits", "rest", "unclear")
BESIDE = [
    "model",
    "rules",
    "weight",
    "rarity",
    "with",
    "through",
    "stranger",
    "sibling",
]  # what evidence holds besides codes
BATCH = 25

# A question that somebody could not answer comes last. Only what orders is read of each; the rest of those shown.
RANKED = """
    select q.id, q.weight, q.closed, q.pattern, h.hearing, coalesce(s.gaps, 0) as gaps, p.by as proposed_by, d.rank,
           case when d.rank = 0 then extract(epoch from h.hearing) else 0 end as soon
    from identity_question q left join account_stake s on s.question = q.id
    left join identity_proposal p on p.file_a = least(q.file_a, q.file_b) and p.file_b = greatest(q.file_a, q.file_b) and p.until is null
    left join identity_judgement j on j.file_a = least(q.file_a, q.file_b) and j.file_b = greatest(q.file_a, q.file_b)
         and j.until is null and j.judgement = 'possible'
    cross join lateral (select case when s.hearing >= %(now)s then s.hearing end as hearing) h
    cross join lateral (select case when j.id is not null then 3 when h.hearing < %(soon)s then 0 when s.gaps > 0 then 1 else 2 end as rank) d
    where (q.closed is null and p.by is distinct from %(person)s) or q.id = %(after)s"""
QUEUE = """
    with ranked as ({ranked}),
    shown as (
        select * from ranked r
        where r.closed is null and r.id is distinct from %(after)s
          and (%(after)s::bigint is null or (r.rank, r.soon, -r.gaps, -r.weight, r.id)
               > (select k.rank, k.soon, -k.gaps, -k.weight, k.id from ranked k where k.id = %(after)s))
          and (not %(free)s or not exists (select from identity_claim c where c.question = r.id and c.by <> %(person)s and c.at > %(claimed)s))
          and (%(pattern)s::text is null or r.pattern = %(pattern)s)
        order by r.rank, r.soon, -r.gaps, -r.weight, r.id limit %(limit)s)
    select r.*, q.file_a, a.agency as agency_a, a.child as child_a, a.hold as held_a, q.file_b, b.agency as agency_b, b.child as child_b,
           b.hold as held_b, q.reason, q.evidence, q.opened
    from shown r join identity_question q using (id) join identity_file a on a.id = q.file_a join identity_file b on b.id = q.file_b
    order by r.rank, r.soon, -r.gaps, -r.weight, r.id"""
WAITING = """
    with ranked as ({ranked})
    select rank, count(*) as n, count(proposed_by) as second from ranked where closed is null group by rank"""
GROUPS = """
    with ranked as ({ranked}),
    alike as (
        select pattern, count(*) as n, min(id) as one from ranked where closed is null and rank < 3
        group by pattern having count(*) > 1 order by n desc, pattern limit %(limit)s)
    select g.pattern, g.n, q.reason, q.evidence from alike g join identity_question q on q.id = g.one order by g.n desc, g.pattern"""

STATED = """
    select distinct f.child, f.agency, e.kind, e.place is not null as placed, e.detail ->> 'basis' as basis,
           array(select jsonb_object_keys(e.detail)) as said, e.detail ->> 'reason' as reason, e.detail ->> 'status' as status,
           array(select s.class from timeline_sealed s where s.event = e.id)
             || array(select 'sponsor' from sponsor.timeline_sealed s where s.event = e.id) as sealed
    from identity_file f join timeline_event e on e.file = f.id
    where f.child = any(%(children)s) and e.superseded_by is null"""
SIDES = """
    select f.id, f.child, f.agency, f.hold from identity_file f
    where f.child in (select child from identity_file where id = any(%(files)s)) order by f.child, f.agency, f.id"""
HANGS = """
    select f.child, array_agg(distinct f.agency) as agencies, count(distinct f.id) as files, s.next_hearing, s.missed_hearings,
           (select count(*) from notices_outbox o where o.child = f.child and o.sent is not null) as told,
           array(select g.kind from account_gap g where g.child = f.child and g.closed is null order by g.due nulls last, g.id) as gaps
    from identity_file f left join account_standing s on s.child = f.child
    where f.child = any(%(children)s) group by f.child, s.next_hearing, s.missed_hearings"""


@dataclass(frozen=True)
class Disclosure:
    """What an agency would come to know by a link: an element that it may know and that only the other side states."""

    agency: str
    element: str


def _asked(now: datetime, pack: Pack, **more: Any) -> dict[str, Any]:
    rules = pack.toml(RULES)
    asked = {"person": "", "after": None, "limit": BATCH, "pattern": None, "free": False}
    times = {
        "now": now,
        "soon": now + timedelta(days=rules["soon_days"]),
        "claimed": now - timedelta(minutes=rules["claim_minutes"]),
        "stale": now - timedelta(minutes=rules["order_minutes"]),
    }
    return asked | times | more


def _ranked(db: Db, query: str, asked: dict[str, Any]) -> list[Row]:
    account.stake(db, now=asked["now"], stale=asked["stale"])
    return store.fetch(db, query.format(ranked=RANKED), asked)


def queue(
    db: Db,
    *,
    person: str,
    now: datetime,
    pack: Pack,
    after: int | None = None,
    limit: int = BATCH,
    pattern: str | None = None,
) -> list[Row]:
    """Open questions for ``person``: those on which a hearing within days hangs, then those with most open gaps, then by weight.

    ``after``: the question from which to go on (it may be answered by now); ``pattern``: only those alike. What this
    person said and a second must confirm is not asked of them again.
    """
    return _ranked(db, QUEUE, _asked(now, pack, person=person, after=after, limit=limit, pattern=pattern))


def following(db: Db, *, person: str, now: datetime, pack: Pack, after: int | None = None) -> int | None:
    """The next question that nobody else has before them; from the front again when there is none after ``after``."""
    for start in dict.fromkeys((after, None)):
        found = _ranked(db, QUEUE, _asked(now, pack, person=person, after=start, limit=1, free=True))
        if found:
            return int(found[0]["id"])
    return None


def claim(db: Db, question: int, *, person: str, now: datetime) -> None:
    """Somebody has a question before them; for some minutes it is not given to another."""
    db.execute(
        """insert into identity_claim (question, by, at) values (%s, %s, %s)
           on conflict (question) do update set by = excluded.by, at = excluded.at""",
        [question, person, now],
    )


def waiting(db: Db, *, person: str, now: datetime, pack: Pack) -> Row:
    """How many questions wait: ``soon``, ``waits``, ``rest``, ``unclear``, ``all``, and ``second``: for a second person."""
    rows = _ranked(db, WAITING, _asked(now, pack, person=person))
    found = dict.fromkeys(RANKS, 0) | {RANKS[row["rank"]]: row["n"] for row in rows}
    return found | {"all": sum(found.values()), "second": sum(row["second"] for row in rows)}


def groups(db: Db, *, person: str, now: datetime, pack: Pack, limit: int = BATCH) -> list[Row]:
    """Questions that are alike: the same reason and the same levels throughout; ``pattern``, ``n``, ``evidence``."""
    return _ranked(db, GROUPS, _asked(now, pack, person=person, limit=limit))


def hangs(db: Db, children: Iterable[int | None]) -> dict[int, Row]:
    """What each child is, beside its names: agencies with a file, next and missed hearings, open gaps, notices sent."""
    wanted = sorted({child for child in children if child is not None})
    return {row["child"]: row for row in store.fetch(db, HANGS, {"children": wanted})}


def discloses(db: Db, files: Pair, table: access.Table) -> list[Disclosure]:
    """What a link of two files would let agencies know, by agency and element; nothing when they are one child's already.

    An agency learns what only the other side states, if an agreement lets any role of it know that for any purpose.
    """
    sides = store.fetch(db, SIDES, {"files": list(files)})
    agencies: dict[int, set[str]] = {}
    for row in sides:
        agencies.setdefault(row["child"], set()).add(row["agency"])
    if len(agencies) != 2:
        return []
    stated = _stated(store.fetch(db, STATED, {"children": sorted(agencies)}), table.words.kinds)
    one, other = sorted(agencies)
    learned = [
        *_learns(agencies[one], stated.get(one, {}), stated.get(other, {}), table),
        *_learns(agencies[other], stated.get(other, {}), stated.get(one, {}), table),
    ]
    return sorted(set(learned), key=lambda d: (d.agency, d.element))


Stated = Mapping[str, set[str]]  # element -> the agencies that state it


def _learns(agencies: set[str], own: Stated, others: Stated, table: access.Table) -> Iterable[Disclosure]:
    for agency in agencies:
        for element, by in others.items():
            if agency not in by and element not in own and _may(table, agency, element):
                yield Disclosure(agency, element)


def _may(table: access.Table, agency: str, element: str) -> bool:
    whole, _, kind = element.partition("/")
    return any(
        access.decide(table, agency, role.name, purpose, whole, kind or "*").allowed
        for role in table.words.roles
        if role.agency == agency
        for purpose in role.purposes
    )


def _stated(rows: Sequence[Row], kinds: Mapping[str, Sequence[str]]) -> dict[int, dict[str, set[str]]]:
    """By child and element, the agencies whose files state it."""
    found: dict[int, dict[str, set[str]]] = {}
    for row in rows:
        elements = found.setdefault(row["child"], {})
        for element in _elements(row):
            named = f"{element}/{row['kind']}" if row["kind"] in kinds.get(element, ()) else element
            elements.setdefault(named, set()).add(row["agency"])
    return found


def _elements(row: Row) -> set[str]:
    """Every element that an event states: itself, its address, what its details and its sealed parts say."""
    kind = row["kind"]
    found = {KINDS[kind].element if kind in KINDS else "child.case"}
    if row["placed"]:
        found.add(location_element(kind, {"basis": row["basis"]}))
    for of, key, value, element in DETAIL_ELEMENTS:
        if of == kind and key in row["said"] and value in (None, row.get(key)):
            found.add(element)
    for sealed in row["sealed"]:
        found |= set(SEALED_ELEMENTS[sealed].values())
    return found


HELD = """
    select 1 from identity_file where hold and (id = any(%(files)s) or child in (
        select child from identity_file where id = any(%(files)s) and child is not null)) limit 1"""


def needs_two(db: Db, files: Pair, pack: Pack) -> bool:
    """Whether two different people must say "the same child": the link would disclose, or one of the two children has a file
    that is held for people."""
    held = store.fetch(db, HELD, {"files": list(files)})
    guarded = set(pack.toml(RULES)["two_people"])
    return bool(held) or any(d.element in guarded for d in discloses(db, files, access.compiled(pack)))
