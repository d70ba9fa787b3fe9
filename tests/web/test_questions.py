"""The Questions pages: who reaches them, what they show to whom, and that deciding leads on to the next question."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from questions.conftest import ANA, MIA, NOW, PACK, file_of, take_back_all
from questions.conftest import loaded as loaded

from handhold import access, identity, ledger, store
from handhold.web import clock

from .conftest import PASSWORD

Visit = Callable[[str, str], Any]
NAMES = ("DUARTE", "XOL CAAL", "MIA ROSA", ANA, MIA)


@pytest.fixture(scope="module")
def seats(loaded: object, django_db_blocker: Any) -> Iterator[list[Any]]:
    """One person for each role, another steward beside the first, and passwords that are quick to check."""
    from django.db import connections
    from django.test import override_settings

    from handhold.web.models import Person
    from handhold.web.people import create_people

    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    with django_db_blocker.unblock(), quick:  # the database is the store's own, not one of Django's making
        connections.close_all()
        made = create_people(PASSWORD)
        second, _ = Person.objects.get_or_create(username="second", defaults={"role": "steward"})
        second.set_password(PASSWORD)
        second.save()
        yield made
        connections.close_all()


@pytest.fixture
def people(seats: list[Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The pages' clock stands still; whatever a test says is taken back after it."""
    monkeypatch.setenv(clock.HELD, NOW.isoformat())
    yield seats
    take_back_all()


@pytest.fixture
def steward(visit: Visit) -> Any:
    return visit("steward", "safety")


def pages() -> list[str]:
    """Every address of this piece, with things in it that exist."""
    with store.transaction() as db:
        question = store.fetch(
            db, "select id from identity_question where closed is null order by id limit 1"
        )[0]["id"]
        child = store.fetch(db, "select child from identity_file where id = %s", [file_of("ERO", ANA)])[0][
            "child"
        ]
    return ["/questions/", "/questions/next", f"/questions/{question}/", f"/child/{child}/files/", "/questions/quality/",
            f"/questions/alike/{'0' * 32}/"]  # fmt: skip


READERS = [(r.role, r.purpose) for r in access.readers(PACK)]


@pytest.mark.parametrize(("role", "purpose"), [pair for pair in READERS if pair[0] != "steward"])
def test_nobody_else_reaches_a_question_or_a_name(visit: Visit, role: str, purpose: str) -> None:
    client = visit(role, purpose)
    for address in pages():
        got = client.get(address)
        if role == "auditor" and address.endswith("quality/"):
            assert got.status_code == 200
        else:
            assert got.status_code == 404, address
        assert not [name for name in NAMES if name in got.content.decode()], address
        assert client.post(address, {"judgement": "match", "why": "w"}).status_code in (404, 405)
    with store.transaction() as db:
        file = file_of("ERO", ANA)
        assert store.fetch(db, "select 1 from identity_judgement where until is null") == []
    assert client.post(f"/files/{file}/separate", {"why": "w"}).status_code == 404


def test_a_steward_who_audits_sees_questions_and_no_names_and_decides_nothing(visit: Visit) -> None:
    client = visit("steward", "audit")
    for address in pages()[:5]:
        got = client.get(address, follow=True)
        assert got.status_code == 200, address
        assert not [name for name in NAMES if name in got.content.decode()], address
    question = pages()[2]
    assert client.post(question, {"judgement": "match", "why": "w"}).status_code == 404
    assert client.post(f"/files/{file_of('ERO', ANA)}/separate", {"why": "w"}).status_code == 404


def test_the_question_shows_both_files_the_evidence_in_words_and_what_hangs_on_it(steward: Any) -> None:
    page = steward.get(mias()).content.decode()
    assert "XOL CAAL" in page
    assert "one of two is left out: common" in page
    assert "Not known for one of them" in page
    assert "Two different people must say" in page
    assert "withheld from you" in page
    assert "USCIS" not in page.split("<main", 1)[1]
    assert "I-589" not in page


def test_the_rows_of_the_evidence_add_up_to_what_stands_below_them(steward: Any) -> None:
    fall = re.search(r'<table class="hh-fall">.*?</table>', steward.get(anas()).content.decode(), re.S)
    assert fall is not None
    assert "To begin with" in fall[0]
    bits = [float(cell) for cell in re.findall(r'<td class="hh-num">(?:<b>)?([-+][\d.]+)', fall[0])]
    columns = [bits[side::2] for side in (0, 1)]
    assert len(columns[0]) > 5
    for *rows, total in columns:
        assert sum(rows) == pytest.approx(total, abs=0.05 * len(rows)), "rounded to a tenth each"


def mias() -> str:
    with store.transaction() as db:
        uscis = file_of("USCIS", "219999999")
        found = store.fetch(
            db, "select id from identity_question where closed is null and %s in (file_a, file_b)", [uscis]
        )
    return f"/questions/{found[0]['id']}/"


