"""``/deliveries``: a file comes in whole or in parts, is looked at or taken in, and can be asked about."""

import hashlib
import re
from datetime import date
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.http import parse_header_parameters
from ninja import Header, Query, Router
from ninja.responses import Status

from handhold import casework, feeds, store
from handhold.oversight import lists
from handhold.web import clock, doors, session
from handhold.web.api import guard, shapes
from handhold.web.api.problems import Problem

router = Router()
RANGE = re.compile(r"bytes (?:(\d{1,15})-(\d{1,15})|\*)/(\d{1,15})", re.ASCII)
PAGE = 100
Mode = Literal["commit", "validate"]
PROBLEMS = dict.fromkeys((401, 403, 404, 409, 411, 413, 416, 422, 429, 500, 503), shapes.Problem)
BODY = {"requestBody": {"required": False, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}}  # fmt: skip
OFFSET = {"Upload-Offset": {"description": "bytes that are here", "schema": {"type": "integer"}}}


@router.put(
    "/{id}", response={200: shapes.Answer, 201: shapes.Answer, 202: shapes.Answer, **PROBLEMS}, openapi_extra=BODY,
    summary="Send a file, or a part of it; look at it or take it in",
)  # fmt: skip
def put(
    request: HttpRequest,
    id: UUID,
    mode: Annotated[Mode, Query(description="validate: say what would happen, and change nothing")] = "commit",
    atomic: Annotated[Literal["row", "all"], Query(description="all: refuse the whole file when one row cannot be read")] = "row",
    as_of: Annotated[date | None, Query(description="the day the file speaks of, where its name does not say")] = None,
    content_disposition: Annotated[str | None, Header(alias="Content-Disposition", description='attachment; filename="cases_2024-05-31.csv"')] = None,
    content_range: Annotated[str | None, Header(alias="Content-Range", description="bytes FIRST-LAST/SIZE of a part; bytes */SIZE sends nothing more")] = None,
    idempotency_key: Annotated[str | None, Header(alias="Idempotency-Key", description="the same key gives the same answer")] = None,
) -> Any:  # fmt: skip
    """The id is yours: a UUID that you choose, and use again to go on, to look again, or to take in what you looked at.

    Without `Content-Range` the body is the whole file. With it, parts come in order; a part that broke off is kept as far
    as it came, and `HEAD` says from where to go on. 202 says that more must come, 201 that the file was taken in, 200 that
    it was looked at or had come before.
    """
    guard.right(request, doors.DELIVER)
    whole = atomic == "all"
    return guard.once(
        request, lambda: _put(request, id, mode, whole, as_of, content_disposition, content_range)
    )


def _put(
    request: HttpRequest, id: UUID, mode: Mode, whole: bool, as_of: date | None, disposition: str | None, said: str | None
) -> HttpResponse:  # fmt: skip
    first, length, size = _extent(request, said)
    sent = _begun(request, id, _name(request, id, disposition), size, as_of)
    if sent.delivery is not None:
        return _same(request, sent, length)
    sent = _grown(request, sent, first, length)
    if not sent.complete:
        return _answer(request, shapes.Answer(mode=mode, delivery=_on_its_way(sent)), 202)
    if mode == "validate":
        return _looked_at(request, sent, whole)
    return _taken(request, sent, whole)


def _extent(request: HttpRequest, said: str | None) -> tuple[int | None, int, int]:
    """Where this part begins (``None``: there is none), how long it is, and the size of the whole."""
    given = request.headers.get("Content-Length") or "0"
    if not given.isdecimal() or "Transfer-Encoding" in request.headers:
        raise Problem("length-required", "send a Content-Length; chunked transfer is not taken")
    length, most = int(given), guard.limits("upload")["part_bytes"]
    if length > most:
        raise Problem(
            "too-large",
            f"a request may carry {most:,} bytes; send the file in parts, with Content-Range",
            limit=most,
        )
    if said is None:
        return 0, length, length
    found = RANGE.fullmatch(said.strip())
    if found is None:
        raise Problem("range-invalid", "write Content-Range as: bytes FIRST-LAST/SIZE, or bytes */SIZE")
    size = int(found[3])
    if found[1] is None:
        return None, 0, size
    first, last = int(found[1]), int(found[2])
    if not first <= last < size or last - first + 1 != length:
        raise Problem("range-invalid", "FIRST-LAST must lie within SIZE and be as long as the body")
    return first, length, size


