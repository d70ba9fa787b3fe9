"""What the rows of ICE ERO and ICE OPLA mean (``feeds.md`` 1 and 4)."""

import polars as pl

from handhold.feeds.reading.address import Columns
from handhold.feeds.reading.meaning import Rows, iso, number, together, upper

RELEASE = Columns("Release Address", "Unit", "City", "State", "Zip")


def hold_reason() -> pl.Expr:
    """Why a charging document is held, as a code: the free text itself may say anything and goes no further."""
    text = pl.col("NTA Hold Reason").str.to_lowercase()
    return (
        pl.when(text.str.contains("uscis|i-589|i-360|asylum|sij")).then(pl.lit("uscis"))
        .when(text.str.contains("address")).then(pl.lit("address"))
        .when(text.str.contains("backlog|staff|slot")).then(pl.lit("backlog"))
        .when(text.str.contains("custody|orr")).then(pl.lit("custody"))
        .otherwise(pl.lit("other"))
    )  # fmt: skip


def transfers(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Reports and descriptions of ERO's transfer list."""
    reports = together(
        rows.report("apprehended", "Apprehension Date"),
        rows.report("determined", "UC Determination Date"),
        rows.report("transferred", "Transfer to ORR Date", detail={"aor": pl.col("Responsible AOR")}),
        rows.report("charging-document-issued", "NTA Issued Date", detail={"basis": pl.lit("ero")}),
        rows.report("charging-document-served", "NTA Served Date", detail={"on": upper("Served On")}),
        rows.report("charging-document-filed", "NTA Filed Date", detail={"basis": pl.lit("ero")}),
        rows.where(pl.col("NTA Hold Reason").is_not_null()).report("charging-document-held", "Updated On", detail={"reason": hold_reason()}),
        rows.where(pl.col("Release Address").is_not_null()).report("address-stated", "Updated On", where=RELEASE, detail={"basis": pl.lit("ero")}),
        rows.report("missed-hearing-noted", "FTA Noted Date"),
        rows.where(pl.col("Case Status").is_not_null()).report("case-status", "Updated On", detail={"status": upper("Case Status")}),
    )
    described = rows.describe(
        number=number("A-Number"), last=pl.col("Last Name"), first=pl.col("First Name"), middle=pl.col("Middle Name"), dob=iso("Date of Birth"),
        sex=upper("Sex"), country=upper("Country of Citizenship"), entry=iso("Apprehension Date"),
    )  # fmt: skip
    return reports, described


def cases(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Reports and descriptions of what OPLA's attorneys typed. A blank FTA Recorded is unknown, not no."""
    recorded = upper("FTA Recorded").fill_null("U")
    noted = rows.where(recorded == "Y")
    by_day, undated = noted.where(pl.col("FTA Recorded On").is_not_null()), noted.where(pl.col("FTA Recorded On").is_null())
    reports = together(
        rows.report(
            "court-file", "Updated On",
            detail={"disposition": upper("Disposition"), "docket": upper("Docket"), "fta": recorded, "next_hearing": iso("Next Hearing")},
        ),
        by_day.report("missed-hearing-noted", "FTA Recorded On"),
        undated.report("missed-hearing-noted", "Updated On"),
        rows.report("charging-document-filed", "NTA Filed Date", detail={"basis": pl.lit("opla")}),
        rows.report("absentia-order-noted", "In Absentia Order Date"),
        rows.report("case-closed", "Disposition Date", detail={"disposition": upper("Disposition")}),
    )  # fmt: skip
    whole = pl.col("Respondent").str.split_exact(",", 1)
    given = whole.struct.field("field_1").str.strip_chars()
    described = rows.describe(
        number=number("A-Number"), court_case=pl.col("EOIR Case"), last=whole.struct.field("field_0").str.strip_chars(),
        first=given, dob=iso("Date of Birth"),
    )  # fmt: skip
    return reports, described
