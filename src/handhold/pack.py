"""The pack: the dated set of agreements, protocols, thresholds and definitions a deployment runs.

A leaf: it reads text files and knows nothing else. Rules are text under review (``design.md`` 1.10), so every module
that needs one asks the pack for it, and the pack's version (a hash over all its texts) is recorded with what it allowed.
"""

import hashlib
import os
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

SHIPPED = "us-uc"


class PackError(Exception):
    """A pack cannot be used: the message names the file and what to do."""


@dataclass(frozen=True)
class Pack:
    """All texts of one pack, keyed by their path inside it (``gaps.toml``, ``agreements/…``)."""

    name: str
    texts: dict[str, str] = field(repr=False)

    @cached_property
    def version(self) -> str:
        """SHA-256 (hex) over every path and text, in path order."""
        whole = hashlib.sha256()
        for path in sorted(self.texts):
            whole.update(f"{path}\0{self.texts[path]}\0".encode())
        return whole.hexdigest()

    def text(self, path: str) -> str:
        """The text at ``path``; raises :class:`PackError` where the pack has none."""
        try:
            return self.texts[path]
        except KeyError:
            raise PackError(f"pack {self.name}: no file {path}; restore it or choose another pack") from None

    def files(self, folder: str, suffix: str = ".toml") -> list[str]:
        """Paths below ``folder`` that end in ``suffix``, sorted."""
        return sorted(p for p in self.texts if p.startswith(f"{folder}/") and p.endswith(suffix))

    @cached_property
    def _tables(self) -> dict[str, dict[str, Any]]:
        return {}

    def toml(self, path: str) -> dict[str, Any]:
        """The table in the TOML file at ``path``; parsed once."""
        if path not in self._tables:
            try:
                self._tables[path] = tomllib.loads(self.text(path))
            except tomllib.TOMLDecodeError as error:
                raise PackError(f"pack {self.name}: {path} is not TOML ({error}); correct the file") from None
        return self._tables[path]


def folder(name: str = SHIPPED) -> Path:
    """Where the pack ``name`` lies: ``HANDHOLD_PACKS`` if set, else ``packs/`` of the repository."""
    base = os.environ.get("HANDHOLD_PACKS")
    root = Path(base) if base else Path(__file__).resolve().parents[2] / "packs"
    return root / name


def load(root: Path | None = None) -> Pack:
    """Read a pack from its folder (default: the shipped ``us-uc``). Raises :class:`PackError`."""
    where = root or folder()
    if not where.is_dir():
        raise PackError(f"no pack at {where.name}; set HANDHOLD_PACKS to the folder that holds it")
    paths = sorted(
        p for p in where.rglob("*") if p.is_file() and p.suffix in {".toml", ".cedar", ".sql", ".json"}
    )
    return Pack(where.name, {p.relative_to(where).as_posix(): p.read_text("utf-8") for p in paths})
