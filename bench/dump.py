"""A court's extract of any size with its known truth, for bench/eoir.py: ``python bench/dump.py DIR ROWS [--defects PER_MILLION] [--every N]``.

One case in N is a child's (1: every one, so that every row has to be loaded). Made in chunks, each from its own seed, so the same request
gives the same bytes on every machine and never stands whole in memory. ``truth.parquet`` holds what each line of
``tbl_schedule.csv`` means: its clean cells, and whether and where it was damaged.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

AS_OF = "2024-05-31"
BEFORE = "2024-04-30"  # the tables beside came with the extract of the month before
CHUNK = 250_000
SEED = 20240531
PER_CASE, PER_PROCEEDING = (
    4,
    3,
)  # hearing rows of a case and of a proceeding (46.6 million on 12.7 and 16.5 million)
CASE, PROCEEDING, HEARING = 10_000_000, 70_000_000, 300_000_000
NON_ASCII = 12  # one row in so many has a byte that is not ASCII
PADDED, NUL = 90, 5_000  # one row in so many has a padded code, a NUL byte
DAY = np.datetime64("2014-01-01")
DAYS = 3_600
COURTS = np.array(
    ["NYC", "SFR", "LOS", "HOU", "MIA", "NEW", "CHI", "DAL", "ATL", "BOS", "SNA", "ARL", "ORL", "MEM", "DEN"]
)
ROOMS = np.array([f"{court[:2]}{n}" for court in COURTS for n in range(4)])
LANGUAGES = np.array(["SP", "MAM", "QUI", "POR", "CHI", "ENG", "FR", "HAI", "KIC", "???"])
REASONS = np.array(["", "13", "8A", "01", "12", "11", "99", "17", "7A", "55"])
MESSAGES = np.array(["", "", "", "6U", "7C", "H3", "A9"])


@dataclass(frozen=True)
class Made:
    """Where the extract lies, and its size."""

    folder: Path
    rows: int
    bytes: int

    @property
    def schedule(self) -> Path:
        return self.folder / "tbl_schedule.csv"

    @property
    def beside(self) -> Path:
        return self.folder.parent / BEFORE

    @property
    def truth(self) -> Path:
        return self.folder.parent.parent / f"truth-{self.folder.parent.name}.parquet"


def make(place: Path, rows: int, per_million: int = 8, every: int = 1) -> Made:
    """The extract under ``place``, one case in ``every`` a child's; an earlier one of the same request is used again."""
    folder = place / f"eoir-{rows}-{per_million}-{every}" / AS_OF
    made = Made(folder, rows, 0)
    if not made.truth.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _schedule(made, per_million)
        _others(made.beside, rows, every)
    return Made(folder, rows, made.schedule.stat().st_size)


def _schedule(made: Made, per_million: int) -> None:
    part, line, writer = made.truth.with_suffix(".part"), 2, None
    with open(made.schedule, "wb") as out:
        for at, first in enumerate(range(0, made.rows, CHUNK)):
            rng = np.random.default_rng([SEED, at, per_million])
            clean = hearings(rng, first, min(CHUNK, made.rows - first), made.rows)
            text, harm = _damaged(rng, clean, per_million)
            if writer is None:
                out.write(("\t".join(clean.columns) + "\n").encode())
            out.write(text)
            lines = pl.int_range(line, line + len(clean), dtype=pl.Int32, eager=True)
            truth = clean.with_columns(line=lines, harm=pl.Series(harm)).to_arrow()
            writer = writer or pq.ParquetWriter(part, truth.schema, compression="zstd")
            writer.write_table(truth)
            line += len(clean)
    if writer:
        writer.close()
    part.replace(made.truth)


