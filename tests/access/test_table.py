"""The total table: what it holds, that two evaluators agree on every cell, and that a bad pack refuses the start."""

from dataclasses import replace
from datetime import date
from types import MappingProxyType

import pytest

from handhold import access, pack
from handhold.access import cedar, second
from handhold.access.table import NO_AGREEMENT, NO_SUCH_QUESTION
from handhold.pack import Pack

PACK = pack.load()
TABLE = access.compiled(PACK)
WORDS = access.words(PACK)


def changed(path: str, old: str, new: str) -> Pack:
    assert old in PACK.texts[path]
    return replace(PACK, texts=PACK.texts | {path: PACK.texts[path].replace(old, new)})


def test_every_question_has_its_cell() -> None:
    roles = {role.name for role in WORDS.roles}
    asked = len(WORDS.agencies) * len(roles) * len(WORDS.purposes) * len(WORDS.questions())
    assert len(TABLE.cells) == asked > 10_000


def test_the_second_evaluator_agrees_on_every_cell() -> None:
    found = access.agreements(PACK)
    for question, decision in TABLE.cells.items():
        allowed, rules = second.answer(WORDS, found, question)
        assert (decision.allowed, decision.rule) == (allowed, rules[0] if rules else NO_AGREEMENT), question


def test_the_second_evaluator_notices_a_policy_that_slips() -> None:
    slipped = changed(
        "agreements/court-process.cedar",
        'Element::"child.accounted", Element::"counsel"\n',
        'Element::"sponsor"\n',
    )
    found = access.agreements(slipped)
    table = access.compiled(slipped)
    differ = [q for q, d in table.cells.items() if d.allowed != second.answer(WORDS, found, q)[0]]
    assert ("ERO", "coordinator", "court", "sponsor.contact") in differ


def test_compiling_is_done_once() -> None:
    fresh = replace(PACK, texts=PACK.texts | {"note.toml": "said = 1"})
    table = access.compiled(fresh)
    assert access.compiled(fresh) is table


def test_an_element_of_one_kind_may_be_known_where_the_whole_may_not() -> None:
    ask = ("ERO", "coordinator", "court", "child.hhs-location")
    assert access.decide(TABLE, *ask, kind="discharged").allowed
    assert not access.decide(TABLE, *ask, kind="contact-attempted").allowed
    assert not access.decide(TABLE, *ask).allowed
    reader = access.reader(PACK, person="p", role="coordinator", purpose="court")
    assert "child.hhs-location/discharged" in access.elements(TABLE, reader)
    assert "child.hhs-location" not in access.elements(TABLE, reader)


def test_what_is_not_in_the_pack_is_refused() -> None:
    for ask in [
        ("FBI", "agent", "court", "child.case"),
        ("ERO", "coordinator", "court", "child.shoe-size"),
        ("ERO", "coordinator", "fun", "child.case"),
    ]:
        assert access.decide(TABLE, *ask) == access.Decision(
            False, NO_SUCH_QUESTION, access.decide(TABLE, *ask).reason
        )


def test_permissions_wait_for_their_first_day_and_prohibitions_do_not() -> None:
    early = access.compiled(PACK, date(2015, 1, 1))
    ask = ("ERO", "coordinator", "court", "child.hhs-location")
    assert not access.decide(early, *ask, kind="discharged").allowed
    assert (
        access.decide(early, "ORR", "specialist", "enforcement", "sponsor.contact").rule == "sponsor-firewall"
    )
    assert access.decide(early, "ORR", "specialist", "safety", "child.case").allowed


def test_an_ended_agreement_permits_nothing() -> None:
    ended = changed(
        "agreements/oversight.toml",
        "effective_from = 2003-03-01",
        "effective_from = 2003-03-01\neffective_to = 2020-01-01",
    )
    ask = ("OIG", "auditor", "audit", "child.case")
    assert access.decide(access.compiled(ended, date(2019, 12, 31)), *ask).allowed
    assert not access.decide(access.compiled(ended, date(2020, 1, 1)), *ask).allowed
    assert not access.decide(access.compiled(ended), *ask).allowed


@pytest.mark.parametrize(
    ("path", "old", "new", "told"),
    [
        (
            "agreements/oversight.cedar",
            "resource in [",
            "resource.secret == 1 || resource in [",
            "does not validate",
        ),
        ("agreements/oversight.cedar", 'Element::"child.case"', 'Element::"child.cse"', "child.cse"),
        ("agreements/oversight.cedar", "OIG/auditor", "OIG/auditer", "OIG/auditer"),
        ("agreements/oversight.cedar", 'Action::"audit"', 'Action::"gossip"', "does not validate"),
        ("agreements/oversight.cedar", "oversight-pseudonymous", "another-name", "another-name"),
        ("agreements/oversight.cedar", "permit (", "forbid (", "oversight-pseudonymous"),
        ("agreements/oversight.toml", "authority =", "autority =", "authority"),
    ],
)
def test_a_bad_agreement_refuses_the_start(path: str, old: str, new: str, told: str) -> None:
    with pytest.raises(access.AgreementError, match=told):
        access.compiled(changed(path, old, new))


def test_a_policy_without_its_header_refuses_the_start() -> None:
    texts = {path: text for path, text in PACK.texts.items() if path != "agreements/oversight.toml"}
    with pytest.raises(access.AgreementError, match="oversight"):
        access.compiled(replace(PACK, texts=texts))


def test_an_error_never_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cedar skips a failing forbid and allows: so one failing answer must refuse the whole table."""

    class Failing:
        allowed = True
        decision = cedar.cedarpy.Decision.Allow

        class diagnostics:  # noqa: N801
            errors = ("while evaluating policy `policy0`: type error",)
            reasons: tuple[str, ...] = ()
            id_annotations_by_reason = MappingProxyType({})

    monkeypatch.setattr(cedar.cedarpy, "is_authorized_batch", lambda requests, *_: [Failing] * len(requests))
    with pytest.raises(access.AgreementError, match="Cedar failed"):
        access.compiled(replace(PACK, texts=PACK.texts | {"note.toml": "said = 2"}))
