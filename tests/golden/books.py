"""Workbooks and large files of the golden damage: each builder writes one file, the same every time."""

import io
import struct
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import xlsxwriter

HEADER = [
    "A-Number", "Last Name", "First Name", "Date of Birth", "Sex", "Responsible AOR", "NTA Served Date", "Served On", "Release Address",
    "City", "State", "Zip", "Updated On",
]  # fmt: skip
ANA = [
    "A200000001",
    "PEREZ LOPEZ",
    "ANA",
    "03/04/2009",
    "F",
    "ATLANTA",
    "",
    "",
    "12 ELM ST",
    "DALTON",
    "GA",
    "30720",
    "05/29/2024",
]
LUIS = [
    "A200000002",
    "CHOC",
    "LUIS",
    "2008-11-30",
    "M",
    "NEWARK",
    "05/01/2024",
    "CHILD",
    "9 OAK AVE",
    "NEWARK",
    "NJ",
    "07104",
    "05/30/2024",
]
EVA = [
    "A200000003",
    "DIAZ",
    "EVA",
    "1/2/10",
    "F",
    "MIAMI",
    "",
    "",
    "4 PINE RD",
    "MIAMI",
    "FL",
    "33125",
    "05/30/2024",
]
ABOVE = [
    ["UC Transfers"],
    ["Query: all UC transferred to ORR, all AOR"],
    [],
    ["Prepared by: juvenile coordination"],
    [],
]
BUILD: dict[str, Callable[[Path], None]] = {}
Cells = list[list[Any]]


def built(builder: Callable[[Path], None]) -> Callable[[Path], None]:
    """Let golden files name this builder."""
    BUILD[builder.__name__] = builder
    return builder


class Book:
    """A workbook in the making; leaves no clock and no name in it."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.book = xlsxwriter.Workbook(path, {"default_date_format": "mm/dd/yyyy", **options})
        self.book.set_properties({"created": datetime(2024, 5, 31)})

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, *_: object) -> None:
        self.book.close()

    def sheet(self, cells: Cells, name: str = "UC Transfers") -> Any:
        """A sheet with these cells; text stays text, numbers are numbers, moments are dates, ``None`` is no cell."""
        sheet = self.book.add_worksheet(name)
        for row, line in enumerate(cells):
            for column, value in enumerate(line):
                if isinstance(value, str) and value:
                    sheet.write_string(row, column, value)
                elif isinstance(value, datetime):
                    sheet.write_datetime(row, column, value)
                elif isinstance(value, bool):
                    sheet.write_boolean(row, column, value)
                elif value is not None and value != "":
                    sheet.write_number(row, column, value)
        return sheet


def _one_sheet(path: Path, cells: Cells) -> None:
    with Book(path) as book:
        book.sheet(cells)


def _with(row: list[Any], **cells: Any) -> list[Any]:
    """The row with other cells, named as in the header with ``_`` for blanks and hyphens."""
    own = {name.replace(" ", "_").replace("-", "_"): at for at, name in enumerate(HEADER)}
    changed = list(row)
    for name, value in cells.items():
        changed[own[name]] = value
    return changed


@built
def sound(path: Path) -> None:
    _one_sheet(path, [*ABOVE, HEADER, ANA, LUIS])


@built
def lost_zeros(path: Path) -> None:
    """Excel took numbers for numbers: a ZIP and an eight-digit A-number in number cells."""
    _one_sheet(path, [*ABOVE, HEADER, _with(LUIS, A_Number=45678901, Zip=7104), ANA])


@built
def date_cells(path: Path) -> None:
    """Dates as date cells, as bare serial numbers, and as text, in one column."""
    rows = [
        _with(ANA, Updated_On=datetime(2024, 5, 29), Date_of_Birth=datetime(2009, 3, 4)),
        _with(LUIS, Updated_On=45442, NTA_Served_Date=datetime(2024, 5, 1, 14, 30)),
        _with(EVA, Updated_On="5/30/24", Date_of_Birth="01/02/2010"),
    ]
    _one_sheet(path, [*ABOVE, HEADER, *rows])


@built
def dates_since_1904(path: Path) -> None:
    """A workbook that counts days from 1904, as Excel for Macintosh did."""
    with Book(path, date_1904=True) as book:
        book.sheet([*ABOVE, HEADER, _with(ANA, Updated_On=datetime(2024, 5, 29)), LUIS])


@built
def formula_cells(path: Path) -> None:
    """Names put together by formulas with their values beside; and a formula that nobody has calculated."""
    with Book(path) as book:
        sheet = book.sheet([*ABOVE, HEADER, ANA, LUIS])
        sheet.write_formula(6, 1, '=UPPER("perez lopez")', None, "PEREZ LOPEZ")
        sheet.write_formula(6, 9, '=VLOOKUP("x",Z1:Z9,1)', None, "")
        sheet.write_formula(7, 12, "=TODAY()", None, 45442)


@built
def error_cells(path: Path) -> None:
    """Formulas that failed: ``#N/A`` in a cell that may be blank, ``#REF!`` in one that may not."""
    with Book(path) as book:
        sheet = book.sheet([*ABOVE, HEADER, ANA, LUIS, EVA])
        sheet.write_formula(6, 9, "=NA()", None, "#N/A")
        sheet.write_formula(7, 12, "=A0", None, "#REF!")


