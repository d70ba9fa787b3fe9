"""The IMAP door against a real IMAP server (pymap) on loopback."""

import imaplib
import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from feeds.doors.test_smtp import free_port
from feeds.mapping.spreadsheets import message, no_shows, workbook
from handhold.feeds.doors.allowed import Allowed, allowed
from handhold.feeds.doors.imap import Mailbox, poll
from handhold.feeds.model import FeedError
from handhold.pack import load

ALLOWED = Allowed(("*@ero.example",), ("*",), 100_000)
pytestmark = pytest.mark.slow


def at(port: int, **other: str) -> Mailbox:
    return Mailbox("127.0.0.1", "demouser", "demopass", port, tls="none", **other)  # type: ignore[arg-type]


@pytest.fixture
def server() -> Iterator[int]:
    """A fresh server with one empty mailbox; its port."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-c", "from pymap.main import main; main()", "--host", "127.0.0.1", "--port", str(port),
               "--no-service", "admin", "--no-service", "managesieve", "dict"]  # fmt: skip
    running = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}
    )
    try:
        for _ in range(150):
            try:
                imaplib.IMAP4("127.0.0.1", port, timeout=5).logout()
                break
            except OSError:
                assert running.poll() is None, "the IMAP server ended"
                time.sleep(0.2)
        yield port
    finally:
        running.terminate()
        running.wait(20)


def put(port: int, data: bytes) -> None:
    box = imaplib.IMAP4("127.0.0.1", port, timeout=10)
    box.login("demouser", "demopass")
    box.append("INBOX", "", None, data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))  # type: ignore[arg-type]
    box.logout()


def unseen(port: int) -> int:
    box = imaplib.IMAP4("127.0.0.1", port, timeout=10)
    box.login("demouser", "demopass")
    box.select("INBOX", readonly=True)
    _, found = box.uid("SEARCH", "UNSEEN")
    box.logout()
    return len(found[0].split())


def test_new_messages_are_kept_and_then_marked(server: int) -> None:
    first, second = (
        bytes(message(("l.xlsx", workbook(("S", no_shows(title=title)))), subject=title))
        for title in ("one", "two")
    )
    put(server, first)
    kept: list[bytes] = []
    assert poll(at(server), kept.append, ALLOWED) == 1
    assert kept[0].replace(b"\r\n", b"\n") == first.replace(b"\r\n", b"\n")
    assert poll(at(server), kept.append, ALLOWED) == 0
    put(server, second)
    assert poll(at(server), kept.append, ALLOWED) == 1 and len(kept) == 2


def test_a_message_that_could_not_be_kept_is_found_again(server: int) -> None:
    put(server, bytes(message(("l.csv", b"a,b\n1,2\n"))))

    def fails(_data: bytes) -> None:
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        poll(at(server), fails, ALLOWED)
    assert unseen(server) == 1
    kept: list[bytes] = []
    assert poll(at(server), kept.append, ALLOWED) == 1 and unseen(server) == 0


def test_strangers_and_what_is_too_large_stay_as_they_are(server: int) -> None:
    put(server, bytes(message(sender="stranger@elsewhere.example")))
    put(server, bytes(message(("big.csv", b"x" * 120_000))))
    kept: list[bytes] = []
    assert poll(at(server), kept.append, ALLOWED) == 0 and kept == [] and unseen(server) == 2


def test_what_does_not_open_says_what_to_check(server: int) -> None:
    wrong = Mailbox("127.0.0.1", "demouser", "not it", server, tls="none")
    with pytest.raises(FeedError, match="HANDHOLD_IMAP_USER"):
        poll(wrong, lambda _data: None, ALLOWED)
    with pytest.raises(FeedError, match="FOLDER"):
        poll(at(server, folder="Nowhere"), lambda _data: None, ALLOWED)
    with pytest.raises(FeedError, match="cannot be reached"):
        poll(at(free_port()), lambda _data: None, ALLOWED)


def test_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    assert Mailbox.of_environment() is None
    (tmp_path / "secret").write_text("s3cret\n")
    for name, value in {
        "HOST": "mail.example",
        "USER": "u",
        "PASSWORD_FILE": str(tmp_path / "secret"),
        "PORT": "1993",
        "EVERY": "5",
    }.items():
        monkeypatch.setenv(f"HANDHOLD_IMAP_{name}", value)
    assert Mailbox.of_environment() == Mailbox("mail.example", "u", "s3cret", 1993, every=5.0)
    monkeypatch.setenv("HANDHOLD_IMAP_TLS", "maybe")
    with pytest.raises(FeedError, match="HANDHOLD_IMAP_TLS"):
        Mailbox.of_environment()
    monkeypatch.setenv("HANDHOLD_IMAP_PORT", "imap")
    with pytest.raises(FeedError, match="numbers"):
        Mailbox.of_environment()


def test_a_deployments_own_lists_take_the_place_of_the_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert allowed(load()).sender("anybody@ero.example")
    monkeypatch.setenv("HANDHOLD_MAIL_SENDERS", "one@office.example, *@other.example")
    said = allowed(load())
    assert said.senders == ("one@office.example", "*@other.example") and not said.sender(
        "anybody@ero.example"
    )