def anas() -> str:
    with store.transaction() as db:
        court = file_of("EOIR", "9000001")
        found = store.fetch(
            db, "select id from identity_question where closed is null and %s in (file_a, file_b)", [court]
        )
    return f"/questions/{found[0]['id']}/"


def test_spellings_agree_without_accents_and_a_country_is_its_name() -> None:
    from handhold.web.views import questions

    steward = access.reader(PACK, person="person:1", role="steward", purpose="safety")
    one = [{"last": "MONTANO-REYES", "country": "ES", "sex": "F", "first": "ANA", "middle": "LUZ"}]
    other = [{"last": "Montaño Reyes", "country": "EL SALVADOR", "sex": "M", "first": "ANA LUZ"}]
    tones = {row["name"]: row["tone"] for row in questions._compared(steward, one, other)}
    assert tones == {"Last name": "same", "Given name": "same", "Country": "same", "Sex": "differs"}


def test_looking_is_in_the_ledger(steward: Any) -> None:
    steward.get(mias())
    with store.transaction() as db:
        last = store.fetch(
            db, "select verb, ids, purpose from ledger_entry where thing = 'file' order by seq desc limit 1"
        )[0]
    assert (last["verb"], last["purpose"]) == ("file.compared", "safety")
    assert file_of("USCIS", "219999999") in last["ids"]


def test_a_decision_leads_to_the_next_question_and_can_be_taken_back(steward: Any) -> None:
    first, other = anas(), mias()
    assert steward.get("/questions/next").url == first
    got = steward.post(first, {"judgement": "no match", "why": "two children"})
    number = re.search(r"\d+", first)[0]  # type: ignore[index]
    assert got.url == f"{other}?last={number}"
    page = steward.get(got.url).content.decode()
    assert f"/questions/{number}/take-back" in page
    assert steward.post(f"/questions/{number}/take-back").url == first
    assert steward.get("/questions/next").url == first


def test_a_word_on_what_is_asked_otherwise_by_now_changes_nothing_and_leads_on(steward: Any) -> None:
    gone = "/questions/1/"
    assert steward.get(gone).status_code == 404
    got = steward.post(gone, {"judgement": "match", "why": "one child"}, follow=True)
    assert got.redirect_chain == [(f"{anas()}?last=1", 302)]
    assert "asked otherwise now" in got.content.decode()


def test_a_match_that_discloses_waits_for_another_person(steward: Any, visit: Visit) -> None:
    address = mias()
    steward.post(address, {"judgement": "match", "why": "same birth"})
    assert "Another person must say so too" in steward.get(address).content.decode()
    assert address not in steward.get("/questions/").content.decode()
    second = visit("second", "safety")
    assert "second person" in second.get("/questions/").content.decode()
    assert "One person has spoken" in second.get(address).content.decode()
    second.post(address, {"judgement": "match", "why": "I see it too"})
    with store.transaction() as db:
        children = identity.children_of(
            db,
            store.frame(
                db, "select unnest(%s::bigint[]) as f", [[file_of("USCIS", "219999999"), file_of("ERO", MIA)]]
            )["f"],
        )
    assert children["child"].n_unique() == 1


def test_nothing_is_decided_without_a_reason(steward: Any) -> None:
    address = anas()
    assert steward.post(address, {"judgement": "match", "why": " "}).url == address
    assert steward.post(address, {"judgement": "sure", "why": "w"}).url == address
    with store.transaction() as db:
        assert store.fetch(db, "select 1 from identity_judgement where until is null") == []


def test_a_second_look_does_not_show_the_first_word(steward: Any, visit: Visit) -> None:
    address = anas()
    steward.post(address, {"judgement": "no match", "why": "first-reason"})
    with ledger.acting_transaction("person:9") as db:
        question = store.fetch(
            db, "select file_a, file_b, by from identity_question where answer = 'no match'"
        )[0]
        pair = identity.pair(question["file_a"], question["file_b"])
        # Unless it was among the one in twenty that the decision itself drew.
        identity.draw_again(db, [pair], 1.0, by=question["by"], now=NOW)
        (review,) = (row["id"] for row in store.fetch(db, "select id from identity_review"))
    assert steward.get(f"/questions/{review}/").status_code == 404
    second = visit("second", "safety")
    page = second.get(f"/questions/{review}/").content.decode()
    assert "a second look" in page
    assert "first-reason" not in page
    second.post(f"/questions/{review}/", {"judgement": "no match", "why": "I see it too"})
    quality = second.get("/questions/quality/").content.decode()
    assert "1 pair asked twice" in quality
    assert "100.0" in quality


