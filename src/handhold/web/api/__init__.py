"""The interface for machines, ``/api/v1``: the same acts as on the pages, under the same rules, in the same ledger."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern
from ninja import NinjaAPI

from handhold.web.api import deliveries, guard, problems

api = NinjaAPI(
    title="Handhold",
    version="1",
    description="Send what your agency states, look at what it would do, and ask what became of it. A failure is a problem (RFC 9457) with a stable code.",
    docs_url=None,
    auth=guard.Bearer(),
    urls_namespace="api",
)
api.add_router("/deliveries", deliveries.router, tags=["deliveries"])
problems.install(api)


@login_not_required
def page(request: HttpRequest) -> HttpResponse:
    """The interface in words, made from the same description that machines read."""
    described: dict[str, Any] = api.get_openapi_schema()
    calls = [
        {"method": method.upper(), "path": path, **call}
        for path, methods in described["paths"].items()
        for method, call in methods.items()
    ]
    codes = [{"code": code, "status": s, "title": title} for code, (s, title) in problems.TITLES.items()]
    return render(request, "handhold/api.html", {"about": described["info"], "calls": calls, "codes": codes})


def urls() -> list[URLPattern]:
    """The interface's addresses. A token takes the place of a session, so nobody is sent to sign in."""
    patterns: list[URLPattern] = api.urls[0]
    for pattern in patterns:
        pattern.callback.login_required = False
    return patterns
