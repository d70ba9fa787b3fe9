"""The courts' extract as it comes: full layout, tab-separated, cp1252, unquoted, with the defects that occur in it.

What a defect hides from a child's row can be read back (one tab too many, a NUL byte, a padded code, a ZIP with marks);
what cannot be read back stands only in adults' rows, so that the truth follows from the rows.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl

from .draw import Bools, happens
from .parameters import Rates

_CASE = """IDNCASE ALIEN_CITY ALIEN_STATE ALIEN_ZIPCODE UPDATED_ZIPCODE UPDATED_CITY NAT LANG CUSTODY=R SITE_TYPE=M E_28_DATE
ATTY_NBR CASE_TYPE=RMV UPDATE_SITE LATEST_HEARING LATEST_TIME LATEST_CAL_TYPE=M UP_BOND_DATE UP_BOND_RSN CORRECTIONAL_FAC
RELEASE_MONTH RELEASE_YEAR INMATE_HOUSING DATE_OF_ENTRY C_ASY_TYPE=E C_BIRTHDATE C_RELEASE_DATE UPDATED_STATE
ADDRESS_CHANGEDON ZBOND_MRG_FLAG GENDER DATE_DETAINED DATE_RELEASED LPR=0 DETENTION_DATE DETENTION_LOCATION DCO_LOCATION
DETENTION_FACILITY_TYPE CASEPRIORITY_CODE"""
_PROCEEDING = """IDNPROCEEDING IDNCASE OSC_DATE INPUT_DATE BASE_CITY_CODE HEARING_LOC_CODE=@BASE_CITY_CODE IJ_CODE TRANS_IN_DATE
PREV_HEARING_LOC PREV_HEARING_BASE PREV_IJ_CODE TRANS_NBR HEARING_DATE HEARING_TIME=0830 DEC_TYPE DEC_CODE DEPORTED_1 DEPORTED_2
OTHER_COMP APPEAL_RSVD APPEAL_NOT_FILED COMP_DATE ABSENTIA VENUE_CHG_GRANTED TRANSFER_TO DATE_APPEAL_DUE_STATUS TRANSFER_STATUS
CUSTODY=R CASE_TYPE=RMV NAT LANG SCHEDULED_HEAR_LOC=@BASE_CITY_CODE CORRECTIONAL_FAC CRIM_IND=N IHP AGGRAVATE_FELON=0
DATE_DETAINED DATE_RELEASED"""
_SCHEDULE = """IDNSCHEDULE IDNPROCEEDING IDNCASE OSC_DATE GENERATION=1 SUB_GENERATION=0 REC_TYPE=A LANG HEARING_LOC_CODE=@BASE_CITY_CODE
BASE_CITY_CODE IJ_CODE INTERPRETER_CODE INPUT_DATE INPUT_TIME=1201 UPDATE_DATE UPDATE_TIME ASSIGNMENT_PATH=W CAL_TYPE=M ADJ_DATE
ADJ_TIME_START=0830 ADJ_TIME_STOP=0900 ADJ_RSN ADJ_MEDIUM=P ADJ_MSG ADJ_ELAP_DAYS=0 LNGSESSNID SCHEDULE_TYPE=MR NOTICE_CODE=6U
BLNCLOCKOVERRIDE=0 EOIRAttorneyID"""
_JUVENILE = (
    "idnJuvenileHistory idnCase idnProceeding idnJuvenile DATCREATEDON=2014-09-06_00:00:00.000 DATMODIFIEDON"
)
_REPRESENTATIVE = """IDNREPSASSIGNED IDNCASE STRATTYLEVEL=COURT STRATTYTYPE=ALIEN PARENT_TABLE PARENT_IDN BASE_CITY_CODE
INS_TA_DATE_ASSIGNED E_27_DATE E_28_DATE BLNPRIMEATTY=1"""
_IDENTITY = "IDNCASE A_NUMBER LAST_NAME FIRST_NAME BIRTHDATE GENDER"
_NOTICE = "IDNNOTICE IDNCASE IDNSCHEDULE NOTICE_CODE MAILED_ON ADDRESS_1 UNIT CITY STATE ZIP RETURNED_ON"
_CHANGE = "RECEIPT IDNCASE FILED_ON EFFECTIVE_ON ADDRESS_1 UNIT CITY STATE ZIP PHONE"
LAYOUT = {
    "A_TblCase": _CASE,
    "B_TblProceeding": _PROCEEDING,
    "tbl_schedule": _SCHEDULE,
    "tbl_JuvenileHistory": _JUVENILE,
    "tbl_RepsAssigned": _REPRESENTATIVE,
    "CaseIdentity": _IDENTITY,
    "HearingNotice": _NOTICE,
    "EOIR33": _CHANGE,
}
"""The columns of each table in order; ``=value`` for one that is always the same, ``=@column`` for a copy."""
TABBED = {"A_TblCase": "ALIEN_STATE", "B_TblProceeding": "OSC_DATE", "tbl_schedule": "IDNCASE"}
"""After which column the tab too many stands."""
AGAIN = {"A_TblCase": "DATE_OF_ENTRY", "B_TblProceeding": "HEARING_DATE", "tbl_schedule": "INPUT_DATE"}
"""After which a second one stands, where the row is beyond repair."""
NUL_IN = {"A_TblCase": "CASE_TYPE", "B_TblProceeding": "CASE_TYPE"}
PADDED = {"A_TblCase": "LANG", "B_TblProceeding": "LANG"}
ZIPS = {"A_TblCase": "ALIEN_ZIPCODE", "HearingNotice": "ZIP", "EOIR33": "ZIP"}


def columns(table: str) -> list[str]:
    """The columns of ``table`` in the order of the extract."""
    return [part.split("=")[0] for part in LAYOUT[table].split()]


def full(table: str, frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` in the full layout of ``table``."""

    def column(part: str) -> pl.Expr:
        name, _, value = part.partition("=")
        if name in frame.columns:
            return pl.col(name)
        if value.startswith("@"):
            return pl.col(value[1:]).alias(name)
        return pl.lit(value.replace("_", " ")).alias(name)

    return frame.select(column(part) for part in LAYOUT[table].split())


