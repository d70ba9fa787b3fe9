"""The quarantine of a delivery: its rows handed back to their sender, and corrected in place.

Open to those who may see the sender's rows: the steward, and the sender's own people.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from handhold import casework, feeds, store
from handhold.oversight import lists
from handhold.web import session
from handhold.web.views.paging import part

KINDS = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CELL = "cell-"


def may_mend(request: HttpRequest, delivery: Mapping[str, Any]) -> bool:
    """Whether this person may see the rows of a delivery's sender: they mend feeds, or they are the sender's own."""
    who = session.reader_of(request)
    return session.may_open(who.role, "quarantine") or (
        who.agency == delivery["agency"] and session.may_open(who.role, "feeds")
    )


def beside(request: HttpRequest, delivery: Mapping[str, Any]) -> dict[str, Any]:
    """What a delivery's page says of its quarantine."""
    with store.transaction() as db:
        return {"tally": feeds.quarantine_tally(db, delivery["id"]), "may_mend": may_mend(request, delivery)}


def _found(db: store.Db, request: HttpRequest, delivery: int) -> dict[str, Any]:
    """The delivery; for anybody who may not see its rows there is no such page."""
    found = lists.delivery(db, delivery)
    if found is None or not may_mend(request, found):
        raise Http404
    return found


@session.page("feeds")
def refused(request: HttpRequest, delivery: int) -> HttpResponse:
    """The rows that wait, each with its reason, and those that were released, with what released them."""
    with session.acting(request) as db:
        found = _found(db, request, delivery)
        waiting = part(
            request,
            lambda limit, offset: feeds.quarantine_of(
                db, delivery, released=False, limit=limit, offset=offset
            ),
        )
        released = feeds.quarantine_of(db, delivery, released=True, limit=100)
        for row in (*waiting.rows, *released):
            row["value"] = lists.cell(row["id"], row["value"])
        if waiting.rows or released:
            session.note(db, request, "quarantine.read", "delivery", [delivery])
        tally = feeds.quarantine_tally(db, delivery)
    return render(
        request,
        "handhold/refused.html",
        {"delivery": found, "waiting": waiting, "released": released, "tally": tally},
    )


@session.page("feeds")
def download(request: HttpRequest, delivery: int, ending: str) -> HttpResponse:
    """The waiting rows in their sender's own layout, as a file."""
    if ending not in KINDS:
        raise Http404
    with store.transaction() as db:
        _found(db, request, delivery)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / f"quarantine.{ending}"
        try:
            casework.export_quarantine(delivery, target, session.office(request))
        except feeds.FeedError:
            raise Http404 from None
        answer = HttpResponse(target.read_bytes(), content_type=KINDS[ending])
    answer["Content-Disposition"] = f'attachment; filename="quarantine-{delivery}.{ending}"'
    answer["Cache-Control"] = "no-store"
    return answer


@require_http_methods(["GET", "POST"])
@session.page("feeds")
def row(request: HttpRequest, delivery: int, line: int) -> HttpResponse:
    """One refused row, cell by cell; a POST corrects it in place, or says why it would be refused again."""
    with session.acting(request) as db:
        found = _found(db, request, delivery)
        try:
            cells = feeds.came(db, delivery, line, session.rules())
        except feeds.FeedError:
            raise Http404 from None
        session.note(db, request, "quarantine.read", "delivery", [delivery])
        reason = next(
            (r for r in feeds.quarantined(db, delivery=delivery, limit=100_000) if r["line"] == line), None
        )
    problem, why = None, request.POST.get("why", "").strip()
    if request.method == "POST":
        said = {name: request.POST.get(f"{CELL}{n}", value) for n, (name, value) in enumerate(cells.items())}
        problem = _fixed(
            request, delivery, line, {n: v for n, v in said.items() if v.strip() != cells[n]}, why
        )
        if problem is None:
            return redirect("refused", delivery)
        cells = said
    shown = [(f"{CELL}{n}", name, value) for n, (name, value) in enumerate(cells.items())]
    context = {
        "delivery": found,
        "line": line,
        "cells": shown,
        "reason": reason,
        "problem": problem,
        "why": why,
    }
    return render(request, "handhold/refused_row.html", context, status=200 if problem is None else 422)


def _fixed(request: HttpRequest, delivery: int, line: int, cells: dict[str, str], why: str) -> str | None:
    """Correct the row; the sentence that says why it could not be, or ``None``."""
    try:
        casework.fix(delivery, line, cells, why, session.office(request))
    except feeds.FeedError as error:
        return str(error)
    return None
