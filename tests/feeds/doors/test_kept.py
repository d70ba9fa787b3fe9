"""From a door to the database: kept first, then known to the clock; a look that is cut off loses and doubles nothing."""

from datetime import UTC, datetime

import pytest

from feeds.mapping.spreadsheets import message, no_shows, workbook
from handhold import jobs, store

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
pytestmark = pytest.mark.usefixtures("database")


def counted(query: str) -> int:
    with store.transaction() as db:
        row = db.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0


def test_the_same_message_twice_is_one_delivery_and_the_clock_opens_it() -> None:
    data = bytes(message(("l.xlsx", workbook(("S", no_shows(title="kept"))))))
    with store.connect(autocommit=True) as db:
        db.execute("listen handhold")
        for _ in range(2):  # killed after the keeping and before the marking, an IMAP message is found again
            jobs.keep_message(data, lambda: NOW, sender="imap")
        assert list(db.notifies(timeout=5, stop_after=1))
    assert counted("select count(*) from feeds_delivery where status = 'kept'") == 1
    jobs.everything(NOW)
    assert counted("select count(*) from feeds_delivery where status = 'waiting'") == 2
    assert counted("select count(*) from feeds_message") == 1
    jobs.everything(NOW)
    assert counted("select count(*) from feeds_delivery") == 2


def test_one_message_that_trips_does_not_stop_the_clock(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from handhold.feeds import mail

    bad, good = (
        bytes(message((f"{n}.csv", b"A#,Name\nA12345678%d,x\n" % n), subject=f"s{n}")) for n in (1, 2)
    )
    for data in (bad, good):
        jobs.keep_message(data, lambda: NOW, sender="smtp")
    whole = mail.parse

    def trips(data: bytes, format_: str) -> mail.Message:
        if data == bad:
            raise RuntimeError("Ana Roe, A123456789")
        return whole(data, format_)

    monkeypatch.setattr(mail, "parse", trips)
    jobs.everything(NOW)
    assert "RuntimeError" in caplog.text and "Roe" not in caplog.text
    assert counted("select count(*) from feeds_delivery where status = 'kept'") == 1
    monkeypatch.undo()
    jobs.everything(NOW)
    assert counted("select count(*) from feeds_delivery where status = 'kept'") == 0


def test_a_message_is_sealed_where_it_lies() -> None:
    data = b"From: office@ero.example\nSubject: s\n\nAna Roe, A123456789\n"
    jobs.keep_message(data, lambda: NOW, sender="smtp")
    with store.transaction() as db:
        (sha,) = db.execute("select sha256 from feeds_delivery where bytes = %s", [len(data)]).fetchone() or (
            b"",
        )
    with store.blobs.open_(bytes(sha)) as kept:
        assert kept.read() == data
    # No shorter: three letters do turn up in megabytes of sealed bytes, by chance.
    blobs = [path.read_bytes() for path in (store.home() / "blobs").rglob("*") if path.is_file()]
    assert blobs and not any(said in blob for blob in blobs for said in (b"Ana Roe", b"A123456789"))
