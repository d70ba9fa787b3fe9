"""Whatever is sent: it is read with every row accounted for, or refused with a sentence. ``bench/fuzz.py`` goes on for longer."""

import io
import re
import zipfile
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from golden.books import BUILD
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handhold.feeds.layout import Layout, layouts
from handhold.feeds.model import Unreadable
from handhold.feeds.reading import address, source, table
from handhold.feeds.reading.columns import a_number, moments

from .sending import PACK

BOUNDS = PACK.toml("feeds/reading.toml")["bounds"]
FEEDS = sorted(layouts(PACK))
ODD = [
    '"',
    '""',
    "\t",
    ",",
    "\n",
    "\r\n",
    "\0",
    "\ufeff",
    "é",
    "NA",
    "2925-01-01",
    "1/1/1900",
    "45443",
    "b6",
    "A12345678",
    "\x1e",
    "\x1f",
    "=1",
]
CELL = st.one_of(
    st.sampled_from(ODD), st.text(max_size=6), st.integers(0, 10**10).map(str), st.dates().map(str)
)
QUICK = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def read(data: bytes, name: str, layout: Layout) -> tuple[int, list[int]] | None:
    """Rows seen and their lines; ``None`` where the file is refused."""
    try:
        found = source.cells(io.BytesIO(data), name, layout, BOUNDS)
    except Unreadable as refusal:
        assert re.search(r"\w+ \w+ \w+", str(refusal))
        return None
    checked = table.check(found.rows, layout, today=date(2024, 6, 1), first=1900, last=2100)
    told = pl.concat([checked.problems, found.problems])
    assert told["why"].null_count() == 0
    lines = [*checked.rows["line"], *told["line"]]
    assert len(lines) + found.left == found.seen
    assert len(set(lines)) == len(lines)
    return found.seen, lines


@QUICK
@given(st.sampled_from(FEEDS), st.binary(max_size=400))
def test_any_bytes(feed: str, data: bytes) -> None:
    read(data, "x.csv", layouts(PACK)[feed])


@QUICK
@given(
    st.sampled_from(FEEDS),
    st.lists(st.lists(CELL, max_size=12), max_size=8),
    st.sampled_from(["utf-8", "utf-16", "cp1252", "utf-16-be"]),
)
def test_any_cells_below_a_sound_header(feed: str, rows: list[list[str]], encoding: str) -> None:
    layout = layouts(PACK)[feed]
    lines = [*([] if layout.bare else [list(layout.columns)]), *rows]
    text = "".join(layout.separator.join(line) + "\n" for line in lines)
    came = read(text.encode(encoding, "replace"), "x.csv", layout)
    body = text if layout.bare else text.split("\n", 1)[1]
    if layout.separator == "\t" and came is not None:
        readable = body.replace("\0", "").encode(encoding, "replace").decode(encoding)
        assert came[0] == sum(bool(line.strip("\t\r ")) for line in readable.split("\n"))


@QUICK
@given(st.sampled_from(FEEDS), st.data())
def test_a_sound_row_survives_its_neighbours(feed: str, data: st.DataObject) -> None:
    """One row is as a sender means it; the rows about it are anything without quotes. It is read, at its own line."""
    layout = layouts(PACK)[feed]
    if layout.bare:
        return
    sound = {c.name: _sound(c.type, c.codes) for c in layout.columns.values() if c.starred or c.needed}
    row = layout.separator.join(sound.get(name, "") for name in layout.columns)
    junk = st.text(st.characters(exclude_characters='"\0', exclude_categories=["Cs"]), max_size=30)
    before, after = data.draw(junk), data.draw(junk)
    text = "\n".join([layout.separator.join(layout.columns), before, row, after]) + "\n"
    found = source.cells(io.BytesIO(text.encode()), "x.csv", layout, BOUNDS)
    checked = table.check(found.rows, layout, today=date(2024, 6, 1), first=1900, last=2100)
    assert before.count("\n") + 3 in checked.rows["line"].to_list()


