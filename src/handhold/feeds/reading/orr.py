"""What the rows of HHS ORR's five files mean (``feeds.md`` 2)."""

import polars as pl

from handhold.feeds.reading.address import Columns
from handhold.feeds.reading.meaning import Rows, blind_text, iso, number, together, upper

RELEASED_TO = Columns("Address Line 1", "Unit", "City", "State", "Zip")
MOVED_TO = Columns("New Address Line 1", "New Unit", "New City", "New State", "New Zip")


def _person(rows: Rows, **more: pl.Expr) -> pl.DataFrame:
    return rows.describe(
        number=number("A-Number"), last=pl.col("Last Names"), first=pl.col("First Names"), dob=iso("Date of Birth"), sex=upper("Sex"),
        country=upper("Country of Birth"), **more,
    )  # fmt: skip


def _mention(rows: Rows) -> pl.DataFrame:
    """A row that names nobody still says that there is such a file."""
    return rows.describe()


def placements(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Care provider stays."""
    reports = together(
        rows.report("admitted", "Admitted At", detail={"program": pl.col("Program"), "level": upper("Level of Care")}),
        rows.report("left-program", "Left At", detail={"to": upper("Left To")}),
    )
    return reports, _person(rows, language=upper("Language"), entry=iso("Admitted At"))


def discharges(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Releases and other ends of care; the sponsor goes under its own seal."""
    family = blind_text(rows.frame, upper("Last Names").str.extract(r"^(\S+)", 1), "family")
    sponsor_ref = blind_text(rows.frame, pl.col("Sponsor ID"), "sponsor")
    keyed = Rows(rows.frame.with_columns(family=family, sponsor_ref=sponsor_ref), rows.layout, rows.pack)
    detail = {
        "type": upper("Discharge Type"), "category": upper("Sponsor Category"), "relationship": upper("Relationship"),
        "prs": pl.col("Post-Release Services Level"), "home_study": upper("Home Study"), "family": pl.col("family"),
        "sponsor_ref": pl.col("sponsor_ref"),
    }  # fmt: skip
    sponsor = {
        "id": pl.col("Sponsor ID"), "last": pl.col("Sponsor Last Names"), "first": pl.col("Sponsor First Names"), "phone": pl.col("Phone"),
        "other_phone": pl.col("Other Phone"),
    }  # fmt: skip
    reports = together(
        keyed.report("discharged", "Discharged At", detail=detail, where=RELEASED_TO, sealed={"sponsor": sponsor}),
        keyed.report("told-dhs", "DHS Notified At"),
    )
    names = pl.concat_str("Sponsor First Names", "Sponsor Last Names", separator=" ", ignore_nulls=True)
    return reports, _person(keyed, phone=pl.col("Phone"), sponsor=names, release=iso("Discharged At"))


def checkins(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Calls and visits after release. "Refused" is an outcome, not an alarm."""
    detail = {
        "due": pl.col("Due Day"), "attempt": pl.col("Attempt"), "channel": upper("Channel"), "outcome": upper("Outcome"),
        "with_sponsor": upper("Child With Sponsor"), "address_confirmed": upper("Address Confirmed"), "eoir33": upper("EOIR-33 Filed"),
        "in_school": upper("In School"), "knows_hearing": upper("Knows Hearing Date"), "safety": upper("Safety Concern"),
        "documented": pl.col("Documented On").is_not_null(),
    }  # fmt: skip
    contact = rows.report(
        "contact-attempted", "Attempted At", known="Documented On", detail=detail, sealed={"clinical": {"elsewhere": pl.col("Child Elsewhere Note")}}
    )
    moved = rows.where(pl.col("New Address Line 1").is_not_null()).report(
        "address-stated", "Attempted At", known="Documented On", where=MOVED_TO, detail={"basis": pl.lit("checkin")}
    )
    return together(contact, moved), _mention(rows)


def concerns(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Notifications of concern; narrative and workplace are clinical."""
    told = {
        "employer": pl.col("Employer"), "city": pl.col("Workplace City"), "state": pl.col("Workplace State"), "narrative": pl.col("Narrative"),
        "rfa": pl.col("RFA Number"),
    }  # fmt: skip
    reports = together(
        rows.report(
            "concern-raised", "Reported At", sealed={"clinical": told},
            detail={"category": upper("Category"), "by": upper("Reported By"), "status": upper("Status")},
        ),
        rows.report("concern-acted", "Action At", detail={"rfa": pl.col("RFA Number").is_not_null()}),
    )  # fmt: skip
    return reports, _mention(rows)


def incidents(rows: Rows) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Significant incidents; an unauthorised absence carries whom was told of it."""
    absent = rows.where(upper("Category") == "UNAUTHORIZED ABSENCE")
    reports = together(
        rows.report("incident", "Occurred At", detail={"category": upper("Category")}),
        absent.report("absence-began", "Occurred At"),
        absent.report("police-told", "Police Told At"),
        absent.report("ncmec-told", "NCMEC Told At", detail={"number": pl.col("NCMEC Number").is_not_null()}),
        absent.report("ice-told", "ICE Told At"),
        absent.report("child-found", "Found At"),
    )
    return reports, _mention(rows)
