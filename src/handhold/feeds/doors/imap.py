"""The IMAP door: a mailbox is looked into now and then; a message is marked as seen only once it is kept.

What the lists do not allow, or what is too large, is left in the mailbox as it is.
"""

import imaplib
import logging
import os
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from handhold.feeds.doors.allowed import Allowed
from handhold.feeds.model import FeedError

LOG = logging.getLogger("handhold.doors.imap")
PATIENCE = 30.0  # seconds to wait for the server
SIZE = re.compile(rb"RFC822\.SIZE (\d+)")
SAFE = re.compile(r"[^\"\\\r\n]+")

Keep = Callable[[bytes], None]


@dataclass(frozen=True)
class Mailbox:
    """Where to look, and as whom. ``tls``: ``tls`` from the first byte, ``starttls``, or ``none`` (a test on one machine)."""

    host: str
    user: str
    password: str
    port: int = 993
    folder: str = "INBOX"
    tls: str = "tls"
    every: float = 60.0

    @classmethod
    def of_environment(cls) -> "Mailbox | None":
        """``HANDHOLD_IMAP_HOST, _USER, _PASSWORD`` (or ``_PASSWORD_FILE``), ``_PORT, _FOLDER, _TLS, _EVERY``; ``None`` where no host
        is named. Raises :class:`FeedError` for a setting that cannot be."""
        said = {
            name: os.environ.get(f"HANDHOLD_IMAP_{name}", "")
            for name in ("HOST", "USER", "PORT", "FOLDER", "TLS", "EVERY")
        }
        if not said["HOST"]:
            return None
        try:
            made = cls(said["HOST"], said["USER"], _password(), int(said["PORT"] or 993), said["FOLDER"] or "INBOX", said["TLS"] or "tls", float(said["EVERY"] or 60))  # fmt: skip
        except (ValueError, OSError):
            raise FeedError(
                "HANDHOLD_IMAP_PORT and _EVERY are numbers, and _PASSWORD_FILE names a file that can be read; correct them"
            ) from None
        if made.tls not in {"tls", "starttls", "none"} or not SAFE.fullmatch(made.folder):
            raise FeedError(
                "HANDHOLD_IMAP_TLS is tls, starttls or none, and HANDHOLD_IMAP_FOLDER the name of a folder; correct them"
            )
        return made


def _password() -> str:
    file = os.environ.get("HANDHOLD_IMAP_PASSWORD_FILE")
    return Path(file).read_text("utf-8").strip() if file else os.environ.get("HANDHOLD_IMAP_PASSWORD", "")


def poll(mailbox: Mailbox, keep: Keep, allowed: Allowed) -> int:
    """Keep every message that is not marked as seen, and mark it; returns how many.

    A process killed after the keeping and before the marking finds the message again, and the same bytes are one delivery.
    Raises :class:`FeedError` when the mailbox cannot be reached or opened.
    """
    kept = 0
    with _open(mailbox) as box:
        for uid in _unseen(box):
            if not _wanted(box, uid, allowed):
                continue
            data = _fetched(box, uid, "(BODY.PEEK[])")
            if data is None:
                continue
            keep(data)
            box.uid("STORE", uid, "+FLAGS", r"(\Seen)")
            kept += 1
    return kept


@contextmanager
def _open(mailbox: Mailbox) -> Iterator[imaplib.IMAP4]:
    try:
        box = _connected(mailbox)
    except (OSError, imaplib.IMAP4.error) as error:
        raise FeedError(
            f"the mailbox cannot be reached ({type(error).__name__}); check HANDHOLD_IMAP_HOST and _TLS"
        ) from None
    try:
        try:
            box.login(mailbox.user, mailbox.password)
            ok, _ = box.select(f'"{mailbox.folder}"')
        except imaplib.IMAP4.error:
            raise FeedError(
                "the mailbox does not open; check HANDHOLD_IMAP_USER, _PASSWORD and _FOLDER"
            ) from None
        if ok != "OK":
            raise FeedError("the mailbox has no such folder; check HANDHOLD_IMAP_FOLDER")
        yield box
    finally:
        with suppress(OSError, imaplib.IMAP4.error):
            box.logout()


def _connected(mailbox: Mailbox) -> imaplib.IMAP4:
    if mailbox.tls == "tls":
        return imaplib.IMAP4_SSL(
            mailbox.host, mailbox.port, ssl_context=ssl.create_default_context(), timeout=PATIENCE
        )
    box = imaplib.IMAP4(mailbox.host, mailbox.port, timeout=PATIENCE)
    if mailbox.tls == "starttls":
        box.starttls(ssl.create_default_context())
    return box


def _unseen(box: imaplib.IMAP4) -> list[str]:
    _, found = box.uid("SEARCH", "UNSEEN")
    return [uid.decode() for uid in (found[0] or b"").split()]


def _wanted(box: imaplib.IMAP4, uid: str, allowed: Allowed) -> bool:
    """Looked at by its head, so that a message that is left costs nothing."""
    _, found = box.uid("FETCH", uid, "(RFC822.SIZE BODY.PEEK[HEADER])")
    said = b" ".join(
        part
        for one in found
        for part in (one if isinstance(one, tuple) else (one,))
        if isinstance(part, bytes)
    )
    size, head = SIZE.search(said), _literal(found)
    if size is None or head is None or not allowed.headers(head):
        return False
    if int(size[1]) > allowed.most_bytes:
        LOG.warning("a message of %s bytes is too large and was left in the mailbox", size[1].decode())
        return False
    return True


def _fetched(box: imaplib.IMAP4, uid: str, what: str) -> bytes | None:
    _, found = box.uid("FETCH", uid, what)
    return _literal(found)


def _literal(found: list[object]) -> bytes | None:
    return next((bytes(one[1]) for one in found if isinstance(one, tuple) and len(one) > 1), None)