@dataclass
class Extract:
    """Writes the tables of one extract, chunk by chunk, and counts what it wrote."""

    folder: Path
    rates: Rates
    error: float
    rows: dict[str, int] = field(default_factory=dict)
    shifted: dict[str, int] = field(default_factory=dict)
    beyond_repair: dict[str, int] = field(default_factory=dict)
    _files: dict[str, BinaryIO] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def write(self, table: str, frame: pl.DataFrame, rng: np.random.Generator) -> None:
        """Append ``frame`` to ``table``, shuffled and with its defects; a column ``child`` tells children's rows."""
        order = rng.permutation(len(frame))
        frame = frame[order]
        child = (
            frame["child"].is_not_null().to_numpy()
            if "child" in frame.columns
            else np.zeros(len(frame), dtype=np.bool_)
        )
        text = self._spoil(table, full(table, frame), child, rng)
        first = table not in self._files
        if first:
            self._files[table] = (self.folder / f"{table}.csv").open("wb")
        self.rows[table] = self.rows.get(table, 0) + len(frame)
        self._put(table, text, first)

    def _put(self, table: str, text: pl.DataFrame, first: bool) -> None:
        """Write as cp1252; only names have letters for which that differs from UTF-8."""
        if table != "CaseIdentity":
            text.write_csv(self._files[table], include_header=first, separator="\t", quote_style="never")
            return
        said = text.write_csv(include_header=first, separator="\t", quote_style="never")
        self._files[table].write(said.encode("cp1252"))

    def close(self) -> None:
        """Close the tables and write the control totals."""
        for file in self._files.values():
            file.close()
        totals = "".join(f"{table}\t{count}\n" for table, count in self.rows.items())
        (self.folder / "Count.txt").write_text(totals, encoding="cp1252")

    def _spoil(self, table: str, text: pl.DataFrame, child: Bools, rng: np.random.Generator) -> pl.DataFrame:
        n = len(text)
        if table in ZIPS:
            text = _zips(text, ZIPS[table], self.rates, self.error, rng)
        if table in PADDED:
            text = _marked(
                text, PADDED[table], happens(rng, n, self.rates.padded_code * self.error), suffix=" "
            )
        if table == "A_TblCase":
            text = self._cases(text, child, rng)
        if table == "tbl_schedule":
            wrong = happens(rng, n, self.rates.impossible_hearing * self.error) & ~child
            far = pl.col("ADJ_DATE").str.replace(r"^\d{2}", "29")
            text = text.with_columns(
                ADJ_DATE=pl.when(pl.lit(pl.Series(wrong))).then(far).otherwise("ADJ_DATE")
            )
        return self._broken(table, text, child, rng)

    def _cases(self, text: pl.DataFrame, child: Bools, rng: np.random.Generator) -> pl.DataFrame:
        redacted = pl.lit(pl.Series(happens(rng, len(text), self.rates.redacted * self.error)))
        unknown = pl.lit(pl.Series(happens(rng, len(text), self.rates.unknown_entry * self.error) & ~child))
        return text.with_columns(
            ALIEN_CITY=pl.when(redacted).then(pl.lit("b6")).otherwise("ALIEN_CITY"),
            DATE_OF_ENTRY=pl.when(unknown).then(pl.lit("1900-01-01 00:00:00.000")).otherwise("DATE_OF_ENTRY"),
        )

    def _broken(self, table: str, text: pl.DataFrame, child: Bools, rng: np.random.Generator) -> pl.DataFrame:
        """Tabs too many and NUL bytes; a row has one or the other."""
        n = len(text)
        if table not in TABBED:
            return text
        tab = happens(rng, n, self.rates.extra_tab * self.error)
        worse = happens(rng, n, self.rates.extra_tab_beyond_repair * self.error) & ~child
        nul = happens(rng, n, self.rates.nul_byte * self.error) & ~tab & ~worse
        self.shifted[table] = self.shifted.get(table, 0) + int((tab | worse).sum())
        self.beyond_repair[table] = self.beyond_repair.get(table, 0) + int(worse.sum())
        text = _marked(text, TABBED[table], tab | worse, suffix="\t")
        text = _marked(text, AGAIN[table], worse, suffix="\t2014\t")
        if table in NUL_IN:
            text = _marked(text, NUL_IN[table], nul, replace=(r"^(.*)(.)$", "${1}\0${2}"))
        return text


