"""Signing in, choosing the purpose, signing out. Each of them is an entry in the ledger."""

from typing import Any

from django.contrib.auth import logout
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_http_methods, require_POST

from handhold import ledger
from handhold.web import clock, session


@method_decorator(login_not_required, name="dispatch")
class SignIn(auth.LoginView):
    """Name and password; five wrong ones lock the name for an hour (axes)."""

    template_name = "handhold/sign_in.html"
    redirect_authenticated_user = True


@require_http_methods(["GET", "POST"])
def purpose(request: HttpRequest) -> HttpResponse:
    """One purpose for this session, out of those the role may have. A role with one only is given that."""
    person: Any = request.user
    allowed = session.purposes(person)
    chosen = (
        request.POST.get("purpose") if request.method == "POST" else allowed[0] if len(allowed) == 1 else None
    )
    if chosen in allowed:
        return _begin(request, str(chosen))
    return render(
        request,
        "handhold/purpose.html",
        {"purposes": allowed, "chosen": request.session.get(session.PURPOSE)},
    )


def _begin(request: HttpRequest, chosen: str) -> HttpResponse:
    request.session.cycle_key()
    request.session[session.PURPOSE] = chosen
    person: Any = request.user
    _trail(person, "session.purpose-chosen", chosen)
    first = next(iter(session.pages(person.role)), None)
    return redirect(first or "nothing-here")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here and now."""
    if request.user.is_authenticated:
        _trail(request.user, "session.ended", request.session.get(session.PURPOSE))
    logout(request)
    return redirect("sign-in")


def nothing_here(request: HttpRequest) -> HttpResponse:
    """Where a role without any page arrives: it must ask, with a purpose, and is told whom."""
    return render(request, "handhold/nothing_here.html")


def _trail(person: Any, verb: str, purpose: str | None) -> None:
    with ledger.acting_transaction(person.code) as db:
        ledger.write(
            db, by=person.code, verb=verb, thing="person", ids=[person.pk], at=clock.now(), purpose=purpose
        )
