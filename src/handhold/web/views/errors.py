"""Pages for what went wrong: one sentence, and nothing about anybody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that was open too long, or came from elsewhere, changed nothing."""
    return render(request, "handhold/stale_form.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same answer whether a page does not exist or may not be known."""
    return render(request, "404.html", status=404)
