"""Children from links that cannot run away: the strongest link first, refused where it would put apart together. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# One agency has one file of a child. USCIS keeps a file a receipt, so it may have several.
ONE_FILE_EACH = frozenset({"ERO", "ORR", "OPLA", "EOIR"})


@dataclass(frozen=True)
class Edge:
    """A link between two files, and why it was drawn. ``rank``: the smaller, the stronger."""

    rank: int
    a: int
    b: int
    by: str


@dataclass
class Clusters:
    """A partition of files that grows by links and knows what must stay apart."""

    agency: Mapping[int, str]
    apart: frozenset[tuple[int, int]]
    standing: Mapping[int, int]  # file -> child, for files that were linked before
    parent: dict[int, int] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)

    def root(self, file: int) -> int:
        at = self.parent.setdefault(file, file)
        while at != self.parent[at]:
            self.parent[at] = self.parent[self.parent[at]]
            at = self.parent[at]
        self.parent[file] = at
        return at

    def of(self, root: int) -> list[int]:
        return self.members.setdefault(root, [root])

    def refusal(self, a: int, b: int) -> str | None:
        """Why the two clusters may not become one, or ``None``."""
        mine, theirs = self.of(a), self.of(b)
        here = {self.agency[f] for f in mine} & ONE_FILE_EACH
        if any(self.agency[f] in here for f in theirs):
            return "two-files-of-one-agency"
        if self.apart and any((min(x, y), max(x, y)) in self.apart for x in mine for y in theirs):
            return "said-to-be-apart"
        children = {self.standing[f] for f in (*mine, *theirs) if f in self.standing}
        return "two-children" if len(children) > 1 else None

    def join(self, a: int, b: int) -> None:
        if len(self.of(a)) < len(self.of(b)):
            a, b = b, a
        self.parent[b] = a
        self.of(a).extend(self.members.pop(b))


def grow(clusters: Clusters, edges: Iterable[Edge]) -> tuple[dict[int, str], list[tuple[Edge, str]]]:
    """Join along ``edges`` in order of rank; returns by what each file was linked, and the refused edges with reasons.

    The order of the input does not matter: edges are sorted by rank and then by files.
    """
    linked_by: dict[int, str] = {}
    refused: list[tuple[Edge, str]] = []
    for edge in sorted(edges, key=lambda e: (e.rank, e.a, e.b)):
        a, b = clusters.root(edge.a), clusters.root(edge.b)
        if a == b:
            continue
        why = clusters.refusal(a, b)
        if why:
            refused.append((edge, why))
            continue
        clusters.join(a, b)
        linked_by.setdefault(edge.a, edge.by)
        linked_by.setdefault(edge.b, edge.by)
    return linked_by, refused
