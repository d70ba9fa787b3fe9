"""Golden files of damage: what was sent, as a text file says it, made into bytes.

One case a file (``damage/*.toml``): ``defect`` in a sentence, ``source``, and one ``[[delivery]]`` for each thing sent, with
what must come of it written beside it (see ``damage/README.md``).
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from feeds.sending import header

from . import books

FOLDER = Path(__file__).parent / "damage"
LINES = {"LF": "\n", "CRLF": "\r\n"}


@dataclass(frozen=True)
class Case:
    """One golden file: its name, and what it says."""

    name: str
    text: dict[str, Any]

    @property
    def slow(self) -> bool:
        return bool(self.text.get("slow"))

    def sendings(self) -> Iterator[list[dict[str, Any]]]:
        """Deliveries that come together; ``later`` begins the next sending."""
        together: list[dict[str, Any]] = []
        for delivery in self.text["delivery"]:
            if delivery.get("later") and together:
                yield together
                together = []
            together.append(delivery)
        yield together


def cases() -> list[Case]:
    """All golden files, by name."""
    return [Case(path.stem, tomllib.loads(path.read_text("utf-8"))) for path in sorted(FOLDER.glob("*.toml"))]


def write(delivery: dict[str, Any], folder: Path) -> Path:
    """The file that a ``[[delivery]]`` describes, at its name below ``folder``."""
    path = folder / delivery["sent"]
    path.parent.mkdir(parents=True, exist_ok=True)
    if delivery.get("folder"):
        path.mkdir()
    elif "build" in delivery:
        books.BUILD[delivery["build"]](path)
    else:
        path.write_bytes(_bytes(delivery))
    return path


def _bytes(delivery: dict[str, Any]) -> bytes:
    text = delivery["text"] if "text" in delivery else _court_table(delivery)
    encoding = delivery.get("encoding", "utf-8")
    written = text.replace("\n", LINES[delivery.get("lines", "LF")]).encode(encoding)
    for old, new in delivery.get("bytes", {}).items():  # what no text can hold, put in by hexadecimal numbers
        written = written.replace(old.encode(encoding), bytes.fromhex(new))
    return written


def _court_table(delivery: dict[str, Any]) -> str:
    """Tab-separated rows under the layout's own header; ``extra`` names columns before which a tab too many stands."""
    names = header(delivery["table"])
    rows = [_court_row(names, row, delivery.get("blank", "")) for row in delivery["rows"]]
    return "".join("\t".join(row) + "\n" for row in [names, *rows])


def _court_row(names: list[str], row: dict[str, Any], blank: str) -> list[str]:
    strange = set(row) - set(names) - {"extra", "cut", "wide"}
    assert not strange, f"no such columns: {strange}"
    cells: list[str] = []
    for name in names:
        cells += [""] * row.get("extra", []).count(name) + [row.get(name, blank)]
    return cells[: row.get("cut")] + ["x"] * row.get("wide", 0)
