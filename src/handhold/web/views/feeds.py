"""*Feeds*: what arrived, what became of each row, and what could not be read."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from handhold import store
from handhold.oversight import lists
from handhold.web import session
from handhold.web.views import mending, taking_back
from handhold.web.views.paging import part

STATES = ("refused", "held", "waiting", "quarantine")


@session.page("feeds")
def feeds(request: HttpRequest) -> HttpResponse:
    """Health by feed, then deliveries, newest first."""
    status = request.GET.get("status")
    status = status if status in STATES else None
    with store.transaction() as db:
        health = lists.feed_health(db)
        arrived = part(
            request, lambda limit, offset: lists.deliveries(db, status=status, limit=limit, offset=offset)
        )
    return render(
        request,
        "handhold/feeds.html",
        {"health": health, "arrived": arrived, "status": status, "states": STATES},
    )


@session.page("feeds")
def delivery(request: HttpRequest, delivery: int) -> HttpResponse:
    """One delivery with its counts and its quarantine; the refused cells themselves only for the steward."""
    opened = session.may_open(session.reader_of(request).role, "quarantine")
    with session.acting(request) as db:
        found = lists.delivery(db, delivery)
        if found is None:
            raise Http404
        refused = part(
            request, lambda limit, offset: lists.quarantine(db, delivery, limit=limit, offset=offset)
        )
        _cells(refused.rows, opened)
        reasons = lists.quarantine_reasons(db, delivery)
        if opened and refused.rows:
            session.note(db, request, "quarantine.read", "delivery", [delivery])
    return render(
        request,
        "handhold/delivery.html",
        {"delivery": found, "refused": refused, "reasons": reasons, "opened": opened}
        | mending.beside(request, found)
        | taking_back.beside(request, delivery),
    )


def _cells(rows: list[dict[str, Any]], opened: bool) -> None:
    for row in rows:
        sealed = row.pop("value")
        row["value"] = lists.cell(row["id"], sealed) if opened else None
