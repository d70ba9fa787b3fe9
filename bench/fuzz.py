"""Damage what was sent, in every way, and read it: no crash, no hang, no lost row. ``python bench/fuzz.py [MINUTES] [SEED]``.

Every input is a file of a small simulated nation, or a golden file, with bytes flipped, cut, spliced, lines doubled or its
encoding changed; workbooks also inside. Each is read as a delivery is, and opened as a spreadsheet of which nothing is known;
every twentieth goes the whole way into a database.
Bars (issue 3): nothing raises but :class:`Unreadable`; no input takes longer than :data:`PATIENCE`; rows loaded, quarantined
and left are the rows that the file has; memory stays below :data:`MEMORY`. What fails is kept in ``fuzz-found``; exit code 1.
"""

import faulthandler
import io
import random
import resource
import shutil
import sys
import tempfile
import time
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl

from handhold import feeds, pack, store
from handhold.feeds.layout import Layout, recognise
from handhold.feeds.mapping import sheets
from handhold.feeds.model import Unreadable
from handhold.feeds.reading import source, table

PATIENCE = 60.0  # seconds for one input, on a busy machine
MEMORY = 4 << 30
LARGEST = 6 << 20  # bytes of one damaged input
WHOLE_WAY = 20  # every so many inputs
NOW = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
PACK = pack.load()
BOUNDS = PACK.toml("feeds/reading.toml")["bounds"]
FOUND = Path("fuzz-found")
ODD = [b"\0", b'"', b"\t", b",", b"\r", b"\n", b"\xff", b"\x81", b"\xef\xbb\xbf", b"\xff\xfe", b"\x1e", b"\x1f", b"=1+1", b"1/1/1900", b"9" * 40,
       b"2925-01-01", b"\xe2\x80\x8f", b"\xf0\x9f\x98\x80", b'""', b"`00000", b"NA", b"b6", b"-", b"A" * 5000]  # fmt: skip
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-8-sig", "utf-32", "cp037", "utf-7"]
Mutate = Callable[[random.Random, bytes, list[bytes]], bytes]


def flip(chance: random.Random, data: bytes, _others: list[bytes]) -> bytes:
    """Some bytes are others."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 12)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def cut(chance: random.Random, data: bytes, _others: list[bytes]) -> bytes:
    """A piece is missing: the end, the beginning, or somewhere in the middle."""
    a, b = sorted(chance.randrange(len(data) + 1) for _ in range(2))
    return chance.choice([data[:a], data[b:], data[:a] + data[b:]])


def splice(chance: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """A piece of another file stands in the middle."""
    other = chance.choice(others)
    a = chance.randrange(len(other) + 1)
    at = chance.randrange(len(data) + 1)
    return data[:at] + other[a : a + chance.randint(1, 4000)] + data[at:]


def insert(chance: random.Random, data: bytes, _others: list[bytes]) -> bytes:
    """Odd things stand between: quotes, tabs, marks, NULs."""
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        data = data[:at] + chance.choice(ODD) * chance.choice([1, 1, 1, 2, 300]) + data[at:]
    return data


def lines(chance: random.Random, data: bytes, _others: list[bytes]) -> bytes:
    """Lines are doubled, dropped, shuffled, joined; the header stands again."""
    rows = data.split(b"\n")
    for _ in range(chance.randint(1, 6)):
        at, to = chance.randrange(len(rows)), chance.randrange(len(rows) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            rows[to:to] = [rows[at]] * chance.choice([1, 2, 500])
        elif kind == 1 and len(rows) > 1:
            del rows[at]
        elif kind == 2:
            rows.insert(to, rows[0])
        elif at + 1 < len(rows):
            rows[at : at + 2] = [rows[at] + rows[at + 1]]
    return chance.choice([b"\n", b"\n", b"\r\n", b"\r"]).join(rows)


def encode(chance: random.Random, data: bytes, _others: list[bytes]) -> bytes:
    """The file comes in another encoding, whole or from somewhere on."""
    at = chance.choice([0, 0, chance.randrange(len(data) + 1)])
    return data[:at] + data[at:].decode("utf-8", "replace").encode(chance.choice(ENCODINGS), "replace")


def cells(chance: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """Cells change places, also with those of other files."""
    mark = b"\t" if b"\t" in data[:200] else b","
    parts, more = data.split(mark), chance.choice(others).split(mark)
    for _ in range(chance.randint(1, 20)):
        parts[chance.randrange(len(parts))] = chance.choice([chance.choice(parts), chance.choice(more), *ODD])
    return mark.join(parts)


MUTATIONS: list[Mutate] = [flip, cut, splice, insert, lines, encode, cells]


def within(chance: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """A workbook changed inside one of its parts and packed again."""
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        parts = {name: packed.read(name) for name in packed.namelist()}
    name = chance.choice([n for n in parts if parts[n]] + [n for n in parts if "sheet" in n] * 3)
    parts[name] = chance.choice([flip, cut, splice, insert])(chance, parts[name], others)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for other, content in parts.items():
            packed.writestr(other, content)
    return buffer.getvalue()


def mutated(chance: random.Random, name: str, data: bytes, others: list[bytes]) -> bytes:
    """The file after one to four changes."""
    if name.endswith(".xlsx") and chance.random() < 0.7:
        return within(chance, data, others)
    for _ in range(chance.randint(1, 4)):
        data = chance.choice(MUTATIONS)(chance, data, others)[:LARGEST] or b"\n"
    return data


def read(data: bytes, name: str, layout: Layout) -> tuple[str, int, int]:
    """What came of it (``read`` or ``refused``), rows and quarantined; raises what should not be."""
    try:
        found = source.cells(io.BytesIO(data), name, layout, BOUNDS)
    except Unreadable as refusal:
        assert 10 < len(str(refusal)) < 700, "a refusal is a sentence"
        return "refused", 0, 0
    checked = table.check(
        found.rows, layout, today=date(2024, 6, 1), first=BOUNDS["first_year"], last=BOUNDS["last_year"]
    )
    seen = found.seen
    assert len(checked.rows) + len(checked.problems) + len(found.problems) + found.left == seen, (
        "counts do not add up"
    )
    numbers = pl.concat([checked.rows["line"], checked.problems["line"], found.problems["line"]])
    assert numbers.n_unique() == len(numbers), "one line became two rows"
    told = pl.concat([checked.problems["why"], found.problems["why"]])
    assert told.null_count() == 0 and (told.str.len_chars() > 10).all(), "a quarantine without its sentence"
    expected = rows_of(data, name, layout)
    assert expected is None or expected == seen, f"{expected} rows came and {seen} are accounted for"
    return "read", seen, len(numbers) - len(checked.rows)


def as_any_table(data: bytes, name: str) -> None:
    """What no layout knows is opened for a mapping: sheets, or a refusal."""
    try:
        found = sheets.read(
            data,
            name,
            bytes_=BOUNDS["workbook_bytes"],
            ratio=BOUNDS["workbook_ratio"],
            cells=BOUNDS["workbook_cells"],
        )
    except Unreadable as refusal:
        assert 10 < len(str(refusal)) < 700, "a refusal is a sentence"
        return
    assert all(one.cells.width for one in found if len(one.cells)), "a sheet of rows without columns"


def rows_of(data: bytes, name: str, layout: Layout) -> int | None:
    """How many rows a file has, counted in another way; ``None`` where quotes or wide characters make that a matter of reading."""
    if (
        name.endswith(".xlsx")
        or b'"' in data
        or data[:2] in (b"\xff\xfe", b"\xfe\xff")
        or data[:400].count(0) > min(10, len(data) // 4)
    ):
        return None
    blank = b"\r \t" + layout.separator.encode()
    lines_ = data.removeprefix(b"\xef\xbb\xbf").replace(b"\0", b"").split(b"\n")
    rows = lines_[0 if layout.bare else 1 :]
    return sum(bool(row.strip(blank)) for row in rows)


def whole_way(data: bytes, name: str, folder: Path) -> None:
    """Into the database and back out: what the inbox says adds up, too."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    with store.connect() as db:
        kept = feeds.keep(db, path, sender="fuzz", by="system", now=NOW)
        for group in feeds.groups([kept]):
            for done in feeds.whole(feeds.read(db, group, now=NOW, pack=PACK)).deliveries:
                counts = (done.loaded, done.unchanged, done.quarantined, done.left)
                assert done.status != "read" or sum(n or 0 for n in counts) == done.rows, (
                    "counts do not add up"
                )
                assert done.status == "read" or done.why, "stopped without a sentence"
        db.rollback()


