"""A sender's spreadsheet from its arrival to its events: it waits, a person confirms, its rows go the way of every other feed."""

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from feeds.mapping.spreadsheets import NUMBERS, PACK, message, no_shows, workbook
from handhold import casework, feeds, oversight, store
from handhold.feeds import mapping
from handhold.feeds.mapping import MappingError

NOW = datetime(2024, 6, 1, 12, tzinfo=UTC)
OFFICE = casework.Office(by="person:7", now=NOW, pack=PACK, workers=1)
pytestmark = pytest.mark.usefixtures("database")


def arrive(folder: Path, name: str, data: bytes, *, sender: str = "folder") -> list[feeds.Delivery]:
    path = folder / name
    path.write_bytes(data)
    return casework.arrive([path], OFFICE, sender=sender).deliveries


def mail_in(folder: Path, *attached: tuple[str, bytes], sender: str, **about: str) -> list[feeds.Delivery]:
    return arrive(
        folder,
        f"{sender}-{len(list(folder.iterdir()))}.eml",
        bytes(message(*attached, sender=sender, **about)),
    )


def propose(delivery: feeds.Delivery, **change: object) -> str:
    with store.transaction() as db:
        best = feeds.waiting.look(db, delivery.id, pack=PACK).proposals[0]
    from dataclasses import replace

    return mapping.write(replace(best.mapping, **change), whys=best.whys)  # type: ignore[arg-type]


def confirm(delivery: feeds.Delivery, **change: object) -> list[feeds.Delivery]:
    return casework.confirm_mapping(propose(delivery, **change), OFFICE)[1].deliveries


def one(query: str, *values: object) -> object:
    with store.transaction() as db:
        row = db.execute(query.encode(), values).fetchone()
    return row[0] if row and len(row) == 1 else row


def now_of(delivery: feeds.Delivery) -> tuple[str, str | None]:
    return one("select status, why from feeds_delivery where id = %s", delivery.id)  # type: ignore[return-value]


def ero(folder: Path, day: str, *numbers: str) -> feeds.Delivery:
    """ERO's own snapshot with these children."""
    rows = "".join(f"{n},LAST{n[-3:]},FIRST,2008-01-02,ACTIVE,{day}\n" for n in numbers)
    head = "A-Number,Last Name,First Name,Date of Birth,Case Status,Updated On\n"
    return arrive(folder, f"uc_transfers_{day}.csv", (head + rows).encode())[0]


def test_it_waits_until_a_person_confirms_and_then_becomes_events(tmp_path: Path) -> None:
    whole, part = mail_in(
        tmp_path, ("no shows.xlsx", workbook(("Sheet1", no_shows()))), sender="first@ero.example"
    )
    assert (whole.status, part.status, part.feed, part.rows) == ("waiting", "waiting", None, None)
    assert one("select count(*) from feeds_row") == 0
    (read,) = confirm(part)
    assert (read.status, read.rows, read.loaded, read.quarantined, read.left) == ("read", 5, 5, 0, 0)
    assert now_of(whole) == ("read", "1 part: 1 read")
    events = one(
        "select count(*), min(day), max(day), min(agency) from timeline_event where kind = 'missed-hearing-noted'"
    )
    assert events == (5, datetime(2024, 5, 31).date(), datetime(2024, 5, 31).date(), "ERO")
    version = one("select id from feeds_mapping where name = 'first'")
    assert one("select array_agg(distinct mapping) from feeds_row where delivery = %s", part.id) == [version]
    with store.transaction() as db:  # a message is of no feed, its parts are: figures rest on those
        assert all(figure.value >= 0 for figure in oversight.picture(db, now=NOW, pack=PACK))
        opened = oversight.explain(db, "untold-ero", now=NOW, pack=PACK, limit=1)
    assert "ero.uc_transfers@first" in dict(opened.feeds)
    again = mail_in(tmp_path, ("no shows.xlsx", workbook(("Sheet1", no_shows()))), sender="first@ero.example")
    assert one("select count(*) from timeline_event where kind = 'missed-hearing-noted'") == 5
    assert {d.status for d in again} <= {"read"}


