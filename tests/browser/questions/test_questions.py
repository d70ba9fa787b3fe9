"""A clerk decides by keyboard alone, and without any script, on a desk and on a phone."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from questions.conftest import NOW, office
from questions.conftest import loaded as loaded

from handhold import casework, store
from handhold.web import clock

pytestmark = pytest.mark.browser
SignIn = Callable[..., Any]


@pytest.fixture(autouse=True)
def still(loaded: object, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The clock stands; what a test decides is taken back after it, and nobody has a question open."""
    monkeypatch.setenv(clock.HELD, NOW.isoformat())
    yield
    for word in said():
        casework.withdraw_word(
            word["file_a"], word["file_b"], "test over", office("person:9", NOW + timedelta(days=1))
        )


def said() -> list[dict[str, Any]]:
    with store.transaction() as db:
        return store.fetch(
            db,
            "select file_a, file_b, judgement, why from identity_judgement where until is null order by since, id",
        )


def test_two_questions_are_decided_by_keyboard_alone(sign_in: SignIn) -> None:
    page = sign_in("steward", "safety")
    page.goto("/questions/next")
    first = page.url
    assert page.locator("kbd:visible").count() >= 4
    page.keyboard.press("2")
    assert page.locator("input[value='no match']").is_checked()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    second = page.url.split("?")[0]
    assert second != first
    page.keyboard.press("w")
    page.keyboard.type("the numbers differ; s and 1 are letters here")
    page.keyboard.press("Escape")
    page.keyboard.press("2")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert [(word["judgement"], word["why"]) for word in said()] == [
        ("no match", "as the evidence shows"),
        ("no match", "the numbers differ; s and 1 are letters here"),
    ]
    assert page.problems == []


def test_a_slip_is_taken_back_by_a_key_and_a_question_is_skipped_by_one(sign_in: SignIn) -> None:
    page = sign_in("steward", "safety")
    page.goto("/questions/next")
    first = page.url
    page.keyboard.press("2")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    with page.expect_navigation():
        page.keyboard.press("u")
    assert page.url == first
    assert said() == []
    with page.expect_navigation():
        page.keyboard.press("s")
    assert page.url not in (first, "")
    assert said() == []


def test_enter_decides_nothing_before_a_choice_is_made(sign_in: SignIn) -> None:
    page = sign_in("steward", "safety")
    page.goto("/questions/next")
    address = page.url
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    assert page.url == address
    assert said() == []


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_it_works_without_a_script(sign_in: SignIn, screen: str) -> None:
    page = sign_in("steward", "safety", script=False, screen=screen)
    page.goto("/questions/")
    with page.expect_navigation():
        page.click("text=Begin with the first")
    assert page.locator("kbd:visible").count() == 0
    page.click("label:has-text('Different children')")
    with page.expect_navigation():
        page.click("button:has-text('Decide')")
    assert "last=" in page.url
    assert [word["judgement"] for word in said()] == ["no match"]
    with page.expect_navigation():
        page.click("text=Take it back")
    assert said() == []


@pytest.mark.parametrize("address", ["/questions/", "/questions/next", "/questions/quality/"])
def test_nothing_is_wider_than_a_phone(sign_in: SignIn, address: str) -> None:
    page = sign_in("steward", "safety", screen="phone")
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= 400
    assert page.problems == []
