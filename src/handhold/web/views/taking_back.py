"""Taking a delivery back, and in again: what would happen is shown before it does."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from handhold import casework, feeds, store
from handhold.oversight import lists
from handhold.web import doors, session

ACTS = {"read": casework.undo, "undone": casework.redo}  # what can be done to a delivery, by its status


def beside(request: HttpRequest, delivery: int) -> dict[str, Any]:
    """What a delivery's page says of having been taken back."""
    may = session.may_open(session.reader_of(request).role, "undo")
    with store.transaction() as db:
        return {"may_take_back": may, "undoings": feeds.undoings(db, delivery) if may else []}


@require_http_methods(["GET", "POST"])
@session.page("undo")
def take_back(request: HttpRequest, delivery: int) -> HttpResponse:
    """The effect first; a POST with a reason does it."""
    with store.transaction() as db:
        found = lists.delivery(db, delivery)
    if found is None or found["status"] not in ACTS:
        raise Http404
    act, why = ACTS[found["status"]], request.POST.get("why", "").strip()
    if request.method == "POST" and why and request.POST.get("was") == found["status"]:
        act(delivery, why, session.office(request))
        return redirect("delivery", delivery)
    try:
        seen = casework.rehearse(lambda office: act(delivery, "preview", office), session.office(request))
    except casework.Busy as busy:
        messages.error(request, str(busy))
        return redirect("delivery", delivery)
    context = {
        "delivery": found,
        "effect": seen.arrival,
        "would": doors.effects(seen, session.reader_of(request)),
        "missing": request.method == "POST",
        "redo": found["status"] == "undone",
    }
    return render(request, "handhold/take_back.html", context)
