"""A simulated nation against the contract of the feeds, against its own rows, and against what it is calibrated to."""

import hashlib
import json
import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from handhold import pack
from handhold.feeds.layout import layouts
from handhold.simulate import RATES, simulate, truth

from .rereading import Nation, sheet, tabbed

AS_OF = date(2024, 5, 31)
SAMPLE = Path(os.environ.get("HANDHOLD_SAMPLE", Path(__file__).parents[3] / "shared" / "samples" / "small"))
SAMPLE_FLAW = 412
"""A child of the sample whose truth calls the address usable though no row says so."""


def make(folder: Path, children: int, **more: float) -> Nation:
    simulate(folder, children=children, seed=7, as_of=AS_OF, adults_per_child=1.0, **more)  # type: ignore[arg-type]
    return Nation(folder, AS_OF)


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Nation:
    """300 children with eight times the usual slips and defects."""
    return make(tmp_path_factory.mktemp("few"), 300, error=8.0)


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Nation:
    """5,000 children as calibrated."""
    return make(tmp_path_factory.mktemp("many"), 5_000)


def hashes(folder: Path) -> dict[str, str]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def test_the_same_arguments_give_the_same_bytes(few: Nation, tmp_path: Path) -> None:
    again = make(tmp_path / "again", 300, error=8.0)
    assert hashes(again.feeds.parent) == hashes(few.feeds.parent)


def test_another_seed_gives_other_children(few: Nation, tmp_path: Path) -> None:
    simulate(tmp_path, children=300, seed=8, as_of=AS_OF)
    assert not sheet(tmp_path / "feeds" / "ero")["A-Number"].equals(few.rows.ero["A-Number"])