def test_a_message_is_undone_with_its_list(tmp_path: Path) -> None:
    whole, part = mail_in(
        tmp_path, ("n.xlsx", workbook(("S", no_shows(title="undone")))), sender="undone@ero.example"
    )
    confirm(part)
    told = "select count(*) from timeline_event where delivery = %s and superseded_by is null"
    stood = one(told, part.id)
    casework.undo(whole.id, "it was last year's list", OFFICE)
    assert (now_of(whole)[0], now_of(part)[0]) == ("undone", "undone")
    assert one(told, part.id) == 0
    casework.redo(whole.id, "it was not", OFFICE)
    assert (now_of(whole), now_of(part)[0]) == (("read", "1 part: 1 read"), "read")
    assert one(told, part.id) == stood > 0


def test_all_that_waited_for_one_mapping_is_read_at_once(tmp_path: Path) -> None:
    parts = [
        mail_in(
            tmp_path,
            ("no shows.xlsx", workbook(("Sheet1", no_shows(title=title)))),
            sender="many@ero.example",
        )[1]
        for title in ("first list", "second list", "third list")
    ]
    read = {done.id: done.status for done in confirm(parts[0])}
    assert read == {part.id: "read" for part in parts}


def test_the_next_list_of_the_same_sender_is_read_at_once(tmp_path: Path) -> None:
    confirm(
        mail_in(tmp_path, ("a.xlsx", workbook(("S", no_shows(title="May")))), sender="second@ero.example")[1],
        part="*",
    )
    _whole, part = mail_in(
        tmp_path, ("b.xlsx", workbook(("S", no_shows(title="June")))), sender="second@ero.example", sent="Sat, 01 Jun 2024 06:00:00 -0400"
    )  # fmt: skip
    # The hearing was missed as before; that the office still says so on the next day is a later statement of the same rows.
    assert (part.status, part.rows, part.loaded) == ("read", 5, 5)
    _whole, other = mail_in(
        tmp_path, ("c.xlsx", workbook(("S", no_shows(title="July")))), sender="stranger@ero.example"
    )
    assert other.status == "waiting"


def test_a_part_never_speaks_for_the_rest_of_the_agencys_snapshot(tmp_path: Path) -> None:
    numbers = [f"A3000000{n:02}" for n in range(60)]
    ero(tmp_path, "2024-05-30", *numbers)
    rows = [
        ["A#", "Last", "First", "FTA"],
        [numbers[0], "LAST000", "FIRST", "Y"],
        ["A399999999", "NEW", "CHILD", "Y"],
    ]
    confirm(mail_in(tmp_path, ("l.xlsx", workbook(("S", rows))), sender="third@ero.example")[1])
    assert one("select count(*) from feeds_row where withdrawn is not null") == 0
    later = ero(tmp_path, "2024-06-01", *numbers)
    assert (later.status, later.withdrawn) == ("read", 0)
    mapped = "select count(*) from feeds_row where feed = 'ero.uc_transfers@third' and withdrawn is null"
    assert one(mapped) == 2
    fewer = mail_in(tmp_path, ("l.xlsx", workbook(("S", rows[:2]))), sender="third@ero.example")[1]
    assert (fewer.status, fewer.withdrawn) == ("read", 0) and one(mapped) == 2
    # Both speak of one file: the agency's number is the same, whoever of the agency writes it.
    assert (
        one(
            "select count(distinct file) from feeds_row where number is not null and file in (select file from feeds_row where feed like '%%@third')"
        )
        == 2
    )


def test_a_list_that_stands_for_the_whole_of_its_sender_takes_back_what_is_gone_from_it(
    tmp_path: Path,
) -> None:
    rows = [["A#", "Last", "First", "FTA"], *([n, "ROE", "ANA", "Y"] for n in NUMBERS)]
    confirm(
        mail_in(tmp_path, ("l.xlsx", workbook(("S", rows))), sender="fourth@ero.example")[1], covers="whole"
    )
    later = mail_in(
        tmp_path, ("l.xlsx", workbook(("S", rows[:-1]))), sender="fourth@ero.example", sent="Sat, 01 Jun 2024 06:00:00 -0400"
    )[1]  # fmt: skip
    assert (later.status, later.withdrawn) == ("read", 1)
    assert (
        one(
            "select count(*) from feeds_row where withdrawn is not null and feed <> 'ero.uc_transfers@fourth'"
        )
        == 0
    )


