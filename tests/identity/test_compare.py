"""Two descriptions: the pairs a caseworker would know, and the levels they rest on."""

import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handhold.identity.candidates import SAID, profiles
from handhold.identity.compare import compare, with_rarity
from handhold.identity.explain import explain
from handhold.identity.levels import dob_level, given_level, number_level, surname_level
from handhold.identity.names import folded
from handhold.identity.spec import BY_NAME, NAMES, TRAITS, UNKNOWN, version

from .said import CODES, SCALE

PAIRS = tomllib.loads((Path(__file__).parent / "pairs.toml").read_text("utf-8"))["pair"]
WORDS = st.sampled_from(
    ["GARCIA", "LOPEZ", "LOPES", "DE LA CRUZ", "TZOC", "ÑÚÑEZ", "O'HARA", "MARIA-JOSE", "", "H"]
)


def judged(a: dict[str, Any], b: dict[str, Any]) -> dict[str, Any]:
    """The comparison of two descriptions."""
    rows = [
        {"file": n} | {("court_case" if k == "court" else k): v for k, v in of.items()}
        for n, of in ((1, a), (2, b))
    ]
    people = with_rarity(profiles(pl.DataFrame(rows, {"file": pl.Int64} | SAID), CODES), SCALE)
    return compare(pl.DataFrame({"a": [1], "b": [2]}), people, SCALE).row(0, named=True)


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["why"])
def test_pairs_a_caseworker_knows(pair: dict[str, Any]) -> None:
    got = judged(pair["a"], pair["b"])
    assert got["verdict"] == pair["verdict"], got


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["why"])
def test_it_does_not_matter_which_comes_first(pair: dict[str, Any]) -> None:
    there, back = judged(pair["a"], pair["b"]), judged(pair["b"], pair["a"])
    assert {t: there[t] for t in (*NAMES, "weight", "gate")} == {
        t: back[t] for t in (*NAMES, "weight", "gate")
    }


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair["why"])
def test_what_is_explained_weighs_what_decided(pair: dict[str, Any]) -> None:
    got = judged(pair["a"], pair["b"])
    told = explain(got | {"rarity": {name: got[f"{name}_rare"] for name in ("surname", "given")}}, SCALE)
    assert told.weight == pytest.approx(got["weight"])
    assert told.stopped == got["gate"]


def test_the_shipped_model_weighs_every_level_of_the_specification() -> None:
    assert SCALE.model["spec"] == version()
    assert {trait.name: {name for name, _ in trait.levels} for trait in TRAITS} == {
        trait: set(levels) for trait, levels in SCALE.model["bits"].items()
    }


def test_every_gate_speaks_of_levels_that_exist() -> None:
    for gate in SCALE.rules["gate"]:
        for trait, levels in gate.items():
            assert trait in ("name", "below") or set(levels) <= set(BY_NAME[trait].names)


