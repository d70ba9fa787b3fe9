"""Columns as PostgreSQL's binary COPY: a fourth of the work of writing text, and nothing for the server to parse. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl
import pyarrow as pa
from pgpq import ArrowToPostgresBinaryEncoder, encoders, schema

SLICE = 50_000  # rows packed at once: some megabytes, so that packing and sending take turns
TEXT = pl.String()
KINDS: dict[str, pl.DataType] = {
    "bigint": pl.Int64(), "integer": pl.Int32(), "smallint": pl.Int16(), "double precision": pl.Float64(), "real": pl.Float32(),
    "boolean": pl.Boolean(), "date": pl.Date(), "timestamp with time zone": pl.Datetime("us", "UTC"), "text": TEXT,
    "character varying": TEXT, "character": TEXT, "jsonb": TEXT, "bytea": pl.Binary(), "bigint[]": pl.List(pl.Int64()),
    "integer[]": pl.List(pl.Int32()), "text[]": pl.List(TEXT),
}  # fmt: skip


def pieces(rows: pl.DataFrame, kinds: Mapping[str, str]) -> Iterator[bytes]:
    """``rows`` as the stream that ``copy … (format binary)`` reads. ``kinds``: the type of each column, as PostgreSQL names it.

    Values are made to fit their columns (a moment without a zone is UTC). Raises :class:`TypeError` for a type that is not
    carried, polars' own error for a value that does not fit.
    """
    odd = {name: kind for name, kind in kinds.items() if kind not in KINDS}
    if odd:
        raise TypeError(
            f"COPY does not carry {odd} yet; add the type to store.packed or write the rows one by one"
        )
    fitted = rows.select(_fitted(name, kind, kinds[name]) for name, kind in rows.schema.items())
    encoder = _encoder(_arrow(fitted.clear()).schema, kinds)
    yield encoder.write_header()
    for part in fitted.iter_slices(SLICE):
        for batch in _arrow(part).to_batches():
            yield encoder.write_batch(batch)
    yield encoder.finish()


def _fitted(name: str, kind: pl.DataType, wanted: str) -> pl.Expr:
    column = pl.col(name)
    if isinstance(kind, pl.Datetime) and kind.time_zone is None:
        column = column.dt.replace_time_zone("UTC")
    return column.cast(KINDS[wanted])


def _arrow(rows: pl.DataFrame) -> pa.Table:
    return rows.to_arrow(compat_level=pl.CompatLevel.oldest())


def _encoder(columns: pa.Schema, kinds: Mapping[str, str]) -> ArrowToPostgresBinaryEncoder:
    made: dict[str, Any] = {
        column.name: encoders.LargeStringEncoderBuilder.new_with_output(column, schema.Jsonb())
        if kinds[column.name] == "jsonb"
        else ArrowToPostgresBinaryEncoder.infer_encoder(column)
        for column in columns
    }
    return ArrowToPostgresBinaryEncoder.new_with_encoders(columns, made)
