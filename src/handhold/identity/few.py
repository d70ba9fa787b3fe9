"""The files that are new today, when they are few: the same judgements over plain values.

Columns cost milliseconds to begin and nothing to go on; for one file that is the wrong way round. What is a candidate, how
two descriptions compare, and when a link is drawn are the batch's own functions and constants; only the carrying differs,
and ``tests/identity/test_few.py`` holds the two to the same children, the same evidence and the same questions. Pure.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from handhold import store
from handhold.identity.candidates import (
    BETWEEN,
    HOURS,
    LETTERS,
    NEW_YEAR,
    NUMBERS,
    TELLING,
    WHOLE_DATE,
    beginning,
    either_way,
    heard_words,
    initial,
    one_code,
)
from handhold.identity.cluster import HOUSE_ORDER, ONE_FILE_EACH, Clusters, Edge, Facts, Refused, grow
from handhold.identity.compare import Scale
from handhold.identity.levels import day
from handhold.identity.names import folded, parts, surnames
from handhold.identity.partition import EVERY_CHILD, MANY, SURE_DOB, SURE_GIVEN
from handhold.identity.spec import NAMES, Profile

FEW = 8  # files up to so many are taken over plain values
Said = Mapping[str, Any]
Key = tuple[str, str]  # kind and text
Pair = tuple[int, int]  # files, the smaller first
Told = tuple[tuple[Profile, frozenset[int]], ...]
Ids = frozenset[int]
When = int | None  # custody in hours, entry and release in days since 1970
Around = tuple[When, When, When, Ids, Ids, Ids, Ids]  # of the circumstances: the last fields of a profile
Look = Callable[[list[int]], Mapping[int, Told]]  # what these files say
More = Callable[[], Mapping[int, "File"]]  # files that a description meets
GIVEN, DOB, SEX, NUMBER, COURT = (NAMES.index(name) for name in ("given", "dob", "sex", "number", "court"))


class File(NamedTuple):
    """A file with what its rows say: ``child`` before, ``profiles`` with the places that stood with each, ``None`` where nobody
    has looked yet; ``met``: the keys that it shares with a fresh file, ``None`` where that is to be found out; ``judged``: the
    files with which persons judged it, each two by the smaller, and how."""

    id: int
    agency: str
    child: int | None
    fresh: bool
    held: bool
    profiles: Told | None
    met: frozenset[Key] | None = None
    judged: tuple[tuple[int, str], ...] = ()

    @property
    def told(self) -> Told:
        """The profiles that were looked at."""
        return self.profiles or ()


class Weighed(NamedTuple):
    """The best that any two descriptions of two files give; see ``compare.compare``."""

    levels: tuple[str, ...]
    surname_rare: float
    given_rare: float
    stranger: float
    sibling: float
    weight: float
    gate: str | None
    verdict: str


@dataclass
class Few:
    """What was found: ``root`` of each file that hangs together with a fresh one, the pairs compared, the links refused."""

    root: dict[int, int] = field(default_factory=dict)
    pairs: dict[Pair, Weighed] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)


def profiles(said: Sequence[Said], codes: Mapping[str, Mapping[str, str]]) -> Told:
    """The distinct descriptions of one file; see ``candidates.profiles``."""
    number = next((row["number"] for row in said if row.get("number")), None)
    court = next((row["court_case"] for row in said if row.get("court_case")), None)
    around = _circumstances(said)
    homes: dict[Profile, set[int]] = {}
    for row in said:
        one = _person(row, number, court, codes, around)
        homes.setdefault(one, set()).update([row["place"]] if row.get("place") is not None else [])
    speaking = [one for one in homes if one.last is not None or one.first is not None or one.dob is not None]
    return tuple((one, frozenset(homes[one])) for one in speaking or homes)


def _person(
    row: Said, number: str | None, court: str | None, codes: Mapping[str, Mapping[str, str]], around: Around
) -> Profile:
    given = " ".join(part for part in (row.get("first"), row.get("middle")) if part is not None) or None
    sex, dob = (row.get("sex") or "").upper(), row.get("dob")
    last, country, language = row.get("last"), row.get("country"), row.get("language")
    return Profile(
        row.get("number") or number, row.get("court_case") or court, None if last is None else folded(last),
        None if given is None else folded(given), None if dob is None else dob[:WHOLE_DATE], sex if sex in ("M", "F") else None,
        None if country is None else one_code(country, codes.get("country", {})),
        None if language is None else one_code(language, codes.get("language", {})), *around,
    )  # fmt: skip


def _circumstances(said: Sequence[Said]) -> Around:
    hours = [
        days * HOURS + _hour(row["custody"])
        for row in said
        if (days := _days(row.get("custody"))) is not None
    ]
    return (
        min(hours, default=None), _earliest(said, "entry"), _earliest(said, "release"), _all(said, "place"), _all(said, "building"),
        _all(said, "phone", "other_phone"), _all(said, "sponsor"),
    )  # fmt: skip


def _all(said: Sequence[Said], *names: str) -> frozenset[int]:
    return frozenset([row[name] for row in said for name in names if row.get(name) is not None])


def _earliest(said: Sequence[Said], name: str) -> int | None:
    days = [_days(row.get(name)) for row in said]
    return min([day for day in days if day is not None], default=None)


EPOCH = 719163  # the ordinal of 1 January 1970


def _days(text: str | None) -> int | None:
    whole = day(text[:WHOLE_DATE]) if text and len(text) >= WHOLE_DATE else None
    return whole.toordinal() - EPOCH if whole else None


def _hour(text: str) -> int:
    return int(text[11:13]) if text[11:13].isdigit() else 12


def keys(told: Told) -> frozenset[Key]:
    """The keys by which a file meets others; see ``candidates.keys``."""
    found: set[tuple[str, str | None]] = set()
    for one, homes in told:
        found |= {("number", one.number), ("court-case", one.court)}
        given = parts(one.first).first_heard if one.first else None
        words = heard_words(surnames(one.last)) if one.last else None
        begins, letter = beginning(one.last) if one.last else None, initial(one.first) if one.first else None
        found |= {("home", _joined(str(home), letter)) for home in homes}
        name = None if words is None else " ".join(words)
        givens = heard_words(parts(one.first)) if one.first else []
        if one.custody is not None:
            passed = one.custody // HOURS
            names = (name, " ".join(givens) if one.first else None)
            found |= {("handover", _joined(str(on), any_)) for on in (passed, passed + 1) for any_ in names}
        whole = parts(f"{one.last} {one.first}").ordered if one.last and one.first else None
        if whole is not None and len(whole.split()) >= TELLING:
            found.add(("whole", whole))
        if one.dob is None or len(one.dob) != WHOLE_DATE:
            continue
        found.add(("name", _joined(whole, one.dob)))
        if one.first:
            found |= {("month", _joined(word, begins, one.dob[:7])) for word in givens}
            found |= {("month", _joined(" ".join(givens), one.dob[:7]))} if len(givens) > 1 else set()
        found.add(("year", _joined(name, given, one.dob[:4])))
        estimated = one.dob.endswith(NEW_YEAR)
        short = given[:LETTERS] if given is not None else None
        halves = (one.dob if estimated else one.dob[5:], either_way(one.dob))
        found |= {("day", _joined(word[:LETTERS], short, half)) for word in words or () for half in halves}
        if not estimated:
            found.add(("given", _joined(given, one.dob)))
            found |= {("surname", _joined(word, one.dob)) for word in words or ()}
    return frozenset((kind, text) for kind, text in found if text is not None)


def _joined(*words: str | None) -> str | None:
    """The text of a key, or ``None`` where a word of it is not known."""
    return None if None in words else BETWEEN.join(word for word in words if word is not None)


def weigh(a: File, b: File, scale: Scale) -> Weighed:
    """The best of all pairs of descriptions: one that no gate closes before one that a gate does, then the heavier."""
    judged = (_weighed(one, other, scale) for (one, _), (other, _) in itertools.product(a.told, b.told))
    return min(judged, key=lambda w: (w.gate is not None, -w.weight, w.levels))


def _weighed(one: Profile, other: Profile, scale: Scale) -> Weighed:
    levels = scale.judge(one, other)
    rare = scale.rarities(one, other, levels)
    stranger, sibling = scale.weigh(levels, rare)
    weight = min(stranger, sibling)
    gate = scale.closed(levels, weight)
    same = gate is None and weight >= scale.threshold("link")
    verdict = "same" if same else "unclear" if weight >= scale.threshold("ask") else "different"
    return Weighed(levels, rare["surname"], rare["given"], stranger, sibling, weight, gate, verdict)


def partition(files: dict[int, File], scale: Scale, look: Look, more: More) -> Few:
    """Which files are one child's; see ``partition.partition``. Pairs of which neither file is fresh are not compared,
    unless they hang together with one that is.

    ``files``: those that fresh ones meet by a number or a whole name, or by a description where their child lacks a file; with
    the other files of their children. ``more``: the others met by a description, asked for and kept in ``files`` where a
    fresh file stays unsettled. What a file says is asked of ``look`` once it is to be compared: most candidates never are.
    """
    found = Few()

    def compare(pairs: Iterable[Pair]) -> None:
        wanted = [pair for pair in pairs if pair not in found.pairs]
        _look(files, {id for pair in wanted for id in pair}, look)
        for a, b in wanted:
            if files[a].told and files[b].told:
                found.pairs[a, b] = weigh(files[a], files[b], scale)

    def met() -> dict[Pair, set[str]]:
        _look(files, [id for id, file in files.items() if file.met is None], look)
        return _met(files)

    together = met()
    compare(pair for pair, kinds in together.items() if not kinds.isdisjoint(NUMBERS))
    settled = _settled(files, found.pairs)
    if not settled.issuperset(id for id, file in files.items() if file.fresh):
        files.update((id, file) for id, file in more().items() if id not in files)
        together, settled = met(), _settled(files, found.pairs)
    compare(pair for pair, kinds in together.items() if "name" in kinds or not settled.issuperset(pair))
    near = [pair for pair, w in found.pairs.items() if w.verdict != "different"]
    ends = {id for pair in near for id in pair}
    groups = _hanging(files, near).values()
    for group in groups:
        if ends.isdisjoint(group):
            continue
        _look(files, group, look)
        if 3 <= len(group) <= MANY:
            compare(pair for pair in itertools.combinations(sorted(group), 2) if not _kin(files, pair))
    touched = ends | {id for id, file in files.items() if file.fresh}
    moving = {id: files[id] for group in groups if not touched.isdisjoint(group) for id in group}
    _grow(moving, scale, found)
    return found


def judged(files: Mapping[int, File]) -> Iterator[tuple[Pair, str]]:
    """What persons said of any two of these files."""
    for file in files.values():
        yield from (((file.id, other), how) for other, how in file.judged if other in files)


def _look(files: dict[int, File], wanted: Iterable[int], look: Look) -> None:
    unseen = [id for id in wanted if files[id].profiles is None]
    for id, told in (look(unseen) if unseen else {}).items():
        files[id] = files[id]._replace(profiles=told)


def _kin(files: Mapping[int, File], pair: Pair) -> bool:
    """Two files that are one child's already."""
    a, b = (files[id].child for id in pair)
    return a is not None and a == b


