"""A delivery is read some rows at a time: what comes of it must not depend on how many, nor may half of one stay behind."""

from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from handhold import feeds, store

from .sending import NOW, Taken, adds_up, in_batches, send, tabbed, write
from .test_dump import case, extract, hearing, mixed

HISTORY = "eoir.tbl_JuvenileHistory"
BAD = "BAD"
NAME = "opla/cases_{}.csv"
TABLES = "select id, content, file, number, line, delivery, as_of, withdrawn from feeds_row order by id"
PAST = "select row_, content, line, delivery from feeds_row_past order by row_, line, content, delivery"
REFUSED = "select delivery, line, key_ from feeds_quarantine order by delivery, line"


def cases(*rows: tuple[int, str]) -> str:
    """OPLA's cases: a number (0: none, so the row cannot be read), and what became of each (BAD: the row cannot be read)."""
    lines = [
        f'{f"A2000{number:05}" if number else ""},"DOE, ANA",{"" if became == BAD else became},{"soon" if became == BAD else "2024-01-02"}'
        for number, became in rows
    ]
    return "\n".join(["A-Number,Respondent,Disposition,Updated On", *lines]) + "\n"


def sent(db: store.Db, folder: Path, day: str, text: str, rows: int) -> Taken:
    return send(db, write(folder, NAME.format(day), text), pack=in_batches(rows))


def stored(db: store.Db) -> list[pl.DataFrame]:
    return [store.frame(db, query) for query in (TABLES, PAST, REFUSED)]


def counts(taken: Taken) -> list[tuple[object, ...]]:
    return [
        (
            d.feed,
            d.status,
            d.why,
            d.rows,
            d.loaded,
            d.unchanged,
            d.quarantined,
            d.left,
            d.withdrawn,
            d.changed,
        )
        for d in taken.deliveries
    ]


def said(taken: Taken) -> pl.DataFrame:
    return taken.reports.drop("location", "sponsor", "benefit", "clinical").sort("row", "slot", "line")


keys = st.integers(0, 6)
days = st.lists(
    st.lists(st.tuples(keys, st.sampled_from(["OPEN", "DISMISSED", "", BAD])), min_size=1, max_size=12),
    min_size=1,
    max_size=3,
)


@given(days=days, rows=st.integers(1, 5))
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_as_many_at_a_time_as_you_like(
    db: store.Db, tmp_path_factory: pytest.TempPathFactory, days: list[list[tuple[int, str]]], rows: int
) -> None:
    """With keys that come again in another batch, rows that cannot be read, and snapshots that lack what the last one had."""
    folder, found = tmp_path_factory.mktemp("days"), []
    for size in (rows, 1_000):
        with db.transaction(force_rollback=True):
            every = [sent(db, folder, f"2024-05-{10 + n}", cases(*day), size) for n, day in enumerate(days)]
            assert all(adds_up(one) for taken in every for one in taken.deliveries if one.status == "read")
            for taken in every:
                seen = {d.id: n for n, d in enumerate(taken.deliveries)}
                taken.reports = taken.reports.with_columns(pl.col("delivery").replace_strict(seen))
            found.append(
                ([counts(one) for one in every], [said(one) for one in every], _numbered(stored(db)))
            )
    (few_counts, few_said, few_stored), (many_counts, many_said, many_stored) = found
    assert few_counts == many_counts
    assert all(a.equals(b) for a, b in zip(few_said, many_said, strict=True))
    assert all(a.equals(b) for a, b in zip(few_stored, many_stored, strict=True))


def _numbered(tables: list[pl.DataFrame]) -> list[pl.DataFrame]:
    """Deliveries by their order: ids go on where a transaction that was undone left off."""
    every = pl.concat([table["delivery"] for table in tables]).unique().sort()
    place = {id: n for n, id in enumerate(every.to_list())}
    named = [[c for c in ("delivery", "withdrawn") if c in table.columns] for table in tables]
    return [
        table.with_columns(pl.col(columns).replace(place)).sort(pl.all(), nulls_last=True)
        for table, columns in zip(tables, named, strict=True)
    ]


def test_the_last_line_of_a_key_counts_wherever_it_stands(db: store.Db, tmp_path: Path) -> None:
    """For the first delivery of a feed, and for one that is compared with it."""
    others = [(n, "OPEN") for n in range(2, 9)]
    for day, first, last in (("2024-05-10", "OPEN", "DISMISSED"), ("2024-05-11", "DISMISSED", "OPEN")):
        taken = sent(db, tmp_path, day, cases((1, first), *others, (1, last)), 2)
        assert adds_up(taken.one) and taken.one.rows == 9
        stand = store.frame(db, "select line, delivery from feeds_row order by line")
        assert stand["line"].to_list() == [*range(3, 10), 10], "of number 1 the last line stands"
    assert store.frame(db, "select count(*) n from feeds_row_past")["n"].to_list() == [3]


