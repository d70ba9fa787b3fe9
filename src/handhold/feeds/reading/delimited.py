"""Delimited text in bounded pieces: encodings, NULs, quotes, rows with too many or too few cells.

A piece is some megabytes of whole rows. Where rows end and how many cells they have is found with array operations
over the bytes; only rows with a wrong number of cells are looked at one by one. Which quotes are quotes is decided here
and nowhere else: the parser of columns then gets text in which separators are unmistakable, so the two cannot differ.
"""

import codecs
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import BinaryIO

import numpy as np
import polars as pl

from handhold.feeds.model import Unreadable
from handhold.feeds.reading.coming import Coming

PIECE = 8 << 20
LF, CR, QUOTE = 10, 13, 34
ASCII = 0x7F
BLANKS = " \t\r\n\u00a0\u2007\u202f\ufeff"
EDGES = (0x20, CR, 0xC2, 0xE2, 0xEF, 0xA0, 0x87, 0xAF, 0xBF)  # begin or end one of the blanks in UTF-8
UNIT, RECORD = 31, 30  # ASCII's own separators: stand for those outside quotes
FOREIGN = 20  # where one byte in so many is beyond ASCII, to decode all of them is faster
QUOTED_LINES = 100  # a quoted cell with more lines than this was never closed: its quote is a character
WIDEST = 2_000  # columns: a header with more is none
STRAYS = 200  # quotes of one piece that may be characters; with more, none is a quote


@dataclass
class Piece:
    """Some rows of a file. ``cells``: text columns named by the header, and ``line``; ``odd``: (line, bytes) of rows with a wrong
    number of cells; ``left``: how many rows the choice left aside; ``last``: the line at which it ends."""

    cells: pl.DataFrame
    odd: list[tuple[int, bytes]]
    left: int = 0
    last: int = 0


@dataclass(frozen=True)
class Choice:
    """Which rows and columns are wanted. ``keep`` says of the columns ``by`` which rows; the others are only counted,
    and their other cells never made. ``only``: the columns wanted (default: all)."""

    keep: Callable[[pl.DataFrame], pl.Series] | None = None
    by: tuple[str, ...] = ()
    only: tuple[str, ...] | None = None


ALL = Choice()


@dataclass
class Text:
    """A file's header and its rows, piece by piece."""

    header: list[str]
    pieces: Iterator[Piece]


def read(
    source: BinaryIO, *, separator: str, quoted: bool, line_bytes: int, header: list[str] | None = None,
    spell: Callable[[list[str]], list[str]] | None = None, choice: Choice = ALL,
) -> Text:  # fmt: skip
    """Open delimited text. ``header``: given where the file has none; ``spell`` puts the file's own into known spelling.

    Raises :class:`Unreadable`, also while the pieces are read.
    """
    lines = iter(Coming(_whole_rows(_utf8(source), separator if quoted else None, line_bytes)))
    first = next(lines, None)
    if first is None:
        raise Unreadable("the file is empty; send it again")
    line = 0
    if header is None:
        head, first = _cut_header(first, separator if quoted else None)
        header, line = _split(head, separator, quoted), 1
        if len(header) > WIDEST:
            raise Unreadable(
                f"the first line has {len(header):,} columns, so it is no header; send the file with its header"
            )
        header = spell(header) if spell else header
    return Text(
        header,
        _pieces(chain([first], lines), _Shape(header, unique(header), separator, quoted, choice), line),
    )


def _cut_header(piece: bytes, quoting: str | None) -> tuple[bytes, bytes]:
    if quoting is None or b'"' not in piece:
        cut = piece.find(b"\n") + 1 or len(piece)
        return piece[:cut], piece[cut:]
    data = np.frombuffer(piece, np.uint8)
    ends = np.flatnonzero(data == LF)
    ends = ends[_outside(ends, _quotes(data, quoting, final=True))]
    cut = int(ends[0]) + 1 if len(ends) else len(piece)
    return piece[:cut], piece[cut:]


def _utf8(source: BinaryIO) -> Iterator[bytes]:
    """The file's bytes as UTF-8 without byte-order mark and NULs, in pieces that may end anywhere."""
    start = source.read(PIECE)
    wide = _wide(start)
    if wide:
        yield from _transcoded(start, source, wide)
        return
    piece = start.removeprefix(codecs.BOM_UTF8)
    while piece:
        yield piece.replace(b"\0", b"") if b"\0" in piece else piece
        piece = source.read(PIECE)


def _wide(start: bytes) -> str | None:
    """UTF-16 by its mark, or by NULs in every second byte of the beginning (in every byte, they are but NULs)."""
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    head = start[:400]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 8 and odd > len(head) // 3 and even < len(head) // 16:
        return "utf-16-le"
    if len(head) >= 8 and even > len(head) // 3 and odd < len(head) // 16:
        return "utf-16-be"
    return None