def _met(files: Mapping[int, File]) -> dict[Pair, set[str]]:
    """Pairs that share a key, one of them fresh, with the kinds of key."""
    told = {id: keys(file.told) if file.met is None else file.met for id, file in files.items()}
    met: dict[Pair, set[str]] = {}
    for a in (id for id, file in files.items() if file.fresh):
        for b, other in told.items():
            shared = told[a] & other
            if shared and a != b:
                met[_pair(a, b)] = {kind for kind, _ in shared}
    return met


def _hanging(files: Mapping[int, File], edges: Iterable[Pair]) -> dict[int, list[int]]:
    """Files that hang together by the edges and by the child they have, by one of them."""
    loose = Clusters({}, {})
    first: dict[int, int] = {}
    for file in files.values():
        if file.child is not None:
            loose.join(first.setdefault(file.child, file.id), file.id)
    for a, b in edges:
        loose.join(a, b)
    groups: dict[int, list[int]] = {}
    for id in files:
        groups.setdefault(loose.root(id), []).append(id)
    return groups


def _settled(files: Mapping[int, File], pairs: Mapping[Pair, Weighed]) -> set[int]:
    """Files whose child, by sure numbers alone, has a file of every agency that has one of every child."""
    sure = [
        p
        for p, w in pairs.items()
        if w.verdict == "same" and w.levels[GIVEN] in SURE_GIVEN and w.levels[DOB] in SURE_DOB
    ]
    groups = _hanging(files, sure).values()
    return {
        id for group in groups if {files[id].agency for id in group}.issuperset(EVERY_CHILD) for id in group
    }


