"""Words for codes: every gap, reason, page and role that pages can show has its own."""

import pytest

from handhold import access, pack
from handhold.timeline import kinds
from handhold.web import session
from handhold.web.templatetags import words

PACK = pack.load()
GAPS = PACK.toml("gaps.toml")["gap"]


def test_every_kind_of_gap_says_which_element_naming_it_reveals() -> None:
    elements = access.words(PACK).elements
    listed = PACK.toml("pages.toml")["gap_element"]
    assert set(GAPS) <= set(listed)
    assert set(listed.values()) <= set(elements)


@pytest.mark.parametrize("kind", sorted(GAPS))
def test_a_gap_is_shown_in_the_packs_words(kind: str) -> None:
    assert words.gap_words(kind) == GAPS[kind]["words"]


@pytest.mark.parametrize("kind", sorted(kinds.KINDS))
def test_an_event_begins_with_a_capital_and_is_told_in_the_timelines_words(kind: str) -> None:
    said = words.event_words(kind)
    assert said[0].isupper() or said[0].isdigit()
    assert said.lower() == kinds.KINDS[kind].words.lower()


def test_a_reason_is_words_first_and_its_code_after() -> None:
    assert (
        words.reason_words("F-OLDADDR")
        == "mailed to a place that somebody already knew to be old (F-OLDADDR)"
    )
    assert words.reason_words("OPLA") == "ICE OPLA"
    assert words.reason_words("") == ""


def test_every_role_and_purpose_of_the_pack_can_be_signed_in_as() -> None:
    known = PACK.toml("words.toml")
    for role in access.roles(PACK).values():
        assert role.agency in known["agency"]
        assert set(role.purposes) <= set(known["purpose"]) & set(known["purpose_short"])


def test_pages_name_only_roles_of_the_pack() -> None:
    roles = set(access.roles(PACK))
    text = PACK.toml("pages.toml")
    for entry in (*text["page"].values(), *text["right"].values()):
        assert set(entry["roles"]) <= roles


def test_a_removal_officer_browses_nothing() -> None:
    assert session.pages("officer") == {}
    assert not session.may_open("officer", "child")


def test_unknown_codes_are_shown_not_hidden() -> None:
    assert words.word("some-new-code", "case") == "some new code"
    assert words.word(None, "case") == "not known"
