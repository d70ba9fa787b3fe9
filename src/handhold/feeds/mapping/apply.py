"""From a sheet to the contract's columns: once the cells stand there, they go the way of every other feed. Pure."""

from dataclasses import dataclass
from datetime import date

import polars as pl

from handhold.feeds.layout import Layout
from handhold.feeds.mapping import header
from handhold.feeds.mapping.sheets import Sheet
from handhold.feeds.mapping.text import PAST, Mapping, Source
from handhold.feeds.reading import table
from handhold.feeds.reading.columns import a_number, moments
from handhold.feeds.reading.source import Cells

DAY_FIRST = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})\b"
COMMA, WORD = r"^([^,]*),\s*(.*)$", r"^(\S+)\s+(.*)$"
LAST_WORD = r"^(.*?)\s+(\S+)$"


@dataclass
class Applied:
    """Cells in the contract's columns, and what a person should know of how they were read."""

    cells: Cells
    notes: list[str]


def apply(sheet: Sheet, said: Mapping, layout: Layout, sent: date, total_words: list[str]) -> Applied:
    """The rows of ``sheet`` as rows of ``layout``; ``sent``: the day it was sent. Raises :class:`header.NoLongerFits` when its
    header is another.

    Every row below the header is a row, or is counted as left: a total line at the end, the header once more.
    """
    found = header.find_known(sheet.cells, said)
    rows = header.below(sheet.cells, found)
    again = header.repeated(rows, [name for name in found.names if name])
    rows = rows.filter(~again)
    fields = rows.select(
        "line", *(_field(name, one, said, layout, sent).alias(name) for name, one in said.fields.items())
    )
    totals = header.totals(rows, _is_key(fields, layout, total_words), total_words)
    kept = table.complete(fields.filter(~totals), layout)
    missing = [name for name in layout.columns if name not in said.fields]
    notes = [*sheet.notes, *_notes(said, found, sheet.cells, rows, int(totals.sum()), int(again.sum()))]
    return Applied(Cells(kept, table.empty_problems(), int(totals.sum()) + int(again.sum()), missing), notes)


def _notes(
    said: Mapping, found: header.Header, sheet: pl.DataFrame, rows: pl.DataFrame, totals: int, again: int
) -> list[str]:
    odd = {
        name: _neither(rows, one)
        for name, one in said.fields.items()
        if one.when and isinstance(one.is_, tuple) and one.not_
    }
    nameless = header.nameless(sheet, found)
    return [
        *([f"{nameless} columns without a name were not read"] if nameless else []),
        *([f"{totals} total line at the end was counted and not loaded" if totals == 1 else f"{totals} total lines at the end were counted and not loaded"] if totals else []),
        *([f"the header stands {again} more times below; counted and not loaded"] if again else []),
        *([f"{n} rows say neither yes nor no for {name}" for name, n in odd.items() if n]),
    ]  # fmt: skip


def _neither(rows: pl.DataFrame, one: Source) -> int:
    known = [cell.upper() for cell in (*one.is_, *one.not_)]
    cell = pl.col(one.when or "").str.to_uppercase()
    return int(rows.select((cell.is_not_null() & ~cell.is_in(known)).sum()).item())


def _is_key(fields: pl.DataFrame, layout: Layout, total_words: list[str]) -> pl.Series:
    """Whether the key cell of each row can be one: an A-number, or anything that is no word for a total."""
    own = pl.col(layout.key)
    if layout.columns[layout.key].type == "a-number":
        return fields.select(a_number(own).is_not_null().alias("key")).to_series()
    total = own.str.contains(header.total_pattern(total_words))
    return fields.select((own.is_not_null() & ~total.fill_null(False)).alias("key")).to_series()


def _field(name: str, one: Source, said: Mapping, layout: Layout, sent: date) -> pl.Expr:
    kind = layout.columns[name].type
    if one.columns:
        cell = _taken(pl.concat_str(one.columns, separator=" ", ignore_nulls=True), one.take)
        cell = pl.when(cell != "").then(cell)
    else:
        cell = pl.lit(sent.isoformat() if one.sent else one.value, pl.String)
    if kind in {"date", "birth"} and said.dates == "dmy":
        cell = cell.str.replace(DAY_FIRST, "${2}/${1}/${3}")
    if name in said.codes:
        own = {k.upper(): v for k, v in said.codes[name].items()}
        cell = cell.str.to_uppercase().replace(own)
    return cell if one.when is None else pl.when(_when(one, said, sent)).then(cell)


def _when(one: Source, said: Mapping, sent: date) -> pl.Expr:
    own = pl.col(one.when or "")
    if isinstance(one.is_, tuple):
        return own.str.to_uppercase().is_in([cell.upper() for cell in one.is_])
    if one.is_ == PAST:
        plain = own.str.replace(DAY_FIRST, "${2}/${1}/${3}") if said.dates == "dmy" else own
        return plain.map_batches(lambda cells: _not_after(cells, said.zone, sent), return_dtype=pl.Boolean)
    return own.is_not_null()


def _not_after(cells: pl.Series, zone: str, sent: date) -> pl.Series:
    read = moments(cells, zone=zone)
    days = read.select(pl.col("at").dt.convert_time_zone(zone).dt.date() <= sent)
    return days.to_series().fill_null(False)


def _taken(cell: pl.Expr, take: str) -> pl.Expr:
    if take == "before-comma":
        return cell.str.extract(r"^([^,]*)", 1).str.strip_chars()
    if take == "after-comma":
        return cell.str.extract(COMMA, 2).str.strip_chars()
    if take == "first-word":
        return cell.str.extract(r"^(\S+)", 1)
    if take == "after-first-word":
        return cell.str.extract(WORD, 2)
    if take == "last-word":
        return cell.str.extract(r"(\S+)$", 1)
    return cell.str.extract(LAST_WORD, 1) if take == "before-last-word" else cell
