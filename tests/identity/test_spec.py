"""One specification, three engines: DuckDB's SQL, the functions one by one, and by columns give the same, to 1e-9."""

import sys

import duckdb
import polars as pl
import pytest

from handhold.identity.compare import compare, in_columns, one_by_one, sided, weighed_pairs
from handhold.identity.spec import BY_NAME, NAMES, PROFILE, TRAITS
from handhold.identity.training import for_sql

from .said import SCALE
from .typed import WANTED

NEAR = 1e-9


@pytest.fixture(scope="module")
def both(typists: pl.DataFrame, many_pairs: pl.DataFrame) -> pl.DataFrame:
    columns = [*PROFILE, "last_rare", "first_rare"]
    sides = [
        typists.select(pl.col("file").alias(s), *(pl.col(c).alias(f"{c}_{s}") for c in columns)) for s in "ab"
    ]
    return many_pairs.join(sides[0], on="a", maintain_order="left").join(
        sides[1], on="b", maintain_order="left"
    )


@pytest.fixture(scope="module")
def by_sql(typists: pl.DataFrame, many_pairs: pl.DataFrame) -> pl.DataFrame:
    """Levels and both sums, all of it said in SQL."""
    db = duckdb.connect()
    db.register("people", for_sql(typists, SCALE.world).to_arrow())
    db.register("pairs", many_pairs.to_arrow())
    sides = ", ".join(
        f"{s}.{c} as {c}_{s}"
        for s in "lr"
        for c in for_sql(typists.head(1), SCALE.world).columns
        if c != "file"
    )
    levels = ", ".join(f"{trait.sql()} as {trait.name}" for trait in TRAITS)
    db.execute(
        f"create table met as select p.a, p.b, {sides} from pairs p join people l on l.file = p.a join people r on r.file = p.b"
    )
    db.execute(
        f"create table judged as select a, b, {levels}, {_rare('last')} as surname_rare, {_rare('first')} as given_rare from met"
    )
    sums = ", ".join(f"{_sum(against)} as {name}" for against, name in enumerate(("stranger", "sibling")))
    found = pl.from_arrow(db.sql(f"select a, b, {', '.join(NAMES)}, {sums} from judged").to_arrow_table())
    assert isinstance(found, pl.DataFrame)
    return found


def _rare(name: str) -> str:
    one, other = (f"(not contains({name}_{side}, ' '))" for side in "lr")
    return (
        f"case when {one} and not {other} then {name}_rare_l when {other} and not {one} then {name}_rare_r"
        f" else least({name}_rare_l, {name}_rare_r) end"
    )


def _sum(against: int) -> str:
    parts = [str(SCALE.prior()[against])]
    for trait in TRAITS:
        cases = " ".join(
            f"when '{level}' then {SCALE.bits(trait.name, level)[against]!r}" for level in trait.names
        )
        parts.append(f"case {trait.name} {cases} end")
        if trait.rare and not against:
            rare = ", ".join(f"'{level}'" for level in sorted(trait.rare))
            parts.append(f"case when {trait.name} in ({rare}) then {trait.name}_rare else 0.0 end")
    return " + ".join(parts)


@pytest.mark.slow
def test_levels_from_sql_and_from_python_are_identical(both: pl.DataFrame, by_sql: pl.DataFrame) -> None:
    order = ["a", "b", *NAMES]
    functions = one_by_one(both, SCALE).select(order).sort(order)
    assert len(functions) == len(by_sql) > WANTED
    unseen = {t: {level for level, _ in BY_NAME[t].levels} - set(functions[t]) for t in NAMES}
    assert not any(unseen.values()), unseen
    assert in_columns(both, SCALE).select(order).sort(order).equals(functions)
    assert by_sql.select(order).sort(order).equals(functions)


@pytest.mark.slow
def test_weights_from_sql_and_from_python_are_the_same(both: pl.DataFrame, by_sql: pl.DataFrame) -> None:
    order = ["a", "b", *NAMES, "stranger", "sibling"]
    python, sql = weighed_pairs(both, SCALE).select(order).sort(order), by_sql.select(order).sort(order)
    for against in ("stranger", "sibling"):
        assert float((python[against] - sql[against]).abs().max()) < NEAR  # type: ignore[arg-type]


def test_one_pair_alone_weighs_what_it_weighs_among_many(both: pl.DataFrame) -> None:
    some = both.head(400)
    many = weighed_pairs(some, SCALE)
    for a, b, row in zip(sided(some, "a"), sided(some, "b"), many.iter_rows(named=True), strict=True):
        levels = SCALE.judge(a, b)
        rare = {"surname": row["surname_rare"], "given": row["given_rare"]}
        assert dict(zip(NAMES, levels, strict=True)) == {trait: row[trait] for trait in NAMES}
        assert SCALE.weigh(levels, rare) == pytest.approx((row["stranger"], row["sibling"]), abs=NEAR)
        assert SCALE.closed(levels, row["weight"]) == row["gate"]


def test_slices_that_remember_what_was_asked_before_say_what_one_slice_says(
    typists: pl.DataFrame, many_pairs: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = many_pairs.head(5_000)
    at_once = compare(some, typists, SCALE)
    monkeypatch.setattr(sys.modules["handhold.identity.compare"], "SLICE", 700)
    assert compare(some, typists, SCALE).equals(at_once)
    assert len(at_once) == len(some)
