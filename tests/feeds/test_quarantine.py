"""The quarantine: what was refused goes back to its sender as it came, and leaves only by a corrected row of its key."""

import csv
from datetime import datetime
from pathlib import Path

import fastexcel
import nation
import polars as pl
import pytest

from handhold import casework, feeds, ledger, pack, store

NOW = datetime.fromisoformat("2024-05-31T23:59-04:00")
pytestmark = pytest.mark.usefixtures("database")


def office(by: str = "person:ann") -> casework.Office:
    return casework.Office(by=by, now=NOW, pack=pack.load(), workers=1)


def send(path: Path, text: str) -> feeds.Delivery:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return casework.arrive([path], office(), sender="field office").deliveries[0]


HEADER = "UC Portal ID,Check-in ID,Attempt,Attempted At,Outcome,Remark of the office,New Address Line 1\n"


@pytest.fixture
def delivery(tmp_path: Path) -> feeds.Delivery:
    """Three rows that are good, two that are not; columns in the sender's order, one that no feed has."""
    unique = tmp_path.name.replace("_", "-")
    rows = [
        f"UC1,C1-{unique},1,2024-05-01,REACHED,fine,",
        f"UC2,C2-{unique},1,2925-05-01,REACHED,=HYPERLINK(1),+1 ELM ST",
        f"UC3,C3-{unique},1,2024-05-02,NO ANSWER,,",
        f"UC4,C4-{unique},1,,REACHED,@home,",
        f"UC5,C5-{unique},1,2024-05-03,REACHED,fine,",
    ]
    return send(
        tmp_path / f"checkins_2024-05-01_2024-05-10.{unique}.csv".replace(".", "_", 1),
        HEADER + "\n".join(rows) + "\n",
    )


def waiting(delivery: feeds.Delivery) -> list[int]:
    with store.transaction() as db:
        return [row["line"] for row in feeds.quarantined(db, delivery=delivery.id)]


def attempts(delivery: feeds.Delivery) -> pl.DataFrame:
    with store.transaction() as db:
        return store.frame(
            db,
            "select line, at, superseded_by from timeline_event where delivery = %s order by line",
            [delivery.id],
        )


def counts(delivery: feeds.Delivery) -> tuple[int, ...]:
    with store.transaction() as db:
        row = store.fetch(
            db,
            "select rows, loaded, unchanged, quarantined, left_ from feeds_delivery where id = %s",
            [delivery.id],
        )[0]
    return tuple(row.values())


def test_rows_go_back_in_the_layout_they_came_in(delivery: feeds.Delivery, tmp_path: Path) -> None:
    for ending in (".csv", ".xlsx"):
        target = tmp_path / f"back{ending}"
        assert casework.export_quarantine(delivery.id, target, office()) == 2
        rows = read(target)
        assert rows[0] == [*HEADER.strip().split(","), "Why it was refused"]
        assert [row[:2] + row[4:7] for row in rows[1:]] == [
            [row[0], row[1], "REACHED", remark, line]
            for row, remark, line in zip(
                rows[1:], ["'=HYPERLINK(1)", "'@home"], ["'+1 ELM ST", ""], strict=True
            )
        ]
        assert "2925" in rows[1][3] and "Attempted At" in rows[1][-1] and "is blank" in rows[2][-1]


def read(path: Path) -> list[list[str]]:
    if path.suffix == ".csv":
        with open(path, encoding="utf-8-sig", newline="") as lines:
            return list(csv.reader(lines))
    sheet = fastexcel.read_excel(path).load_sheet(0, header_row=None, dtypes="string").to_polars()
    return [[cell or "" for cell in row] for row in sheet.iter_rows()]


def test_a_corrected_row_of_the_same_key_releases_and_says_so(
    delivery: feeds.Delivery, tmp_path: Path
) -> None:
    unique = tmp_path.name.replace("_", "-")
    better = send(
        tmp_path / "checkins_2024-05-01_2024-05-11.csv",
        HEADER + f"UC2,C2-{unique},1,2024-05-01,REACHED,,1 ELM ST\n",
    )
    assert waiting(delivery) == [5]
    with store.transaction() as db:
        rows = store.fetch(
            db,
            "select released, released_by, edit from feeds_quarantine where delivery = %s and line = 3",
            [delivery.id],
        )
    assert rows == [{"released": NOW, "released_by": better.id, "edit": None}]
    assert counts(delivery) == (5, 3, 0, 2, 0)


def test_nothing_else_releases(delivery: feeds.Delivery, tmp_path: Path) -> None:
    """Neither another key, nor the same row refused again, nor the same bytes, nor an earlier day."""
    unique = tmp_path.name.replace("_", "-")
    send(
        tmp_path / "checkins_2024-05-01_2024-05-12.csv",
        HEADER + f"UC2,C9-{unique},1,2024-05-01,REACHED,,\nUC2,C2-{unique},1,2925-05-01,REACHED,,\n",
    )
    send(
        tmp_path / "checkins_2024-05-01_2024-05-02.csv", HEADER + f"UC2,C2-{unique},1,2024-05-01,REACHED,,\n"
    )
    assert waiting(delivery) == [3, 5]


def test_undoing_what_released_brings_back(delivery: feeds.Delivery, tmp_path: Path) -> None:
    unique = tmp_path.name.replace("_", "-")
    better = send(
        tmp_path / "checkins_2024-05-01_2024-05-11.csv",
        HEADER + f"UC2,C2-{unique},1,2024-05-01,REACHED,,1 ELM ST\n",
    )
    casework.undo(better.id, "the wrong child's", office())
    assert waiting(delivery) == [3, 5]
    casework.redo(better.id, "right after all", office())
    assert waiting(delivery) == [5]