def _name(request: HttpRequest, id: UUID, disposition: str | None) -> str:
    """The file's name: by ``Content-Disposition``, or as it was begun."""
    if disposition:
        return doors.named(parse_header_parameters(disposition)[1].get("filename", ""))
    with session.acting(request) as db:
        known = feeds.upload.find(db, id, session.reader_of(request).agency)
    if known is None:
        raise Problem(
            "name-required", 'the first part names the file: Content-Disposition: attachment; filename="…"'
        )
    return known.name


def _begun(request: HttpRequest, id: UUID, name: str, size: int, as_of: date | None) -> feeds.Upload:
    who = session.reader_of(request)
    try:
        doors.check(who, name)
    except doors.NotYours:
        with session.acting(request) as db:
            session.note(
                db, request, "delivery.refused-to-agency", "token", [request.token.id], rule=doors.DELIVER_ANY
            )
        raise
    with session.acting(request) as db:
        return feeds.upload.begin(
            db, id, agency=who.agency, by=who.person, name=name, size=size, as_of=as_of, now=clock.now(), pack=session.rules()
        )  # fmt: skip


def _grown(request: HttpRequest, sent: feeds.Upload, first: int | None, length: int) -> feeds.Upload:
    if first is None or (length == 0 and sent.complete):
        return sent
    if (
        sent.complete and first == 0 and length == sent.size
    ):  # the whole file again, to be taken in after a look
        return sent
    part = feeds.upload.append(sent, first, request, length)
    with session.acting(request) as db:
        return feeds.upload.grown(db, sent, part)


def _same(request: HttpRequest, sent: feeds.Upload, length: int) -> HttpResponse:
    """What was taken in already: the same bytes are answered again, others are refused."""
    with session.acting(request) as db:
        known = lists.delivery(db, sent.delivery or 0)
    if length == sent.size and known and _digest(request) != bytes(known["sha256"]):
        raise Problem("id-in-use", "another file was taken in under this id; choose a new id")
    return _answer(request, shapes.Answer(mode="commit", delivery=_taken_in(sent, known, again=True)), 200)


def _digest(source: store.spool.Readable) -> bytes:
    whole = hashlib.sha256()
    while piece := source.read(1 << 20):
        whole.update(piece)
    return whole.digest()


def _looked_at(request: HttpRequest, sent: feeds.Upload, whole: bool) -> HttpResponse:
    who = session.reader_of(request)
    seen = casework.preview([sent], session.office(request), sender=doors.sender(who), whole=whole)
    answer = shapes.Answer(mode="validate", delivery=_on_its_way(sent), effects=_effects(seen, request))
    (delivery,) = seen.arrival.deliveries
    answer.delivery = _with(answer.delivery, delivery, state="complete")
    return _answer(request, answer, 200)


def _taken(request: HttpRequest, sent: feeds.Upload, whole: bool) -> HttpResponse:
    who = session.reader_of(request)
    arrival = casework.take_upload(sent, session.office(request), sender=doors.sender(who), whole=whole)
    (delivery,) = arrival.deliveries
    if delivery.status == "refused" and whole and not delivery.again:
        raise Problem("rows-quarantined", delivery.why or "", delivery=str(delivery.id))
    with session.acting(request) as db:
        refused = feeds.refused_rows(db, [delivery.id])
    seen = casework.Preview(arrival, refused)
    answer = shapes.Answer(mode="commit", delivery=_on_its_way(sent), effects=_effects(seen, request))
    answer.delivery = _with(answer.delivery, delivery, state=delivery.status)
    return _answer(request, answer, 200 if delivery.again else 201)


def _effects(seen: casework.Preview, request: HttpRequest) -> shapes.Effects:
    shown = doors.effects(seen, session.reader_of(request))
    return shapes.Effects(
        rows=shown.rows,
        children=shown.children,
        gaps_opened=[shapes.Count(kind=kind, count=count) for kind, count in shown.opened],
        gaps_closed=[shapes.Count(kind=kind, count=count) for kind, count in shown.closed],
        notices=[shapes.Told(recipient=to, duty=duty, count=count) for to, duty, count in shown.told],
        withheld=shown.withheld,
        refused=[shapes.Refused(line=r["line"], column=r["column"], why=r["why"]) for r in shown.refused],
    )


def _on_its_way(sent: feeds.Upload) -> shapes.Delivery:
    state: shapes.State = "complete" if sent.complete else "receiving"
    return shapes.Delivery(id=sent.id, state=state, received=sent.received, size=sent.size, as_of=sent.as_of)


