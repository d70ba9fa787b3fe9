"""Pairs compared on Spark: nothing may come out otherwise than here."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import polars as pl
import pytest

from handhold import cli, identity, store
from handhold.identity import spark
from handhold.identity.compare import Engine, compare

from .said import NOW, PACK, SCALE
from .typed import WANTED, told

CHILDREN = 400
HERE_ALONE = {"spark.master": "local[2]"}
LINKS = (
    "select file, child, judgement, linked_by, probability, evidence, until from identity_link order by file"
)
QUESTIONS = "select file_a, file_b, reason, weight, evidence from identity_question order by id"


class Noted:
    """An engine that remembers what it found."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.found = engine, []

    def __call__(self, *asked: Any) -> pl.DataFrame:
        self.found.append(self.engine(*asked))
        return self.found[-1]

    def pairs(self) -> pl.DataFrame:
        return pl.concat(self.found).sort("a", "b")


def linked(db: store.Db, engine: Engine) -> tuple[identity.Identified, list[Any], list[Any]]:
    """What is written for the nation by this engine; the database is then as before."""
    with db.transaction(force_rollback=True):
        found = identity.identify(db, by="system", now=NOW, pack=PACK, engine=engine)
        return found, store.fetch(db, LINKS), store.fetch(db, QUESTIONS)


@pytest.fixture
def described(db: store.Db) -> Iterator[store.Db]:
    """Children with three times the usual errors, described and not linked."""
    identity.describe(db, told(CHILDREN, seed=5, error=3), now=NOW)
    yield db


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # PySpark leaves it to the collector
def test_spark_links_the_same_files_with_the_same_weights(
    described: store.Db, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(spark, "PACKET", 150)  # many packets, and several rounds of them
    here = Noted(compare)
    by_here = linked(described, here)
    with spark.engine(HERE_ALONE | {"spark.local.dir": str(tmp_path)}) as engine:
        there = Noted(engine)
        by_spark = linked(described, there)
    one, other = here.pairs(), there.pairs()
    assert len(one) > spark.PACKET * spark.ROUND, "too few pairs to need several rounds"
    assert one.schema == other.schema
    weights = [name for name, kind in one.schema.items() if kind == pl.Float64]
    assert one.drop(weights).equals(other.drop(weights))
    for name in weights:
        assert (one[name] - other[name]).abs().max() <= 1e-9, name
    assert by_here[0].children.equals(by_spark[0].children)
    assert by_here[0].linked > CHILDREN
    assert by_here[1:] == by_spark[1:]


@pytest.mark.slow
@pytest.mark.spark
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
def test_spark_weighs_as_many_pairs_as_the_other_engines_are_held_to(
    typists: pl.DataFrame, many_pairs: pl.DataFrame, tmp_path: Path
) -> None:
    assert len(many_pairs) > WANTED
    with spark.engine(HERE_ALONE | {"spark.local.dir": str(tmp_path)}) as engine:
        there = engine(many_pairs, typists, SCALE).sort("a", "b")
    here = compare(many_pairs, typists, SCALE).sort("a", "b")
    weights = [name for name, kind in here.schema.items() if kind == pl.Float64]
    assert here.drop(weights).equals(there.drop(weights))
    for name in weights:
        assert (here[name] - there[name]).abs().max() <= 1e-9, name


@pytest.mark.parametrize(
    ("missing", "said"), [("pyspark", "install handhold[spark]"), ("java", "install Java 17")]
)
def test_what_is_missing_is_said_before_anything_is_taken_in(
    server: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    missing: str,
    said: str,
) -> None:
    if missing == "pyspark":
        monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    else:
        for name in ("pyspark", "pyspark.sql", "pandas"):  # whether or not they are there
            monkeypatch.setitem(sys.modules, name, ModuleType(name))
        monkeypatch.setattr(sys.modules["pyspark.sql"], "SparkSession", None, raising=False)
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    monkeypatch.setattr(sys, "argv", ["handhold", "ingest", str(tmp_path / "notes.csv"), "--engine", "spark"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1
    sentence = " ".join(capsys.readouterr().err.split())
    assert said in sentence and "leave --engine out" in sentence
    with store.transaction() as db:
        assert store.fetch(db, "select count(*) as n from feeds_delivery") == [{"n": 0}]
