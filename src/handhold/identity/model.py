"""Which model decides: the pack's, or one that was trained here and adopted; and training one on the files at hand."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store
from handhold.identity.compare import Scale
from handhold.identity.describe import everyone
from handhold.identity.partition import partition
from handhold.identity.spec import Knowledge, version
from handhold.pack import Pack

_scales: dict[tuple[str, str], Scale] = {}
KNOWN = """
    select version, adopted is not null and until is null and spec = %s as decides from identity_model
    union all select version, false from identity_rules"""
NOBODY = {"a": pl.Int64, "b": pl.Int64, "judgement": pl.String}


class ModelError(store.StoreError):
    """A model cannot be trained or adopted: the message says why and what to do."""


def scale(pack: Pack, db: store.Db | None = None) -> Scale:
    """The model that decides, with the pack's rules: the one adopted in this database, else the pack's own.

    One that was adopted for another specification decides no more: its weights belong to other levels. Raises
    :class:`ModelError` where the pack's own is of another.
    """
    return scale_later(pack, db)()[0] if db else _scale(pack, None, "")


def scale_later(pack: Pack, db: store.Db) -> Callable[[], tuple[Scale, set[str]]]:
    """Ask which model decides, and which models and rules are kept here; call what is returned for it. See ``store.setting_later``."""
    asked = db.execute(KNOWN, [version()])

    def read() -> tuple[Scale, set[str]]:
        known = dict(asked.fetchall())
        deciding = next((number for number, decides in known.items() if decides), "")
        return _scale(pack, db, deciding), set(known)

    return read


def scale_of(pack: Pack, db: store.Db, number: str | None) -> Scale:
    """The model of this number, by which a link or a question was weighed: to explain it, whatever specification it is of.

    The one that decides now where that one is not known here.
    """
    own = scale(pack)
    if number == own.version:
        return own
    known = db.execute("select 1 from identity_model where version = %s", [number]).fetchone()
    return _scale(pack, db, number) if number and known else scale(pack, db)


def keep(db: store.Db, pack: Pack, scale: Scale, kept: set[str], *, now: datetime) -> None:
    """Keep what decides, under the numbers by which evidence names it, so that it can be read when the pack is another one.

    ``kept``: what :func:`scale_later` answers. Of models only the pack's own may be missing: others are kept when trained.
    """
    if scale.ruled not in kept:
        db.execute(
            "insert into identity_rules (version, text_, since) values (%s, %s, %s) on conflict do nothing",
            [scale.ruled, scale.rules_text, now],
        )
    if scale.version not in kept:
        text, told = pack.text("identity/model.toml"), scale.model
        db.execute(
            "insert into identity_model (version, text_, spec, files, by) values (%s, %s, %s, %s, %s) on conflict do nothing",
            [told["version"], text, told["spec"], told["files"], PACKED],
        )


def _scale(pack: Pack, db: store.Db | None, kept: str) -> Scale:
    if (pack.version, kept) not in _scales:
        _scales[pack.version, kept] = (
            _with_rules(pack, tomllib.loads(_text(db, kept)))
            if db and kept
            else of(pack, pack.toml("identity/model.toml"))
        )
    return _scales[pack.version, kept]


def of(pack: Pack, model: Mapping[str, Any]) -> Scale:
    """The rules of a pack with this model. Raises :class:`ModelError` for one of another specification."""
    if model["spec"] != version():
        raise ModelError(
            f"model {model['version']} was trained for another comparison specification; train one anew (handhold identity train)"
        )
    return _with_rules(pack, model)


def _with_rules(pack: Pack, model: Mapping[str, Any]) -> Scale:
    nicknames: dict[str, set[int]] = {}
    for group, names in enumerate(pack.toml("identity/names.toml")["forms"]):
        for name in names:
            nicknames.setdefault(name, set()).add(group)
    common = frozenset(pack.toml("identity/languages.toml")["common"])
    world = Knowledge({name: frozenset(groups) for name, groups in nicknames.items()}, common)
    return Scale(model, pack.toml("identity/weights.toml"), world)


def codes(pack: Pack) -> dict[str, dict[str, str]]:
    """How agencies write countries and languages."""
    tables = {"country": "countries", "language": "languages"}
    return {name: pack.toml(f"identity/{table}.toml")["code"] for name, table in tables.items()}


def _text(db: store.Db, version: str) -> str:
    return str(store.fetch(db, "select text_ from identity_model where version = %s", [version])[0]["text_"])


@dataclass(frozen=True)
class Candidate:
    """A model trained here, not adopted yet. ``levels``: a row a level with its shares and bits, beside the current bits.

    ``change``: what it would decide otherwise on the files at hand, by name.
    """

    version: str
    text: str
    levels: pl.DataFrame
    change: dict[str, int]


def train(
    db: store.Db, pack: Pack, *, by: str, now: datetime, seed: int = 1, pairs: float = 2e6
) -> Candidate:
    """Train a model on all files that are loaded, keep it, and compare it with the one that decides now."""
    from handhold.identity import training  # Splink and DuckDB are only needed here

    current = scale(pack, db)
    files, people = everything(db, pack)
    if len(files) < LEAST:
        raise ModelError(
            f"{len(files):,} files are too few to train on, {LEAST:,} is the least; load more, or a simulated nation"
        )
    trained = training.train(
        people, files.select("file", "agency"), current.rules, current.world, seed=seed, pairs=pairs
    )
    text = training.text(
        trained.artefact, source=f"{len(files):,} files loaded here, {now.date().isoformat()}"
    )
    model = tomllib.loads(text)
    told = [
        (x.trait, x.level, x.one, x.stranger, x.sibling, *x.bits, *current.bits(x.trait, x.level))
        for x in trained.levels
    ]
    db.execute(
        """insert into identity_model (version, text_, spec, files, trained, by) values (%s, %s, %s, %s, %s, %s)
           on conflict (version) do nothing""",
        [model["version"], text, model["spec"], len(files), now, by],
    )
    change = _change(files, people, current, of(pack, model))
    return Candidate(model["version"], text, pl.DataFrame(told, LEVELS, orient="row"), change)


LEAST = 2_000
PACKED = "the pack"  # who a model is by that was not trained here
LEVELS = {
    "trait": pl.String, "level": pl.String, "one child": pl.Float64, "strangers": pl.Float64, "siblings": pl.Float64,
    "stranger bits": pl.Float64, "sibling bits": pl.Float64, "stranger bits now": pl.Float64, "sibling bits now": pl.Float64,
}  # fmt: skip


def adopt(db: store.Db, number: str, pack: Pack, *, now: datetime) -> None:
    """From now on this model decides: one that was trained here or was the pack's once, or the pack's own again. What was linked
    stays; only what comes is weighed anew. Raises :class:`ModelError` for one that is not known or was trained for another specification."""
    own = number == scale(pack).version
    known = db.execute("select spec from identity_model where version = %s", [number]).fetchone()
    if not own and (known is None or known[0] != version()):
        why = (
            "no model {} was trained here"
            if known is None
            else "model {} was trained for another comparison specification"
        )
        raise ModelError(
            f"{why.format(number)}; handhold identity models lists those there are, handhold identity train makes one"
        )
    db.execute("update identity_model set until = %s where adopted is not null and until is null", [now])
    if not own:
        db.execute("update identity_model set adopted = %s, until = null where version = %s", [now, number])


def models(db: store.Db, pack: Pack) -> list[dict[str, Any]]:
    """The pack's model, then those trained here, the newest first, and those that were the pack's once: ``version, files``
    (trained on), ``trained`` (here, or null), ``by, fits`` (today's specification), ``decides``."""
    own = scale(pack)
    here = store.fetch(
        db,
        """select version, files, trained, by, spec = %s as fits from identity_model where version <> %s
           order by trained desc nulls last, version""",
        [version(), own.version],
    )
    shipped = {
        "version": own.version,
        "files": own.model["files"],
        "trained": None,
        "by": PACKED,
        "fits": True,
    }
    deciding = scale(pack, db).version
    return [row | {"decides": row["version"] == deciding} for row in (shipped, *here)]


def rules(db: store.Db) -> list[dict[str, Any]]:
    """The rules that ever decided here, the newest first: ``version, since, link, ask, margin`` (bits) and ``text``, JSON."""
    return store.fetch(
        db,
        """select version, since, (t -> 0 ->> 'link')::float as link, (t -> 0 ->> 'ask')::float as ask,
                  (t -> 0 ->> 'margin')::float as margin, text_ as text
           from identity_rules cross join lateral (select text_::jsonb as t) told order by since desc, version""",
    )


def everything(db: store.Db, pack: Pack) -> tuple[pl.DataFrame, pl.DataFrame]:
    """All files as if they came today (``file, agency, child, fresh, held``), and their profiles."""
    files = store.frame(db, "select id as file, agency, hold as held from identity_file order by id")
    fresh = files.with_columns(child=pl.lit(None, pl.Int64), fresh=pl.lit(True))
    return fresh, everyone(db, files["file"], codes(pack))


def _change(files: pl.DataFrame, people: pl.DataFrame, current: Scale, new: Scale) -> dict[str, int]:
    """Pairs of files in one child by each model, of those that either compared, and pairs left to a person."""
    before, after = (partition(files, people, pl.DataFrame(schema=NOBODY), model) for model in (current, new))
    pairs = pl.concat([f.pairs.select("a", "b") for f in (before, after)]).unique()
    for name, found in (("before", before), ("after", after)):
        child = found.links.select("file", "child")
        pairs = pairs.join(child.rename({"file": "a", "child": "x"}), on="a").join(
            child.rename({"file": "b", "child": "y"}), on="b"
        )
        pairs = pairs.with_columns((pl.col("x") == pl.col("y")).alias(name)).drop("x", "y")
    return {
        "pairs in one child by both": pairs.filter("before", "after").height,
        "pairs in one child now, not by the new model": pairs.filter(pl.col("before") & ~pl.col("after")).height,
        "pairs in one child by the new model, not now": pairs.filter(~pl.col("before") & pl.col("after")).height,
        "pairs refused now": len(before.refused), "pairs refused by the new model": len(after.refused),
    }  # fmt: skip
