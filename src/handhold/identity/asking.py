"""Questions for people: one about two children while it waits, by the two of their files that weigh most."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store
from handhold.identity.parting import Pair
from handhold.identity.review import DOUBTED

CLOSED = "select id from identity_question where id = any(%s) and closed is not null"
# Questions that wait about any two files of the two children, and whether one of two people has spoken already.
WAITING = """
    select w.low, w.high, q.id, q.weight, q.opened, exists (
        select from identity_proposal p where p.file_a = least(q.one, q.other) and p.file_b = greatest(q.one, q.other) and p.until is null)
    from unnest(%s::bigint[], %s::bigint[]) w (low, high) join identity_file f on f.child = w.low
    cross join lateral (
        select id, weight, opened, reason, file_a as one, file_b as other from identity_question where file_a = f.id and closed is null
        union all
        select id, weight, opened, reason, file_b, file_a from identity_question where file_b = f.id and closed is null) q
    join identity_file g on g.id = q.other and g.child = w.high where q.reason <> %s"""
# One that waits already says henceforth what is known now.
OPEN = """
    insert into identity_question (id, file_a, file_b, reason, weight, evidence, opened)
    select id, a, b, reason, weight, evidence::jsonb, opened from unnest(
        %s::bigint[], %s::bigint[], %s::bigint[], %s::text[], %s::real[], %s::text[], %s::timestamptz[])
        q (id, a, b, reason, weight, evidence, opened)
    on conflict (id) do update set reason = excluded.reason, weight = excluded.weight, evidence = excluded.evidence
    where identity_question.closed is null"""


@dataclass(frozen=True)
class Asked:
    """Two files of two children, the smaller first each, with the evidence (JSON) of what should be asked."""

    files: Pair
    children: Pair
    reason: str
    weight: float
    evidence: str


def ask(db: store.Db, doubts: Sequence[Asked], *, now: datetime) -> int:
    """Open these questions, at most one about each two children; returns how many are about two of whom nothing was asked yet.

    Where one about the same children waits by two other files, the weightier takes its place, and its turn; but one that a
    person has half answered stays. What was answered stays as it was answered.
    """
    if not doubts:
        return 0
    files = [pl.Series([doubt.files[side] for doubt in doubts], dtype=pl.Int64) for side in (0, 1)]
    ids = store.stable_ids("question", *files).to_list()
    with db.pipeline():
        answered = db.execute(CLOSED, [store.Ids(ids)])
        sides = [store.Ids(doubt.children[side] for doubt in doubts) for side in (0, 1)]
        standing = db.execute(WAITING, [*sides, DOUBTED])
    closed = {id for (id,) in answered}
    waiting: dict[Pair, list[_Waiting]] = {}
    for low, high, *told in standing:
        waiting.setdefault((low, high), []).append(_Waiting(*told))
    opened, replaced, new = [], [], 0
    for id, doubt in zip(ids, doubts, strict=True):
        before = waiting.get(doubt.children, [])
        others = [one for one in before if one.id != id]
        stay = [one for one in others if one.half_answered or one.weight > doubt.weight]
        waits = len(others) < len(before)
        if id in closed or (stay and not waits):
            continue
        since = min((one.opened for one in before), default=now)
        opened.append([id, *doubt.files, doubt.reason, doubt.weight, doubt.evidence, since])
        replaced += [one.id for one in others if one not in stay]
        new += not before
    _keep(db, opened, replaced)
    return new


@dataclass(frozen=True)
class _Waiting:
    id: int
    weight: float
    opened: datetime
    half_answered: bool


def _keep(db: store.Db, opened: list[list[Any]], replaced: list[int]) -> None:
    with db.pipeline():
        if replaced:
            db.execute("delete from identity_question where id = any(%s)", [store.Ids(replaced)])
        if opened:
            db.execute(OPEN, [list(column) for column in zip(*opened, strict=True)])
