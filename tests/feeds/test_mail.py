"""Messages come apart into parts, each with its fate; whatever a message holds is answered for."""

import email.message
import mailbox
import struct
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feeds.mapping.spreadsheets import PACK, message, no_shows, workbook
from feeds.outlook import outlook
from handhold import casework, feeds, store
from handhold.feeds import mail
from handhold.feeds.model import Unreadable

LIST = workbook(("Sheet1", no_shows()))
OFFICE = casework.Office(by="system", now=datetime(2024, 6, 1, 12, tzinfo=UTC), pack=PACK, workers=1)


def test_sender_subject_date_remark_and_attachment() -> None:
    said = mail.parse(
        bytes(
            message(
                ("no shows.xlsx", LIST),
                sender="Ana <A@ERO.example>",
                subject="FW: Nº 5",
                remark="Two may be one.",
            )
        ),
        "eml",
    )
    assert (said.sender, said.subject, said.remark) == ("a@ero.example", "FW: Nº 5", "Two may be one.")
    assert said.sent == datetime(2024, 5, 31, 20, 5, tzinfo=UTC)
    assert [(p.name, p.data, p.refused) for p in said.parts] == [("no shows.xlsx", LIST, None)]


def test_a_remark_in_html_alone_is_kept_as_its_words() -> None:
    made = EmailMessage()
    made["From"] = "a@b.example"
    made.set_content("<style>p{}</style><p>Two of these<br>may be <b>one</b> child.</p>", subtype="html")
    assert mail.parse(bytes(made), "eml").remark == "Two of these\nmay be one child."


def test_names_in_encoded_words_and_rfc_2231() -> None:
    made = message(("liste-ñ.csv", b"a,b\n1,2\n"), subject="Niños")
    said = mail.parse(bytes(made), "eml")
    assert (said.subject, said.parts[0].name) == ("Niños", "liste-ñ.csv")
    old = b'From: x@y.example\nContent-Type: text/csv; name="=?utf-8?q?ni=C3=B1os=2Ecsv?="\nContent-Disposition: attachment\n\na,b\n'
    assert mail.parse(old, "eml").parts[0].name == "niños.csv"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("winmail.dat", struct.pack("<I", 0x223E9F78) + b"x", "Outlook package"),
        ("list.zip", b"PK\x03\x04not a zip at all", "not whole"),
        ("page.html", b"<html></html>", "web page"),
        ("logo.png", b"\x89PNG\r\n\x1a\n", "an image"),
        ("scan.pdf", b"%PDF-1.4", "a PDF"),
        ("empty.csv", b"", "empty"),
    ],
    ids=lambda said: said if isinstance(said, str) else "bytes",
)
def test_a_part_that_is_not_opened_says_why(name: str, data: bytes, says: str) -> None:
    (part,) = mail.parse(bytes(message((name, data))), "eml").parts
    assert part.refused is not None and says in part.refused and part.data == data


def test_an_encrypted_message_and_a_signature() -> None:
    made = message(("list.xlsx", LIST))
    made.add_attachment(b"sig", maintype="application", subtype="pkcs7-signature", filename="smime.p7s")
    made.add_attachment(b"secret", maintype="application", subtype="pkcs7-mime", filename="smime.p7m")
    parts = mail.parse(bytes(made), "eml").parts
    assert [p.name for p in parts] == ["list.xlsx", "smime.p7m"]
    assert "encrypted" in (parts[1].refused or "")


def test_a_message_in_a_message_is_a_part_that_is_a_message() -> None:
    made = message(sender="hq@ero.example", subject="for your attention")
    made.add_attachment(message(("l.xlsx", LIST), sender="miami@ero.example"))
    (part,) = mail.parse(bytes(made), "eml").parts
    inner = mail.parse(part.data, "eml")
    assert part.message and inner.sender == "miami@ero.example" and inner.parts[0].data == LIST


def test_a_message_cut_short_does_not_pass_for_whole() -> None:
    whole = bytes(message(("a.csv", b"a,b\n1,2\n"), ("b.csv", b"a,b\n" + b"1,2\n" * 300)))
    first, second = mail.parse(whole[:-200], "eml").parts
    assert first.refused is None and second.refused == mail.CUT


