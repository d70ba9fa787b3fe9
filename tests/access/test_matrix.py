"""The printed matrix is what the pack says."""

from pathlib import Path

import pytest

from handhold import pack
from handhold.access import matrix


def test_the_reference_is_current() -> None:
    assert matrix.PAGE.read_text("utf-8") == matrix.page(pack.load())


def test_a_stale_reference_fails_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matrix, "PAGE", tmp_path / "agreements.md")
    assert matrix.main(["--check"]) == 1
    assert matrix.main([]) == 0
    assert matrix.main(["--check"]) == 0
