"""What happens to the children: custody, release, moves, charging documents. All of it as whole columns."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from .draw import NEVER, Bools, Chance, Ints, between, gather, happens, weighted
from .parameters import Rates
from .people import People, eighteenth
from .places import Addresses, addresses, blanked, replaced, spoilt

TYPES = ("REUNIFIED", "AGE OUT")


@dataclass(frozen=True)
class Custody:
    """Hours and days of custody, the kind of discharge, and to whom and where each child was released."""

    determined_hour: Ints
    transferred_hour: Ints
    admitted_hour: Ints
    discharged: Ints  # NEVER while still in care
    kind: pl.Series
    released: Bools
    told: Ints  # the day DHS was told of the discharge
    sponsor: Ints  # the child by whom the sponsor is numbered
    category: pl.Series
    home: Addresses  # of the family, well-formed, also for those not released
    address: pl.DataFrame  # as ORR wrote it down, blank for those not released
    cluster: Ints  # -1 for none


@dataclass(frozen=True)
class Moves:
    """Each child's first move after release, and when each agency came to know of it (``NEVER`` for not)."""

    moved: Ints
    to: Addresses
    orr: Ints
    uscis: Ints
    court: Ints  # only wished for here: those without a case cannot tell the court


@dataclass(frozen=True)
class Charges:
    """The days a charging document was issued, served and filed; ``NEVER`` for not."""

    issued: Ints
    served: Ints
    filed: Ints


def until(days: Ints, last: int) -> Ints:
    """``days`` with those after ``last`` made ``NEVER``: they have not happened yet."""
    return np.where(days > last, NEVER, days)


