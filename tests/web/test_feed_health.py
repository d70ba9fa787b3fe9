"""The Feeds page: how each feed is, in charts with their numbers beside them; and who may call a change normal."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from feeds.sending import send, write

from handhold import account, casework, pack, store

PACK = pack.load()
HEAD = "Event ID,UC Portal ID,Occurred At,Category,Police Told At,NCMEC Told At,NCMEC Number,ICE Told At,Found At\n"
NOW = datetime(2024, 6, 3, 14, 0, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def drifting(database: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Five days of incidents; on the last one the police are told less often than before."""
    folder: Path = tmp_path_factory.mktemp("feeds")
    with store.transaction() as db:
        for day, told in zip(range(30, 35), (150, 150, 150, 150, 90), strict=True):
            at = date(2024, 5, 1) + timedelta(days=day - 1)
            rows = (f"E{day}-{n},P{n},{at},OTHER,{at if n < told else ''},,,,\n" for n in range(300))
            send(
                db,
                write(folder, f"incidents_{at - timedelta(days=1)}_{at}.csv", HEAD + "".join(rows)),
                now=NOW,
            )
    casework.watch_feeds(casework.Office(by="system", now=NOW, pack=PACK))


def test_the_page_says_in_words_what_its_charts_show(visit: Callable) -> None:
    page = visit("steward", "safety").get("/feeds/").content.decode()
    assert "Police Told At in 30 % of the rows, usually 50 %" in page
    assert "300 rows in the newest" in page
    charts = re.findall(r"<svg[^>]*>", page)
    assert len(charts) == 2
    assert all('role="img"' in chart and re.search(r'aria-label="[^"]+"', chart) for chart in charts)
    assert "style=" not in "".join(re.findall(r"<svg.*?</svg>", page, re.S)), (
        "the content security policy allows no inline style"
    )


def test_only_who_mends_feeds_may_call_a_change_normal(visit: Callable) -> None:
    other = visit("coordinator", "court")
    assert "new normal" not in other.get("/feeds/").content.decode()
    assert other.post("/feeds/orr.incidents/normal", {"why": "a new form"}).status_code == 403
    steward = visit("steward", "safety")
    assert "new normal" in steward.get("/feeds/").content.decode()
    assert (
        "needs a reason"
        in steward.post("/feeds/orr.incidents/normal", {"why": " "}, follow=True).content.decode()
    )
    after = steward.post("/feeds/orr.incidents/normal", {"why": "a new form"}, follow=True).content.decode()
    assert "measured anew" in after
    assert "changed in itself" not in after
    with store.transaction() as db:
        assert [
            gap["kind"]
            for gap in account.feedgaps.listed(db, closed_since=NOW - timedelta(days=1))
            if not gap["closed"]
        ] == []
        assert store.fetch(db, "select by, verb from ledger_entry where verb = 'feed.accepted'")[0][
            "by"
        ].startswith("person:")


def test_a_figure_says_how_old_its_oldest_feed_is(visit: Callable) -> None:
    steward = visit("steward", "safety")
    assert "oldest feed under it: Mon 3 Jun 2024" in steward.get("/oversight/").content.decode()
    assert "orr.incidents" in steward.get("/oversight/absence-unreported/").content.decode()
