"""The pages that are made: the story from its tests, the reference from the code and the pack.

``python docs/make.py`` writes them; with ``--check`` it only compares, and fails when a page says something else than what it
is made from. Nothing here needs a database.
"""

import ast
import importlib
import inspect
import pkgutil
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from handhold import cli, oversight, pack
from handhold.timeline.kinds import KINDS

ROOT = Path(__file__).resolve().parents[1]
STORY = ROOT / "tests" / "story" / "test_one_child.py"
MADE = "Made by `python docs/make.py`; do not edit.\n"


def story() -> str:
    """The chapters are the tests of the story: docstring, then what is checked."""
    source = STORY.read_text("utf-8")
    module = ast.parse(source)
    title, _, opening = (ast.get_docstring(module) or "").partition("\n\n")
    parts = [
        f"# {title}\n",
        f"{_unwrapped(opening)}\n",
        f"Made from `{STORY.relative_to(ROOT)}`; do not edit.\n",
    ]
    for test in module.body:
        if isinstance(test, ast.FunctionDef) and test.name.startswith("test_"):
            parts += _chapter(test, source)
    return "\n".join(parts)


def _chapter(test: ast.FunctionDef, source: str) -> list[str]:
    title = test.name.removeprefix("test_").replace("_", " ").capitalize()
    lines = source.splitlines()[test.body[1].lineno - 1 : test.end_lineno]
    code = textwrap.dedent("\n".join(lines))
    return [f"## {title}\n", f"{_unwrapped(ast.get_docstring(test) or '')}\n", f"```python\n{code}\n```\n"]


def _unwrapped(text: str) -> str:
    return " ".join(text.split())


def commands() -> str:
    """Every command with its arguments, as ``--help`` says it."""
    parts = ["# Commands\n", MADE, f"{inspect.cleandoc(cli.__doc__ or '')}\n"]
    for path, command in _commands(cli.handhold, ("handhold",)):
        context = click.Context(command, info_name=" ".join(path), max_content_width=100, terminal_width=100)
        parts.append(f"## `{' '.join(path)}`\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def _commands(
    command: click.Command, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, child in sorted(command.commands.items()):
        yield from _commands(child, (*path, name))


def exports() -> str:
    """The columns of each export; the tests hold the files against them."""
    parts = [
        "# Exports\n",
        MADE,
        "`handhold export WHAT --to FILE.(parquet|csv|jsonl)`. Columns are a contract: more may come, none is renamed.\n",
    ]
    parts += ["| WHAT | columns |", "|---|---|"]
    parts += [
        f"| `{what}` | {', '.join(f'`{c}`' for c in columns)} |"
        for what, columns in oversight.COLUMNS.items()
    ]
    return "\n".join(parts) + "\n"


def gaps() -> str:
    """Each kind of gap with its sentence and its authority, from the function that finds it and the pack."""
    settings = pack.load().toml("gaps.toml")["gap"]
    parts = ["# Gaps\n", MADE]
    for kind, said in _gap_docs().items():
        first, _, rest = said.partition("\n\n")
        rule = settings[kind]
        source = f"Rule: {rule['source']}{'' if rule['confirmed'] else ' (to be confirmed)'}. Answered by {rule['owner']}."
        parts.append(
            f"## `{kind}`\n\n*{rule['words']}.* {_unwrapped(first)}\n\n{_unwrapped(rest)} {source}\n".replace(
                "\n\n Rule", "\n\nRule"
            )
        )
    return "\n".join(parts)


def _gap_docs() -> dict[str, str]:
    room = importlib.import_module("handhold.account.gaps")
    found = {}
    for part in pkgutil.iter_modules(room.__path__):
        module = importlib.import_module(f"{room.__name__}.{part.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            kind = name.replace("_", "-")
            if function.__module__ == module.__name__ and kind in pack.load().toml("gaps.toml")["gap"]:
                found[kind] = inspect.getdoc(function) or ""
    return dict(sorted(found.items()))


def events() -> str:
    """Each kind of event: what it is called, which element of data it is, whose lane it stands in."""
    parts = [
        "# Kinds of events\n",
        MADE,
        "The element decides, by the agreements (`agreements.md`), who may be told that it happened.\n",
    ]
    parts += ["| kind | words | element | agency | details |", "|---|---|---|---|---|"]
    parts += [
        f"| `{name}` | {kind.words} | `{kind.element}` | {kind.owner_lane} | {', '.join(f'`{d}`' for d in kind.details)} |"
        for name, kind in KINDS.items()
    ]
    return "\n".join(parts) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "story.md": story,
    "reference/commands.md": commands,
    "reference/exports.md": exports,
    "reference/gaps.md": gaps,
    "reference/events.md": events,
}


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them (``--check``); returns the exit code."""
    stale = []
    for name, make in PAGES.items():
        page, made = ROOT / "docs" / name, make()
        if "--check" not in arguments:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(made, "utf-8")
        elif not page.exists() or page.read_text("utf-8") != made:
            stale.append(name)
    for name in stale:
        print(f"docs/{name} is not what it is made from; run python docs/make.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
