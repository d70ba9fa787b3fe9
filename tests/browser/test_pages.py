"""The pages in a browser: every page of every seat, wide and narrow; one child's story clicked through; without a script."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from browser.conftest import overflow, violations
from handhold import access, pack

pytestmark = pytest.mark.browser
PACK = pack.load()
SEATS = [(role.name, purpose) for role in access.roles(PACK).values() for purpose in role.purposes]
Open = Callable[..., Page]


def first_link(page: Page, address: str, inside: str) -> list[str]:
    """The first link of a list, if there is one."""
    page.goto(address)
    found = page.locator(inside)
    return [str(found.first.get_attribute("href"))] if found.count() else []


def all_pages(page: Page) -> list[str]:
    """The addresses this seat reaches from its menu, and one of each kind below them."""
    menu = [str(a.get_attribute("href")) for a in page.locator(".hh-menu a").all()]
    below = {
        "/": "main a[href*='/child/']", "/notices/": "main a[href^='/notices/']", "/questions/": "main a[href^='/questions/']",
        "/feeds/": "main .hh-rows a", "/oversight/": "main a[href^='/oversight/']",
    }  # fmt: skip
    return (
        menu
        + [
            link
            for address in menu
            for link in first_link(page, address, below.get(address, "no-such-thing"))
        ]
        + ["/purpose/"]
    )


@pytest.mark.parametrize(("role", "purpose"), SEATS)
def test_every_page_is_accessible_and_fits(open_as: Open, role: str, purpose: str) -> None:
    """axe finds nothing (WCAG 2.2 AA), nothing is wider than the window at 1280 and 400 px, nothing fails in the console."""
    page = open_as(
        role, purpose, bypass_csp=True
    )  # axe is put in from outside; the policy itself is tested in tests/web
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for address in all_pages(page):
        for width in (1280, 400):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(address)
            assert violations(page) == []
            assert overflow(page) == 0, f"{address} at {width}"
            expect(page.locator("body")).to_contain_text("Synthetic data")
            expect(page.locator(".hh-context")).to_contain_text("purpose")
    assert complaints == []


def test_the_policy_lets_the_pages_own_scripts_through(open_as: Open) -> None:
    complaints: list[str] = []
    page = open_as("specialist", "safety")
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto("/notices/")
    assert complaints == []


def test_by_keyboard_alone(open_as: Open) -> None:
    """The first stop is the way past the menu; from there on the focus stays visible and in reading order."""
    page = open_as("specialist", "safety")
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Skip to main content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    tops = []
    for _ in range(4):  # the tiles and the first rows; the last stop of the page leads back to its first
        page.keyboard.press("Tab")
        box = page.evaluate(
            "(() => { const b = document.activeElement.getBoundingClientRect(); return [b.top + scrollY, b.width] })()"
        )
        assert box[1] > 0
        tops.append(box[0])
    assert tops == sorted(tops)


def test_acknowledged_and_the_gap_is_closed(open_as: Open) -> None:
    """ORR's specialist opens the notice about the missed hearing, acknowledges it, and it is no longer missing."""
    page = open_as("specialist", "safety")
    page.goto("/notices/")
    page.get_by_role(
        "link", name="A child released from ORR's care did not appear in immigration court"
    ).first.click()
    with page.expect_navigation():
        page.get_by_role("link", name="Open the child's page").click()
    child, gap = page.url, "The child missed a hearing and HHS ORR has not been told"
    expect(page.locator("section[aria-labelledby=open]")).to_contain_text(gap)
    page.go_back()
    with page.expect_navigation():
        page.get_by_role("button", name="Acknowledge for HHS ORR").click()
    page.goto(child)
    expect(page.locator("section[aria-labelledby=open] > ul.hh-rows")).not_to_contain_text(gap)
    expect(page.locator("section[aria-labelledby=told]")).to_contain_text("acknowledged")


def test_acknowledged_in_the_list_without_a_new_page(open_as: Open) -> None:
    """With scripts the list stays where it is and the row says what happened."""
    page = open_as("attorney", "court")
    page.goto("/notices/")
    row = page.locator(".hh-rows .hh-row", has_text="did not appear").first
    row.get_by_role("button", name="Acknowledge").click()
    expect(row.get_by_role("status")).to_contain_text("Acknowledged")
    assert page.url.endswith("/notices/")


def test_without_scripts(open_as: Open) -> None:
    """A browser without JavaScript does the same by plain forms, at 400 px."""
    page = open_as("coordinator", "court", width=400, java_script_enabled=False)
    page.goto("/notices/")
    waiting = page.get_by_role("button", name="Acknowledge").count()
    with page.expect_navigation():
        page.get_by_role("button", name="Acknowledge").first.click()
    assert page.url.endswith("/notices/")
    assert page.get_by_role("button", name="Acknowledge").count() == waiting - 1


def test_through_a_step(open_as: Open) -> None:
    """The attorney reviews the order, at 400 px, and the next step is somebody else's."""
    page = open_as("attorney", "court", width=400)
    page.goto("/")
    page.locator("section[aria-labelledby=steps] a[href*='/child/']").first.click()
    page.get_by_label("Outcome").select_option("no-order")
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("status")).to_contain_text("The step is done")
    page.wait_for_load_state()
    assert overflow(page) == 0


def test_the_ledger_is_checked(open_as: Open) -> None:
    page = open_as("auditor", "audit")
    page.goto("/ledger/")
    page.get_by_role("button", name="Check the whole ledger now").click()
    expect(page.get_by_role("status")).to_contain_text("The ledger is whole")
    expect(page.get_by_role("link", name="notice.acknowledged").first).to_be_visible()


def test_a_wrong_password_says_so_and_no_more(site: object, open_as: Open) -> None:
    page = open_as("auditor", "audit")
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("Name").fill("nobody")
    page.get_by_label("Password").fill("not-the-password")
    page.locator("main button").first.click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert "nobody" not in page.url and "password" not in page.url