def hearings(rng: np.random.Generator, first: int, n: int, of: int) -> pl.DataFrame:
    """Clean rows of ``tbl_schedule``, as text; what is blank is null."""
    at = np.arange(first, first + n)
    case = at % max(of // PER_CASE, 1)
    held = rng.random(n) < 0.85  # the others are still to come: 14.4 % of the real rows have no reason
    day = rng.integers(0, DAYS, n)
    court = rng.integers(0, len(COURTS), n)
    reason = np.where(held, REASONS[rng.integers(1, len(REASONS), n)], "")
    hour = rng.integers(8, 16, n) * 100 + rng.choice([0, 30], n)
    updated = rng.random(n) < 0.8
    attorney = np.where(at % NON_ASCII == 0, "PEÑA", "EOIR").astype("<U12")
    return pl.DataFrame(
        {
            "IDNSCHEDULE": _text(HEARING + at), "IDNPROCEEDING": _text(PROCEEDING + at % max(of // PER_PROCEEDING, 1)),
            "IDNCASE": _text(CASE + case), "OSC_DATE": _stamp(case % DAYS), "GENERATION": _text(rng.integers(0, 4, n)),
            "SUB_GENERATION": _text(rng.integers(0, 3, n)), "REC_TYPE": rng.choice(np.array(["A", "X", "O", "B"]), n),
            "LANG": LANGUAGES[rng.integers(0, len(LANGUAGES), n)], "HEARING_LOC_CODE": ROOMS[court * 4 + rng.integers(0, 4, n)],
            "BASE_CITY_CODE": COURTS[court], "IJ_CODE": _some(rng, COURTS[rng.integers(0, len(COURTS), n)], 0.9),
            "INTERPRETER_CODE": _some(rng, np.array(["A", "C", "T"])[rng.integers(0, 3, n)], 0.3),
            "INPUT_DATE": _stamp(day - rng.integers(20, 60, n)), "INPUT_TIME": _clock(rng.integers(700, 760, n)),
            "UPDATE_DATE": np.where(updated, _stamp(day + 1), ""), "UPDATE_TIME": np.where(updated, _clock(rng.integers(900, 960, n)), ""),
            "ASSIGNMENT_PATH": rng.choice(np.array(["A", "F", "W"]), n), "CAL_TYPE": rng.choice(np.array(["M", "M", "I", "C"]), n),
            "ADJ_DATE": _stamp(day), "ADJ_TIME_START": _clock(hour), "ADJ_TIME_STOP": _clock(hour + 30), "ADJ_RSN": reason,
            "ADJ_MEDIUM": rng.choice(np.array(["P", "V", "T", "W"]), n), "ADJ_MSG": MESSAGES[rng.integers(0, len(MESSAGES), n)],
            "ADJ_ELAP_DAYS": _text(rng.integers(0, 400, n)), "LNGSESSNID": _some(rng, _text(9_000_000 + rng.integers(0, 90_000, n)), 0.95),
            "SCHEDULE_TYPE": rng.choice(np.array(["MM", "MR", "II", "IR", "NA"]), n), "NOTICE_CODE": _some(rng, np.array(["6U", "1A", "3C"])[rng.integers(0, 3, n)], 0.7),
            "BLNCLOCKOVERRIDE": rng.choice(np.array(["0", "1"]), n, p=[0.97, 0.03]),
            "EOIRAttorneyID": np.char.add(attorney, _text(rng.integers(100, 999, n))),
        }
    ).with_columns(pl.when(pl.all() != "").then(pl.all()))  # fmt: skip


def _text(numbers: np.ndarray) -> np.ndarray:
    return numbers.astype(str)


def _clock(numbers: np.ndarray) -> np.ndarray:
    return np.char.zfill(_text(numbers), 4)


def _stamp(days: np.ndarray) -> np.ndarray:
    return np.char.add((DAY + days.astype("timedelta64[D]")).astype(str), " 00:00:00.000")


def _some(rng: np.random.Generator, values: np.ndarray, share: float) -> np.ndarray:
    return np.where(rng.random(len(values)) < share, values, "")


def _damaged(rng: np.random.Generator, clean: pl.DataFrame, per_million: int) -> tuple[bytes, np.ndarray]:
    """The rows as the court sends them, and for each what was done to it (0: nothing that changes what it says).

    Harm 1: a tab too many before a cell. 2: a tab inside a cell. 3: cut short. At the real rate every one is of kind 1, as
    in the logs of those who read the real extract; at higher rates one in ten is worse.
    """
    n, at = len(clean), np.arange(len(clean))
    noisy = clean.with_columns(
        LANG=pl.when(pl.Series(at % PADDED == 0)).then(pl.col("LANG") + " ").otherwise("LANG"),
        IJ_CODE=pl.when(pl.Series(at % NUL == 1)).then(pl.lit("\0") + pl.col("IJ_CODE")).otherwise("IJ_CODE"),
    )
    text = noisy.write_csv(separator="\t", quote_style="never", include_header=False, null_value="")
    rows = text.encode("cp1252").split(b"\n")[:n]
    harm = np.where(rng.random(n) < per_million / 1_000_000, 1, 0).astype(np.int8)
    worse = rng.random(n) < 0.1
    harm[(harm == 1) & worse & (per_million > 100)] = 2
    harm[(harm == 2) & (at % 2 == 0)] = 3
    for place in np.flatnonzero(harm):
        rows[place] = _harmed(rng, rows[place], int(harm[place]))
    return b"\n".join(rows) + b"\n", harm


def _harmed(rng: np.random.Generator, row: bytes, kind: int) -> bytes:
    cells = row.split(b"\t")
    place = int(rng.integers(1, len(cells)))
    if kind == 1:
        return b"\t".join([*cells[:place], b"", *cells[place:]])
    if kind == 3:
        return b"\t".join(cells[:place])
    inside = int(rng.integers(1, len(row) - 1))
    return row[:inside] + b"\t" + row[inside:]


def _others(folder: Path, rows: int, every: int) -> None:
    """The tables beside, plain: cases, proceedings, juvenile flags, and the control totals."""
    folder.mkdir(parents=True, exist_ok=True)
    cases, proceedings = max(rows // PER_CASE, 1), max(rows // PER_PROCEEDING, 1)
    totals = {}
    totals["A_TblCase"] = _table(folder / "A_TblCase.csv", partial(_cases, every=every), cases)
    totals["B_TblProceeding"] = _table(folder / "B_TblProceeding.csv", _proceedings, proceedings)
    totals["tbl_JuvenileHistory"] = _table(
        folder / "tbl_JuvenileHistory.csv", partial(_flags, every=every), cases
    )
    (folder / "Count.txt").write_text("".join(f"{name}\t{count}\n" for name, count in totals.items()))


def _table(path: Path, chunk, rows: int) -> int:  # type: ignore[no-untyped-def]
    with open(path, "wb") as out:
        for part in _chunks(rows):
            made = chunk(np.arange(part.start, part.stop))
            made.write_csv(
                out, separator="\t", quote_style="never", include_header=part.start == 0, null_value=""
            )
    return rows


def _chunks(rows: int) -> Iterator[range]:
    return (range(at, min(at + CHUNK, rows)) for at in range(0, rows, CHUNK))


def _whole(feed: str, given: dict[str, np.ndarray | pl.Expr | pl.Series]) -> pl.DataFrame:
    from handhold import pack
    from handhold.feeds.layout import layouts

    said = pl.DataFrame({name: pl.Series(values) for name, values in given.items()})
    columns = layouts(pack.load())[feed].columns
    return said.select(pl.col(name) if name in said.columns else pl.lit("").alias(name) for name in columns)


def _cases(at: np.ndarray, every: int) -> pl.DataFrame:
    year = np.where(at % every == 0, 2006 + at % 9, 1970 + at % 20)
    born = np.char.add(_text(at % 12 + 1), np.char.add("/", _text(year)))
    return _whole(
        "eoir.A_TblCase",
        {
            "IDNCASE": _text(CASE + at), "NAT": np.array(["GT", "HO", "ES"])[at % 3], "LANG": np.array(["SP", "MAM"])[at % 2],
            "CUSTODY": np.array(["R", "N"])[at % 2], "CASE_TYPE": np.full(len(at), "RMV"), "DATE_OF_ENTRY": _stamp(at % DAYS),
            "C_BIRTHDATE": born, "GENDER": np.array(["M", "F"])[at % 2],
            "ALIEN_CITY": np.full(len(at), "HOUSTON"), "ALIEN_STATE": np.full(len(at), "TX"), "ALIEN_ZIPCODE": np.char.add("`", _text(77001 + at % 90)),
        },
    )  # fmt: skip


def _proceedings(at: np.ndarray) -> pl.DataFrame:
    return _whole(
        "eoir.B_TblProceeding",
        {
            "IDNPROCEEDING": _text(PROCEEDING + at), "IDNCASE": _text(CASE + (at * PER_PROCEEDING // PER_CASE)), "OSC_DATE": _stamp(at % DAYS),
            "INPUT_DATE": _stamp(at % DAYS + 40), "BASE_CITY_CODE": COURTS[at % len(COURTS)], "CASE_TYPE": np.full(len(at), "RMV"),
            "NAT": np.array(["GT", "HO", "ES"])[at % 3], "LANG": np.array(["SP", "MAM"])[at % 2],
        },
    )  # fmt: skip


def _flags(at: np.ndarray, every: int) -> pl.DataFrame:
    return _whole(
        "eoir.tbl_JuvenileHistory",
        {
            "idnJuvenileHistory": _text(1_000_000 + at), "idnCase": _text(CASE + at), "idnJuvenile": np.where(at % every == 0, "4", "6"),
            "DATCREATEDON": np.full(len(at), "2014-09-06 00:00:00.000"),
        },
    )  # fmt: skip


def main() -> None:
    """Make one extract and say where it lies."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("place", type=Path)
    asked.add_argument("rows", type=int)
    asked.add_argument("--defects", type=int, default=8)
    asked.add_argument("--every", type=int, default=1)
    wanted = asked.parse_args()
    made = make(wanted.place, wanted.rows, wanted.defects, wanted.every)
    print(f"{made.folder}: {made.rows:,} hearing rows, {made.bytes / 2**20:,.0f} MiB")


if __name__ == "__main__":
    main()
