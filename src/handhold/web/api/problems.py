"""Problem answers (RFC 9457): a stable code, a sentence that says what to do, and nothing about anybody."""

import json
import logging
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from handhold import casework, feeds, store
from handhold.web import doors

LOG = logging.getLogger("handhold.api")
TITLES = {
    "invalid-request": (422, "The request is not as the description says"),
    "not-authenticated": (401, "No token, or one that does not hold"),
    "not-allowed": (403, "Your role may not do this"),
    "not-your-feed": (403, "The file states what another agency states"),
    "not-found": (404, "There is no such thing, or you may not know of it"),
    "length-required": (411, "The request does not say how long it is"),
    "name-required": (422, "The file has no name, or one that cannot be kept"),
    "range-invalid": (416, "The Content-Range does not fit"),
    "offset-mismatch": (409, "The part does not follow what is here"),
    "id-in-use": (409, "Another file has this id"),
    "incomplete": (409, "The file is not whole yet"),
    "too-large": (413, "The file or the part is too large"),
    "too-many-uploads": (429, "Too many uploads are unfinished"),
    "too-many-requests": (429, "Too many requests in this minute"),
    "rows-quarantined": (422, "Rows cannot be read, and it was to be all or none"),
    "key-reused": (422, "The Idempotency-Key was used for another request"),
    "key-at-work": (409, "The first request under this Idempotency-Key is still at work"),
    "busy": (503, "Others are at work; try again"),
    "try-again": (503, "Nothing was changed; try again"),
    "our-mistake": (500, "A mistake of ours; nothing was changed by it"),
}
RETRY = {"busy": 30, "try-again": 10, "too-many-requests": 60}
KIND = "application/problem+json"


class Problem(Exception):
    """What went wrong, by its code; ``more`` are further members of the answer."""

    def __init__(self, code: str, detail: str = "", **more: Any) -> None:
        super().__init__(code)
        self.code, self.detail, self.more = code, detail, more


def answer(code: str, detail: str = "", **more: Any) -> HttpResponse:
    """A problem as a response."""
    status, title = TITLES[code]
    said = {
        "type": f"/api/v1/#{code}", "title": title, "status": status, "code": code, "detail": detail or title, **more,
    }  # fmt: skip
    response = HttpResponse(json.dumps(said), status=status, content_type=KIND)
    if code in RETRY:
        response["Retry-After"] = str(RETRY[code])
    if status == TITLES["not-authenticated"][0]:
        response["WWW-Authenticate"] = 'Bearer realm="handhold"'
    return response


def install(api: NinjaAPI) -> None:
    """Answer every failure as a problem."""

    def on(kind: type[Exception], said: Callable[[Any], HttpResponse]) -> None:
        api.add_exception_handler(kind, lambda _request, error: said(error))

    on(Problem, lambda e: answer(e.code, e.detail, **e.more))
    on(feeds.UploadError, lambda e: answer(e.code, str(e)))
    on(doors.NotYours, lambda e: answer("not-your-feed", str(e)))
    on(doors.BadName, lambda e: answer("name-required", str(e)))
    on(casework.Busy, lambda e: answer("busy", str(e)))
    on(store.StoreError, lambda e: answer("try-again", str(e)))
    on(ValidationError, lambda e: answer("invalid-request", errors=_where(e)))
    on(AuthenticationError, lambda _e: answer("not-authenticated"))
    on(Http404, lambda _e: answer("not-found"))
    on(Exception, _mistake)


def _where(error: ValidationError) -> list[dict[str, str]]:
    """Which parameters are wrong and how; what they were is not repeated."""
    return [{"where": ".".join(map(str, one["loc"])), "why": str(one["msg"])} for one in error.errors]


def _mistake(error: Exception) -> HttpResponse:
    LOG.error("a request failed with %s", type(error).__name__)
    return answer("our-mistake")
