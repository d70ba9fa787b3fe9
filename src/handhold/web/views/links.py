"""*Files* of a child, with every word said of them, to hold, take away or give back; and how good the links are."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from handhold import access, casework, identity, oversight, store
from handhold.oversight import lists
from handhold.web import evidence, knowing, session
from handhold.web.templatetags.words import word
from handhold.web.views.questions import LONGEST, agency_of, explained

ACTS = ("hold", "release", "separate", "withdraw")


@require_GET
@session.page("questions")
def files(request: HttpRequest, child: int) -> HttpResponse:
    """The files of a child: how each was linked, on what evidence, and what people said."""
    who = session.reader_of(request)
    with session.acting(request) as db:
        current = identity.resolve(db, child)
        found = lists.links_of(db, current)
        if not found or not access.in_view(db, who, current, session.rules()):
            raise Http404
        session.note(db, request, "child.files", "child", [current])
        person = knowing.names(db, who, [current]).get(current)
        rows = [_file(db, who, row) for row in found]
    context = {
        "child": current,
        "name": knowing.full_name(person),
        "files": rows,
        "decides": knowing.may(who, knowing.IDENTITY),
    }
    return render(request, "handhold/files.html", context)


def _file(db: store.Db, who: access.Reader, row: dict[str, Any]) -> dict[str, Any]:
    told = explained(db, row["evidence"])
    told = told if knowing.may(who, "sponsor.identity") else told.without_sponsor()
    return row | {
        "agency": agency_of(who, row["agency"]),
        "picture": evidence.picture(told, word) if row["evidence"] else None,
        "said": identity.said_of(db, row["id"]),
    }


@require_POST
@session.page("questions")
def act(request: HttpRequest, file: int, act: str) -> HttpResponse:
    """Hold a file, release it, take it away from its child, or take back what was said of it and another."""
    if act not in ACTS or not knowing.may(session.reader_of(request), knowing.IDENTITY):
        raise Http404
    why, office = request.POST.get("why", "").strip()[:LONGEST], session.office(request)
    if not why:
        messages.error(request, _("Nothing was changed: say why."))
    else:
        try:
            _do(file, act, why, request, office)
            messages.success(request, _("Done. What follows from it is done, too."))
        except (identity.NoSuchFile, identity.NoJudgement):
            messages.error(request, _("Nothing was changed: what you saw has changed since; look again."))
    with session.acting(request) as db:
        child = lists.child_of(db, file)
    if child is None:
        raise Http404
    return redirect("files", child=child)


def _do(file: int, act: str, why: str, request: HttpRequest, office: casework.Office) -> None:
    if act in ("hold", "release"):
        casework.hold_file(file, act == "hold", why, office)
    elif act == "separate":
        casework.separate(file, why, office)
    else:
        other = request.POST.get("other", "")
        casework.withdraw_word(file, int(other) if other.isdecimal() else 0, why, office)


@require_http_methods(["GET", "POST"])
@session.page("link-quality")
def quality(request: HttpRequest) -> HttpResponse:
    """How good the links are: counts and shares, of nobody in particular. A POST draws a sample to be looked at."""
    measures = session.may_open(session.reader_of(request).role, "questions")
    if request.method == "POST" and not measures:
        raise Http404
    if request.method == "POST":
        each = int(session.rules().toml(oversight.QUESTIONS)["sample_each"])
        drawn = casework.sample_links(each, session.office(request))
        messages.success(request, _("%(n)s links were drawn to be looked at.") % {"n": drawn})
        return redirect("link-quality")
    with store.transaction() as db:
        found = oversight.quality(db, pack=session.rules())
    return render(request, "handhold/link_quality.html", {"quality": found, "measures": measures})
