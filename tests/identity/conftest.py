"""The database of these tests, and a keyring for those that need none."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from homes import home

from handhold import store
from handhold.identity.candidates import SAID, by_description, by_number, profiles, short_keys
from handhold.identity.compare import with_rarity

from .said import CODES, SCALE
from .typed import WANTED, nation

TABLES = "identity_judgement, identity_question, identity_link, identity_key, identity_description, identity_file, identity_child"


@pytest.fixture(scope="package")
def server() -> Iterator[None]:
    """One server for all of them."""
    with home("identity"):
        yield


@pytest.fixture
def db(server: None) -> Iterator[store.Db]:
    """A transaction on empty tables, never committed."""
    with store.connect() as connection:
        connection.execute(f"truncate {TABLES} cascade".encode())
        yield connection
        connection.rollback()


@pytest.fixture(scope="package")
def typists() -> pl.DataFrame:
    """What is said of some thousand children by typists who err six times as often as real ones."""
    return with_rarity(profiles(nation(6_000, seed=4, error=6).select("file", *SAID), CODES), SCALE)


@pytest.fixture(scope="package")
def many_pairs(typists: pl.DataFrame) -> pl.DataFrame:
    """All that meet by a key, and as many more met by chance."""
    met, files = short_keys(typists), typists["file"].unique().sort()
    candidates = pl.concat([by_number(met, files), by_description(met, files, files)])
    chance = pl.DataFrame(
        {
            "a": files.sample(WANTED, seed=1, with_replacement=True),
            "b": files.sample(WANTED, seed=2, with_replacement=True),
        }
    )
    found = pl.concat([candidates, chance.filter(pl.col("a") < pl.col("b"))]).unique(maintain_order=True)
    assert len(found) > WANTED
    return found


@pytest.fixture
def keys_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys without a database: ids can be made, nothing can be stored."""
    monkeypatch.setenv("HANDHOLD_HOME", str(tmp_path))
    store.hold(store.Keyring.new())
