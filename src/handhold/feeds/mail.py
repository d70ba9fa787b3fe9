"""A message as a delivery: its sender, its remark, and its attachments as parts. Pure.

Whatever a message holds is answered for: a part is a table, a message of its own, or something that is kept and not
opened, with the sentence that says why and what to send instead.
"""

import email.errors
import email.header
import email.message
import email.parser
import email.policy
import email.utils
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import BinaryIO

import oxmsg

from handhold.feeds.mapping.sheets import refusal
from handhold.feeds.model import Unreadable

MOST_PARTS = 200
DEEPEST = 5  # messages in messages; what lies deeper is kept with its message and not opened
SIGNATURES = {"application/pgp-signature", "application/pkcs7-signature", "application/x-pkcs7-signature"}
SEALED = {"application/pkcs7-mime", "application/x-pkcs7-mime", "application/pgp-encrypted"}
CUT = "the message ends in the middle of this part; ask for it to be sent again"
MBOX_LINE = b"From "


@dataclass(frozen=True)
class Part:
    """One attachment: its bytes as they were packed, and, where it is not opened, the sentence that says why."""

    name: str
    data: bytes
    refused: str | None = None
    message: bool = False


@dataclass(frozen=True)
class Message:
    """What a message says of itself. ``sent`` is null where its date cannot be read."""

    sender: str
    subject: str
    sent: datetime | None
    remark: str
    parts: list[Part] = field(default_factory=list)


def parse(data: bytes, format_: str) -> Message:
    """Open an ``eml`` or ``msg``. Raises :class:`Unreadable` for what is no message, or has more parts than one may have."""
    found = _outlook(data) if format_ == "msg" or data.startswith(b"\xd0\xcf\x11\xe0") else _internet(data)
    if len(found.parts) > MOST_PARTS:
        raise Unreadable(f"the message has more than {MOST_PARTS} attachments; send them in several messages")
    return found


def _internet(data: bytes) -> Message:
    whole = email.parser.BytesParser(policy=email.policy.compat32).parsebytes(data)
    if not whole.keys():
        raise Unreadable(
            "this is no message: it has no headers; save it from the mail program as .eml and send that"
        )
    parts: list[Part] = []
    plain: list[str] = []
    html: list[str] = []
    for one in _leaves(whole):
        if _is_text_of_body(one):
            (html if one.get_content_type() == "text/html" else plain).append(_text(one))
        elif one.get_content_type() not in SIGNATURES:
            parts.append(_part(one))
    if parts and _cut_short(whole):
        parts[-1] = Part(parts[-1].name, parts[-1].data, CUT)
    remark = "\n".join(plain) or "\n".join(_without_tags(one) for one in html)
    return Message(_address(whole), _words(whole, "Subject"), _sent(whole), remark.strip(), parts)


def _leaves(whole: email.message.Message) -> Iterator[email.message.Message]:
    """The parts that are no multiparts; a message in the message is one leaf."""
    if whole.get_content_maintype() == "multipart" and isinstance(whole.get_payload(), list):
        for one in whole.get_payload():
            yield from _leaves(one)  # type: ignore[arg-type]
    else:
        yield whole


def _cut_short(whole: email.message.Message) -> bool:
    closed = (email.errors.CloseBoundaryNotFoundDefect, email.errors.StartBoundaryNotFoundDefect)
    return any(isinstance(defect, closed) for one in whole.walk() for defect in one.defects)


def _is_text_of_body(one: email.message.Message) -> bool:
    said = str(one.get("Content-Disposition", "")).strip().casefold()
    text = one.get_content_type() in {"text/plain", "text/html"}
    return text and not said.startswith("attachment") and not one.get_filename()


def _part(one: email.message.Message) -> Part:
    name = _decoded(one.get_filename()) or ""
    kind = one.get_content_type()
    if one.get_content_maintype() == "message":
        return _inner(one, name)
    data = _bytes(one)
    if kind in SEALED:
        return Part(
            name or "encrypted", data, "the message is encrypted; send it in a form that Handhold can open"
        )
    if any(
        isinstance(defect, email.errors.InvalidBase64LengthDefect | email.errors.InvalidBase64PaddingDefect)
        for defect in one.defects
    ):
        return Part(
            name or "part",
            data,
            "the part is damaged on its way (its packing does not add up); send it again",
        )
    if name.lower().endswith(".msg") or _is_outlook(data):
        return Part(name or "message.msg", data, message=True)
    return Part(name or f"part.{kind.rpartition('/')[2][:8]}", data, refusal(data, name))


