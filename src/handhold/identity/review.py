"""Second people: a match that needs two, and pairs that are looked at once more to measure who and what can be trusted."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store
from handhold.identity.agreement import Agreement, agreement
from handhold.identity.parting import Pair, pair

DOUBTED = "reviewers-disagree"
PARTS = 1_000  # a share is drawn in thousandths


class SamePerson(store.StoreError):
    """Two different people are needed, and this one has spoken already."""


class NoReview(store.StoreError):
    """There is nothing here to look at once more."""


def propose(db: store.Db, files: Pair, *, by: str, why: str, now: datetime) -> bool:
    """One of two people says "the same child". ``True`` when another had said so and it stands now; else it is kept.

    Raises :class:`SamePerson` for the one who said it first.
    """
    store.lock(db, "identity")  # two may say it first at one moment
    first = proposal(db, files)
    if first is None:
        db.execute(
            "insert into identity_proposal (file_a, file_b, by, why, since) values (%s, %s, %s, %s, %s)",
            [*files, by, why, now],
        )
        return False
    if first["by"] == by:
        raise SamePerson(
            "you have said that these are one child's; another person must say so before it is so"
        )
    _end(db, files, "confirmed", by, now)
    return True


def proposal(db: store.Db, files: Pair) -> dict[str, Any] | None:
    """What one person has said of two files that two must say, if it waits for the second."""
    found = store.fetch(
        db,
        "select by, why, since from identity_proposal where file_a = %s and file_b = %s and until is null for update",
        [*files],
    )
    return found[0] if found else None


def unpropose(db: store.Db, files: Pair, *, by: str, now: datetime) -> None:
    """Somebody said otherwise: a proposal is contradicted, or taken back by the one who made it."""
    first = proposal(db, files)
    if first is not None:
        _end(db, files, "withdrawn" if first["by"] == by else "contradicted", by, now)


def _end(db: store.Db, files: Pair, outcome: str, by: str, now: datetime) -> None:
    db.execute(
        """update identity_proposal set until = %s, outcome = %s, ended_by = %s
           where file_a = %s and file_b = %s and until is null""",
        [now, outcome, by, *files],
    )


def draw_again(db: store.Db, files: Sequence[Pair], share: float, *, by: str, now: datetime) -> int:
    """Of questions just decided, draw a share to be asked again of somebody else; returns how many.

    Which ones is decided by their ids, which nobody chooses, so nobody can know beforehand; each is drawn once.
    """
    drawn = store.frame(
        db,
        """select q.id, q.file_a, q.file_b, q.reason, q.evidence, q.weight, q.answer as said, q.by as said_by from identity_question q
           join unnest(%(a)s::bigint[], %(b)s::bigint[]) as p (a, b)
             on least(q.file_a, q.file_b) = p.a and greatest(q.file_a, q.file_b) = p.b
           where q.closed is not null and q.by = %(by)s and q.reason <> %(doubted)s
             and mod(abs(hashtextextended(q.id::text, 7)), %(parts)s) < %(share)s""",
        {
            "a": [a for a, _ in files], "b": [b for _, b in files], "by": by, "parts": PARTS,
            "share": round(share * PARTS), "doubted": DOUBTED,
        },
    )  # fmt: skip
    return _keep(db, drawn, "again", now)


def draw_linked(db: store.Db, edges: Sequence[float], each: int, *, now: datetime) -> int:
    """Draw from the links made without a person up to ``each`` in every bin of weight that have not been drawn before.

    ``edges``: where bins begin and end, in bits, ascending. Returns how many were drawn.
    """
    drawn = store.frame(
        db,
        """with link as (
               select l.id as link, l.file as file_a, (l.evidence ->> 'with')::bigint as file_b, l.linked_by as reason, l.evidence,
                      (l.evidence ->> 'weight')::real as weight,
                      (select f.by from identity_link f where f.file = l.file and f.linked_by <> 'person' order by f.id limit 1) as said_by
               from identity_link l where l.until is null and l.judgement = 'match' and l.linked_by <> 'person' and l.evidence ? 'with'),
           turned as (
               select *, row_number() over (partition by width_bucket(weight, %(edges)s::float8[])
                                            order by hashtextextended(link::text, 11)) as turn
               from link l where weight is not null and not exists (
                   select from identity_review r where r.source = 'linked' and least(r.file_a, r.file_b) = least(l.file_a, l.file_b)
                     and greatest(r.file_a, r.file_b) = greatest(l.file_a, l.file_b)))
           select link as id, file_a, file_b, reason, evidence, weight, 'match' as said, said_by from turned where turn <= %(each)s""",
        {"edges": [float(edge) for edge in edges], "each": each},
    )
    return _keep(db, drawn, "linked", now)


def _keep(db: store.Db, drawn: pl.DataFrame, source: str, now: datetime) -> int:
    if not len(drawn):
        return 0
    sources = pl.Series("source", [source]).new_from_index(0, len(drawn))
    rows = drawn.with_columns(sources, id=store.stable_ids("review", sources, drawn["id"]), drawn=pl.lit(now))
    return store.upsert(db, "identity_review", rows, ["id"], update=[])


def review(db: store.Db, review: int) -> dict[str, Any] | None:
    """One pair to be looked at once more."""
    found = store.fetch(db, "select * from identity_review where id = %s", [review])
    return found[0] if found else None


def next_review(db: store.Db, by: str, *, besides: int | None = None) -> int | None:
    """The pair that has waited longest for somebody other than the one who spoke first; not the one just skipped."""
    row = db.execute(
        """select id from identity_review where answer is null and said_by <> %s and id is distinct from %s::bigint
           order by drawn, id limit 1""",
        [by, besides],
    ).fetchone()
    return int(row[0]) if row else None


def answer_review(db: store.Db, review: int, answer: str, *, by: str, why: str, now: datetime) -> list[int]:
    """What a second person says of a pair. Where the two contradict each other, a question is opened for a third look.

    Returns the two files if a question was opened. Raises :class:`NoReview` when it is not theirs to answer.
    """
    found = db.execute(
        """update identity_review set answer = %s, by = %s, why = %s, at = %s
           where id = %s and answer is null and said_by <> %s returning file_a, file_b, said, evidence, weight""",
        [answer, by, why, now, review, by],
    ).fetchone()
    if found is None:
        raise NoReview(
            "this pair was looked at already, or you were the first to speak of it; take the next one"
        )
    file_a, file_b, said, evidence, weight = found
    if {said, answer} != {"match", "no match"}:
        return []
    a, b = pair(file_a, file_b)
    asked = pl.DataFrame({"file_a": [a], "file_b": [b], "weight": [weight]}).with_columns(
        id=store.stable_ids("question", pl.Series([DOUBTED]), pl.Series([review])),
        reason=pl.lit(DOUBTED), opened=pl.lit(now), evidence=pl.lit(json.dumps(evidence)),
    )  # fmt: skip
    store.upsert(db, "identity_question", asked, ["id"], update=[])
    return [file_a, file_b]


def said_twice(db: store.Db) -> Agreement:
    """How far people agree who were asked the same without knowing of each other."""
    rows = store.fetch(
        db,
        "select said, answer from identity_review where source = 'again' and answer is not null order by id",
    )
    return agreement([(row["said"], row["answer"]) for row in rows])
