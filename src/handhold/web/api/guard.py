"""Who calls, how often, and whether the same call was answered before."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja.security import HttpBearer

from handhold import access, ledger, store
from handhold.web import clock, session
from handhold.web.api.problems import Problem

LONGEST_KEY = 200


class Bearer(HttpBearer):
    """A token in ``Authorization: Bearer``; whoever holds it is the reader of this request."""

    openapi_description = "A token made by `handhold token make`, bound to one agency, role and purpose."

    def authenticate(self, request: HttpRequest, token: str) -> access.tokens.Token | None:
        """The key, if it holds and was not used too often."""
        now = clock.now()
        with store.transaction() as db:
            found = access.tokens.known(db, token, now=now, pack=session.rules())
            used = access.tokens.used(db, found, now=now) if found else 0
        if found is None:
            return None
        if used > limits("api")["requests"]:
            raise Problem("too-many-requests", f"a token may ask {limits('api')['requests']} times a minute")
        request.reader = found.reader
        request.token = found
        return found


def limits(part: str) -> dict[str, Any]:
    """The limits of ``feeds/doors.toml``."""
    found: dict[str, Any] = session.rules().toml("feeds/doors.toml")[part]
    return found


def right(request: HttpRequest, name: str) -> None:
    """Refuse, and enter the refusal, where the token's role has not the page or right ``name``."""
    who = session.reader_of(request)
    if session.may_open(who.role, name):
        return
    with ledger.acting_transaction(who.person) as db:
        session.note(db, request, "delivery.refused-to-role", "token", [request.token.id], rule=name)
    raise Problem(
        "not-allowed", f"the role {who.role} has not the right {name!r}; ask your agency's administrator"
    )


def once(request: HttpRequest, work: Callable[[], HttpResponse]) -> HttpResponse:
    """The answer of ``work``, or the one that was given before under the same ``Idempotency-Key``."""
    key = request.headers.get("Idempotency-Key")
    if not key:
        return work()
    if len(key) > LONGEST_KEY or not key.isascii() or not key.isprintable():
        raise Problem(
            "invalid-request", f"an Idempotency-Key is at most {LONGEST_KEY} printable ASCII characters"
        )
    token, asked, now = request.token, _asked(request), clock.now()
    with store.transaction() as db:
        before = access.tokens.answered(db, token, key, asked, now=now, days=limits("api")["key_days"])
    if before is not None:
        return _again(before, asked)
    try:
        response = work()
    except BaseException:
        with store.transaction() as db:
            access.tokens.unanswered(db, token, key)
        raise
    with store.transaction() as db:
        headers = {name: response[name] for name in ("Upload-Offset", "Location") if name in response}
        access.tokens.answer(db, token, key, response.status_code, json.loads(response.content), headers)
    return response


def _again(before: access.tokens.Answer, asked: bytes) -> HttpResponse:
    if before.asked != asked:
        raise Problem("key-reused", "this Idempotency-Key was used for another request; make a new key")
    if before.status is None:
        raise Problem("key-at-work", "wait for the first request, or ask for the delivery")
    response = HttpResponse(json.dumps(before.body), status=before.status, content_type="application/json")
    for name, value in before.headers.items():
        response[name] = value
    response["Idempotency-Replayed"] = "true"
    return response


def _asked(request: HttpRequest) -> bytes:
    """What makes a request the same one. The body counts by its length and digest where the caller gives one."""
    parts = [
        str(request.method), request.get_full_path(),
        *(request.headers.get(n, "") for n in ("Content-Range", "Content-Disposition", "Content-Length", "Repr-Digest", "Content-Digest")),
    ]  # fmt: skip
    return hashlib.sha256("\n".join(parts).encode()).digest()
