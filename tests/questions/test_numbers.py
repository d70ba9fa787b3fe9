"""Two A-numbers on one child, one on two: a doubt about who the child is, until a person or a correction settles it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import nation
import polars as pl
import pytest

from handhold import casework, feeds, identity, store

from .conftest import ANA, LUIS, MIA, NOW, file_of, office, take_back_all

LATER = NOW + timedelta(days=1)
COURT_OF_LUIS = ("EOIR", "9000001")


@pytest.fixture(autouse=True)
def undone(loaded: object) -> Iterator[None]:
    """What a test says is taken back after it."""
    yield
    take_back_all()


def doubts(agency: str, key: str) -> set[str]:
    """Why it is in doubt whose files the child of this file has."""
    with store.transaction() as db:
        rows = store.fetch(
            db,
            "select g.reason from account_gap g join identity_file f on f.child = g.child"
            " where f.id = %s and g.kind = 'identity-doubt' and g.closed is null",
            [file_of(agency, key)],
        )
    return {row["reason"] for row in rows}


def say(word: str, *files: tuple[str, str], by: str = "person:1") -> None:
    casework.decide_link(*(file_of(*file) for file in files), word, "read both", office(by))


def together(*files: tuple[str, str]) -> bool:
    with store.transaction() as db:
        ids = pl.Series([file_of(*file) for file in files], dtype=pl.Int64)
        return len(identity.children_of(db, ids)["child"].unique()) == 1


def test_a_number_of_two_children_and_two_of_one_are_doubts_of_their_own() -> None:
    assert together(("ERO", LUIS), COURT_OF_LUIS)
    assert doubts("ERO", ANA) == {"question", "number-of-two"}
    assert doubts("ERO", LUIS) == {"question", "number-of-two", "two-numbers"}
    assert doubts("ERO", MIA) == {"question"}, "her other file is not hers yet"


def test_who_says_that_they_are_two_children_settles_the_number_they_share() -> None:
    say("no match", ("ERO", ANA), COURT_OF_LUIS)
    assert doubts("ERO", ANA) == set()
    assert doubts("ERO", LUIS) == {"two-numbers"}


def test_who_says_that_both_files_are_the_childs_settles_its_two_numbers() -> None:
    say("match", ("ERO", MIA), ("USCIS", "219999999"))
    say("match", ("ERO", MIA), ("USCIS", "219999999"), by="person:2")
    assert together(("ERO", MIA), ("USCIS", "219999999"))
    assert doubts("ERO", MIA) == set()
    say("match", ("ERO", LUIS), COURT_OF_LUIS)
    say("match", ("ERO", LUIS), COURT_OF_LUIS, by="person:2")
    assert "two-numbers" not in doubts("ERO", LUIS)


def orr_says(number: str, day: str, folder: Path, now: datetime) -> None:
    """ORR has a girl whom nobody else has, with this A-number."""
    told = nation.released(
        nation.Nation(), number, "UC4", last="TUM CAAL", first="ELSA", dob="2011-11-11", line="3 FIR ST"
    )
    told.rows.pop("ero.uc_transfers")
    for path in told.write(folder).glob("orr/*.csv"):
        path.rename(path.with_name(path.name.replace(f"_{nation.AS_OF}.", f"_{day}.")))
    casework.arrive(feeds.find(folder), office(casework.SYSTEM, now), sender="test")


def test_a_number_of_two_is_a_doubt_of_both_at_once_and_no_more_when_its_agency_corrects_it(
    tmp_path: Path,
) -> None:
    assert doubts("ERO", MIA) == {"question"}
    orr_says(MIA, "2024-06-01", tmp_path / "1", LATER)
    assert not together(("ERO", MIA), ("ORR", "UC4"))
    assert doubts("ERO", MIA) == doubts("ORR", "UC4") == {"question", "number-of-two"}
    orr_says("219000777", "2024-06-02", tmp_path / "2", LATER + timedelta(days=1))
    assert doubts("ERO", MIA) | doubts("ORR", "UC4") == {"question"}
