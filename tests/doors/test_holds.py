"""A delivery that looks wrong waits for a person; one that must be whole is taken in whole or not at all."""

import csv
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from nation import AS_OF, Nation, released

from doors.world import entries, everything, office, world
from handhold import casework, feeds, store

WEEKS = ["2024-05-03", "2024-05-10", "2024-05-17", "2024-05-24"]


@pytest.fixture(autouse=True)
def own(template: str) -> Iterator[None]:
    with world(template):
        yield


def transfers(folder: Path, day: str, rows: int, **cells: str) -> Path:
    """A spreadsheet of ERO with that many children."""
    nation = Nation()
    for n in range(rows):
        released(nation, f"2160{n:05}", f"UC{n}", first=f"ANA{n}", line=f"{n} ELM ST")
    for row in nation.rows["ero.uc_transfers"]:
        row.update(cells)  # type: ignore[attr-defined]
    only = Nation({"ero.uc_transfers": nation.rows["ero.uc_transfers"]})
    path = next(only.write(folder).rglob(f"*_{AS_OF}.csv"))
    return path.rename(path.with_name(path.name.replace(AS_OF, day)))


def checkins(folder: Path, day: str, rows: int, first: int = 0, **cells: str) -> Path:
    """A delta of ORR's check-ins."""
    nation = Nation()
    for n in range(first, first + rows):
        said = {
            "attempt": "1",
            "attempted_at": f"{day} 10:00",
            "outcome": "REACHED",
            "channel": "PHONE",
        } | cells
        nation.add("orr.checkins", check_in_id=f"C{n}", uc_portal_id=f"UC{n}", **said)
    path = next(nation.write(folder).rglob(f"*_{AS_OF}.csv"))
    return path.rename(path.with_name(path.name.replace(AS_OF, day)))


def sent(*paths: Path, whole: bool = False) -> list[feeds.Delivery]:
    return casework.arrive(paths, office(), sender="test", whole=whole).deliveries


def test_a_third_of_the_rows_unreadable_is_held(tmp_path: Path) -> None:
    path = transfers(tmp_path, WEEKS[0], 120)
    with path.open() as came:
        rows = list(csv.DictReader(came))
    for row in rows[:50]:
        row["Date of Birth"] = "sometime"
    with path.open("w", newline="") as out:
        sheet = csv.DictWriter(out, list(rows[0]))
        sheet.writeheader()
        sheet.writerows(rows)
    (delivery,) = sent(path)
    assert delivery.status == "held"
    assert delivery.why == "50 of 120 rows (42 %) cannot be read; let a person look first"
    (read,) = casework.release([delivery.id], "the office lost these dates", office()).deliveries
    assert (read.status, read.loaded, read.quarantined) == ("read", 70, 50)


def test_a_column_that_empties_is_held(tmp_path: Path) -> None:
    assert [d.status for d in sent(transfers(tmp_path, WEEKS[0], 250))] == ["read"]
    blank = {"NTA Served Date": "", "Served On": ""}
    (delivery,) = sent(transfers(tmp_path, WEEKS[1], 250, **blank))
    assert delivery.status == "held"
    assert "NTA Served Date is filled in 0 % of the rows, where 100 % are usual" in str(delivery.why)


def test_a_delta_is_compared_with_several_and_not_with_one(tmp_path: Path) -> None:
    for n, day in enumerate(WEEKS):
        assert [d.status for d in sent(checkins(tmp_path, day, 210, 210 * n))] == ["read"]
        if n == 0:
            (early,) = sent(checkins(tmp_path, "2024-05-04", 1300, 10_000))
            assert early.status == "read"
    (flood,) = sent(checkins(tmp_path, "2024-05-31", 1300, 20_000))
    assert (flood.status, flood.why) == ("held", "1,300 rows, where 210 are usual; let a person look first")


def test_keys_that_vanish_are_held_until_released(tmp_path: Path) -> None:
    sent(transfers(tmp_path, WEEKS[0], 250))
    (delivery,) = sent(transfers(tmp_path, WEEKS[1], 200))
    assert delivery.status == "held"
    before = everything()
    seen = casework.rehearse(lambda o: casework.release([delivery.id], "they were duplicates", o), office())
    assert everything() == before
    assert seen.rows["withdrawn"] == 50
    done = casework.release([delivery.id], "they were duplicates", office())
    assert [d.withdrawn for d in done.deliveries] == [50]
    assert done.touched == seen.arrival.touched
    with store.transaction() as db:
        (decision,) = feeds.decisions(db, delivery.id)
    assert (decision["by"], decision["decided"], decision["why"]) == (
        "person:1",
        "released",
        "they were duplicates",
    )
    assert entries().count("delivery.released") == 1


def test_a_hold_is_decided_once(tmp_path: Path) -> None:
    sent(transfers(tmp_path, WEEKS[0], 250))
    path = transfers(tmp_path, WEEKS[1], 200)
    (delivery,) = sent(path)
    with pytest.raises(feeds.FeedError, match="say why"):
        casework.refuse([delivery.id], " ", office())
    casework.refuse([delivery.id], "half a file", office())
    with pytest.raises(feeds.NotHeld, match="is refused, not held"):
        casework.release([delivery.id], "no, it is right", office())
    (again,) = sent(path)
    assert (again.again, again.status) == (True, "refused")


def test_all_or_none(tmp_path: Path) -> None:
    nation = released(released(Nation()), "216043625", "UC2", first="LUZ")
    nation.rows["ero.uc_transfers"][1] = {**nation.rows["ero.uc_transfers"][1], "Date of Birth": "sometime"}
    path = next(
        Nation({"ero.uc_transfers": nation.rows["ero.uc_transfers"]}).write(tmp_path).rglob(f"*_{AS_OF}.csv")
    )
    before = {name: rows for name, rows in everything().items() if name not in ("blobs", "feeds_delivery")}
    (delivery,) = sent(path, whole=True)
    assert delivery.status == "refused"
    assert str(delivery.why).startswith("1 of 2 rows cannot be read, and it was sent to be read whole")
    assert {n: r for n, r in everything().items() if n not in ("blobs", "feeds_delivery")} == before
    assert [(d.status, d.again) for d in sent(path, whole=True)] == [("refused", True)]
    (by_row,) = sent(path)
    assert (by_row.status, by_row.loaded, by_row.quarantined) == ("read", 1, 1)


def test_two_doors_take_the_same_file_in_once(tmp_path: Path) -> None:
    path = transfers(tmp_path, WEEKS[0], 250)
    found: list[feeds.Delivery] = []
    doors = [threading.Thread(target=lambda: found.extend(sent(path))) for _ in range(4)]
    for door in doors:
        door.start()
    for door in doors:
        door.join()
    assert {d.id for d in found} == {found[0].id}
    assert len(found) == 4
    assert [(d.status, d.again) for d in found].count(("read", False)) == 1
    assert entries().count("delivery.read") == 1


def test_what_a_killed_process_kept_is_read_by_the_clock(tmp_path: Path) -> None:
    casework.keep([transfers(tmp_path, WEEKS[0], 5)], office(), sender="test")
    assert casework.time_passed(office()).events == 0
    with store.transaction() as db:
        db.execute("update feeds_delivery set recorded = recorded - interval '16 minutes'")
    done = casework.time_passed(office())
    assert [d.status for d in done.deliveries] == ["read"]
    assert done.events > 0
