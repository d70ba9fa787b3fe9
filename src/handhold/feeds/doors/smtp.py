"""The SMTP door: a message is acknowledged with 250 only once it is kept, so none is lost between here and its sender.

It relays nothing. Whom it does not take from, it tells so; when a message cannot be kept, the sender is told to try again.
"""

import asyncio
import logging
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from handhold.feeds.doors.allowed import Allowed
from handhold.feeds.model import FeedError

LOG = logging.getLogger("handhold.doors.smtp")
MOST_RECIPIENTS = 50
IDLE = 120.0  # seconds a sender may be silent
READY_WITHIN = 10.0

Keep = Callable[
    [bytes], None
]  # returns once the message is kept; whatever it raises, the sender keeps the message


@dataclass(frozen=True)
class Certificate:
    """With a certificate, senders must use TLS before they say anything else."""

    chain: Path
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            made.load_cert_chain(self.chain, self.key)
        except (OSError, ssl.SSLError) as error:
            raise FeedError(
                f"the certificate of the SMTP door cannot be used ({error.strerror or type(error).__name__}); give a PEM chain and its key"
            ) from None
        return made


class Handler:
    """Answers each step of a sending; see RFC 5321 for the codes."""

    def __init__(self, keep: Keep, allowed: Allowed) -> None:
        self._keep, self._allowed = keep, allowed

    async def handle_MAIL(  # noqa: N802 - aiosmtpd names it
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str | None, options: list[str]
    ) -> str:
        """Take from whom the lists allow."""
        if not self._allowed.sender(address):
            return "550 5.7.1 this sender is not known here; ask the steward of Handhold to have it listed"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 sender is known"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Take for our own addresses only."""
        if not self._allowed.recipient(address):
            return "550 5.1.1 there is no such mailbox here; nothing is passed on"
        if len(envelope.rcpt_tos) >= MOST_RECIPIENTS:
            return "452 4.5.3 too many recipients; one is enough"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 recipient is ours"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message, and only then say so."""
        data = bytes(envelope.original_content or b"")
        if not self._allowed.headers(data):
            return "550 5.7.1 the message must come from one sender, and from one that is known here"
        try:
            await asyncio.get_running_loop().run_in_executor(None, self._keep, data)
        except Exception as error:  # noqa: BLE001 - whatever it is, the sender still has the message and must keep it
            LOG.error("a message could not be kept: %s", type(error).__name__)  # noqa: TRY400 - a message could hold a value
            return "451 4.3.0 the message could not be kept; please send it again later"
        return "250 2.0.0 kept"


class Door:
    """A listening SMTP server in a thread of its own."""

    def __init__(
        self, where: str, keep: Keep, allowed: Allowed, certificate: Certificate | None = None
    ) -> None:
        host, port = address(where)
        more: dict[str, Any] = {}
        if certificate is not None:
            more = {"tls_context": certificate.context(), "require_starttls": True}
        self._controller = Controller(
            Handler(keep, allowed), hostname=host, port=port, ready_timeout=READY_WITHIN, data_size_limit=allowed.most_bytes, timeout=IDLE,
            ident="Handhold", server_hostname="handhold", **more,
        )  # fmt: skip
        self._where = where

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return int(self._controller.server.sockets[0].getsockname()[1])  # type: ignore[union-attr]

    def open(self) -> None:
        """Listen. Raises :class:`FeedError` when the address is taken or not ours."""
        try:
            self._controller.start()
        except (OSError, TimeoutError) as error:
            self._controller.loop.close()
            raise FeedError(
                f"the SMTP door cannot listen on {self._where} ({getattr(error, 'strerror', None) or type(error).__name__}); choose another address"
            ) from None

    def close(self) -> None:
        """Stop listening; a message that is being kept is kept."""
        self._controller.stop()


def address(where: str) -> tuple[str, int]:
    """``HOST:PORT``. Raises :class:`FeedError` for anything else."""
    host, _, port = where.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise FeedError(f"{where!r} is no address; write it as HOST:PORT, for example 127.0.0.1:2525")
    return host.strip("[]"), int(port)
