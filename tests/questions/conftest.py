"""A nation of a handful with questions in it, taken in through the main job; each test decides and takes back."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import nation
import pytest

from handhold import casework, feeds, ledger, pack, store
from handhold.ledger import checkpoints

NOW = datetime.fromisoformat("2024-05-31T23:59-04:00")
PACK = pack.load()
ANA, LUIS, MIA = "216043624", "216043625", "219000111"


def office(by: str = "person:1", now: datetime = NOW) -> casework.Office:
    return casework.Office(by=by, now=now, pack=PACK, workers=1)


def children_in_doubt() -> nation.Nation:
    """Ana missed a hearing. Luis's court case bears Ana's number. Mia's USCIS file bears another number than hers."""
    made = nation.Nation()
    nation.released(made, ANA, "UC1")
    nation.in_court(made, ANA)
    nation.hearing(made, "2023-06-01", reason="11", mailed="2023-03-05", line="9 OLD RD")
    nation.hearing(made, "2024-06-07", id="4002", mailed="2024-05-05")
    nation.released(
        made, LUIS, "UC2", last="PAZ", first="LUIS", dob="2009-05-05", line="5 OAK AVE", served=""
    )
    nation.in_court(made, ANA, "9000001", last="PAZ", first="LUIS", dob="2009-05-05")
    nation.released(made, MIA, "UC3", last="XOL CAAL", first="MIA ROSA", dob="2010-02-03", line="7 ASH CT")
    return made.add("uscis.benefits", receipt="R1", a_number="219999999", last_name="XOL", first_name="MIA ROSA", date_of_birth="2010-02-03",
                    country_of_birth="HONDURAS", form="I-589", received_on="2023-05-01", status="PENDING")  # fmt: skip


@pytest.fixture(scope="module")
def loaded(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The main job has run."""
    shutil.rmtree(
        checkpoints.folder(), ignore_errors=True
    )  # those of another module's database in the same home
    folder = children_in_doubt().write(tmp_path_factory.mktemp("nation"))
    casework.arrive(feeds.find(folder), office(casework.SYSTEM), sender="test")
    yield folder
    shutil.rmtree(checkpoints.folder(), ignore_errors=True)


def file_of(agency: str, key: str) -> int:
    return store.blind_one(f"{agency}\x1f{key}", "file")


def take_back_all() -> None:
    """Whatever a test said is taken back, and what it drew, claimed and proposed is gone."""
    with store.transaction() as db:
        words = store.fetch(db, "select file_a, file_b from identity_judgement where until is null")
    later = office("person:9", NOW + timedelta(days=1))
    for word in words:
        casework.withdraw_word(word["file_a"], word["file_b"], "test over", later)
    with ledger.acting_transaction("person:9") as db:
        db.execute("truncate identity_review, identity_claim, identity_proposal")
