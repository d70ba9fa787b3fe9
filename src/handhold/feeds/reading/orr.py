"""What the rows of HHS ORR's five files mean (``feeds.md`` 2)."""

import polars as pl

from handhold.feeds.reading.address import Columns
from handhold.feeds.reading.dol import referred
from handhold.feeds.reading.meaning import (
    Meaning,
    Rows,
    blind_text,
    first_surname,
    iso,
    known_place,
    number,
    phone,
    together,
    upper,
)

RELEASED_TO = Columns("Address Line 1", "Unit", "City", "State", "Zip")
MOVED_TO = Columns("New Address Line 1", "New Unit", "New City", "New State", "New Zip")


def _person(rows: Rows, **more: pl.Expr) -> pl.DataFrame:
    return rows.describe(
        number=number("A-Number"), last=pl.col("Last Names"), first=pl.col("First Names"), dob=iso("Date of Birth"), sex=upper("Sex"),
        country=upper("Country of Birth"), **more,
    )  # fmt: skip


def placements(rows: Rows) -> Meaning:
    """Care provider stays."""
    reports = together(
        rows.report(
            "admitted", "Admitted At", detail={"program": pl.col("Program"), "level": upper("Level of Care")}
        ),
        rows.report("left-program", "Left At", detail={"to": upper("Left To")}),
    )
    return reports, _person(rows, language=upper("Language"), custody=iso("Admitted At"))


def discharges(rows: Rows) -> Meaning:
    """Releases and other ends of care; the sponsor goes under its own seal.

    ``sponsor_ref`` and ``family`` are blind: they say that two children have the same sponsor, or the same first
    surname, and nothing else.
    """
    family = blind_text(rows.frame, first_surname(pl.col("Last Names")), "family")
    sponsor_ref = blind_text(rows.frame, upper("Sponsor ID"), "sponsor")
    phones = {"first_phone": phone(rows.frame, "Phone"), "second_phone": phone(rows.frame, "Other Phone")}
    rows = rows.with_(family=family, sponsor_ref=sponsor_ref, **phones).at(RELEASED_TO)
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
        rows.report("discharged", "Discharged At", detail=detail, placed=True, sealed={"sponsor": sponsor}),
        rows.report("told-dhs", "DHS Notified At"),
    )
    return reports, _person(
        rows, phone=pl.col("first_phone"), other_phone=pl.col("second_phone"), sponsor=pl.col("sponsor_ref"),
        place=known_place("place"), building=known_place("building"), release=iso("Discharged At"),
    )  # fmt: skip


def checkins(rows: Rows) -> Meaning:
    """Calls and visits after release, with the new address if one was told. "Refused" is an outcome, not an alarm."""
    rows = rows.at(MOVED_TO)
    moved = pl.when(pl.col("place").is_not_null()).then(pl.lit("checkin"))
    detail = {
        "due": pl.col("Due Day"), "attempt": pl.col("Attempt"), "channel": upper("Channel"), "outcome": upper("Outcome"),
        "with_sponsor": upper("Child With Sponsor"), "address_confirmed": upper("Address Confirmed"), "eoir33": upper("EOIR-33 Filed"),
        "in_school": upper("In School"), "knows_hearing": upper("Knows Hearing Date"), "safety": upper("Safety Concern"), "basis": moved,
    }  # fmt: skip
    note = {"clinical": {"note": pl.col("Child Elsewhere Note")}}
    return rows.report(
        "contact-attempted", "Attempted At", known="Documented On", placed=True, detail=detail, sealed=note
    ), _found(rows)


def _found(rows: Rows) -> pl.DataFrame:
    """Where calls found children; the files of the other calls are mentioned."""
    return pl.concat([rows.whereabouts(), rows.mention()])


def concerns(rows: Rows) -> Meaning:
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
        referred(rows),
    )  # fmt: skip
    return reports, rows.mention()


def incidents(rows: Rows) -> Meaning:
    """Significant incidents, and who was told of them; an unauthorised absence begins an absence."""
    absent = upper("Category") == "UNAUTHORIZED ABSENCE"
    reports = together(
        rows.where(~absent).report("incident", "Occurred At", detail={"category": upper("Category")}),
        rows.where(absent).report("absence-began", "Occurred At"),
        rows.report("police-told", "Police Told At"),
        rows.report("ncmec-told", "NCMEC Told At", detail={"number": pl.col("NCMEC Number").is_not_null()}),
        rows.report("ice-told", "ICE Told At"),
        rows.report("child-found", "Found At"),
    )
    return reports, rows.mention()
