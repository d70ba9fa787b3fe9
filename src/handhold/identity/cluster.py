"""Children from links that cannot run away: the strongest first, refused where it would put together what is apart. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# One agency has one file of a child. USCIS keeps one a receipt where it knows no number, so it may have several.
ONE_FILE_EACH = frozenset({"ERO", "ORR", "OPLA", "EOIR"})
HOUSE_ORDER = ("ERO", "ORR", "EOIR", "OPLA", "USCIS")  # the first of these founds a child


@dataclass(frozen=True)
class Edge:
    """Two files compared: ``weight`` in bits; ``link`` when it is enough to link them without a person."""

    weight: float
    a: int
    b: int
    link: bool


@dataclass(frozen=True)
class Refused:
    """A link that was not drawn, and why: a code."""

    edge: Edge
    why: str


@dataclass
class Clusters:
    """A partition of files that grows by links and knows what must stay apart.

    ``agency``: of each file; ``child``: of the files that had one; ``apart``: pairs (smaller first) that a person said
    are not the same child; ``held``: files that only a person may link.
    """

    agency: Mapping[int, str]
    child: Mapping[int, int]
    apart: frozenset[tuple[int, int]] = frozenset()
    held: frozenset[int] = frozenset()
    parent: dict[int, int] = field(default_factory=dict)
    members: dict[int, list[int]] = field(default_factory=dict)

    def root(self, file: int) -> int:
        """The file that stands for the cluster of ``file``."""
        at = self.parent.setdefault(file, file)
        while at != self.parent[at]:
            self.parent[at] = self.parent[self.parent[at]]
            at = self.parent[at]
        return at

    def of(self, root: int) -> list[int]:
        """The files of the cluster that ``root`` stands for."""
        return self.members.setdefault(root, [root])

    def join(self, a: int, b: int) -> None:
        """Make the clusters of two files one."""
        one, other = self.root(a), self.root(b)
        if one == other:
            return
        if len(self.of(one)) < len(self.of(other)):
            one, other = other, one
        self.parent[other] = one
        self.of(one).extend(self.members.pop(other))

    def refusal(self, one: int, other: int) -> str | None:
        """Why the clusters of two roots may not become one without a person, or ``None``."""
        mine, theirs = self.of(one), self.of(other)
        if self.apart and any((min(x, y), max(x, y)) in self.apart for x in mine for y in theirs):
            return "said-to-be-apart"
        children = {self.child[f] for f in (*mine, *theirs) if f in self.child}
        if len(children) > 1:
            return "two-children"
        taken = {self.agency[f] for f in mine} & ONE_FILE_EACH
        if any(self.agency[f] in taken for f in theirs):
            return "two-files-of-one-agency"
        return "held" if self.held and not self.held.isdisjoint((*mine, *theirs)) else None


class Evidence:
    """What was compared, by file: who else might want a file, and who speaks against whom."""

    def __init__(self, edges: Iterable[Edge], against: Iterable[tuple[int, int]]) -> None:
        self.suitors: dict[int, list[Edge]] = defaultdict(list)
        for edge in edges:
            self.suitors[edge.a].append(edge)
            self.suitors[edge.b].append(edge)
        self.against: dict[int, set[int]] = defaultdict(set)
        for a, b in against:
            self.against[a].add(b)
            self.against[b].add(a)

    def contradicts(self, mine: list[int], theirs: list[int]) -> bool:
        """Some file of one side was compared with some file of the other and is another person's."""
        return any(not self.against[f].isdisjoint(theirs) for f in mine if f in self.against)

    def rival(self, clusters: Clusters, one: int, other: int, least: float) -> bool:
        """Some third cluster fits ``one`` nearly as well as ``other`` does, and cannot be the same child as ``other``.

        Two children that stand and look like one are no rivals: that they should be one is a question of its own.
        """
        for file in clusters.of(one):
            for edge in self.suitors.get(file, ()):
                third = clusters.root(edge.b if edge.a == file else edge.a)
                if edge.weight <= least or third in (one, other) or clusters.refusal(third, one):
                    continue
                why = clusters.refusal(third, other)
                if why and not (why == "two-children" and self.agree(clusters, third, other)):
                    return True
        return False

    def agree(self, clusters: Clusters, one: int, other: int) -> bool:
        """Some file of one was compared with some file of the other, and it was enough to link them."""
        theirs = set(clusters.of(other))
        edges = (edge for file in clusters.of(one) for edge in self.suitors.get(file, ()))
        return any(edge.link and not theirs.isdisjoint((edge.a, edge.b)) for edge in edges)


def grow(
    clusters: Clusters, edges: Iterable[Edge], *, against: Iterable[tuple[int, int]] = (), margin: float = 0.0
) -> list[Refused]:
    """Join along the edges that are enough, the strongest first; returns those refused, with reasons.

    The order of the input does not matter: edges are sorted by weight and then by files. ``against``: pairs compared and
    found to be different people. ``margin`` in bits: a rival that near makes a link a question.
    """
    ordered = sorted(edges, key=lambda e: (-e.weight, e.a, e.b))
    evidence = Evidence(ordered, against)
    refused = []
    for edge in ordered:
        one, other = clusters.root(edge.a), clusters.root(edge.b)
        if edge.link and one != other:
            why = _why_not(clusters, evidence, one, other, edge.weight - margin)
            if why:
                refused.append(Refused(edge, why))
            else:
                clusters.join(one, other)
    return refused


def _why_not(clusters: Clusters, evidence: Evidence, one: int, other: int, least: float) -> str | None:
    why = clusters.refusal(one, other)
    if why:
        return why
    if evidence.contradicts(clusters.of(one), clusters.of(other)):
        return "contradicted"
    if evidence.rival(clusters, one, other, least) or evidence.rival(clusters, other, one, least):
        return "not-unique"
    return None
