"""*Child*: six answers, what is open, the timeline in agency lanes, who was told, who looked, and what is withheld."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from handhold import access, account, followup, identity, store, timeline
from handhold.oversight import lists
from handhold.web import answers, clock, knowing, session, when
from handhold.web.templatetags import words
from handhold.web.views.today import is_mine

Ask = Callable[..., access.Decision]
OWN = "HANDHOLD"
LANES = ("ERO", "ORR", "EOIR", "OPLA", "USCIS", OWN)
SHOWN_DAYS = 40
ALARMS = frozenset(
    {
        "missed-hearing",
        "missed-hearing-noted",
        "notice-returned",
        "absence-began",
        "concern-raised",
        "absentia-order-noted",
    }
)


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
    found = account.account_of(db, current)
    if found is None or not access.in_view(db, who, current, session.rules()):
        return None
    ask = partial(_asked, who)
    told = timeline.tell(db, current, who, now=clock.now())
    days = by_day(told.events)
    gaps = _gaps(db, current, who)
    person = knowing.names(db, who, [current]).get(current)
    everything = request.GET.get("days") == "all"
    return {
        "child": current,
        "asked_for": child,
        "person": person,
        "name": knowing.full_name(person),
        "describes": ask("child.description").allowed,
        "cards": answers.cards(found["account"], ask, _addresses(told.events)),
        "gaps": [gap for gap in gaps if not gap["closed"]],
        "closed": [gap for gap in gaps if gap["closed"]],
        "runs": _runs(db, current, who) if ask("child.accounted").allowed else [],
        "notices": [
            n
            for n in lists.notices_of(db, current)
            if n["about_kind"].split("/")[0] in knowing.gap_kinds(who)
        ],
        "looks": lists.looks_at(db, current),
        "days": days if everything else days[:SHOWN_DAYS],
        "hidden_days": 0 if everything else max(0, len(days) - SHOWN_DAYS),
        "lanes": LANES,
        "withheld": withheld(who),
        "sees_files": session.may_open(who.role, "questions"),
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


def _gaps(db: store.Db, child: int, who: access.Reader) -> list[dict[str, Any]]:
    """The child's gaps whose naming reveals nothing closed to this reader; reasons likewise."""
    gaps = lists.gaps_of(db, child, kinds=knowing.gap_kinds(who))
    for gap in gaps:
        gap["reason"] = knowing.reason(who, gap["reason"])
    return gaps


def _runs(db: store.Db, child: int, who: access.Reader) -> list[dict[str, Any]]:
    """Follow-ups with their steps in words; each step says whether this reader may complete it, and by what."""
    steps = lists.steps_of(db, child)
    protocols = {step["version"]: followup.parse(step["text_"]) for step in steps}
    for step in steps:
        step["words"] = protocols[step["version"]].step(step["name"]).words
        step["open"] = step["done"] is None and step["ended"] is None
        step["mine"] = step["open"] and not step["closes_with"] and is_mine(step, who)
        step["codes"] = [code for code in (step["evidence_needed"] or "").split(",") if code]
    return [_run(list(group), protocols) for _, group in groupby(steps, key=lambda step: step["run"])]


def _run(steps: list[dict[str, Any]], protocols: Mapping[str, followup.Protocol]) -> dict[str, Any]:
    first = steps[0]
    title = protocols[first["version"]].title
    return {
        "title": title,
        "started": first["started"],
        "ended": first["ended"],
        "outcome": first["run_outcome"],
        "steps": steps,
    }


def by_day(events: Iterable[Mapping[str, Any]]) -> list[Day]:
    """Events by local day, the newest day first; within a day in the order in which they happened."""
    ordered = sorted(events, key=lambda e: (e["day"], e["at"], e["id"]))
    return [
        Day(day, _joined([_drawn(e) for e in group]))
        for day, group in groupby(ordered, key=lambda e: e["day"])
    ][::-1]


def _drawn(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as the page draws it."""
    lane = LANES.index(event["agency"]) + 1 if event["agency"] in LANES else len(LANES)
    return {
        **event,
        "lane": lane,
        "alarm": event["kind"] in ALARMS,
        "lag": when.lag_words(event["day"], event["known_day"]),
        "address": _address(event["location"]) if event.get("location") else "",
        "said": words.details(event),
    }


def _joined(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Handhold's own events of one kind on one day are drawn as one, which opens to all of them."""
    own: dict[str, list[dict[str, Any]]] = {}
    for event in events:
        if event["agency"] == OWN:
            own.setdefault(event["kind"], []).append(event)
    several = {kind: group for kind, group in own.items() if len(group) > 1}
    first = {group[0]["id"]: {**group[0], "many": [e["said"] for e in group]} for group in several.values()}
    drop = {e["id"] for group in several.values() for e in group[1:]}
    return [first.get(e["id"], e) for e in events if e["id"] not in drop]
