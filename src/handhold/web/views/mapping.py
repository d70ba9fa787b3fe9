"""*Feeds → To be mapped*: the parts that wait, what is proposed for each and why, and a person who confirms, changes or rejects.

A sheet is shown to those alone who may see what could not be read. Everybody else sees that it waits: even the names of its
columns are somebody's data, where a sheet has no header.
"""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import available_timezones

from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from handhold import casework, feeds
from handhold.feeds import mapping
from handhold.web import session
from handhold.web.views.paging import part

BLANK_ROWS = 2  # fields a person may add at once; more after the next look
COLUMN, SENT, VALUE = "column:", "sent", "value"  # what a field may come from, as the form says it
PLAIN = ("name", "feed", "sender", "subject", "part", "sheet", "zone", "dates", "covers", "source")


@dataclass(frozen=True)
class Line:
    """One field of the form: where it comes from, as the form's controls say it, and why that was proposed."""

    field: str
    source: str
    take: str
    value: str
    when: str
    is_: str
    not_: str
    why: str
    codes: str


@session.page("feeds")
def to_be_mapped(request: HttpRequest) -> HttpResponse:
    """What waits, the oldest first, and the mappings in use."""
    opened = session.may_open(session.reader_of(request).role, "mapping")
    with session.acting(request) as db:
        waiting = part(
            request, lambda limit, offset: [_waits(one) for one in feeds.parts.waiting(db, limit=limit, offset=offset)]
        )  # fmt: skip
        used = [one for one in mapping.listed(db) if one.ended is None]
    return render(request, "handhold/to_be_mapped.html", {"waiting": waiting, "used": used, "opened": opened})


def _waits(delivery: feeds.Delivery) -> dict[str, Any]:
    return {"id": delivery.id, "name": delivery.name, "sheet": delivery.sheet, "why": delivery.why, "received": delivery.received, "by": delivery.sender}  # fmt: skip


@require_http_methods(["GET", "POST"])
@session.page("feeds")
def one(request: HttpRequest, delivery: int) -> HttpResponse:
    """A part with its proposal; a POST confirms it as the form says, or rejects the part."""
    role = session.reader_of(request).role
    may, sees = session.may_open(role, "mapping"), session.may_open(role, "quarantine")
    if request.method == "POST" and not may:
        raise Http404
    problem, tried = _acted(request, delivery) if request.method == "POST" else (None, None)
    if request.method == "POST" and problem is None and tried is None:
        return redirect("delivery", delivery=delivery)
    feed = request.POST.get("feed") or request.GET.get("feed")
    with session.acting(request) as db:
        try:
            waiting = feeds.waiting.look(db, delivery, pack=session.rules(), feed=_known(feed))
        except mapping.MappingError:
            raise Http404 from None
        if sees and waiting.samples:
            session.note(db, request, "mapping.looked", "delivery", [delivery])
    return render(
        request,
        "handhold/mapping.html",
        _context(request, waiting, may, sees) | {"problem": problem, "tried": tried},
    )


def _known(feed: str | None) -> str | None:
    return feed if feed in mapping.mappable(feeds.mapping.layouts(session.rules())) else None


def _acted(request: HttpRequest, delivery: int) -> tuple[str | None, feeds.waiting.Tried | None]:
    """What is wrong with what the person asked, as a sentence; or what was tried; neither when it is done."""
    act, office = request.POST.get("act"), session.office(request)
    try:
        if act == "reject":
            why = request.POST.get("why", "").strip()
            if not why:
                return "Say why it is not to be mapped.", None
            casework.reject_part(delivery, why, office)
        elif act == "try":
            with session.acting(request) as db:
                return None, feeds.waiting.attempt(
                    db, delivery, _text(request.POST), now=office.now, pack=office.pack
                )
        else:
            casework.confirm_mapping(_text(request.POST), office)
    except feeds.FeedError as error:
        return str(error), None
    return None, None


def _text(form: QueryDict) -> str:
    """The mapping that a form says: its text, where the person wrote one; else what the controls say."""
    if form.get("act") == "text":
        return form.get("text", "")
    lines = [_line(form, at) for at in range(int(form.get("lines", "0") or 0))]
    used = [line for line in lines if line.field and line.source]
    plain = {name: form.get(name, "").strip() for name in PLAIN}
    said = mapping.Mapping(
        **{name: value for name, value in plain.items() if value or name in {"name", "feed", "sender"}},
        header=tuple(form.getlist("header")), header_rows=int(form.get("header_rows", "1")), fields={line.field: _source(line) for line in used},
        codes={line.field: table for line in used if (table := _codes(line))}, effective_from=_day(form.get("effective_from", "")),
        left={name: "left by the person who confirmed it" for name in form.getlist("header")
              if not any(name in (line.source.removeprefix(COLUMN), line.when) for line in used)},
    )  # fmt: skip
    return mapping.write(said, whys={line.field: line.why for line in used if line.why})


