"""*Feeds*: what arrived, what became of each row, and what could not be read."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseForbidden
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from handhold import account, casework, store
from handhold import feeds as room
from handhold.feeds import parts as pieces
from handhold.oversight import lists
from handhold.web import clock, doors, session
from handhold.web import health as health_
from handhold.web.views import mending, taking_back
from handhold.web.views.paging import part

STATES = ("refused", "held", "waiting", "quarantine")


@session.page("feeds")
def feeds(request: HttpRequest) -> HttpResponse:
    """Health by feed, then deliveries, newest first."""
    status = request.GET.get("status")
    status = status if status in STATES else None
    now = clock.now()
    with store.transaction() as db:
        found = room.health.check(db, now=now, pack=session.rules())
        gaps = account.feedgaps.listed(db, closed_since=now)
        arrived = part(
            request, lambda limit, offset: lists.deliveries(db, status=status, limit=limit, offset=offset)
        )
    return render(
        request,
        "handhold/feeds.html",
        {
            "health": health_.shown(found, gaps),
            "arrived": arrived,
            "status": status,
            "states": STATES,
            "may_accept": session.may_open(session.reader_of(request).role, "quarantine"),
            "may_send": session.may_open(session.reader_of(request).role, doors.DELIVER),
        },
    )


@require_POST
@session.page("feeds")
def normal(request: HttpRequest, feed: str) -> HttpResponse:
    """Somebody who mends feeds says that what one shows now is its new normal."""
    if not session.may_open(session.reader_of(request).role, "quarantine"):
        return HttpResponseForbidden()
    try:
        casework.accept_feed(feed, request.POST.get("why", ""), session.office(request))
    except room.FeedError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("It is measured anew from now on."))
    return redirect("feeds")


@session.page("feeds")
def delivery(request: HttpRequest, delivery: int) -> HttpResponse:
    """One delivery with its counts and its quarantine; the refused cells themselves only for the steward."""
    role = session.reader_of(request).role
    opened, may_release = session.may_open(role, "quarantine"), session.may_open(role, "release")
    with session.acting(request) as db:
        found = lists.delivery(db, delivery)
        if found is None:
            raise Http404
        refused = part(
            request, lambda limit, offset: lists.quarantine(db, delivery, limit=limit, offset=offset)
        )
        _cells(refused.rows, opened)
        reasons = lists.quarantine_reasons(db, delivery)
        decisions = room.decisions(db, delivery) if may_release else []
        if opened and refused.rows:
            session.note(db, request, "quarantine.read", "delivery", [delivery])
        mail = _message(db, request, delivery)
    return render(
        request,
        "handhold/delivery.html",
        {
            "delivery": found,
            "refused": refused,
            "reasons": reasons,
            "opened": opened,
            "may_release": may_release,
            "decisions": decisions,
        }
        | mending.beside(request, found)
        | taking_back.beside(request, delivery)
        | mail,
    )


def _message(db: store.Db, request: HttpRequest, delivery: int) -> dict[str, Any]:
    """What a delivery holds and what brought it; what a message says besides is for those who may read it, and looking is noted."""
    said = pieces.remark(db, delivery)
    may = session.may_open(session.reader_of(request).role, "remark")
    if said and may:
        session.note(db, request, "remark.read", "delivery", [delivery])
    return {
        "parts": pieces.listed(db, delivery), "containers": pieces.containers(db, delivery), "is_message": bool(said),
        "message": said if may else None,
    }  # fmt: skip


def _cells(rows: list[dict[str, Any]], opened: bool) -> None:
    for row in rows:
        sealed = row.pop("value")
        row["value"] = lists.cell(row["id"], sealed) if opened else None
