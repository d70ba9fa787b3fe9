"""Spreadsheets as offices make them, for tests."""

import io
from collections.abc import Mapping, Sequence
from datetime import date
from email.message import EmailMessage
from typing import Any

import xlsxwriter

from handhold import pack
from handhold.feeds.layout import layouts
from handhold.feeds.mapping import propose, sheets, text

PACK = pack.load()
RULES = PACK.toml("feeds/mapping.toml")
LAYOUTS = layouts(PACK)
DAY = date(2024, 5, 31)
Rows = Sequence[Sequence[Any]]


def workbook(
    *named: tuple[str, Rows],
    merged: Mapping[str, str] | None = None,
    hidden: Sequence[str] = (),
    hidden_rows: Sequence[int] = (),
    hidden_columns: Sequence[str] = (),
) -> bytes:
    """An .xlsx with these sheets; ``merged`` maps ranges of the first to their text."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made, {"in_memory": True}) as book:
        day = book.add_format({"num_format": "mm/dd/yyyy"})
        for at, (name, rows) in enumerate(named):
            sheet = book.add_worksheet(name)
            if name in hidden:
                sheet.hide()
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(r, c, cell, day)
                    elif cell is not None:
                        sheet.write(r, c, cell)
            for span, said in (merged or {}).items() if at == 0 else ():
                sheet.merge_range(span, said)
            for row_ in hidden_rows:
                sheet.set_row(row_, None, None, {"hidden": True})
            for column in hidden_columns:
                sheet.set_column(f"{column}:{column}", None, None, {"hidden": True})
    return made.getvalue()


def opened(data: bytes, name: str = "list.xlsx") -> list[sheets.Sheet]:
    return sheets.read(data, name, bytes_=600_000_000, ratio=60, cells=20_000_000)


def proposed(
    rows: Rows | sheets.Sheet, *, sender: str = "office@ero.example", subject: str = "", part: str = "list.xlsx", feed: str | None = None
) -> propose.Proposal:  # fmt: skip
    """The likeliest proposal for these rows."""
    sheet = rows if isinstance(rows, sheets.Sheet) else opened(workbook(("Sheet1", rows)))[0]
    return propose.propose(sheet, propose.Sent(sender, subject, part, DAY), LAYOUTS, RULES, feed)[0]


def confirmed(rows: Rows | sheets.Sheet, **about: Any) -> text.Mapping:
    """What a person gets who confirms the proposal as it is."""
    said = text.parse(text.write(proposed(rows, **about).mapping))
    text.check_against(said, LAYOUTS)
    return said


def message(
    *attached: tuple[str, bytes], sender: str = "office@ero.example", subject: str = "no shows", remark: str = "see attached",
    sent: str = "Fri, 31 May 2024 16:05:00 -0400",
) -> EmailMessage:  # fmt: skip
    """A message with attachments."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"], made["Date"] = (
        sender,
        "uc-tracking@handhold.example",
        subject,
        sent,
    )
    made.set_content(remark)
    for name, data in attached:
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return made


NUMBERS = ["A 232 146 240", "216-767-908", "A207613896", "234478832", "A 247 734 120"]


def no_shows(
    *, header: Sequence[str] = ("A#", "Name", "Court date", "NO SHOW?", "Remarks"), title: str = "UC no shows"
) -> Rows:
    """A list of five as a field office sends it: a title, a blank line, a header, rows."""
    names = ["Roe, Ana", "Poe, Luis", "Doe Paz, Eva", "Moe, Juan", "Zoe, Rosa"]
    rows = [
        [n, who, f"0{at + 1}/1{at}/2024", "Y", "no answer"]
        for at, (n, who) in enumerate(zip(NUMBERS, names, strict=True))
    ]
    return [[title], [], list(header), *(row[: len(header)] for row in rows)]
