"""Train the model on the files at hand: Splink and DuckDB estimate, households are counted, the rest is stated.

No labels are needed. How often each level is found among children met by chance (u) is counted on random pairs; how
often among files of one child (m) is estimated by expectation maximisation, blocked on the number for all other traits
and on birth date with given name for the number itself; how often among brothers and sisters is counted on files of one
agency that share surnames and an address. What cannot be counted without labels is stated in ``identity/weights.toml``.
"""

import hashlib
import json
import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from handhold.identity.cluster import ONE_FILE_EACH
from handhold.identity.compare import Scale, in_columns, with_rarity
from handhold.identity.names import Name, each, parts, surnames
from handhold.identity.spec import PROFILE, TRAITS, UNKNOWN, Knowledge, Trait, version

EM_BLOCKS = (("number",), ("dob", "first_run"))
BATCH_BLOCKS = (
    ("number",), ("court",), ("last_ordered", "first_1", "dob"), ("last_1", "dob"), ("last_2", "dob"), ("first_1", "dob"),
)  # fmt: skip
SHOWN_WORDS = 20  # files that must bear a word of a name before its frequency is written down
CERTAIN = 1e-9
WORDS = {  # columns of each name in the specification's SQL: which part of a name taken apart each is
    "ordered": "ordered", "run": "run", "turned": "turned", "1": "first", "2": "second", "h1": "first_heard", "h2": "second_heard",
    "run_heard": "run_heard", "turned_heard": "turned_heard",
}  # fmt: skip
Shares = Mapping[tuple[str, str], tuple[float | None, float | None]]  # trait and level: m and u


@dataclass(frozen=True)
class Level:
    """One level as it was estimated: shares among files of one child, of strangers, of siblings; bits against both."""

    trait: str
    level: str
    one: float | None
    stranger: float | None
    sibling: float | None
    bits: tuple[float, float]


@dataclass(frozen=True)
class Trained:
    """A model as it goes into ``identity/model.toml``, and the shares that it was made of."""

    artefact: dict[str, Any]
    levels: list[Level]


def for_sql(people: pl.DataFrame, world: Knowledge) -> pl.DataFrame:
    """Profiles with the columns that the specification's SQL asks for beside those of ``spec.PROFILE``."""
    made = people
    for column, take in (("last", surnames), ("first", parts)):
        made = made.with_columns(
            each(people[column], _part_of(take, part)).alias(f"{column}_{called}")
            for called, part in WORDS.items()
        )
    nicknames = each(made["first_1"], lambda word: sorted(world.nicknames.get(word, ())), pl.List(pl.Int64))
    return made.with_columns(
        first_nick=nicknames.fill_null(pl.Series([[]], dtype=pl.List(pl.Int64))),
        language_common=pl.col("language").is_in(sorted(world.common)),
    )


def _part_of(take: Callable[[str], Name], part: str) -> Callable[[str], str]:
    return lambda name: str(getattr(take(name), part))


def comparison(trait: Trait) -> dict[str, Any]:
    """A trait as Splink's comparison."""
    unknown = {
        "sql_condition": f"not coalesce({trait.known}, false)",
        "label_for_charts": UNKNOWN,
        "is_null_level": True,
    }
    levels = [
        {"sql_condition": "ELSE" if sql == "true" else sql, "label_for_charts": name}
        for name, sql in trait.levels
    ]
    return {"output_column_name": trait.name, "comparison_levels": [unknown, *levels]}


def linker(files: pl.DataFrame, *, prior: float, threads: int = 2) -> Linker:
    """Splink over profiles with the columns of :func:`for_sql` and ``unique_id``; nothing estimated yet."""
    connection = duckdb.connect()
    connection.execute(f"set threads = {int(threads)}; set enable_progress_bar = false")
    settings = SettingsCreator(
        link_type="dedupe_only", comparisons=[comparison(trait) for trait in TRAITS], probability_two_random_records_match=prior,
        blocking_rules_to_generate_predictions=[block_on(*columns) for columns in BATCH_BLOCKS], retain_matching_columns=False,
    )  # fmt: skip
    api = DuckDBAPI(connection=connection)
    return Linker(api.register(files.to_arrow(), table_name="files"), settings, log_level=logging.ERROR)


