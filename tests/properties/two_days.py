"""A synthetic nation told on two days: what agencies send, in many files, with corrections, losses and refusals between.

The second day is the simulator's. The first is made of it by taking rows away, saying other things, and adding rows that
the second no longer has, so that in every feed something is new, changed, unchanged, withdrawn, refused and mended.
"""

import csv
import random
from collections.abc import Callable
from datetime import date
from pathlib import Path

import fastexcel

from handhold import pack
from handhold.feeds.layout import layouts
from handhold.simulate import simulate

FIRST, SECOND = "2024-05-24", "2024-05-31"
Table = list[list[str]]  # the header first
# A column of each feed that says something else on the first day, and what.
OTHERWISE: dict[str, tuple[str, Callable[[str], str]]] = {
    "ero.uc_transfers": ("Release Address", lambda _: "9 OLD MILL RD"),
    "opla.cases": ("FTA Recorded", lambda _: ""),
    "orr.placements": ("A-Number", lambda _: ""),
    "orr.discharges": ("Phone", lambda _: "5550000000"),
    "orr.checkins": ("Outcome", lambda _: "NO ANSWER"),
    "orr.concerns": ("Status", lambda _: "OPEN"),
    "orr.incidents": ("NCMEC Told At", lambda _: ""),
    "uscis.benefits": ("Status", lambda _: "PENDING"),
    "uscis.ar11": ("Moved On", lambda _: ""),
    "eoir.A_TblCase": ("CASEPRIORITY_CODE", lambda _: ""),
    "eoir.B_TblProceeding": ("ABSENTIA", lambda _: ""),
    "eoir.tbl_schedule": ("ADJ_RSN", lambda _: ""),
    "eoir.CaseIdentity": ("LAST_NAME", lambda name: name[:4]),
    "eoir.tbl_JuvenileHistory": ("idnJuvenile", lambda _: "6"),
    "eoir.HearingNotice": ("RETURNED_ON", lambda _: ""),
    "eoir.EOIR33": ("UNIT", lambda _: ""),
    "eoir.tbl_RepsAssigned": ("E_28_DATE", lambda _: ""),
}
# A starred cell that no row can be used without: refused on the first day, in good order on the second.
NEEDED = {
    "ero.uc_transfers": "Updated On",
    "orr.discharges": "Discharge Type",
    "orr.checkins": "Attempted At",
    "eoir.tbl_schedule": "IDNSCHEDULE",
}
SHARE = 0.12


def make(folder: Path, *, children: int, seed: int) -> dict[str, list[Path]]:
    """Write both days to ``folder``: ``plain`` and ``split`` are the same statements in few files and in many."""
    simulate(
        folder / "made", children=children, seed=seed, as_of=date.fromisoformat(SECOND), adults_per_child=0.5
    )
    dice = random.Random(seed)
    tables = {feed: _read(folder / "made" / "feeds", feed) for feed in OTHERWISE}
    _only_by_number(tables)
    days = {feed: _two_days(feed, table, dice) for feed, table in tables.items() if len(table) > 1}
    return {
        name: [
            path
            for feed, (first, second) in days.items()
            for day, table in ((FIRST, first), (SECOND, second))
            for path in _written(folder / name, feed, day, table, parts)
        ]
        for name, parts in (("plain", 1), ("split", 3))
    }


def _read(feeds: Path, feed: str) -> Table:
    layout = layouts(pack.load())[feed]
    path = next(path for pattern in layout.files for path in sorted(feeds.rglob(pattern)))
    if path.suffix == ".xlsx":
        sheet = (
            fastexcel.read_excel(path).load_sheet("UC Transfers", header_row=5, dtypes="string").to_polars()
        )
        return [sheet.columns, *([cell or "" for cell in row] for row in sheet.iter_rows())]
    text = path.read_bytes().decode("cp1252" if layout.separator == "\t" else "utf-8").replace("\0", "")
    quoting = csv.QUOTE_NONE if layout.separator == "\t" else csv.QUOTE_MINIMAL
    rows = list(csv.reader(text.splitlines(), delimiter=layout.separator, quoting=quoting))
    return [row for row in rows if len(row) == len(rows[0])]


def _only_by_number(tables: dict[str, Table]) -> None:
    """Two court cases are a child's by nothing but the number that ERO and ORR know."""
    people = tables["eoir.CaseIdentity"]
    cases = {row[people[0].index("IDNCASE")] for row in people[1:3]}
    for feed, column in (
        ("eoir.A_TblCase", "C_BIRTHDATE"),
        ("eoir.A_TblCase", "CASEPRIORITY_CODE"),
        ("eoir.CaseIdentity", "BIRTHDATE"),
    ):
        table = tables[feed]
        for row in table[1:]:
            if row[table[0].index("IDNCASE")] in cases:
                row[table[0].index(column)] = ""
    flags = tables["eoir.tbl_JuvenileHistory"]
    flags[1:] = [row for row in flags[1:] if row[flags[0].index("idnCase")] not in cases]


def _two_days(feed: str, second: Table, dice: random.Random) -> tuple[Table, Table]:
    header, rows = second[0], second[1:]
    column, other = header.index(OTHERWISE[feed][0]), OTHERWISE[feed][1]
    needed = header.index(NEEDED[feed]) if feed in NEEDED else None
    delta = not layouts(pack.load())[feed].snapshot
    lost = min(3, len(rows) // 4)  # fewer than a person must look at
    first, later = [], []
    for at, row in enumerate(dice.sample(rows, len(rows))):
        fate = dice.random()
        says = [*row[:column], other(row[column]), *row[column + 1 :]]
        if at < lost:
            first.append(row)
            continue
        if fate > SHARE:
            first.append(says if fate < 3 * SHARE else _refused(row, needed) if fate > 1 - SHARE / 2 else row)
        if (
            not delta or fate < 4 * SHARE or fate > 1 - SHARE / 2
        ):  # a delta repeats what changed, and sometimes what did not
            later.append(row)
    if first and sorted(first) == sorted(later):
        first.pop()  # the same bytes under two days are one delivery
    return [header, *first], [header, *later]


def _refused(row: list[str], needed: int | None) -> list[str]:
    return row if needed is None else [*row[:needed], "", *row[needed + 1 :]]


def _written(folder: Path, feed: str, day: str, table: Table, parts: int) -> list[Path]:
    """One file, or, of a delta, several with some of the rows each; the court's tables always whole."""
    layout = layouts(pack.load())[feed]
    parts = 1 if layout.snapshot else parts
    agency, _, name = feed.partition(".")
    paths = []
    for part in range(parts):
        stem = {"ero": f"uc_transfers_{day}", "opla": f"cases_{day}", "eoir": name}.get(
            agency, f"{name}_{FIRST}_{day}"
        )
        path = (
            folder
            / agency
            / (day if agency == "eoir" else "")
            / (stem + (f"_{part}" if parts > 1 else "") + ".csv")
        )
        if agency == "orr" or agency == "uscis":
            path = path.with_name(f"{name}_{part}_{day}.csv")
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, [table[0], *table[1:][part::parts]], layout.separator)
        paths.append(path)
    return paths


def _write(path: Path, table: Table, separator: str) -> None:
    if separator == "\t":
        path.write_bytes("".join("\t".join(row) + "\r\n" for row in table).encode("cp1252", errors="replace"))
        return
    with open(path, "w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows(table)
