"""*Questions*: two files, and a person who says whether they are the same child's. Many an hour, and never a guess."""

import unicodedata
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from handhold import access, casework, identity, oversight, store
from handhold.oversight import lists
from handhold.oversight import questions as queue
from handhold.web import clock, evidence, knowing, session
from handhold.web.templatetags.words import element_words, gap_words, word
from handhold.web.views.paging import SIZE

# Each thing a file may say, in the order shown, with the element that a reader must be allowed to know.
FIELDS = {
    "last": "child.identity", "given": "child.identity", "dob": "child.description", "sex": "child.description",
    "country": "child.description", "language": "child.description", "number": "child.identity", "court_case": "child.identity",
    "entry": "child.custody", "custody": "child.custody", "release": "child.custody",
}  # fmt: skip
JUDGEMENTS = ("match", "no match", "possible")
LONGEST = 200


@require_GET
@session.page("questions")
def questions(request: HttpRequest) -> HttpResponse:
    """What waits, by what hangs on it, and what is alike; the list goes on from the last question seen."""
    who, now = session.reader_of(request), clock.now()
    asked: dict[str, Any] = {"person": who.person, "now": now, "pack": session.rules()}
    with session.acting(request) as db:
        rows = queue.queue(db, **asked, after=_number(request, "after"), limit=SIZE + 1)
        context = {
            "rows": [_row(who, row) for row in rows[:SIZE]],
            "more": rows[SIZE - 1]["id"] if len(rows) > SIZE else None,
            "continued": "after" in request.GET,
            "waiting": queue.waiting(db, **asked),
            "groups": [_group(db, row) for row in queue.groups(db, **asked, limit=8)],
            "decides": knowing.may(who, knowing.IDENTITY),
            "soon_days": session.rules().toml(oversight.QUESTIONS)["soon_days"],
        }
    return render(request, "handhold/questions.html", context)


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 20 else None


def _row(who: access.Reader, row: dict[str, Any]) -> dict[str, Any]:
    """A question in the list: whose files, why it is asked, what hangs on it as far as the reader may know that."""
    return row | {
        "agency_a": agency_of(who, row["agency_a"]),
        "agency_b": agency_of(who, row["agency_b"]),
        "hearing": row["hearing"] if knowing.may(who, "child.case") else None,
        "rank": queue.RANKS[row["rank"]],
    }


def agency_of(who: access.Reader, agency: str) -> str | None:
    """The agency of a file, unless that it has one is closed to the reader."""
    element = session.rules().toml(oversight.QUESTIONS)["agency_element"].get(agency)
    return agency if element is None or knowing.may(who, element) else None


def explained(db: store.Db, stored: dict[str, Any] | None) -> identity.Waterfall:
    """Stored evidence, by the model that weighed it: another may decide by now."""
    said = stored or {}
    return identity.explain(said, identity.scale_of(session.rules(), db, said.get("model")))


def _group(db: store.Db, row: dict[str, Any]) -> dict[str, Any]:
    told = explained(db, row["evidence"]).without_sponsor()
    steps = evidence.picture(told, word).steps
    return row | {"levels": steps}


@require_GET
@session.page("questions")
def following(request: HttpRequest) -> HttpResponse:
    """Straight to the next question for this person; now and then a pair that somebody else has looked at before."""
    return _next(request, _number(request, "after"))


def _next(request: HttpRequest, after: int | None) -> HttpResponse:
    who = session.reader_of(request)
    rules = session.rules().toml(oversight.QUESTIONS)
    with session.acting(request) as db:
        again = identity.next_review(db, who.person, besides=after)
        found = again if after and after % rules["review_every"] == 0 else None
        found = found or queue.following(
            db, person=who.person, now=clock.now(), pack=session.rules(), after=after
        )
        found = found or again
    if found is None:
        messages.success(request, _("No question waits for you."))
        return redirect("questions")
    last = f"?last={after}" if request.method == "POST" else ""
    return redirect(reverse("question", args=[found]) + last)


@require_http_methods(["GET", "POST"])
@session.page("questions")
def question(request: HttpRequest, question: int) -> HttpResponse:
    """The two files side by side with the evidence; a POST is the person's judgement, and the next question comes at once."""
    who = session.reader_of(request)
    with session.acting(request) as db:
        found = _found(db, question, who)
        if found is not None and request.method == "GET":
            page = _page(db, request, found)
    if request.method == "GET":
        if found is None:
            raise Http404
        return render(request, "handhold/question.html", page)
    if not knowing.may(who, knowing.IDENTITY):
        raise Http404
    if found is None:
        told = _("This is asked otherwise now, because more has become known; nothing was changed.")
        messages.info(request, told)
        return _next(request, question)
    if not _decided(request, found):
        return redirect("question", question=question)
    return _next(request, question)


def _found(db: store.Db, question: int, who: access.Reader) -> dict[str, Any] | None:
    """A question, or a pair to be looked at once more by somebody who was not the first."""
    found = lists.question(db, question)
    if found is not None:
        return found | {"again": False}
    again = identity.review(db, question)
    if again is None or again["said_by"] == who.person:
        return None
    agencies = lists.agencies_of(db, [again["file_a"], again["file_b"]])
    sides = {f"agency_{side}": agencies[again[f"file_{side}"]] for side in "ab"}
    return again | sides | {"again": True, "closed": again["at"], "opened": again["drawn"]}


