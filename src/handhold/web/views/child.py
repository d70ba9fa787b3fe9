"""*Child*: six answers, what is open, the timeline in agency lanes, who was told, who looked, and what is withheld."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from handhold import access, account, identity, store, timeline
from handhold.oversight import lists
from handhold.web import answers, clock, knowing, session, when

LANES = ("ERO", "ORR", "EOIR", "OPLA", "USCIS", "HANDHOLD")
SHOWN_DAYS = 40
ALARMS = frozenset({"missed-hearing", "missed-hearing-noted", "notice-returned", "absence-began", "concern-raised", "absentia-order-noted"})


@dataclass(frozen=True)
class Withheld:
    """An element this reader may not know, with the rule and its reason."""

    element: str
    rule: str
    reason: str


@dataclass(frozen=True)
class Day:
    """One day of a timeline: its events, each with the lane it is drawn in (1 to 6)."""

    day: date
    events: list[dict[str, Any]] = field(default_factory=list)


@session.page("child")
def child(request: HttpRequest, child: int) -> HttpResponse:
    """The page of one child, as far as this reader may see it. What may not be known does not exist."""
    with session.acting(request) as db:
        page = _page(db, request, child)
        session.note(db, request, "child.read" if page else "child.refused", "child", [child])
    if page is None:
        raise Http404
    return render(request, "handhold/child.html", page)


def _page(db: store.Db, request: HttpRequest, child: int) -> dict[str, Any] | None:
    """Everything the page shows; ``None`` when there is no such child in this reader's view."""
    who = session.reader_of(request)
    current = identity.resolve(db, child)
    found = account.read(db, current)
    if found is None or not access.in_view(db, who, current, session.rules()):
        return None
    ask = partial(_asked, who)
    told = timeline.tell(db, current, who, now=clock.now())
    days = by_day(told.events)
    everything = request.GET.get("days") == "all"
    return {
        "child": current,
        "asked_for": child,
        "person": knowing.names(db, who, [current]).get(current),
        "describes": ask("child.description").allowed,
        "cards": answers.cards(found, ask, _addresses(told.events)),
        "gaps": _gaps(db, current, ask),
        "steps": _mine(lists.steps_of(db, current), who),
        "notices": lists.notices_of(db, current),
        "looks": lists.looks_at(db, current),
        "days": days if everything else days[:SHOWN_DAYS],
        "hidden_days": 0 if everything else max(0, len(days) - SHOWN_DAYS),
        "lanes": LANES,
        "withheld": withheld(who),
    }


def _asked(who: access.Reader, element: str, kind: str = "*") -> access.Decision:
    return access.decide(session.table(), who.agency, who.role, who.purpose, element, kind)


def withheld(who: access.Reader) -> list[Withheld]:
    """Every element that this session may not know, by which rule."""
    refused = ((element, _asked(who, element)) for element in session.table().words.elements)
    return [Withheld(element, d.rule, d.reason) for element, d in refused if not d.allowed]


def _addresses(events: Iterable[Mapping[str, Any]]) -> dict[int, str]:
    """The addresses that may be shown, as text, by the event that states them."""
    return {e["id"]: _address(e["location"]) for e in events if e.get("location")}


def _address(parts: Mapping[str, Any]) -> str:
    street = " ".join(str(parts[k]) for k in ("line1", "unit") if parts.get(k))
    town = " ".join(str(parts[k]) for k in ("state", "zip") if parts.get(k))
    return ", ".join(filter(None, (street, str(parts.get("city") or ""), town)))


def _gaps(db: store.Db, child: int, ask: Any) -> list[dict[str, Any]]:
    """The child's gaps, for readers who may know whether it is accounted for."""
    return lists.gaps_of(db, child) if ask("child.accounted").allowed else []


def _mine(steps: list[dict[str, Any]], who: access.Reader) -> list[dict[str, Any]]:
    """Mark the steps that this reader may complete: open, and of its own agency and role."""
    for step in steps:
        step["open"] = step["done"] is None and step["lapsed"] is None and step["ended"] is None
        step["mine"] = step["open"] and (step["agency"], step["role"]) == (who.agency, who.role)
    return steps


def by_day(events: Iterable[Mapping[str, Any]]) -> list[Day]:
    """Events by local day, the newest day first; within a day in the order in which they happened."""
    ordered = sorted(events, key=lambda e: (e["day"], e["at"], e["id"]))
    days = [Day(day, [_drawn(e) for e in group]) for day, group in groupby(ordered, key=lambda e: e["day"])]
    return days[::-1]


def _drawn(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as the page draws it."""
    lane = LANES.index(event["agency"]) + 1 if event["agency"] in LANES else len(LANES)
    return {
        **event,
        "lane": lane,
        "alarm": event["kind"] in ALARMS,
        "lag": when.lag_words(event["day"], event["known_day"]),
        "address": _address(event["location"]) if event.get("location") else "",
    }
