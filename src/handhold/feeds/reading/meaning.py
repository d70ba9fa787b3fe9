"""How rows become reports: small builders that the senders' modules share."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import reduce

import polars as pl

from handhold import store
from handhold.feeds.layout import Layout
from handhold.feeds.model import DESCRIPTION, REPORT, empty
from handhold.feeds.reading import address
from handhold.feeds.reading.columns import a_number
from handhold.feeds.reading.table import AT, ISO, PRECISION
from handhold.pack import Pack

Detail = Mapping[str, pl.Expr]
Meaning = tuple[pl.DataFrame, pl.DataFrame]  # reports and descriptions
NOWHERE = {"place": pl.Int64, "building": pl.Int64, "address_flags": pl.String, "location": pl.String}
NO_HOME = [
    "blank",
    "unknown",
    "general-delivery",
    "institution",
]  # flags of an address that says nothing of a person
NULL_MEMBER = r'"[a-z0-9_]+":null,?'


@dataclass
class Rows:
    """New rows of one feed, with their keys; collects what they state."""

    frame: pl.DataFrame
    layout: Layout
    pack: Pack

    def where(self, condition: pl.Expr) -> "Rows":
        """The rows of which this is true."""
        return replace(self, frame=self.frame.filter(condition.fill_null(False)))

    def with_(self, **columns: pl.Expr | pl.Series) -> "Rows":
        """The rows with further columns."""
        return replace(self, frame=self.frame.with_columns(**columns))

    def at(self, where: address.Columns) -> "Rows":
        """The rows with the place that these columns name."""
        return replace(self, frame=self.frame.hstack(address.read(self.frame, where, self.pack)))

    def report(
        self, kind: str, *at: str, known: str | None = None, slot: str | None = None, detail: Detail | None = None,
        placed: bool = False, sealed: Mapping[str, Detail] | None = None, subject: pl.Expr | None = None,
        moment: pl.Expr | None = None, precision: pl.Expr | None = None,
    ) -> pl.DataFrame:  # fmt: skip
        """One report for every row that has a moment in one of the columns ``at`` (the first that has one counts).

        ``known`` names the column that says when the agency knew (default: when it happened). ``placed``: with the place
        of :meth:`at`. See ``feeds.model.REPORT`` for the shape.
        """
        happened = pl.coalesce(pl.col(AT.format(name)) for name in at) if moment is None else moment
        precise = (
            pl.coalesce(pl.col(PRECISION.format(name)) for name in at) if precision is None else precision
        )
        timed = self.frame.with_columns(at=happened, precision=precise).filter(pl.col("at").is_not_null())
        if not len(timed):
            return empty(REPORT)
        # What an agency's own row says of the future it knew when it sent the row.
        knew = (
            pl.coalesce(pl.col(AT.format(known)), pl.min_horizontal("at", "as_of")) if known else pl.col("at")
        )
        built = timed.with_columns(
            slot=pl.lit(slot or kind), agency=pl.lit(self.layout.agency), kind=pl.lit(kind), known=knew, detail=_codes(detail or {}),
            subject=pl.lit(None, pl.Int64) if subject is None else subject, **_sealed(sealed or {}),
            **({} if placed else {name: pl.lit(None, type_) for name, type_ in NOWHERE.items()}),
        )  # fmt: skip
        return built.select(pl.col(name).cast(type_) for name, type_ in REPORT.items())

    def describe(self, **columns: pl.Expr) -> pl.DataFrame:
        """One description a row; see ``feeds.model.DESCRIPTION`` for the shape."""
        if not len(self.frame):
            return empty(DESCRIPTION)
        given = {"agency": pl.lit(self.layout.agency)} | columns
        blank = {
            name: pl.lit(None) for name in DESCRIPTION if name not in given and name not in self.frame.columns
        }
        return self.frame.with_columns(**given, **blank).select(
            pl.col(name).cast(kind) for name, kind in DESCRIPTION.items()
        )

    def whereabouts(self, **columns: pl.Expr) -> pl.DataFrame:
        """Rows that name nobody but say where the child can be found: one description for each thing a file says."""
        said = self.describe(place=known_place("place"), building=known_place("building"), **columns)
        something = said.filter(pl.any_horizontal(pl.col("place", "building", *columns).is_not_null()))
        return something.unique(
            subset=["file", "place", "building", *columns], keep="first", maintain_order=True
        )

    def mention(self) -> pl.DataFrame:
        """Rows that name nobody still say that there is such a file: one description a file, with its key alone."""
        keys = self.frame.select("file", "file_key", "row", "delivery", "line").unique(
            subset="file", keep="first", maintain_order=True
        )
        return replace(self, frame=keys).describe()


def _json(detail: Detail) -> pl.Expr:
    if not detail:
        return pl.lit("{}")
    return pl.struct(detail[name].alias(name) for name in sorted(detail)).struct.json_encode()


def _codes(detail: Detail) -> pl.Expr:
    """A JSON object of the codes that are there, by name."""
    return _json(detail).str.replace_all(NULL_MEMBER, "").str.replace(r",\}$", "}")


def _sealed(sealed: Mapping[str, Detail]) -> dict[str, pl.Expr]:
    """Details of an element class as JSON to be sealed; null where none of them says anything."""
    found: dict[str, pl.Expr] = {}
    for cls in ("sponsor", "benefit", "clinical"):
        detail = sealed.get(cls)
        something = (
            reduce(lambda a, b: a | b, (e.is_not_null() for e in detail.values()))
            if detail
            else pl.lit(False)
        )
        found[cls] = pl.when(something).then(_json(detail)) if detail else pl.lit(None, pl.String)
    return found


def upper(name: str) -> pl.Expr:
    """A code or a name as capitals."""
    return pl.col(name).str.to_uppercase()


def iso(name: str) -> pl.Expr:
    """A date at its own precision, as text."""
    return pl.col(ISO.format(name))


def number(name: str) -> pl.Expr:
    """An A-number as nine digits, or null."""
    return a_number(pl.col(name))


def blind_text(frame: pl.DataFrame, value: pl.Expr, domain: str) -> pl.Series:
    """A blind id as text, for a detail that may be compared but not read."""
    return store.blind(frame.select(value.alias("value"))["value"], domain).cast(pl.String)


def phone(frame: pl.DataFrame, name: str) -> pl.Series:
    """The blind id of a telephone number: ten digits, without the country's 1; null where it is none."""
    digits = pl.col(name).str.replace_all(r"\D", "").str.extract(r"^1?(\d{10})$", 1)
    return store.blind(frame.select(digits.alias("phone"))["phone"], "phone")


def known_place(name: str) -> pl.Expr:
    """The blind id of a place or building of :meth:`Rows.at`, where it is an address at which one child lives."""
    nowhere = pl.col("address_flags").str.contains_any(NO_HOME)
    return pl.when(~nowhere.fill_null(True)).then(pl.col(name))


def first_surname(name: pl.Expr) -> pl.Expr:
    """The first surname folded to A–Z, without the particles before it; null where there is none."""
    letters = (
        name.str.to_uppercase()
        .str.normalize("NFKD")
        .str.replace_all(r"\p{M}", "")
        .str.replace_all(r"[^A-Z]+", " ")
        .str.strip_chars()
    )
    bare = letters.str.replace(r"^(?:(?:DE|DEL|LA|LAS|LOS|EL|Y|DA|DO|DOS|VAN|VON) )+", "")
    return bare.str.extract(r"^([A-Z]+)", 1)


def together(*reports: pl.DataFrame) -> pl.DataFrame:
    """Reports of one feed as one frame."""
    return pl.concat(reports) if reports else empty(REPORT)
