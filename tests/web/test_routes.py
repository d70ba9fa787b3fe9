"""All addresses, all people: who may not is told that there is nothing; whoever may is told whose eyes they look with."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from story.telling import Story, the_sixteen_year_old

from handhold import access, pack, store
from handhold.web import urls

pytestmark = pytest.mark.slow

NOW = datetime.fromisoformat("2024-05-31T23:59-04:00")
PACK = pack.load()
SEATS = [(role.name, purpose) for role in access.roles(PACK).values() for purpose in role.purposes]
PAGES = PACK.toml("pages.toml")
SECRETS = ("DUARTE", "Duarte", "ANA", "216043624", "ELM", "OAK", "UC1", "KARLA", "5551000000")
BEFORE = {"sign-in", "sign-out", "purpose", "nothing-here"}
OPENED_BY = {  # address name → page or right of the pack that opens it
    "step-done": "today", "notice": "notices", "acknowledge": "notices", "question": "questions", "delivery": "feeds",
    "gap-kind": "oversight", "figure": "oversight", "feed-normal": "feeds", "send": "deliver", "sent": "deliver", "decide": "release",
    "question-next": "questions", "question-group": "questions", "question-take-back": "questions", "files": "questions",
    "file-act": "questions", "to-be-mapped": "feeds", "mapping": "feeds", "refused": "feeds", "refused-file": "feeds",
    "refused-row": "feeds", "take-back": "undo", "link-quality": "link-quality",
}  # fmt: skip


@pytest.fixture(scope="module")
def told(database: str, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """The sixteen-year-old's feeds, taken in and said to be synthetic."""
    story = Story(NOW)
    story.arrives(the_sixteen_year_old().write(tmp_path_factory.mktemp("feeds")))
    with store.transaction() as db:
        store.put_setting(db, "synthetic", True)
    return story


@pytest.fixture
def addresses(told: Story, people: list) -> dict[str, str]:
    """Every address of the pages, with something that exists in the place of its numbers."""
    with store.transaction() as db:
        (delivery,) = store.fetch(db, "select id from feeds_delivery order by id limit 1")
        (file,) = store.fetch(db, "select id from identity_file order by id limit 1")
        (step,) = store.fetch(db, "select id from followup_step order by id limit 1")
    (notice,) = [n for n in told.inbox("ORR") if n["about_kind"].startswith("missed-hearing-untold")]
    known = {
        "child": told.child(), "step": step["id"], "notice": notice["id"], "delivery": delivery["id"], "question": 1,
        "kind": "missed-hearing-untold", "figure": "old-address", "feed": "orr.placements",
        "upload": "00000000-0000-4000-8000-000000000000", "file": file["id"], "act": "hold", "pattern": "alike", "line": 2,
        "ending": "csv",
    }  # fmt: skip
    return {
        route.name: "/" + re.sub(r"<\w+:(\w+)>", lambda found: str(known[found[1]]), str(route.pattern))
        for route in urls.urlpatterns
        if getattr(route, "name", None) and route.name != "api"  # the interface has tests of its own
    }


def allowed(name: str, role: str) -> bool:
    """What the pack says of this address and role."""
    page = OPENED_BY.get(name, name)
    entry = PAGES["page"].get(page) or PAGES["right"].get(page)
    return role in entry["roles"]


def spelt(text: str) -> list[str]:
    """The secrets that stand in a text; long tokens are drawn at random and may spell anything."""
    said = re.sub(r"[A-Za-z0-9]{30,}", "", text)
    return [secret for secret in SECRETS if secret in said]


def hrefs(html: str) -> Iterator[str]:
    yield from re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', html)


