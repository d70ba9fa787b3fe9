"""*Notices*: what this agency was told, and the button that says "we have read it"."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from handhold import casework, store
from handhold import notices as room
from handhold.web import clock, session
from handhold.web.views.paging import part


@session.page("notices")
def notices(request: HttpRequest) -> HttpResponse:
    """The agency's inbox: waiting ones first; all of them on request."""
    who, now = session.reader_of(request), clock.now()
    everything = request.GET.get("show") == "all"
    with session.acting(request) as db:
        inbox = part(
            request,
            lambda limit, offset: room.inbox(
                db, who.agency, now=now, limit=limit, offset=offset, unacknowledged=not everything
            ),
        )
    return render(request, "handhold/notices.html", {"inbox": inbox, "everything": everything})


@session.page("notices")
def notice(request: HttpRequest, notice: int) -> HttpResponse:
    """One notice in full, for the agency it was sent to and no other, and for the purpose it was sent for."""
    with session.acting(request) as db:
        found = _found(db, request, notice)
        fits = found is not None and found["purpose"] == session.reader_of(request).purpose
        session.note(db, request, "notice.read" if fits else "notice.refused", "notice", [notice])
    if found is None:
        raise Http404
    if not fits:
        found["text"] = ""
    return render(request, "handhold/notice.html", {"notice": found, "fits": fits})


def _found(db: store.Db, request: HttpRequest, notice: int) -> dict[str, Any] | None:
    try:
        return room.read(db, notice, agency=session.reader_of(request).agency, now=clock.now())
    except room.NoticeError:
        return None


@require_POST
@session.page("notices")
def acknowledge(request: HttpRequest, notice: int) -> HttpResponse:
    """The agency says that it has read the notice; what waited for that closes."""
    who = session.reader_of(request)
    with session.acting(request) as db:
        mine = _found(db, request, notice) is not None
        if not mine:
            session.note(db, request, "notice.refused", "notice", [notice])
    if not mine:
        raise Http404
    casework.acknowledge(notice, who.agency, session.office(request))
    if request.headers.get("HX-Request"):
        return render(request, "handhold/parts/acknowledged.html", {"now": clock.now()})
    return redirect("notices")
