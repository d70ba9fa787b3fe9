"""How a feed is: the pack's examples, what is written down when it is read, and gaps that open, close and reopen."""

from datetime import UTC, date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from feeds.sending import PACK, send, write
from hypothesis import given
from hypothesis import strategies as st

from handhold import account, feeds, oversight, store
from handhold.feeds import health
from handhold.feeds.health import Profile
from handhold.feeds.layout import layouts
from handhold.oversight.figures import definitions

RULES = PACK.toml("feeds/health.toml")
NOW = datetime(2024, 6, 1, 12, 0, tzinfo=UTC)
HEAD = "Event ID,UC Portal ID,Occurred At,Category,Police Told At,NCMEC Told At,NCMEC Number,ICE Told At,Found At\n"


def _profile(said: dict[str, Any]) -> Profile:
    counts = (said["rows"], said.get("quarantined", 0), said.get("withdrawn", 0))
    return Profile(*counts, said.get("columns", {}), said.get("codes", {}))


@pytest.mark.parametrize("example", RULES["example"], ids=lambda e: e["says"])
def test_examples_of_the_pack(example: dict[str, Any]) -> None:
    if "every" in example:
        silent_from = health.silent_from(
            example["as_of"], example["every"], RULES["silent"], "America/New_York"
        )
        assert (example["now"] >= silent_from) is example["silent"]
    else:
        before = [_profile(one) for one in example["usual"]]
        found = health.drift(
            _profile(example["delivery"]), before, snapshot=example["snapshot"], bounds=RULES["drift"]
        )
        assert [one.reason for one in found] == example["drift"]


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.sampled_from(["P1D", "P7D", "P2W", "P1M", "P12M"]))
def test_a_feed_is_due_after_it_came_and_silent_after_it_was_due(day: date, every: str) -> None:
    due = health.after(day, every)
    assert timedelta(0) < due - day <= timedelta(days=366)
    assert health.silent_from(day, every, RULES["silent"], "America/New_York") > datetime.combine(
        due, datetime.min.time(), UTC
    )


@given(
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 500), min_size=1),
    st.dictionaries(st.sampled_from("abcd"), st.integers(1, 500), min_size=1),
)
def test_a_shift_is_no_less_than_nothing_and_the_same_both_ways(
    one: dict[str, int], other: dict[str, int]
) -> None:
    assert health.stability(one, other) == pytest.approx(health.stability(other, one))
    assert health.stability(one, other) >= 0
    assert health.stability(one, one) == pytest.approx(0)


@given(st.lists(st.integers(0, 400), min_size=2, max_size=6))
def test_a_feed_that_does_not_change_does_not_drift(filled: list[int]) -> None:
    same = Profile(
        400, filled={str(n): count for n, count in enumerate(filled)}, codes={"c": {"A": 300, "B": 100}}
    )
    assert health.drift(same, [same] * 4, snapshot=False, bounds=RULES["drift"]) == []


def test_every_feed_that_repeats_says_how_often_it_comes() -> None:
    for layout in layouts(PACK).values():
        assert layout.every is None or health.after(date(2024, 1, 1), layout.every) > date(2024, 1, 1)
    assert [name for name, layout in layouts(PACK).items() if layout.every is None] == ["hhs.releases"]


def test_every_figure_rests_on_feeds_that_there_are() -> None:
    for definition in definitions(PACK).values():
        for pattern in definition.rests_on:
            assert any(fnmatchcase(feed, pattern) for feed in layouts(PACK)), (definition.name, pattern)


def _day(db: store.Db, folder: Path, day: date, rows: int, told: int, category: str = "OTHER") -> None:
    """A day's incidents, of which ``told`` were told to the police."""
    lines = [f"E{day:%m%d}{n},P{n},{day},{category},{day if n < told else ''},,,,\n" for n in range(rows)]
    path = write(folder, f"orr/incidents_{day - timedelta(days=1)}_{day}.csv", HEAD + "".join(lines))
    (taken,) = send(db, path, now=_evening(day)).deliveries
    assert taken.status == "read", taken.why


def _evening(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, tzinfo=UTC)


def _open(db: store.Db, now: datetime) -> list[tuple[str, str, str]]:
    account.feedgaps.watch(db, now=now, pack=PACK)
    return [
        (g["feed"], g["kind"], g["reason"])
        for g in account.feedgaps.listed(db, closed_since=now)
        if not g["closed"]
    ]


def test_what_a_delivery_looked_like_is_written_down(db: store.Db, tmp_path: Path) -> None:
    _day(db, tmp_path, date(2024, 5, 1), 40, 10)
    (one,) = health.check(db, now=_evening(date(2024, 5, 1)), pack=PACK)
    looked = one.newest.profile
    assert (looked.rows, looked.filled["Police Told At"], looked.filled["Found At"]) == (40, 10, 0)
    assert looked.codes["Category"] == {"OTHER": 40}
    assert one.due == date(2024, 5, 2)


@given(
    st.lists(
        st.tuples(st.sampled_from(["OTHER", "HOSPITAL", None]), st.sampled_from(["2024-05-01", None])),
        min_size=1,
        max_size=30,
    ),
    st.integers(1, 5),
)
def test_a_delivery_read_in_parts_looks_as_it_does_whole(
    rows: list[tuple[str | None, str | None]], parts: int
) -> None:
    layout = layouts(PACK)["orr.incidents"]
    whole = pl.DataFrame(rows, {"Category": pl.String, "Found At": pl.String}, orient="row")
    some = [health.profile(whole[n::parts], layout) for n in range(parts)]
    assert health.together(some).rows() == health.profile(whole, layout).rows()