def test_the_gate_of_estimated_births_opens_where_all_else_leaves_no_doubt() -> None:
    estimated = tuple({"dob": "same-estimated"}.get(trait, UNKNOWN) for trait in NAMES)
    (below,) = (gate["below"] for gate in SCALE.rules["gate"] if gate["name"] == "birth-date-estimated")
    assert SCALE.threshold("link") < below
    assert SCALE.closed(estimated, below - 0.01) == "birth-date-estimated"
    assert SCALE.closed(estimated, below) is None
    against = tuple({"dob": "same-estimated", "sex": "different"}.get(trait, UNKNOWN) for trait in NAMES)
    assert SCALE.closed(against, 99.0) == "sex-against", "the others hold whatever the sum"


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("2005-03-31", "2005-03-31", "same"), ("2005-01-01", "2005-01-01", "same-estimated"), ("2007-02-03", "2007-03-02", "exchanged"),
        ("2005-06-23", "2005-06-19", "day-off"), ("2005-07-25", "2005-08-02", "day-off"), ("2006-07-27", "2005-07-27", "year-off"),
        ("2004-12-31", "2004-01-01", "year-off"), ("2007-01-01", "2007-09-14", "estimated"), ("2005-03", "2005-03-31", "month"),
        ("2005", "2005-03-31", "estimated"), ("2005-04", "2005-03-31", "other"), ("2005-03-31", "2011-08-02", "other"),
        ("2005-02-31", "2005-02-28", "other"),
    ],
)  # fmt: skip
def test_levels_of_birth_dates(a: str, b: str, level: str) -> None:
    assert dob_level(a, b) == level == dob_level(b, a)


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("GARCIA LOPEZ", "LOPEZ GARCIA", "same"), ("GARCIA-LOPEZ", "García López", "same"), ("GARCIA LOPEZ", "GARCIALOPEZ", "same"),
        ("GARCIA", "GARCIA", "same-one"), ("GARCIA LOPEZ", "LOPEZ", "part"), ("GARCIA LOPEZ", "LOPES", "part-alike"),
        ("VELASQUEZ", "BELASQUES", "alike"), ("YAC", "LLAC", "alike"), ("MEJIA", "MEXIA", "alike"), ("XIMENEZ", "HIMENES", "alike"),
        ("QUIEJ TZOC", "KIEJ SOC", "alike"), ("CHUQUIEJ", "CHUKIEJ", "alike"), ("SHOL CAAL", "XOL CAL", "alike"),
        ("GARCIA LOPEZ", "GARCIA PEREZ", "one-of-two"), ("GARCIA LOPEZ", "TZOC", "other"),
        ("LOPEZ GARCIA", "GARCIALOPEZ", "same"), ("LOPES GARCIA", "GARCIALOPEZ", "alike"), ("LOPEZ GARCIA", "GARCIALOPES", "alike"),
        ("DE LA CRUZ", "DELACRUZ", "same-one"), ("DE LEON PEREZ", "PEREZ DELEON", "same"), ("DEL CID LOPEZ", "DELCID LOPEZ", "same"),
        ("DEL AGUILA", "DELAGUILA", "same-one"), ("DE LOS SANTOS", "DELOSSANTOS", "same-one"), ("DE LAS CASAS", "DELASCASAS", "same-one"),
        ("DELGADO", "DEGADO", "same-one"), ("DERAS", "DERAS", "same-one"), ("HERNANDEZ", "ERNANDES", "alike"), ("GIMENEZ", "JIMENES", "alike"),
        ("AJQUI", "AHKI", "alike"), ("TZ'UNUN", "TZUNUN", "same-one"), ("XOL", "SHOL", "alike"), ("SAQUIC", "ZAKIC", "alike"),
        ("DE PAZ", "DEPAZ", "same-one"), ("DE PAZ LOPEZ", "DEPAZ LOPEZ", "same"), ("DE PAZ LOPEZ", "DEPAZLOPEZ", "same"),
        ("LOPEZ DE LEON", "LOPEZDELEON", "same"), ("GARCIA DE LA CRUZ", "GARCIADELACRUZ", "same"), ("GARCIA DE LA CRUZ", "DELACRUZGARCIA", "same"),
        ("LOPEZ DELGADO", "LOPEZDELGADO", "same"), ("DERAS LOPEZ", "DERASLOPEZ", "same"), ("LOPEZ DE LEON", "LOPEZYLEON", "same"),
        ("LOPEZ LEON", "LOPEZDELUNA", "other"), ("LARIOS", "RIOS", "other"), ("RIOS LOPEZ", "LARIOSLOPEZ", "other"),
        ("DELEON", "DELGADO", "other"), ("CRUZ", "DELACRUZ REYES", "part-alike"),
    ],
)  # fmt: skip
def test_levels_of_surnames(a: str, b: str, level: str) -> None:
    one, other = folded(a) or "", folded(b) or ""
    assert surname_level(one, other) == level == surname_level(other, one)


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("ANA LUCIA", "LUCIA ANA", "same"), ("ANALUCIA", "ANA LUCIA", "same"), ("JUAN CARLOS", "CARLOS", "part"), ("JOSE", "CHEPE", "alike"),
        ("FRANCISCO", "PACO", "alike"), ("FRANCISCO", "FRAN", "alike"), ("YESENIA", "LLESENIA", "alike"), ("BRAYAN", "VRAYAN", "alike"),
        ("ANA LUCIA", "ANA MARIA", "second-differs"), ("JUAN", "WILMER", "other"), ("HEIDY", "JEIDI", "alike"), ("ENRIQUE", "KIKE", "alike"),
        ("JHONATAN", "JONATHAN", "alike"), ("VICENTE", "CHENTE", "alike"),
    ],
)  # fmt: skip
def test_levels_of_given_names(a: str, b: str, level: str) -> None:
    known = SCALE.world.nicknames
    assert given_level(a, b, known) == level == given_level(b, a, known)


@pytest.mark.parametrize(
    ("a", "b", "level"),
    [
        ("216043624", "216043624", "same"), ("216043624", "216043634", "near"), ("216043624", "216043642", "near"),
        ("216043624", "251566471", "different"),
    ],
)  # fmt: skip
def test_levels_of_numbers(a: str, b: str, level: str) -> None:
    assert number_level(a, b) == level


@given(st.lists(WORDS, max_size=3), st.lists(WORDS, max_size=3))
def test_names_of_any_kind_compare_alike_both_ways(left: list[str], right: list[str]) -> None:
    a, b = folded(" ".join(left)), folded(" ".join(right))
    if a is None or b is None:
        return
    assert set(a) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ ")
    assert surname_level(a, b) == surname_level(b, a)
    assert surname_level(a, b).startswith("same") >= (a == b)
    assert given_level(a, b, SCALE.world.nicknames) == given_level(b, a, SCALE.world.nicknames)
