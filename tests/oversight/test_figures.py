"""Every number opens, and every export has the contract's columns."""

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from story.telling import Story, the_sixteen_year_old

from handhold import cli, ledger, oversight, pack, store
from handhold.oversight.figures import definitions

NOW = datetime.fromisoformat("2024-05-31T23:59-04:00")
PACK = pack.load()


@pytest.fixture(scope="module")
def loaded(database: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The sixteen-year-old, and a second child whose release address is blank, who was transferred late and never served."""
    from nation import released

    nation = the_sixteen_year_old()
    released(
        nation,
        "216043625",
        "UC2",
        last="PAZ",
        first="LUIS",
        line="",
        unit="",
        city="",
        zip="",
        state="",
        served="",
        told="2023-02-09",
    )
    Story(NOW).arrives(nation.write(tmp_path_factory.mktemp("feeds")))


@pytest.mark.parametrize("name", definitions(PACK))
def test_a_figure_is_the_children_under_it(loaded: None, name: str) -> None:
    with store.transaction() as db:
        opened = oversight.explain(db, name, now=NOW, pack=PACK)
        (shown,) = [f for f in oversight.picture(db, now=NOW, pack=PACK, everything=True) if f.name == name]
    assert opened.rows["child"].n_unique() == opened.value == shown.value
    assert opened.rows["child"].null_count() == 0


def test_rows_lead_to_the_delivery_and_line_they_came_from(loaded: None) -> None:
    with store.transaction() as db:
        rows = oversight.explain(db, "missed-hearing", now=NOW, pack=PACK).rows
    assert rows["delivery"].null_count() == rows["line"].null_count() == 0
    assert len(rows) == 1


def test_figures_are_not_all_nought(loaded: None) -> None:
    """The test above could not fail on an empty nation."""
    with store.transaction() as db:
        counted = [f.name for f in oversight.picture(db, now=NOW, pack=PACK, everything=True) if f.value]
    assert {
        "children",
        "missed-hearing",
        "old-address",
        "no-address",
        "release-not-told",
        "not-served",
        "untold-orr",
    } <= set(counted)


def test_the_command_line_opens_every_figure(loaded: None) -> None:
    for name in definitions(PACK):
        done = CliRunner().invoke(
            cli.handhold, ["report", "--explain", name, "--now", NOW.isoformat(), "--limit", "0"]
        )
        assert done.exit_code == 0, done.output


@pytest.mark.parametrize("what", oversight.EXPORTS)
@pytest.mark.parametrize("form", [".parquet", ".csv", ".jsonl"])
def test_exports_have_the_columns_of_the_contract(loaded: None, tmp_path: Path, what: str, form: str) -> None:
    target = tmp_path / f"{what}{form}"
    with ledger.acting_transaction("system") as db:
        count = oversight.export(db, what, target, as_of=None, now=NOW, pack=PACK)
    read = {".parquet": pl.read_parquet, ".csv": pl.read_csv, ".jsonl": pl.read_ndjson}[form]
    if form == ".jsonl" and not count:
        assert target.read_text() == ""
        return
    rows = read(target)
    assert set(oversight.COLUMNS[what]) <= set(rows.columns)
    assert len(rows) == count


def test_every_export_of_the_contract_is_there() -> None:
    assert (
        oversight.EXPORTS.keys()
        == oversight.COLUMNS.keys()
        == {"files", "children", "events", "gaps", "notices", "quarantine", "figures"}
    )
