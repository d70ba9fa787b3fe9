"""Read a group of deliveries: check, compare with what is known, understand what is new, quarantine the rest."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, BinaryIO

import polars as pl

from handhold import store
from handhold.feeds import inbox, quarantine, snapshot
from handhold.feeds.layout import Layout, layouts
from handhold.feeds.model import DESCRIPTION, REPORT, Delivery, Held, Reading, Unreadable, empty
from handhold.feeds.reading import court, delimited, dhs, orr, table, uscis, workbook
from handhold.feeds.reading.meaning import Rows
from handhold.pack import Pack

Meaning = Callable[[Rows], tuple[pl.DataFrame, pl.DataFrame]]

MEANINGS: dict[str, Meaning] = {
    "ero.uc_transfers": dhs.transfers, "opla.cases": dhs.cases,
    "orr.placements": orr.placements, "orr.discharges": orr.discharges, "orr.checkins": orr.checkins, "orr.concerns": orr.concerns,
    "orr.incidents": orr.incidents, "uscis.benefits": uscis.benefits, "uscis.ar11": uscis.ar11,
    "eoir.A_TblCase": court.cases, "eoir.B_TblProceeding": court.proceedings, "eoir.tbl_schedule": court.hearings,
    "eoir.tbl_JuvenileHistory": court.flags, "eoir.tbl_RepsAssigned": court.counsel, "eoir.CaseIdentity": court.identities,
    "eoir.HearingNotice": court.notices, "eoir.EOIR33": court.changes_of_address,
}  # fmt: skip
NUMBERS = {"ero.uc_transfers": "A-Number", "orr.placements": "A-Number", "orr.discharges": "A-Number", "opla.cases": "A-Number",
           "uscis.benefits": "A-Number", "uscis.ar11": "A-Number", "eoir.CaseIdentity": "A_NUMBER"}  # fmt: skip
COUNT = "eoir.Count"


def read(db: store.Db, deliveries: list[Delivery], *, now: datetime, pack: Pack) -> Reading:
    """Understand what is new in a group (see ``inbox.groups``), and write down rows, quarantine and counts.

    Bad data never raises: a delivery that cannot be read is refused, one that looks wrong is held, each with a sentence.
    """
    reading = Reading()
    opened = [(d, _open(d, layouts(pack)[d.feed or ""], now, pack)) for d in deliveries]
    totals = _control_totals(opened)
    selected = _children(db, opened, pack)
    for delivery, checked in opened:
        layout = layouts(pack)[delivery.feed or ""]
        if isinstance(checked, str):
            done = delivery.refused(checked)
        elif delivery.feed == COUNT:
            done = _counted(delivery, checked)
        else:
            done = _take(db, reading, delivery, checked, layout, selected, totals.get(layout.table.lower()), now, pack)
        inbox.settle(db, done, now)
        reading.deliveries.append(done)
    return reading


def _open(delivery: Delivery, layout: Layout, now: datetime, pack: Pack) -> "table.Checked | str":
    """The checked rows of a delivery, or the sentence for which it is refused."""
    rules = pack.toml("feeds/reading.toml")["bounds"]
    try:
        with store.blobs.open_(delivery.sha256) as source:
            cells, problems, missing = _cells(source, delivery, layout, rules, pack)
    except Unreadable as refusal:
        return str(refusal)
    checked = table.check(cells, layout, today=now.date(), first=rules["first_year"], last=rules["last_year"])
    return replace(checked, problems=pl.concat([checked.problems, problems]), seen=checked.seen + len(problems), missing=missing)


def _cells(source: BinaryIO, delivery: Delivery, layout: Layout, rules: dict[str, Any], pack: Pack) -> tuple[pl.DataFrame, pl.DataFrame, list[str]]:
    if delivery.name.lower().endswith((".xlsx", ".xlsm", ".xls")):
        book = workbook.read(source, sheet=layout.sheet, starred=layout.starred, bytes_=rules["workbook_bytes"], ratio=rules["workbook_ratio"])
        missing = table.header_fits([c for c in book.columns if c != "line"], layout)
        return table.complete(book, layout), table.empty_problems(), missing
    quoted = layout.separator == ","
    own = list(layout.columns) if layout.feed == COUNT else None
    text = delimited.read(source, separator=layout.separator, quoted=quoted, line_bytes=rules["line_bytes"], header=own)
    missing = table.header_fits(text.header, layout)
    codes = pack.toml("feeds/eoir.toml")["codes"]
    parts, odd = [], table.empty_problems()
    for piece in text.pieces:
        cells = table.complete(piece.cells, layout)
        mended, refused = _mended(piece, text.header, layout)
        parts.append(cells if mended is None else pl.concat([cells, mended]))
        odd = pl.concat([odd, _odd(refused, len(text.header))])
    whole = pl.concat(parts).sort("line") if parts else empty({c: pl.String for c in layout.columns} | {"line": pl.Int32})
    if layout.agency == "EOIR":
        whole = court.unredacted(whole, codes, [layout.key, layout.file])
    return whole, odd, missing


def _mended(piece: delimited.Piece, header: list[str], layout: Layout) -> tuple[pl.DataFrame | None, list[tuple[int, list[str]]]]:
    cells = [(line, delimited.cells_of(row, layout.separator, layout.separator == ",")) for line, row in piece.odd]
    if not cells or layout.agency != "EOIR" or header != list(layout.columns):
        return None, cells
    rows, rest = court.repaired(cells, layout)
    return rows.select(*layout.columns, "line"), rest


def _odd(rows: list[tuple[int, list[str]]], width: int) -> pl.DataFrame:
    """Rows that have the wrong number of cells and could not be mended."""
    many = [
        {"line": line, "column": "", "value": None, "why": f"the row has {len(cells)} cells where the header has {width}", "row": "\x1f".join(cells)}
        for line, cells in rows
    ]
    return pl.DataFrame(many, schema=table.PROBLEM)


def _control_totals(opened: list[tuple[Delivery, Any]]) -> dict[str, int]:
    totals = next((c for d, c in opened if d.feed == COUNT and not isinstance(c, str)), None)
    if totals is None:
        return {}
    named = totals.rows.select(pl.col("name").str.to_lowercase().str.replace(r"\.csv$", ""), pl.col("rows").cast(pl.Int64))
    return dict(named.iter_rows())


def _counted(delivery: Delivery, checked: "table.Checked") -> Delivery:
    return replace(delivery, status="read", rows=checked.seen, loaded=len(checked.rows), unchanged=0, quarantined=len(checked.problems), left=0, withdrawn=0)


def _children(db: store.Db, opened: list[tuple[Delivery, Any]], pack: Pack) -> pl.Series | None:
    """The cases of a court extract that are a child's; ``None`` for any other group."""
    tables = {(d.feed or "").partition(".")[2]: c.rows for d, c in opened if d.agency == "EOIR" and not isinstance(c, str)}
    if not tables:
        return None
    zone = layouts(pack)["eoir.A_TblCase"].zone
    taken = court.childrens_cases(tables, inbox.frame_of_known_numbers(db), pack.toml("feeds/eoir.toml")["codes"], zone)
    return pl.concat([taken, _taken_before(db, tables)]).unique()