def test_a_changed_header_waits_and_says_what_differs(tmp_path: Path) -> None:
    sender = "fifth@ero.example"
    confirm(mail_in(tmp_path, ("l.xlsx", workbook(("S", no_shows(title=sender)))), sender=sender)[1])
    changed = no_shows(header=("A#", "Name", "Hearing", "NO SHOW?", "Remarks"), title="changed")
    whole, part = mail_in(tmp_path, ("l.xlsx", workbook(("S", changed))), sender=sender)
    assert part.status == "waiting" and part.rows is None
    assert (
        part.why is not None
        and "gone: Court date; new: Hearing" in part.why
        and "confirm a new version" in part.why
    )
    assert now_of(whole) == ("waiting", "1 part: 1 waiting to be mapped")
    # The same columns in another order are the same columns.
    moved = [[row[i] for i in (4, 2, 0, 1, 3)] if len(row) == 5 else row for row in no_shows(title="moved")]
    assert mail_in(tmp_path, ("l.xlsx", workbook(("S", moved))), sender=sender)[1].status == "read"
    # A person confirms the new header: the next version, and what waited is read by it.
    (read,) = confirm(part)
    assert read.status == "read"
    assert one("select array_agg(version order by version) from feeds_mapping where name = 'fifth'") == [1, 2]
    assert (
        one(
            "select m.version from feeds_delivery d join feeds_mapping m on m.id = d.mapping where d.id = %s",
            part.id,
        )
        == 2
    )


def test_a_list_without_header_names_nobody(tmp_path: Path) -> None:
    sender = "sixth@ero.example"
    confirm(mail_in(tmp_path, ("l.xlsx", workbook(("S", no_shows(title=sender)))), sender=sender)[1])
    bare = mail_in(tmp_path, ("l.xlsx", workbook(("S", no_shows()[3:]))), sender=sender)[1]
    assert bare.status == "waiting"
    assert not any(word in (bare.why or "") for word in ("Roe", "Ana", "232"))


def test_bad_rows_are_quarantined_as_in_every_feed_and_all_are_counted(tmp_path: Path) -> None:
    rows = [["A#", "Last", "First", "DOB", "FTA"], [NUMBERS[0], "ROE", "ANA", "02/30/2009", "Y"], [None, "POE", "EVA", "01/02/2009", "Y"],
            [NUMBERS[1], "DOE", "EVA", "01/02/2009", "maybe"], [NUMBERS[2], "MOE", "EVA", "01/02/2009", "N"], ["Total", 4, None, None, None]]  # fmt: skip
    (read,) = confirm(mail_in(tmp_path, ("l.xlsx", workbook(("S", rows))), sender="seventh@ero.example")[1])
    assert (read.rows, read.loaded, read.quarantined, read.left) == (5, 2, 2, 1)
    assert "1 total line at the end" in (read.why or "")


def bad_list(sender: str, folder: Path) -> feeds.Delivery:
    """Read by its mapping; the first row has a birth date that no calendar has. No two senders send the same bytes."""
    rows = [["A#", "Last", "First", "DOB", "FTA", "Room"], [NUMBERS[0], "ROE", "ANA", "02/30/2009", "Y", "@4B"], [NUMBERS[1], "DOE", "EVA", "01/02/2009", "N", sender]]  # fmt: skip
    (read,) = confirm(mail_in(folder, ("l.xlsx", workbook(("S", rows))), sender=sender)[1])
    assert (read.loaded, read.quarantined) == (1, 1)
    return read


def test_refused_rows_go_back_in_the_senders_own_columns(tmp_path: Path) -> None:
    read = bad_list("export@ero.example", tmp_path)
    target = tmp_path / "back.csv"
    assert casework.export_quarantine(read.id, target, OFFICE) == 1
    with target.open(encoding="utf-8-sig", newline="") as back:
        header, row = csv.reader(back)
    assert header == ["A#", "Last", "First", "DOB", "FTA", "Room", "Why it was refused"]
    assert row[:6] == [NUMBERS[0], "ROE", "ANA", "02/30/2009", "Y", "'@4B"] and "Date of Birth" in row[6]


def test_a_refused_row_of_a_mapped_list_is_corrected_in_place(tmp_path: Path) -> None:
    read = bad_list("correct@ero.example", tmp_path)
    line = one("select line from feeds_quarantine where delivery = %s", read.id)
    casework.fix(read.id, int(str(line)), {"Date of Birth": "2009-02-28"}, "the office said so", OFFICE)
    assert one("select count(*) from feeds_row where delivery = %s and withdrawn is null", read.id) == 2
    assert one("select count(*) from feeds_quarantine where delivery = %s and released is null", read.id) == 0
    noted = "select count(*) from timeline_event where delivery = %s and kind = 'missed-hearing-noted'"
    assert one(noted, read.id) == 1


