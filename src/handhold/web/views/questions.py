"""*Questions*: two files, and a person who says whether they are the same child's."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from handhold import casework, identity, store
from handhold.oversight import lists
from handhold.web import knowing, session
from handhold.web.templatetags.words import word
from handhold.web.views.paging import part

SHOWN = (
    "last",
    "first",
    "middle",
    "dob",
    "sex",
    "country",
    "language",
    "number",
    "court_case",
    "entry",
    "release",
)
JUDGEMENTS = ("match", "possible", "no match")


@session.page("questions")
def questions(request: HttpRequest) -> HttpResponse:
    """Open questions, the likeliest first."""
    with session.acting(request) as db:
        waiting = part(request, lambda limit, offset: identity.questions(db, limit=limit, offset=offset))
    return render(request, "handhold/questions.html", {"waiting": waiting})


@require_http_methods(["GET", "POST"])
@session.page("questions")
def question(request: HttpRequest, question: int) -> HttpResponse:
    """The two files side by side with the evidence; a POST is the person's judgement, which is final."""
    with session.acting(request) as db:
        found = lists.question(db, question)
        if found is None:
            raise Http404
        sides = _sides(db, request, found)
    judgement, why = request.POST.get("judgement"), request.POST.get("why", "").strip()
    if request.method == "POST" and judgement in JUDGEMENTS and why and found["closed"] is None:
        casework.decide_link(found["file_a"], found["file_b"], str(judgement), why, session.office(request))
        return redirect("questions")
    context = {
        "question": found,
        "sides": sides,
        "judgements": JUDGEMENTS,
        "missing": request.method == "POST",
    }
    context["evidence"] = _evidence(found["evidence"] or {})
    return render(request, "handhold/question.html", context)


def _sides(db: store.Db, request: HttpRequest, found: dict[str, Any]) -> list[dict[str, Any]]:
    """What each file says, where this reader may know it; looking is an entry in the ledger."""
    files = [found["file_a"], found["file_b"]]
    opened = knowing.may(session.reader_of(request), knowing.IDENTITY)
    said = lists.said_of(db, files) if opened else {}
    session.note(db, request, "file.compared", "file", files)
    return [
        {
            "file": file,
            "agency": found[f"agency_{side}"],
            "child": found[f"child_{side}"],
            "rows": _rows(said.get(file, [])),
        }
        for side, file in zip("ab", files, strict=True)
    ]


def _rows(said: list[dict[str, str]]) -> list[tuple[str, str]]:
    """Each thing a file says with all its spellings, the newest first."""
    values = {name: dict.fromkeys(s[name] for s in said if name in s) for name in SHOWN}
    return [(word(name, "said"), " / ".join(found)) for name, found in values.items() if found]


def _evidence(evidence: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        (word(name, "said"), word(level, "file_level"))
        for name, level in evidence.items()
        if isinstance(level, str | int | float)
    ]
