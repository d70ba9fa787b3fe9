"""What is true of each child, worked out from the rows as they were written and from nothing else.

The rules, which reproduce the truth of the agreed sample from the sample's own rows:

* ``discharged``: an ORR discharge row exists; ``discharge`` is its type; ``released`` is type ``REUNIFIED``, no other.
* ``nta_served``: ERO's NTA Served Date is not blank. ``nta_filed``: its NTA Filed Date is not blank, or there is a court case.
* ``in_court``: a court case exists. ``fta``: a hearing was adjourned for reason ``11``, or a proceeding has ABSENTIA ``Y``
  or OTHER_COMP ``B``; nothing later undoes it. ``in_absentia``: a proceeding has ABSENTIA ``Y``.
* ``opla_knows_fta``: OPLA's FTA Recorded is ``Y``. ``ero_knows_fta``: ERO's FTA Noted Date is not blank (its Case Status does
  not count).
* ``release_address_bad``: of the released, from the discharge row: ``BLANK``; ``UNDELIVERABLE`` (``ADDRESS UNKNOWN``,
  ``GENERAL DELIVERY``, ZIP ``00000``, no house number); ``NO UNIT`` (the line ends in ``APT`` and Unit is blank).
* ``address_usable``: not released, or the release address is not bad, or a check-in, an AR-11 or an EOIR-33 states another.
* ``notice_to_old_address``: a notice went to an address other than the one that a check-in (Documented On), an AR-11
  (Filed On) or an EOIR-33 (FILED_ON) had stated before MAILED_ON.
* ``release_not_told``: released, and DHS Notified At is blank or more than a day after Discharged At.
* ``transfer_late``: Transfer to ORR Date is more than 72 hours after UC Determination Date.
* ``shared_address``: three or more children of different families were released to one usable address (line, unit, ZIP)
  with sponsors of category 3.
* ``i589``: a benefit row of that form exists. ``dhs_notified``: DHS Notified At is not blank.
* a runaway is an incident ``UNAUTHORIZED ABSENCE``; ``ncmec`` and ``ice`` say whether the day they were told is there.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl

from .agencies import bad_address

HOURS_OF_TRANSFER = 72
FAMILIES_AT_ONE_ADDRESS = 3
ADDRESS = ["line", "unit", "zip"]


@dataclass(frozen=True)
class Rows:
    """The rows of a nation in the columns of the feed contract, as text; each frame has ``child`` (a whole number) too.

    ``discharges`` also has ``family`` (the same number for siblings) and ``cluster`` (-1 for none).
    """

    ero: pl.DataFrame
    discharges: pl.DataFrame
    checkins: pl.DataFrame
    incidents: pl.DataFrame
    opla: pl.DataFrame
    benefits: pl.DataFrame
    ar11: pl.DataFrame
    cases: pl.DataFrame
    proceedings: pl.DataFrame
    schedule: pl.DataFrame
    notices: pl.DataFrame
    changes: pl.DataFrame


def _marks(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """The children of ``frame``, each once, marked ``name``."""
    return frame.select("child").unique(maintain_order=True).with_columns(pl.lit(True).alias(name))


def _of_ero(rows: Rows) -> pl.DataFrame:
    def at(column: str) -> pl.Expr:
        return pl.col(column).str.to_datetime("%Y-%m-%d %H:%M")

    waited = (at("Transfer to ORR Date") - at("UC Determination Date")).dt.total_minutes()
    return rows.ero.select(
        "child",
        nta_served=pl.col("NTA Served Date") != "",
        ero_filed=pl.col("NTA Filed Date") != "",
        ero_knows_fta=pl.col("FTA Noted Date") != "",
        transfer_late=waited > HOURS_OF_TRANSFER * 60,
    )


def _of_orr(rows: Rows) -> pl.DataFrame:
    told, left = pl.col("DHS Notified At"), pl.col("Discharged At")
    late = told.str.slice(0, 10).str.to_date(strict=False) > left.str.slice(
        0, 10
    ).str.to_date() + pl.duration(days=1)
    address = rows.discharges.select(line="Address Line 1", unit="Unit", zip="Zip")
    released = pl.col("Discharge Type") == "REUNIFIED"
    return rows.discharges.with_columns(bad_address(address)).select(
        "child",
        "cluster",
        discharge="Discharge Type",
        discharged=pl.lit(True),
        released=released,
        dhs_notified=told != "",
        release_not_told=released & ((told == "") | late.fill_null(False)),
        release_address_bad=pl.when(released).then("bad").otherwise(pl.lit("")),
    )


def known_addresses(rows: Rows) -> pl.DataFrame:
    """New addresses some agency holds: ``child known line unit zip``, ``known`` as ISO text."""
    parts = [
        rows.checkins.filter(pl.col("New Address Line 1") != "").select(
            "child", known="Documented On", line="New Address Line 1", unit="New Unit", zip="New Zip"
        ),
        rows.ar11.select("child", known="Filed On", line="Address 1", unit="Unit", zip="Zip"),
        rows.changes.select("child", known="FILED_ON", line="ADDRESS_1", unit="UNIT", zip="ZIP"),
    ]
    return pl.concat(parts)


def _to_old_address(rows: Rows) -> pl.DataFrame:
    sent = rows.notices.select("child", "MAILED_ON", line="ADDRESS_1", unit="UNIT", zip="ZIP")
    both = sent.join(known_addresses(rows), on="child", suffix="_new", maintain_order="left")
    other = pl.any_horizontal(pl.col(part) != pl.col(f"{part}_new") for part in ADDRESS)
    return both.filter((pl.col("known") < pl.col("MAILED_ON")) & other)


def _shared(rows: Rows) -> pl.DataFrame:
    released = rows.discharges.filter(
        pl.col("Discharge Type") == "REUNIFIED", pl.col("Sponsor Category") == "3"
    )
    at = released.select("child", "family", line="Address Line 1", unit="Unit", zip="Zip")
    at = at.with_columns(bad_address(at)).filter(pl.col("bad") == "")
    return at.filter(pl.col("family").n_unique().over(ADDRESS) >= FAMILIES_AT_ONE_ADDRESS)


def _missed(rows: Rows) -> pl.DataFrame:
    reset = rows.schedule.filter(pl.col("ADJ_RSN").str.strip_chars() == "11").select("child")
    ended = rows.proceedings.filter((pl.col("ABSENTIA") == "Y") | (pl.col("OTHER_COMP") == "B")).select(
        "child"
    )
    return pl.concat([reset, ended])


CHILDREN = (
    "shared_address child released discharge discharged nta_served nta_filed in_court fta in_absentia "
    "opla_knows_fta ero_knows_fta address_usable release_address_bad notice_to_old_address "
    "release_not_told cluster transfer_late i589 dhs_notified"
).split()


def children(rows: Rows) -> pl.DataFrame:
    """One row a child, in ERO's order, with the columns ``CHILDREN``."""
    marks = {
        "in_court": rows.cases,
        "fta": _missed(rows),
        "in_absentia": rows.proceedings.filter(pl.col("ABSENTIA") == "Y"),
        "opla_knows_fta": rows.opla.filter(pl.col("FTA Recorded") == "Y"),
        "notice_to_old_address": _to_old_address(rows),
        "newer": known_addresses(rows),
        "shared_address": _shared(rows),
        "i589": rows.benefits.filter(pl.col("Form") == "I-589"),
    }
    frame = _of_ero(rows).join(_of_orr(rows), on="child", how="left", maintain_order="left")
    for name, marked in marks.items():
        frame = frame.join(_marks(marked, name), on="child", how="left", maintain_order="left")
    frame = frame.with_columns(
        pl.col(pl.Boolean).fill_null(False), pl.col(pl.String).fill_null(""), pl.col("cluster").fill_null(-1)
    )
    return frame.with_columns(
        nta_filed=pl.col("ero_filed") | pl.col("in_court"),
        address_usable=~pl.col("released") | (pl.col("release_address_bad") == "") | pl.col("newer"),
    ).select(CHILDREN)


