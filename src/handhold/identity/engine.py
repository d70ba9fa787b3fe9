"""Where pairs are compared: here, or on Spark. What compares them is :func:`handhold.identity.compare.compare` in both."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from handhold.identity import spark
from handhold.identity.compare import Engine, compare


@contextmanager
def _here() -> Iterator[Engine]:
    yield compare


ENGINES: dict[str, Callable[[], AbstractContextManager[Engine]]] = {"here": _here, "spark": spark.engine}
