"""What the rows of USCIS mean (``feeds.md`` 5). What a benefit is about stays under its own seal."""

import polars as pl

from handhold.feeds.reading.address import Columns
from handhold.feeds.reading.meaning import Meaning, Rows, iso, known_place, number, together, upper

MOVED_TO = Columns("Address 1", "Unit", "City", "State", "Zip")


def benefits(rows: Rows) -> Meaning:
    """Benefit requests: that there is one may be known to the court, what it says may not."""
    first = rows.pack.toml("feeds/uscis.toml")["first_forms"]
    asked = {"form": upper("Form"), "receipt": pl.col("Receipt")}
    decided = rows.where(upper("Status") != "PENDING")
    reports = together(
        rows.report("benefit-filed", "Received On", detail={"first": upper("Form").is_in(first)}, sealed={"benefit": asked}),
        decided.report(
            "benefit-decided", "Status On", detail={"granted": upper("Status") == "APPROVED"},
            sealed={"benefit": {"form": upper("Form"), "status": upper("Status")}},
        ),
        rows.report("charging-document-issued", "NTA Issued On", detail={"basis": pl.lit("uscis")}),
    )  # fmt: skip
    described = rows.describe(
        number=number("A-Number"),
        last=pl.col("Last Name"),
        first=pl.col("First Name"),
        dob=iso("Date of Birth"),
        country=upper("Country of Birth"),
    )
    return reports, described


def ar11(rows: Rows) -> Meaning:
    """Changes of address told to USCIS: effective when the child moved, known when the form was filed."""
    rows = rows.at(MOVED_TO)
    reports = rows.report(
        "address-stated",
        "Moved On",
        "Filed On",
        known="Filed On",
        placed=True,
        detail={"basis": pl.lit("ar11")},
    )
    described = rows.describe(
        number=number("A-Number"),
        last=pl.col("Last Name"),
        first=pl.col("First Name"),
        dob=iso("Date of Birth"),
        place=known_place("place"),
        building=known_place("building"),
    )
    return reports, described