def estimate(linked: Linker, *, pairs: float, seed: int) -> Shares:
    """Splink's m and u of each trait's levels."""
    linked.training.estimate_u_using_random_sampling(max_pairs=pairs, seed=seed, min_count_per_level=None)
    for columns in EM_BLOCKS:
        linked.training.estimate_parameters_using_expectation_maximisation(
            block_on(*columns), fix_probability_two_random_records_match=False, record_sample_proportion=1.0
        )
    found = {}
    for told in linked.misc.save_model_to_json()["comparisons"]:
        for level in told["comparison_levels"]:
            if not level.get("is_null_level"):
                found[told["output_column_name"], level["label_for_charts"]] = (
                    level.get("m_probability"),
                    level.get("u_probability"),
                )
    return found


def train(
    people: pl.DataFrame, agency: pl.DataFrame, rules: Mapping[str, Any], world: Knowledge, *, seed: int = 1, pairs: float = 2e7
) -> Trained:  # fmt: skip
    """A model from the profiles of all files (``people``) and ``agency`` (``file, agency``)."""
    once = people.unique(subset="file", keep="first", maintain_order=True)
    told = for_sql(once, world).with_columns(unique_id=pl.col("file"))
    shares = _without_matches(
        estimate(linker(told, prior=1 / max(len(once), 2)), pairs=pairs, seed=seed), once
    )
    at_home = household(once, agency, rules, world)
    stated = rules["stated"]
    levels = [_level(trait, name, shares, at_home, stated) for trait in TRAITS for name, _ in trait.levels]
    bits: dict[str, dict[str, list[float]]] = {}
    for level in levels:
        bits.setdefault(level.trait, {})[level.level] = [round(x, 4) for x in level.bits]
    prior = {
        "stranger": round(math.log2(stated["files_a_child"] / stated["files"]), 4),
        "sibling": stated["prior_sibling"],
    }
    artefact = {
        "version": "", "spec": version(), "files": len(once), "prior": prior, "bits": bits,
        "names": {"surname": names(once["last"], shares, "surname", ("same-one", "same")), "given": names(once["first"], shares, "given", ("same", "same"))},
    }  # fmt: skip
    return Trained(artefact, levels)


def _without_matches(shares: Shares, files: pl.DataFrame) -> Shares:
    """The same with u freed of the few random pairs that are one child's: as many as pairs that share a number."""
    alike = files.drop_nulls("number").group_by("number").len()["len"].cast(pl.Float64)
    match = float((alike * (alike - 1)).sum()) / max(len(files) * (len(files) - 1), 1)
    freed = {}
    for key, (m, u) in shares.items():
        freed[key] = (m, u if u is None or m is None else max((u - match * m) / (1 - match), CERTAIN))
    return freed


def _level(
    trait: Trait, name: str, shares: Shares,
    at_home: Mapping[tuple[str, str], float], stated: Mapping[str, Any],
) -> Level:  # fmt: skip
    """One level's shares, none below what is stated, and its bits; bits that are stated outright stand as they are."""
    m, u = shares.get((trait.name, name), (None, None))
    sibling = at_home.get((trait.name, name)) if trait.personal else None
    outright = stated["bits"].get(trait.name, {}).get(name)
    if outright is not None or u is None:
        return Level(trait.name, name, m, u, sibling, tuple(outright or (0.0, 0.0)))
    m = max(m or 0.0, stated["least"].get(trait.name, {}).get(name, stated["least"]["any"]))
    given, most = stated["stranger"].get(trait.name, {}).get(name), stated["most"]
    stranger = (
        max(-most, min(most, math.log2(m / max(u, CERTAIN)))) if given is None else math.log2(m / given)
    )
    within = max(-most, min(most, math.log2(m / max(sibling, CERTAIN)))) if sibling else 0.0
    return Level(trait.name, name, m, u if given is None else given, sibling, (stranger, within))


