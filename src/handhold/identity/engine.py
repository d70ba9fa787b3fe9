"""Where pairs are compared: here, or on Spark. What compares them is :func:`handhold.identity.compare.compare` in both."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

import polars as pl

from handhold.identity import spark
from handhold.identity.compare import Scale, compare


class Engine(Protocol):
    """Weighs pairs of files: arguments and answer as those of :func:`handhold.identity.compare.compare`."""

    def __call__(self, pairs: pl.DataFrame, people: pl.DataFrame, scale: Scale, /) -> pl.DataFrame: ...


@contextmanager
def _here() -> Iterator[Engine]:
    yield compare


ENGINES: dict[str, Callable[[], AbstractContextManager[Engine]]] = {"here": _here, "spark": spark.engine}