def test_a_file_is_held_separated_and_given_back_from_its_page(steward: Any) -> None:
    court = file_of("EOIR", "9000000")
    child = steward.get(pages()[3]).context["child"]
    for act in ("hold", "release", "separate"):
        got = steward.post(f"/files/{court}/{act}", {"why": "because"})
        assert got.status_code == 302
    alone = int(re.search(r"\d+", got.url)[0])  # type: ignore[index]
    assert alone != child
    page = steward.get(got.url).content.decode()
    assert "Take it back" in page
    for other in (file_of("ERO", ANA), file_of("ORR", "UC1")):
        steward.post(f"/files/{court}/withdraw", {"why": "because", "other": str(other)})
    assert steward.get(f"/child/{child}/files/").context["child"] == child
    assert steward.get(f"/child/{alone}/files/").context["child"] == child


def test_alike_questions_are_shown_before_they_are_decided_and_may_be_left_out(steward: Any) -> None:
    with ledger.acting_transaction("person:9") as db:
        files = [file_of("ERO", ANA), file_of("ERO", MIA), file_of("ERO", "216043625")]
        for n, (a, b) in enumerate([(files[0], files[1]), (files[0], files[2]), (files[1], files[2])]):
            db.execute(
                """insert into identity_question (id, file_a, file_b, reason, evidence, weight, opened)
                   values (%s, %s, %s, 'alike', '{"given": "other", "sex": "same"}', 1, %s)""",
                [n + 1, *identity.pair(a, b), NOW],
            )
    try:
        page = steward.get("/questions/").content.decode()
        address = re.search(r"/questions/alike/[0-9a-f]+/", page)[0]  # type: ignore[index]
        shown = steward.get(address).content.decode()
        assert shown.count('name="question"') == 3
        assert "XOL CAAL" in shown
        assert steward.post(address, {"judgement": "no match", "why": "w"}).url == address
        steward.post(address, {"judgement": "no match", "why": "w", "question": ["1", "3", "77"]})
        with store.transaction() as db:
            rows = store.fetch(db, "select id, answer from identity_question where id < 10 order by id")
        assert [row["answer"] for row in rows] == ["no match", None, "no match"]
    finally:
        with ledger.acting_transaction("person:9") as db:
            db.execute("delete from identity_question where id < 10")


def test_the_quality_page_draws_a_sample_and_says_what_nobody_has_looked_at(steward: Any) -> None:
    assert "0 samples wait" in steward.get("/questions/quality/").content.decode()
    assert steward.post("/questions/quality/").status_code == 302
    page = steward.get("/questions/quality/").content.decode()
    assert "nobody has looked" in page
    assert "0 samples wait" not in page
    assert "ero.uc_transfers" in page


def test_what_a_second_person_says_of_a_sample_is_the_precision_and_recall_of_its_range(
    steward: Any, visit: Visit
) -> None:
    steward.post("/questions/quality/")
    with store.transaction() as db:
        drawn = [
            row["id"] for row in store.fetch(db, "select id from identity_review where source = 'linked'")
        ]
    assert len(drawn) > 3
    for n, review in enumerate(drawn):
        said = "no match" if n == 0 else "match"
        assert steward.post(f"/questions/{review}/", {"judgement": said, "why": "looked"}).status_code == 302
    page = steward.get("/questions/quality/")
    assert "0 samples wait" in page.content.decode()
    quality = page.context["quality"]
    links = sum(bin_.links for bin_ in quality.bins)
    assert [bin_.right.of for bin_ in quality.bins] == [bin_.links for bin_ in quality.bins]
    assert quality.precision.share == pytest.approx((links - 1) / links)
    assert f"{100 * (links - 1) / links:.1f}" in page.content.decode()
    asked = re.search(r"<table class=\"hh-fall hh-fall--wide\">.*?</table>", page.content.decode(), re.S)
    assert asked is not None
    assert "recall if linked from here" in asked[0]
    first = next(n for n, (bin_, _) in enumerate(quality.ranges) if bin_.links)
    assert quality.ranges[first][1].share == 1.0
    contradicted = re.findall(
        r"/questions/\d+/", visit("second", "safety").get("/questions/").content.decode()
    )
    assert contradicted, "where the sample contradicts the link, a third person is asked"


def test_a_date_turned_round_and_the_reason_that_stopped_a_link_are_said_in_words(steward: Any) -> None:
    with ledger.acting_transaction("person:9") as db:
        db.execute(
            """insert into identity_question (id, file_a, file_b, reason, evidence, weight, opened) values (1, %s, %s, 'sexes-differ',
               '{"given": "same", "dob": "exchanged", "sex": "different", "why": "sexes-differ"}', 6, %s)""",
            [*identity.pair(file_of("ERO", ANA), file_of("ERO", MIA)), NOW],
        )
    try:
        page = steward.get("/questions/1/").content.decode()
        assert "day and month exchanged: common" in page
        assert "no given name agrees and the sex is different" in page, "why it was not linked"
    finally:
        with ledger.acting_transaction("person:9") as db:
            db.execute("delete from identity_question where id < 10")
