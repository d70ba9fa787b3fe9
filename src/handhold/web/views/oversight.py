"""*Oversight*: the figures, each of which opens to the children and rows under it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from handhold import oversight as room
from handhold import store
from handhold.oversight import lists
from handhold.web import clock, knowing, session
from handhold.web.views.paging import SIZE, Part, number_of, part


@session.page("oversight")
def oversight(request: HttpRequest) -> HttpResponse:
    """The picture, and open gaps by kind."""
    now = clock.now()
    with store.transaction() as db:
        figures = room.picture(db, now=now, pack=session.rules())
        counted = room.statistics(db, pack=session.rules())
        gaps = lists.gap_counts(db, None, session.in_view(request), now=now)
    known = knowing.gap_kinds(session.reader_of(request))
    for gap in gaps:
        gap["opens"] = gap["kind"] in known
    sees_links = session.may_open(session.reader_of(request).role, "link-quality")
    return render(
        request,
        "handhold/oversight.html",
        {"figures": figures, "gaps": gaps, "statistics": counted, "sees_links": sees_links},
    )


@session.page("oversight")
def gaps(request: HttpRequest, kind: str) -> HttpResponse:
    """One kind of gap: the children who have it open, and whose answer is missing."""
    who = session.reader_of(request)
    if kind not in knowing.gap_kinds(who):
        raise Http404
    with session.acting(request) as db:
        scope = session.in_view(request)
        shown = part(
            request, lambda limit, offset: lists.gap_rows(db, kind, scope, limit=limit, offset=offset)
        )
        for row in shown.rows:
            row["reason"] = knowing.reason(who, row["reason"])
        session.note(db, request, "gap.opened", "child", sorted({row["child"] for row in shown.rows}))
    return render(request, "handhold/gap_kind.html", {"kind": kind, "shown": shown, "links": _links(request)})


def _links(request: HttpRequest) -> bool:
    return session.may_open(session.reader_of(request).role, "child")


@session.page("oversight")
def figure(request: HttpRequest, figure: str) -> HttpResponse:
    """One figure: what it means, and the rows that make it."""
    number = number_of(request)
    with session.acting(request) as db:
        try:
            opened = room.explain(db, figure, now=clock.now(), pack=session.rules(), limit=number * SIZE + 1)
        except room.FigureError:
            raise Http404 from None
        rows = opened.rows.slice((number - 1) * SIZE, SIZE).to_dicts()
        session.note(db, request, "figure.opened", "child", sorted({row["child"] for row in rows}))
    shown = Part(rows, number, len(opened.rows) > number * SIZE, "")
    return render(
        request, "handhold/figure.html", {"opened": opened, "shown": shown, "links": _links(request)}
    )