def test_a_date_that_is_none() -> None:
    for date in ("yesterday", "Fri, 99 May 2024 16:05:00", ""):
        assert mail.parse(f"From: a@b.example\nDate: {date}\n\nx".encode(), "eml").sent is None


def test_no_message_is_refused() -> None:
    with pytest.raises(Unreadable, match="no headers"):
        mail.parse(b"\x00\x01 not a message", "eml")
    with pytest.raises(Unreadable, match=r"save it from the mail program as \.eml"):
        mail.parse(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "msg")


def test_more_attachments_than_a_message_may_have() -> None:
    made = message(*((f"{n}.csv", b"a,b\n%d,2\n" % n) for n in range(mail.MOST_PARTS + 1)))
    with pytest.raises(Unreadable, match="several messages"):
        mail.parse(bytes(made), "eml")


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 4000), st.binary(max_size=30))
def test_no_bytes_break_the_reader(junk: bytes, at: int, patch: bytes) -> None:
    whole = bytes(message(("l.csv", b"a,b\n1,2\n"), ("m.html", b"<html>")))
    for data in (junk, whole[:at] + patch + whole[at + len(patch) :], b"From: a@b.example\n" + junk):
        try:
            said = mail.parse(data, "eml")
        except Unreadable:
            continue
        assert all(isinstance(part.data, bytes) for part in said.parts)


def arrive(*paths: Path) -> list[feeds.Delivery]:
    return casework.arrive(
        [file for path in paths for file in feeds.find(path)], OFFICE, sender="folder"
    ).deliveries


def fates(deliveries: list[feeds.Delivery]) -> list[tuple[str, str]]:
    return [(d.name, d.status) for d in deliveries]


