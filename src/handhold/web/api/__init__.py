"""The interface for machines, ``/api/v1``: the same acts as on the pages, under the same rules, in the same ledger."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from handhold.web.api import deliveries, guard, problems

FAILED = 400


class Described(NinjaAPI):
    """An interface whose description says that problems are problems: they have a media type of their own."""

    def get_openapi_schema(self, **how: Any) -> OpenAPISchema:
        """The description in OpenAPI 3.1."""
        schema = super().get_openapi_schema(**how)
        for methods in schema["paths"].values():
            for call in methods.values():
                for status, answer in call["responses"].items():
                    if int(status) >= FAILED and "application/json" in answer.get("content", {}):
                        answer["content"] = {problems.KIND: answer["content"]["application/json"]}
        return schema


api = Described(
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
