"""The waterfall of evidence: every bar from the model, the sums, and what a reader may not see."""

import pytest

from handhold.identity.explain import SPONSORED, WITHHELD, explain

from .said import SCALE

TWINS = {
    "number": "near",
    "surname": "same",
    "given": "other",
    "dob": "same",
    "sex": "same",
    "gate": "given-name-against",
}


def test_the_bars_and_the_prior_add_up_to_both_sums() -> None:
    told = explain(TWINS | {"rarity": {"surname": 1.5}}, SCALE)
    assert [bar.trait for bar in told.bars] == list(SCALE.traits)
    assert told.stranger == pytest.approx(SCALE.prior()[0] + sum(bar.stranger for bar in told.bars))
    assert told.sibling == pytest.approx(SCALE.prior()[1] + sum(bar.sibling for bar in told.bars))
    surname = next(bar for bar in told.bars if bar.trait == "surname")
    assert surname.stranger == SCALE.bits("surname", "same")[0] + 1.5
    assert surname.sibling == SCALE.bits("surname", "same")[1]


def test_a_rare_name_counts_against_a_stranger_and_not_against_a_brother() -> None:
    plain, told = (explain(TWINS | {"rarity": rarity}, SCALE) for rarity in ({}, {"surname": 1.5}))
    assert told.stranger == pytest.approx(plain.stranger + 1.5)
    assert told.sibling == plain.sibling


def test_twins_are_stopped_by_what_speaks_against_a_brother() -> None:
    told = explain(TWINS, SCALE)
    assert (told.against, told.stopped) == ("sibling", "given-name-against")
    assert told.weight == min(told.stranger, told.sibling) < 0


def test_what_rests_on_a_sponsor_is_withheld_with_its_bits() -> None:
    told = explain(TWINS | dict.fromkeys(SPONSORED, "same"), SCALE).without_sponsor()
    hidden = [bar for bar in told.bars if bar.sponsored]
    assert all((bar.level, bar.stranger, bar.sibling) == (WITHHELD, 0.0, 0.0) for bar in hidden)
    assert told.stranger == pytest.approx(explain(TWINS, SCALE).stranger)


def test_a_level_that_no_model_knows_weighs_nothing() -> None:
    told = explain({"number": "of-an-older-model"}, SCALE)
    assert told.weight == min(SCALE.prior())
