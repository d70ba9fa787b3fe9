"""What is typed beyond what can be meant is said so in one sentence, before anything is opened."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from handhold import cli

WRONG = [
    ("report --now 9999-12-31T23:59-04:00", "is the year right"),
    ("report --now 0001-01-01T00:00+05:00", "is the year right"),
    ("report --now 2024-05-31T23:59", "has no zone"),
    ("report --now yesterday", "is not a moment"),
    ("report --explain children --limit -1", "'--limit'"),
    ("feeds list --limit -1", "'--limit'"),
    ("quarantine list 11111111111111111111111", "'[DELIVERY]'"),
    ("link separate 11111111111111111111111 --why x --by person:1", "'FILE'"),
    ("link questions --after 11111111111111111111111", "'--after'"),
    ("notices ORR --limit 11111111111111111111", "'--limit'"),
    ("simulate nation --seed -3", "'--seed'"),
    ("simulate nation --as-of 0001-01-01", "--as-of"),
    ("simulate nation --adults-per-child nan", "is no number"),
    ("simulate nation --error inf", "'--error'"),
]


@pytest.mark.parametrize(("words", "sentence"), WRONG, ids=[words for words, _ in WRONG])
def test_an_argument_out_of_range_is_named(
    words: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli.handhold, words.split())
    assert done.exit_code == 2
    assert sentence in done.output