def _taken_before(db: store.Db, tables: dict[str, pl.DataFrame]) -> pl.Series:
    """Cases already followed: a table that comes alone, or a sign that is gone, drops nobody."""
    named = [t.select(case=next(c for c in ("IDNCASE", "idnCase") if c in t.columns))["case"] for n, t in tables.items() if n != "Count"]
    here = pl.concat(named).unique() if named else pl.Series("case", [], pl.String)
    files = store.blind(pl.Series("file", "EOIR\x1f" + here), "file") if len(here) else pl.Series("file", [], pl.Int64)
    known = store.frame(db, "select distinct file from feeds_row where feed like 'eoir.%'")["file"]
    return here.filter(files.is_in(known.implode()))


def _take(
    db: store.Db, reading: Reading, delivery: Delivery, checked: "table.Checked", layout: Layout, selected: pl.Series | None,
    total: int | None, now: datetime, pack: Pack,
) -> Delivery:  # fmt: skip
    """Compare, understand and count one delivery; held when its counts or its keys do not add up."""
    if total is not None and total != checked.seen:
        why = f"Count.txt says {total:,} rows and the table has {checked.seen:,}; send the whole table or the right count"
        return delivery.refused(why, "held")
    rows = checked.rows
    if selected is not None:
        rows = rows.filter(pl.col(layout.file).is_in(selected.implode()))
    left = len(checked.rows) - len(rows)
    keyed = _keyed(rows, layout, delivery)
    try:
        change = snapshot.compare(db, keyed, delivery, layout, now=now, pack=pack)
    except Held as held:
        return delivery.refused(str(held), "held")
    reports, described = MEANINGS[layout.feed](Rows(change.news, layout, pack))
    reading.reports = pl.concat([reading.reports, reports])
    reading.descriptions = pl.concat([reading.descriptions, described])
    reading.changed = pl.concat([reading.changed, change.changed])
    reading.withdrawn = pl.concat([reading.withdrawn, change.withdrawn])
    reading.returned = pl.concat([reading.returned, change.returned])
    refused = quarantine.put(db, checked.problems, delivery, now)
    return replace(
        delivery, status="read", rows=checked.seen, loaded=change.loaded, unchanged=change.unchanged, quarantined=refused, left=left,
        withdrawn=len(change.withdrawn), missing_columns=tuple(checked.missing),
        why=f"read as blank, since the file lacks them: {', '.join(checked.missing)}" if checked.missing else None,
    )  # fmt: skip


def _keyed(rows: pl.DataFrame, layout: Layout, delivery: Delivery) -> pl.DataFrame:
    """The rows with their blind keys: row, content, file, number; and the file's own number in the clear for its description."""
    if layout.feed not in NUMBERS:
        number = pl.Series("number", [None] * len(rows), pl.Int64)
    else:
        number = store.blind(rows.select(n=court.a_number(pl.col(NUMBERS[layout.feed])))["n"], "number")
    text = rows.select(
        key=pl.lit(layout.feed + "\x1f") + (table.file_key(layout) if layout.key == layout.file and layout.agency != "EOIR" else pl.col(layout.key)),
        file_key=table.file_key(layout),
        content=pl.concat_str(pl.col(list(layout.columns)).fill_null(""), separator="\x1f"),
    )
    return rows.with_columns(
        store.blind(text["key"], "row").alias("row"),
        store.blind(text["content"], "content").alias("content"),
        store.blind(text.select(f=pl.lit(layout.agency + "\x1f") + pl.col("file_key"))["f"], "file").alias("file"),
        number.alias("number"), text["file_key"], delivery=pl.lit(delivery.id),
    )  # fmt: skip


__all__ = ["DESCRIPTION", "REPORT", "read"]
