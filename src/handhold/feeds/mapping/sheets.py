"""A part's bytes as sheets of text cells, whatever spreadsheet program wrote them; what is no table is refused with its reason.

Nothing is left out because it was hidden: hidden sheets, rows and columns are read, and it is said that they were.
"""

import csv
import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field

import polars as pl

from handhold.feeds.model import Unreadable
from handhold.feeds.reading import apart
from handhold.feeds.reading.delimited import trim
from handhold.feeds.reading.workbook import cannot, unpacked

ZIP, EMPTY_ZIP = b"PK\x03\x04", b"PK\x05\x06"
OLE, TNEF, UTF16_NAMES = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\x78\x9f\x3e\x22", "utf-16-le"
ARCHIVES = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "rar",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
}
OTHERS = {
    b"%PDF": "a PDF", b"\x89PNG": "an image", b"\xff\xd8\xff": "an image", b"GIF8": "an image", b"MZ": "a program", b"\x7fELF": "a program",
    b"{\\rtf": "a text document",
}  # fmt: skip
HTML = re.compile(
    rb"^\s*(?:\xef\xbb\xbf)?\s*(?:<!doctype html|<html|<head|<body|<table|<meta|<\?xml[^>]*>\s*<html)",
    re.IGNORECASE,
)
SEPARATORS = ",;\t|"
SNIFFED = 50  # rows by which the separator is told
HIDDEN_ROWS = re.compile(rb'<row\b[^>]*\bhidden="(?:1|true)"')
HIDDEN_COLUMNS = re.compile(rb'<col\b[^>]*\bhidden="(?:1|true)"')
TABLES = (".xlsx", ".xls", ".ods", ".csv", ".tsv", ".txt")


@dataclass
class Sheet:
    """One sheet: ``cells`` has a text column for each of its columns (``c0``, ``c1`` …), blanks null, row *n* of the sheet at
    *n* - 1; ``notes`` say what a person should know of how it was read."""

    name: str
    cells: pl.DataFrame
    notes: list[str] = field(default_factory=list)


def refusal(data: bytes, name: str) -> str | None:
    """Why this is no table that may be read, as a sentence; ``None`` where it may be one. Looks at the bytes first, for a
    name may say anything."""
    head = data[:16]
    if not data:
        return "the part is empty; send it again"
    if head.startswith(TNEF):
        return "an Outlook package hides the attachments in a form only Outlook opens; send the message as plain text or HTML, or the spreadsheet alone"
    if head.startswith(OLE):
        return _ole_refusal(data)
    if head.startswith((ZIP, EMPTY_ZIP)):
        return _zip_refusal(data)
    for magic, what in ARCHIVES.items():
        if head.startswith(magic):
            return f"an archive ({what}) is not opened; send the spreadsheet itself"
    if data[257:262] == b"ustar":
        return "an archive (tar) is not opened; send the spreadsheet itself"
    if HTML.match(data[:1000]) or name.lower().endswith((".html", ".htm", ".mht")):
        return "this is a web page, whatever its name says; open it in a spreadsheet program, save it as .xlsx or .csv and send that"
    for magic, what in OTHERS.items():
        if head.startswith(magic):
            return f"this is {what}, which holds no rows; send the list as .xlsx, .ods or .csv"
    return None


def _ole_refusal(data: bytes) -> str | None:
    if "EncryptedPackage".encode(UTF16_NAMES) in data:
        return "the workbook is encrypted; send it without a password, over a channel that needs none"
    if "_VBA_PROJECT".encode(UTF16_NAMES) in data:
        return "the workbook carries macros and is not opened; save it as .xlsx without macros and send that"
    if "__substg1.0_".encode(UTF16_NAMES) in data:
        return "this is an Outlook message in a message; save it as .eml and send that"
    if not any(name.encode(UTF16_NAMES) in data for name in ("Workbook", "Book")):
        return "this is an Office document but no workbook; send the list as .xlsx, .ods or .csv"
    return None


