"""A connection into which columns go while the next ones are made.

To write many rows keeps the database's processor busy and leaves ours idle. So a large COPY runs in a thread of its own, and
whatever else is asked of the connection, its transaction's end above all, waits until it is done: to those who use the
connection everything happens in the order in which they say it, only sooner.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import cached_property
from threading import Thread
from typing import Any

import psycopg


class Connection(psycopg.Connection[Any]):
    """See the module. What goes wrong in the background is raised by whatever is asked next, before anything is committed."""

    _going: Future[None] | None = None

    @cached_property
    def types(self) -> dict[str, dict[str, str]]:
        """The types of the columns of lasting tables, by table, as far as somebody asked for them on this connection."""
        return {}

    def behind(self, work: Callable[[psycopg.Cursor[Any]], None]) -> None:
        """Do ``work`` in the background, after what is under way."""
        self.settle()
        done: Future[None] = Future()
        Thread(target=_finish, args=(done, work, super().cursor()), daemon=True).start()
        self._going = done

    def settle(self) -> None:
        """Wait for what is under way; raises what it raised."""
        going, self._going = self._going, None
        if going is not None:
            going.result()

    def _let_go(self) -> None:
        """Wait for what is under way, whatever became of it."""
        with suppress(Exception):
            self.settle()

    def cursor(self, *args: Any, **options: Any) -> Any:
        """A cursor, once nothing is under way."""
        self.settle()
        return super().cursor(*args, **options)

    @contextmanager
    def transaction(self, *args: Any, **options: Any) -> Iterator[psycopg.Transaction]:
        """A transaction (or savepoint) that ends after all that was begun in it."""
        self.settle()
        with super().transaction(*args, **options) as began:
            try:
                yield began
            except BaseException:
                self._let_go()  # the first thing that went wrong is told
                raise
            self.settle()

    @contextmanager
    def pipeline(self) -> Iterator[psycopg.Pipeline]:
        """Many statements in one round trip."""
        self.settle()
        with super().pipeline() as lines:
            yield lines

    def commit(self) -> None:
        """Commit all that was begun."""
        self.settle()
        super().commit()

    def rollback(self) -> None:
        """Undo all that was begun."""
        self._let_go()
        super().rollback()

    def close(self) -> None:
        """End the connection, after what is under way."""
        self._let_go()
        super().close()


def _finish(
    done: Future[None], work: Callable[[psycopg.Cursor[Any]], None], cursor: psycopg.Cursor[Any]
) -> None:
    try:
        with cursor:
            work(cursor)
    except BaseException as error:  # noqa: BLE001 - raised where it is waited for
        done.set_exception(error)
    else:
        done.set_result(None)