def _marked(
    text: pl.DataFrame, column: str, when: Bools, *, suffix: str = "", replace: tuple[str, str] | None = None
) -> pl.DataFrame:
    """``text`` with ``column`` changed in the rows ``when``: something put after it, or a pattern replaced."""
    changed = pl.col(column) + suffix if replace is None else pl.col(column).str.replace(*replace)
    return text.with_columns(pl.when(pl.lit(pl.Series(when))).then(changed).otherwise(column).alias(column))


def _zips(
    text: pl.DataFrame, column: str, rates: Rates, error: float, rng: np.random.Generator
) -> pl.DataFrame:
    """ZIP codes with a backtick before them, four digits after them, or without their leading zeros."""
    n, code = len(text), pl.col(column)
    good = (code != "") & (code != "00000")

    def some(share: float) -> pl.Expr:
        return good & pl.lit(pl.Series(happens(rng, n, share * error)))

    plus = pl.concat_str(code, pl.lit("-"), pl.lit(pl.Series(rng.integers(1000, 9999, n))).cast(pl.String))
    changed = (
        pl.when(some(rates.zip_lost_zero))
        .then(code.str.strip_chars_start("0"))
        .when(some(rates.zip_plus_four))
        .then(plus)
        .when(some(rates.zip_backtick))
        .then(pl.lit("`") + code)
        .otherwise(code)
    )
    return text.with_columns(changed.alias(column))
