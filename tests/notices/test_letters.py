"""Letters to people are compared whole: what the recipient will read lies in ``letters/`` as text."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from handhold import access, notices, pack
from handhold.notices import Duty, Letterhead, Matter, Notice
from handhold.notices.duty import decisions, duties

PACK = pack.load()
DUTIES = {duty.name: duty for duty in duties(PACK)}
LETTERS = Path(__file__).parent / "letters"
SENDING = date(2024, 6, 3)
MATTER = Matter(
    last="RIVERA LOPEZ",
    first="ANA MARIA",
    born="2009-04-17",
    own=("200031188",),
    day=date(2024, 5, 20),
    pattern="the child was ordered removed in absentia",
    reason="the apartment number is missing",
    knew="ORR",
    since=date(2024, 4, 2),
    days=12,
    due=datetime(2024, 6, 5, 3, 59, 59, tzinfo=UTC),
)


def head(duty: Duty) -> Letterhead:
    titles = {agreement.name: agreement.title for agreement in access.agreements(PACK)}
    text = PACK.toml("roles.toml")
    return Letterhead(
        text["agency"][duty.agency],
        access.roles(PACK)[duty.role].title,
        titles[duty.agreement],
        text["element"],
        "America/New_York",
    )


def composed(name: str, matter: Matter = MATTER) -> Notice:
    duty = DUTIES[name]
    return notices.compose(duty, matter, decisions(PACK, duty, event=SENDING, sending=SENDING), head(duty))


def same_as_written(name: str, text: str) -> None:
    path = LETTERS / f"{name}.txt"
    assert path.exists(), f"write {path.name} and have it reviewed; it would be:\n{text}"
    assert text == path.read_text("utf-8")


@pytest.mark.parametrize("name", DUTIES)
def test_letter(name: str) -> None:
    same_as_written(name, composed(name).text)


def test_letter_about_a_child_of_whom_little_is_known() -> None:
    nobody = Matter(None, None, None, (), None, None, None, None, None, None, MATTER.due)
    same_as_written("little-known", composed("missed-hearing-orr", nobody).text)


def test_correction() -> None:
    duty = DUTIES["missed-hearing-ero"]
    decided = decisions(PACK, duty, event=SENDING, sending=SENDING)
    notice = notices.correction(
        duty, MATTER, decided, head(duty), sent=date(2024, 5, 21), why="what it rested on was withdrawn"
    )
    same_as_written("correction", notice.text)


def test_no_letter_without_its_duty() -> None:
    assert {path.stem for path in LETTERS.glob("*.txt")} == {*DUTIES, "little-known", "correction"}
