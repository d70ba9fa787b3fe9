"""What must hold in every table, asked as queries over all cells, whoever writes the agreements."""

from datetime import date

import polars as pl
import pytest

from handhold import access, pack

PACK = pack.load()
DAYS = [None, date(2012, 6, 1), date(2018, 6, 1), date(2024, 7, 1), date(2026, 1, 1)]


@pytest.fixture(params=DAYS, ids=str)
def cells(request: pytest.FixtureRequest) -> pl.DataFrame:
    table = access.compiled(PACK, request.param)
    rows = [
        (*question, decision.allowed, decision.rule, decision.reason)
        for question, decision in table.cells.items()
    ]
    return pl.DataFrame(
        rows, schema=["agency", "role", "purpose", "element", "allowed", "rule", "reason"], orient="row"
    )


def allowed(cells: pl.DataFrame, *conditions: pl.Expr) -> list[tuple[object, ...]]:
    return cells.filter(pl.col("allowed"), *conditions).rows()


def element(pattern: str) -> pl.Expr:
    return pl.col("element").str.contains(pattern)


def test_enforcement_gets_nothing_at_all(cells: pl.DataFrame) -> None:
    assert allowed(cells, pl.col("purpose") == "enforcement") == []


def test_the_firewall_is_a_prohibition_and_not_mere_silence(cells: pl.DataFrame) -> None:
    guarded = cells.filter(
        pl.col("purpose") == "enforcement",
        element(r"^(sponsor\.|child\.hhs-location|child\.concern-text|benefit\.)"),
    )
    assert len(guarded) > 500
    assert set(guarded["rule"]) <= {
        "sponsor-firewall",
        "benefit-not-for-enforcement",
        "benefit-content-stays",
        "labour-insulation",
        "sponsor-status-stays",
    }


def test_dol_never_learns_a_person_or_a_status(cells: pl.DataFrame) -> None:
    assert {row[3] for row in allowed(cells, pl.col("agency") == "DOL")} <= {"child.concern"}


def test_what_an_application_is_for_stays_with_uscis(cells: pl.DataFrame) -> None:
    assert {row[:3] for row in allowed(cells, element(r"^benefit\.content"))} <= {
        ("USCIS", "adjudicator", "benefit")
    }


def test_sponsor_status_stays_inside_orr(cells: pl.DataFrame) -> None:
    assert {row[0] for row in allowed(cells, element(r"^sponsor\.status"))} <= {"ORR"}


def test_dhs_never_learns_a_sponsor(cells: pl.DataFrame) -> None:
    assert allowed(cells, pl.col("agency").is_in(["ERO", "OPLA", "USCIS"]), element(r"^sponsor\.")) == []


def test_overseers_see_no_person(cells: pl.DataFrame) -> None:
    seen = {row[3] for row in allowed(cells, pl.col("agency") == "OIG")}
    assert not seen & {
        "child.identity",
        "child.description",
        "child.location",
        "child.hhs-location",
        "child.concern-text",
    }
    assert not {one for one in seen if one.startswith(("sponsor.", "benefit."))}


def test_a_role_sits_in_its_own_agency_only(cells: pl.DataFrame) -> None:
    own = {(role.agency, role.name) for role in access.words(PACK).roles}
    assert {row[:2] for row in allowed(cells)} <= own


def test_nobody_is_permitted_for_a_purpose_the_role_may_not_choose(cells: pl.DataFrame) -> None:
    chosen = {(reader.agency, reader.role, reader.purpose) for reader in access.readers(PACK)}
    assert {row[:3] for row in allowed(cells)} <= chosen


def test_every_refusal_says_why(cells: pl.DataFrame) -> None:
    assert cells.filter(pl.col("rule") == "", pl.col("reason") == "").is_empty()
    assert cells["reason"].str.len_chars().min() > 10
