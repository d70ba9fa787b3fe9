"""How good the links are, as far as people have looked: precision and recall by weight, agreement, match rates by month.

Computed from the rows whenever it is asked for, and never kept. A figure that nobody has looked at has no value, and its
interval says that anything is possible.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any

import psycopg

from handhold import identity, store
from handhold.identity import Agreement, Interval, wilson
from handhold.oversight.questions import RULES
from handhold.pack import Pack

Db = psycopg.Connection[Any]

LINKS = """
    select width_bucket((evidence ->> 'weight')::float8, %(edges)s::float8[]) as bin, count(*) as links from identity_link
    where until is null and judgement = 'match' and linked_by <> 'person' and evidence ->> 'weight' is not null group by 1"""
RATES = """
    with described as (
        select d.file, min(r.feed) as feed, min(r.as_of) as first from identity_description d join feeds_row r on r.id = d.row_ group by 1),
    several as (select child from identity_file where child is not null group by child having count(distinct agency) > 1)
    select d.feed, date_trunc('month', d.first)::date as month, count(*) as files, count(s.child) as linked
    from described d join identity_file f on f.id = d.file left join several s on s.child = f.child
    group by 1, 2 order by 1, 2"""
SAMPLED = """
    select width_bucket(weight::float8, %(edges)s::float8[]) as bin, count(*) as n, count(*) filter (where answer = 'match') as matches
    from identity_review where source = 'linked' and answer in ('match', 'no match') group by 1"""
ASKED = """
    select width_bucket(weight::float8, %(edges)s::float8[]) as bin, count(*) filter (where closed is null) as waiting,
           count(*) filter (where answer in ('match', 'no match') and by <> 'system') as decided,
           count(*) filter (where answer = 'match' and by <> 'system') as matches
    from identity_question where reason <> 'reviewers-disagree' group by 1"""
DOUBTED = (
    "select count(distinct child) as n from account_gap where kind = 'identity-doubt' and closed is null"
)


@dataclass(frozen=True)
class Bin:
    """Pairs of one range of weight (bits; ``None``: open). ``links``: made without a person; ``right``: of those sampled,
    the share that a person found to be right; ``waiting``: questions open; ``alike``: of those decided, the share that matched."""

    low: float | None
    high: float | None
    links: int
    right: Interval
    waiting: int
    alike: Interval
    matched: int

    def single(self, end: str) -> tuple[float, float]:
        """Pairs of this range that are one child's, linked and only asked, by this end (``share, low, high``) of what samples
        say; none of what nobody has looked at."""
        linked = self.links * (getattr(self.right, end) or 0.0) if self.right.of else 0.0
        asked = self.waiting * (getattr(self.alike, end) or 0.0) if self.alike.of else 0.0
        return linked, self.matched + asked

    @property
    def unseen(self) -> int:
        """Links and open questions of this range of which nobody has looked at one."""
        return (0 if self.right.of else self.links) + (0 if self.alike.of else self.waiting)


@dataclass(frozen=True)
class Expected:
    """A share with its 95 % bounds, over what was looked at; ``left_out``: how many stand in bins nobody has looked at."""

    share: float | None
    low: float
    high: float
    left_out: int


@dataclass(frozen=True)
class Rate:
    """Files first described in one month of one feed, and how many of them have a file of another agency beside them."""

    month: date
    files: int
    linked: Interval
    drifts: bool


@dataclass(frozen=True)
class Quality:
    """Everything that is known of the links' quality."""

    bins: tuple[Bin, ...]
    precision: Expected
    recall: Expected
    agreement: Agreement
    rates: dict[str, tuple[Rate, ...]]
    doubted: int
    samples_waiting: int

    @property
    def ranges(self) -> list[tuple[Bin, Expected]]:
        """Each bin with the recall if links were drawn from it upwards."""
        return list(zip(self.bins, recall_from(self.bins), strict=True))


