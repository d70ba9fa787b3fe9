"""Cells: dates with their precision, A-numbers in all spellings, what is wrong with an address."""

from datetime import date

import polars as pl
import pytest

from handhold.feeds.reading import address
from handhold.feeds.reading.columns import a_number, moments
from handhold.feeds.reading.meaning import first_surname

from .sending import PACK

ZONE = "America/New_York"


@pytest.mark.parametrize(
    ("text", "iso", "precision"),
    [
        ("2024-05-31", "2024-05-31", "d"),
        ("2024-05-31 08:30", "2024-05-31T08:30", "t"),
        ("2024-05-31T08:30:15", "2024-05-31T08:30", "t"),
        ("2023-01-10 00:00:00.000", "2023-01-10", "d"),
        ("05/31/2024", "2024-05-31", "d"),
        ("5/1/24", "2024-05-01", "d"),
        ("5/1/29", "2029-05-01", "d"),
        ("5/1/30", "1930-05-01", "d"),
        ("5/1/2024 2:05 PM", "2024-05-01T14:05", "t"),
        ("8/1963", "1963-08", "m"),
        ("2005", "2005", "y"),
        ("45443", "2024-05-31", "d"),
        ("45443.5", "2024-05-31T12:00", "t"),
        ("1900-01-01", None, None),
    ],
)
def test_a_date_keeps_the_precision_it_has(text: str, iso: str | None, precision: str | None) -> None:
    read = moments(pl.Series([text]), zone=ZONE).row(0, named=True)
    assert (read["iso"], read["precision"], read["why"]) == (iso, precision, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [("2925-03-01", "is an impossible date"), ("1850-01-01", "is an impossible date"), ("2024-02-30", "is not a date"), ("soon", "is not a date"),
     ("13/13/2024", "is not a date")],
)  # fmt: skip
def test_what_is_no_date_is_said_to_be_none(text: str, why: str) -> None:
    read = moments(pl.Series([text]), zone=ZONE).row(0, named=True)
    assert read["at"] is None
    assert read["why"] == why


def test_two_digit_years_of_birth_are_past() -> None:
    read = moments(pl.Series(["3/4/25", "3/4/05", "3/4/24"]), zone=ZONE, births_before=date(2024, 6, 1))
    assert read["iso"].to_list() == ["1925-03-04", "2005-03-04", "2024-03-04"]


def test_moments_are_in_the_zone_of_the_feed_also_where_the_clock_jumps() -> None:
    read = moments(pl.Series(["2024-03-10 02:30", "2024-07-01", None]), zone=ZONE)["at"]
    assert [at.isoformat() if at else None for at in read] == [
        "2024-03-10T07:30:00+00:00",
        "2024-07-01T04:00:00+00:00",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "digits"),
    [("A123456789", "123456789"), ("A 123 456 789", "123456789"), ("123-456-789", "123456789"), ("A12345678", "012345678"), ("a 12 345 678 ", "012345678"),
     ("1234567", None), ("A1234567890", None), ("B123456789", None), ("PENDING", None)],
)  # fmt: skip
def test_a_numbers_in_all_spellings(text: str, digits: str | None) -> None:
    assert pl.DataFrame({"n": [text]}).select(a_number(pl.col("n"))).item() == digits


def _read(*addresses: tuple[str | None, str | None, str | None]) -> pl.DataFrame:
    where = address.Columns("line", "unit", "city", "state", "zip")
    rows = [
        {"line": line, "unit": unit, "city": "DALTON", "state": "GA", "zip": zip_}
        for line, unit, zip_ in addresses
    ]
    return address.read(
        pl.DataFrame(rows, dict.fromkeys(("line", "unit", "city", "state", "zip"), pl.String)), where, PACK
    )


@pytest.mark.parametrize(
    ("line", "unit", "zip_", "flags"),
    [
        ("197 ELM ST", "APT 3", "30720", ""),
        (None, None, "30720", "blank"),
        ("ADDRESS UNKNOWN", None, "30720", "unknown"),
        ("General Delivery", None, "30720", "general-delivery"),
        ("P.O. Box 12", None, "30720", "po-box"),
        ("ELM ST", None, "30720", "no-number"),
        ("197 ELM ST APT", None, "30720", "no-unit"),
        ("197 ELM ST", None, "00000", "bad-zip"),
        ("197 ELM ST", None, None, "bad-zip"),
        ("197 ELM ST", None, "00001", "bad-zip"),
        ("12 NORTHERN BLVD", None, "`30720-1234", ""),
        ("77 SHELTER RD", None, "7104", "institution"),
    ],
)
def test_what_is_wrong_with_an_address_on_its_face(
    line: str | None, unit: str | None, zip_: str | None, flags: str
) -> None:
    assert _read((line, unit, zip_))["address_flags"].item() == flags


def test_one_place_in_many_spellings() -> None:
    said = [
        ("197 Elm Street", "Apt. 3", "30720"),
        ("197  ELM ST APT 3", None, "30720-0001"),
        ("197 ELM ST", "#3", "`30720"),
        ("197 ELM ST #3", "", "30720"),
    ]
    read = _read(*said, ("197 ELM ST", "APT 4", "30720"), ("197 ELM ST", None, "30720"))
    assert read["place"].n_unique() == 3
    assert read["place"][:4].n_unique() == 1
    assert read["building"].n_unique() == 1


def test_a_street_is_not_taken_for_a_unit() -> None:
    read = _read(
        ("12 NORTH", None, "30720"),
        ("12 UNITED", None, "30720"),
        ("12 APTOS", None, "30720"),
        ("12", None, "30720"),
    )
    assert read["building"].n_unique() == 4


def test_no_address_is_no_place() -> None:
    where = address.Columns("l", "u", "c", "s", "z")
    read = address.read(
        pl.DataFrame({name: [None] for name in "lucsz"}, dict.fromkeys("lucsz", pl.String)), where, PACK
    )
    assert read.row(0) == (None, None, None, None)


@pytest.mark.parametrize(
    ("names", "first"),
    [
        ("DUARTE VASQUEZ", "DUARTE"),
        ("Núñez", "NUNEZ"),
        ("AJTUN-PASCUAL JUAN", "AJTUN"),
        ("DE LA CRUZ LOPEZ", "CRUZ"),
        ("", None),
        ("LA", "LA"),
    ],
)
def test_the_first_surname_is_folded(names: str, first: str | None) -> None:
    assert pl.DataFrame({"n": [names]}).select(first_surname(pl.col("n"))).item() == first
