"""The processes that make accounts: each takes chunk after chunk off the list, reads, folds and writes on a connection of its own.

A process that reads for itself needs no columns sent to it and shares no interpreter lock, and while one waits for the
database another folds. What one of them does is one transaction, so it does not matter when it is killed; when whoever
started it is gone, it goes, too.
"""

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from multiprocessing import connection, get_context, parent_process
from typing import Protocol, TypeVar

from handhold import store
from handhold.pack import Pack

Transaction = Callable[[], AbstractContextManager[store.Db]]
HOME = "HANDHOLD_HOME"

_pack: list[Pack] = []


class Made(Protocol):
    """What became of a chunk; of no children, where none was left."""

    @property
    def children(self) -> int:
        """How many children it was."""


T = TypeVar("T", bound=Made)
Chunk = Callable[[Transaction, datetime, Pack], T]


def chunks(
    chunk: Chunk[T], transaction: Transaction, now: datetime, pack: Pack, processes: int
) -> Iterator[T]:
    """``chunk`` done again and again until there is nothing left to do, here or in ``processes``.

    For processes ``chunk`` and ``transaction`` are sent by name, so they must be a module's own.
    """
    if processes < 1:
        while (made := chunk(transaction, now, pack)).children:
            yield made
        return
    context = get_context("forkserver")
    context.set_forkserver_preload([chunk.__module__, _module_of(transaction)])
    begun = (pack, store.dsn(), str(store.home()))
    with ProcessPoolExecutor(processes, context, _begin, begun) as pool:
        running = {pool.submit(_do, chunk, transaction, now) for _ in range(processes)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for one in done:
                made = one.result()
                if made.children:
                    running.add(pool.submit(_do, chunk, transaction, now))
                    yield made


def _module_of(transaction: Transaction) -> str:
    made = transaction.func if isinstance(transaction, partial) else transaction
    return made.__module__


def _begin(pack: Pack, dsn: str, home: str) -> None:
    _pack[:] = [pack]
    os.environ[HOME] = home
    store.use(dsn)
    threading.Thread(target=_go_with_parent, daemon=True).start()


def _go_with_parent() -> None:
    """A killed parent tells nobody; its end of a pipe does."""
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _do(chunk: Chunk[T], transaction: Transaction, now: datetime) -> T:
    return chunk(transaction, now, _pack[0])
