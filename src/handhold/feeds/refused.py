"""Refused rows in the sender's own layout: the same columns in the same order, and last the reason beside each row.

The rows are taken from the kept bytes, so that they stand as they came, also the columns that no feed knows. What a
spreadsheet would run as a formula is made harmless.
"""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import xlsxwriter

from handhold import store
from handhold.feeds import inbox
from handhold.feeds.layout import Layout, layouts
from handhold.feeds.mapping import book as mapped
from handhold.feeds.model import Delivery, FeedError
from handhold.feeds.reading import delimited, source, table, workbook
from handhold.pack import Pack

WHY = "Why it was refused"
RUNS = re.compile(r"^[=+\-@\t\r＝＋－＠]")  # proof.md 2, ASVS 1.2.10
WAITING = """
    select line, column_ as "column", why from feeds_quarantine
    where delivery = %s and released is null order by line"""
Sheet = list[list[str]]


def write(db: store.Db, delivery: int, target: Path, *, pack: Pack) -> int:
    """Write the rows of a delivery that wait in quarantine to a ``.csv`` or ``.xlsx``; returns how many.

    Raises :class:`FeedError` for another ending, an unknown delivery, and where none waits.
    """
    writers = {".csv": _write_csv, ".xlsx": _write_workbook}
    if target.suffix not in writers:
        raise FeedError(f"{target.name}: write to a name that ends in .csv or .xlsx")
    rows = sheet(db, delivery, pack)
    writers[target.suffix](rows, target)
    return len(rows) - 1


def sheet(db: store.Db, delivery: int, pack: Pack) -> Sheet:
    """The header and the waiting rows, harmless. Raises :class:`FeedError` where none waits."""
    known = store.fetch(db, "select * from feeds_delivery where id = %s", [delivery])
    reasons = {row["line"]: row["why"] for row in store.fetch(db, WAITING, [delivery])}
    if not known or not reasons:
        raise FeedError(
            f"no row of a delivery {delivery} waits in quarantine; handhold quarantine list names those that do"
        )
    found = inbox.from_row(known[0])
    if found.mapping is None:
        header, rows = _rows(found, layouts(pack)[found.feed or ""], set(reasons), pack)
    else:
        header, rows = mapped.as_sent(db, found, set(reasons), pack)
    width = max([len(header), *(len(cells) for _, cells in rows)])
    named = [*header, *[""] * (width - len(header)), WHY]
    told = [[*cells, *[""] * (width - len(cells)), reasons[line]] for line, cells in sorted(rows)]
    return [[harmless(cell) for cell in row] for row in (named, *told)]


def harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula begins with an apostrophe."""
    return f"'{cell}" if RUNS.match(cell) else cell


def _rows(
    delivery: Delivery, layout: Layout, lines: set[int], pack: Pack
) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The header as it came, and the cells of these lines."""
    rules = pack.toml("feeds/reading.toml")["bounds"]
    with inbox.open_(delivery) as kept:
        if delivery.name.lower().endswith(source.WORKBOOKS):
            book = workbook.read(
                kept, sheet=layout.sheet, starred=layout.starred, bytes_=rules["workbook_bytes"], ratio=rules["workbook_ratio"],
                cells=rules["workbook_cells"], spell=lambda header: table.respelled(header, layout),
            )  # fmt: skip
            header = [name for name in book.columns if name != "line"]
            wanted = book.filter(book["line"].is_in(list(lines)))
            return header, [
                (row["line"], [row[name] or "" for name in header]) for row in wanted.iter_rows(named=True)
            ]
        text = delimited.read(
            kept, separator=layout.separator, quoted=layout.separator == ",", line_bytes=rules["line_bytes"],
            header=list(layout.columns) if layout.bare else None,
        )  # fmt: skip
        return text.header, list(_lines(text, layout, lines))


def _lines(text: delimited.Text, layout: Layout, lines: set[int]) -> Iterator[tuple[int, list[str]]]:
    for piece in text.pieces:
        names = [name for name in piece.cells.columns if name != "line"]
        for row in piece.cells.filter(piece.cells["line"].is_in(list(lines))).iter_rows(named=True):
            yield row["line"], [row[name] or "" for name in names]
        for line, cells in piece.odd:
            if line in lines:
                yield line, delimited.cells_of(cells, layout.separator, layout.separator == ",")


def _write_csv(rows: Sheet, target: Path) -> None:
    with open(target, "w", encoding="utf-8-sig", newline="") as out:
        csv.writer(out).writerows(rows)


def _write_workbook(rows: Sheet, target: Path) -> None:
    book = xlsxwriter.Workbook(str(target), {"strings_to_formulas": False, "strings_to_urls": False})
    page = book.add_worksheet("Refused rows")
    for at, row in enumerate(rows):
        for number, cell in enumerate(row):
            page.write_string(at, number, cell)
    book.close()


__all__ = ["harmless", "sheet", "write"]