@pytest.mark.parametrize(
    "wrong", [{"children": 0}, {"error": -1.0}, {"adults_per_child": -1.0}, {"as_of": date(2018, 1, 1)}]
)
def test_nobody_or_no_time_is_refused(wrong: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least one child"):
        simulate(tmp_path, **{"children": 5, "seed": 1, "as_of": AS_OF, **wrong})  # type: ignore[arg-type]


def test_one_child_is_a_nation(tmp_path: Path) -> None:
    made = simulate(tmp_path, children=1, seed=3, as_of=AS_OF, adults_per_child=0)
    assert made.children == len(sheet(tmp_path / "feeds" / "ero")) == 1


# --- the contract


def _shown(nation: Nation) -> dict[str, pl.DataFrame]:
    orr = ("placements", "discharges", "checkins", "concerns", "incidents")
    court = ("A_TblCase", "B_TblProceeding", "tbl_schedule", "tbl_JuvenileHistory", "tbl_RepsAssigned")
    return {
        "ero.uc_transfers": sheet(nation.feeds / "ero"),
        **{f"orr.{name}": nation.one(f"orr/{name}_*.csv") for name in orr},
        **{
            f"eoir.{name}": nation.court(name) for name in (*court, "CaseIdentity", "HearingNotice", "EOIR33")
        },
        "opla.cases": nation.one("opla/cases_*.csv"),
        "uscis.benefits": nation.one("uscis/benefits_*.csv"),
        "uscis.ar11": nation.one("uscis/ar11_*.csv"),
    }


def test_columns_are_those_of_the_contract_in_its_order(few: Nation) -> None:
    contract = layouts(pack.load())
    for feed, frame in _shown(few).items():
        assert frame.columns == list(contract[feed].columns), feed


def test_codes_are_those_of_the_contract(few: Nation) -> None:
    contract = layouts(pack.load())
    for feed, frame in _shown(few).items():
        for column in contract[feed].columns.values():
            said = set(frame[column.name].str.strip_chars()) - {""}
            assert not column.codes or said <= column.codes, (feed, column.name, said - column.codes)


def test_a_large_nation_has_its_sheet_as_csv(
    few: Nation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("handhold.simulate.nation.IN_WORKBOOK", 100)
    made = make(tmp_path, 300, error=8.0)
    assert [path.suffix for path in (made.feeds / "ero").iterdir()] == [".csv"]
    assert_frame_equal(sheet(made.feeds / "ero"), sheet(few.feeds / "ero"))


def test_row_keys_are_unique(few: Nation) -> None:
    contract = layouts(pack.load())
    for feed, frame in _shown(few).items():
        keys = frame[contract[feed].key].str.replace_all(r"[^0-9A-Z-]", "")
        assert keys.is_unique().all() or feed == "opla.cases", feed


def test_control_totals_are_the_rows(few: Nation) -> None:
    folder = few.feeds / "eoir" / AS_OF.isoformat()
    for line in (folder / "Count.txt").read_text().splitlines():
        table, count = line.split("\t")
        assert int(count) == (folder / f"{table}.csv").read_bytes().count(b"\n") - 1, table


# --- the truth follows from the rows


def test_truth_follows_from_the_rows_as_read_back(few: Nation) -> None:
    families = few.rows
    assert_frame_equal(truth.children(families).drop("shared_address"), few.children.drop("shared_address"))
    assert_frame_equal(truth.runaways(families), pl.read_parquet(few.truth / "runaways.parquet"))
    written = pl.read_parquet(few.truth / "hearings.parquet")
    assert_frame_equal(truth.hearings(families, AS_OF).drop("k"), written.drop("k"))


def test_shared_addresses_are_the_clusters_drawn(many: Nation) -> None:
    together = many.children.filter(pl.col("cluster") >= 0)
    assert set(many.children.filter("shared_address")["child"]) == set(together["child"])
    assert together.group_by("cluster").len()["len"].min() >= 3
    homes = many.rows.discharges.filter(pl.col("cluster") >= 0)
    assert homes.group_by("cluster").agg(pl.col("Sponsor ID", "Address Line 1", "Zip").n_unique()).drop(
        "cluster"
    ).max().row(0) == (1, 1, 1)


def test_shifted_rows_are_as_the_figures_say(few: Nation) -> None:
    said = json.loads((few.truth / "figures.json").read_text())
    for table, count in said["shifted"].items():
        _, shifted, lost = tabbed(few.feeds / "eoir" / AS_OF.isoformat() / f"{table}.csv")
        assert (shifted, lost) == (count, said["beyond_repair"][table])
    assert sum(said["shifted"].values()) > 0


def test_without_error_all_agencies_say_the_same(tmp_path: Path) -> None:
    plain = make(tmp_path, 300, error=0.0)
    typed = plain.rows.ero.select(
        "child", last="Last Name", born=pl.col("Date of Birth").str.to_date("%m/%d/%Y")
    )
    heard = plain.rows.discharges.select(
        "child", last="Last Names", born=pl.col("Date of Birth").str.to_date()
    )
    both = typed.join(heard, on="child", suffix="_orr")
    assert both.filter(pl.col("last") != pl.col("last_orr").str.replace_all("Ñ", "N")).is_empty()
    assert both.filter(pl.col("born") != pl.col("born_orr")).is_empty()
    assert sum(json.loads((plain.truth / "figures.json").read_text())["shifted"].values()) == 0


def test_nothing_is_known_before_it_happens_or_after_the_last_day(few: Nation) -> None:
    rows = few.rows
    last = AS_OF.isoformat()
    for frame, column in (
        (rows.discharges, "Discharged At"),
        (rows.discharges, "DHS Notified At"),
        (rows.checkins, "Attempted At"),
        (rows.checkins, "Documented On"),
        (rows.notices, "MAILED_ON"),
        (rows.notices, "RETURNED_ON"),
        (rows.changes, "FILED_ON"),
        (rows.ar11, "Filed On"),
        (rows.benefits, "Status On"),
    ):
        assert frame[column].max() <= last, column
    moved = rows.ar11.join(rows.discharges.select("child", "Discharged At"), on="child")
    assert moved.filter(
        (pl.col("Moved On") <= pl.col("Discharged At")) | (pl.col("Filed On") <= pl.col("Moved On"))
    ).is_empty()


@pytest.mark.skipif(
    not SAMPLE.is_dir(), reason="the agreed sample is not on this machine; HANDHOLD_SAMPLE says where it is"
)
def test_the_same_rules_give_the_truth_of_the_agreed_sample() -> None:
    sample = Nation(SAMPLE, AS_OF)
    got = truth.children(sample.rows)
    wrong = sample.children.filter(pl.col("child") == SAMPLE_FLAW).with_columns(address_usable=False)
    expected = pl.concat([sample.children.filter(pl.col("child") != SAMPLE_FLAW), wrong]).sort("child")
    assert_frame_equal(got.sort("child"), expected.select(got.columns))
    assert_frame_equal(truth.runaways(sample.rows), pl.read_parquet(sample.truth / "runaways.parquet"))
    heard = pl.read_parquet(sample.truth / "hearings.parquet").with_columns(
        mailed=pl.when(pl.col("mailed") <= AS_OF).then("mailed")
    )
    assert_frame_equal(truth.hearings(sample.rows, AS_OF), heard)
    figures = json.loads((sample.truth / "figures.json").read_text())
    said = truth.figures(got, truth.runaways(sample.rows), AS_OF)
    assert said == {name: value for name, value in figures.items() if name in said}


# --- calibration


@pytest.mark.parametrize(
    ("flag", "share", "off"),
    [
        (pl.col("released"), 0.93, 0.02),
        (pl.col("nta_served"), RATES.nta_served, 0.02),
        (pl.col("in_court"), 0.40, 0.03),
        (pl.col("transfer_late"), RATES.transfer_late, 0.01),
        (pl.col("i589"), RATES.i589, 0.02),
        (pl.col("fta").filter("in_court"), 0.19, 0.03),
        (pl.col("in_absentia").filter("fta"), RATES.missed_absentia, 0.08),
        (pl.col("opla_knows_fta").filter("fta"), 0.53, 0.09),
        (pl.col("ero_knows_fta").filter("fta"), 0.37, 0.09),
        ((pl.col("release_address_bad") != "").filter("released"), RATES.bad_address, 0.012),
        (
            (pl.col("release_address_bad") == "NO UNIT").filter(pl.col("release_address_bad") != ""),
            0.50,
            0.10,
        ),
        (pl.col("release_not_told").filter("released"), 0.158, 0.02),
        (pl.col("notice_to_old_address").filter("in_court"), 0.08, 0.03),
    ],
)
def test_shares_are_as_calibrated(many: Nation, flag: pl.Expr, share: float, off: float) -> None:
    assert many.children.select(flag.mean()).item() == pytest.approx(share, abs=off)


def test_fiscal_years_are_as_calibrated(many: Nation) -> None:
    day = many.rows.ero.select(pl.col("UC Determination Date").str.slice(0, 10).str.to_date().alias("d"))
    year = day.select(pl.col("d").dt.offset_by("3mo").dt.year().alias("y")).group_by("y").len().sort("y")
    assert (year["len"] / len(day)).to_list() == pytest.approx(list(RATES.fiscal_years), abs=0.03)


def test_one_name_in_twelve_has_an_enye_in_court(many: Nation) -> None:
    names = many.court("CaseIdentity").select(
        pl.concat_str("LAST_NAME", "FIRST_NAME").str.contains("Ñ").mean()
    )
    assert names.item() == pytest.approx(1 / 12, abs=0.025)


def test_files_are_typed_as_wrongly_as_in_the_sample(many: Nation) -> None:
    typed = many.rows.ero.select(
        "child", last="Last Name", born=pl.col("Date of Birth").str.to_date("%m/%d/%Y")
    )
    heard = many.rows.discharges.select(
        "child",
        other=pl.col("Last Names").str.replace_all("Ñ", "N"),
        again=pl.col("Date of Birth").str.to_date(),
    )
    both = typed.join(heard, on="child")
    assert both.select((pl.col("last") != pl.col("other")).mean()).item() == pytest.approx(0.078, abs=0.025)
    assert both.select((pl.col("born") != pl.col("again")).mean()).item() == pytest.approx(0.027, abs=0.012)


def test_some_have_two_numbers_and_some_a_siblings(many: Nation) -> None:
    ero = many.rows.ero.select("child", number=pl.col("A-Number").str.replace_all(r"\D", ""))
    orr = many.rows.discharges.select("child", other=pl.col("A-Number").str.replace_all(r"\D", "")).filter(
        pl.col("other") != ""
    )
    differ = ero.join(orr, on="child").filter(pl.col("number") != pl.col("other"))
    assert len(differ) / len(orr) == pytest.approx(RATES.two_numbers / 2 + 0.007, abs=0.008)
    siblings = differ.join(ero.select(other="number", whose="child"), on="other")
    assert len(siblings) / len(orr) == pytest.approx(RATES.sibling_number, abs=0.003)


def test_siblings_share_a_household(many: Nation) -> None:
    known = many.rows.discharges.filter(pl.col("Discharge Type") == "REUNIFIED", pl.col("cluster") < 0)
    homes = known.group_by("Sponsor ID").agg(pl.len(), pl.col("Phone").n_unique().alias("phones"))
    together = homes.filter(pl.col("len") > 1)
    assert together["len"].sum() / len(known) == pytest.approx(0.20, abs=0.04)
    assert together["phones"].max() == 1


def test_most_of_the_courts_rows_are_adults(many: Nation) -> None:
    cases = many.court("A_TblCase")
    adults = cases.filter(pl.col("IDNCASE").str.starts_with("3"))
    assert len(adults) == pytest.approx(5_000, abs=10)
    assert adults["CASEPRIORITY_CODE"].unique().to_list() == [""]
    born = adults.filter(pl.col("C_BIRTHDATE") != "").select(
        pl.col("C_BIRTHDATE").str.slice(-4).cast(pl.Int32)
    )
    assert born.max().item() < 1998
    flags = many.court("tbl_JuvenileHistory").filter(pl.col("idnCase").str.starts_with("3"))
    assert flags["idnJuvenile"].unique().to_list() == ["5"]


def test_the_published_list_has_its_shape_and_is_written_only_when_asked_for(tmp_path: Path) -> None:
    simulate(tmp_path / "a", children=200, seed=1, as_of=AS_OF, published_list=True)
    simulate(tmp_path / "b", children=200, seed=1, as_of=AS_OF)
    assert not (tmp_path / "b" / "feeds" / "hhs").exists()
    listed = pl.read_csv(tmp_path / "a" / "feeds" / "hhs" / "releases.csv", infer_schema=False)
    assert listed.columns == list(layouts(pack.load())["hhs.releases"].columns)
    assert listed["ID"].n_unique() == len(listed) - 2
    assert listed["ID"].value_counts()["count"].max() == 2
    assert not listed["Sponsor Zipcode"].str.starts_with("0").any()
