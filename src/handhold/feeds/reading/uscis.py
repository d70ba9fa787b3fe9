"""What the rows of USCIS mean (``feeds.md`` 5). What a benefit is about stays under its own seal."""

import polars as pl

from handhold.feeds.reading.address import Columns
from handhold.feeds.reading.meaning import Rows, iso, number, together, upper

MOVED_TO = Columns("Address 1", "Unit", "City", "State", "Zip")
FIRST_FORMS = ["I-589", "I-360", "I-914", "I-918"]  # relief that USCIS decides before a court need be asked


def benefits(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Benefit requests: that there is one may be known to the court, what it says may not."""
    told = {"form": upper("Form"), "receipt": pl.col("Receipt"), "status": upper("Status")}
    detail = {"first": upper("Form").is_in(FIRST_FORMS)}
    decided = rows.where(upper("Status") != "PENDING")
    granted = detail | {"granted": upper("Status") == "APPROVED", "referred": upper("Status") == "REFERRED"}
    reports = together(
        rows.report("benefit-filed", "Received On", detail=detail, sealed={"benefit": told}),
        decided.report("benefit-decided", "Status On", detail=granted, sealed={"benefit": told}),
        rows.report("charging-document-issued", "NTA Issued On", detail={"basis": pl.lit("uscis")}),
    )
    described = rows.describe(
        number=number("A-Number"), last=pl.col("Last Name"), first=pl.col("First Name"), dob=iso("Date of Birth"), country=upper("Country of Birth")
    )
    return reports, described


def ar11(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Changes of address told to USCIS: effective when the child moved, known when the form was filed."""
    dated, undated = rows.where(pl.col("Moved On").is_not_null()), rows.where(pl.col("Moved On").is_null())
    detail = {"basis": pl.lit("ar11")}
    reports = together(
        dated.report("address-stated", "Moved On", known="Filed On", where=MOVED_TO, detail=detail),
        undated.report("address-stated", "Filed On", where=MOVED_TO, detail=detail),
    )
    described = rows.describe(number=number("A-Number"), last=pl.col("Last Name"), first=pl.col("First Name"), dob=iso("Date of Birth"))
    return reports, described
