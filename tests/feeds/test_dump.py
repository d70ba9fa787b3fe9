"""The court's dump: an archive read as its tables would be, each table a delivery of its own; and without identity tables."""

import io
import zipfile
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from handhold import casework, feeds, oversight, store
from handhold.feeds import archive, parts

from .sending import NOW, PACK, Taken, adds_up, send, tabbed, write

Rows = list[dict[str, str]]
SCHEDULE, CASES = "eoir.tbl_schedule", "eoir.A_TblCase"


def case(number: int, **more: str) -> dict[str, str]:
    return {"IDNCASE": f"{number}", "CASEPRIORITY_CODE": "UC", "NAT": "HO", "C_BIRTHDATE": "3/2010"} | more


def hearing(number: int, of_case: int, day: str = "2024-03-01", **more: str) -> dict[str, str]:
    proceeding = f"{70 + of_case}"
    return {
        "IDNSCHEDULE": f"{number}",
        "IDNPROCEEDING": proceeding,
        "IDNCASE": f"{of_case}",
        "ADJ_DATE": day,
    } | more


def proceeding(of_case: int, **more: str) -> dict[str, str]:
    return {"IDNPROCEEDING": f"{70 + of_case}", "IDNCASE": f"{of_case}", "OSC_DATE": "2021-02-03"} | more


def extract(folder: Path, as_of: str = "2024-05-31", **tables: Rows) -> Path:
    for name, rows in tables.items():
        write(folder, f"eoir/{as_of}/{name}.csv", tabbed(f"eoir.{name}", *rows))
    return folder


def mixed(folder: Path) -> Path:
    """Six cases of which four are a child's by one sign each, two by none; one comes without its case row."""
    return extract(
        folder,
        A_TblCase=[
            case(1), case(2, CASEPRIORITY_CODE=""), case(3, CASEPRIORITY_CODE="", C_BIRTHDATE=""),
            case(4, CASEPRIORITY_CODE="", C_BIRTHDATE="3/1980"), case(5, CASEPRIORITY_CODE="NA", C_BIRTHDATE="2/2003", DATE_OF_ENTRY="2021-01-01"),
        ],
        B_TblProceeding=[
            proceeding(1), proceeding(2), proceeding(3), proceeding(4), proceeding(5, COMP_DATE="2024-03-01", DEC_CODE="X", ABSENTIA="Y", OSC_DATE="2021-02-27"),
            proceeding(6),
        ],
        tbl_schedule=[hearing(100 + n, n % 7, ADJ_RSN="11" if n % 2 else "") for n in range(40)],
        tbl_JuvenileHistory=[
            {"idnJuvenileHistory": "1", "idnCase": "3", "idnJuvenile": "4"}, {"idnJuvenileHistory": "2", "idnCase": "3", "idnJuvenile": "2"},
            {"idnJuvenileHistory": "3", "idnCase": "4", "idnJuvenile": "6"}, {"idnJuvenileHistory": "4", "idnCase": "6", "idnJuvenile": "1"},
        ],
        CaseIdentity=[{"IDNCASE": f"{n}", "A_NUMBER": f"A20000000{n}", "LAST_NAME": "LOPEZ", "FIRST_NAME": f"ANA{n}"} for n in range(1, 6)],
    )  # fmt: skip


def said(taken: Taken) -> tuple[pl.DataFrame, pl.DataFrame, list[tuple[object, ...]]]:
    """What a reading says, whatever the order in which it was said."""
    counts = [
        (d.feed, d.status, d.rows, d.loaded, d.unchanged, d.quarantined, d.left, d.withdrawn)
        for d in taken.deliveries
    ]
    reports = taken.reports.sort("row", "slot", "kind", "at").drop("location")
    # A file may be mentioned once in every part: what is said of it is the same.
    people = (
        taken.descriptions.drop("row", "line", "delivery")
        .unique()
        .sort("file", "last", "first", "dob", "sex")
    )
    return reports, people, sorted(map(str, counts))  # type: ignore[arg-type]


def same(one: Taken, other: Taken) -> None:
    for mine, yours in zip(said(one), said(other), strict=True):
        if isinstance(mine, pl.DataFrame):
            assert mine.equals(yours)  # type: ignore[arg-type]
        else:
            assert mine == yours


def test_the_children_are_found_and_the_others_counted(db: store.Db, tmp_path: Path) -> None:
    taken = send(db, mixed(tmp_path))
    assert all(adds_up(d) for d in taken.deliveries)
    assert (taken.of(CASES).loaded, taken.of(CASES).left) == (4, 1)
    files = set(taken.descriptions.filter(pl.col("file_key").is_not_null())["file_key"])
    assert files == {"1", "2", "3", "5", "6"}


