"""The upload page in Chromium: a file is looked at, then taken in or thrown away, with and without scripts, wide and narrow."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.deployment import NOW, REPOSITORY, Home, fresh_home
from nation import Nation, hearing, in_court, released
from playwright.sync_api import Browser, Page, expect

PASSWORD = "quartz-river-sable-tulip-mesa"
PEOPLE = f"from handhold.web.people import create_people; create_people({PASSWORD!r})"
SHOTS = os.environ.get("HANDHOLD_SHOTS")  # a folder, to look at the pages afterwards
pytestmark = pytest.mark.browser


def first(folder: Path) -> Path:
    return hearing(in_court(released(Nation())), "2024-05-02", mailed="2024-03-01").write(folder)


def missed(folder: Path) -> Path:
    """The court's hearing rows once more: the child did not appear, and one row cannot be read."""
    nation = hearing(in_court(released(Nation())), "2024-05-02", reason="11")
    nation.add(
        "eoir.tbl_schedule",
        idnschedule="4002",
        idnproceeding="89000000",
        idncase="9000000",
        adj_date="someday",
    )
    only = Nation({"eoir.tbl_schedule": nation.rows["eoir.tbl_schedule"]}).write(folder)
    return next(only.rglob("tbl_schedule.csv"))


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A deployment with one child, served on a port of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with fresh_home() as home:
        home.handhold("run", str(first(tmp_path_factory.mktemp("first"))), "--now", NOW, "--synthetic")
        subprocess.run([sys.executable, "-c", PEOPLE], env=_environment(home), check=True)
        server = subprocess.Popen(
            [sys.executable, "-m", "handhold", "serve", "--port", str(port), "--workers", "1"],
            env=_environment(home), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield _answering(f"http://127.0.0.1:{port}")
        finally:
            server.terminate()
            server.wait(30)


def _environment(home: Home) -> dict[str, str]:
    return home._environment() | {
        "HANDHOLD_NOW": "2024-05-31T23:59:00-04:00",
        "PYTHONPATH": str(REPOSITORY / "src"),
    }


def _answering(address: str) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"{address}/sign-in/", timeout=5).close()
            return address
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the pages do not answer")


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Browser:
    """The one that all browser tests share: a process may drive only one at a time."""
    return chromium


def sign_in(browser: Browser, served: str, role: str, *, width: int, scripts: bool) -> Page:
    context = browser.new_context(viewport={"width": width, "height": 900}, java_script_enabled=scripts)
    page = context.new_page()
    page.goto(f"{served}/sign-in/")
    page.fill("input[name=username]", role)
    page.fill("input[name=password]", PASSWORD)
    with page.expect_navigation():
        page.locator("main form button").click()
    if "/purpose" in page.url:
        page.locator("label[for=p-court]").click()
        with page.expect_navigation():
            page.locator("main button").click()
    return page


def shot(page: Page, name: str) -> None:
    """Nothing is wider than the window once the page is there in full; kept as a picture where asked."""
    page.wait_for_load_state()  # a click returns when the next page has begun, which may have no element yet
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth") is True
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


@pytest.mark.parametrize(("width", "scripts"), [(1280, True), (400, False)])
def test_a_file_is_looked_at_and_thrown_away(
    browser: Browser, served: str, tmp_path: Path, width: int, scripts: bool
) -> None:
    page = sign_in(browser, served, "clerk", width=width, scripts=scripts)
    page.goto(f"{served}/feeds/")
    page.get_by_role("link", name="Send a file").click()
    shot(page, f"send-{width}")
    page.set_input_files("#file", str(missed(tmp_path)))
    page.fill("#as_of", "2024-05-31")
    page.get_by_role("button", name="Send, and see").click()
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Nothing has been changed.")).to_be_visible()
    expect(page.locator("dl.hh-sums div", has_text="Changed").first).to_contain_text("1")
    expect(page.locator("dl.hh-sums div", has_text="Cannot be read")).to_contain_text("1")
    expect(page.locator("section", has=page.locator("#opens"))).not_to_contain_text("None.")
    shot(page, f"would-{width}")
    page.get_by_role("button", name="Throw it away").click()
    expect(page.get_by_text("The file was thrown away.")).to_be_visible()
    page.goto(f"{served}/feeds/")
    assert "unread" not in page.content()


def test_a_file_is_looked_at_then_taken_in(browser: Browser, served: str, tmp_path: Path) -> None:
    page = sign_in(browser, served, "clerk", width=1280, scripts=True)
    page.goto(f"{served}/feeds/send/")
    page.set_input_files("#file", str(missed(tmp_path)))
    page.fill("#as_of", "2024-05-31")
    page.get_by_role("button", name="Send, and see").click()
    page.get_by_role("button", name="Take it in").click()
    expect(page.get_by_role("heading", name="tbl_schedule.csv")).to_be_visible(timeout=30_000)
    expect(page.locator("dl.hh-sums div", has_text="Quarantined")).to_contain_text("1")
    shot(page, "taken-1280")


def test_another_agencys_file_is_refused_with_the_reason(
    browser: Browser, served: str, tmp_path: Path
) -> None:
    page = sign_in(browser, served, "attorney", width=400, scripts=False)
    page.goto(f"{served}/feeds/send/")
    page.set_input_files("#file", str(missed(tmp_path)))
    page.get_by_role("button", name="Send, and see").click()
    expect(page.get_by_role("alert")).to_contain_text("states what EOIR states")
    shot(page, "refused-400")
    page.goto(f"{served}/api/v1/")
    expect(page.get_by_role("heading", name="Interface for machines")).to_be_visible()
    shot(page, "api-400")
