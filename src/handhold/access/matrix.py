"""The matrix in the reference: who may know what, printed from the table that runs.

``python -m handhold.access.matrix`` writes ``docs/reference/agreements.md``; with ``--check`` it only compares, and fails
when the page and the pack say different things.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from handhold import pack as packs
from handhold.access.agreements import Agreement, agreements
from handhold.access.session import Reader, readers
from handhold.access.table import NO_AGREEMENT, Table, compiled, decide
from handhold.pack import Pack

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "agreements.md"
HEAD = """# Who may know what

Made from the pack by `python -m handhold.access.matrix`; do not edit. **yes** is followed by the rule that permits; a
refusal by the rule that forbids, or by nothing where no agreement permits. A pair of agency and role that is not listed
is refused everything.
"""


def page(pack: Pack) -> str:
    """The whole page, for the agreements that have no end."""
    table = compiled(pack)
    parts = [
        HEAD,
        *_matrices(pack, table),
        "## The agreements\n",
        *(_described(found) for found in agreements(pack)),
    ]
    return "\n".join(parts)


def _matrices(pack: Pack, table: Table) -> Iterator[str]:
    every = readers(pack)
    for purpose in table.words.purposes:
        columns = [reader for reader in every if reader.purpose == purpose]
        yield f"## For {purpose}\n"
        yield _matrix(table, columns)


def _matrix(table: Table, columns: list[Reader]) -> str:
    heads = [f"{reader.agency} {reader.role}" for reader in columns]
    lines = [f"| element | {' | '.join(heads)} |", "|---" * (len(heads) + 1) + "|"]
    lines.extend(
        f"| `{question}` | {' | '.join(_cell(table, reader, question) for reader in columns)} |"
        for question in table.words.questions()
    )
    return "\n".join(lines) + "\n"


def _cell(table: Table, reader: Reader, question: str) -> str:
    element, _, kind = question.partition("/")
    decision = decide(table, reader.agency, reader.role, reader.purpose, element, kind or "*")
    if decision.allowed:
        return f"**yes** ({decision.rule})"
    return "no" if decision.rule == NO_AGREEMENT else f"no ({decision.rule})"


def _described(found: Agreement) -> str:
    until = f" to {found.effective_to}" if found.effective_to else ""
    rules = "\n".join(
        f"- `{rule.name}`: {'permits' if rule.permits else 'forbids'}; {rule.why}" for rule in found.rules
    )
    state = "confirmed" if found.confirmed else "to be confirmed"
    return (
        f"### {found.title} (`{found.name}`)\n\nParties: {', '.join(found.parties)}. Authority: {found.authority}. "
        f"Source: {found.source}. In force from {found.effective_from}{until}; {state}.\n\n{rules}\n"
    )


def main(arguments: list[str]) -> int:
    """Write the page, or compare it (``--check``); returns the exit code."""
    made = page(packs.load())
    if "--check" not in arguments:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(made, "utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text("utf-8") == made:
        return 0
    print(
        "docs/reference/agreements.md is not what the pack says; run python -m handhold.access.matrix",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