def test_what_neighbours_say_reaches_the_row(db: store.Db, tmp_path: Path) -> None:
    taken = send(db, mixed(tmp_path))
    seen = taken.reports.filter(pl.col("kind") == "case-seen").sort("line")
    assert seen["detail"].str.json_path_match("$.juvenile").to_list() == [None, None, "2", None]
    assert seen["at"].dt.date().cast(pl.String).to_list() == ["2021-02-03"] * 3 + ["2021-01-01"]
    missed = taken.reports.filter(pl.col("kind") == "missed-hearing")
    by_pattern = dict(missed["detail"].str.json_path_match("$.pattern").value_counts().iter_rows())
    assert by_pattern == {"in-absentia": 1, "reset": 14 - 3}, "of case 5 the completion says what happened"


def archived(folder: Path, *, inside: Path, **others: str) -> Path:
    """The tables of ``inside`` in one archive, under two layers of folders, beside what no feed has."""
    path = folder / "dump_2024-05-31.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for table in sorted(inside.rglob("*.csv")):
            packed.write(table, f"FOIA_TRAC/May 2024/{table.name}")
        for name, text in others.items():
            packed.writestr(f"FOIA_TRAC/Lookup/{name}.csv", text)
    return path


def test_an_archive_is_read_as_its_tables_would_be(db: store.Db, tmp_path: Path) -> None:
    loose = mixed(tmp_path / "loose")
    path = archived(
        tmp_path / "packed",
        inside=loose,
        tblLookupNationality="1\tHO\n",
        tblLanguage="1\tSP\n",
        letter="Dear Ana\n",
    )
    with db.transaction(force_rollback=True):
        whole = send(db, loose)
    packed = send(db, path, apart=True)
    dump, *tables = packed.deliveries
    assert (dump.status, dump.rows) == ("read", None)
    assert dump.why == "5 parts: 5 read; 3 more listed and left: tblLookupNationality, tblLanguage"
    packed.deliveries = tables
    same(whole, packed)
    assert {str(d.as_of) for d in tables} == {"2024-05-31"}


def test_the_bytes_of_an_archive_are_kept_once_and_its_tables_are_known_again(
    db: store.Db, tmp_path: Path
) -> None:
    """The cases are of this test alone, since all tests keep bytes in one place."""
    loose = extract(tmp_path / "loose", A_TblCase=[case(777_001)], tbl_schedule=[hearing(777_100, 777_001)])
    path = archived(tmp_path / "packed", inside=loose)
    before = kept_bytes()
    send(db, path, apart=True)
    assert len(kept_bytes() - before) == 1
    again, alone = send(db, path, apart=True), send(db, loose)
    assert not feeds.groups(again.deliveries)
    assert [d.again for d in alone.deliveries] == [True] * 2, (
        "a table alone is the one that was in the archive"
    )
    assert not len(again.reports) + len(alone.reports)
    assert len(kept_bytes() - before) == 3, "what came alone is kept as it came"


def kept_bytes() -> set[Path]:
    return set((store.home() / "blobs").glob("??/*"))


def test_a_table_that_came_alone_is_not_read_again_from_an_archive(db: store.Db, tmp_path: Path) -> None:
    loose = mixed(tmp_path / "loose")
    send(db, loose / "eoir/2024-05-31/A_TblCase.csv")
    taken = send(db, archived(tmp_path / "packed", inside=loose), apart=True)
    assert taken.of(CASES).again
    assert taken.deliveries[0].why == "5 parts: 5 read"
    assert sorted(d.feed or "" for d in taken.deliveries[1:] if not d.again) == [
        "eoir.B_TblProceeding", "eoir.CaseIdentity", "eoir.tbl_JuvenileHistory", SCHEDULE,
    ]  # fmt: skip


def test_an_archive_that_was_kept_and_not_read_is_read_the_next_time(db: store.Db, tmp_path: Path) -> None:
    path = archived(tmp_path, inside=mixed(tmp_path / "loose"))
    kept = feeds.keep(db, path, sender="test", by="system", now=NOW)
    assert [d.status for d in feeds.sort_out(db, kept, pack=PACK)] == ["waiting", *["kept"] * 5]
    assert {d.feed for d in feeds.left_behind(db, minutes=-1)} >= {CASES, SCHEDULE}
    taken = send(db, path, apart=True)
    assert taken.of(CASES).status == "read"
    assert taken.of(CASES).loaded == 4


