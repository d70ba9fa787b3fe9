"""A signed-in person, bound to one agency, role and purpose for as long as the session lasts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse

from handhold import access, casework, ledger, pack, store
from handhold.oversight import lists
from handhold.web import clock

PURPOSE = "purpose"
PAGES = "pages.toml"
Page = Callable[..., HttpResponse]


@lru_cache(maxsize=1)
def rules() -> pack.Pack:
    """The pack these pages run; read once a process, as a deployment changes it only by a restart."""
    return pack.load()


@lru_cache(maxsize=1)
def table() -> access.Table:
    """The compiled agreements."""
    return access.compiled(rules())


def purposes(person: Any) -> tuple[str, ...]:
    """The purposes that this person's role may choose, in the pack's order."""
    return access.purposes(rules(), person.role)


def reader(request: HttpRequest) -> access.Reader | None:
    """Who looks, for which purpose; ``None`` until a purpose is chosen that the role still has."""
    person: Any = request.user
    purpose = request.session.get(PURPOSE)
    if not person.is_authenticated or purpose not in purposes(person):
        return None
    return access.reader(rules(), person=person.code, role=person.role, purpose=purpose)


def pages(role: str) -> dict[str, str]:
    """The pages a role has in its menu: name to the words shown, in the pack's order."""
    listed = rules().toml(PAGES)["page"]
    return {name: page["words"] for name, page in listed.items() if role in page["roles"]}


def may_open(role: str, name: str) -> bool:
    """Whether a role has the page or the right ``name`` (``pages.toml``)."""
    text = rules().toml(PAGES)
    entry = text["page"].get(name) or text["right"].get(name)
    return entry is not None and role in entry["roles"]


def in_view(request: HttpRequest) -> lists.Scope:
    """The condition, with its parameters, that holds for the children this request's person may look at."""
    return access.scope(reader_of(request), rules())


def page(name: str) -> Callable[[Page], Page]:
    """Only for roles that have the page or right ``name``; for anybody else there is no such page."""

    def wrap(view: Page) -> Page:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may_open(reader_of(request).role, name):
                raise Http404
            return view(request, *args, **kwargs)

        return guarded

    return wrap


def reader_of(request: HttpRequest) -> access.Reader:
    """The reader that the middleware put on the request."""
    return request.reader


@contextmanager
def acting(request: HttpRequest) -> Iterator[store.Db]:
    """A transaction in which this request's person acts."""
    with ledger.acting_transaction(reader_of(request).person) as db:
        yield db


def office(request: HttpRequest) -> casework.Office:
    """What casework needs to know when this request's person acts."""
    return casework.Office(by=reader_of(request).person, now=clock.now(), pack=rules(), workers=1)


def note(
    db: store.Db, request: HttpRequest, verb: str, thing: str, ids: list[int], *, rule: str | None = None
) -> None:
    """Write into the ledger what this request's person looked at, did or was refused."""
    who = reader_of(request)
    ledger.write(
        db,
        by=who.person,
        verb=verb,
        thing=thing,
        ids=ids,
        at=clock.now(),
        agency=who.agency,
        purpose=who.purpose,
        rule=rule,
    )