def test_a_feed_that_falls_silent_opens_a_gap_of_its_own_and_its_next_delivery_closes_it(
    db: store.Db, tmp_path: Path
) -> None:
    _day(db, tmp_path, date(2024, 5, 1), 5, 0)
    assert _open(db, _evening(date(2024, 5, 2))) == []
    late = _evening(date(2024, 5, 6))
    assert _open(db, late) == [("orr.incidents", "feed-silent", "late")]
    (gap,) = account.feedgaps.listed(db, closed_since=late)
    assert (gap["owner"], gap["due"] > gap["since"], gap["times"]) == ("ORR", True, 1)
    assert _open(db, late) == [("orr.incidents", "feed-silent", "late")], "the same gap does not double"
    _day(db, tmp_path, date(2024, 5, 7), 5, 0)
    assert _open(db, _evening(date(2024, 5, 7))) == []
    again = _evening(date(2024, 5, 20))
    assert _open(db, again) == [("orr.incidents", "feed-silent", "late")]
    assert account.feedgaps.listed(db, closed_since=again)[0]["times"] == 2


def test_a_day_without_rows_is_a_sign_of_life_though_its_bytes_came_before(
    db: store.Db, tmp_path: Path
) -> None:
    for day in (date(2024, 5, 1), date(2024, 5, 2), date(2024, 5, 5)):
        taken = send(
            db, write(tmp_path, f"orr/incidents_{day - timedelta(days=1)}_{day}.csv", HEAD), now=_evening(day)
        )
        assert taken.one.again == (day > date(2024, 5, 1))
    (one,) = health.check(db, now=_evening(date(2024, 5, 6)), pack=PACK)
    assert (one.as_of, one.silent, len(one.came)) == (date(2024, 5, 5), False, 1)


def test_a_feed_that_changes_opens_a_gap_until_it_is_as_before(db: store.Db, tmp_path: Path) -> None:
    for day in range(1, 5):
        _day(db, tmp_path, date(2024, 5, day), 300, 150)
    assert _open(db, _evening(date(2024, 5, 4))) == []
    _day(db, tmp_path, date(2024, 5, 5), 300, 90)
    assert _open(db, _evening(date(2024, 5, 5))) == [("orr.incidents", "feed-drift", "fill")]
    (gap,) = account.feedgaps.listed(db, closed_since=NOW)
    assert gap["evidence"]["findings"] == [
        {"column": "Police Told At", "now": pytest.approx(0.3), "usual": 0.5}
    ]
    _day(db, tmp_path, date(2024, 5, 6), 300, 150)
    assert _open(db, _evening(date(2024, 5, 6))) == []


def test_a_person_may_say_that_a_change_is_the_new_normal(db: store.Db, tmp_path: Path) -> None:
    for day in range(1, 5):
        _day(db, tmp_path, date(2024, 5, day), 300, 150)
    for day in range(5, 7):
        _day(db, tmp_path, date(2024, 5, day), 300, 90, "HOSPITAL")
    now = _evening(date(2024, 5, 6))
    assert _open(db, now) == [
        ("orr.incidents", "feed-drift", "codes"),
        ("orr.incidents", "feed-drift", "fill"),
    ]
    with pytest.raises(feeds.FeedError, match="say why"):
        account.feedgaps.accept(db, "orr.incidents", by="person:7", why=" ", now=now)
    account.feedgaps.accept(
        db, "orr.incidents", by="person:7", why="new form since 5 May", now=now + timedelta(hours=1)
    )
    _day(db, tmp_path, date(2024, 5, 7), 300, 90, "HOSPITAL")
    assert _open(db, _evening(date(2024, 5, 7))) == []
    with pytest.raises(account.feedgaps.NoSuchGap):
        account.feedgaps.accept(db, "orr.incidents", by="person:7", why="again", now=now)


def test_gaps_of_feeds_are_exported_beside_those_of_children(db: store.Db, tmp_path: Path) -> None:
    _day(db, tmp_path, date(2024, 5, 1), 5, 0)
    now = _evening(date(2024, 5, 6))
    _open(db, now)
    oversight.export(db, "gaps", tmp_path / "gaps.parquet", as_of=None, now=now, pack=PACK)
    gaps = pl.read_parquet(tmp_path / "gaps.parquet")
    assert gaps.columns[:8] == ["gap", "child", "kind", "reason", "opened", "closed", "owner", "due"]
    assert gaps.select("child", "kind", "reason", "owner", "feed").rows() == [
        (None, "feed-silent", "late", "ORR", "orr.incidents")
    ]


def test_a_figure_knows_the_oldest_feed_it_rests_on(db: store.Db, tmp_path: Path) -> None:
    _day(db, tmp_path, date(2024, 5, 1), 5, 0)
    ero = (
        "A-Number,Last Name,First Name,Date of Birth,Updated On\nA200000001,PEREZ,ANA,2009-03-04,2024-05-29\n"
    )
    send(db, write(tmp_path, "ero/uc_transfers_2024-05-31.csv", ero))
    figures = {f.name: f for f in oversight.picture(db, now=NOW, pack=PACK)}
    assert figures["absence-unreported"].oldest == ("orr.incidents", date(2024, 5, 1))
    assert figures["transferred"].oldest == ("ero.uc_transfers", date(2024, 5, 31))
    assert figures["children"].oldest == ("orr.incidents", date(2024, 5, 1))
    assert figures["in-court"].oldest is None
    opened = oversight.explain(db, "children", now=NOW, pack=PACK)
    assert opened.feeds == [("orr.incidents", date(2024, 5, 1)), ("ero.uc_transfers", date(2024, 5, 31))]
