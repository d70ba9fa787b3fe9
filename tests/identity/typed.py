"""Many children as five agencies typed them, straight from the simulator's slips: descriptions without feeds or database."""

from datetime import date

import numpy as np
import polars as pl

from handhold.feeds.model import DESCRIPTION
from handhold.identity.candidates import SAID
from handhold.simulate.draw import Chance, day, written, written_hours
from handhold.simulate.entry import key, numbers, typed
from handhold.simulate.lives import custody
from handhold.simulate.parameters import RATES
from handhold.simulate.people import LANGUAGES, People, people
from handhold.simulate.words import COUNTRIES

AGENCIES = ("ERO", "ORR", "EOIR", "OPLA", "USCIS")
WANTED = 100_000  # pairs on which engines are held to one another


def nation(children: int, *, seed: int, error: float) -> pl.DataFrame:
    """``file, agency, child`` and the columns of ``candidates.SAID``: a file of every agency for each child."""
    chance, last = Chance(seed), day(date(2024, 5, 31))
    who = people(chance, RATES, children, day(date(2019, 10, 1)), last)
    parts = [_agency(chance, who, n, agency, error, last) for n, agency in enumerate(AGENCIES)]
    return pl.concat(parts, how="diagonal_relaxed").select("file", "agency", "child", *SAID)


def told(children: int, *, seed: int, error: float) -> pl.DataFrame:
    """The same files as feeds would report them: the columns of ``DESCRIPTION``, one row a file."""
    rows = nation(children, seed=seed, error=error).with_columns(
        file_key=pl.col("file").cast(pl.String),
        row=pl.col("file"),
        delivery=pl.lit(1, pl.Int64),
        line=pl.lit(1, pl.Int32),
    )
    return rows.select(DESCRIPTION.keys())


def _agency(chance: Chance, who: People, n: int, agency: str, error: float, last: int) -> pl.DataFrame:
    as_typed, rng, many = typed(chance, RATES, agency, who, error), chance.stream(f"holes {agency}"), len(who)
    held = custody(chance, RATES, who, last)
    number = pl.Series(key(numbers(chance, RATES, agency, who, error, siblings=agency in ("ORR", "EOIR"))))
    said = pl.DataFrame({
        "child": np.arange(many), "number": number, "last": as_typed.last, "first": as_typed.given,
        "dob": written(as_typed.born, "%Y-%m-%d"), "sex": np.where(who.male, "M", "F"),
        "country": [COUNTRIES[c][0] for c in who.country], "language": [LANGUAGES[c] for c in who.language],
        "court_case": [str(9_000_000 + c) for c in range(many)], "entry": written(who.determined, "%Y-%m-%d"),
        "custody": written_hours(held.transferred_hour + 5 * n), "release": written(held.discharged, "%Y-%m-%d"),
        "place": held.sponsor * 10 + rng.integers(0, 2, many), "building": held.sponsor, "phone": held.sponsor, "sponsor": held.sponsor,
    })  # fmt: skip
    holes = [
        pl.when(pl.Series(rng.random(many) > 0.25)).then(pl.col(c)).alias(c)
        for c in said.columns
        if c != "child"
    ]
    blank = [pl.lit(None, kind).alias(name) for name, kind in SAID.items() if name not in said.columns]
    odd = (
        pl.when(pl.Series(rng.random(many) < 0.05))
        .then(pl.col("dob").str.slice(0, 7))
        .otherwise("dob")
        .alias("dob")
    )
    told = said.with_columns(holes).with_columns(odd).with_columns(pl.col(pl.String).replace("", None))
    return told.with_columns(*blank, file=pl.col("child") * 10 + n, agency=pl.lit(agency))
