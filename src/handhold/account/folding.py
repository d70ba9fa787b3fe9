"""What a folding process does: columns of events in, columns of accounts and gaps out. No database."""

import gc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import orjson
import polars as pl

from handhold.account.fold import fold
from handhold.account.gaps import Around, gaps
from handhold.account.model import Account, Event, Gap, SharedPlace
from handhold.pack import Pack

MOMENT = pl.Datetime("us", "UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ACCOUNTS: dict[str, Any] = {
    "child": pl.Int64, "account": pl.String, "responsible": pl.String, "place": pl.String, "address_quality": pl.String,
    "contact": pl.String, "nta": pl.String, "nta_reason": pl.String, "court": pl.String, "next_hearing": MOMENT,
    "missed_hearings": pl.Int32, "told_orr": pl.String, "told_ero": pl.String, "told_opla": pl.String, "open_gaps": pl.Int32,
    "wakes_at": MOMENT,
}  # fmt: skip
GAPS: dict[str, Any] = {
    "child": pl.Int64, "kind": pl.String, "key_": pl.String, "reason": pl.String, "subject": pl.Int64, "owner": pl.String,
    "since": MOMENT, "due": MOMENT, "evidence": pl.String, "why": pl.String,
}  # fmt: skip
EVENT = (
    "id", "agency", "kind", "at", "day", "precision_", "known", "known_day", "detail", "place", "building", "address_flags",
    "subject", "row_", "file",
)  # fmt: skip
NOTHING: dict[str, Any] = {}

_details: dict[str, dict[str, Any]] = {}
MANY = 200_000


@dataclass(frozen=True)
class Asked:
    """A chunk to fold: its events sorted by child, the places its children share, and ``doubts`` about who they are: ``child``
    and the last fields of :class:`handhold.account.model.Around`."""

    events: pl.DataFrame
    shared: pl.DataFrame
    doubts: pl.DataFrame
    now: datetime


@dataclass(frozen=True)
class Made:
    """The accounts and the gaps (with ``why`` where settled) of a chunk."""

    accounts: pl.DataFrame
    gaps: pl.DataFrame


def answer(asked: Asked, pack: Pack) -> Made:
    """Fold every child of the chunk."""
    with _uncollected():
        return _answer(asked, pack)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: a chunk makes millions of small values and not one cycle."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _answer(asked: Asked, by: Pack) -> Made:
    accounts, missing = [], []
    around = _around(asked)
    for child, events in _by_child(asked.events):
        account = fold(events, asked.now, by)
        found = gaps(account, asked.now, by, around.get(child, Around()))
        accounts.append(_row(child, account, found))
        missing += [_gap_row(child, gap) for gap in found]
    return Made(pl.DataFrame(accounts, ACCOUNTS, orient="row"), pl.DataFrame(missing, GAPS, orient="row"))


def _around(asked: Asked) -> dict[int, Around]:
    places: dict[int, list[SharedPlace]] = {}
    for place, child, families, children, since in asked.shared.iter_rows():
        places.setdefault(child, []).append(SharedPlace(place, families, children, since))
    doubts = {child: counts for child, *counts in asked.doubts.iter_rows()}
    return {
        child: Around(places.get(child, ()), *doubts.get(child, ()))
        for child in places.keys() | doubts.keys()
    }


def _by_child(events: pl.DataFrame) -> Iterator[tuple[int, list[Event]]]:
    """Each child with its events; the columns become tuples in one go."""
    made = list(map(Event._make, zip(*_columns(events), strict=True)))
    children = events["child"]
    starts = [0, *(children.rle().struct.field("len").cum_sum().to_list() if len(children) else [])]
    names = children.rle().struct.field("value").to_list() if len(children) else []
    for name, start, end in zip(names, starts, starts[1:], strict=False):
        yield name, made[start:end]


def _columns(events: pl.DataFrame) -> list[list[Any]]:
    return [READ.get(name, pl.Series.to_list)(events[name]) for name in EVENT]


def _moments(at: pl.Series) -> list[datetime]:
    """UTC moments as values, all with the one time zone that ``now`` has: they are compared without asking the zones."""
    since = at.dt.epoch("us").to_numpy().astype("timedelta64[us]").tolist()
    return list(map(EPOCH.__add__, since))


def _days(day: pl.Series) -> list[date]:
    return list(day.to_numpy().astype("datetime64[D]").tolist())


def _detail(text: str | None) -> dict[str, Any]:
    """The codes of an event. Most events say one of a few things, so each text is read once; nobody changes what is read."""
    if text is None:
        return NOTHING
    known = _details.get(text)
    if known is None:
        if len(_details) > MANY:
            _details.clear()
        known = _details[text] = orjson.loads(text)
    return known


READ: dict[str, Callable[[pl.Series], list[Any]]] = {
    "at": _moments, "known": _moments, "day": _days, "known_day": _days,
    "detail": lambda texts: [_detail(text) for text in texts.to_list()],
}  # fmt: skip


def _encoded(value: Mapping[str, Any]) -> str:
    """JSON; keys stand in the order in which the fold puts them, which is always the same one."""
    return orjson.dumps(value).decode()


def _row(child: int, account: Account, found: list[Gap]) -> tuple[object, ...]:
    case, told = account.case.more, account.told.more
    papers = [gap.reason for gap in found if gap.kind == "no-charging-document"]
    return (
        child,
        _encoded(account.as_json()),
        account.responsible.value,
        account.place.value,
        account.place.quality,
        account.safety.value,
        case["charging"],
        papers[0] if papers else None,
        account.case.value,
        datetime.fromisoformat(case["next_hearing"]) if "next_hearing" in case else None,
        len(account.missed),
        told["ORR"],
        told["ERO"],
        told["OPLA"],
        sum(gap.closed is None for gap in found),
        account.wakes_at,
    )


def _gap_row(child: int, gap: Gap) -> tuple[object, ...]:
    evidence = _encoded(dict(gap.evidence))
    return (
        child,
        gap.kind,
        gap.key,
        gap.reason,
        gap.subject,
        gap.owner,
        gap.opens,
        gap.due,
        evidence,
        gap.closed,
    )
