"""The six answers in words: what is said, what is withheld, and that withholding leaks nothing."""

import json
from functools import partial

import pytest

from handhold import access, pack
from handhold.account.model import AGENCIES_TO_TELL
from handhold.web import answers

PACK = pack.load()
TABLE = access.compiled(PACK)
ADDRESSES = {7: "12 ELM ST, HOUSTON, TX 77002", 8: "4 OAK AVE, DALLAS, TX 75201"}


def asked(agency: str, role: str, purpose: str) -> answers.Asked:
    return partial(access.decide, TABLE, agency, role, purpose)


def account(**changed: object) -> dict:
    """An account as ``account.as_json`` gives it, of a child who missed a hearing and whom nobody reached."""
    plain = {
        "responsible": {"value": "sponsor", "quality": "stated", "evidence": [1], "since": "2023-03-01T05:00:00+00:00", "confirmed": "2023-03-02T05:00:00+00:00", "by": "ORR"},
        "place": {
            "value": "address", "quality": "conflict", "evidence": [7], "since": None, "confirmed": None, "by": None,
            "more": {"event": 7, "basis": "discharge", "agency": "ORR", "since": "2023-03-01", "flags": "",
                     "stated": [{"event": 8, "basis": "eoir33", "agency": "EOIR", "since": "2023-06-01", "flags": ""}]},
        },
        "safety": {"value": "none", "quality": "unknown", "evidence": [], "since": None, "confirmed": None, "by": None,
                   "more": {"attempts": 2, "reached": 0, "concerns": 1, "open_concerns": 1}},
        "case": {"value": "in-absentia", "quality": "stated", "evidence": [3], "since": None, "confirmed": None, "by": "EOIR",
                 "more": {"charging": "filed", "filed": {"on": "2023-04-01", "events": [4]}, "missed": [{"on": "2024-02-01", "events": [3]}]}},
        "told": {"value": "untold", "quality": "stated", "evidence": [], "since": "2024-02-02T05:00:00+00:00", "confirmed": None, "by": None,
                 "more": {"ORR": "no", "ERO": "sent", "OPLA": "shows"}},
        "next": {"value": "nothing-set", "quality": "n/a", "evidence": [], "since": None, "confirmed": None, "by": None},
    }  # fmt: skip
    return {**plain, **changed}


def test_the_child_welfare_side_reads_all_six_answers_in_plain_words() -> None:
    cards = answers.cards(account(), asked("ORR", "specialist", "safety"), ADDRESSES)
    assert [card.value for card in cards] == [
        "The sponsor",
        "Agencies name different addresses",
        "Nobody has tried to reach the child",
        "Ordered removed in absentia",
        "Not everybody has been told",
        "Nothing is set by the court",
    ]
    assert "12 ELM ST, HOUSTON, TX 77002" in cards[1].lines
    assert dict(cards[4].pairs) == {
        "HHS ORR": "Not told",
        "ICE ERO": "Told, not acknowledged",
        "ICE OPLA": "Its own records show it",
    }


def test_facts_of_the_charging_document_are_three_and_unknown_is_not_no() -> None:
    case = answers.cards(account(), asked("ORR", "specialist", "safety"), ADDRESSES)[3]
    told = dict(case.pairs)
    assert told["Charging document filed"] == "Sat 1 Apr 2023"
    assert told["Charging document served"] == "not shown by anybody"
    assert told["Hearings missed"] == "Thu 1 Feb 2024"


@pytest.mark.parametrize("role", ["coordinator", "officer", "attorney"])
def test_enforcement_never_reads_an_address_that_came_from_hhs(role: str) -> None:
    agency = access.roles(PACK)[role].agency
    cards = answers.cards(account(), asked(agency, role, "enforcement"), ADDRESSES)
    said = json.dumps([vars(card) for card in cards])
    assert "12 ELM ST" not in said
    assert cards[1].withheld and not cards[1].lines


@pytest.mark.parametrize("reader", access.readers(PACK), ids=lambda r: f"{r.role}-{r.purpose}")
def test_a_card_is_either_answered_or_withheld_with_a_reason(reader: access.Reader) -> None:
    for card in answers.cards(account(), asked(reader.agency, reader.role, reader.purpose), ADDRESSES):
        assert bool(card.value) != bool(card.withheld)
        assert not (card.withheld and (card.lines or card.pairs))


def test_nobody_responsible_is_a_value_and_alarms() -> None:
    nobody = {
        "value": "nobody",
        "quality": "stated",
        "evidence": [],
        "since": None,
        "confirmed": None,
        "by": None,
    }
    card = answers.cards(account(responsible=nobody), asked("ORR", "specialist", "safety"), {})[0]
    assert (card.value, card.tone) == ("Nobody", answers.LATE)


def test_every_agency_that_must_be_told_has_words() -> None:
    words = PACK.toml("words.toml")
    assert set(AGENCIES_TO_TELL) <= set(words["agency"])
    assert {"acknowledged", "sent", "shows", "no", "n/a"} <= set(words["told"])
