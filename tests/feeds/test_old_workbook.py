"""Workbooks of 1997, which field offices still send: read, or refused with a sentence; their parser's panics stay its own."""

import io
import random

import pytest
from golden.books import ABOVE, ANA, HEADER, LUIS
from golden.old_book import old_book

from handhold.feeds.layout import layouts
from handhold.feeds.model import Unreadable
from handhold.feeds.reading import source

from .sending import PACK

BOUNDS = PACK.toml("feeds/reading.toml")["bounds"]
SOUND = old_book([*ABOVE, HEADER, ANA, [*LUIS[:-1], 45442.0]])


def read(data: bytes) -> source.Cells:
    return source.cells(io.BytesIO(data), "uc_transfers.xls", layouts(PACK)["ero.uc_transfers"], BOUNDS)


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
