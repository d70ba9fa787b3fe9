"""Delimited text: encodings, quotes, defects; every line is a cell row, an odd row or nothing."""

import io
import threading
from typing import BinaryIO, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handhold.feeds.model import Unreadable
from handhold.feeds.reading import delimited


def read(
    data: bytes, separator: str = ",", quoted: bool = True, line_bytes: int = 4_000_000
) -> tuple[list[str], list[tuple[str, ...]], list[int]]:
    text = delimited.read(io.BytesIO(data), separator=separator, quoted=quoted, line_bytes=line_bytes)
    pieces = list(text.pieces)
    rows = [row for piece in pieces for row in piece.cells.iter_rows()]
    return text.header, rows, [line for piece in pieces for line, _ in piece.odd]


@pytest.mark.parametrize(
    "data",
    [
        "name,city\nNÚÑEZ,PEÑA\n".encode(),
        "name,city\r\nNÚÑEZ,PEÑA\r\n".encode("utf-8-sig"),
        "name,city\nNÚÑEZ,PEÑA\n".encode("utf-16"),
        "name,city\nNÚÑEZ,PEÑA\n".encode("utf-16-le"),
        "name,city\nNÚÑEZ,PEÑA\n".encode("utf-16-be"),
        "name,city\nNÚÑEZ,PEÑA\n".encode("cp1252"),
        "name,city\nNÚ\0ÑEZ,PEÑA".encode(),
        'name,city\n" NÚÑEZ ","PEÑA"\n'.encode(),
    ],
)
def test_encodings_line_ends_and_nuls(data: bytes) -> None:
    assert read(data) == (["name", "city"], [("NÚÑEZ", "PEÑA", 2)], [])


def test_bytes_that_cp1252_does_not_know_are_kept() -> None:
    assert read(b"a,b\n\x81\xd1,2\n")[1] == [("\x81Ñ", "2", 2)]


def test_na_and_zero_are_values() -> None:
    assert read(b"a,b\nNA,0\nnull,0000\n")[1] == [("NA", "0", 2), ("null", "0000", 3)]


def test_a_line_end_inside_quotes_ends_no_row() -> None:
    _header, rows, odd = read(b'a,b\n"one\ntwo",2\n3,"x ""y"", z"\n')
    assert rows == [("one\ntwo", "2", 2), ("3", 'x "y", z', 3)]
    assert odd == []


def test_a_quote_in_an_unquoted_file_is_a_character() -> None:
    assert read(b'a\tb\n"x\t2\n3\t4\n', "\t", quoted=False)[1] == [('"x', "2", 2), ("3", "4", 3)]


def test_rows_with_too_many_or_too_few_cells_are_odd_and_blank_lines_are_nothing() -> None:
    _header, rows, odd = read(b"a,b\n1,2\n\n1,2,3\n1\n , \n3,4\n")
    assert [row[-1] for row in rows] == [2, 7]
    assert odd == [4, 5]


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(Unreadable, match="empty"):
        read(b"")


def test_an_endless_line_is_refused_while_it_is_read() -> None:
    class Endless(io.RawIOBase):
        read_so_far = 0

        def read(self, size: int = -1) -> bytes:
            self.read_so_far += size
            assert self.read_so_far < 300 << 20, "read on and on"
            return b"x" * size

    with pytest.raises(Unreadable, match="longer than"):
        delimited.read(Endless(), separator=",", quoted=True, line_bytes=1000)  # type: ignore[arg-type]


def test_rows_may_lie_across_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "PIECE", 64)
    data = "a,b\n" + "".join(f'{n},"text {n}\nñ"\n' for n in range(200))
    rows = read(data.encode())[1]
    assert [row[:2] for row in rows] == [(f"{n}", f"text {n}\nñ") for n in range(200)]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.text(alphabet='ab"\n ,é', max_size=5), min_size=1, max_size=4), max_size=12),
    st.booleans(),
)
def test_no_line_is_lost_whatever_it_holds(rows: list[list[str]], tabs: bool) -> None:
    separator = "\t" if tabs else ","
    body = "".join(separator.join(cells) + "\n" for cells in rows)
    text = delimited.read(
        io.BytesIO(f"a{separator}b\n{body}".encode()), separator=separator, quoted=not tabs, line_bytes=10_000
    )
    pieces = list(text.pieces)
    read_ = sum(len(piece.cells) + len(piece.odd) for piece in pieces)
    if tabs:
        assert read_ == sum(bool(line.strip(" \t")) for line in body.split("\n"))
    lines = [line for piece in pieces for line in [*piece.cells["line"], *(line for line, _ in piece.odd)]]
    assert len(set(lines)) == len(lines)


class Breaking(io.RawIOBase):
    """A stream that gives a header, some rows, and then an error."""

    def __init__(self) -> None:
        self.given = 0

    def read(self, _size: int = -1) -> bytes:
        self.given += 1
        if self.given > 3:
            raise Unreadable("the archive is damaged here")
        return b"a,b\n1,2\n" if self.given == 1 else b"1,2\n"


def test_what_breaks_while_reading_ahead_is_told_where_the_rows_are_wanted() -> None:
    text = delimited.read(cast(BinaryIO, Breaking()), separator=",", quoted=True, line_bytes=4_000_000)
    with pytest.raises(Unreadable, match="damaged here"):
        list(text.pieces)


def test_nobody_reads_on_when_the_rest_is_not_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "PIECE", 100)
    before = threading.active_count()
    data = io.BytesIO(b"a,b\n" + b"1,2\n" * 100_000)
    text = delimited.read(data, separator=",", quoted=True, line_bytes=4_000_000)
    next(text.pieces)
    assert threading.active_count() == before + 2
    del text
    assert threading.active_count() == before
    assert data.tell() < 1_000