def _grow(files: Mapping[int, File], scale: Scale, found: Few) -> None:
    """Join along the links, as ``cluster.grow`` does, from the children that stand."""
    apart = (pair for pair, how in judged(files) if how == "no match")
    clusters = Clusters(
        {f.id: f.agency for f in files.values()}, {f.id: f.child for f in files.values() if f.child is not None}, frozenset(apart),
        frozenset(f.id for f in files.values() if f.held), {f.id: _facts(f) for f in files.values()},
    )  # fmt: skip
    first: dict[int, int] = {}
    for file in files.values():
        if file.child is not None:
            clusters.join(first.setdefault(file.child, file.id), file.id)
    edges = [
        Edge(w.weight, *pair, w.verdict == "same", w.levels[GIVEN] == "same" and w.levels[DOB] == "same")
        for pair, w in found.pairs.items()
        if w.verdict != "different"
    ]
    found.refused = grow(
        clusters, edges, against=[p for p, w in found.pairs.items() if _two_people(w)], margin=scale.threshold("margin"),
        negative=[p for p, w in found.pairs.items() if w.weight < scale.threshold("negative")], compared=found.pairs,
    )  # fmt: skip
    found.root = {id: clusters.root(id) for id in files}


def _facts(file: File) -> Facts:
    told = [one for one, _ in file.told]
    return Facts(
        frozenset(one.number for one in told if one.number), frozenset(one.sex for one in told if one.sex),
        frozenset(word for one in told if one.first for word in one.first.split()),
    )  # fmt: skip


