"""A synthetic nation, written down as the agencies' feeds, with the truth beside them."""

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import polars as pl
import xlsxwriter

from . import agencies, eoir, truth
from .agencies import World, key
from .court import cases
from .defects import Extract
from .draw import NEVER, Chance, day
from .lives import charges, custody, moves
from .parameters import RATES, Rates
from .people import people

IN_WORKBOOK = 50_000
"""Up to so many children ERO's sheet is a workbook, beyond that a CSV."""
ADULTS_AT_ONCE = 100_000


@dataclass(frozen=True)
class Summary:
    """What was made: the truth's figures and the rows of the courts' tables."""

    children: int
    released: int
    in_court: int
    missed_hearings: int
    rows: int
    figures: dict[str, Any]

    def __str__(self) -> str:
        return (
            f"{self.released:,} released, {self.in_court:,} in court, {self.missed_hearings:,} missed a hearing; "
            f"{self.rows:,} rows"
        )


def simulate(
    out: Path,
    *,
    children: int,
    seed: int,
    as_of: date,
    adults_per_child: float = 2.0,
    error: float = 1.0,
    start: date = date(2018, 10, 1),
    rates: Rates = RATES,
    published_list: bool = False,
) -> Summary:
    """Write a nation of ``children`` to ``out/feeds`` and what is true of it to ``out/truth``.

    Children come between ``start`` and ``as_of``; nothing later than ``as_of`` is told. ``adults_per_child`` cases of adults
    stand among the courts' for each child; ``error`` multiplies slips and defects (0 for none, 1 as calibrated); with
    ``published_list``, HHS's published list of releases stands beside the feeds. The same
    arguments give the same bytes. Raises ``ValueError`` where there is nobody or no time.
    """
    if children < 1 or as_of <= start or adults_per_child < 0 or error < 0:
        raise ValueError(
            "simulate: needs at least one child, a day after the start, and shares not below nought"
        )
    world = _world(children, seed, as_of, error, start, rates)
    span = f"{start.isoformat()}_{as_of.isoformat()}"
    rows, written = _write_feeds(out / "feeds", world, as_of, span)
    if published_list:
        _write_csv(out / "feeds" / "hhs" / "releases.csv", agencies.published_list(world))
    extract = _write_court(out / "feeds", world, rows, as_of, round(children * adults_per_child), day(start))
    return _write_truth(out / "truth", world, rows, extract, as_of, written)


def _world(children: int, seed: int, as_of: date, error: float, start: date, rates: Rates) -> World:
    chance, last = Chance(seed), day(as_of)
    who = people(chance, rates, children, day(start), last)
    held = custody(chance, rates, who, last)
    moved = moves(chance, rates, who, held, last)
    charged = charges(chance, rates, who, last)
    stays = held.released | (held.kind == "AGE OUT").to_numpy()
    child = (stays & (charged.filed != NEVER)).nonzero()[0]
    heard = cases(chance, rates, child, charged.filed[child], last)
    return World(chance, rates, error, last, who, held, moved, charged, heard)


def _write_feeds(feeds: Path, world: World, as_of: date, span: str) -> tuple[truth.Rows, int]:
    """Write the feeds of all agencies but the courts; the rows, and how many."""
    ero, discharges = agencies.ero(world), agencies.discharges(world)
    checkins, incidents, opla = agencies.checkins(world), agencies.incidents(world), agencies.opla(world)
    benefits, ar11 = agencies.benefits(world), agencies.ar11(world)
    _write_ero(feeds / "ero", ero, as_of)
    several = {
        f"orr/placements_{span}.csv": agencies.placements(world),
        f"orr/discharges_{span}.csv": discharges,
        f"orr/checkins_{span}.csv": checkins,
        f"orr/concerns_{span}.csv": agencies.concerns(world),
        f"orr/incidents_{span}.csv": incidents,
        f"opla/cases_{as_of.isoformat()}.csv": opla,
        f"uscis/benefits_{span}.csv": benefits,
        f"uscis/ar11_{span}.csv": ar11,
    }
    for name, frame in several.items():
        _write_csv(feeds / name, frame)
    rows = truth.Rows(
        ero,
        discharges,
        checkins,
        incidents,
        opla,
        benefits,
        ar11,
        cases=eoir.child_cases(world),
        proceedings=eoir.child_proceedings(world),
        schedule=eoir.child_hearings(world),
        notices=eoir.notices(world),
        changes=eoir.changes(world),
    )
    return rows, len(ero) + sum(len(frame) for frame in several.values())


OURS = ["child", "family", "cluster", "file_key"]
"""Columns that are no agency's."""