def seeds(folder: Path) -> list[tuple[str, bytes]]:
    """Files of a small nation, by their names from its folder."""
    from handhold.simulate import simulate

    simulate(folder, children=40, seed=3, as_of=date(2024, 5, 31), adults_per_child=0.5, error=3.0)
    files = sorted(p for p in (folder / "feeds").rglob("*") if p.is_file() and recognise(p.name, PACK))
    return [
        (
            p.relative_to(folder / "feeds").as_posix(),
            p.read_bytes()[:60_000] if p.suffix == ".csv" else p.read_bytes(),
        )
        for p in files
    ]


def main(minutes: float, seed: int) -> int:
    """Fuzz for so long; prints what came of it."""
    chance = random.Random(seed)
    counted: Counter[str] = Counter()
    slowest, ends = 0.0, time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        files = seeds(folder / "nation")
        others = [data for _, data in files]
        faulthandler.enable()
        while time.monotonic() < ends:
            name, data = chance.choice(files)
            layout = recognise(Path(name).name, PACK)
            assert layout is not None
            damaged = mutated(chance, name, data, others)
            FOUND.mkdir(exist_ok=True)
            (FOUND / "last").write_bytes(damaged)
            faulthandler.dump_traceback_later(PATIENCE, exit=True)
            begun = time.monotonic()
            try:
                became, rows, quarantined = read(damaged, name, layout)
                counted.update({became: 1, "rows": rows, "quarantined": quarantined})
                as_any_table(damaged, name)
                if sum(counted[k] for k in ("read", "refused")) % WHOLE_WAY == 0:
                    whole_way(damaged, name, folder)
                    counted["whole way"] += 1
            except (KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # noqa: BLE001 - whatever it is, it is what this looks for (Polars panics are no Exceptions)
                counted["failed"] += 1
                kept = FOUND / f"{counted['failed']:03}-{type(error).__name__}-{Path(name).name}"
                kept.write_bytes(damaged)
                print(f"{kept}: {error}\n{traceback.format_exc(limit=-3)}", flush=True)
            faulthandler.cancel_dump_traceback_later()
            slowest = max(slowest, time.monotonic() - begun)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10
    print({name: f"{n:,}" for name, n in counted.items()})
    print(
        f"slowest input {slowest:.1f} s (bar {PATIENCE:.0f}); most memory {most / 2**30:.2f} GiB (bar {MEMORY / 2**30:.0f})"
    )
    if not counted["failed"]:
        shutil.rmtree(FOUND)
    return 1 if counted["failed"] or most > MEMORY else 0


if __name__ == "__main__":
    store.ensure()
    with store.transaction() as db:
        store.migrate(db)
    sys.exit(
        main(float(sys.argv[1]) if len(sys.argv) > 1 else 15.0, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    )
