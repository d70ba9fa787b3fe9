"""The house is built as design.md 3 draws it: direction, ownership of tables, locks that name no machine."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from handhold import store

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "handhold"
ORDER = (
    "store",
    "ledger",
    "access",
    "feeds",
    "identity",
    "timeline",
    "account",
    "followup",
    "notices",
    "oversight",
    "web",
)
FOREIGN_KEYS = """
    select c.conrelid::regclass::text as from_, c.confrelid::regclass::text as to_
    from pg_constraint c where c.contype = 'f' and c.connamespace = 'public'::regnamespace"""
STATEMENT = re.compile(
    r"\b(select\s+.+\s+from|insert\s+into|update\s+\w+\s+set|delete\s+from|truncate|copy\s+\w+|create\s+table)\b",
    re.IGNORECASE | re.DOTALL,
)
WRITES = re.compile(r"\b(?:insert\s+into|update|delete\s+from|copy)\s+([a-z_]+)", re.IGNORECASE)
OWNED = {
    "notices_outbox": "notices",
    "ledger_entry": "ledger",
    "ledger_leaf": "ledger",
    "ledger_checkpoint": "ledger",
}


def room(table: str) -> str:
    """The room of a table: the part of its name before the first underscore; Django's own belong to the pages."""
    name = table.removeprefix("public.").removeprefix("sponsor.").split("_")[0]
    return name if name in ORDER else "web"


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(SOURCE.rglob("*.py")):
        yield path.relative_to(SOURCE).as_posix(), ast.parse(path.read_text("utf-8"))


def texts(module: ast.Module) -> Iterator[str]:
    """Every text in a module that is not a docstring."""
    docs = {
        node.body[0].value
        for node in ast.walk(module)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docs:
            yield node.value


def test_foreign_keys_point_only_to_earlier_rooms(db: store.Db) -> None:
    later = [
        (row["from_"], row["to_"])
        for row in store.fetch(db, FOREIGN_KEYS)
        if ORDER.index(room(row["to_"])) > ORDER.index(room(row["from_"]))
    ]
    assert later == []


def test_foreign_keys_written_as_text_name_only_this_room() -> None:
    """Django takes a foreign key as a string, which no import linter sees; the pages' models may name their own room only."""
    for name, module in modules():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in (
                "ForeignKey",
                "OneToOneField",
                "ManyToManyField",
            ):
                to = next(
                    (k.value for k in node.keywords if k.arg == "to"), node.args[0] if node.args else None
                )
                if isinstance(to, ast.Constant):
                    assert name.startswith("web/") and str(to.value).split(".")[0].lower() in (
                        "web",
                        "auth",
                        "contenttypes",
                    ), name


def _imports(name: str, module: ast.Module) -> set[str]:
    """Dotted names of Handhold that a module imports anywhere, functions included."""
    found = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return {one for one in found if one.startswith("handhold")}


def test_no_module_imports_itself_through_others() -> None:
    """No cycle anywhere, imports inside functions included. A package's ``__init__`` stands for the package."""
    every = {
        ("handhold." + name.removesuffix(".py").replace("/", ".")).removesuffix(".__init__"): (name, module)
        for name, module in modules()
    }
    graph = {
        dotted: {
            i for i in _imports(name, module) if i in every and i != dotted and not dotted.startswith(i + ".")
        }
        for dotted, (name, module) in every.items()
    }
    done: set[str] = set()

    def visit(dotted: str, above: tuple[str, ...]) -> None:
        assert dotted not in above, " → ".join([*above[above.index(dotted) :], dotted])
        if dotted not in done:
            for one in sorted(graph[dotted]):
                visit(one, (*above, dotted))
            done.add(dotted)

    for dotted in graph:
        visit(dotted, ())


def test_pages_commands_and_jobs_touch_no_tables() -> None:
    """They ask rooms; the one statement that is allowed is the clock's lock."""
    found = [
        (name, text)
        for name, module in modules()
        if name.startswith("web/") or name in ("cli.py", "jobs.py", "demonstration.py")
        for text in texts(module)
        if STATEMENT.search(text) and "pg_locks" not in text
    ]
    assert found == []


def test_statements_are_seen() -> None:
    """The test above can fail: the rooms, which may, are full of statements."""
    assert any(
        STATEMENT.search(text)
        for name, module in modules()
        if name.startswith("account/")
        for text in texts(module)
    )


def written(module: ast.Module) -> Iterator[str]:
    """The tables that a module writes, by a statement or by ``store.copy_in`` and ``store.upsert``."""
    for text in texts(module):
        yield from WRITES.findall(text)
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("copy_in", "upsert"):
            yield from (str(a.value) for a in node.args if isinstance(a, ast.Constant))


@pytest.mark.parametrize("table", OWNED)
def test_what_leaves_the_house_is_written_by_its_owner(table: str) -> None:
    """Outbox and ledger are written by their rooms and by nobody else."""
    writers = {name.split("/")[0] for name, module in modules() if table in written(module)}
    assert writers == {OWNED[table]}


def test_figures_are_computed_and_never_kept(db: store.Db) -> None:
    """No table holds a figure that somebody could write beside the rows: there is none of oversight's at all."""
    kept = store.fetch(
        db,
        "select table_name from information_schema.tables where table_name like 'oversight%%' and table_type = 'BASE TABLE'",
    )
    assert kept == []


def test_only_casework_calls_several_rooms() -> None:
    """Above the rooms and below the pages stands one module."""
    acts = {
        "arrive",
        "take_in",
        "link",
        "take_up",
        "time_passed",
        "decide_link",
        "separate",
        "complete_step",
        "acknowledge",
    }
    spine = ast.parse((SOURCE / "casework.py").read_text("utf-8"))
    assert acts <= {node.name for node in spine.body if isinstance(node, ast.FunctionDef)}


def committed() -> list[Path]:
    """The text files under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    names = [ROOT / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in names if path.is_file() and b"\0" not in path.read_bytes()[:4096]]


def test_locks_name_hashes_and_no_host() -> None:
    for name in (
        "requirements.lock",
        "requirements-dev.lock",
        "requirements-spark.lock",
        "package-lock.json",
    ):
        text = (ROOT / name).read_text("utf-8")
        assert not re.search(r"https?://|file:|--index-url|--find-links|\"resolved\"", text), name
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-spark.lock"):
        pinned = re.findall(
            r"^[a-z0-9][\w.\[\]-]*==", (ROOT / name).read_text("utf-8"), re.MULTILINE | re.IGNORECASE
        )
        assert len(pinned) > 20
        assert (ROOT / name).read_text("utf-8").count("--hash=sha256:") >= len(pinned)


def test_no_committed_file_names_a_registry_or_a_path_of_a_machine() -> None:
    here = re.compile(
        r"(registry\.npmjs\.org|pypi\.org|files\.pythonhosted|/home/[a-z]+/|/root/|/work/[a-z]+)",
        re.IGNORECASE,
    )
    found = [
        (path.relative_to(ROOT).as_posix(), match[0])
        for path in committed()
        if path != Path(__file__) and (match := here.search(path.read_text("utf-8", "replace")))
    ]
    assert found == []
