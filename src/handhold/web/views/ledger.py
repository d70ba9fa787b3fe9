"""*Ledger*: who did what and when, the signed tree heads, and the proof that nothing was changed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from handhold import casework
from handhold import ledger as room
from handhold.oversight import lists
from handhold.web import session
from handhold.web.views.paging import part


@require_http_methods(["GET", "POST"])
@session.page("ledger")
def ledger(request: HttpRequest) -> HttpResponse:
    """Entries, newest first; a POST seals what waits, checks the whole ledger and shows the verdict."""
    if request.method == "POST":
        casework.seal_ledger(session.office(request))
    verb = request.GET.get("verb") or None
    with session.acting(request) as db:
        verdict = room.verify(db) if request.method == "POST" else None
        if verdict is not None:
            session.note(db, request, "ledger.verified", "ledger", [])
        shown = part(request, lambda limit, offset: lists.entries(db, verb=verb, limit=limit, offset=offset))
        heads = lists.checkpoints(db)
    return render(
        request, "handhold/ledger.html", {"verdict": verdict, "entries": shown, "heads": heads, "verb": verb}
    )
