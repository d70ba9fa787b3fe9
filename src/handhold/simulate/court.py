"""The children's cases before the immigration courts: hearings, absences, outcomes, notices."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from .draw import NEVER, Bools, Chance, Ints, between, gather, happens, weighted
from .parameters import Rates
from .words import ADJOURNED, ENDINGS

MOST = 6
"""Hearings a case at most."""


@dataclass(frozen=True)
class Cases:
    """One position a case: the child's position, the day of filing, counsel, and how it stands.

    ``missed`` is the day of the first absence, ``completed`` the day of the decision (``NEVER`` for none);
    ``outcome`` is a letter of the court's decisions, ``X`` with ``absentia`` for an order made in absence;
    ``closed`` says that the case was closed administratively because nobody came.
    """

    child: Ints
    filed: Ints
    counsel: Ints  # the day counsel entered, NEVER for none
    missed: Ints
    completed: Ints
    outcome: pl.Series
    absentia: Bools
    closed: Bools
    hearings: pl.DataFrame  # case, k, day, reason, mailed, next: the next hearing's day where it is to come


def cases(chance: Chance, rates: Rates, child: Ints, filed: Ints, as_of: int) -> Cases:
    """The cases of the children ``child``, filed on ``filed``, as they stand on ``as_of``."""
    rng, n = chance.stream("cases"), len(child)
    alone = ~happens(rng, n, rates.represented)
    counsel = np.where(alone, NEVER, filed + between(rng, n, 5, 60))
    days = filed[:, None] + np.cumsum(
        np.concatenate((between(rng, n, 30, 205)[:, None], rng.integers(60, 300, (n, MOST - 1))), axis=1),
        axis=1,
    )
    past = np.minimum((days <= as_of).sum(axis=1), MOST - 1)
    miss = happens(rng, n, np.where(alone, rates.missed_alone, rates.missed_represented)) & (past > 0)
    at = (rng.random(n) * np.minimum(past, 3)).astype(np.int64)
    form = weighted(
        rng, n, [rates.missed_absentia, rates.missed_closed, 1 - rates.missed_absentia - rates.missed_closed]
    )
    final = miss & (form < 2)
    ends = ~final & (past > 0) & ~(miss & (at == past - 1)) & happens(rng, n, rates.case_ended)
    future = (past == 0) | happens(rng, n, rates.next_hearing_set)
    last = np.where(final, at, np.where(ends | ~future, past - 1, past))
    reset = np.where(miss & (form == 2), at, -1)
    hearings = _hearings(
        rng, days, last, as_of, reset, np.where(final, last, -1), np.where(ends, last, -1), filed
    )
    when = days[np.arange(n), np.maximum(last, 0)]
    return Cases(
        child,
        filed,
        np.where(counsel > as_of, NEVER, counsel),
        np.where(miss, days[np.arange(n), at], NEVER),
        np.where(final | ends, when, NEVER),
        gather(["", "X", *(code for code, _ in ENDINGS)], _outcome(rng, n, final & (form == 0), ends)),
        final & (form == 0),
        final & (form == 1),
        hearings,
    )


def _outcome(rng: np.random.Generator, n: int, absentia: Bools, ends: Bools) -> Ints:
    drawn = 2 + weighted(rng, n, [share for _, share in ENDINGS])
    return np.where(absentia, 1, np.where(ends, drawn, 0))


def _hearings(
    rng: np.random.Generator,
    days: Ints,
    last: Ints,
    as_of: int,
    reset: Ints,
    final: Ints,
    ended: Ints,
    filed: Ints,
) -> pl.DataFrame:
    """One row a hearing; ``reset``, ``final``, ``ended`` say at which hearing of a case that happened (-1 for never)."""
    case, k = np.nonzero(np.arange(days.shape[1])[None, :] <= last[:, None])
    when = days[case, k]
    coming = when > as_of
    plain = rng.integers(0, len(ADJOURNED), len(case))
    words = [*ADJOURNED, "", "11", "8B", "8A"]
    marks = [coming, k == reset[case], k == final[case], k == ended[case]]
    reason = np.select(marks, [np.int64(len(ADJOURNED) + i) for i in range(4)], plain)
    mailed = np.maximum(when - between(rng, len(case), 20, 59), filed[case] + 1)
    return pl.DataFrame(
        {
            "case": case,
            "k": k,
            "day": when,
            "reason": gather(words, reason),
            "mailed": mailed,
            "absent": (k == reset[case]) | (k == final[case]),
            "final": k == final[case],
            "ended": k == ended[case],
            "coming": coming,
        }
    )
