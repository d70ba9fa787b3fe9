"""``handhold identity train``: the charts, the comparison with what decides, the file for a pack, and adopting."""

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from handhold import cli, identity, store
from handhold.identity.spec import TRAITS, version

from .said import NOW, PACK
from .typed import told


@pytest.mark.slow
def test_the_command_trains_shows_its_charts_writes_a_packs_file_and_lets_it_decide(
    database: str, tmp_path: Path
) -> None:
    with store.transaction() as db:
        identity.describe(db, told(450, seed=6, error=1), now=NOW)
    target = tmp_path / "model.toml"
    words = [
        "identity", "train", "--adopt", "--to", str(target), "--by", "person:1", "--now", NOW.isoformat(),
    ]  # fmt: skip
    done = CliRunner().invoke(cli.handhold, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    model = tomllib.loads(target.read_text("utf-8"))
    assert model["spec"] == version()
    assert {trait.name for trait in TRAITS} == set(model["bits"])
    bars = [line.split("│")[-3:-1] for line in done.output.splitlines() if line.startswith("│")]
    assert len(bars) == sum(len(trait.levels) for trait in TRAITS), "a bar a level"
    assert any("█" in against for against, _ in bars)
    assert any("█" in alike for _, alike in bars)
    assert not any("█" in against and "█" in alike for against, alike in bars)
    assert "pairs in one child by both" in done.output
    assert f"model {model['version']} decides from now on" in done.output
    with store.transaction() as db:
        assert identity.scale(PACK, db).version == model["version"]
        assert store.fetch(
            db, "select verb, by from ledger_entry where thing = 'model' order by seq desc limit 1"
        ) == [{"verb": "model.adopted", "by": "person:1"}]