def _decided(request: HttpRequest, found: dict[str, Any]) -> bool:
    """Do what the form says, if it says all that is needed; whether it was done. The person is told either way."""
    judgement, why = request.POST.get("judgement", ""), request.POST.get("why", "").strip()[:LONGEST]
    if judgement not in JUDGEMENTS or not why:
        messages.error(request, _("Nothing was decided: choose one of the three, and say why."))
        return False
    if found["closed"] is not None:
        messages.info(request, _("Somebody has decided this already; nothing was changed."))
        return True
    office = session.office(request)
    try:
        if found["again"]:
            casework.look_again(found["id"], judgement, why, office)
            messages.success(request, _("Noted."))
            return True
        arrival = casework.decide_link(found["file_a"], found["file_b"], judgement, why, office)
    except (identity.SamePerson, identity.NoReview) as error:
        messages.error(request, str(error))
        return False
    said = word(judgement, "judgement")
    if arrival.proposed:
        said = _("%(said)s, once another person says so too") % {"said": said}
    messages.success(request, said)
    return True


def _page(db: store.Db, request: HttpRequest, found: dict[str, Any]) -> dict[str, Any]:
    who = session.reader_of(request)
    files = [found["file_a"], found["file_b"]]
    session.note(db, request, "file.compared", "file", files)
    if found["closed"] is None and not found["again"]:
        queue.claim(db, found["id"], person=who.person, now=clock.now())
    said = lists.said_of(db, files) if knowing.may(who, knowing.IDENTITY) else {}
    told = explained(db, found["evidence"])
    told = told if knowing.may(who, "sponsor.identity") else told.without_sponsor()
    pair = identity.pair(*files)
    proposal = None if found["again"] else identity.proposal(db, pair)
    last = lists.question(db, _number(request, "last") or 0)
    return {
        "question": found,
        "agencies": [agency_of(who, found[f"agency_{side}"]) for side in "ab"],
        "compared": _compared(who, said.get(files[0], []), said.get(files[1], [])),
        "withheld": sorted({e for e in FIELDS.values() if not knowing.may(who, e)}),
        "evidence": evidence.picture(told, word),
        "hangs": [] if found["again"] else _hangs(db, who, found),
        "learned": [] if found["again"] else _learned(db, who, pair),
        "two": not found["again"]
        and found["closed"] is None
        and oversight.needs_two(db, pair, session.rules()),
        "proposed": proposal is not None,
        "own_proposal": proposal is not None and proposal["by"] == who.person,
        "judgements": [(judgement, key) for judgement, key in zip(JUDGEMENTS, "123", strict=True)],
        "why": _("as the evidence shows"),
        "last": last and last["id"],
        "decides": knowing.may(who, knowing.IDENTITY) and found["closed"] is None,
    }


def _compared(
    who: access.Reader, one: list[dict[str, str]], other: list[dict[str, str]]
) -> list[dict[str, Any]]:
    """What the two files say, thing by thing, with all spellings; ``same`` where one spelling of each agrees."""
    rows = []
    for name, element in FIELDS.items():
        if not knowing.may(who, element):
            continue
        left, right = _values(one, name), _values(other, name)
        if left or right:
            same = bool({_folded(text) for text in left} & {_folded(text) for text in right})
            tone = "same" if same else "differs" if left and right else "unknown"
            rows.append({"name": word(name, "said"), "left": left, "right": right, "tone": tone})
    return rows


def _values(said: list[dict[str, str]], name: str) -> list[str]:
    """All spellings of one thing, the newest first; given names are the first and the middle ones together."""
    if name == "given":
        texts = [" ".join(filter(None, (s.get("first"), s.get("middle")))) for s in said]
    else:
        texts = [str(s.get(name) or "") for s in said]
    return [_shown(name, text) for text in dict.fromkeys(filter(None, texts))]


def _shown(name: str, text: str) -> str:
    """A code in words, a country by name; names, dates and numbers as they were written."""
    if name == "country":
        return str(session.rules().toml("identity/countries.toml")["code"].get(text, text))
    return word(text, name) if name in ("sex", "language") else text