def _line(form: QueryDict, at: int) -> Line:
    return Line(*(form.get(f"{name}-{at}", "").strip() if name != "from" else form.get(f"from-{at}", "")
                  for name in ("field", "from", "take", "value", "when", "is", "not", "why", "codes")))  # fmt: skip


def _source(line: Line) -> mapping.Source:
    words = tuple(word.strip() for word in line.is_.split(",") if word.strip())
    is_ = line.is_ if line.is_ in ("", "filled", "past") else words
    condition: dict[str, Any] = (
        {
            "when": line.when,
            "is_": is_ or "filled",
            "not_": tuple(w.strip() for w in line.not_.split(",") if w.strip()),
        }
        if line.when
        else {}
    )
    if line.source == SENT:
        return mapping.Source(sent=True, **condition)
    if line.source == VALUE:
        return mapping.Source(value=line.value, **condition)
    return mapping.Source((line.source.removeprefix(COLUMN),), line.take or "all", **condition)


def _codes(line: Line) -> dict[str, str]:
    pairs = [text.partition("=") for text in line.codes.splitlines() if "=" in text]
    return {own.strip(): ours.strip() for own, _, ours in pairs if own.strip() and ours.strip()}


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _context(request: HttpRequest, waiting: feeds.waiting.Waiting, may: bool, sees: bool) -> dict[str, Any]:
    best = waiting.proposals[0] if waiting.proposals else None
    layouts = feeds.mapping.layouts(session.rules())
    context: dict[str, Any] = {
        "delivery": waiting.delivery, "waiting": waiting, "best": best, "may": may, "sees": sees,
        "origin": waiting.origin if sees else None,
        "others": mapping.mappable(layouts), "done": waiting.delivery.status != "waiting",
    }  # fmt: skip
    if best is None or not sees:
        return context
    return context | {
        "said": _said(request, best), "lines": _lines(request, best), "columns": _columns(waiting, best), "takes": mapping.TAKES,
        "fields": list(layouts[best.mapping.feed].columns), "blank": mapping.check_blank(best.mapping, layouts),
        "text": request.POST.get("text") or mapping.write(best.mapping, whys=best.whys), "zones": _zones(),
    }  # fmt: skip


def _said(request: HttpRequest, best: mapping.Proposal) -> mapping.Mapping:
    """What the person had filled in of the rest, after a mistake or a try; else the proposal."""
    form = request.POST
    if not form.get("lines"):
        return best.mapping
    typed: dict[str, Any] = {name: form[name].strip() for name in PLAIN if name in form and name != "feed"}
    return replace(best.mapping, **typed, effective_from=_day(form.get("effective_from", "")))


def _zones() -> list[str]:
    """The zones of the country's offices first; a sender elsewhere may name any other in the text."""
    return sorted(zone for zone in available_timezones() if zone.startswith(("America/", "Pacific/", "US/")))


def _lines(request: HttpRequest, best: mapping.Proposal) -> list[Line]:
    """What the person had filled in, after a mistake; else the proposal, and some blank lines."""
    if request.method == "POST" and request.POST.get("lines"):
        return [_line(request.POST, at) for at in range(int(request.POST["lines"]))]
    blank = Line("", "", "all", "", "", "", "", "", "")
    return [*(_of(best, one) for one in best.fields), *[blank] * BLANK_ROWS]


def _of(best: mapping.Proposal, one: mapping.Proposed) -> Line:
    own = one.source
    source = f"{COLUMN}{own.columns[0]}" if own.columns else SENT if own.sent else VALUE
    is_ = (own.is_ if isinstance(own.is_, str) else ", ".join(own.is_)) if own.when else ""
    codes = "\n".join(f"{k} = {v}" for k, v in best.mapping.codes.get(one.field, {}).items())
    return Line(
        one.field, source, own.take, own.value or "", own.when or "", is_, ", ".join(own.not_), one.why, codes
    )


def _columns(waiting: feeds.waiting.Waiting, best: mapping.Proposal) -> list[dict[str, Any]]:
    """Each column of the sheet with what takes it, and its first cells for those who may see them."""
    taken: dict[str, list[str]] = {}
    for name, own in best.mapping.fields.items():
        for column in (*own.columns, *((own.when,) if own.when else ())):
            taken.setdefault(column, []).append(name)
    return [
        {
            "name": name,
            "fields": taken.get(name, []),
            "samples": waiting.samples.get(name, []),
        }
        for name in best.mapping.header
    ]
