"""Duties: their examples run, slips are refused by name, and no notice holds what its agreement lacks."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handhold import access, notices, pack
from handhold.notices import DutyError, Letterhead, Matter
from handhold.notices.duty import Fact, asked, decisions, duties
from handhold.pack import Pack

PACK = pack.load()
DUTIES = duties(PACK)
TABLE = access.compiled(PACK)
TODAY = date(2024, 6, 3)
EXAMPLES: list[dict[str, Any]] = PACK.toml("duties.toml")["example"]
SECRET = "NEVER-TO-BE-READ"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example["says"])
def test_example(example: dict[str, Any]) -> None:
    gap, _, reason = example["gap"].partition("/")
    told = [f"{duty.agency}/{duty.role} for {duty.purpose}" for duty in DUTIES if duty.answers(gap, reason)]
    assert sorted(told) == sorted(example["tells"])


def test_nobody_is_ever_told_for_enforcement() -> None:
    assert "enforcement" not in {duty.purpose for duty in DUTIES}


def test_every_recipient_may_choose_the_purpose_for_which_it_is_told() -> None:
    for duty in DUTIES:
        assert duty.purpose in access.purposes(PACK, duty.role)
        assert access.roles(PACK)[duty.role].agency == duty.agency


def test_the_attorney_is_not_told_what_hhs_or_the_sponsor_said() -> None:
    duty = next(duty for duty in DUTIES if duty.name == "missed-hearing-opla")
    refused = {
        element
        for element, decision in decisions(PACK, duty, event=TODAY, sending=TODAY).items()
        if not decision.allowed
    }
    assert refused == {"child.hhs-location", "sponsor.contact"}


def test_the_stricter_of_the_two_days_holds() -> None:
    duty = next(duty for duty in DUTIES if duty.name == "absence-unreported-ero")
    assert decisions(PACK, duty, event=TODAY, sending=TODAY)["child.identity"].allowed
    before_the_agreement = decisions(PACK, duty, event=date(2019, 5, 1), sending=TODAY)
    assert not any(decision.allowed for decision in before_the_agreement.values())


elements = st.sampled_from(sorted(TABLE.words.questions()))
seats = st.sampled_from([(reader.agency, reader.role, reader.purpose) for reader in access.readers(PACK)])


@settings(max_examples=300)
@given(seats, st.lists(elements, min_size=1, max_size=6, unique=True), st.sampled_from(DUTIES))
def test_no_notice_holds_an_element_its_agreement_lacks(
    seat: tuple[str, str, str], wanted: list[str], duty: notices.Duty
) -> None:
    """Whoever writes whatever duty: what the table refuses is neither listed as told nor said in the text."""
    agency, role, purpose = seat
    rash = replace(
        duty,
        agency=agency,
        role=role,
        purpose=purpose,
        elements=tuple(wanted),
        facts=tuple(Fact(one, f"{SECRET} {one}.") for one in wanted),
    )
    matter = Matter(
        SECRET + " last",
        SECRET + " first",
        SECRET + " born",
        ("own",),
        TODAY,
        None,
        None,
        None,
        None,
        None,
        datetime(2024, 6, 5, tzinfo=UTC),
    )
    decided = asked(rash, [TABLE])
    notice = notices.compose(
        rash, matter, decided, Letterhead("a", "r", "g", TABLE.words.elements, "America/New_York")
    )
    for element in wanted:
        whole, _, kind = element.partition("/")
        allowed = access.decide(TABLE, agency, role, purpose, whole, kind or "*").allowed
        assert (element in notice.elements) is allowed
        assert (f"{SECRET} {element}." in notice.text) is allowed
        assert (element in notice.withheld) is not allowed
    assert (f"{SECRET} last" in notice.text) is ("child.identity" in notice.elements)
    assert (f"{SECRET} born" in notice.text) is ("child.description" in notice.elements)


def changed(old: str, new: str) -> Pack:
    assert old in PACK.texts["duties.toml"]
    return replace(PACK, texts=PACK.texts | {"duties.toml": PACK.texts["duties.toml"].replace(old, new, 1)})


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('agreement = "child-welfare"', 'agreement = "handshake"', "no agreement 'handshake'"),
        ('agreement = "court-process"', 'agreement = "oversight"', "oversight permits ERO none"),
        ('about = "gap:missed-hearing-untold/ORR"', 'about = "missed-hearing"', "write gap:KIND"),
        ("within = { business_days = 1 }", "within = { business_days = 0 }", "more than none"),
        ('purpose = "safety"', 'purpose = "enforcement"', "none of its elements for enforcement"),
        ("{pattern}", "{address}", "address"),
        ('element = "child.case"', 'element = "child.concern-text"', "child.concern-text"),
        ('title = "A child released', 'titel = "A child released', "does not say 'title'"),
    ],
)
def test_a_slip_is_named(old: str, new: str, told: str) -> None:
    with pytest.raises(DutyError, match=told):
        duties(changed(old, new))


def test_two_duties_to_tell_one_agency_of_one_gap_are_refused() -> None:
    with pytest.raises(DutyError, match="keep one"):
        duties(
            changed(
                'about = "gap:release-not-told"\nagency = "ORR"',
                'about = "gap:no-usable-address"\nagency = "ORR"',
            )
        )