def test_an_edit_is_read_and_the_row_as_it_came_stays(delivery: feeds.Delivery) -> None:
    assert attempts(delivery)["line"].to_list() == [2, 4, 6]
    casework.fix(
        delivery.id, 5, {"Attempted At": "2024-05-04"}, "the office confirmed the day by telephone", office()
    )
    assert waiting(delivery) == [3]
    assert attempts(delivery)["line"].to_list() == [2, 4, 5, 6]
    assert counts(delivery) == (5, 3, 0, 2, 0)
    with store.transaction() as db:
        came = store.fetch(
            db,
            "select id, row_, edit is null as unedited from feeds_quarantine where delivery = %s and line = 5",
            [delivery.id],
        )[0]
        edits = store.fetch(db, "select by, at, ended from feeds_edit where delivery = %s", [delivery.id])
        text = store.unseal("delivery", f"feeds_quarantine.row_.{came['id']}", came["row_"]).decode()
        entries = store.fetch(
            db, "select by from ledger_entry where verb = 'quarantine.fixed' and %s = any(ids)", [delivery.id]
        )
    assert '"Attempted At":null' in text and not came["unedited"]
    assert edits == [{"by": "person:ann", "at": NOW, "ended": None}]
    assert entries == [{"by": "person:ann"}]


def test_the_same_edit_in_the_same_moment_changes_nothing_more(delivery: feeds.Delivery) -> None:
    for _ in range(2):
        casework.fix(delivery.id, 5, {"Attempted At": "2024-05-04"}, "said so", office())
    told = attempts(delivery).filter(pl.col("line") == 5)
    assert told["superseded_by"].is_null().sum() == 1


def test_an_edit_can_be_edited_and_the_first_one_stays(delivery: feeds.Delivery) -> None:
    casework.fix(delivery.id, 5, {"Attempted At": "2024-05-04"}, "said so", office())
    casework.fix(delivery.id, 5, {"Attempted At": "2024-05-05"}, "said otherwise", office("person:ben"))
    told = attempts(delivery).filter(pl.col("line") == 5)
    assert sorted(told["at"].dt.day()) == [4, 5] and told["superseded_by"].is_null().sum() == 1
    with store.transaction() as db:
        edits = store.fetch(
            db,
            "select by, ended is null as counts from feeds_edit where delivery = %s order by ended nulls last",
            [delivery.id],
        )
    assert edits == [{"by": "person:ann", "counts": False}, {"by": "person:ben", "counts": True}]


def test_an_edit_outlives_an_undo(delivery: feeds.Delivery) -> None:
    casework.fix(delivery.id, 5, {"Attempted At": "2024-05-04"}, "said so", office())
    before = attempts(delivery)
    casework.undo(delivery.id, "wrong month", office())
    assert attempts(delivery)["superseded_by"].is_not_null().all()
    casework.redo(delivery.id, "right month", office())
    assert attempts(delivery).equals(before) and waiting(delivery) == [3]


@pytest.mark.parametrize(
    ("line", "cells", "why", "said"),
    [
        (3, {"Attempted At": "2924-01-01"}, "x", "impossible date"),
        (3, {"Check-in ID": "C99"}, "x", "another row"),
        (3, {"Attempted": "2024-05-01"}, "x", "no column Attempted"),
        (4, {"Attempted At": "2024-05-01"}, "x", "not in quarantine"),
        (3, {"Attempted At": "2024-05-01"}, " ", "say why"),
    ],
)
def test_an_edit_that_cannot_stand_changes_nothing(
    delivery: feeds.Delivery, line: int, cells: dict[str, str], why: str, said: str
) -> None:
    with pytest.raises(feeds.FeedError, match=said):
        casework.fix(delivery.id, line, cells, why, office())
    assert waiting(delivery) == [3, 5]
    with store.transaction() as db:
        assert store.fetch(db, "select 1 from feeds_edit where delivery = %s", [delivery.id]) == []
        assert ledger.verify(db).problems == []


def test_a_row_cut_short_in_the_court_is_mended_in_place(tmp_path: Path) -> None:
    """No key of it can be read, so only an edit can release it."""
    made = nation.in_court(nation.Nation())
    nation.hearing(made, "2024-06-01")
    folder = made.write(tmp_path)
    table = next(folder.rglob("tbl_schedule.csv"))
    table.write_text(table.read_text() + "4002\t89000000\n")
    arrived = casework.arrive(feeds.find(folder), office(), sender="court")
    delivery = next(d for d in arrived.deliveries if d.feed == "eoir.tbl_schedule")
    assert (delivery.loaded, delivery.quarantined) == (1, 1) and waiting(delivery) == [3]
    cells = {"IDNCASE": "9000000", "ADJ_DATE": "2024-07-01", "INPUT_DATE": "2024-03-01", "CAL_TYPE": "I"}
    casework.fix(delivery.id, 3, cells, "read off the paper docket", office())
    assert waiting(delivery) == []
    with store.transaction() as db:
        told = store.fetch(
            db, "select kind, line from timeline_event where delivery = %s order by line", [delivery.id]
        )
    assert told == [{"kind": "hearing-scheduled", "line": 2}, {"kind": "hearing-scheduled", "line": 3}]