def custody(chance: Chance, rates: Rates, who: People, as_of: int) -> Custody:
    """Custody and release of everybody in ``who``, as known on ``as_of``."""
    n = len(who)
    hour, transferred, admitted = _transfer(chance, rates, who)
    kind, leaving = _discharge(chance, rates, who, transferred // 24)
    discharged = until(leaving, as_of)
    released = (kind == 0) & (discharged != NEVER)
    cluster, head = _clusters(chance, rates, who, released)
    sponsor = np.where(cluster >= 0, head, who.family)
    home = addresses(chance, rates, "homes", n).of(sponsor)
    clean = spoilt(chance, rates, home.text, released & (cluster < 0))
    names = [*TYPES, *(name for name, _ in rates.discharge_types)]
    return Custody(
        hour,
        transferred,
        admitted,
        discharged,
        gather(names, kind),
        released,
        _told(chance, rates, discharged, released, as_of),
        sponsor,
        _category(chance, rates, who, cluster),
        home,
        blanked(clean, ~released),
        cluster,
    )


def _transfer(chance: Chance, rates: Rates, who: People) -> tuple[Ints, Ints, Ints]:
    rng, n = chance.stream("transfer"), len(who)
    determined = who.determined * 24 + between(rng, n, 1, 22)
    late = happens(rng, n, rates.transfer_late)
    hours = np.where(late, between(rng, n, 74, 197), between(rng, n, 10, 70))
    transferred = determined + hours
    return determined, transferred, transferred + between(rng, n, 3, 8)


def _discharge(chance: Chance, rates: Rates, who: People, admitted: Ints) -> tuple[Ints, Ints]:
    """The kind of discharge (a position in ``TYPES`` and then the rates' own) and its day."""
    rng, n = chance.stream("discharge"), len(who)
    other = [share for _, share in rates.discharge_types]
    kind = weighted(rng, n, [1 - sum(other), 0.0, *other])
    stay = np.exp(rng.normal(np.log(rates.stay_median), rates.stay_spread, n))
    leaving = np.maximum(
        admitted[who.family] + np.clip(stay, 3, 400).astype(np.int64)[who.family], admitted + 2
    )
    adult = eighteenth(who.born)
    almost = (adult - who.determined < 365) & (adult > admitted + 2)
    out = almost & ((leaving >= adult) | happens(rng, n, rates.age_out_of_17))
    return np.where(out, 1, kind), np.where(out, adult, leaving)


def _told(chance: Chance, rates: Rates, discharged: Ints, released: Bools, as_of: int) -> Ints:
    rng, n = chance.stream("release told"), len(discharged)
    lag = np.where(happens(rng, n, rates.release_told_late), between(rng, n, 2, 29), 0)
    told = np.where(happens(rng, n, rates.release_not_told) | (discharged == NEVER), NEVER, discharged + lag)
    return until(told, as_of)


def _clusters(chance: Chance, rates: Rates, who: People, released: Bools) -> tuple[Ints, Ints]:
    """Groups of only children released to one sponsor: the group (or -1) and its first child."""
    rng, n = chance.stream("clusters"), len(who)
    family_size = np.bincount(who.family, minlength=n)[who.family]
    free = rng.permutation(np.flatnonzero(released & (family_size == 1)))
    sizes = between(rng, max(n // rates.children_per_cluster, 1), *rates.cluster_size)
    sizes = sizes[np.cumsum(sizes) <= len(free)]
    members = free[: sizes.sum()]
    group = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    first = members[np.repeat(np.cumsum(sizes) - sizes, sizes)] if len(sizes) else members
    cluster, head = np.full(n, -1, dtype=np.int64), np.arange(n, dtype=np.int64)
    cluster[members], head[members] = group, first
    return cluster, head


def _category(chance: Chance, rates: Rates, who: People, cluster: Ints) -> pl.Series:
    names = [name for name, _ in rates.sponsor_categories]
    drawn = weighted(chance.stream("sponsors"), len(who), [share for _, share in rates.sponsor_categories])
    return gather(names, np.where(cluster >= 0, names.index("3"), drawn[who.family]))


def moves(chance: Chance, rates: Rates, who: People, held: Custody, as_of: int) -> Moves:
    """Moves of the released, families together, and who was told of them by ``as_of``."""
    rng, n = chance.stream("moves"), len(who)
    drawn = 46 + rng.exponential(-365 / np.log(1 - rates.moves_per_year), n)
    wait = np.minimum(drawn, 20_000).astype(np.int64)[who.family]
    soon = held.released & (wait <= rates.moves_within_days)
    moved = until(np.where(soon, held.discharged + wait, NEVER), as_of)

    def heard(share: float, low: int, high: int) -> Ints:
        told = (moved != NEVER) & happens(rng, n, share)
        return until(np.where(told, moved + between(rng, n, low, high), NEVER), as_of)

    to = addresses(chance, rates, "new homes", n).of(who.family)
    return Moves(
        moved,
        to,
        heard(rates.move_told_orr, 1, 45),
        heard(rates.move_told_uscis, 1, 14),
        heard(rates.move_told_court, 2, 19),
    )


def charges(chance: Chance, rates: Rates, who: People, as_of: int) -> Charges:
    """Charging documents issued, served and filed by ``as_of``."""
    rng, n = chance.stream("charges"), len(who)
    shares = [rates.nta_served, rates.nta_issued_only, 1 - rates.nta_served - rates.nta_issued_only]
    how_far = weighted(rng, n, shares)
    issued = until(np.where(how_far < 2, who.determined + between(rng, n, 0, 29), NEVER), as_of)
    served = issued + between(rng, n, 0, 199)
    served = until(np.where((how_far == 0) & (issued != NEVER), served, NEVER), as_of)
    filed = served + between(rng, n, 7, 248)
    files = (served != NEVER) & happens(rng, n, rates.nta_filed_of_served)
    return Charges(issued, served, until(np.where(files, filed, NEVER), as_of))


def with_moved(home: pl.DataFrame, moved: Bools, to: pl.DataFrame) -> pl.DataFrame:
    """The addresses, the new ones where ``moved``."""
    at = np.flatnonzero(moved)
    return replaced(home, at, to[at])
