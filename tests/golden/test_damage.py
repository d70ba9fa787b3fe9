"""Every golden file of damage reads, or is quarantined, or is refused exactly as written beside it; nothing else is disturbed."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from feeds.sending import NOW, PACK, Taken, adds_up, send, write

from handhold import feeds, store
from handhold.feeds.layout import layouts

from . import damage

CASES = damage.cases()
COUNTS = ("rows", "loaded", "unchanged", "quarantined", "left", "withdrawn")
WIDTH = {"y": 4, "m": 7, "d": 10, "t": 16}
STANDING = "select feed, id, content, delivery, line, withdrawn from feeds_row where feed = any(%(feeds)s) order by id"
BYSTANDERS = {
    "uscis/ar11_2024-05-01_2024-05-07.csv": "Confirmation,A-Number,Filed On,Address 1,City,State,Zip\nC1,A200000001,2024-05-02,1 ELM ST,DALTON,GA,30720\n",
    "opla/cases_2024-05-30.csv": 'A-Number,Respondent,Updated On\nA200000001,"PEREZ, ANA",2024-05-30\n',
}  # fmt: skip


@pytest.mark.parametrize(
    "case",
    [pytest.param(case, id=case.name, marks=pytest.mark.slow if case.slow else ()) for case in CASES],
)
def test_what_must_come_of_it_is_written_beside_it(case: damage.Case, db: store.Db, tmp_path: Path) -> None:
    before = _bystanders(db, tmp_path / "others", case)
    for number, deliveries in enumerate(case.sendings()):
        folder = tmp_path / str(number)
        paths = [damage.write(delivery, folder) for delivery in deliveries]
        if deliveries[0].get("unfinished"):
            assert feeds.find(folder) == []
            continue
        taken = send(db, *paths, search=False)
        for delivery, became in zip(deliveries, taken.deliveries, strict=True):
            _check(db, delivery, became, taken)
    assert _standing(db, before) == before


def _bystanders(db: store.Db, folder: Path, case: damage.Case) -> dict[str, list[tuple[Any, ...]]]:
    """Sound deliveries of feeds that the case does not touch: they must stand afterwards as they stood."""
    touched = {d.get("feed") or Path(d["sent"]).parts[0] for d in case.text["delivery"]}
    others = {name: text for name, text in BYSTANDERS.items() if Path(name).parts[0] not in touched}
    assert all(adds_up(d) for d in send(db, *(write(folder, *one) for one in others.items())).deliveries)
    return _standing(db, {"uscis.ar11" if "ar11" in name else "opla.cases": [] for name in others})


def _standing(db: store.Db, names: dict[str, Any]) -> dict[str, list[tuple[Any, ...]]]:
    rows = store.frame(db, STANDING, {"feeds": list(names)})
    return {feed: rows.filter(pl.col("feed") == feed).rows() for feed in names}


def _check(db: store.Db, delivery: dict[str, Any], became: feeds.Delivery, taken: Taken) -> None:
    expected = delivery["becomes"]
    assert (became.status, became.again) == (
        expected.get("status", "read"),
        expected.get("again", False),
    ), became.why
    if "why" in expected:
        assert became.why == (expected["why"] or None)
    if became.status == "read" and not became.again:
        assert adds_up(became)
        counts = {name: getattr(became, name) for name in COUNTS}
        wanted = {name: expected.get(name, 0) for name in COUNTS}
        assert counts == wanted, _quarantined(db, became)
        assert list(became.missing_columns) == expected.get("missing", list(became.missing_columns))
    assert _quarantined(db, became) == [
        (q["line"], q.get("column", ""), q.get("value"), q["why"]) for q in delivery.get("quarantined", [])
    ]
    _check_meaning(delivery, became, taken)


def _quarantined(db: store.Db, delivery: feeds.Delivery) -> list[tuple[Any, ...]]:
    asked = "select id, line, column_, value, why from feeds_quarantine where delivery = %(d)s order by line"
    sealed = store.frame(db, asked, {"d": delivery.id})
    values = store.unseal_many("delivery", "feeds_quarantine.value", sealed["id"], sealed["value"])
    return sealed.with_columns(values.alias("value")).select("line", "column_", "value", "why").rows()


def _check_meaning(delivery: dict[str, Any], became: feeds.Delivery, taken: Taken) -> None:
    """``[[delivery.says]]``: reports that must be there (all of them, where ``only`` stands in ``becomes``);
    ``[[delivery.describes]]``: descriptions."""
    zone = layouts(PACK)[became.feed].zone if became.feed else "UTC"
    said = [
        _report(row, zone)
        for row in taken.reports.filter(pl.col("delivery") == became.id).iter_rows(named=True)
    ]
    for wanted in delivery.get("says", []):
        assert any(wanted.items() <= one.items() for one in said), (wanted, said)
    kinds = delivery["becomes"].get("kinds")
    if kinds is not None:
        found = taken.reports.filter(pl.col("delivery") == became.id)["kind"].value_counts()
        assert dict(found.iter_rows()) == kinds
    described = taken.descriptions.filter(pl.col("delivery") == became.id).to_dicts()
    for wanted in delivery.get("describes", []):
        assert any(_same(wanted, one) for one in described), (wanted, described)


def _same(wanted: dict[str, Any], described: dict[str, Any]) -> bool:
    """``""`` stands for null, which TOML has not."""
    return all(described[name] == (value or None) for name, value in wanted.items())


def _report(row: dict[str, Any], zone: str) -> dict[str, Any]:
    """A report as a reader would tell it: moments at their own precision in the feed's zone, details and address beside."""
    at: datetime = row["at"].astimezone(ZoneInfo(zone))
    known: datetime = row["known"].astimezone(ZoneInfo(zone))
    told = {
        "kind": row["kind"],
        "line": row["line"],
        "at": at.strftime("%Y-%m-%dT%H:%M")[: WIDTH[row["precision"]]],
    }
    told |= {"known": known.strftime("%Y-%m-%d"), "flags": row["address_flags"]}
    return told | json.loads(row["detail"]) | json.loads(row["location"] or "{}")


def test_there_are_enough_golden_files_and_each_says_why() -> None:
    assert len(CASES) >= 60
    for case in CASES:
        assert {"defect", "source", "delivery"} <= case.text.keys(), case.name


def test_now_is_what_the_golden_files_say() -> None:
    assert NOW.isoformat() == "2024-06-01T12:00:00+00:00"