@pytest.mark.parametrize(("role", "purpose"), SEATS)
def test_each_address_for_each_seat(
    addresses: dict[str, str], visit: Callable[[str, str], Any], role: str, purpose: str
) -> None:
    client = visit(role, purpose)
    for name, address in addresses.items():
        if name in BEFORE:
            continue
        answer = client.get(address)
        where = f"{role} for {purpose} at {name}: {answer.status_code}"
        assert answer.headers["Cache-Control"] == "no-store", where
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"], where
        assert "unsafe" not in answer.headers["Content-Security-Policy"], where
        assert answer.headers["X-Frame-Options"] == "DENY", where
        if not allowed(name, role):
            assert answer.status_code in (404, 405), where
        elif name in PAGES["page"]:
            assert answer.status_code == 200, where
        if answer.status_code == 200:
            _framed(answer.content.decode(), role, purpose)
        if answer.status_code in (404, 405):
            assert not spelt(answer.content.decode()), where


def _framed(html: str, role: str, purpose: str) -> None:
    """Every page says agency, role, purpose, freshness and "synthetic"; has one heading, one main part and a title."""
    from handhold.web.templatetags.words import role_title, word

    agency = access.roles(PACK)[role].agency
    session = re.search(r'<div class="hh-context".*?</div>\s*</div>', html, re.DOTALL)
    assert session
    for said in (
        word(agency, "agency"),
        role_title(role).replace("'", "&#x27;"),
        word(purpose, "purpose_short"),
        "Data drawn",
    ):
        assert said in session[0], said
    assert "Synthetic data." in html
    assert html.count("<h1") == html.count("<main") == html.partition("</head>")[0].count("<title>") == 1
    for link in hrefs(html):
        assert re.fullmatch(r"[a-z0-9/?=&;#.:_-]*", link.replace("handhold.css", "")), link
        assert not spelt(link)


@pytest.mark.parametrize(("role", "purpose"), SEATS)
def test_a_form_of_others_changes_nothing(
    addresses: dict[str, str], visit: Callable[[str, str], Any], role: str, purpose: str
) -> None:
    """Acknowledging another agency's notice, or doing another's step, answers as if there were none."""
    if role in ("specialist", "coordinator"):
        return  # the notice is ORR's; the first step may be either's
    client = visit(role, purpose)
    assert client.post(addresses["acknowledge"]).status_code == 404
    with store.transaction() as db:
        (state,) = store.fetch(db, "select count(*) as n from notices_outbox where acknowledged is not null")
    assert state["n"] == 0


def test_nobody_is_sent_to_sign_in(addresses: dict[str, str]) -> None:
    from django.test import Client

    for name, address in addresses.items():
        if name in ("sign-in", "sign-out"):
            continue
        answer = Client().get(address)
        assert answer.status_code == 302 and answer.headers["Location"].startswith("/sign-in/"), name
        assert answer.headers["Cache-Control"] == "no-store"


def test_who_has_chosen_no_purpose_sees_nothing(addresses: dict[str, str]) -> None:
    from django.test import Client
    from web.conftest import PASSWORD

    client = Client()
    client.post("/sign-in/", {"username": "specialist", "password": PASSWORD})
    for name, address in addresses.items():
        if name not in BEFORE:
            assert client.get(address).headers["Location"] == "/purpose/", name


def test_the_addresses_are_all_there_are(addresses: dict[str, str]) -> None:
    """A new page must say here what opens it, or the sweep would pass it by."""
    assert set(addresses) - BEFORE - set(OPENED_BY) == set(PAGES["page"]) | {"child"}


def test_children_in_nobodys_caseload_are_not_there(
    addresses: dict[str, str], visit: Callable[[str, str], Any]
) -> None:
    """For enforcement the sponsor and HHS's addresses are withheld from the page itself, by a rule that it names."""
    page = visit("coordinator", "enforcement").get(addresses["child"])
    if page.status_code == 200:
        html = page.content.decode()
        assert "KARLA" not in html and "OAK AVE" not in html and "sponsor-firewall" in html
    page = visit("specialist", "safety").get(addresses["child"]).content.decode()
    assert "5 OAK AVE" in page and "had known a newer address for 54 days" in page