def _transcoded(start: bytes, source: BinaryIO, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    piece = start
    while piece:
        yield decoder.decode(piece).replace("\0", "").encode()
        piece = source.read(PIECE)
    yield decoder.decode(b"", final=True).encode()


def _whole_rows(
    pieces: Iterator[bytes], quoting: str | None, line_bytes: int
) -> Generator[bytes, None, None]:
    """Pieces cut where a row ends; each is valid UTF-8. ``quoting``: the separator of a quoted file.

    Raises :class:`Unreadable` for an endless line.
    """
    rest = b""
    for piece in pieces:
        rest += piece
        cut = _last_end(rest, quoting)
        if cut:
            yield _readable(rest[:cut])
            rest = rest[cut:]
        if len(rest) > line_bytes + QUOTED_LINES:
            raise Unreadable(
                f"a line is longer than {line_bytes:,} bytes, which no feed has; send the file with its line ends"
            )
    if rest.strip(b"\r\n \t"):
        yield _readable(rest + b"\n")


def _last_end(text: bytes, quoting: str | None) -> int:
    """Where the last whole row ends."""
    if quoting is None or b'"' not in text:
        return text.rfind(b"\n") + 1
    data = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(data == LF)
    ends = ends[_outside(ends, _quotes(data, quoting, final=False))]
    return int(ends[-1]) + 1 if len(ends) else 0


def _readable(piece: bytes) -> bytes:
    """UTF-8 as it is; anything else is cp1252, whose five holes read as the Latin-1 controls they would be."""
    if piece.isascii():
        return piece
    try:
        piece.decode("utf-8")
    except UnicodeDecodeError:
        return _from_cp1252(piece)
    return piece


def _from_cp1252(piece: bytes) -> bytes:
    """Of letters beyond ASCII there are few: what stands between them is taken as it is."""
    at = np.flatnonzero(np.frombuffer(piece, np.uint8) > ASCII)
    if len(at) * FOREIGN > len(piece):
        return _utf8_of(piece)
    places = at.tolist()
    parts = [b""] * (2 * len(places) + 1)
    parts[0::2] = [piece[a:b] for a, b in zip([0, *(at + 1).tolist()], [*places, len(piece)], strict=True)]
    parts[1::2] = [CP1252[piece[place] - ASCII - 1] for place in places]
    return b"".join(parts)


def _utf8_of(piece: bytes) -> bytes:
    return piece.decode("cp1252", errors="handhold-latin1").encode()


def _latin1(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("handhold-latin1", _latin1)
CP1252 = [_utf8_of(bytes([byte])) for byte in range(ASCII + 1, 256)]


NO_PLACES = np.zeros(0, np.int64)


def _quotes(data: np.ndarray, quoting: str | None, *, final: bool) -> np.ndarray:
    """Positions of the marks that quote: those at an edge of a cell, or doubled. Opening and closing ones alternate.

    A mark that would quote more than :data:`QUOTED_LINES` lines is a character. ``final``: nothing follows ``data``, so
    an open quote at its end is a character, too.
    """
    marks = np.flatnonzero(data == QUOTE) if quoting else NO_PLACES
    if quoting is None or not len(marks):
        return NO_PLACES
    edges = (ord(quoting), LF, CR, QUOTE)
    padded = np.concatenate(([LF], data, [LF]))
    marks = marks[np.isin(padded[marks], edges) | np.isin(padded[marks + 2], edges)]
    marks = _without_strays(marks, np.flatnonzero(data == LF), len(data))
    return marks[:-1] if final and len(marks) % 2 else marks


def _without_strays(marks: np.ndarray, ends: np.ndarray, size: int) -> np.ndarray:
    for _ in range(STRAYS):
        closing = np.append(marks[1::2], [size] if len(marks) % 2 else NO_PLACES).astype(np.int64)
        lines = np.searchsorted(ends, closing) - np.searchsorted(ends, marks[0::2])
        astray = np.flatnonzero(lines > QUOTED_LINES)
        if not len(astray):
            return marks
        marks = np.delete(marks, 2 * astray[0])
    return NO_PLACES


def _outside(places: np.ndarray, quotes: np.ndarray) -> np.ndarray:
    """Which places stand outside quotes: an even number of quotes comes before them."""
    return np.searchsorted(quotes, places) % 2 == 0


def _split(row: bytes, separator: str, quoted: bool) -> list[str]:
    """One row's cells, trimmed."""
    data = np.frombuffer(row, np.uint8)
    cuts = np.flatnonzero(data == ord(separator))
    cuts = cuts[_outside(cuts, _quotes(data, separator, final=True))] if quoted else cuts
    cells = [row[a:b] for a, b in zip([0, *(cuts + 1)], [*cuts, len(row)], strict=True)]
    return [
        _unquoted(cell.decode().strip(BLANKS)) if quoted else cell.decode().strip(BLANKS) for cell in cells
    ]


def _unquoted(cell: str) -> str:
    return (
        cell[1:-1].replace('""', '"').strip(BLANKS) if len(cell) > 1 and cell[0] == cell[-1] == '"' else cell
    )


@dataclass(frozen=True)
class _Shape:
    """What all pieces of a file have in common. ``names``: the header with no name twice."""

    header: list[str]
    names: list[str]
    separator: str
    quoted: bool
    choice: Choice


def unique(header: list[str]) -> list[str]:
    """Column names of which none stands twice: the later ones get their place as a suffix."""
    first = {name: at for at, name in reversed(list(enumerate(header)))}
    return [name if name and first[name] == at else f"{name}␟{at}" for at, name in enumerate(header)]


def _pieces(texts: Iterator[bytes], shape: _Shape, line: int) -> Iterator[Piece]:
    for text, grid in Coming(_grids(texts, shape)):
        found, line = _piece(text, grid, shape, line)
        yield found


def _grids(texts: Iterator[bytes], shape: _Shape) -> Generator[tuple[bytes, "_Grid"], None, None]:
    """Where the rows of the next piece stand is found in a thread while the cells of the last one are made."""
    for text in texts:
        if text:
            yield text, _grid(text, shape)


def _piece(text: bytes, grid: "_Grid", shape: _Shape, line: int) -> tuple[Piece, int]:
    """Rows of one piece; lines are counted from 1 for the first row of the file, header included."""
    lines = line + 1 + np.arange(len(grid.ends))
    blank = _blank(text, grid, shape.separator)
    right = grid.cells == len(shape.header)
    whole = right & ~blank
    odd = [
        (int(lines[n]), text[grid.starts[n] : grid.ends[n]].rstrip(b"\r"))
        for n in np.flatnonzero(~right & ~blank)
    ]
    left = 0
    if shape.choice.keep is not None and whole.any():
        about = _table(grid.only(whole), shape, shape.choice.by, grid.loose)
        chosen = shape.choice.keep(about).to_numpy()
        left = int((~chosen).sum())
        whole[np.flatnonzero(whole)[~chosen]] = False
    table = _table(grid.only(whole), shape, shape.choice.only, grid.loose)
    cells = table.with_columns(line=_in_chunks(lines[whole], table))
    last = line + len(grid.ends)
    return Piece(cells, odd, left, last), last


def _in_chunks(lines: np.ndarray, table: pl.DataFrame) -> pl.Series:
    """The lines in chunks as long as those of the parser: else whoever asks for a column has all of them put together first."""
    lengths = table.to_series(0).chunk_lengths() if table.width and len(table) else [len(lines)]
    parts = np.split(lines.astype(np.int32), np.cumsum(lengths)[:-1])
    return pl.concat([pl.Series(part) for part in parts], rechunk=False)


@dataclass
class _Grid:
    """Where the rows of a piece stand and how many cells each has. ``text``: with unmistakable separators where the file
    is quoted; ``loose``: the columns in which some cell of an unquoted file may have blanks at its edges."""

    text: bytes
    starts: np.ndarray
    ends: np.ndarray
    cells: np.ndarray
    loose: frozenset[int]

    def only(self, wanted: np.ndarray) -> bytes:
        """The text of the wanted rows."""
        if wanted.all():
            return self.text
        change = np.flatnonzero(np.diff(wanted, prepend=False, append=False))
        runs = zip(self.starts[change[0::2]].tolist(), self.ends[change[1::2] - 1].tolist(), strict=True)
        return b"".join([self.text[first : last + 1] for first, last in runs])


def _grid(text: bytes, shape: _Shape) -> _Grid:
    data = np.frombuffer(text, np.uint8)
    ends = np.flatnonzero(data == LF)
    cuts = np.flatnonzero(data == ord(shape.separator))
    if shape.quoted:
        quotes = _quotes(data, shape.separator, final=True)
        ends, cuts = ends[_outside(ends, quotes)], cuts[_outside(cuts, quotes)]
        data = np.where((data == UNIT) | (data == RECORD), ord(" "), data).astype(np.uint8)
        data[cuts], data[ends] = UNIT, RECORD
        text = data.tobytes()
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64)
    before = _before(cuts, starts, ends, len(shape.names) - 1)
    cells = np.diff(before, prepend=0) + 1
    return _Grid(text, starts, ends, cells, _to_trim(text, ends, cuts, before, shape))


def _to_trim(
    text: bytes, ends: np.ndarray, cuts: np.ndarray, before: np.ndarray, shape: _Shape
) -> frozenset[int]:
    """Columns to be trimmed: of a few that are wanted, all, and of all those that need it; what is quoted is trimmed anyway."""
    if shape.quoted:
        return frozenset()
    if shape.choice.only:
        return frozenset(at for at, name in enumerate(shape.names) if name in shape.choice.only)
    return _loose(text, shape.separator, ends, cuts, before)


def _before(cuts: np.ndarray, starts: np.ndarray, ends: np.ndarray, usual: int) -> np.ndarray:
    """How many separators stand before the end of each row. To see that every row has the usual number of them is faster than
    to count them, and mostly it has."""
    if usual and len(ends) and len(cuts) == usual * len(ends):
        first, last = cuts[::usual], cuts[usual - 1 :: usual]
        if (first >= starts).all() and (last < ends).all():
            return np.arange(usual, len(cuts) + 1, usual)
    return np.searchsorted(cuts, ends)


def _loose(
    text: bytes, separator: str, ends: np.ndarray, cuts: np.ndarray, before: np.ndarray
) -> frozenset[int]:
    """Columns in which a cell may begin or end with a blank: to look at the edges is faster than to trim every cell.

    ``text`` ends with the end of a row, so that what stands before its first byte (in an array: its last) ends one, too.
    """
    if not len(ends):
        return frozenset()
    data = np.frombuffer(text, np.uint8)
    blanks = [np.flatnonzero(data == edge) for edge in EDGES if bytes((edge,)) in text]
    at = np.concatenate([NO_PLACES, *blanks])
    apart = np.zeros(256, bool)
    apart[[ord(separator), LF]] = True
    at = at[apart[data[at - 1]] | apart[data[at + 1]]]
    row_begins = np.concatenate(([0], before))[np.searchsorted(ends, at)]
    return frozenset(np.unique(np.searchsorted(cuts, at) - row_begins).tolist())


def _blank(text: bytes, grid: _Grid, separator: str) -> np.ndarray:
    """Rows without anything in them but blanks and separators: no row at all."""
    nothing = b"\r\n \t" + separator.encode()
    blank = np.zeros(len(grid.ends), bool)
    first = np.frombuffer(text, np.uint8)[grid.starts]
    for n in np.flatnonzero(np.isin(first, list(nothing))):
        blank[n] = not text[grid.starts[n] : grid.ends[n]].strip(nothing)
    return blank


def _table(text: bytes, shape: _Shape, only: tuple[str, ...] | None, loose: frozenset[int]) -> pl.DataFrame:
    """The cells of ``only`` (default: all) columns as trimmed text; columns that the file has not are left out."""
    wanted = [at for at, name in enumerate(shape.names) if only is None or name in only]
    if not text:
        return pl.DataFrame(schema={shape.names[at]: pl.String for at in wanted})
    places = [f"{n}" for n in range(len(shape.names))]
    table = pl.read_csv(
        text, separator=chr(UNIT) if shape.quoted else shape.separator, eol_char=chr(RECORD) if shape.quoted else "\n", quote_char=None,
        has_header=False, schema=dict.fromkeys(places, pl.String), columns=wanted if only else None, empty_string_is_null=not shape.quoted, null_values=None,
    )  # fmt: skip
    return table.select(_clean(at, shape, loose).alias(shape.names[at]) for at in wanted)


def _clean(at: int, shape: _Shape, loose: frozenset[int]) -> pl.Expr:
    cell = pl.col(f"{at}")
    if shape.quoted:
        return unquote(cell)
    return trim(cell) if at in loose else cell


def unquote(cell: pl.Expr) -> pl.Expr:
    """A cell without its quotes, trimmed."""
    bare = cell.str.strip_chars(BLANKS)
    quoted = bare.str.starts_with('"') & bare.str.ends_with('"') & (bare.str.len_bytes() > 1)
    inner = bare.str.slice(1, bare.str.len_chars() - 2).str.replace_all('""', '"', literal=True)
    return trim(pl.when(quoted).then(inner).otherwise(bare))


def trim(cell: pl.Expr) -> pl.Expr:
    """Blanks at either end are noise, and a cell of nothing is null."""
    stripped = cell.str.strip_chars(BLANKS)
    return pl.when(stripped != "").then(stripped)


def cells_of(row: bytes, separator: str, quoted: bool) -> list[str]:
    """The cells of a row that has a wrong number of them."""
    return _split(row, separator, quoted)
