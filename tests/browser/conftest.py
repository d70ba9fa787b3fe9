"""The demonstration as a person meets it: ``handhold demo`` in a home of its own, and Debian's Chromium in front of it."""

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from faults.deployment import NOW, REPOSITORY, fresh_home
from playwright.sync_api import Browser, Page, sync_playwright
from story.telling import the_sixteen_year_old

AXE = REPOSITORY / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass(frozen=True)
class Site:
    """Where the pages are, and the passwords that the demonstration printed."""

    address: str
    passwords: dict[str, str]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """``handhold demo --feeds`` over the sixteen-year-old's feeds, marked as the simulator marks them."""
    folder = the_sixteen_year_old().write(tmp_path_factory.mktemp("nation"))
    (folder / "SYNTHETIC.txt").touch()
    port = _free_port()
    with fresh_home() as home:
        demo = home.start("demo", "--feeds", str(folder), "--now", NOW, "--port", str(port))
        try:
            yield Site(f"http://127.0.0.1:{port}", _sign_ins(demo))
        finally:
            os.killpg(demo.pid, signal.SIGTERM)
            demo.wait(timeout=120)
            if demo.stdout:
                demo.stdout.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _sign_ins(demo: "subprocess.Popen[str]") -> dict[str, str]:
    """Read what is printed until the pages are announced; the table names who may sign in."""
    found, said = {}, []
    assert demo.stdout
    for line in demo.stdout:
        said.append(line)
        if row := re.match(r"[│|]\s*([a-z]+)\s*[│|]\s*([a-z]+(?:-[a-z]+){4})\s*[│|]", line):
            found[row[1]] = row[2]
        if "Pages on http" in line:
            return found
    raise AssertionError("".join(said))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    where = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert where, "script/test leaves these tests out where there is no Chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=where, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        yield browser
        browser.close()


@pytest.fixture
def open_as(site: Site, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Sign in as a role for a purpose, in a browser of its own: ``open_as("specialist", "safety", width=400)``."""
    contexts = []

    def signed_in(role: str, purpose: str, *, width: int = 1280, **options: Any) -> Page:
        contexts.append(
            chromium.new_context(base_url=site.address, viewport={"width": width, "height": 900}, **options)
        )
        contexts[-1].set_default_timeout(60_000)
        page = contexts[-1].new_page()
        page.goto("/")
        page.get_by_label("Name").fill(role)
        page.get_by_label("Password").fill(site.passwords[role])
        with page.expect_navigation():
            page.locator("main button[type=submit], main button").first.click()
        if "/purpose" in page.url:
            page.locator(f"label[for=p-{purpose}]").click()
            with page.expect_navigation():
                page.locator("main button").click()
        return page

    yield signed_in
    for context in contexts:
        context.close()


def violations(page: Page) -> list[str]:
    """What axe finds wrong on the page as it stands, as sentences."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("rules => axe.run({runOnly: rules}).then(r => r.violations)", RULES)
    return [f"{page.url}: {v['id']}: {v['help']}: {v['nodes'][0]['html'][:200]}" for v in found]


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))
