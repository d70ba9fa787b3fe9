"""Deliveries opened before their turn: while one is written into the database, the next is made into columns.

Reading keeps one processor busy and writing another, so a nation's feeds take as long as the longer of the two. Only what
needs nothing but the delivery itself is done ahead; what does it is ``reader.alone``, the same as when its turn comes.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

from handhold.feeds import reader
from handhold.feeds.model import Delivery
from handhold.feeds.reader import Opened
from handhold.pack import Pack

Groups = list[list[Delivery]]


@contextmanager
def turns(groups: Groups, pack: Pack) -> Iterator[Iterator[tuple[list[Delivery], Mapping[int, Opened]]]]:
    """Each group in its turn, with what of it is open already; meanwhile the next one is opened, and no more than one."""
    with ThreadPoolExecutor(1) as thread:
        yield _turns(groups, thread, pack)


def _turns(
    groups: Groups, thread: ThreadPoolExecutor, pack: Pack
) -> Iterator[tuple[list[Delivery], Mapping[int, Opened]]]:
    coming: dict[int, Future[Opened | None]] = {}
    for at, group in enumerate(groups):
        opened = {id: one for id, begun in coming.items() if (one := begun.result()) is not None}
        coming = _begun(groups[at + 1], thread, pack) if at + 1 < len(groups) else {}
        yield group, opened


def _begun(group: list[Delivery], thread: ThreadPoolExecutor, pack: Pack) -> dict[int, Future[Opened | None]]:
    return {delivery.id: thread.submit(reader.alone, delivery, pack) for delivery in group}