def _two_people(w: Weighed) -> bool:
    other = sum(w.levels[trait] in ("other", "different") for trait in (GIVEN, DOB, SEX))
    return other >= 2 and w.weight < 0


@dataclass(frozen=True)
class Link:
    """A fresh file with its child, and the files of that child which it resembles most and through which it hangs on."""

    file: int
    child: int
    had: int | None
    mate: int | None
    through: int | None
    weighed: Weighed | None


def links(
    files: Mapping[int, File], found: Few, unborne: Callable[[int], int] = lambda child: child
) -> list[Link]:
    """One for each fresh file, by its id; see ``partition._links``. ``unborne``: this id, or another where a child bears it."""
    members: dict[int, list[int]] = {}
    for id, root in found.root.items():
        members.setdefault(root, []).append(id)
    made = []
    for root in {found.root[id] for id in files if files[id].fresh}:
        group = sorted(members[root], key=lambda id: (files[id].child is None, _turn(files[id].agency), id))
        stands = next((files[id].child for id in group if files[id].child is not None), None)
        child = stands if stands is not None else unborne(store.blind_one(str(group[0]), "child"))
        made += [_link(files, found, group, n, child) for n, id in enumerate(group) if files[id].fresh]
    return sorted(made, key=lambda link: link.file)


@dataclass(frozen=True)
class Doubt:
    """A pair of files that a person should see, with their children, the reason of the question, and why a link was refused."""

    a: int
    b: int
    children: Pair
    reason: str
    why: str | None
    weighed: Weighed


def doubts(
    files: Mapping[int, File], found: Few, child: Mapping[int, int | None], scale: Scale
) -> list[Doubt]:
    """What stayed undecided between two children, the weightiest of each two; see ``link.doubts_among``."""
    parted = {frozenset((child[a], child[b])) for (a, b), how in judged(files) if how == "no match"}
    why: dict[Pair, str] = {}
    for refused in found.refused:
        why.setdefault((refused.edge.a, refused.edge.b), refused.why)
    has: dict[int | None, set[str]] = {}
    for id, file in files.items():
        has.setdefault(child[id], set()).update({file.agency} & ONE_FILE_EACH)
    asked: dict[tuple[int, int], Doubt] = {}
    for (a, b), w in sorted(found.pairs.items(), key=lambda pair: (-pair[1].weight, pair[0])):
        one, other = child[a], child[b]
        if one is None or other is None or one == other or frozenset((one, other)) in parted:
            continue
        reason = _reason(w, why.get((a, b)), has[one].isdisjoint(has[other]), scale)
        if reason is not None:
            between = _pair(one, other)
            asked.setdefault(between, Doubt(a, b, between, reason, why.get((a, b)), w))
    return list(asked.values())


def _reason(w: Weighed, why: str | None, could_be_one: bool, scale: Scale) -> str | None:
    if "same" in (w.levels[NUMBER], w.levels[COURT]):
        return "same-number-other-child"
    if why is not None:
        return why
    return "alike" if could_be_one and w.weight >= scale.threshold("ask") else None


def _turn(agency: str) -> int:
    return HOUSE_ORDER.index(agency) if agency in HOUSE_ORDER else len(HOUSE_ORDER)


def _link(files: Mapping[int, File], found: Few, group: list[int], at: int, child: int) -> Link:
    id = group[at]
    if at == 0:
        weighed = _heaviest(found, id, group)
        return Link(
            id, child, files[id].child, None, None, found.pairs[_pair(id, weighed)] if weighed else None
        )
    mate, before = _heaviest(found, id, group), _heaviest(found, id, group[:at])
    return Link(
        id, child, files[id].child, mate, before or group[0], found.pairs[_pair(id, mate)] if mate else None
    )


def _pair(a: int, b: int) -> Pair:
    return (a, b) if a < b else (b, a)


def _heaviest(found: Few, id: int, others: Iterable[int]) -> int | None:
    """The file among ``others`` with which this one was compared and weighs most."""
    compared = [
        (-found.pairs[_pair(id, o)].weight, o) for o in others if o != id and _pair(id, o) in found.pairs
    ]
    return min(compared)[1] if compared else None