@pytest.mark.usefixtures("database")
class TestKept:
    """As deliveries: the message, and each part of it."""

    def test_each_part_has_its_own_fate_and_all_bytes_are_kept(self, tmp_path: Path) -> None:
        parts = [("a.xlsx", LIST), ("logo.png", b"\x89PNG12"), ("b.csv", b'A#,Name\nA123456789,"Roe, Ana"\n')]
        (tmp_path / "m.eml").write_bytes(bytes(message(*parts, remark="One of these is Ana Roe.")))
        whole, *own = arrive(tmp_path)
        assert fates([whole, *own]) == [
            ("m.eml", "waiting"),
            ("a.xlsx", "waiting"),
            ("logo.png", "refused"),
            ("b.csv", "waiting"),
        ]
        assert whole.why == "3 parts: 1 refused, 2 waiting to be mapped"
        for delivery, (_, data) in zip(own, parts, strict=True):
            with store.blobs.open_(delivery.sha256) as kept:
                assert kept.read() == data
        with store.transaction() as db:
            assert feeds.parts.remark(db, whole.id) == {
                "sender": "office@ero.example",
                "subject": "no shows",
                "remark": "One of these is Ana Roe.",
            }
            sealed = db.execute(
                "select sender_sealed || subject_sealed || remark_sealed from feeds_message where delivery = %s",
                [whole.id],
            ).fetchone()
            assert sealed is not None and b"Roe" not in sealed[0] and b"ero.example" not in sealed[0]
            assert db.execute("select count(*) from timeline_event").fetchone() == (0,)

    def test_nested_messages_are_opened_to_a_depth(self, tmp_path: Path) -> None:
        inner: email.message.EmailMessage = message(
            ("deep.csv", b"A#,Name\nA123456789,x\n"), sender="deep@ero.example"
        )
        for n in range(mail.DEEPEST + 2):
            outer = message(sender=f"level{n}@ero.example", subject=f"level {n}")
            outer.add_attachment(inner)
            inner = outer
        (tmp_path / "nested.eml").write_bytes(bytes(inner))
        found = arrive(tmp_path)
        assert [d.status for d in found] == ["refused"] * (mail.DEEPEST + 2)
        assert "too deep" in (found[-1].why or "")

    def test_a_maildir_and_an_mbox(self, tmp_path: Path) -> None:
        box = mailbox.Maildir(tmp_path / "Maildir", create=True)
        box.add(bytes(message(("x.csv", b"A#,Name\nA123456781,x\n"), sender="maildir@ero.example")))
        (tmp_path / "Maildir" / "tmp" / "1.half").write_bytes(b"From: half@ero.example\n")
        (tmp_path / "Maildir" / "dovecot-uidlist").write_text("3")
        other = mailbox.mbox(tmp_path / "old.mbox", create=True)
        for n in range(2):
            made = message(
                (f"{n}.csv", b"A#,Name\nA12345678%d,y\n" % n),
                sender="mbox@ero.example",
                remark="From me\n\nFrom you",
            )
            other.add(mailbox.mboxMessage(made))
        other.close()
        found = arrive(tmp_path)
        kinds = [d.format for d in found]
        assert sorted(kind or "" for kind in kinds) == ["csv", "csv", "csv", "eml", "eml", "eml", "mbox"]
        with store.transaction() as db:
            remarks = [feeds.parts.remark(db, d.id) for d in found if d.format == "eml"]
        assert sum("From me\n\nFrom you" in (r or {}).get("remark", "") for r in remarks) == 2

    def test_a_message_without_attachment_is_kept_and_refused(self, tmp_path: Path) -> None:
        (tmp_path / "m.eml").write_bytes(
            bytes(message(subject="words only", remark="Ana Roe did not appear."))
        )
        (whole,) = arrive(tmp_path)
        assert whole.status == "refused" and "no attachment" in (whole.why or "")
        with store.transaction() as db:
            assert (feeds.parts.remark(db, whole.id) or {})["remark"] == "Ana Roe did not appear."

    def test_the_same_message_and_the_same_part_again_change_nothing(self, tmp_path: Path) -> None:
        (tmp_path / "a.eml").write_bytes(
            bytes(message(("l.csv", b"A#,Name\nA111111111,z\n"), subject="first"))
        )
        first = arrive(tmp_path)
        (tmp_path / "b.eml").write_bytes(
            bytes(message(("renamed.csv", b"A#,Name\nA111111111,z\n"), subject="second"))
        )
        again = arrive(tmp_path)
        assert [d.again for d in again if d.format == "eml"] == [True, False]
        assert {d.id for d in again if d.format == "csv"} == {first[1].id}

    def test_a_date_after_the_receiving_is_no_date_of_sending(self, tmp_path: Path) -> None:
        (tmp_path / "m.eml").write_bytes(
            bytes(message(("f.csv", b"A#,Name\nA111111112,z\n"), sent="Fri, 31 May 2199 16:05:00 -0400"))
        )
        whole = arrive(tmp_path)[0]
        assert str(whole.as_of) == "2024-06-01"

    def test_a_contract_name_in_a_message_is_no_contract_file(self, tmp_path: Path) -> None:
        rows = b"A-Number,Last Name,First Name,Date of Birth,Updated On\nA111111113,ROE,ANA,2008-01-02,2024-05-31\n"
        (tmp_path / "m.eml").write_bytes(bytes(message(("uc_transfers_2024-05-31.csv", rows))))
        assert [d.status for d in arrive(tmp_path)] == ["waiting", "waiting"]


def test_a_message_as_outlook_saves_it(tmp_path: Path) -> None:
    sent = datetime(2024, 5, 31, 20, 5, tzinfo=UTC)
    made = outlook(("no shows.xlsx", LIST), ("linked.xlsx", None), ("logo.png", b"\x89PNG"), sender="Office@ERO.example", subject="FW: Niños", body="Two may be one.", sent=sent)  # fmt: skip
    said = mail.parse(made, "msg")
    assert (said.sender, said.subject, said.remark, said.sent) == (
        "office@ero.example",
        "FW: Niños",
        "Two may be one.",
        sent,
    )
    assert [(p.name, p.data) for p in said.parts] == [
        ("no shows.xlsx", LIST),
        ("linked.xlsx", b""),
        ("logo.png", b"\x89PNG"),
    ]
    assert [bool(p.refused) for p in said.parts] == [False, True, True]
    assert "Outlook kept this attachment" in (said.parts[1].refused or "")
    # Attached to an internet message it is a message in the message, whatever it is called.
    (part,) = mail.parse(bytes(message(("forwarded.bin", made))), "eml").parts
    assert part.message and mail.parse(part.data, "msg").sender == "office@ero.example"
