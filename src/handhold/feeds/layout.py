"""The layouts of the feeds: columns, keys, types and codes, as text in the pack (``packs/…/feeds/*.toml``)."""

from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import lru_cache
from typing import Any

from handhold.pack import Pack


@dataclass(frozen=True)
class Column:
    """One column: its type, whether its absence makes the file unreadable, whether a blank makes the row unusable."""

    name: str
    type: str
    codes: frozenset[str]
    starred: bool
    needed: bool

    @classmethod
    def from_text(cls, name: str, text: str) -> "Column":
        marks, _, rest = text.partition(" ") if text[0] in "*!" else ("", "", text)
        kind, _, codes = rest.partition(" ")
        return cls(
            name, kind, frozenset(codes.split("|")) if codes else frozenset(), "*" in marks, "!" in marks
        )


@dataclass(frozen=True)
class Layout:
    """One feed's file: how it is recognised, how its rows are keyed, what its columns are.

    ``together``: columns that stand filled only together. ``bare``: the file has no header. ``every``: how often it comes
    (ISO 8601), ``None`` where it comes once. ``repeats``: a key may stand twice for different things,
    so a row is told from others by all its cells. ``shapes`` and ``usual``: what cells look like, and what stands filled
    together, in all but odd rows; they decide where a shifted row belongs when the types alone leave several places.
    """

    feed: str
    agency: str
    files: tuple[str, ...]
    snapshot: bool
    zone: str
    key: str
    file: str
    file_else: str | None
    sheet: str | None
    together: tuple[tuple[str, ...], ...]
    bare: bool
    every: str | None
    repeats: bool
    columns: dict[str, Column]
    shapes: dict[str, str] = field(default_factory=dict)
    usual: tuple[tuple[str, ...], ...] = ()

    @property
    def separator(self) -> str:
        return "\t" if self.agency == "EOIR" else ","

    @property
    def shifts(self) -> bool:
        """Unquoted, so that a separator too many shifts the rest of its row."""
        return self.separator == "\t" and not self.bare

    @property
    def table(self) -> str:
        return self.feed.partition(".")[2]

    @property
    def starred(self) -> list[str]:
        return [c.name for c in self.columns.values() if c.starred]

    def of_type(self, *types: str) -> list[Column]:
        return [c for c in self.columns.values() if c.type in types]


@lru_cache(maxsize=8)
def _layouts(version: str, pack_: "_ByVersion") -> dict[str, Layout]:
    found: dict[str, Layout] = {}
    for path in pack_.pack.files("feeds"):
        for feed, text in pack_.pack.toml(path).get("feed", {}).items():
            found[feed] = _layout(feed, text)
    return found


@dataclass(frozen=True)
class _ByVersion:
    """A pack that counts as the same when its version is: the key of the cache."""

    pack: Pack

    def __hash__(self) -> int:
        return hash(self.pack.version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _ByVersion) and other.pack.version == self.pack.version


def layouts(pack: Pack) -> dict[str, Layout]:
    """All feeds of the pack, by name, in house order (ERO, OPLA, EOIR, ORR, USCIS are ordered by :data:`ORDER`)."""
    return _layouts(pack.version, _ByVersion(pack))


def _layout(feed: str, text: dict[str, Any]) -> Layout:
    return Layout(
        feed=feed,
        agency=text["agency"],
        files=tuple(text["files"]),
        snapshot=text["snapshot"],
        zone=text["zone"],
        key=text["key"],
        file=text["file"],
        file_else=text.get("file_else"),
        sheet=text.get("sheet"),
        together=tuple(tuple(names) for names in text.get("together", [])),
        bare=text.get("bare", False),
        every=text.get("every"),
        repeats=text.get("repeats", False),
        columns={name: Column.from_text(name, said) for name, said in text["columns"].items()},
        shapes=text.get("shapes", {}),
        usual=tuple(tuple(names) for names in text.get("usual", [])),
    )


# The order in which a folder is read. Agencies that hold every child come before the court, whose dump is mostly
# other people's cases: a case is also taken because its A-number is known from ERO or ORR (feeds.md 3).
ORDER = ("ERO", "ORR", "EOIR", "OPLA", "USCIS", "DOL", "HHS")


def recognise(name: str, pack: Pack) -> Layout | None:
    """The feed that a file of this name belongs to, or ``None``."""
    for layout in layouts(pack).values():
        if any(fnmatch(name.lower(), pattern.lower()) for pattern in layout.files):
            return layout
    return None