def _zip_refusal(data: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            names = {info.filename for info in packed.infolist()}
            encrypted = any(info.flag_bits & 1 for info in packed.infolist())
            manifest = (
                packed.read("META-INF/manifest.xml")
                if "META-INF/manifest.xml" in names and not encrypted
                else b""
            )
    except (
        zipfile.BadZipFile,
        OSError,
        ValueError,
        NotImplementedError,
        EOFError,
        RuntimeError,
        zlib.error,
    ):
        return "the workbook is not whole (cut short or damaged); send it again"
    if encrypted or b"encryption-data" in manifest:
        return "the workbook is encrypted; send it without a password, over a channel that needs none"
    if any(name.endswith("vbaProject.bin") or name.startswith(("Basic/", "Scripts/")) for name in names):
        return "the workbook carries macros and is not opened; save it as .xlsx without macros and send that"
    if any(name.startswith("xl/") for name in names) or b"opendocument.spreadsheet" in manifest:
        return None
    if "[Content_Types].xml" in names or manifest:
        return "this is an Office document but no workbook; send the list as .xlsx, .ods or .csv"
    return "an archive (zip) is not opened; send the spreadsheet itself"


def read(data: bytes, name: str, *, bytes_: int, ratio: int, cells: int) -> list[Sheet]:
    """The sheets that hold anything; bounds as in ``reading.workbook``. Raises :class:`Unreadable` with the reason for what may
    not or cannot be read."""
    why = refusal(data, name)
    if why:
        raise Unreadable(why)
    if len(data) > bytes_:
        raise Unreadable("the part is larger than a spreadsheet may be; send it in pieces")
    if data.startswith((ZIP, OLE)):
        return _of_workbook(data, bytes_, ratio, cells)
    return [Sheet("", *_of_text(data))]


def _of_workbook(data: bytes, bytes_: int, ratio: int, cells: int) -> list[Sheet]:
    hidden = _hidden(data, bytes_, ratio, cells) if data.startswith(ZIP) else {}
    try:
        found = apart.sheets(data, beside=True)
    except apart.Apart as error:
        if str(error) == "PasswordError":
            raise Unreadable(
                "the workbook is encrypted; send it without a password, over a channel that needs none"
            ) from None
        raise Unreadable(cannot(str(error))) from None
    sheets = [_sheet(one, hidden.get(at, [])) for at, one in enumerate(found)]
    return [sheet for sheet in sheets if sheet.cells.width and len(sheet.cells)]


def _hidden(data: bytes, bytes_: int, ratio: int, cells: int) -> dict[int, list[str]]:
    """Unpack into nothing first; says by sheet what is hidden in it. Raises :class:`Unreadable`, see ``workbook.unpacked``."""
    counted: dict[int, list[int]] = {}
    tail = b""
    for part, piece in unpacked(data, bytes_, ratio, cells):
        if found := re.fullmatch(r"xl/worksheets/sheet(\d+)\.xml", part):
            at = int(found[1]) - 1
            if at not in counted:
                counted[at], tail = [0, 0], b""
            # A tag may lie across two pieces: the end of one is looked at again with the next, its whole tags not.
            text = tail + piece
            counted[at][0] += len(HIDDEN_ROWS.findall(text))
            counted[at][1] += len(HIDDEN_COLUMNS.findall(text))
            tail = text[text.rfind(b"<") :] if text.rfind(b"<") > text.rfind(b">") else b""
    return {
        at: [
            f"{n:,} hidden {what} were read"
            for n, what in zip(many, ("rows", "groups of columns"), strict=True)
            if n
        ]
        for at, many in counted.items()
    }


def _sheet(found: apart.Sheet, notes: list[str]) -> Sheet:
    plain = found.cells.select(
        trim(pl.col(old).cast(pl.String)).alias(f"c{at}") for at, old in enumerate(found.cells.columns)
    )
    if found.hidden:
        notes = ["the sheet is hidden; it was read", *notes]
    merged = [
        ((top, first - found.left), (bottom, last - found.left))
        for (top, first), (bottom, last) in found.merged
        if top < len(plain) and 0 <= first - found.left < plain.width
    ]
    if merged:
        plain = _filled(plain, merged)
        notes = [*notes, f"{len(merged):,} merged cells were read as standing in each of their cells"]
    return Sheet(found.name, plain, notes)


def _filled(cells: pl.DataFrame, merged: list[tuple[tuple[int, int], tuple[int, int]]]) -> pl.DataFrame:
    """A merged cell's text in each of the cells it covers."""
    columns = {name: cells[name].to_list() for name in cells.columns}
    names = list(columns)
    for (top, first), (bottom, last) in merged:
        said = columns[names[first]][top]
        for name in names[first : last + 1]:
            for row in range(top, min(bottom, len(cells) - 1) + 1):
                columns[name][row] = columns[name][row] or said
    return pl.DataFrame(columns, schema=dict.fromkeys(names, pl.String))


def _of_text(data: bytes) -> tuple[pl.DataFrame, list[str]]:
    text, notes = _decoded(data)
    if len(data) > 200 and sum(c < " " and c not in "\t\r\n\f" for c in text[:4000]) > 40:
        raise Unreadable("this is no text and no workbook; send the list as .xlsx, .ods or .csv")
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text)))
    except csv.Error:
        raise Unreadable(
            "the text cannot be read as a table; save the list as .xlsx or .csv and send that"
        ) from None
    width = max(map(len, rows), default=0)
    if width < 2 and len(rows) < 2:
        raise Unreadable("there is no table in this text; send the list as .xlsx, .ods or .csv")
    columns = {f"c{at}": [row[at] if at < len(row) else None for row in rows] for at in range(width)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
    return frame.select(trim(pl.col(name)).alias(name) for name in frame.columns), notes


def _decoded(data: bytes) -> tuple[str, list[str]]:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace").replace("\0", ""), []
    try:
        return data.decode("utf-8-sig").replace("\0", ""), []
    except UnicodeDecodeError:
        return data.decode("cp1252", "replace").replace("\0", ""), ["the text was read as cp1252"]


def _separator(text: str) -> str:
    """The separator that gives the most rows of one same width above one; the comma where none does."""
    lines = [line for line in text.splitlines()[:SNIFFED] if line.strip()]

    def rows_alike(separator: str) -> tuple[int, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=separator)]
        wide = [width for width in widths if width > 1]
        common = max(set(wide), key=wide.count) if wide else 0
        return (widths.count(common), common) if common else (0, 0)

    return max(SEPARATORS, key=rows_alike)