def _with(shown: shapes.Delivery, delivery: feeds.Delivery, *, state: str) -> shapes.Delivery:
    """What became, or would become, of an upload."""
    counts = {name: getattr(delivery, name) for name in shapes.Counts.model_fields}
    kept = state != "complete"
    return shown.model_copy(
        update={
            "state": state, "delivery": str(delivery.id) if kept else None, "sha256": delivery.sha256.hex(), "feed": delivery.feed,
            "agency": delivery.agency, "as_of": delivery.as_of, "taken": delivery.received if kept else None,
            "again": delivery.again, "sentence": delivery.why, "counts": shapes.Counts(**counts),
        }
    )  # fmt: skip


def _taken_in(sent: feeds.Upload, known: dict[str, Any] | None, *, again: bool = False) -> shapes.Delivery:
    if known is None:
        return _on_its_way(sent)
    counts = {name: known[{"left": "left_"}.get(name, name)] for name in shapes.Counts.model_fields}
    return shapes.Delivery(
        id=sent.id, state=known["status"], received=sent.size, size=sent.size, delivery=str(known["id"]), sha256=bytes(known["sha256"]).hex(),
        feed=known["feed"], agency=known["agency"], as_of=known["as_of"], taken=known["received"], again=again, sentence=known["why"],
        counts=shapes.Counts(**counts),
    )  # fmt: skip


def _answer(request: HttpRequest, answer: shapes.Answer, status: int) -> HttpResponse:
    response = HttpResponse(answer.model_dump_json(), status=status, content_type="application/json")
    response["Upload-Offset"] = str(answer.delivery.received)
    response["Location"] = request.path
    return response


def _found(request: HttpRequest, id: UUID) -> tuple[feeds.Upload, dict[str, Any] | None]:
    """An upload of the token's agency and what it became; looking at a delivery is an entry."""
    guard.right(request, "feeds")
    with session.acting(request) as db:
        sent = feeds.upload.find(db, id, session.reader_of(request).agency)
        if sent is None:
            raise Http404
        known = lists.delivery(db, sent.delivery) if sent.delivery is not None else None
        if known:
            session.note(db, request, "delivery.seen", "delivery", [known["id"]])
    return sent, known


@router.get(
    "/{id}",
    response={200: shapes.Delivery, **PROBLEMS},
    summary="How much is here, or what became of it",
)
def get(request: HttpRequest, id: UUID) -> Any:
    """While it comes in: how many bytes are here. Once it is taken in: its counts, its state and its sentence."""
    sent, known = _found(request, id)
    return Status(200, _taken_in(sent, known))


@router.api_operation(["HEAD"], "/{id}", include_in_schema=False)
def head(request: HttpRequest, id: UUID) -> Any:
    """How many bytes are here, as `Upload-Offset` of `Upload-Length`."""
    sent, _ = _found(request, id)
    response = HttpResponse(content_type="application/json")
    response["Upload-Offset"], response["Upload-Length"] = str(sent.received), str(sent.size)
    return response


@router.delete("/{id}", response={204: None, **PROBLEMS}, summary="Forget a file that was not taken in")
def delete(request: HttpRequest, id: UUID) -> Any:
    """Its bytes are removed. What was taken in stays, and is undone by a steward."""
    guard.right(request, doors.DELIVER)
    with session.acting(request) as db:
        sent = feeds.upload.find(db, id, session.reader_of(request).agency)
    if sent is None:
        raise Http404
    if sent.delivery is not None:
        raise Problem("id-in-use", "it was taken in, and what was taken in stays")
    casework.drop_upload(sent, session.office(request))
    return Status(204, None)


@router.get(
    "/{id}/quarantine", response={200: shapes.Quarantine, **PROBLEMS}, summary="The rows that could not be read, and why"
)  # fmt: skip
def quarantine(
    request: HttpRequest,
    id: UUID,
    offset: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = PAGE,
) -> Any:
    """Line, column and reason; the cells themselves only for a role that mends feeds."""
    _, known = _found(request, id)
    if known is None:
        raise Problem("incomplete", "it is not taken in yet; send it with mode=validate to look at it")
    opened = session.may_open(session.reader_of(request).role, "quarantine")
    with session.acting(request) as db:
        rows = lists.quarantine(db, known["id"], limit=limit + 1, offset=offset)
        session.note(
            db, request, "quarantine.read" if opened else "quarantine.listed", "delivery", [known["id"]]
        )
    shown = [
        shapes.Refused(
            line=row["line"], column=row["column"], why=row["why"], value=lists.cell(row["id"], row["value"]) if opened else None
        )
        for row in rows[:limit]
    ]  # fmt: skip
    return Status(200, shapes.Quarantine(rows=shown, more=len(rows) > limit))