def test_an_archive_without_a_table_of_the_court_is_refused(db: store.Db, tmp_path: Path) -> None:
    path = archived(tmp_path, inside=tmp_path / "nothing", letter="Dear Ana\n")
    taken = send(db, path, apart=True)
    assert (taken.one.status, taken.one.why) == (
        "refused", "an archive (zip) is opened only for the court's tables, and none is in it; send its files themselves",
    )  # fmt: skip


def test_a_table_of_an_archive_is_undone_and_redone_by_itself(db: store.Db, tmp_path: Path) -> None:
    taken = send(db, archived(tmp_path, inside=mixed(tmp_path / "loose")), apart=True)
    known = "select feed, count(*) from feeds_row group by feed order by feed"
    before = db.execute(known).fetchall()
    hearings = taken.of(SCHEDULE).id
    feeds.undo(db, hearings, by="system", why="a test", now=NOW, pack=PACK)
    assert db.execute(known).fetchall() == [row for row in before if row[0] != SCHEDULE]
    feeds.redo(db, hearings, by="system", why="a test", now=NOW, pack=PACK)
    assert db.execute(known).fetchall() == before


def test_an_archive_is_undone_with_its_tables_and_comes_back_with_those_that_went_with_it(
    db: store.Db, tmp_path: Path
) -> None:
    taken = send(db, archived(tmp_path, inside=mixed(tmp_path / "loose")), apart=True)
    known = "select feed, count(*) from feeds_row group by feed order by feed"
    fates = "select id, status from feeds_delivery order by id"
    feeds.undo(db, taken.of(SCHEDULE).id, by="system", why="this one was wrong", now=NOW, pack=PACK)
    before, stood = db.execute(known).fetchall(), db.execute(fates).fetchall()
    (whole,) = parts.containers(db, taken.of(SCHEDULE).id)
    later = NOW + timedelta(hours=1)
    assert feeds.undo(db, whole.id, by="system", why="all of it was", now=later, pack=PACK)
    assert db.execute("select count(*) from feeds_row where feed like 'eoir.%'").fetchone() == (0,)
    assert db.execute("select distinct status from feeds_delivery").fetchall() == [("undone",)]
    assert feeds.undo(db, whole.id, by="system", why="once more", now=later, pack=PACK) == []
    feeds.redo(db, whole.id, by="system", why="it was right", now=later, pack=PACK)
    assert db.execute(known).fetchall() == before
    assert db.execute(fates).fetchall() == stood


def test_what_two_archives_brought_stays_while_one_of_them_stands(db: store.Db, tmp_path: Path) -> None:
    loose = mixed(tmp_path / "loose")
    send(db, archived(tmp_path / "one", inside=loose), apart=True)
    send(db, archived(tmp_path / "two", inside=loose, tblLanguage="another archive"), apart=True)
    rows = db.execute("select count(*) from feeds_row").fetchone()
    wholes = db.execute("select distinct container from feeds_part order by 1").fetchall()
    (one,), (two,) = wholes
    assert feeds.undo(db, one, by="system", why="a test", now=NOW, pack=PACK) == []
    assert db.execute("select count(*) from feeds_row").fetchone() == rows
    feeds.undo(db, two, by="system", why="a test", now=NOW, pack=PACK)
    assert db.execute("select count(*) from feeds_row").fetchone() == (0,)
    feeds.redo(db, two, by="system", why="a test", now=NOW, pack=PACK)
    assert db.execute("select count(*) from feeds_row").fetchone() == rows


def test_a_refused_row_of_an_archive_goes_back_as_it_came(db: store.Db, tmp_path: Path) -> None:
    folder = extract(tmp_path / "loose", A_TblCase=[case(1), case(2) | {"IDNCASE": "none"}])
    taken = send(db, archived(tmp_path, inside=folder), apart=True)
    assert taken.of(CASES).quarantined == 1
    target = tmp_path / "back.csv"
    feeds.write_refused(db, taken.of(CASES).id, target, pack=PACK)
    assert "none" in target.read_text()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04 and then nothing", "cannot be opened"),
        (b"", "cannot be opened"),
    ],
)
def test_what_is_no_archive_is_refused(db: store.Db, tmp_path: Path, content: bytes, why: str) -> None:
    taken = send(db, write(tmp_path, "dump.zip", content), apart=True)
    assert taken.one.status == "refused"
    assert why in (taken.one.why or "")


def test_an_encrypted_archive_is_refused(db: store.Db, tmp_path: Path) -> None:
    path = archived(tmp_path, inside=mixed(tmp_path / "loose"))
    raw = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = raw.find(mark)
        while place >= 0:
            raw[place + at] |= 1
            place = raw.find(mark, place + 1)
    taken = send(db, write(tmp_path, "locked.zip", bytes(raw)), apart=True)
    assert "encrypted" in (taken.one.why or "")