def household(
    files: pl.DataFrame, agency: pl.DataFrame, rules: Mapping[str, Any], world: Knowledge
) -> dict[tuple[str, str], float]:
    """The shares of each personal trait's levels among siblings: files of one agency with the same surnames and address.

    One agency has one file of a child, so these are two children for certain; no share is below what is stated.
    """
    one_each = agency.filter(pl.col("agency").is_in(sorted(ONE_FILE_EACH)))
    at = files.with_columns(family=each(files["last"], lambda name: surnames(name).ordered)).join(
        one_each, on="file"
    )
    homes = at.select("file", "agency", "family", place="places").explode("place").drop_nulls()
    met = homes.join(homes, on=["agency", "family", "place"], suffix="_b").filter(
        pl.col("file") < pl.col("file_b")
    )
    pairs = met.select(a="file", b="file_b").unique(maintain_order=True)
    nothing = Scale(
        {"version": "", "prior": {"stranger": 0, "sibling": 0}, "bits": {}, "names": {}}, rules, world
    )
    rare = with_rarity(files, nothing)
    columns = [*PROFILE, "last_rare", "first_rare"]
    sides = [
        rare.select(pl.col("file").alias(s), *(pl.col(c).alias(f"{c}_{s}") for c in columns)) for s in "ab"
    ]
    judged = in_columns(pairs.join(sides[0], on="a").join(sides[1], on="b"), nothing)
    stated = rules["stated"]["sibling"]
    found = {}
    for trait in (t for t in TRAITS if t.personal):
        known = judged.filter(pl.col(trait.name) != UNKNOWN)[trait.name]
        for name, _ in trait.levels:
            share = (known == name).sum() / max(len(known), 1)
            fixed = stated.get(trait.name, {}).get(name)
            found[trait.name, name] = fixed if fixed is not None else max(share, stated["least"])
    return found


def names(
    column: pl.Series, shares: Shares, trait: str, levels: tuple[str, str]
) -> dict[str, Any]:  # fmt: skip
    """How often words of names occur: ``word`` (those that enough files bear), ``average``, ``with`` one word and two.

    ``level``: how often two strangers agree in a name of one word and of two; ``most``: no name's rarity counts more.
    """
    borne = column.drop_nulls()
    words = pl.DataFrame({"words": borne.str.split(" ").list.head(2)})
    counted = words.explode("words").group_by("words").len().sort("len", "words", descending=[True, False])
    total = int(counted["len"].sum())
    common = counted.filter(pl.col("len") >= SHOWN_WORDS)
    two = (words["words"].list.len() > 1).sum() / max(len(words), 1)
    return {
        "average": float(((counted["len"] / total) ** 2).sum()), "with": [round(1 - two, 6), round(two, 6)], "most": 4.0,
        "level": [float(shares[trait, level][1] or CERTAIN) for level in levels],
        "word": {word: round(count / total, 7) for word, count in common.iter_rows()},
    }  # fmt: skip


def text(artefact: Mapping[str, Any], *, source: str) -> str:
    """The model as ``identity/model.toml``; its version is a hash of what it says, so a changed weight is another model."""
    lines = [f"spec = {json.dumps(artefact['spec'])}", f"files = {artefact['files']}", "", "[prior]"]
    lines += [f"{name} = {value}" for name, value in artefact["prior"].items()]
    for trait, levels in artefact["bits"].items():
        lines += ["", f"[bits.{trait}]", *(f"{level} = {pair}" for level, pair in levels.items())]
    for trait, told in artefact["names"].items():
        lines += [
            "",
            f"[names.{trait}]",
            *(f"{key} = {value}" for key, value in told.items() if key != "word"),
        ]
        lines += [
            "",
            f"[names.{trait}.word]",
            *(f"{json.dumps(word)} = {share}" for word, share in told["word"].items()),
        ]
    body = "\n".join(lines) + "\n"
    told = (
        "# What each level of agreement between two descriptions is worth, in bits (log2 of the likelihood ratio): against a\n"
        "# stranger, and against a brother or sister. Made by `handhold identity train`; not edited by hand.\n"
        f"source = {json.dumps(source)}\n"
    )
    return told + f'version = "{hashlib.sha256(body.encode()).hexdigest()[:12]}"\n' + body