@built
def truth_cells(path: Path) -> None:
    """TRUE in a text column, and a code column that holds a number."""
    _one_sheet(path, [*ABOVE, HEADER, _with(ANA, City=True, Served_On=1), LUIS])


@built
def hidden_rows(path: Path) -> None:
    """Hidden and filtered rows and a hidden column: they are in the file, so they are read."""
    with Book(path) as book:
        sheet = book.sheet([*ABOVE, HEADER, ANA, LUIS, EVA])
        sheet.set_row(7, None, None, {"hidden": True})
        sheet.set_column(11, 11, None, None, {"hidden": True})
        sheet.autofilter(5, 0, 8, len(HEADER) - 1)


@built
def total_line(path: Path) -> None:
    _one_sheet(path, [*ABOVE, HEADER, ANA, LUIS, [], ["Total", 2]])


@built
def two_header_rows(path: Path) -> None:
    """A row of group headings above the header, as merged banners give."""
    groups = ["Child", "", "", "", "", "Office", "Charging document", "", "Release", "", "", "", "Row"]
    _one_sheet(path, [*ABOVE[:4], groups, HEADER, ANA, LUIS])


@built
def header_again(path: Path) -> None:
    """The header stands once more in the middle, where the printed page broke."""
    _one_sheet(path, [*ABOVE, HEADER, ANA, HEADER, LUIS])


@built
def blank_columns(path: Path) -> None:
    """A blank column at the left, one in the middle, and blank rows between."""
    spread = [["", *row[:5], "", *row[5:]] for row in (HEADER, ANA)]
    _one_sheet(path, [*ABOVE, spread[0], [], spread[1], [], [], ["", *LUIS[:5], "", *LUIS[5:]]])


@built
def merged_cells(path: Path) -> None:
    """Two children of one household: their release address is one merged cell, which holds its value in the first row only."""
    with Book(path) as book:
        sheet = book.sheet([*ABOVE, HEADER, ANA, _with(EVA, Release_Address=None)])
        sheet.merge_range(6, 8, 7, 8, "12 ELM ST")
        sheet.merge_range(0, 0, 0, 6, "UC Transfers")


@built
def several_sheets(path: Path) -> None:
    with Book(path) as book:
        book.sheet([["Notes"], ["This list is for office use"]], "READ ME")
        book.sheet([*ABOVE, HEADER, ANA, LUIS])
        book.sheet([HEADER, EVA], "old")


@built
def no_such_sheet(path: Path) -> None:
    """The sheet has another name; the first one holds the list."""
    with Book(path) as book:
        book.sheet([*ABOVE, HEADER, ANA, LUIS], "Sheet1")
        book.sheet([["nothing"]], "Sheet2")


@built
def not_the_first_sheet(path: Path) -> None:
    """No sheet has the right name, and the list stands on the second."""
    with Book(path) as book:
        book.sheet([["Notes"]], "READ ME")
        book.sheet([HEADER, ANA, LUIS], "May")


@built
def wide_row(path: Path) -> None:
    """Remarks far to the right of the table, 200 columns in all."""
    _one_sheet(path, [*ABOVE, HEADER, ANA + [""] * (199 - len(ANA)) + ["see file"], LUIS])


@built
def line_ends_in_cells(path: Path) -> None:
    _one_sheet(
        path, [*ABOVE, HEADER, _with(ANA, Release_Address="12 ELM ST\nAPT 3", Last_Name=" PEREZ\u00a0LOPEZ ")]
    )


@built
def renamed_column(path: Path) -> None:
    renamed = ["Alien Number" if name == "A-Number" else name for name in HEADER]
    _one_sheet(path, [*ABOVE, renamed, ANA, LUIS])