def test_a_mapped_list_of_an_earlier_day_is_told_in_its_place(tmp_path: Path) -> None:
    """The later list stands where both speak; the earlier one is the past, and what returns when the later is undone."""
    sender, head = "between@ero.example", ["A#", "Last", "First", "FTA"]
    june = [head, [NUMBERS[0], "ROE", "ANA", "Y"], [NUMBERS[1], "DOE", "EVA", "Y"]]
    may = [head, [NUMBERS[0], "ROE", "ANITA", "Y"], [NUMBERS[2], "MOE", "IDA", "Y"]]
    list_ = mail_in(
        tmp_path, ("l.xlsx", workbook(("S", june))), sender=sender, sent="Sat, 01 Jun 2024 06:00:00 -0400"
    )[1]
    (later,) = confirm(list_, effective_from=date(2024, 1, 1))
    earlier = mail_in(tmp_path, ("l.xlsx", workbook(("S", may))), sender=sender)[1]
    assert (later.status, earlier.status) == ("read", "read")
    assert "told again in the order of the days" in (earlier.why or "")
    by = "select count(*) from feeds_row where delivery = %s and withdrawn is null"
    assert (one(by, later.id), one(by, earlier.id)) == (2, 1)
    assert one("select count(*) from feeds_row_past where delivery = %s", earlier.id) == 1
    casework.undo(later.id, "it was a draft", OFFICE)
    assert (one(by, later.id), one(by, earlier.id)) == (0, 2)


def test_a_mapping_can_be_tried_before_anybody_confirms_it(tmp_path: Path) -> None:
    rows = [["A#", "Last", "First", "DOB", "FTA"], [NUMBERS[0], "ROE", "ANA", "02/30/2009", "Y"], [NUMBERS[1], "POE", "EVA", "01/02/2009", "Y"], ["Total", 2, None, None, None]]  # fmt: skip
    part = mail_in(tmp_path, ("l.xlsx", workbook(("S", rows))), sender="trial@ero.example")[1]
    with store.transaction() as db:
        tried = feeds.waiting.attempt(db, part.id, propose(part), now=NOW, pack=PACK)
        with pytest.raises(MappingError, match="not in the header"):
            feeds.waiting.attempt(
                db, part.id, propose(part).replace('from = "A#"', 'from = "B#"'), now=NOW, pack=PACK
            )
    assert (tried.rows, tried.usable, tried.left) == (3, 1, 1)
    assert [n for _, n in tried.reasons] == [1] and "Date of Birth" in tried.reasons[0][0]
    assert (
        now_of(part)[0] == "waiting"
        and one("select count(*) from feeds_row where delivery = %s", part.id) == 0
    )


def test_whether_it_is_confirmed_before_or_after_it_came_is_the_same(tmp_path: Path) -> None:
    """The same list under two senders: one's mapping was confirmed by an earlier list, the other's by this one."""
    said = []
    for sender, first in (("before@ero.example", True), ("after@ero.example", False)):
        book = [
            (
                "x.xlsx",
                workbook(
                    (
                        "S",
                        [
                            *no_shows(title=sender),
                            ["A5000000" + ("11" if first else "22"), "Q, R", "01/02/2024", "N", None],
                        ],
                    )
                ),
            )
        ]
        if first:
            confirm(
                mail_in(tmp_path, ("y.xlsx", workbook(("S", no_shows(title="earlier")[:4]))), sender=sender)[
                    1
                ],
                part="*",
            )
            part = mail_in(tmp_path, *book, sender=sender)[1]
        else:
            part = mail_in(tmp_path, *book, sender=sender)[1]
            (part,) = confirm(part, part="*")
        said.append((part.status, part.rows, one("select count(*) from feeds_row where feed like %s", f"%@{sender.partition('@')[0]}"),
                     one("select count(*) from timeline_event e join feeds_row r on r.id = e.row_ where r.feed like %s and e.superseded_by is null", f"%@{sender.partition('@')[0]}")))  # fmt: skip
    assert said[0] == said[1] == ("read", 6, 6, 5)


