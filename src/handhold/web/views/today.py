"""*Today*: what this role must do, what its agency must answer, what it has not yet read."""

from itertools import groupby
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from handhold import access, casework, followup, store
from handhold.oversight import lists
from handhold.web import clock, knowing, session, when
from handhold.web.views.paging import part

ORDER = ("late", "today", "soon", "later", "open")


@session.page("today")
def today(request: HttpRequest) -> HttpResponse:
    """Steps by urgency, then the open gaps this agency owns, with what it has not acknowledged beside them."""
    who, now = session.reader_of(request), clock.now()
    known = knowing.gap_kinds(who)
    kind = request.GET.get("kind")
    kinds = [kind] if kind in known else known
    with session.acting(request) as db:
        steps = part(request, lambda limit, offset: _steps(db, who, limit, offset))
        scope = session.in_view(request)
        gaps = part(
            request,
            lambda limit, offset: lists.open_gaps(
                db, who.agency, scope, kinds=kinds, limit=limit, offset=offset
            ),
        )
        shown = _with_names(db, request, steps.rows + gaps.rows)
        counts = {
            "steps": lists.step_counts(db, who.agency, who.role, now=now),
            "gaps": lists.gap_counts(db, who.agency, scope, now=now, kinds=known),
            "notices": lists.notices_waiting(db, who.agency),
        }
        _trail(db, request, shown)
    context = {
        "steps": steps,
        "groups": _by_urgency(steps.rows),
        "gaps": gaps,
        "kind": kind,
        "counts": counts,
    }
    return render(
        request,
        "handhold/parts/gaps.html" if request.headers.get("HX-Request") else "handhold/today.html",
        context,
    )


def _steps(db: store.Db, who: access.Reader, limit: int, offset: int) -> list[dict[str, Any]]:
    return followup.worklist(db, who.agency, who.role, now=clock.now(), limit=limit, offset=offset)


def _with_names(db: store.Db, request: HttpRequest, rows: list[dict[str, Any]]) -> list[int]:
    """Put the child's name on each row where this reader may know it; returns the children named."""
    seen = lists.in_scope(db, [row["child"] for row in rows], session.in_view(request))
    named = knowing.names(db, session.reader_of(request), seen)
    for row in rows:
        row["in_view"] = row["child"] in seen
        row["reason"] = knowing.reason(session.reader_of(request), row.get("reason"))
        row["name"] = knowing.full_name(named.get(row["child"]))
    return sorted(named)


def _trail(db: store.Db, request: HttpRequest, children: list[int]) -> None:
    """A list with names is a look at those children: one entry for all of them."""
    if children:
        session.note(db, request, "child.listed", "child", children)


def _by_urgency(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    now, zone = clock.now(), knowing.zone()
    for row in rows:
        row["urgency"] = when.urgency(row["due"], now, zone)
    ranked = sorted(rows, key=lambda row: ORDER.index(row["urgency"]))
    return [(name, list(group)) for name, group in groupby(ranked, key=lambda row: row["urgency"])]


@require_POST
@session.page("today")
def step_done(request: HttpRequest, step: int) -> HttpResponse:
    """A person says that a step is done, and which of the accepted codes shows it. Only for those whose step it is."""
    evidence = request.POST.get("evidence", "")
    with session.acting(request) as db:
        found = lists.step(db, step)
        if found is None or not is_mine(found, session.reader_of(request)):
            session.note(db, request, "step.refused", "step", [step])
            found = None
    if found is None:
        raise Http404
    try:
        casework.complete_step(step, evidence, session.office(request))
    except followup.StepError:
        messages.error(
            request,
            _("Nothing was changed: choose one of the outcomes of the step, and a step that is still open."),
        )
    else:
        messages.success(request, _("The step is done. What follows from it is set."))
    return redirect("child", child=found["child"])


def is_mine(step: dict[str, Any], who: access.Reader) -> bool:
    """Whether a step belongs to this reader's seat, or lapsed and came up to it."""
    own = (step["agency"], step["role"]) == (who.agency, who.role)
    return own or (step["lapsed"] is not None and step["escalated_to"] == f"{who.agency}/{who.role}")
