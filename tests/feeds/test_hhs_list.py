"""HHS's published list feeds statistics alone: counted by year, state and category, linked to nobody."""

from pathlib import Path

import polars as pl

from handhold import oversight, store
from handhold.identity import describe

from .sending import NOW, PACK, send, write

HEAD = "ID,Child's Country of Origin,Child's Gender,Child's Date of Entry,Child's Date of Release,Sponsor Zipcode,Sponsor Category,Relationship of Sponsor\n"
ROWS = [
    "1905,Guatemala,M,1/2/2015,2/3/2015,7104,Category 1,Mother\n",
    "1905,Honduras,F,1/2/2015,10/1/2015,30720,Category 2,Uncle\n",
    "1906,Guatemala,M,1/2/2015,9/30/2015,00000,Category 1,Father\n",
    "1907,Guatemala,M,1/2/2015,,30721-0001,Category 3,Family Friend\n",
]


def _counts(db: store.Db) -> dict[str, tuple[dict[str, int], int]]:
    return {
        s.name.removeprefix("hhs-releases-by-"): (dict(s.parts), s.unknown)
        for s in oversight.statistics(db, pack=PACK)
    }


def test_releases_are_counted_by_year_state_and_category(db: store.Db, tmp_path: Path) -> None:
    assert oversight.statistics(db, pack=PACK) == []
    taken = send(db, write(tmp_path, "hhs/releases.csv", HEAD + "".join(ROWS)))
    assert _counts(db) == {
        "year": ({"2015": 2, "2016": 1}, 1),
        "state": ({"GA": 2, "NJ": 1}, 1),
        "category": ({"Category 1": 2, "Category 2": 1, "Category 3": 1}, 0),
    }
    lines = oversight.rows_under(db, "hhs-releases-by-year", pack=PACK)
    assert lines is not None
    assert lines.filter(pl.col("label") == "2015").select("delivery", "line").rows() == [
        (taken.one.id, 2),
        (taken.one.id, 4),
    ]


def test_a_corrected_list_replaces_and_never_doubles(db: store.Db, tmp_path: Path) -> None:
    send(db, write(tmp_path, "hhs/releases.csv", HEAD + "".join(ROWS)))
    corrected = [ROWS[0], ROWS[1].replace("10/1/2015", "9/1/2015"), ROWS[2]]
    taken = send(db, write(tmp_path, "again/releases.csv", HEAD + "".join(corrected)))
    assert (taken.one.loaded, taken.one.unchanged, taken.one.withdrawn) == (1, 2, 2)
    assert _counts(db)["year"] == ({"2015": 3}, 0)


def test_the_list_is_linked_to_nobody(db: store.Db, tmp_path: Path) -> None:
    taken = send(db, write(tmp_path, "hhs/releases.csv", HEAD + "".join(ROWS)))
    describe(db, taken.descriptions, now=NOW)
    assert len(taken.descriptions) == len(taken.reports) == 0
    assert store.fetch(db, "select count(*) as n from identity_file")[0]["n"] == 0


def test_statistics_are_exported_beside_the_figures(db: store.Db, tmp_path: Path) -> None:
    send(db, write(tmp_path, "hhs/releases.csv", HEAD + "".join(ROWS)))
    oversight.export(db, "figures", tmp_path / "f.parquet", as_of=None, now=NOW, pack=PACK)
    figures = dict(pl.read_parquet(tmp_path / "f.parquet").select("figure", "value").iter_rows())
    assert figures["hhs-releases-by-state/GA"] == 2
    assert figures["children"] == 0, "what a published list counts is never added to the figures"
