"""What stops a link that weighs enough, one veto after the other; each stands between two files that would be one child's without it."""

import pytest

from handhold.identity.cluster import Clusters, Edge, Facts, grow

ERO, ORR, EOIR, USCIS, OPLA = 1, 2, 3, 4, 5
AGENCY = {ERO: "ERO", ORR: "ORR", EOIR: "EOIR", USCIS: "USCIS", OPLA: "OPLA"}
STRONG = [Edge(20.0, ERO, ORR, True), Edge(19.0, EOIR, USCIS, True)]  # two children of two files each
BETWEEN = Edge(8.0, ORR, EOIR, True)
MINE, THEIRS = "216043624", "238811111"
NUMBERED = {
    ERO: Facts(numbers=frozenset({MINE})), ORR: Facts(numbers=frozenset({MINE})),
    EOIR: Facts(numbers=frozenset({THEIRS})), USCIS: Facts(numbers=frozenset({THEIRS})),
}  # fmt: skip
SEXES = {
    ERO: Facts(sexes=frozenset("M"), given=frozenset({"JUAN"})), EOIR: Facts(sexes=frozenset("F"), given=frozenset({"ANA"})),
}  # fmt: skip
COMPARED = [(ORR, EOIR), (ERO, EOIR), (ORR, USCIS)]


def refused(edges: list[Edge] | None = None, **known: object) -> list[str]:
    """Why the link between the two children is not drawn; nothing where it is."""
    of = {name: known.pop(name) for name in ("apart", "child", "facts", "held") if name in known}
    clusters = Clusters(AGENCY, of.pop("child", {}), **of)  # type: ignore[arg-type]
    why = [one.why for one in grow(clusters, edges or [*STRONG, BETWEEN], **known)]  # type: ignore[arg-type]
    assert (clusters.root(ORR) == clusters.root(EOIR)) == (not why)
    return why


def test_without_a_veto_the_two_are_one() -> None:
    assert refused() == []


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"apart": frozenset({(ERO, USCIS)})}, "said-to-be-apart"),
        ({"child": {ERO: 100, EOIR: 101}}, "two-children"),
        ({"held": frozenset({EOIR})}, "held"),
        ({"against": [(ERO, USCIS)]}, "contradicted"),
        ({"negative": [(ERO, EOIR), (ORR, USCIS)], "compared": COMPARED}, "mostly-negative"),
        ({"facts": NUMBERED}, "numbers-differ"),
        ({"facts": SEXES}, "sexes-differ"),
    ],
)
def test_a_veto_refuses_the_link_and_says_why(known: dict[str, object], why: str) -> None:
    held_too = [why] if why == "held" else []  # what is held is not linked by its other edge either
    assert refused(**known) == [*held_too, why]


def test_a_side_that_says_both_sexes_as_often_says_neither() -> None:
    both = Facts(sexes=frozenset("MF"), given=SEXES[ERO].given)
    assert refused(facts=SEXES | {ERO: both}) == []


def test_one_agency_has_one_file_of_a_child() -> None:
    clusters = Clusters({ERO: "ERO", ORR: "ERO"}, {})
    assert [one.why for one in grow(clusters, [STRONG[0]])] == ["two-files-of-one-agency"]


def test_a_rival_that_fits_nearly_as_well_makes_it_a_question() -> None:
    clusters = Clusters(AGENCY | {OPLA: "ORR"}, {})
    edges = [Edge(9.0, ERO, ORR, True), Edge(8.0, ERO, OPLA, True)]
    assert {one.why for one in grow(clusters, edges, margin=2.0)} == {"not-unique"}
    near = Clusters(AGENCY | {OPLA: "ORR"}, {})
    assert [one.why for one in grow(near, edges, margin=0.5)] == ["two-files-of-one-agency"]


def test_numbers_speak_only_where_two_files_state_them_and_neither_side_has_the_others() -> None:
    once = {ERO: Facts(numbers=frozenset({MINE})), EOIR: Facts(numbers=frozenset({THEIRS}))}
    assert refused(facts=once) == []
    both = NUMBERED | {ORR: Facts(numbers=frozenset({MINE, THEIRS}))}
    assert refused(facts=both) == []


def test_where_name_and_birth_are_wholly_the_same_another_number_does_not_part_them() -> None:
    sure = Edge(8.0, ORR, EOIR, True, sure=True)
    assert refused([*STRONG, sure], facts=NUMBERED) == []
    assert refused([*STRONG, sure], negative=COMPARED[1:], compared=COMPARED) == []


def test_a_shared_word_of_a_given_name_outweighs_a_sex_that_was_keyed_wrong() -> None:
    assert refused(facts=SEXES | {EOIR: Facts(sexes=frozenset("F"), given=frozenset({"JUAN", "ANA"}))}) == []


def test_a_weaker_link_never_comes_before_a_stronger_one() -> None:
    rival = Edge(18.0, EOIR, OPLA, True)
    why = refused([BETWEEN, rival, *reversed(STRONG)], against=[(ERO, OPLA)])
    assert why == ["contradicted"], (
        "the stronger link to OPLA stands, the weaker one is refused because of it"
    )
