"""From cells to checked rows: what can be used, and what is quarantined with a sentence."""

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from handhold.feeds.layout import Column, Layout
from handhold.feeds.model import Unreadable
from handhold.feeds.reading.columns import a_number, moments

# ``row``: the cells as JSON, or, where they fit no header, joined by unit separators. ``key``: the row's key if it can be
# read, so that a snapshot's row in quarantine does not count as gone.
PROBLEM: dict[str, Any] = {
    "line": pl.Int32, "column": pl.String, "value": pl.String, "why": pl.String, "row": pl.String, "key": pl.String,
}  # fmt: skip
AT, PRECISION, ISO = "{}␟at", "{}␟precision", "{}␟iso"
HEADER_AGAIN = "the header stands here once more, and no row: nothing is lost; leave it out next time"
# What a file is that is no text, by its first bytes as text shows them.
NO_TEXT = {
    "PK\x03\x04": "a workbook or an archive under the name of a text file",
    "ÐÏ\x11à": "an old or locked workbook under the name of a text file",
    "%PDF": "a PDF under the name of a text file",
    "\x1f\x8b": "packed (gzip)",
    "\x1f‹": "packed (gzip)",
}
SHOWN = 12  # codes or columns that one sentence names
SENTENCE = 400

PATTERNS = {
    "idn": r"^\d{1,18}$",
    "integer": r"^-?\d{1,15}(\.0+)?$",
    "letters": r"^[A-Za-z?*&<>\-][A-Za-z0-9?*&<>\-]{0,3}$",
    "short": r"^[^\s/]{1,3}$",
    "state": r"^[A-Za-z]{2}$",
    "zip": r"^`?[0-9?bB6\- ]{0,11}$",
    "hhmm": r"^\d{1,4}$",
}
FITS = {
    "letters": "a code", "short": "a code", "state": "a state", "zip": "a ZIP", "hhmm": "a time of day", "integer": "a whole number",
    "idn": "a number",
}  # fmt: skip
# A date of any spelling but Excel's serial number, which other columns may hold too.
DATE_LIKE = r"^\d{4}-\d{1,2}-\d{1,2}(?:[ T].*)?$|^\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})(?: .*)?$|^\d{1,2}/\d{4}$"


@dataclass
class Checked:
    """Rows that can be used (their cells, and for dates ``…at``, ``…precision``, ``…iso``), and the problems of the others.

    ``unknown``: for each column the number of cells that are none of its codes and were read as unknown.
    """

    rows: pl.DataFrame
    problems: pl.DataFrame
    unknown: dict[str, int] = field(default_factory=dict)


def same_name(name: str) -> str:
    """A header's spelling without what spreadsheets do to it: case and blanks."""
    return re.sub(r"\s+", " ", name).strip().casefold()


def header_fits(header: list[str], layout: Layout) -> list[str]:
    """Columns that are missing; raises :class:`Unreadable` when a starred one is, or a name stands twice."""
    _is_header(header)
    lacking = [name for name in layout.starred if name not in header]
    if lacking:
        raise Unreadable(_lacks(lacking, header, layout))
    twice = sorted({name for name in header if name in layout.columns and header.count(name) > 1})
    if twice:
        raise Unreadable(
            f"the column {', '.join(twice)} stands twice; say which one counts and send the file again"
        )
    return [name for name in layout.columns if name not in header]


def _is_header(header: list[str]) -> None:
    """What stands in the first line is a header at all; raises :class:`Unreadable`."""
    if not any(header):
        raise Unreadable("the file has a blank line where its header should stand; send it with its header")
    for sign, what in NO_TEXT.items():
        if header[0].startswith(sign):
            raise Unreadable(f"the file is {what}; send it as what it is, or as text")
    if any(re.search(r"\r(?!\n)", name) for name in header):
        raise Unreadable(
            "the lines end in a carriage return alone, which no feed has; save the file with Windows or Unix line ends and send it again"
        )


def _lacks(lacking: list[str], header: list[str], layout: Layout) -> str:
    """Headers are named only when they look like headers: a file without one begins with somebody's data."""
    near = [
        name
        for name in header
        if name not in layout.columns and re.fullmatch(r"[A-Za-z][A-Za-z _\-/#]{1,30}", name)
    ]
    known = any(name in layout.columns for name in header)
    also = f"; it has instead: {', '.join(near[:SHOWN])}" if near and known else ""
    what = f"{layout.feed} cannot be read without its column {', '.join(lacking[:SHOWN])}{also}"
    return f"{what[:SENTENCE]}; send it with that column or have a mapping confirmed"


def respelled(header: list[str], layout: Layout) -> list[str]:
    """The header in the layout's spelling where only case and blanks differ."""
    own = {same_name(name): name for name in layout.columns}
    return [own.get(same_name(name), name) for name in header]


