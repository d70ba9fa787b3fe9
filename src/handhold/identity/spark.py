"""Pairs compared on Spark, by the same function as here.

Candidate pairs are cut into packets, each with the descriptions that it needs; a worker opens a packet and hands it to
:func:`handhold.identity.compare.compare`. Nothing is weighed by Spark's own functions, whose Jaro-Winkler is another one
(``linkage.md`` 3e), so where pairs are compared cannot change what is found.
"""

import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from handhold.identity.compare import Engine, Scale, compare
from handhold.store.errors import StoreError

PACKET = 25_000  # pairs: some ten MB with their descriptions
ROUND = 8  # packets that are under way at once: what the driver holds in memory beside the answers
HOUSE = {
    "spark.master": "local[*]",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
}
ALWAYS = {
    "spark.app.name": "handhold",
    "spark.io.encryption.enabled": "true",  # descriptions pass in the clear: what Spark lays on disk is encrypted
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.eventLog.enabled": "false",
    "spark.log.level": "ERROR",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1",  # a worker opens one packet at a time
}
ARROW = {pl.Int64: pa.int64(), pl.Float64: pa.float64(), pl.String: pa.string()}
SQL = {pl.Int64: "bigint", pl.Float64: "double", pl.String: "string"}


class NoSpark(StoreError):
    """Spark was asked for and cannot run here: the message says what is missing and what to do."""


@contextmanager
def engine(settings: dict[str, str] | None = None) -> Iterator[Engine]:
    """Compare on Spark until the end of the block. Spark itself starts with the first pairs, and only then.

    Runs on this machine's cores, reachable from this machine alone, unless ``SPARK_CONF_DIR`` names a folder with the
    deployment's own settings. ``settings``: Spark's, by name; they go before ours. Raises :class:`NoSpark`.
    """
    build = _builder({**({} if os.environ.get("SPARK_CONF_DIR") else HOUSE), **ALWAYS, **(settings or {})})
    started: list[Any] = []

    def compared(pairs: pl.DataFrame, people: pl.DataFrame, scale: Scale) -> pl.DataFrame:
        if not len(pairs):
            return compare(pairs, people, scale)
        if not started:
            started.append(build())
        return _compared(started[0], pairs, people, scale)

    try:
        yield compared
    finally:
        for session in started:
            session.stop()


def _builder(settings: dict[str, str]) -> Callable[[], Any]:
    try:
        import pandas  # noqa: F401 - PySpark asks for it before it maps anything
        from pyspark.sql import SparkSession
    except ImportError:
        raise NoSpark(
            "Spark is not installed here, so pairs cannot be compared on it: install handhold[spark], or leave --engine out"
        ) from None
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which(Path(home) / "bin" / "java") if home else shutil.which("java")):
        raise NoSpark(
            "Spark needs Java, and there is none where JAVA_HOME and PATH look: install Java 17 (Debian: openjdk-17-jre-headless), or leave --engine out"
        )
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    if "spark.driver.bindAddress" in settings:
        os.environ.setdefault(
            "SPARK_LOCAL_IP", settings["spark.driver.bindAddress"]
        )  # else it looks for another
    # Workers must run the Python that has Handhold; PySpark would take whatever is first in PATH.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    return builder.getOrCreate


def _compared(session: Any, pairs: pl.DataFrame, people: pl.DataFrame, scale: Scale) -> pl.DataFrame:
    shape = dict(compare(pairs.head(0), people, scale).schema)
    fields = pa.schema([(name, ARROW[type(kind)]) for name, kind in shape.items()])
    told = ", ".join(f"{name} {SQL[type(kind)]}" for name, kind in shape.items())
    weigh = partial(weighed, scale=scale, fields=fields)
    found = []
    for packets in _rounds(pairs, people):
        answer = session.createDataFrame(packets).mapInArrow(weigh, told).toArrow()
        found.append(pl.DataFrame(pl.from_arrow(answer), schema=shape))
    return pl.concat(found).sort("a", "b")


def _rounds(pairs: pl.DataFrame, people: pl.DataFrame) -> Iterator[pa.Table]:
    """Packets, some at a time: columns ``pairs`` and ``people``, each a frame as Arrow writes it."""
    in_order = pairs.select("a", "b").sort("a", "b")
    for start in range(0, len(in_order), PACKET * ROUND):
        parts = list(in_order[start : start + PACKET * ROUND].iter_slices(PACKET))
        meant = [
            people.filter(pl.col("file").is_in(pl.concat([part["a"], part["b"]]).implode())) for part in parts
        ]
        columns = [pa.array(map(_packed, frames), pa.binary()) for frames in (parts, meant)]
        yield pa.table(columns, names=["pairs", "people"])


def _packed(frame: pl.DataFrame) -> bytes:
    packed = io.BytesIO()
    frame.write_ipc(packed)
    return packed.getvalue()


def _opened(packed: pa.BinaryScalar) -> pl.DataFrame:
    return pl.read_ipc(io.BytesIO(packed.as_py()))


def weighed(
    packets: Iterator[pa.RecordBatch], *, scale: Scale, fields: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """What a worker does: the pairs of each packet, compared. Runs in Spark's Python."""
    for packet in packets:
        for pairs, people in zip(packet["pairs"], packet["people"], strict=True):
            found = compare(_opened(pairs), _opened(people), scale)
            yield from found.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(fields).to_batches()
