"""The next piece made ready in a thread of its own while the last one is looked at."""

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import Generic, TypeVar

Piece = TypeVar("Piece")


class Coming(Generic[Piece]):
    """The same pieces, at most two of them ahead; work begins at once. What goes wrong there is raised here.

    Whoever does not take them all closes it, so that nothing goes on behind.
    """

    def __init__(self, pieces: Generator[Piece, None, None]) -> None:
        self._pieces = pieces
        self._ready: queue.Queue[tuple[Piece | None, BaseException | None]] = queue.Queue(maxsize=1)
        self._enough = threading.Event()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()

    def __iter__(self) -> Iterator[Piece]:
        try:
            while True:
                piece, error = self._ready.get()
                if error is not None:
                    raise error
                if piece is None:
                    return
                yield piece
        finally:
            self.close()

    def close(self) -> None:
        """No more is wanted."""
        self._enough.set()
        self._worker.join()

    def _work(self) -> None:
        try:
            with suppress(GeneratorExit):
                for piece in self._pieces:
                    self._put(piece, None)
                    if self._enough.is_set():
                        break
            self._pieces.close()
            self._put(None, None)
        except BaseException as error:  # noqa: BLE001 - raised again where the pieces are wanted
            self._put(None, error)

    def _put(self, piece: Piece | None, error: BaseException | None) -> None:
        while not self._enough.is_set():
            with suppress(queue.Full):
                self._ready.put((piece, error), timeout=0.1)
                return