def _write_csv(path: Path, frame: pl.DataFrame) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.drop(OURS, strict=False).write_csv(path)


def _write_ero(folder: Path, frame: pl.DataFrame, as_of: date) -> None:
    """ERO's sheet: a workbook with its header on row 6, or, of a large nation, a CSV."""
    path = folder / f"uc_transfers_{as_of.isoformat()}.csv"
    if len(frame) > IN_WORKBOOK:
        _write_csv(path, frame)
        return
    folder.mkdir(parents=True, exist_ok=True)
    book = xlsxwriter.Workbook(
        str(path.with_suffix(".xlsx")), {"strings_to_numbers": False, "constant_memory": True}
    )
    book.set_properties({"created": datetime.combine(as_of, time(), UTC)})
    sheet = book.add_worksheet("UC Transfers")
    sheet.write_string(0, 0, "UC TRANSFERS TO HHS/ORR")
    sheet.write_string(2, 0, f"Run {as_of.isoformat()}")
    shown = frame.drop(OURS, strict=False)
    sheet.write_row(5, 0, shown.columns)
    for number, row in enumerate(shown.iter_rows(), 6):
        for at, value in enumerate(row):
            if value:
                sheet.write_string(number, at, value)
    book.close()


def _write_court(feeds: Path, world: World, rows: truth.Rows, as_of: date, grown: int, start: int) -> Extract:
    """The courts' extract: children's rows spread among the adults'."""
    extract = Extract(feeds / "eoir" / as_of.isoformat(), world.rates, world.error)
    ours = {
        "A_TblCase": rows.cases,
        "B_TblProceeding": rows.proceedings,
        "tbl_schedule": rows.schedule,
        "tbl_JuvenileHistory": eoir.child_flags(world),
    }
    parts = max(-(-grown // ADULTS_AT_ONCE), 1)
    orders = {
        table: world.chance.stream(f"order {table}").permutation(len(frame)) for table, frame in ours.items()
    }
    for part in range(parts):
        first, last = grown * part // parts, grown * (part + 1) // parts
        others = eoir.adults(world, first, last - first, start)
        for table, frame in ours.items():
            mine = frame[orders[table][len(frame) * part // parts : len(frame) * (part + 1) // parts]]
            both = pl.concat([mine, others[table]], how="diagonal")
            extract.write(table, both, world.chance.stream(f"write {table} {part}"))
    single = {
        "tbl_RepsAssigned": eoir.representatives(world),
        "CaseIdentity": eoir.identities(world),
        "HearingNotice": rows.notices,
        "EOIR33": rows.changes,
    }
    for table, frame in single.items():
        extract.write(table, frame, world.chance.stream(f"write {table}"))
    extract.close()
    return extract


def _files(world: World, rows: truth.Rows) -> pl.DataFrame:
    """Which file of which agency is about which child: ``agency file_key child``."""
    portal = agencies.portal_ids(world)
    parts = {
        "ERO": pl.DataFrame({"file_key": key(world.who.number), "child": world.position}),
        "ORR": pl.DataFrame({"file_key": portal, "child": world.position}),
        "EOIR": rows.cases.select(file_key="IDNCASE", child="child"),
        "OPLA": rows.opla.select("file_key", "child"),
        "USCIS": pl.concat(
            [rows.benefits.select("file_key", "child"), rows.ar11.select("file_key", "child")]
        ),
    }
    named = [
        frame.select(pl.lit(agency).alias("agency"), "file_key", "child") for agency, frame in parts.items()
    ]
    return pl.concat(named).unique(["agency", "file_key"], keep="first", maintain_order=True)


def _write_truth(
    folder: Path, world: World, rows: truth.Rows, extract: Extract, as_of: date, others: int
) -> Summary:
    folder.mkdir(parents=True, exist_ok=True)
    of, away = truth.children(rows), truth.runaways(rows)
    _files(world, rows).write_parquet(folder / "files.parquet")
    of.write_parquet(folder / "children.parquet")
    truth.hearings(rows, as_of).write_parquet(folder / "hearings.parquet")
    away.write_parquet(folder / "runaways.parquet")
    figures = truth.figures(of, away, as_of)
    tables = {"case": "A_TblCase", "proceeding": "B_TblProceeding", "schedule": "tbl_schedule"}
    figures["eoir_rows"] = {name: extract.rows[table] for name, table in tables.items()}
    figures["shifted"] = extract.shifted
    figures["beyond_repair"] = extract.beyond_repair
    (folder / "figures.json").write_text(json.dumps(figures, indent=1))
    total = others + sum(extract.rows.values())
    return Summary(len(of), figures["released"], figures["in_court"], figures["fta_children"], total, figures)