@built
def renamed_beside(path: Path) -> None:
    """A column that may be missing has another name: it is read as blank, and said."""
    renamed = ["Zip Code" if name == "Zip" else name for name in HEADER]
    _one_sheet(path, [*ABOVE, renamed, ANA, LUIS])


@built
def header_far_down(path: Path) -> None:
    _one_sheet(path, [["note"]] * 40 + [HEADER, ANA])


@built
def nothing_in_it(path: Path) -> None:
    _one_sheet(path, [])


@built
def header_alone(path: Path) -> None:
    _one_sheet(path, [*ABOVE, HEADER])


@built
def two_a_key(path: Path) -> None:
    """The same child twice, the second line newer."""
    _one_sheet(path, [*ABOVE, HEADER, ANA, LUIS, _with(ANA, Release_Address="77 NEW ST")])


@built
def truncated(path: Path) -> None:
    sound(path)
    path.write_bytes(path.read_bytes()[:3000])


@built
def damaged_inside(path: Path) -> None:
    """The packed sheet has bytes changed: the archive opens, its sheet does not."""
    sound(path)
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as packed:
        sheet = packed.getinfo("xl/worksheets/sheet1.xml")
    start = sheet.header_offset + 30 + len(sheet.filename) + 40
    data[start : start + 60] = bytes(60)
    path.write_bytes(data)


@built
def encrypted(path: Path) -> None:
    """A password makes a workbook an OLE container: the beginning of one."""
    path.write_bytes(
        bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HH", 0x3E, 3) + bytes(3000)
    )


@built
def csv_named_as_workbook(path: Path) -> None:
    path.write_text(",".join(HEADER) + "\n" + ",".join(ANA) + "\n")


@built
def workbook_named_as_csv(path: Path) -> None:
    buffer = io.BytesIO()
    workbook = xlsxwriter.Workbook(buffer, {"in_memory": True})
    sheet = workbook.add_worksheet("UC Transfers")
    for row, line in enumerate([HEADER, ANA]):
        sheet.write_row(row, 0, line)
    workbook.close()
    path.write_bytes(buffer.getvalue())


@built
def bomb(path: Path) -> None:
    """A sheet of 300 MB that packs to 300 kB."""
    sound(path)
    with zipfile.ZipFile(path) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in parts.items():
            if name == "xl/worksheets/sheet1.xml":
                with packed.open(name, "w") as sheet:
                    sheet.write(data.split(b"</sheetData>")[0])
                    for _ in range(300):
                        sheet.write(b" " * (1 << 20))
                    sheet.write(b"</sheetData></worksheet>")
            else:
                packed.writestr(name, data)


@built
def bomb_of_many_cells(path: Path) -> None:
    """A sheet that declares a million rows of nothing: small when unpacked, large when taken at its word."""
    with Book(path) as book:
        sheet = book.sheet([*ABOVE, HEADER, ANA])
        sheet.write_string(1_048_575, 16_383, "x")


@built
def gigabyte_on_one_line(path: Path) -> None:
    with open(path, "wb") as file:
        file.write(b"A-Number,Respondent,Updated On")
        for _ in range(1024):
            file.write(b"x" * (1 << 20))


@built
def hole(path: Path) -> None:
    """A header and then a hole of 64 MB: what a machine that lost power leaves of a file."""
    with open(path, "wb") as file:
        file.write(b"A-Number,Respondent,Updated On\n")
        file.truncate(64 << 20)


@built
def open_quote_before_many_rows(path: Path) -> None:
    """One quote that never closes before 50 MB of rows: more than one piece of reading."""
    with open(path, "wb") as file:
        file.write(b'Event ID,UC Portal ID,Occurred At,Category,NCMEC Number\nE0,P0,2024-05-01,OTHER,"\n')
        for n in range(1, 100_001):
            file.write(b"E%d,P%d,2024-05-01,OTHER,%s\n" % (n, n % 5000, b"N" * 500))


@built
def forty_of_a_thousand_gone(path: Path) -> None:
    _opla(path, 960)


@built
def thousand_rows(path: Path) -> None:
    _opla(path, 1000)


def _opla(path: Path, rows: int) -> None:
    lines = "".join(f'A2{n:08},"PEREZ, ANA",2024-05-30\n' for n in range(rows))
    path.write_text("A-Number,Respondent,Updated On\n" + lines)


@built
def two_fitting_sheets(path: Path) -> None:
    with Book(path) as book:
        book.sheet([HEADER, ANA], "April")
        book.sheet([HEADER, ANA, LUIS], "May")


@built
def five_thousand_columns(path: Path) -> None:
    path.write_text(",".join(f"c{n}" for n in range(5000)) + "\n")
