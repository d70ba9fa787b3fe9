"""Children from links that cannot run away: the strongest first, refused where it would put together what is apart. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

# One agency has one file of a child. USCIS keeps one a receipt where it knows no number, so it may have several.
ONE_FILE_EACH = frozenset({"ERO", "ORR", "OPLA", "EOIR"})
HALF = 2
Pairs = Iterable[tuple[int, int]]  # of files, the smaller first
HOUSE_ORDER = ("ERO", "ORR", "EOIR", "OPLA", "USCIS")  # the first of these founds a child


@dataclass(frozen=True)
class Edge:
    """Two files compared: ``weight`` in bits; ``link`` when it is enough to link them without a person; ``sure`` when the
    whole given name and the whole date of birth are the same."""

    weight: float
    a: int
    b: int
    link: bool
    sure: bool = False


@dataclass(frozen=True)
class Refused:
    """A link that was not drawn, and why: a code."""

    edge: Edge
    why: str


@dataclass(frozen=True)
class Facts:
    """What a file states of a person: A-numbers, sex, and the words of given names."""

    numbers: frozenset[str] = frozenset()
    sexes: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()


NOTHING = Facts()


@dataclass
class Clusters:
    """A partition of files that grows by links and knows what must stay apart.

    ``agency``: of each file; ``child``: of the files that had one; ``apart``: pairs (smaller first) that a person said
    are not the same child; ``held``: files that only a person may link; ``facts``: what files state of a person.
    """

    agency: Mapping[int, str]
    child: Mapping[int, int]
    apart: frozenset[tuple[int, int]] = frozenset()
    held: frozenset[int] = frozenset()
    facts: Mapping[int, Facts] = field(default_factory=dict)
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

    def corroborated(self, root: int) -> frozenset[str]:
        """Numbers that two files of a cluster state."""
        seen = Counter(number for file in self.of(root) for number in self.facts.get(file, NOTHING).numbers)
        return frozenset(number for number, times in seen.items() if times > 1)

    def numbers_differ(self, one: int, other: int) -> bool:
        """Each side has a number that two of its files state, and none of these stands on the other side."""
        mine, theirs = self.corroborated(one), self.corroborated(other)
        if not mine or not theirs:
            return False
        held = [
            {n for f in self.of(root) for n in self.facts.get(f, NOTHING).numbers} for root in (one, other)
        ]
        return mine.isdisjoint(held[1]) and theirs.isdisjoint(held[0])

    def sexes_differ(self, one: int, other: int) -> bool:
        """Most files of one side say another sex than most of the other, and no word of a given name is shared."""
        told = [
            Counter(s for f in self.of(root) for s in self.facts.get(f, NOTHING).sexes)
            for root in (one, other)
        ]
        mine, theirs = (_most(each) for each in told)
        if mine is None or theirs is None or mine == theirs:
            return False
        words = [
            {w for f in self.of(root) for w in self.facts.get(f, NOTHING).given} for root in (one, other)
        ]
        return words[0].isdisjoint(words[1])


def _most(told: Counter[str]) -> str | None:
    """What is said more often than anything else; nothing where two are said as often."""
    ranked = told.most_common(2)
    return ranked[0][0] if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]) else None


class Evidence:
    """What was compared, by file: who else might want a file, and who speaks against whom."""

    def __init__(
        self, edges: Iterable[Edge], against: Pairs, negative: Pairs = (), compared: Pairs = ()
    ) -> None:
        self.negative = set(negative)
        self.compared = set(compared)
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

    def mostly_negative(self, mine: list[int], theirs: list[int]) -> bool:
        """Half or more of what was compared across the two sides weighs far too little."""
        across = (
            {(min(x, y), max(x, y)) for x in mine for y in theirs} & self.compared if self.negative else set()
        )
        return bool(across) and len(across & self.negative) * HALF >= len(across)

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
    clusters: Clusters, edges: Iterable[Edge], *, against: Pairs = (), margin: float = 0.0, negative: Pairs = (), compared: Pairs = ()
) -> list[Refused]:  # fmt: skip
    """Join along the edges that are enough, the strongest first; returns those refused, with reasons.

    The order of the input does not matter: edges are sorted by weight and then by files. ``against``: pairs compared and
    found to be different people; ``negative``: those that weigh far too little, among all that were ``compared``.
    ``margin`` in bits: a rival that near makes a link a question.
    """
    ordered = sorted(edges, key=lambda e: (-e.weight, e.a, e.b))
    evidence = Evidence(ordered, against, negative, compared)
    refused = []
    for edge in ordered:
        one, other = clusters.root(edge.a), clusters.root(edge.b)
        if edge.link and one != other:
            why = _why_not(clusters, evidence, one, other, edge, margin)
            if why:
                refused.append(Refused(edge, why))
            else:
                clusters.join(one, other)
    return refused


def _why_not(
    clusters: Clusters, evidence: Evidence, one: int, other: int, edge: Edge, margin: float
) -> str | None:
    """Why a link may not be drawn, as a code, or ``None``."""
    why = clusters.refusal(one, other)
    if why:
        return why
    mine, theirs = clusters.of(one), clusters.of(other)
    if evidence.contradicts(mine, theirs):
        return "contradicted"
    # Where the whole given name and birth date agree, a second A-number is what speaks against: OPLA repeats the court's.
    if not edge.sure and evidence.mostly_negative(mine, theirs):
        return "mostly-negative"
    if not edge.sure and clusters.numbers_differ(one, other):
        return "numbers-differ"
    if clusters.sexes_differ(one, other):
        return "sexes-differ"
    least = edge.weight - margin
    if evidence.rival(clusters, one, other, least) or evidence.rival(clusters, other, one, least):
        return "not-unique"
    return None