def test_each_sheet_of_a_workbook_is_a_part_of_its_own(tmp_path: Path) -> None:
    data = workbook(
        ("Notes", [["call", "me"], ["back", "please"]]), ("May", no_shows(title="eighth")), hidden=["May"]
    )
    whole, book, notes, may = mail_in(tmp_path, ("two.xlsx", data), sender="eighth@ero.example")
    assert [d.status for d in (whole, book, may, notes)] == ["waiting"] * 4
    assert (may.sheet, notes.sheet) == ("May", "Notes")
    (read,) = confirm(may)
    assert read.status == "read" and "the sheet is hidden; it was read" in (read.why or "")
    assert now_of(book) == ("waiting", "2 parts: 1 read, 1 waiting to be mapped")
    casework.reject_part(notes.id, "a note, no list", OFFICE)
    assert now_of(notes) == ("refused", "not to be mapped: a note, no list")
    assert now_of(book)[0] == now_of(whole)[0] == "read"
    with pytest.raises(MappingError, match="does not wait"):
        casework.reject_part(notes.id, "again", OFFICE)


def test_a_file_that_came_without_a_message_is_mapped_by_its_sender_and_name(tmp_path: Path) -> None:
    rows = "A#;Last;First;FTA\n" + "".join(f"{n};ROE;ANA;Y\n" for n in NUMBERS)
    (waits,) = arrive(tmp_path, "from_denver_2024-05-20.csv", rows.encode(), sender="upload:denver")
    assert waits.status == "waiting"
    (read,) = confirm(waits, sender="upload:denver", feed="ero.uc_transfers")
    assert (read.status, read.rows, str(read.as_of)) == ("read", 5, "2024-05-20")
    day = "select min(day) from timeline_event where delivery = %s and kind = 'missed-hearing-noted'"
    assert str(one(day, waits.id)) == "2024-05-20"


def test_two_mappings_that_would_both_read_it_leave_it_waiting(tmp_path: Path) -> None:
    sender = "ninth@ero.example"
    first = mail_in(tmp_path, ("l.xlsx", workbook(("S", no_shows(title=sender)))), sender=sender)[1]
    text = propose(first)
    casework.confirm_mapping(text, OFFICE)
    casework.confirm_mapping(text.replace('name = "ninth"', 'name = "ninth-too"'), OFFICE)
    part = mail_in(tmp_path, ("l.xlsx", workbook(("S", no_shows(title="next")))), sender=sender)[1]
    assert part.status == "waiting" and "ninth, ninth-too" in (part.why or "")
    casework.end_mapping("ninth-too", OFFICE)
    assert casework.confirm_mapping(text, OFFICE)[0].version == 1
    assert now_of(part)[0] == "read"


def test_two_lists_of_one_sender_are_told_apart_by_their_headers(tmp_path: Path) -> None:
    sender = "tenth@ero.example"
    confirm(
        mail_in(tmp_path, ("l.xlsx", workbook(("S", no_shows(title=sender)))), sender=sender)[1],
        name="tenth-a",
    )
    other = [["Alien No.", "Last", "First", "DOB"], *([n, "ROE", "ANA", "01/02/2009"] for n in NUMBERS)]
    part = mail_in(tmp_path, ("l.xlsx", workbook(("S", other))), sender=sender)[1]
    assert part.status == "waiting"
    confirm(part, name="tenth-b")
    again = mail_in(tmp_path, ("l.xlsx", workbook(("S", [["kept by us"], *other]))), sender=sender)[1]
    assert (again.status, again.feed) == ("read", "ero.uc_transfers@tenth-b")


