"""From cells to checked rows: what can be used, and what is quarantined with a sentence."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from handhold.feeds.layout import Column, Layout
from handhold.feeds.model import Unreadable
from handhold.feeds.reading.columns import a_number, moments

PROBLEM: dict[str, Any] = {"line": pl.Int32, "column": pl.String, "value": pl.String, "why": pl.String, "row": pl.String}
AT, PRECISION, ISO = "{}␟at", "{}␟precision", "{}␟iso"
SHOWN = 8  # columns that one sentence names

PATTERNS = {
    "integer": r"^-?\d+(\.0+)?$",
    "letters": r"^[A-Za-z0-9]{1,4}$",
    "short": r"^[A-Za-z0-9]{1,3}$",
    "state": r"^[A-Za-z]{2}$",
    "zip": r"^`?[0-9?bB6\- ]{0,11}$",
    "hhmm": r"^\d{1,4}$",
}
FITS = {"letters": "a code", "short": "a code", "state": "a state", "zip": "a ZIP", "hhmm": "a time of day", "integer": "a whole number"}


@dataclass
class Checked:
    """Rows that can be used (original cells, and for dates ``…at``, ``…precision``, ``…iso``), and the problems of the others."""

    rows: pl.DataFrame
    problems: pl.DataFrame
    seen: int
    missing: list[str] = field(default_factory=list)


def header_fits(header: list[str], layout: Layout) -> list[str]:
    """Columns that are missing; raises :class:`Unreadable` when a starred one is, or a name stands twice."""
    lacking = [name for name in layout.starred if name not in header]
    if lacking:
        near = ", ".join(name for name in header if name not in layout.columns)
        also = f"; the file has instead: {near}" if near else ""
        raise Unreadable(f"{layout.feed} cannot be read without its column {', '.join(lacking)}{also[:300]}; send it with that column or have a mapping confirmed")
    twice = sorted({name for name in header if name in layout.columns and header.count(name) > 1})
    if twice:
        raise Unreadable(f"the column {', '.join(twice)} stands twice; say which one counts and send the file again")
    return [name for name in layout.columns if name not in header]


def complete(cells: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """All columns of the layout; those that the file lacks are blank, those that no layout knows are dropped."""
    have = [pl.col(name) if name in cells.columns else pl.lit(None, pl.String).alias(name) for name in layout.columns]
    return cells.select(*have, "line")


def check(cells: pl.DataFrame, layout: Layout, *, today: date, first: int, last: int) -> Checked:
    """Try every typed column; a row with a value that does not fit its column is quarantined, never bent."""
    typed, problems = cells, []
    for column in layout.columns.values():
        if column.type in {"date", "birth"}:
            typed, wrong = _dates(typed, column, layout, today, first, last)
        else:
            wrong = _misfits(typed, column)
        if column.needed:
            wrong = pl.concat([wrong, _blanks(typed, column)])
        if len(wrong):
            problems.append(wrong)
    if not problems:
        return Checked(typed, empty_problems(), len(cells))
    wrong = pl.concat(problems).unique(subset="line", keep="first", maintain_order=True)
    good = typed.join(wrong.select("line"), on="line", how="anti", maintain_order="left")
    whole = cells.select("line", row=pl.struct(layout.columns).struct.json_encode())
    return Checked(good, wrong.join(whole, on="line", how="left").select(PROBLEM.keys()), len(cells))


def empty_problems() -> pl.DataFrame:
    return pl.DataFrame(schema=PROBLEM)


def _problem(cells: pl.DataFrame, column: Column, wrong: pl.Expr | pl.Series, why: pl.Expr) -> pl.DataFrame:
    told = cells.select("line", column=pl.lit(column.name), value=pl.col(column.name), why=why, wrong=wrong)
    return told.filter(pl.col("wrong")).drop("wrong")


def _dates(cells: pl.DataFrame, column: Column, layout: Layout, today: date, first: int, last: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    name = column.name
    before = today if column.type == "birth" else None
    read = moments(cells[name], zone=layout.zone, births_before=before, first=first, last=last)
    typed = cells.with_columns(
        read["at"].alias(AT.format(name)), read["precision"].alias(PRECISION.format(name)), read["iso"].alias(ISO.format(name))
    )
    why = pl.lit(f"{name}: ") + pl.lit(read["why"])
    return typed, _problem(cells, column, read["why"].is_not_null(), why)


def _misfits(cells: pl.DataFrame, column: Column) -> pl.DataFrame:
    cell = pl.col(column.name)
    if column.codes:
        wrong = ~cell.str.to_uppercase().is_in(list(column.codes))
        return _problem(cells, column, wrong.fill_null(False), pl.lit(f"{column.name}: is none of {', '.join(sorted(column.codes)[:SHOWN])}"))
    if column.type in PATTERNS:
        wrong = ~cell.str.contains(PATTERNS[column.type])
        return _problem(cells, column, wrong.fill_null(False), pl.lit(f"{column.name}: is not {FITS[column.type]}"))
    return _none(cells)


def _none(cells: pl.DataFrame) -> pl.DataFrame:
    text = pl.lit(None, pl.String)
    return cells.head(0).select("line", column=text, value=text, why=text)


def _blanks(cells: pl.DataFrame, column: Column) -> pl.DataFrame:
    return _problem(cells, column, pl.col(column.name).is_null(), pl.lit(f"{column.name}: is blank, and a row says nothing without it"))


def file_key(layout: Layout) -> pl.Expr:
    """The agency's own number of the file a row belongs to: an A-number as nine digits, anything else as it stands."""
    own = pl.col(layout.file)
    if layout.agency in {"ERO", "OPLA", "USCIS"}:
        own = pl.coalesce(a_number(own), own.str.to_uppercase())
    return pl.coalesce(own, pl.col(layout.file_else)) if layout.file_else else own
