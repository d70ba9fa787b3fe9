"""*To be mapped*: the page's own form, sent back as a browser sends it, makes the mapping; who may not see cells sees none."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from feeds.mapping.spreadsheets import PACK, message, no_shows, workbook

from handhold import casework, feeds, store

pytestmark = pytest.mark.slow
OFFICE = casework.Office(by="system", now=datetime(2024, 6, 1, 12, tzinfo=UTC), pack=PACK, workers=1)
Visit = Callable[[str, str], object]
TOKEN = re.compile(
    r'name="csrfmiddlewaretoken" value="\w+"'
)  # random letters: sooner or later they spell a short name


class Form(HTMLParser):
    """What a browser without JavaScript would send of the form that has this button."""

    def __init__(self, html: str, act: str) -> None:
        super().__init__()
        self.act, self.forms = act, []
        self.now: dict[str, list[str]] | None = None
        self.select: str | None = None
        self.options: list[tuple[str, bool]] = []
        self.option: list[str] | None = None
        self.area: str | None = None
        self.feed(html)
        self.sent = next(form for form in self.forms if act in form.get("act", [])) | {"act": [act]}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "form":
            self.now = {}
            self.forms.append(self.now)
        if self.now is None:
            return
        if tag == "input" and said.get("name"):
            self.now.setdefault(str(said["name"]), []).append(said.get("value") or "")
        if tag == "button" and said.get("name"):
            self.now.setdefault("act", []).append(said.get("value") or "")
        if tag == "select":
            self.select, self.options = str(said["name"]), []
        if tag == "option":
            self.option = []
            self.options.append((said["value"] or "" if "value" in said else "\0", "selected" in said))
        if tag == "textarea":
            self.area = str(said["name"])
            self.now[self.area] = [""]

    def handle_data(self, data: str) -> None:
        if self.option is not None and self.options[-1][0] == "\0":
            self.options[-1] = (data, self.options[-1][1])
        if self.area and self.now is not None:
            self.now[self.area][0] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.now = None
        if tag == "option":
            self.option = None
        if tag == "textarea":
            self.area = None
        if tag == "select" and self.now is not None and self.select:
            chosen = [value for value, selected in self.options if selected] or [self.options[0][0]]
            self.now[self.select] = chosen[:1]


def arrived(folder: Path, sender: str, title: str = "t") -> feeds.Delivery:
    """A part that waits."""
    data = bytes(message(("no shows.xlsx", workbook(("S", no_shows(title=title)))), sender=sender, subject="Roe did not appear", remark="Ana Roe moved."))  # fmt: skip
    (folder / "m.eml").write_bytes(data)
    return casework.arrive([folder / "m.eml"], OFFICE, sender="folder").deliveries[1]


def one(query: str, *values: object) -> object:
    with store.transaction() as db:
        row = db.execute(query.encode(), values).fetchone()
    return row[0] if row and len(row) == 1 else row


def test_the_form_as_it_is_shown_confirms_the_proposal(visit: Visit, tmp_path: Path) -> None:
    part = arrived(tmp_path, "one@ero.example")
    steward = visit("steward", "safety")
    listed = steward.get("/feeds/to-be-mapped/").content.decode()  # type: ignore[attr-defined]
    assert f"/feeds/to-be-mapped/{part.id}/" in listed and "no shows.xlsx" in listed
    page = steward.get(f"/feeds/to-be-mapped/{part.id}/").content.decode()  # type: ignore[attr-defined]
    assert "Roe, Ana" in page and "two names with a comma between" in page and "Roe did not appear" in page
    sent = Form(page, "confirm").sent
    answer = steward.post(f"/feeds/to-be-mapped/{part.id}/", sent)  # type: ignore[attr-defined]
    assert answer.status_code == 302
    assert one("select status, rows, loaded from feeds_delivery where id = %s", part.id) == ("read", 5, 5)
    with store.transaction() as db:
        (version,) = feeds.mapping.listed(db, "one")
        proposed = feeds.waiting.look(db, part.id, pack=PACK).proposals[0].mapping
    assert dict(version.mapping.fields) == dict(proposed.fields) and version.confirmed_by.startswith(
        "person:"
    )
    delivery = steward.get(f"/feeds/{part.id}/").content.decode()  # type: ignore[attr-defined]
    assert "m.eml" in delivery
    assert one("select count(*) from ledger_entry where verb = 'mapping.looked'") == 1


def test_a_person_changes_it_and_a_mistake_is_told_with_what_was_typed(visit: Visit, tmp_path: Path) -> None:
    part = arrived(tmp_path, "two@ero.example", "two")
    steward = visit("steward", "safety")
    where = f"/feeds/to-be-mapped/{part.id}/"
    sent = Form(steward.get(where).content.decode(), "confirm").sent  # type: ignore[attr-defined]
    at = next(
        name[6:] for name, value in sent.items() if name.startswith("field-") and value == ["FTA Noted Date"]
    )
    wrong = sent | {"name": ["Not A Name"], f"not-{at}": ["NEVER"]}
    answer = steward.post(where, wrong)  # type: ignore[attr-defined]
    said = answer.content.decode()
    assert answer.status_code == 200 and "begins with a letter" in said and 'value="NEVER"' in said
    tried = steward.post(
        where, Form(answer.content.decode(), "try").sent | {"name": ["two"], "act": ["try"]}
    ).content.decode()  # type: ignore[attr-defined]
    assert "Tried, and nothing was kept: 5 rows; 5 can be used" in tried and 'value="NEVER"' in tried
    assert one("select status from feeds_delivery where id = %s", part.id) == "waiting"
    right = sent | {f"field-{at}": [""], "zone": ["America/Chicago"], "effective_from": ["2024-01-01"]}
    assert steward.post(where, right).status_code == 302  # type: ignore[attr-defined]
    with store.transaction() as db:
        (version,) = feeds.mapping.listed(db, "two")
    assert "FTA Noted Date" not in version.mapping.fields and version.mapping.zone == "America/Chicago"
    assert str(version.mapping.effective_from) == "2024-01-01" and "NO SHOW?" in version.mapping.left


def test_the_text_can_be_confirmed_and_a_part_can_be_rejected(visit: Visit, tmp_path: Path) -> None:
    part = arrived(tmp_path, "three@ero.example", "three")
    steward = visit("steward", "safety")
    where = f"/feeds/to-be-mapped/{part.id}/"
    page = steward.get(where).content.decode()  # type: ignore[attr-defined]
    text = Form(page, "text").sent
    text["text"] = [text["text"][0].replace('covers = "part"', 'covers = "everything"')]
    assert "covers is one of" in steward.post(where, text).content.decode()  # type: ignore[attr-defined]
    refused = Form(page, "reject").sent
    assert "Say why" in steward.post(where, refused | {"why": [" "]}).content.decode()  # type: ignore[attr-defined]
    assert steward.post(where, refused | {"why": ["no list"]}).status_code == 302  # type: ignore[attr-defined]
    assert one("select status from feeds_delivery where id = %s", part.id) == "refused"
    assert "no list" in steward.get(where).content.decode()  # type: ignore[attr-defined]


@pytest.mark.parametrize("role", ["coordinator", "attorney", "auditor"])
def test_others_see_that_it_waits_and_nothing_of_it(visit: Visit, tmp_path: Path, role: str) -> None:
    part = arrived(tmp_path, f"{role}@ero.example", role)
    message_of = one("select container from feeds_part where part = %s", part.id)
    reader = visit(role, "audit" if role == "auditor" else "court")
    where = f"/feeds/to-be-mapped/{part.id}/"
    for address in (where, "/feeds/to-be-mapped/", f"/feeds/{message_of}/"):
        page = TOKEN.sub("", reader.get(address).content.decode())  # type: ignore[attr-defined]
        assert (
            "Roe" not in page
            and "A 232" not in page
            and "@ero.example" not in page
            and "Court date" not in page
        )
    assert "Withheld" in page
    assert reader.post(where, {"act": "reject", "why": "x"}).status_code == 404  # type: ignore[attr-defined]
    assert one("select status from feeds_delivery where id = %s", part.id) == "waiting"


def test_the_remark_is_shown_to_the_steward_and_the_look_is_noted(visit: Visit, tmp_path: Path) -> None:
    part = arrived(tmp_path, "four@ero.example", "four")
    message_of = one("select container from feeds_part where part = %s", part.id)
    page = visit("steward", "safety").get(f"/feeds/{message_of}/").content.decode()  # type: ignore[attr-defined]
    assert (
        "Ana Roe moved." in page and "nothing in it becomes a fact" in page and "Say how it is read" in page
    )
    assert one("select ids[1] from ledger_entry where verb = 'remark.read'") == message_of


def test_what_is_no_spreadsheet_of_a_senders_own_has_no_such_page(visit: Visit) -> None:
    assert visit("steward", "safety").get("/feeds/to-be-mapped/1/").status_code == 404  # type: ignore[attr-defined]
