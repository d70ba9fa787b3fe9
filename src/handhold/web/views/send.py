"""*Send a file*: upload, see what it would do, take it in or throw it away; and decide about what is held."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST

from handhold import casework, feeds, store
from handhold.oversight import lists
from handhold.web import doors, session
from handhold.web.uploads import Handler, Sealed

OURS = (feeds.FeedError, doors.NotYours, doors.BadName, casework.Busy, store.StoreError)


@csrf_exempt  # checked by _receive, once the file goes where it must: Django would read it before
@require_http_methods(["GET", "POST"])
@session.page(doors.DELIVER)
def send(request: HttpRequest) -> HttpResponse:
    """The form; a POST keeps the file sealed and leads to what it would do."""
    if request.method == "POST":
        most = session.rules().toml("feeds/doors.toml")["upload"]["delivery_bytes"]
        request.upload_handlers = [Handler(request, session.reader_of(request).agency, most)]
    answer: HttpResponse = _receive(request)
    return answer


@csrf_protect
def _receive(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return render(request, "handhold/send.html")
    file: Any = request.FILES.get("file")
    try:
        return _keep(request, file)
    except OURS as error:
        if isinstance(file, Sealed):
            file.part.drop()
        return render(request, "handhold/send.html", {"wrong": str(error)}, status=422)


def _keep(request: HttpRequest, file: Any) -> HttpResponse:
    who = session.reader_of(request)
    if not isinstance(file, Sealed):
        raise doors.BadName(_("choose a file first"))
    name = doors.named(file.name or "")
    try:
        doors.check(who, name)
    except doors.NotYours:
        with session.acting(request) as db:
            session.note(db, request, "delivery.refused-to-agency", "person", [], rule=doors.DELIVER_ANY)
        raise
    office = session.office(request)
    sent = casework.uploaded(file.part, file.id, office, agency=who.agency, name=name, as_of=_day(request))
    there = redirect("sent", sent.id)
    if request.headers.get(
        "X-Requested-With"
    ):  # the script goes there itself: followed by it, the look would be made twice
        return HttpResponse(status=201, headers={"Location": there["Location"]})
    return there


def _day(request: HttpRequest) -> date | None:
    text = request.POST.get("as_of", "")
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise doors.BadName(_("the day must be written as 2024-05-31")) from None


@require_http_methods(["GET", "POST"])
@session.page(doors.DELIVER)
def sent(request: HttpRequest, upload: UUID) -> HttpResponse:
    """What the file would do; a POST takes it in, or throws it away."""
    who = session.reader_of(request)
    with session.acting(request) as db:
        found = feeds.upload.find(db, upload, who.agency)
    if found is None:
        raise Http404
    if found.delivery is not None:
        return redirect("delivery", found.delivery)
    whole = (request.POST if request.method == "POST" else request.GET).get("atomic") == "all"
    if request.method == "POST":
        return _decided(request, found, whole)
    try:
        seen = casework.preview([found], session.office(request), sender=doors.sender(who), whole=whole)
    except OURS as error:
        return render(request, "handhold/sent.html", {"upload": found, "wrong": str(error), "whole": whole})
    context = {"upload": found, "would": doors.effects(seen, who), "whole": whole}
    return render(request, "handhold/sent.html", context | {"delivery": seen.arrival.deliveries[0]})


def _decided(request: HttpRequest, found: feeds.Upload, whole: bool) -> HttpResponse:
    office = session.office(request)
    if request.POST.get("decision") != "take":
        casework.drop_upload(found, office)
        messages.info(request, _("The file was thrown away. Nothing was changed."))
        return redirect("send")
    sender = doors.sender(session.reader_of(request))
    arrival = casework.take_upload(found, office, sender=sender, whole=whole)
    return redirect("delivery", arrival.deliveries[0].id)


@require_POST
@session.page("release")
def decide(request: HttpRequest, delivery: int) -> HttpResponse:
    """A person releases what is held, refuses it for good, or looks at what it would do."""
    office, why = session.office(request), request.POST.get("why", "").strip()
    decision = request.POST.get("decision")
    try:
        if decision == "release":
            casework.release([delivery], why, office)
        elif decision == "refuse":
            casework.refuse([delivery], why, office)
        else:
            return _look(request, delivery, office)
    except OURS as error:
        messages.error(request, str(error))
    return redirect("delivery", delivery)


def _look(request: HttpRequest, delivery: int, office: casework.Office) -> HttpResponse:
    seen = casework.rehearse(lambda pretended: casework.release([delivery], "a look", pretended), office)
    with session.acting(request) as db:
        found = lists.delivery(db, delivery)
    would = doors.effects(seen, session.reader_of(request))
    return render(
        request,
        "handhold/sent.html",
        {"waits": found, "would": would, "delivery": seen.arrival.deliveries[0]},
    )