def quality(db: Db, *, pack: Pack) -> Quality:
    """The links as they stand, with what people have found in samples of them."""
    bins = tuple(_bins(db, [float(edge) for edge in pack.toml(RULES)["bins"]]))
    waiting = store.fetch(db, "select count(*) as n from identity_review where answer is null")[0]["n"]
    months = groupby(store.fetch(db, RATES), key=lambda row: str(row["feed"]))
    return Quality(
        bins=bins,
        precision=expected_precision(bins),
        recall=expected_recall(bins),
        agreement=identity.said_twice(db),
        rates={feed: tuple(rates(list(of))) for feed, of in months},
        doubted=int(store.fetch(db, DOUBTED)[0]["n"]),
        samples_waiting=int(waiting),
    )


def _bins(db: Db, edges: list[float]) -> Iterable[Bin]:
    links, sampled, asked = (
        {row["bin"]: row for row in store.fetch(db, query, {"edges": edges})}
        for query in (LINKS, SAMPLED, ASKED)
    )
    ends = [None, *edges, None]
    none: dict[str, int] = {}
    for n in range(len(edges) + 1):
        seen, put = sampled.get(n, none), asked.get(n, none)
        yield Bin(
            low=ends[n],
            high=ends[n + 1],
            links=links.get(n, none).get("links", 0),
            right=wilson(seen.get("matches", 0), seen.get("n", 0)),
            waiting=put.get("waiting", 0),
            alike=wilson(put.get("matches", 0), put.get("decided", 0)),
            matched=put.get("matches", 0),
        )


def expected_precision(bins: Iterable[Bin]) -> Expected:
    """Of the links made without a person, the share that is right: each bin's sample stands for the bin."""
    known = [bin_ for bin_ in bins if bin_.links and bin_.right.share is not None]
    left_out = sum(bin_.links for bin_ in bins if bin_.right.share is None)
    return _weighed([(bin_.links, bin_.right) for bin_ in known], left_out)


def expected_recall(bins: Sequence[Bin]) -> Expected:
    """Of the pairs that are one child's among all that were linked or asked, the share linked without a person.

    What was never compared, or compared and found too unlike to be asked, is not in it: nobody knows how much that is.
    """
    return _found(
        bins, lambda end: sum(b.single(end)[0] for b in bins), lambda end: sum(b.single(end)[1] for b in bins)
    )


def recall_from(bins: Sequence[Bin]) -> tuple[Expected, ...]:
    """For each range, what linking all from it upwards would find of the pairs that are one child's: see :func:`expected_recall`."""

    def count(some: Sequence[Bin]) -> Callable[[str], float]:
        return lambda end: sum(sum(b.single(end)) for b in some)

    return tuple(_found(bins, count(bins[n:]), count(bins[:n])) for n in range(len(bins)))


def _found(bins: Sequence[Bin], found: Callable[[str], float], missed: Callable[[str], float]) -> Expected:
    """The share found of all, by what samples say and at its worst and best."""

    def share(one: str, other: str) -> float | None:
        had, lacked = found(one), missed(other)
        return had / (had + lacked) if had + lacked else None

    low, high = share("low", "high"), share("high", "low")
    return Expected(
        share("share", "share"),
        0.0 if low is None else low,
        1.0 if high is None else high,
        sum(b.unseen for b in bins),
    )


def _weighed(parts: Sequence[tuple[int, Interval]], left_out: int) -> Expected:
    whole = sum(count for count, _ in parts)
    if not whole:
        return Expected(None, 0.0, 1.0, left_out)
    share, low, high = (
        sum(n * (getattr(i, end) or 0.0) for n, i in parts) / whole for end in ("share", "low", "high")
    )
    return Expected(share, low, high, left_out)


def rates(months: Sequence[dict[str, Any]]) -> Iterable[Rate]:
    """One feed's months with their shares; a month drifts when its interval does not hold the share of those before it."""
    files = linked = 0
    for row in months:
        found = wilson(row["linked"], row["files"])
        before = linked / files if files else None
        yield Rate(
            row["month"], row["files"], found, before is not None and not found.low <= before <= found.high
        )
        files, linked = files + row["files"], linked + row["linked"]
