"""A few files taken over plain values, and the same files by columns: the same children, evidence and questions."""

from typing import Any

import polars as pl
import pytest

from handhold import identity, store
from handhold.feeds.model import DESCRIPTION
from handhold.identity import few
from handhold.identity.candidates import SAID, keys, profiles
from handhold.identity.spec import PROFILE

from .said import ANA, CODES, NOW, PACK, SCALE
from .typed import nation

STATES = {
    "links": "select file, child, judgement, linked_by, round(probability::numeric, 4) as p, evidence from identity_link order by file, id",
    "questions": "select file_a, file_b, reason, evidence, round(weight::numeric, 2) as weight from identity_question order by id",
    "files": "select id, child, linked_by, fresh from identity_file order by id",
    "children": "select id from identity_child order by id",
    "asked about": """
        select least(a.child, b.child) as low, greatest(a.child, b.child) as high from identity_question q
        join identity_file a on a.id = q.file_a join identity_file b on b.id = q.file_b where q.closed is null order by 1, 2""",
}


def described(db: store.Db, rows: pl.DataFrame) -> None:
    told = rows.with_columns(
        file_key=pl.col("file").cast(pl.String),
        row=pl.col("file"),
        delivery=pl.lit(1, pl.Int64),
        line=pl.lit(1, pl.Int32),
    )
    identity.describe(db, told.select(DESCRIPTION.keys()), now=NOW)


def after(
    db: store.Db, parts: list[pl.DataFrame], few_files: int, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Any]:
    """The tables after these parts came one after the other, few at a time or by columns."""
    monkeypatch.setattr(few, "FEW", few_files)
    db.execute("savepoint before")
    for part in parts:
        described(db, part)
        identity.identify(db, by="system", now=NOW, pack=PACK)
    state = {name: store.fetch(db, query) for name, query in STATES.items()}
    db.execute("rollback to savepoint before")
    return state


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_one_by_one_is_as_by_columns(db: store.Db, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    said = nation(110, seed=seed, error=8)
    late = pl.col("file") % 7 == seed
    described(db, said.filter(~late))
    identity.identify(db, by="system", now=NOW, pack=PACK)
    parts = said.filter(late).sort("file").partition_by("file", maintain_order=True)
    one, other = (after(db, parts, many, monkeypatch) for many in (8, 0))
    for name in STATES:
        assert one[name] == other[name], name
    assert any(row["evidence"] for row in one["links"][-50:])
    asked = [(row["low"], row["high"]) for row in one["asked about"]]
    assert len(set(asked)) == len(asked) > 0, "two children are asked about once"


def test_profiles_and_keys_are_the_same_over_values_and_by_columns() -> None:
    said = nation(300, seed=6, error=8)
    more = said.head(200).with_columns(
        place=pl.col("place") + 1,
        first=pl.lit(None, pl.String),
        custody=pl.lit("2021-03"),
        number=pl.lit(None, pl.String),
    )
    told = pl.concat([said, more]).sort("file", maintain_order=True)
    people = profiles(told.select("file", *SAID), CODES)
    files = {
        file: few.profiles(rows.select(SAID.keys()).to_dicts(), CODES)
        for (file,), rows in told.group_by("file", maintain_order=True)
    }
    sets = {name for name, kind in PROFILE.items() if isinstance(kind, pl.List)}
    columns = {
        (
            row["file"],
            tuple(frozenset(row[c] or ()) if c in sets else row[c] for c in PROFILE),
            frozenset(row["homes"]),
        )
        for row in people.iter_rows(named=True)
    }
    assert columns == {(file, tuple(one), homes) for file, told in files.items() for one, homes in told}
    met = {(file, kind, text) for file, kind, text in keys(people).select("file", "kind", "text").iter_rows()}
    assert met == {(file, kind, text) for file, told in files.items() for kind, text in few.keys(told)}


def file(id: int, agency: str, child: int | None, **said: str) -> few.File:
    told = few.profiles([dict.fromkeys(SAID) | ANA | said], CODES)
    return few.File(id, agency, child, child is None, False, told)


def ask_more(*more: few.File) -> tuple[list[int], few.More]:
    """Files to be had for the asking, and a list that grows by one each time."""
    times: list[int] = []

    def rest() -> dict[int, few.File]:
        times.append(len(times))
        return {one.id: one for one in more}

    return times, rest


STANDING = [file(1, "ERO", 7, number="216043624"), file(2, "ORR", 7, number="216043624")]


def test_a_file_whose_number_finds_a_whole_child_asks_for_nobody_else() -> None:
    new = file(3, "EOIR", None, number="216043624")
    times, rest = ask_more(file(4, "ORR", 8))
    found = few.partition({one.id: one for one in [*STANDING, new]}, SCALE, lambda ids: {}, rest)
    assert times == []
    assert found.root[3] == found.root[1]
    assert set(found.pairs) == {(1, 3), (2, 3)}


@pytest.mark.parametrize("said", [{"number": "238811111"}, {"number": "216043624", "dob": "2005-11-02"}])
def test_a_file_whose_number_finds_nobody_for_sure_asks_for_all_that_are_alike(said: dict[str, str]) -> None:
    new = file(3, "EOIR", None, **said)
    like = file(4, "ORR", 8, **({"number": "299999999"} | {k: v for k, v in said.items() if k != "number"}))
    times, rest = ask_more(like)
    found = few.partition({one.id: one for one in [*STANDING, new]}, SCALE, lambda ids: {}, rest)
    assert times == [0]
    assert (3, 4) in found.pairs
