"""The sixteen-year-old whose hearing notice went to the wrong house

Ana came alone, was passed to the child-welfare agency within a day, and was released to her aunt. In January 2024 they
moved; the aunt said so when the agency called. In March the court mailed the notice of Ana's hearing to the old house.
On 28 May nobody came. Five agencies each hold a piece of this, and none is told what the others know. This is what
Handhold makes of it. Every line below is run as a test.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from story.telling import Story, the_sixteen_year_old

FRIDAY_NIGHT = "2024-05-31T23:59-04:00"


@pytest.fixture(scope="module")
def story(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """One deployment for all chapters: each begins where the one before ended."""
    told = Story(datetime.fromisoformat(FRIDAY_NIGHT))
    told.arrives(the_sixteen_year_old().write(tmp_path_factory.mktemp("feeds")))
    yield told


def test_four_files_one_child(story: Story) -> None:
    """The removal officers, the child-welfare agency, the court and the government's attorneys each sent a file. They
    are the same child's, and her account answers six questions.
    """
    answers = story.answers()
    assert answers["responsible"]["value"] == "sponsor"
    assert answers["place"]["value"] == "address" and answers["place"]["more"]["basis"] == "checkin"
    assert answers["case"]["value"] == "open" and answers["case"]["more"]["missed"][0]["on"] == "2024-05-28"
    assert answers["told"]["value"] == "untold"


def test_what_is_missing(story: Story) -> None:
    """Nobody whom it concerns knows of the missed hearing, nobody has said why it was missed, and the notice went to a
    house that the child-welfare agency knew was old.
    """
    assert story.open_gaps() == {
        "missed-hearing-untold/ORR",
        "missed-hearing-untold/ERO",
        "missed-hearing-untold/OPLA",
        "missed-hearing-unexplained",
        "notice-to-old-address",
    }


def test_whose_knowledge_since_when(story: Story) -> None:
    """The gap does not only say that the address was old: it says who knew better, since when, and for how many days
    before the notice was mailed. What counts is when the agency wrote it down, not when the family moved.
    """
    (old,) = [gap for gap in story.gaps() if gap["kind"] == "notice-to-old-address"]
    assert old["evidence"]["knew"] == "ORR"
    assert old["evidence"]["known_since"] == "2024-01-11"
    assert old["evidence"]["mailed_on"] == "2024-03-05"
    assert old["evidence"]["days_before_mailing"] == 54


def test_the_same_files_again(story: Story, tmp_path: Path) -> None:
    """The same files come again. Nothing changes, and Handhold says so."""
    again = story.arrives(the_sixteen_year_old().write(tmp_path))
    assert all(delivery.again for delivery in again.deliveries)
    assert (again.events, again.opened, again.closed, again.notices) == (0, 0, 0, 0)


def test_each_agency_is_told_what_it_may_know(story: Story) -> None:
    """The child-welfare agency, the removal officers' juvenile coordinator and the attorneys each find a notice in their
    inbox. No notice holds an address or the sponsor's name.
    """
    for agency in ("ORR", "ERO", "OPLA"):
        letter = story.letter(agency, "missed-hearing-untold")
        assert "May 28, 2024" in letter
        assert "OAK" not in letter and "ELM" not in letter and "KARLA" not in letter


def test_the_firewall(story: Story) -> None:
    """The coordinator, for court, sees the address of the release, which an agreement lets the agency be told, and not
    the new one, which came from a call to the family. For enforcement she sees neither, and the page says by which rule.
    """
    court = {event["kind"]: event for event in story.seen_by("ERO", "court").events}
    assert court["discharged"]["location"]["line1"] == "197 ELM ST"
    assert "contact-attempted" not in court
    enforcement = story.seen_by("ERO", "enforcement")
    assert not any(event["location"] for event in enforcement.events)
    assert all(item.rule for item in enforcement.withheld)


def test_an_acknowledgement_closes_the_gap(story: Story) -> None:
    """On Saturday morning the child-welfare agency acknowledges. Received and acknowledged are different facts: only the
    second closes the gap, and only that agency's.
    """
    story.it_is("2024-06-01T09:00-04:00")
    story.acknowledges("ORR")
    assert "missed-hearing-untold/ORR" not in story.open_gaps()
    assert {"missed-hearing-untold/ERO", "missed-hearing-untold/OPLA"} <= story.open_gaps()


def test_the_follow_up(story: Story) -> None:
    """The protocol has begun by itself. Handhold checked the notice's address and found it defective, so counsel and the
    attorneys have steps; the provider is to reach the child by three channels within three business days.
    """
    story.acknowledges("ERO")
    story.acknowledges("OPLA")
    assert "contact" in story.steps("PRS")
    assert "tell-counsel" in story.steps("LSP")
    assert "review-order" in story.steps("OPLA")


def test_somebody_calls(story: Story) -> None:
    """On Monday the provider reaches Ana at the new address, counsel is told that the time to ask for rescission runs,
    and the attorneys find that there is no order yet.
    """
    story.it_is("2024-06-03T16:00-04:00")
    story.does("PRS", "contact", "reached-elsewhere")
    story.does("LSP", "tell-counsel", "told")
    story.does("OPLA", "review-order", "no-order")
    assert "decide-reason" in story.steps("ORR")


def test_a_person_decides_why(story: Story) -> None:
    """Why the hearing was missed is decided by a person, with the code for a notice to an old address. That closes the
    gap; the proposal from the evidence alone never would.
    """
    story.does("ORR", "decide-reason", "f-oldaddr")
    assert "missed-hearing-unexplained" not in story.open_gaps()


def test_the_outcome(story: Story) -> None:
    """The follow-up closes with its outcome: the child is safe, elsewhere. What stays open is the notice itself, until
    the court mails another one to the new house.
    """
    story.does("ORR", "close", "safe-elsewhere")
    assert story.steps("ORR") == {}
    assert story.open_gaps() == {"notice-to-old-address"}


def test_the_figures_open(story: Story) -> None:
    """An overseer sees one child under "hearing notices sent to an address known to be old", opens the number, and finds
    the child and the row it came from.
    """
    assert story.figure("old-address") == (1, 1)
    assert "eoir" in story.command("report", "--explain", "old-address").lower()


def test_the_ledger_proves_it(story: Story) -> None:
    """Everything that was written, shared, acknowledged and decided is in the ledger, and the ledger verifies."""
    assert "ledger verifies" in story.command("verify", now=False)