def test_reading_again_with_a_new_version_is_seen_before_it_is_done(tmp_path: Path) -> None:
    sender = "eleventh@ero.example"
    rows = [["A#", "Last", "First", "Apprehended", "FTA"], *([n, "ROE", "ANA", f"0{at}/02/2023", "Y"] for at, n in enumerate(NUMBERS, 1)),
            [None, "X", "Y", "01/02/2023", "Y"]]  # fmt: skip
    part = mail_in(tmp_path, ("l.xlsx", workbook(("S", rows))), sender=sender)[1]
    text = propose(part)
    casework.confirm_mapping(text, OFFICE)
    noted = "select count(*) from timeline_event where delivery = %s and kind = %s and superseded_by is null"
    assert one(noted, part.id, "apprehended") == one(noted, part.id, "missed-hearing-noted") == 5
    # The office means day first, and its FTA column is something else.
    better = text.replace('dates = "mdy"', 'dates = "dmy"')
    start = better.index('[field."FTA Noted Date"]')
    better = better[:start] + better[better.index("[field", start + 1) :]
    casework.confirm_mapping(better, OFFICE)
    before = one("select count(*), max(mapping) from feeds_row where delivery = %s", part.id)
    seen, _ = casework.reread("eleventh", OFFICE, dry_run=True)
    assert (seen.deliveries, seen.new, seen.changed, seen.unchanged, seen.quarantined, seen.withdrawn) == (
        1,
        0,
        5,
        0,
        1,
        0,
    )
    assert one("select count(*), max(mapping) from feeds_row where delivery = %s", part.id) == before
    assert one(noted, part.id, "missed-hearing-noted") == 5
    done, _ = casework.reread("eleventh", OFFICE, dry_run=False)
    assert (done.deliveries, done.changed) == (seen.deliveries, seen.changed)
    assert one(noted, part.id, "missed-hearing-noted") == 0
    assert (
        one("select count(*) from timeline_event where delivery = %s and superseded is not null", part.id)
        == 9  # the second of February is the same day in either order
    )
    assert (
        one(
            "select max(at)::date::text from timeline_event where delivery = %s and kind = 'apprehended' and superseded_by is null",
            part.id,
        )
        == "2023-02-05"
    )
    assert one(
        "select array_agg(distinct m.version) from feeds_row r join feeds_mapping m on m.id = r.mapping where r.delivery = %s",
        part.id,
    ) == [2]
    assert (
        one(
            "select count(*) from feeds_row_past p join feeds_mapping m on m.id = p.mapping where m.name = 'eleventh' and m.version = 1"
        )
        == 5
    )
    assert one("select count(*) from feeds_quarantine where delivery = %s", part.id) == 1
    assert one("select count(*) from feeds_quarantine_past where delivery = %s", part.id) == 1
    nothing, _ = casework.reread("eleventh", OFFICE, dry_run=False)
    assert nothing.deliveries == 0


def test_a_version_is_ended_once_and_never_changed(tmp_path: Path) -> None:
    confirm(
        mail_in(tmp_path, ("l.xlsx", workbook(("S", no_shows(title="t")))), sender="twelfth@ero.example")[1]
    )
    for change in (
        "delete from feeds_mapping",
        "update feeds_mapping set text_ = 'x'",
        "update feeds_mapping set version = 9",
    ):
        with pytest.raises(Exception, match="never changed"), store.transaction() as db:
            db.execute(change.encode())
    casework.end_mapping("twelfth", OFFICE)
    with pytest.raises(MappingError, match="no mapping twelfth is in use"):
        casework.end_mapping("twelfth", OFFICE)
    with pytest.raises(MappingError, match="no mapping twelfth is in use"):
        casework.reread("twelfth", OFFICE, dry_run=True)


def test_a_mapping_is_exported_with_who_confirmed_it_and_can_be_confirmed_again(tmp_path: Path) -> None:
    confirm(
        mail_in(tmp_path, ("l.xlsx", workbook(("S", no_shows(title="e")))), sender="thirteenth@ero.example")[
            1
        ]
    )
    with store.transaction() as db:
        (version,) = mapping.listed(db, "thirteenth")
    text = mapping.exported(version)
    assert 'by = "person:7"' in text and "why = " in text
    assert casework.confirm_mapping(text, OFFICE)[0].version == 1


def test_nobody_takes_anothers_name(tmp_path: Path) -> None:
    part = mail_in(
        tmp_path, ("l.xlsx", workbook(("S", no_shows(title="n")))), sender="fourteenth@ero.example"
    )[1]
    text = propose(part)
    casework.confirm_mapping(text, OFFICE)
    with pytest.raises(MappingError, match="another sender's"):
        casework.confirm_mapping(text.replace("fourteenth@", "impostor@"), OFFICE)


def test_every_act_on_a_mapping_is_in_the_ledger(tmp_path: Path) -> None:
    sender = "ledger@ero.example"
    first, other = (mail_in(tmp_path, ("l.xlsx", workbook(("S", no_shows(title=t)))), sender=s)[1] for t, s in (("l1", sender), ("l2", "no@ero.example")))  # fmt: skip
    text = propose(first)
    casework.confirm_mapping(text, OFFICE)
    casework.confirm_mapping(text.replace('take = "after-comma"', 'take = "all"'), OFFICE)
    assert casework.reread("ledger", OFFICE, dry_run=False)[0].changed == 5
    casework.end_mapping("ledger", OFFICE)
    casework.reject_part(other.id, "no list", OFFICE)
    verbs = {"mapping.confirmed", "mapping.ended", "delivery.opened", "delivery.reread", "delivery.rejected"}
    with store.transaction() as db:
        found = {row["verb"] for row in store.fetch(db, "select distinct verb from ledger_entry")}
    assert verbs <= found
