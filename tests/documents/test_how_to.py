"""The how-to pages are true: each of their command blocks is run, in order, in a home of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from faults.deployment import REPOSITORY, fresh_home

pytestmark = pytest.mark.slow
PAGES = sorted((REPOSITORY / "docs" / "how-to").glob("*.md"))
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_each_command_of_the_page_works(page: Path, tmp_path: Path) -> None:
    blocks = BLOCK.findall(page.read_text("utf-8"))
    assert blocks
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "handhold").write_text(f'#!/bin/sh\nexec {sys.executable} -m handhold "$@"\n')
    (commands / "handhold").chmod(0o755)
    with fresh_home() as home:
        environment = {
            **os.environ,
            "HANDHOLD_HOME": str(home.where),
            "PYTHONPATH": str(REPOSITORY / "src"),
            "PATH": f"{commands}:{os.environ['PATH']}",
        }
        environment.pop("DATABASE_URL", None)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", "\n".join(blocks)], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_every_path_that_a_page_or_docstring_names_is_there() -> None:
    """``docs/…`` in the sources and pages leads somewhere."""
    places = [
        *REPOSITORY.glob("*.md"),
        *(REPOSITORY / "docs").rglob("*.md"),
        *(REPOSITORY / "src").rglob("*.py"),
    ]
    named = {
        (path.name, found)
        for path in places
        for found in re.findall(r"\bdocs/[\w./-]+\w", path.read_text("utf-8"))
    }
    assert [(page, name) for page, name in sorted(named) if not (REPOSITORY / name).exists()] == []
    assert named
