"""Reads a nation back from its files by a way of its own: no code of the simulator but the frame that truth takes."""

from datetime import date
from pathlib import Path

import polars as pl
import python_calamine

from handhold.simulate.truth import Rows

TABBED = 3
"""Where, in the courts' tables, the tab too many stands: before this column (from nought)."""


def csv(path: Path) -> pl.DataFrame:
    """A comma-separated file as text."""
    return pl.read_csv(path, infer_schema=False).fill_null("")


def tabbed(path: Path) -> tuple[pl.DataFrame, int, int]:
    """A table of the courts' extract as text; how many of its rows were shifted, and how many stayed so."""
    lines = path.read_bytes().replace(b"\0", b"").decode("cp1252").rstrip("\n").split("\n")
    head, *rest = (line.split("\t") for line in lines)
    wide = [row for row in rest if len(row) != len(head)]
    healed = [row[:TABBED] + row[TABBED + 1 :] for row in wide if len(row) == len(head) + 1]
    rows = [row for row in rest if len(row) == len(head)] + healed
    return pl.DataFrame(rows, schema=head, orient="row"), len(wide), len(wide) - len(healed)


def sheet(folder: Path) -> pl.DataFrame:
    """ERO's sheet, from the workbook or the CSV."""
    (path,) = folder.glob("uc_transfers_*")
    if path.suffix == ".csv":
        return csv(path)
    rows = python_calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_name("UC Transfers").to_python()
    return pl.DataFrame(rows[6:], schema=rows[5], orient="row")


def digits(column: str) -> pl.Expr:
    """An A-number as nine digits, blank where there is none."""
    number = pl.col(column).str.replace_all(r"[^0-9]", "")
    return pl.when(number == "").then(pl.lit("")).otherwise(number.str.zfill(9))


class Nation:
    """The files of one nation; :attr:`rows` is what truth is worked out from."""

    def __init__(self, folder: Path, as_of: date) -> None:
        self.feeds, self.truth, self.as_of = folder / "feeds", folder / "truth", as_of
        self.files = pl.read_parquet(self.truth / "files.parquet")
        self.children = pl.read_parquet(self.truth / "children.parquet")
        self.rows = self._rows()

    def one(self, pattern: str) -> pl.DataFrame:
        """The one CSV that ``pattern`` finds."""
        (path,) = self.feeds.glob(pattern)
        return csv(path)

    def court(self, table: str) -> pl.DataFrame:
        """A table of the courts' extract."""
        return tabbed(self.feeds / "eoir" / self.as_of.isoformat() / f"{table}.csv")[0]

    def _child(self, frame: pl.DataFrame, agency: str, key: pl.Expr) -> pl.DataFrame:
        """``frame`` with the child whose file each row belongs to; rows that are no child's are left out."""
        files = self.files.filter(pl.col("agency") == agency).select("file_key", "child")
        return frame.with_columns(file_key=key).join(files, on="file_key", how="inner", maintain_order="left")

    def _benefit_or_move(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of USCIS, by A-number; where USCIS's files do not name the child, ERO's do."""
        known = self.files.filter(pl.col("agency").is_in(["USCIS", "ERO"])).sort("agency", descending=True)
        known = known.unique("file_key", keep="first", maintain_order=True).select("file_key", "child")
        other = pl.col("Receipt") if "Receipt" in frame.columns else pl.lit("")
        key = pl.when(digits("A-Number") == "").then(other).otherwise(digits("A-Number"))
        return frame.with_columns(file_key=key).join(known, on="file_key", how="inner", maintain_order="left")

    def _rows(self) -> Rows:
        portal, case = pl.col("UC Portal ID"), pl.col("IDNCASE")
        left = self._child(self.one("orr/discharges_*.csv"), "ORR", portal)
        left = left.join(self.children.select("child", "cluster"), on="child", maintain_order="left")
        return Rows(
            ero=self._child(sheet(self.feeds / "ero"), "ERO", digits("A-Number")),
            discharges=left.with_columns(family="Sponsor ID"),
            checkins=self._child(self.one("orr/checkins_*.csv"), "ORR", portal),
            incidents=self._child(self.one("orr/incidents_*.csv"), "ORR", portal),
            opla=self._child(self.one("opla/cases_*.csv"), "OPLA", digits("A-Number")),
            benefits=self._benefit_or_move(self.one("uscis/benefits_*.csv")),
            ar11=self._benefit_or_move(self.one("uscis/ar11_*.csv")),
            cases=self._child(self.court("A_TblCase"), "EOIR", case),
            proceedings=self._child(self.court("B_TblProceeding"), "EOIR", case),
            schedule=self._child(self.court("tbl_schedule"), "EOIR", case),
            notices=self._child(zipped(self.court("HearingNotice")), "EOIR", case),
            changes=self._child(zipped(self.court("EOIR33")), "EOIR", case),
        )


def zipped(frame: pl.DataFrame) -> pl.DataFrame:
    """``frame`` with its ZIP codes as five digits."""
    code = pl.col("ZIP").str.strip_chars_start("`").str.slice(0, 5).str.replace("-.*", "")
    return frame.with_columns(ZIP=pl.when(code == "").then(pl.lit("")).otherwise(code.str.zfill(5)))