def test_what_is_held_after_its_last_batch_leaves_nothing(db: store.Db, tmp_path: Path) -> None:
    sent(db, tmp_path, "2024-05-10", cases(*((n, "OPEN") for n in range(1, 401))), 50)
    before = stored(db)
    half = cases(*((n, "DISMISSED") for n in range(1, 151)), (0, "OPEN"))
    taken = sent(db, tmp_path, "2024-05-11", half, 50)
    assert taken.one.status == "held" and "are gone from this one" in str(taken.one.why)
    assert (len(taken.reports), len(taken.descriptions), taken.changed, taken.withdrawn) == (0, 0, [], [])
    assert all(a.equals(b) for a, b in zip(before, stored(db), strict=True))
    kept = feeds.release(db, taken.one.id, by="system", why="they did close", now=NOW)
    (again,) = feeds.whole(feeds.read(db, [kept], now=NOW, pack=in_batches(50))).deliveries
    assert (again.status, again.changed, again.withdrawn) == ("read", 150, 250)


def test_what_breaks_off_after_some_batches_leaves_nothing(db: store.Db, tmp_path: Path) -> None:
    text = cases(*((n, "OPEN") for n in range(1, 2_001)))
    endless = text.encode() + b'"' + b"x" * 60_000_000
    taken = send(db, write(tmp_path, NAME.format("2024-05-10"), endless), pack=in_batches(100))
    assert taken.one.status == "refused" and len(taken.reports) == 0
    assert all(len(table) == 0 for table in stored(db))


def test_all_or_nothing_is_nothing_for_one_row_of_the_last_batch(db: store.Db, tmp_path: Path) -> None:
    path = write(
        tmp_path, NAME.format("2024-05-10"), cases(*((n, "OPEN") for n in range(1, 21)), (0, "OPEN"))
    )
    kept = feeds.keep(db, path, sender="test", by="system", now=NOW, whole=True)
    read = feeds.whole(feeds.read(db, [kept], now=NOW, pack=in_batches(5)))
    assert read.deliveries[0].status == "refused" and "1 of 21 rows" in str(read.deliveries[0].why)
    assert len(read.reports) == 0 and all(len(table) == 0 for table in stored(db))


def test_a_control_total_is_held_against_all_batches(db: store.Db, tmp_path: Path) -> None:
    for month, rows in (("2024-05-31", 11), ("2024-06-30", 12)):
        flags = [
            {"idnJuvenileHistory": f"{n}", "idnCase": f"{n}", "idnJuvenile": "1"} for n in range(1, rows + 1)
        ]
        write(tmp_path, f"eoir/{month}/Count.txt", "tbl_JuvenileHistory.csv\t12\n")
        write(tmp_path, f"eoir/{month}/tbl_JuvenileHistory.csv", tabbed(HISTORY, *flags))
    wrong = send(db, tmp_path / "eoir" / "2024-05-31", pack=in_batches(3)).of(HISTORY)
    assert wrong.status == "held" and "Count.txt says 12 rows and the table has 11" in str(wrong.why)
    assert all(len(table) == 0 for table in stored(db))
    right = send(db, tmp_path / "eoir" / "2024-06-30", pack=in_batches(3)).of(HISTORY)
    assert adds_up(right) and right.rows == 12


def test_a_table_that_comes_alone_knows_its_cases_in_every_batch(db: store.Db, tmp_path: Path) -> None:
    """It shows nothing of whose case it is; those of which a row was taken before count, and no other."""
    send(db, mixed(tmp_path / "before"))
    rows = [hearing(100 + n, n % 7) for n in range(49)]
    later = extract(tmp_path / "later", as_of="2024-06-30", tbl_schedule=rows)
    for size in (4, 1_000):
        with db.transaction(force_rollback=True):
            alone = send(db, later, pack=in_batches(size)).one
            assert adds_up(alone) and alone.withdrawn == 0
            assert alone.left == 14, "cases 0 and 4 are no child's; 1, 2, 3, 5 and 6 are"


def test_a_case_taken_before_stays_when_no_table_speaks_of_it_any_more(db: store.Db, tmp_path: Path) -> None:
    """Case 6 was a child's by its juvenile flag; now its hearings alone name it."""
    send(db, mixed(tmp_path / "before"))
    later = extract(
        tmp_path / "later",
        as_of="2024-06-30",
        A_TblCase=[case(1), case(2, CASEPRIORITY_CODE="")],
        tbl_schedule=[hearing(100 + n, n % 7) for n in range(49)],
    )
    schedule = send(db, later).of("eoir.tbl_schedule")
    assert adds_up(schedule) and (schedule.left, schedule.withdrawn) == (14, 0)


def test_only_a_feeds_first_delivery_is_first(db: store.Db, tmp_path: Path) -> None:
    """Nothing can be recorded of its rows, so nobody looks for it; of a second delivery somebody must."""

    def firsts(day: str, *rows: tuple[int, str]) -> set[bool]:
        path = write(tmp_path, NAME.format(day), cases(*rows))
        kept = feeds.keep(db, path, sender="test", by="system", now=NOW)
        read = feeds.read(db, [kept], now=NOW, pack=in_batches(2))
        return {part.first for part in read if len(part.reports)}

    rows = [(n, "GRANTED") for n in range(1, 6)]
    assert firsts("2024-05-01", *rows) == {True}
    assert firsts("2024-05-31", *rows, (6, "GRANTED")) == {False}
