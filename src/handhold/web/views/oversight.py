"""*Oversight*: the figures, each of which opens to the children and rows under it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from handhold import oversight as room
from handhold import store
from handhold.oversight import lists
from handhold.web import clock, session
from handhold.web.views.paging import SIZE, Part, number_of


@session.page("oversight")
def oversight(request: HttpRequest) -> HttpResponse:
    """The picture, and open gaps by kind."""
    now = clock.now()
    with store.transaction() as db:
        figures = room.picture(db, now=now, pack=session.rules())
        gaps = lists.gap_counts(db, None, session.in_view(request), now=now)
    return render(request, "handhold/oversight.html", {"figures": figures, "gaps": gaps})


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
    links = session.may_open(session.reader_of(request).role, "child")
    return render(request, "handhold/figure.html", {"opened": opened, "shown": shown, "links": links})