def test_a_bomb_is_not_unpacked(db: store.Db, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "SMALL", 1000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("a/b/A_TblCase.csv", "IDNCASE\n" + "0" * 5_000_000)
    taken = send(db, path, apart=True)
    assert taken.one.status == "refused"
    assert "far more than a dump holds" in (taken.one.why or "")


def test_a_loose_table_that_no_feed_has_is_left(db: store.Db, tmp_path: Path) -> None:
    taken = send(db, write(tmp_path, "tblLookup_Juvenile.csv", "1\tJ\n"), apart=True)
    assert (taken.one.status, taken.one.rows) == ("read", None)
    assert "listed and left" in (taken.one.why or "")


def test_kept_bytes_can_be_read_from_any_place(tmp_path: Path, database: str) -> None:
    data = bytes(range(256)) * 20_000
    sha256, _ = store.blobs.keep(io.BytesIO(data))
    with store.blobs.open_(sha256) as kept:
        assert kept.seek(0, io.SEEK_END) == len(data)
        for place in (0, 17, len(data) - 5, 1 << 20, (1 << 20) - 3, (4 << 20) + 1):
            kept.seek(place)
            assert kept.read(1000) == data[place : place + 1000]
        kept.seek(0)
        assert kept.read() == data


PUBLIC = {
    "A_TblCase": [case(n, ALIEN_CITY="HOUSTON", ALIEN_STATE="TX", ALIEN_ZIPCODE="`77036", GENDER="F") for n in (1, 2, 3)]
    + [case(9, CASEPRIORITY_CODE="", C_BIRTHDATE="1/1970")],
    "B_TblProceeding": [proceeding(n, INPUT_DATE="2021-03-01") for n in (1, 2, 3, 9)],
    "tbl_schedule": [hearing(1, 1, ADJ_RSN="11", NOTICE_CODE="6U"), hearing(2, 2, "2024-09-01"), hearing(3, 9), hearing(4, 3, ADJ_RSN="13")],
    "tbl_JuvenileHistory": [{"idnJuvenileHistory": "1", "idnCase": "1", "idnJuvenile": "4"}],
}  # fmt: skip


def test_the_public_dump_needs_no_identity(database: str, tmp_path: Path) -> None:
    """Without the exchange's own tables every child's case is a file and a child of its own, with events, account and gaps."""
    office = casework.Office(by=casework.SYSTEM, now=NOW, pack=PACK)
    april = extract(tmp_path / "dump", "2024-04-30", **PUBLIC)
    arrival = casework.arrive(feeds.find(april), office, sender="test")
    assert all(adds_up(d) for d in arrival.deliveries)
    assert (arrival.linked, arrival.questions) == (0, 0)
    with store.transaction() as db:
        children = db.execute("select count(distinct child), count(*) from identity_file").fetchone()
        figures = {f.name: f.value for f in oversight.picture(db, now=NOW, pack=PACK)}
        gaps = store.fetch(db, "select distinct kind from account_gap where closed is null order by kind")
    assert children == (3, 3)
    assert {name: figures[name] for name in ("children", "in-court", "missed-hearing", "untold-orr")} == {
        "children": 3, "in-court": 3, "missed-hearing": 1, "untold-orr": 1,
    }  # fmt: skip
    assert [row["kind"] for row in gaps] == ["missed-hearing-unexplained", "missed-hearing-untold"]
    # A month later, as the archive in which it is handed out: nothing of it is news but the hearing that was held.
    later = PUBLIC | {
        "tbl_schedule": [
            *PUBLIC["tbl_schedule"][:1],
            hearing(2, 2, "2024-09-01", ADJ_RSN="13"),
            *PUBLIC["tbl_schedule"][2:],
        ]
    }
    path = archived(tmp_path / "zip", inside=extract(tmp_path / "may", **later), tblLookup_Juvenile="1\tJ\n")
    seen = casework.preview([path], office, sender="test").arrival
    arrival = casework.arrive(feeds.find(path.parent), office, sender="test")
    assert [(d.feed, d.status, d.loaded) for d in seen.deliveries] == [
        (d.feed, d.status, d.loaded) for d in arrival.deliveries
    ]
    news = {d.feed: (d.loaded, d.unchanged, d.left) for d in arrival.deliveries if d.feed and not d.again}
    assert news == {SCHEDULE: (1, 2, 1)}
    assert arrival.events > 0
