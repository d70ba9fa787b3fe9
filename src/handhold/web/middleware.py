"""What holds for every answer: nothing is kept by browsers, and nobody sees anything before choosing a purpose."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from handhold.web import session

Answer = Callable[[HttpRequest], HttpResponse]
BEFORE_A_PURPOSE = ("purpose", "sign-out", "sign-in")


def private(get_response: Answer) -> Answer:
    """No copy of a page stays in a browser's or a proxy's cache; devices are not asked for anything."""

    def answer(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        return response

    return answer


def bound_to_purpose(get_response: Answer) -> Answer:
    """Puts the reader on the request; a person without a purpose is asked for one first."""

    def answer(request: HttpRequest) -> HttpResponse:
        reader = session.reader(request)
        request.reader = reader
        if request.user.is_authenticated and reader is None and not _allowed_before(request.path):
            return redirect("purpose")
        return get_response(request)

    return answer


def _allowed_before(path: str) -> bool:
    return path.startswith(settings.STATIC_URL) or path in [reverse(name) for name in BEFORE_A_PURPOSE]
