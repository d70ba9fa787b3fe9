"""Deliveries begun before their turn: while one is written into the database, the first batches of the next are made.

Reading keeps one processor busy and writing another, so a nation's feeds take as long as the longer of the two. Only what
needs nothing but the delivery itself is begun; what does it is ``opening.alone``, the same as when its turn comes.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from handhold.feeds import opening
from handhold.feeds.model import Delivery
from handhold.feeds.opening import Opened
from handhold.pack import Pack

Groups = list[list[Delivery]]
Begun = dict[int, Opened]


@contextmanager
def turns(groups: Groups, pack: Pack) -> Iterator[Iterator[tuple[list[Delivery], Mapping[int, Opened]]]]:
    """Each group in its turn, with what of it is begun already; meanwhile the next one is begun, and no more than one."""
    begun: Begun = {}
    try:
        yield _turns(groups, begun, pack)
    finally:
        _close(begun)


def _turns(groups: Groups, begun: Begun, pack: Pack) -> Iterator[tuple[list[Delivery], Mapping[int, Opened]]]:
    for at, group in enumerate(groups):
        mine = {delivery.id: begun[delivery.id] for delivery in group if delivery.id in begun}
        for delivery in groups[at + 1] if at + 1 < len(groups) else []:
            one = opening.alone(delivery, pack)
            begun |= {delivery.id: one} if one is not None else {}
        yield group, mine
        # Whoever had its turn may not have wanted what was begun of it.
        _close({id: begun.pop(id) for id in mine})


def _close(begun: Begun) -> None:
    for one in begun.values():
        one.close()
