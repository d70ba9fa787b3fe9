"""A nation of a handful, written by hand in the feeds' own formats: what a test says of a child is what the rows say."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from handhold import pack
from handhold.feeds.layout import layouts

AS_OF = "2024-05-31"
NAMES = {
    "ero.uc_transfers": f"ero/uc_transfers_{AS_OF}.csv",
    "orr.placements": f"orr/placements_2024-01-01_{AS_OF}.csv",
    "orr.discharges": f"orr/discharges_2024-01-01_{AS_OF}.csv",
    "orr.checkins": f"orr/checkins_2024-01-01_{AS_OF}.csv",
    "orr.concerns": f"orr/concerns_2024-01-01_{AS_OF}.csv",
    "orr.incidents": f"orr/incidents_2024-01-01_{AS_OF}.csv",
    "opla.cases": f"opla/cases_{AS_OF}.csv",
    "uscis.benefits": f"uscis/benefits_2024-01-01_{AS_OF}.csv",
    "uscis.ar11": f"uscis/ar11_2024-01-01_{AS_OF}.csv",
}


@dataclass
class Nation:
    """Rows by feed; :meth:`write` puts them down as the agencies would send them."""

    rows: dict[str, list[Mapping[str, str]]] = field(default_factory=dict)

    def add(self, feed: str, **cells: str) -> "Nation":
        """One row; a column's blanks and dashes are underscores here, the rest is as in the contract."""
        columns = {_key(name): name for name in layouts(pack.load())[feed].columns}
        self.rows.setdefault(feed, []).append({columns[_key(name)]: value for name, value in cells.items()})
        return self

    def write(self, folder: Path) -> Path:
        """Write every feed that has rows, and return the folder."""
        for feed, rows in self.rows.items():
            layout = layouts(pack.load())[feed]
            path = folder / NAMES.get(feed, f"eoir/{AS_OF}/{layout.table}.csv")
            path.parent.mkdir(parents=True, exist_ok=True)
            _write(path, list(layout.columns), rows, layout.separator)
        return folder


def _key(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


def _write(path: Path, columns: list[str], rows: list[Mapping[str, str]], separator: str) -> None:
    with open(path, "w", encoding="cp1252" if separator == "\t" else "utf-8", newline="") as out:
        quoting = csv.QUOTE_NONE if separator == "\t" else csv.QUOTE_MINIMAL
        sheet = csv.DictWriter(
            out,
            columns,
            restval="",
            delimiter=separator,
            quoting=quoting,
            quotechar=None if separator == "\t" else '"',
        )
        sheet.writeheader()
        sheet.writerows(rows)


def released(nation: Nation, number: str = "216043624", portal: str = "UC1", *, last: str = "DUARTE", first: str = "ANA", dob: str = "2008-03-31",
             released: str = "2023-01-25", line: str = "197 ELM ST", unit: str = "APT 3", city: str = "HYATTSVILLE", state: str = "MD",
             zip: str = "20783", sponsor: str = "KARLA", told: str = "2023-01-25", served: str = "2023-02-07") -> Nation:  # fmt: skip
    """A child who was transferred in time and released to a sponsor; defaults leave nothing missing."""
    nation.add("ero.uc_transfers", a_number=number, last_name=last, first_name=first, date_of_birth=dob, sex="F", country_of_citizenship="HONDURAS",
               apprehension_date="2023-01-01", uc_determination_date="2023-01-01 08:00", transfer_to_orr_date="2023-01-02 14:00",
               nta_issued_date="2023-01-27", nta_served_date=served, served_on="BOTH" if served else "", release_address=line, unit=unit, city=city,
               state=state, zip=zip, case_status="ACTIVE", updated_on="2024-05-31")  # fmt: skip
    person = {
        "uc_portal_id": portal,
        "a_number": number,
        "last_names": last,
        "first_names": first,
        "date_of_birth": dob,
        "sex": "F",
    }
    nation.add("orr.placements", placement_id=f"P-{portal}", program="SHELTER ONE", level_of_care="SHELTER", admitted_at="2023-01-02 20:00",
               left_at=released, left_to="DISCHARGE", **person)  # fmt: skip
    return nation.add("orr.discharges", discharge_id=f"D-{portal}", discharged_at=released, discharge_type="REUNIFIED", sponsor_id=f"S-{portal}",
                      sponsor_last_names=last, sponsor_first_names=sponsor, sponsor_category="2A", relationship="RELATIVE", address_line_1=line, unit=unit,
                      city=city, state=state, zip=zip, phone="5551000000", dhs_notified_at=told, home_study="N", **person)  # fmt: skip


def in_court(
    nation: Nation,
    number: str = "216043624",
    case: str = "9000000",
    *,
    last: str = "DUARTE",
    first: str = "ANA",
    dob: str = "2008-03-31",
) -> Nation:
    """A court case of that child, with the exchange's identity row."""
    nation.add(
        "eoir.A_TblCase",
        idncase=case,
        nat="HO",
        lang="SP",
        custody="R",
        case_type="RMV",
        date_of_entry="2023-01-01",
        casepriority_code="UC",
    )
    nation.add(
        "eoir.CaseIdentity",
        idncase=case,
        a_number=number,
        last_name=last,
        first_name=first,
        birthdate=dob,
        gender="F",
    )
    return nation.add("eoir.B_TblProceeding", idnproceeding=f"8{case}", idncase=case, osc_date="2023-01-27", input_date="2023-03-01",
                      case_type="RMV", hearing_date="2023-06-01")  # fmt: skip


def hearing(nation: Nation, day: str, *, reason: str = "", case: str = "9000000", id: str = "4001", mailed: str = "", line: str = "197 ELM ST",
            unit: str = "APT 3", city: str = "HYATTSVILLE", state: str = "MD", zip: str = "20783") -> Nation:  # fmt: skip
    """A hearing row, and the notice that was mailed for it."""
    nation.add("eoir.tbl_schedule", idnschedule=id, idnproceeding=f"8{case}", idncase=case, cal_type="M", adj_date=day, adj_time_start="0830",
               adj_rsn=reason, schedule_type="MR", notice_code="6U", input_date="2023-03-02")  # fmt: skip
    if mailed:
        nation.add("eoir.HearingNotice", idnnotice=f"7{id}", idncase=case, idnschedule=id, notice_code="6U", mailed_on=mailed, address_1=line,
                   unit=unit, city=city, state=state, zip=zip)  # fmt: skip
    return nation