def complete(cells: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """All columns of the layout; those that the file lacks are blank, those that no layout knows are dropped."""
    have = [
        pl.col(name) if name in cells.columns else pl.lit(None, pl.String).alias(name)
        for name in layout.columns
    ]
    return cells.select(*have, "line")


def check(cells: pl.DataFrame, layout: Layout, *, today: date, first: int, last: int) -> Checked:
    """Try every column. A row with an impossible date, without a value it needs, or with no known code in a starred
    column is quarantined, never bent; a code that nobody knows in any other column is read as unknown, and counted."""
    again = _header_again(cells, layout)
    typed, problems = cells, [again] if len(again) else []
    unknown: dict[str, int] = {}
    for column in layout.columns.values():
        if column.type in {"date", "birth"}:
            typed, wrong = _dates(typed, column, layout, today, first, last)
        else:
            typed, wrong, odd = _codes(typed, column, layout)
            unknown |= {column.name: odd} if odd else {}
        if column.needed:
            wrong = pl.concat([wrong, _blanks(cells, column)])
        if len(wrong):
            problems.append(wrong)
    if not problems:
        return Checked(typed, empty_problems(), unknown)
    wrong = pl.concat(problems).unique(subset="line", keep="first", maintain_order=True)
    good = typed.join(wrong.select("line"), on="line", how="anti", maintain_order="left")
    whole = cells.select("line", row=whole_row(layout), key=pl.col(layout.key))
    return Checked(
        good, wrong.join(whole, on="line", how="left", maintain_order="left").select(PROBLEM.keys()), unknown
    )


def _header_again(cells: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Rows that repeat the header, where two files were joined or a printed page broke."""
    if layout.shifts or layout.bare:
        return _none(cells)
    said = (pl.col(name).str.to_lowercase() == name.lower() for name in layout.starred)
    none = pl.lit(None, pl.String)
    return cells.filter(pl.all_horizontal(*said)).select(
        "line", column=pl.lit(""), value=none, why=pl.lit(HEADER_AGAIN)
    )


def empty_problems() -> pl.DataFrame:
    """No problems."""
    return pl.DataFrame(schema=PROBLEM)


def whole_row(layout: Layout) -> pl.Expr:
    """A row's cells as JSON, for the quarantine to keep."""
    return pl.struct(list(layout.columns)).struct.json_encode()


def _problem(cells: pl.DataFrame, column: Column, wrong: pl.Expr | pl.Series, why: pl.Expr) -> pl.DataFrame:
    told = cells.select("line", column=pl.lit(column.name), value=pl.col(column.name), why=why, wrong=wrong)
    return told.filter(pl.col("wrong")).drop("wrong")


def _dates(
    cells: pl.DataFrame, column: Column, layout: Layout, today: date, first: int, last: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    name = column.name
    before = today if column.type == "birth" else None
    read = moments(cells[name], zone=layout.zone, births_before=before, first=first, last=last)
    typed = cells.with_columns(
        read["at"].alias(AT.format(name)),
        read["precision"].alias(PRECISION.format(name)),
        read["iso"].alias(ISO.format(name)),
    )
    why = pl.lit(f"{name}: ") + pl.lit(read["why"]) + pl.lit("; send the row with the right one")
    return typed, _problem(cells, column, read["why"].is_not_null(), why)


def _codes(cells: pl.DataFrame, column: Column, layout: Layout) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Codes and patterns of one column: cells (odd ones blanked), problems, and how many were blanked."""
    name, cell = column.name, pl.col(column.name)
    problems = _none(cells)
    if layout.shifts and cells[name].null_count() < len(cells):
        dated = cell.str.contains(DATE_LIKE).fill_null(False)
        problems = _problem(
            cells,
            column,
            dated,
            pl.lit(f"{name}: a date stands here, so the row is shifted; send it corrected"),
        )
    test, what = _test(column)
    if test is None:
        return cells, problems, 0
    misfit = cells.select((~test).fill_null(False)).to_series()
    if not misfit.any():
        return cells, problems, 0
    if column.starred or column.needed:
        return (
            cells,
            pl.concat(
                [
                    problems,
                    _problem(
                        cells, column, misfit, pl.lit(f"{name}: is {what}; send the row with the right one")
                    ),
                ]
            ),
            0,
        )
    blanked = cells.with_columns(pl.when(~pl.lit(misfit)).then(cell).alias(name))
    return blanked, problems, int(misfit.sum())


def _test(column: Column) -> tuple[pl.Expr | None, str]:
    cell = pl.col(column.name)
    if column.codes:
        some = ", ".join(sorted(column.codes)[:SHOWN])
        return cell.str.to_uppercase().is_in(list(column.codes)), f"none of {some}"
    if column.type in PATTERNS:
        return cell.str.contains(PATTERNS[column.type]), f"not {FITS[column.type]}"
    return None, ""


def _none(cells: pl.DataFrame) -> pl.DataFrame:
    text = pl.lit(None, pl.String)
    return cells.head(0).select("line", column=text, value=text, why=text)


def _blanks(cells: pl.DataFrame, column: Column) -> pl.DataFrame:
    why = pl.lit(f"{column.name}: is blank, and a row says nothing without it; send the row with it")
    return _problem(cells, column, pl.col(column.name).is_null(), why)


def row_key(layout: Layout) -> pl.Expr:
    """What tells a row from the others of its feed: its key column; an A-number in any spelling is the same key."""
    own = pl.col(layout.key)
    if layout.repeats:
        return pl.concat_str(pl.col(list(layout.columns)).fill_null(""), separator="\x1f")
    return (
        pl.coalesce(a_number(own), own.str.to_uppercase())
        if layout.columns[layout.key].type == "a-number"
        else own
    )


def file_key(layout: Layout) -> pl.Expr:
    """The agency's own number of the file a row belongs to: an A-number as nine digits, anything else as it stands."""
    own = pl.col(layout.file)
    if layout.agency in {"ERO", "OPLA", "USCIS"}:
        own = pl.coalesce(a_number(own), own.str.to_uppercase())
    return pl.coalesce(own, pl.col(layout.file_else)) if layout.file_else else own
