"""The SMTP door, spoken to by a real client: it says 250 when the message is kept, and not before."""

import email.policy
import smtplib
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from feeds.mapping.spreadsheets import message, no_shows, workbook
from handhold.feeds.doors.allowed import Allowed
from handhold.feeds.doors.smtp import Certificate, Door, address
from handhold.feeds.model import FeedError

ALLOWED = Allowed(("*@ero.example",), ("uc-tracking@*",), 200_000)
OURS = "uc-tracking@handhold.example"
LIST = message(("no shows.xlsx", workbook(("S", no_shows())))).as_bytes(policy=email.policy.SMTP)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def door() -> Iterator[Callable[..., int]]:
    """Opens a door that keeps by the given function; returns its port."""
    opened: list[Door] = []

    def open_(keep: Callable[[bytes], None], certificate: Certificate | None = None) -> int:
        one = Door(f"127.0.0.1:{free_port()}", keep, ALLOWED, certificate)
        one.open()
        opened.append(one)
        return one.port

    yield open_
    for one in opened:
        one.close()


def certificate(folder: Path) -> Certificate:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False).sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = serialization.Encoding.PEM
    (folder / "chain.pem").write_bytes(made.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Certificate(folder / "chain.pem", folder / "key.pem")


def test_a_message_is_kept_byte_for_byte_before_it_is_acknowledged(door: Callable[..., int]) -> None:
    kept: list[bytes] = []
    with smtplib.SMTP("127.0.0.1", door(kept.append), timeout=30) as client:
        assert client.sendmail("office@ero.example", OURS, LIST) == {}
        assert len(kept) == 1 and kept[0].replace(b"\r\n", b"\n") == LIST.replace(b"\r\n", b"\n")
        dotted = b"From: office@ero.example\r\n\r\n.one\r\n..two\r\n"
        client.sendmail("office@ero.example", OURS, dotted)
        assert kept[1] == dotted


def test_when_it_cannot_be_kept_the_sender_keeps_it(door: Callable[..., int]) -> None:
    def keep(_data: bytes) -> None:
        raise OSError("no space")

    with smtplib.SMTP("127.0.0.1", door(keep), timeout=30) as client:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            client.sendmail("office@ero.example", OURS, LIST)
        assert refused.value.smtp_code == 451 and b"again later" in refused.value.smtp_error  # type: ignore[operator]


def test_strangers_other_mailboxes_and_two_senders_are_refused_politely(door: Callable[..., int]) -> None:
    kept: list[bytes] = []
    with smtplib.SMTP("127.0.0.1", door(kept.append), timeout=30) as client:
        with pytest.raises(smtplib.SMTPSenderRefused, match="steward"):
            client.sendmail("stranger@elsewhere.example", OURS, LIST)
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            client.sendmail("office@ero.example", "someone@elsewhere.example", LIST)
        for head in (b"From: stranger@elsewhere.example\r\n\r\nx", b"Subject: none\r\n\r\nx", b"From: office@ero.example, b@ero.example\r\n\r\nx",
                     b"From: office@ero.example\r\nFrom: b@ero.example\r\n\r\nx"):  # fmt: skip
            with pytest.raises(smtplib.SMTPDataError, match="one sender"):
                client.sendmail("office@ero.example", OURS, head)
    assert kept == []


def test_a_message_too_large_is_refused(door: Callable[..., int]) -> None:
    kept: list[bytes] = []
    with smtplib.SMTP("127.0.0.1", door(kept.append), timeout=30) as client:
        client.ehlo()
        assert client.esmtp_features["size"] == "200000"
        with pytest.raises((smtplib.SMTPDataError, smtplib.SMTPSenderRefused)):
            client.sendmail(
                "office@ero.example",
                OURS,
                b"From: office@ero.example\r\n\r\n" + b"x" * 70 + b"\r\n" * 150_000,
            )
    assert kept == []


def test_with_a_certificate_nothing_is_said_in_the_clear(door: Callable[..., int], tmp_path: Path) -> None:
    kept: list[bytes] = []
    own = certificate(tmp_path)
    port = door(kept.append, own)
    with (
        smtplib.SMTP("127.0.0.1", port, timeout=30) as client,
        pytest.raises(smtplib.SMTPSenderRefused, match="STARTTLS"),
    ):
        client.sendmail("office@ero.example", OURS, LIST)
    with smtplib.SMTP("localhost", port, timeout=30) as client:
        client.starttls(context=ssl.create_default_context(cafile=str(own.chain)))
        client.sendmail("office@ero.example", OURS, LIST)
    assert len(kept) == 1


def test_an_address_or_a_certificate_that_cannot_be_says_so(tmp_path: Path) -> None:
    for wrong in ("2525", "localhost:", "localhost:http", "localhost:70000"):
        with pytest.raises(FeedError, match="HOST:PORT"):
            address(wrong)
    assert address("[::1]:25") == ("::1", 25)
    (tmp_path / "no.pem").write_text("none")
    with pytest.raises(FeedError, match="certificate"):
        Certificate(tmp_path / "no.pem").context()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(FeedError, match="cannot listen"):
            Door(f"127.0.0.1:{taken.getsockname()[1]}", lambda _data: None, ALLOWED).open()
