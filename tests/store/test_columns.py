"""Columns go in as they are: every type, in the background or not, and whatever goes wrong is told before anything is committed."""

from datetime import UTC, date, datetime, timedelta

import polars as pl
import psycopg
import pytest

from handhold import store

MANY = 5_000  # enough for a thread of its own
MADE = """
    create temp table made (n bigint primary key, i int, s smallint, d double precision, r real, b boolean, day date, at timestamptz,
                            t text, c char(1), j jsonb, y bytea, ns bigint[], ts text[])"""
COLUMNS = "n, i, s, d, r, b, day, at, t, c, j, array_to_string(ns, ',') as ns, ts[1] as ts, ts as several, d::numeric as m"


def rows(many: int) -> pl.DataFrame:
    """Values with all that text would have to escape; every seventh row is null but for its key."""
    at = [datetime(2024, 5, 31, 23, 59, 59, n, UTC) for n in range(many)]
    whole = pl.DataFrame(
        {
            "n": range(many),
            "i": [-n for n in range(many)],
            "s": [n % 100 for n in range(many)],
            "d": [n / 4 for n in range(many)],
            "r": [n / 2 for n in range(many)],
            "b": [n % 2 == 0 for n in range(many)],
            "day": [date(2024, 1, 1) + timedelta(n % 400) for n in range(many)],
            "at": at,
            "t": [f'a "quoted", \\N\n{n}\té' for n in range(many)],
            "c": ["d"] * many,
            "j": [f'{{"n": {n}}}' for n in range(many)],
            "y": [b"\x00\\x" + str(n).encode() for n in range(many)],
            "ns": [[n, n + 1] for n in range(many)],
            "ts": [['{"'] for _ in range(many)],
        }
    )
    return whole.with_columns(pl.when(pl.col("n") % 7 > 0).then(pl.exclude("n")))


@pytest.mark.parametrize("many", [10, MANY])
def test_what_goes_in_comes_out(db: store.Db, many: int) -> None:
    db.execute(MADE)
    made = rows(many)
    assert store.copy_in(db, "made", made) == many
    back = store.frame(db, f"select {COLUMNS}, y from made order by n")
    assert len(back) == many
    assert back.drop("y").equals(store.frame(db, f"select {COLUMNS} from made order by n"))
    same = ["n", "i", "s", "d", "r", "b", "day", "at", "t", "c", "j", "y"]
    wanted = made.select(
        pl.col("i").cast(pl.Int32), pl.col("s").cast(pl.Int16), pl.col("r").cast(pl.Float32)
    ).hstack(
        made.select("n", "d", "b", "day", pl.col("at").cast(pl.Datetime("us", "UTC")), "t", "c", "j", "y")
    )
    for name in same:
        assert back[name].to_list() == wanted[name].to_list(), name
    assert back["ns"][1] == "1,2" and back["ts"][1] == '{"' and back["ns"][0] is None


def test_a_moment_without_zone_is_utc_and_an_unknown_type_is_refused(db: store.Db) -> None:
    db.execute("create temp table one (at timestamptz, id uuid)")
    store.copy_in(db, "one", pl.DataFrame({"at": [datetime(2024, 1, 1, 12)]}))
    assert store.fetch(db, "select at from one") == [{"at": datetime(2024, 1, 1, 12, tzinfo=UTC)}]
    with pytest.raises(TypeError, match="uuid"):
        store.copy_in(db, "one", pl.DataFrame({"id": ["x"]}))


def test_what_was_begun_is_done_before_the_next_question_and_before_the_commit(database: str) -> None:
    with store.transaction() as db:
        db.execute("create table lasting (n bigint primary key)")
        store.copy_in(db, "lasting", pl.DataFrame({"n": range(MANY)}))
        assert db.execute("select count(*) from lasting").fetchone() == (MANY,)
        store.copy_in(db, "lasting", pl.DataFrame({"n": range(MANY, 3 * MANY)}))
        store.copy_in(db, "lasting", pl.DataFrame({"n": range(3 * MANY, 4 * MANY)}))
    with store.transaction() as db:
        assert db.execute("select count(*) from lasting").fetchone() == (4 * MANY,)
        db.execute("drop table lasting")


def test_what_goes_wrong_behind_is_told_and_nothing_is_committed(database: str) -> None:
    twice = pl.DataFrame({"n": [*range(MANY), 0]})
    with store.transaction() as db:
        db.execute("create table lasting (n bigint primary key)")
    with pytest.raises(psycopg.errors.UniqueViolation), store.transaction() as db:
        store.copy_in(db, "lasting", pl.DataFrame({"n": [-1]}))
        store.copy_in(db, "lasting", twice)
    with pytest.raises(psycopg.errors.UniqueViolation), store.transaction() as db:
        store.copy_in(db, "lasting", twice)
        db.execute("select 1")
    with pytest.raises(InterruptedError), store.transaction() as db:
        store.copy_in(db, "lasting", twice)
        raise InterruptedError
    with store.transaction() as db:
        assert db.execute("select count(*) from lasting").fetchone() == (0,)
        with pytest.raises(psycopg.errors.UniqueViolation), db.transaction():
            store.copy_in(db, "lasting", twice)
        store.copy_in(db, "lasting", pl.DataFrame({"n": range(MANY)}))
    with store.transaction() as db:
        assert db.execute("select count(*) from lasting").fetchone() == (MANY,)
        db.execute("drop table lasting")
