"""Whose files are together once people have spoken: what was linked, changed by the words that stand. Pure.

Nothing here remembers how it came about: the same links and the same standing words give the same partition, so what is
withdrawn is as if it had never been said, and a child's id goes back to where it was.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

Pair = tuple[int, int]  # two files, the smaller id first
Groups = list[frozenset[int]]


def pair(one: int, other: int) -> Pair:
    """Two files in the order in which judgements are kept."""
    return (one, other) if one < other else (other, one)


def partition(
    files: Iterable[int], links: Sequence[Pair], matches: Iterable[Pair], apart: Iterable[Pair]
) -> Groups:
    """The files of each child: persons' matches first, then links in their order, none across what was said to be apart.

    ``links``: what was linked without a person, the strongest first; ``matches`` and ``apart``: standing words.
    """
    group = {file: {file} for file in files}
    kept = [(a, b) for a, b in apart if a in group and b in group]
    for a, b in (*sorted(matches), *links):
        if a not in group or b not in group or group[a] is group[b]:
            continue
        together = group[a] | group[b]
        if not any(x in together and y in together for x, y in kept):
            group |= dict.fromkeys(together, together)
    return sorted({frozenset(found) for found in group.values()}, key=min)


def ended_by_match(one: Iterable[int], other: Iterable[int], apart: Iterable[Pair]) -> list[Pair]:
    """The words "not the same child" that a match of two children takes back: those between their files."""
    mine, theirs = set(one), set(other)
    return [(a, b) for a, b in apart if (a in mine and b in theirs) or (a in theirs and b in mine)]


def ended_by_no_match(stays: int, leaves: int, matches: Iterable[Pair]) -> list[Pair]:
    """The matches that a "no match" takes back: those by which ``leaves`` still hangs on the files matched with ``stays``."""
    every = {found for found in matches if found != pair(stays, leaves)}
    side = _reached(stays, [found for found in every if leaves not in found])
    return sorted(found for found in every if leaves in found and not side.isdisjoint(found))


def _reached(start: int, pairs: Iterable[Pair]) -> set[int]:
    near: dict[int, set[int]] = {}
    for a, b in pairs:
        near.setdefault(a, set()).add(b)
        near.setdefault(b, set()).add(a)
    found, ahead = {start}, [start]
    while ahead:
        new = near.get(ahead.pop(), set()) - found
        found |= new
        ahead.extend(new)
    return found


def named(
    groups: Groups,
    had: Mapping[int, int],
    linked: Mapping[int, int],
    eldest: Sequence[int],
    leaving: frozenset[int] = frozenset(),
) -> list[int | None]:
    """The child id of each group, ``None`` where it needs a new one.

    ``had`` and ``linked``: each file's child now, and the one it was linked to without a person; ``eldest``: all these ids,
    the oldest first. A group that holds all files of an id bears that id (of several the eldest). An id whose files are
    scattered stays with most of them; where two parts are equal, with the one that was not told to leave.
    """
    born = {child: turn for turn, child in enumerate(eldest)}
    whole = {child: {f for f, of in linked.items() if of == child} for child in set(linked.values())}
    ids: list[int | None] = [
        min((child for child, of in whole.items() if of <= group), key=born.__getitem__, default=None)
        for group in groups
    ]
    for child in eldest:
        free = [n for n, found in enumerate(ids) if found is None]
        if child not in ids and free:
            holds = Counter({n: sum(child in (had.get(f), linked.get(f)) for f in groups[n]) for n in free})
            most = min(free, key=lambda n: (-holds[n], not leaving.isdisjoint(groups[n]), min(groups[n])))
            ids[most] = child if holds[most] else None
    return ids