def hearings(rows: Rows, as_of: date) -> pl.DataFrame:
    """One row a child's hearing: ``hid child k date rsn fta end mailed future``, ``mailed`` blank where not yet sent."""
    mailed = rows.notices.select("IDNSCHEDULE", mailed=pl.col("MAILED_ON").str.to_date())
    decided = rows.proceedings.select(
        "IDNPROCEEDING",
        absent=pl.col("ABSENTIA") == "Y",
        closed=pl.col("OTHER_COMP") == "B",
        over=pl.col("COMP_DATE").str.slice(0, 10),
    )
    frame = rows.schedule.join(decided, on="IDNPROCEEDING", how="left", maintain_order="left")
    frame = frame.join(mailed, on="IDNSCHEDULE", how="left", maintain_order="left")
    reason, day = pl.col("ADJ_RSN").str.strip_chars(), pl.col("ADJ_DATE").str.slice(0, 10)
    final = (reason == "8B") & (day == pl.col("over"))
    said = (
        pl.when(reason == "11")
        .then(pl.lit("RESET"))
        .when(final & pl.col("absent"))
        .then(pl.lit("ABSENTIA"))
        .when(final & pl.col("closed"))
        .then(pl.lit("CLOSED"))
        .otherwise(pl.lit(""))
    )
    return frame.select(
        hid=pl.col("IDNSCHEDULE").cast(pl.Int64),
        child="child",
        k=(pl.col("ADJ_DATE").rank("ordinal").over("child") - 1).cast(pl.Int64),
        date=day.str.to_date(),
        rsn=reason,
        fta=said,
        end=reason == "8A",
        mailed="mailed",
        future=day.str.to_date() > as_of,
    ).sort("hid")


def runaways(rows: Rows) -> pl.DataFrame:
    """Who left care without leave, and whether NCMEC and ICE were told: ``child ncmec ice``."""
    away = rows.incidents.filter(pl.col("Category") == "UNAUTHORIZED ABSENCE")
    return away.select("child", ncmec=pl.col("NCMEC Told At") != "", ice=pl.col("ICE Told At") != "").sort(
        "child"
    )


def figures(of: pl.DataFrame, away: pl.DataFrame, as_of: date) -> dict[str, Any]:
    """The nation in figures, from :func:`children` and :func:`runaways`."""

    def count(condition: pl.Expr) -> int:
        return int(of.select(condition.sum()).item() or 0)

    fta = pl.col("fta")
    return {
        "children": len(of),
        "transferred": len(of),
        "discharged": count(pl.col("discharged")),
        "released": count(pl.col("released")),
        "nta_not_served": count(~pl.col("nta_served")),
        "in_court": count(pl.col("in_court")),
        "fta_children": count(fta),
        "in_absentia": count(pl.col("in_absentia")),
        "fta_not_in_opla": count(fta & ~pl.col("opla_knows_fta")),
        "fta_not_in_ero": count(fta & ~pl.col("ero_knows_fta")),
        "release_address_bad": count(pl.col("release_address_bad") != ""),
        "notice_to_old_address_children": count(pl.col("notice_to_old_address")),
        "fta_notice_to_old_address_children": count(fta & pl.col("notice_to_old_address")),
        "ran_away": len(away),
        "ran_away_not_reported": int(away.select((~pl.col("ncmec") | ~pl.col("ice")).sum()).item() or 0),
        "transfer_late": count(pl.col("transfer_late")),
        "asof": as_of.isoformat(),
    }
