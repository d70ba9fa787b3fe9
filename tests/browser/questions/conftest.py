"""The pages served from a thread of this process, and a browser in front of them. No JavaScript: ``plain``."""

import os
import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingMixIn
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import pytest

os.environ.setdefault("HANDHOLD_SECRET_KEY", "only for tests; nothing is signed with it that anybody keeps")
# Playwright runs a loop in this thread, in which Django would refuse to read; nothing here is asynchronous.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

from handhold.web import setup

setup.django()
PASSWORD = "quartz-river-sable-tulip-mesa"
SCREENS = {"desk": {"width": 1280, "height": 900}, "phone": {"width": 400, "height": 800}}


class _Server(ThreadingMixIn, WSGIServer):
    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Each request has a thread of its own, whose connection ends with it."""
        from django.db import connections

        super().process_request_thread(request, client_address)
        connections.close_all()


class _Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Nothing: addresses are nobody's business."""


@pytest.fixture(scope="session")
def browser(chromium: Any) -> Any:
    """The one that all browser tests share: a process may drive only one at a time."""
    return chromium


@pytest.fixture(scope="module")
def served(database: str, django_db_blocker: Any) -> Iterator[str]:
    """The address of the pages, on the module's database; one person for each role."""
    from django.db import connections
    from django.test import override_settings

    from handhold.web.people import create_people
    from handhold.web.wsgi import application

    quick = override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"])
    with django_db_blocker.unblock(), quick:
        connections.close_all()
        create_people(PASSWORD)
        server = make_server("127.0.0.1", 0, application, _Server, _Quiet)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()
        connections.close_all()


@pytest.fixture
def sign_in(browser: Any, served: str) -> Iterator[Callable[..., Any]]:
    """Opens a page of a role, signed in for a purpose. ``script=False`` switches JavaScript off."""
    contexts = []

    def opened(role: str, purpose: str, *, script: bool = True, screen: str = "desk") -> Any:
        context = browser.new_context(base_url=served, java_script_enabled=script, viewport=SCREENS[screen])
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda said: page.problems.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto("/sign-in/")
        page.fill("[name=username]", role)
        page.fill("[name=password]", PASSWORD)
        page.press("[name=password]", "Enter")
        page.wait_for_url("**/purpose/")
        page.check(f"[name=purpose][value={purpose}]", force=True)
        page.click("main button.usa-button:not(.usa-button--unstyled)")
        return page

    yield opened
    for context in contexts:
        context.close()
