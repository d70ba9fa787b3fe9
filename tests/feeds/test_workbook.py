"""Workbooks, those of 1997 too, which field offices still send: read, or refused with a sentence; what becomes of their parser
is not done to us."""

import io
import random
import zipfile

import pytest
import xlsxwriter
from golden.books import ABOVE, ANA, HEADER, LUIS
from golden.old_book import old_book

from handhold.feeds.layout import layouts
from handhold.feeds.mapping import sheets
from handhold.feeds.model import Unreadable
from handhold.feeds.reading import source

from .sending import PACK

BOUNDS = PACK.toml("feeds/reading.toml")["bounds"]
NOWHERE = r"cannot be read|far more than a list has"
SOUND = old_book([*ABOVE, HEADER, ANA, [*LUIS[:-1], 45442.0]])


def read(data: bytes, name: str = "uc_transfers.xls") -> source.Cells:
    return source.cells(io.BytesIO(data), name, layouts(PACK)["ero.uc_transfers"], BOUNDS)


def test_it_is_read_like_a_new_one() -> None:
    rows = read(SOUND).rows
    assert rows["Last Name"].to_list() == ["PEREZ LOPEZ", "CHOC"]
    assert rows["Updated On"].to_list() == ["05/29/2024", "45442"]
    assert rows["line"].to_list() == [7, 8]


def test_one_cut_short_is_refused() -> None:
    with pytest.raises(Unreadable, match="locked with a password"):
        read(SOUND[:700])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(12))
def test_one_with_other_bytes_is_read_or_refused(seed: int) -> None:
    """Many of these make the parser panic, and some make it ask for more memory than there is."""
    chance = random.Random(seed)
    data = bytearray(SOUND)
    for _ in range(chance.randint(1, 6)):
        data[chance.randrange(2600)] = chance.randrange(256)
    try:
        assert read(bytes(data)).seen <= 65_536
    except Unreadable as refusal:
        assert len(str(refusal)) > 20


def referring(cell: bytes) -> bytes:
    """A sound workbook, but that one cell says it stands at ``cell``."""
    sound, changed = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(sound, {"in_memory": True}) as book:
        sheet = book.add_worksheet("UC Transfers")
        for at, row in enumerate([HEADER, ANA]):
            sheet.write_row(at, 0, row)
    with zipfile.ZipFile(sound) as whole, zipfile.ZipFile(changed, "w") as other:
        for part in whole.infolist():
            other.writestr(part, whole.read(part).replace(b'r="A2"', b'r="' + cell + b'"'))
    return changed.getvalue()


@pytest.mark.parametrize("cell", [b"A" * 5000 + b"38", b"XFD9999999"], ids=["no such column", "far corner"])
def test_a_cell_that_stands_nowhere_is_refused_and_takes_nothing_down(cell: bytes) -> None:
    """Found by bench/fuzz.py: the parser asks for 1.5 terabytes and ends the process that asked."""
    with pytest.raises(Unreadable, match=NOWHERE):
        read(referring(cell), "uc_transfers.xlsx")
    with pytest.raises(Unreadable, match=NOWHERE):
        sheets.read(referring(cell), "list.xlsx", bytes_=600_000_000, ratio=60, cells=40_000_000)


def test_a_cell_that_stands_in_its_place_is_read() -> None:
    assert read(referring(b"A2"), "uc_transfers.xlsx").rows["Last Name"].to_list() == ["PEREZ LOPEZ"]