def _folded(text: str) -> str:
    """A spelling without accents, blanks, hyphens and capitals."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.upper()) if c.isalnum())


def _hangs(db: store.Db, who: access.Reader, found: dict[str, Any]) -> list[dict[str, Any]]:
    """What would be connected: of each side, as far as the reader may know it."""
    of = queue.hangs(db, [found["child_a"], found["child_b"]])
    known = knowing.gap_kinds(who)
    sides = []
    for side in "ab":
        row = of.get(found[f"child_{side}"])
        if row is None:
            continue
        agencies = [agency_of(who, agency) for agency in row["agencies"]]
        gaps = list(dict.fromkeys(gap_words(kind) for kind in row["gaps"] if kind in known))
        sides.append(
            {
                "child": found[f"child_{side}"],
                "agencies": [agency for agency in agencies if agency],
                "others": sum(agency is None for agency in agencies),
                "hearing": row["next_hearing"] if knowing.may(who, "child.case") else None,
                "gaps": gaps,
                "gaps_withheld": sum(kind not in known for kind in row["gaps"]),
                "told": row["told"] if knowing.may(who, "child.accounted") else None,
                "may_open": session.may_open(who.role, "child"),
            }
        )
    return sides if found["child_a"] != found["child_b"] else []


def _learned(db: store.Db, who: access.Reader, files: tuple[int, int]) -> list[dict[str, Any]]:
    """Which agency would come to know what; what the reader may not know of is only counted."""
    guarded = set(session.rules().toml(oversight.QUESTIONS)["two_people"])
    found: dict[str | None, dict[str, Any]] = {}
    for d in queue.discloses(db, files, session.table()):
        row = found.setdefault(
            agency_of(who, d.agency),
            {"agency": agency_of(who, d.agency), "words": [], "others": 0, "guarded": False},
        )
        row["guarded"] |= d.element in guarded
        if knowing.may(who, d.element.split("/")[0]):
            row["words"].append(element_words(d.element))
        else:
            row["others"] += 1
    return list(found.values())


@require_POST
@session.page("questions")
def take_back(request: HttpRequest, question: int) -> HttpResponse:
    """Undo what was just said: the question is open again, and comes back to whoever took it back."""
    with session.acting(request) as db:
        found = lists.question(db, question)
    if found is None or not knowing.may(session.reader_of(request), knowing.IDENTITY):
        raise Http404
    try:
        casework.withdraw_word(found["file_a"], found["file_b"], "taken back", session.office(request))
    except identity.NoJudgement:
        messages.error(request, _("There is nothing to take back: nobody's word stands on these two files."))
    return redirect("question", question=question)


@require_http_methods(["GET", "POST"])
@session.page("questions")
def group(request: HttpRequest, pattern: str) -> HttpResponse:
    """Questions that are alike, all to be seen before they are decided as one; any may be left out."""
    who = session.reader_of(request)
    if not knowing.may(who, knowing.IDENTITY):
        raise Http404
    most = session.rules().toml(oversight.QUESTIONS)["group_most"]
    with session.acting(request) as db:
        rows = queue.queue(
            db, person=who.person, now=clock.now(), pack=session.rules(), limit=most, pattern=pattern
        )
        if not rows and request.method == "GET":
            raise Http404
        if request.method == "GET":
            shown, alike = _members(db, request, rows), _group(db, {"evidence": rows[0]["evidence"]})
    if request.method == "GET":
        context = {"pattern": pattern, "group": alike, "reason": rows[0]["reason"],
                   "rows": shown, "judgements": JUDGEMENTS, "most": most}  # fmt: skip
        return render(request, "handhold/question_group.html", context)
    return _decide_group(request, rows, pattern)


def _members(db: store.Db, request: HttpRequest, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The questions of a group with what their files say, briefly."""
    who = session.reader_of(request)
    files = sorted({row[f"file_{side}"] for row in rows for side in "ab"})
    session.note(db, request, "file.compared", "file", files)
    said = lists.said_of(db, files)
    return [
        _row(who, row) | {f"said_{side}": _brief(who, said.get(row[f"file_{side}"], [])) for side in "ab"}
        for row in rows
    ]


def _brief(who: access.Reader, said: list[dict[str, str]]) -> list[str]:
    shown = [name for name, element in FIELDS.items() if knowing.may(who, element)]
    wanted = [name for name in ("last", "given", "dob", "number") if name in shown]
    return [" / ".join(values) for name in wanted if (values := _values(said, name))]


def _decide_group(request: HttpRequest, rows: list[dict[str, Any]], pattern: str) -> HttpResponse:
    """One word on those ticked; a question that is no longer of this group is left alone."""
    judgement, why = request.POST.get("judgement", ""), request.POST.get("why", "").strip()[:LONGEST]
    ticked = {int(text) for text in request.POST.getlist("question") if text.isdecimal()}
    chosen = [row for row in rows if row["id"] in ticked]
    if judgement not in JUDGEMENTS or not why or not chosen:
        messages.error(
            request,
            _("Nothing was decided: tick at least one question, choose one of the three, and say why."),
        )
        return redirect("question-group", pattern=pattern)
    pairs = [(row["file_a"], row["file_b"]) for row in chosen]
    try:
        arrival = casework.decide_links(pairs, judgement, why, session.office(request))
    except identity.SamePerson as error:
        messages.error(request, str(error))
        return redirect("question-group", pattern=pattern)
    done = len(pairs) - arrival.proposed
    messages.success(
        request, ngettext("%(n)s question decided.", "%(n)s questions decided.", done) % {"n": done}
    )
    if arrival.proposed:
        messages.info(
            request,
            ngettext("%(n)s waits for a second person.", "%(n)s wait for a second person.", arrival.proposed)
            % {"n": arrival.proposed},
        )
    return redirect("questions")