def _is_outlook(data: bytes) -> bool:
    return data.startswith(b"\xd0\xcf\x11\xe0") and "__substg1.0_".encode("utf-16-le") in data


def _inner(one: email.message.Message, name: str) -> Part:
    """A message in the message. Other kinds of it (a report of delivery, a piece of a longer message) hold no list."""
    inner = one.get_payload()
    if one.get_content_type() == "message/rfc822" and isinstance(inner, list) and len(inner) == 1:
        return Part(name or "message.eml", inner[0].as_bytes(), message=True)  # type: ignore[union-attr]
    whole = one.as_bytes()
    return Part(
        name or one.get_content_type(),
        whole,
        "this is a note of the mail system, which holds no list; send the spreadsheet itself",
    )


def _bytes(one: email.message.Message) -> bytes:
    data = one.get_payload(decode=True)
    if isinstance(data, bytes):
        return data
    return one.as_bytes()


def _text(one: email.message.Message) -> str:
    data = _bytes(one)
    try:
        return data.decode(one.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return data.decode("cp1252", "replace")


def _decoded(text: str | None) -> str:
    """A header's text, its encoded words read."""
    if not text:
        return ""
    try:
        said = str(email.header.make_header(email.header.decode_header(str(text))))
    except (LookupError, UnicodeError, ValueError, email.errors.HeaderParseError):
        said = str(text)
    clean = said.encode("utf-8", "replace").decode()
    return re.sub(r"\s+", " ", re.sub(r"[\x00-\x1f\x7f]", " ", clean)).strip()


def _words(whole: email.message.Message, name: str) -> str:
    return _decoded(whole.get(name))


def _address(whole: email.message.Message) -> str:
    """The address of the first sender, in lower case; empty where there is none."""
    found = [
        address for _, address in email.utils.getaddresses([str(whole.get("From", ""))]) if "@" in address
    ]
    return found[0].strip().casefold() if found else ""


def _sent(whole: email.message.Message) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(str(whole.get("Date", "")))
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _outlook(data: bytes) -> Message:
    """A message as Outlook saves it."""
    try:
        found = oxmsg.Message.load(data)
        parts = [_outlook_part(one) for one in found.attachments]
        sender, subject, body, sent = found.sender, found.subject, found.body, found.sent_date
        headers = found.message_headers
    except Exception as error:  # noqa: BLE001 - whatever the parser trips over, the file is what is wrong with it
        raise Unreadable(
            f"the Outlook message cannot be read ({type(error).__name__}); save it from the mail program as .eml and send that"
        ) from None
    address = email.utils.parseaddr(headers.get("From", "") or sender or "")[1].casefold()
    return Message(address if "@" in address else "", subject or "", sent, (body or "").strip(), parts)


def _outlook_part(one: oxmsg.attachment.Attachment) -> Part:
    name, data = one.file_name or "part", one.file_bytes
    if data is None:
        return Part(
            name,
            b"",
            "Outlook kept this attachment in a form that cannot be read; save it as a file and send that",
        )
    if name.lower().endswith((".msg", ".eml")) or _is_outlook(data):
        return Part(name, data, message=True)
    return Part(name, data, refusal(data, name))


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.silent += tag in {"style", "script"}
        if tag in {"br", "p", "div", "tr", "li"}:
            self.said.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in {"style", "script"} and self.silent > 0

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.said.append(data)


def _without_tags(html: str) -> str:
    words = _Words()
    words.feed(html)
    return re.sub(r"\s*\n\s*", "\n", "".join(words.said)).strip()


def messages(source: BinaryIO, longest: int) -> Iterator[bytes]:
    """The messages of an mbox, one after the other. Raises :class:`Unreadable` for what is none, or for an endless message."""
    held = io.BytesIO()
    blank, begun = True, False
    for line in iter(lambda: source.readline(1 << 20), b""):
        if blank and line.startswith(MBOX_LINE):
            if begun:
                yield held.getvalue()
            held, begun = io.BytesIO(), True
        elif not begun:
            raise Unreadable(
                "this is no mbox: it does not begin with a message; save the messages as .eml and send those"
            )
        else:
            held.write(line[1:] if re.match(rb">+From ", line) else line)
        if held.tell() > longest:
            raise Unreadable(
                "a message of this mbox is longer than a message may be; send its list in pieces"
            )
        blank = line in (b"\n", b"\r\n")
    if begun:
        yield held.getvalue()
