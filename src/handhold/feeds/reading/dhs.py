"""What the rows of ICE ERO and ICE OPLA mean (``feeds.md`` 1 and 4)."""

from typing import Any

import polars as pl

from handhold.feeds.reading.address import Columns
from handhold.feeds.reading.meaning import Meaning, Rows, iso, known_place, number, together, upper

RELEASE = Columns("Release Address", "Unit", "City", "State", "Zip")


def hold_reason(rules: dict[str, Any]) -> pl.Expr:
    """Why a charging document is held, as a code: the free text itself may say anything and goes no further."""
    text = pl.col("NTA Hold Reason").str.to_lowercase()
    said = [
        pl.when(text.str.contains_any(words)).then(pl.lit(code))
        for code, words in rules["hold_reason"].items()
    ]
    return pl.coalesce(*said, pl.lit("other"))


def transfers(rows: Rows) -> Meaning:
    """ERO's transfer list: custody, the charging document's three facts, and where ERO believes the child to be."""
    rows = rows.at(RELEASE)
    held, told = (
        rows.where(pl.col("NTA Hold Reason").is_not_null()),
        rows.where(pl.col("Release Address").is_not_null()),
    )
    reason = hold_reason(rows.pack.toml("feeds/dhs.toml"))
    reports = together(
        rows.report("apprehended", "Apprehension Date"),
        rows.report("determined", "UC Determination Date"),
        rows.report("transferred", "Transfer to ORR Date", detail={"aor": pl.col("Responsible AOR")}),
        rows.report("charging-document-issued", "NTA Issued Date", detail={"basis": pl.lit("ero")}),
        rows.report("charging-document-served", "NTA Served Date", detail={"on": upper("Served On")}),
        rows.report("charging-document-filed", "NTA Filed Date", detail={"basis": pl.lit("ero")}),
        held.report("charging-document-held", "Updated On", detail={"reason": reason}),
        told.report("address-stated", "Updated On", placed=True, detail={"basis": pl.lit("ero")}),
        rows.report("missed-hearing-noted", "FTA Noted Date"),
        rows.where(pl.col("Case Status").is_not_null()).report(
            "case-status", "Updated On", detail={"status": upper("Case Status")}
        ),
    )
    described = rows.describe(
        number=number("A-Number"), last=pl.col("Last Name"), first=pl.col("First Name"), middle=pl.col("Middle Name"), dob=iso("Date of Birth"),
        sex=upper("Sex"), country=upper("Country of Citizenship"), entry=iso("Apprehension Date"),
        custody=iso("Transfer to ORR Date"), place=known_place("place"), building=known_place("building"),
    )  # fmt: skip
    return reports, described


def cases(rows: Rows) -> Meaning:
    """What OPLA's attorneys typed. A blank FTA Recorded is unknown, not no."""
    recorded = upper("FTA Recorded").fill_null("U")
    reports = together(
        rows.report(
            "court-file", "Updated On",
            detail={"disposition": upper("Disposition"), "docket": upper("Docket"), "fta": recorded, "next_hearing": iso("Next Hearing")},
        ),
        rows.where(recorded == "Y").report("missed-hearing-noted", "FTA Recorded On", "Updated On"),
        rows.report("charging-document-filed", "NTA Filed Date", detail={"basis": pl.lit("opla")}),
        rows.report("absentia-order-noted", "In Absentia Order Date"),
        rows.report("case-closed", "Disposition Date", detail={"disposition": upper("Disposition")}),
    )  # fmt: skip
    named = pl.col("Respondent").str.extract_groups(r"^([^,]*?)\s*(?:,\s*(\S+)\s*(.*?)\s*)?$").struct
    described = rows.describe(
        number=number("A-Number"), court_case=pl.col("EOIR Case"), last=named.field("1"), first=named.field("2"),
        middle=named.field("3").replace("", None), dob=iso("Date of Birth"),
    )  # fmt: skip
    return reports, described