def _sound(type_: str, codes: frozenset[str]) -> str:
    by_type = {
        "a-number": "A200000001",
        "date": "2024-05-01",
        "birth": "2009-05-01",
        "idn": "17",
        "integer": "1",
        "code": min(codes, default=""),
    }
    return by_type.get(type_, "X1")


@cache
def _book(name: str) -> bytes:
    path = Path("/tmp") / f"handhold-any-{name}.xlsx"
    BUILD[name](path)
    data = path.read_bytes()
    path.unlink()
    return data


@QUICK
@given(
    st.sampled_from(["sound", "merged_cells", "formula_cells"]),
    st.lists(st.tuples(st.integers(0), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, 400),
)
def test_a_workbook_with_other_bytes(name: str, changes: list[tuple[int, int]], cut: int) -> None:
    data = bytearray(_book(name))
    for at, value in changes:
        data[at % len(data)] = value
    read(bytes(data[: len(data) - cut]), "x.xlsx", layouts(PACK)["ero.uc_transfers"])


@QUICK
@given(
    st.sampled_from(["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/sharedStrings.xml", "xl/styles.xml"]),
    st.integers(0),
    st.binary(max_size=30),
    st.integers(0, 60),
)
def test_a_workbook_changed_inside(part: str, at: int, piece: bytes, gone: int) -> None:
    with zipfile.ZipFile(io.BytesIO(_book("sound"))) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    place = at % len(parts[part])
    parts[part] = parts[part][:place] + piece + parts[part][place + gone :]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        for name, content in parts.items():
            packed.writestr(name, content)
    read(buffer.getvalue(), "x.xlsx", layouts(PACK)["ero.uc_transfers"])


@QUICK
@given(
    st.lists(
        st.one_of(
            st.none(),
            CELL,
            st.text(max_size=25),
            st.from_regex(r"\d{1,4}[/-]\d{1,2}[/-]\d{1,4}( \d\d?:\d\d)?", fullmatch=True),
        ),
        max_size=8,
    )
)
def test_any_text_is_a_moment_or_is_none_for_a_reason(texts: list[str | None]) -> None:
    read_ = moments(pl.Series(texts, dtype=pl.String), zone="America/New_York", first=1900, last=2100)
    assert len(read_) == len(texts)
    for text, (at, precision, iso, why) in zip(texts, read_.iter_rows(), strict=True):
        assert (at is None) == (precision is None) == (iso is None)
        assert at is None or why is None
        assert at is None or datetime(1899, 12, 31, tzinfo=UTC) < at < datetime(2101, 1, 2, tzinfo=UTC)
        if at is not None and precision == "t":
            local = at.astimezone(ZoneInfo("America/New_York")).strftime("%Y-%m-%dT%H:%M")
            assert local == iso or local[:10] == (iso or "")[:10], text


@QUICK
@given(st.lists(st.text(max_size=20), min_size=1, max_size=5))
def test_any_text_is_an_a_number_or_is_none(texts: list[str]) -> None:
    found = pl.DataFrame({"n": texts}, {"n": pl.String}).select(a_number(pl.col("n")))["n"]
    assert all(n is None or re.fullmatch(r"\d{9}", n) for n in found)


@QUICK
@given(st.lists(st.tuples(*[st.one_of(st.none(), st.text(max_size=15))] * 5), min_size=1, max_size=4))
def test_any_address_is_judged(rows: list[tuple[str | None, ...]]) -> None:
    names = ["line", "unit", "city", "state", "zip"]
    frame = pl.DataFrame(rows, dict.fromkeys(names, pl.String), orient="row")
    assert len(address.read(frame, address.Columns(*names), PACK)) == len(rows)


def test_memory_for_a_sheet_is_bounded_by_what_it_spans(tmp_path: Path) -> None:
    BUILD["bomb_of_many_cells"](tmp_path / "x.xlsx")
    with pytest.raises(Unreadable, match="spans"):
        source.cells(
            io.BytesIO((tmp_path / "x.xlsx").read_bytes()),
            "x.xlsx",
            layouts(PACK)["ero.uc_transfers"],
            BOUNDS,
        )
