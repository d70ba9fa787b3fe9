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


@dataclass
class Rows:
    """New rows of one feed, with their keys; collects what they state."""

    frame: pl.DataFrame
    layout: Layout
    pack: Pack

    def where(self, condition: pl.Expr) -> "Rows":
        return replace(self, frame=self.frame.filter(condition))

    def report(
        self, kind: str, at: str, *, known: str | None = None, slot: str | None = None, detail: Detail | None = None,
        where: address.Columns | None = None, sealed: Mapping[str, Detail] | None = None, subject: pl.Expr | None = None,
        precision: pl.Expr | None = None, moment: pl.Expr | None = None,
    ) -> pl.DataFrame:  # fmt: skip
        """One report for every row that has a moment in column ``at``; see ``feeds.model.REPORT`` for the shape.

        ``known`` names the column that says when the agency knew (default: when it happened).
        """
        frame = self.frame.filter(pl.col(AT.format(at)).is_not_null())
        if not len(frame):
            return empty(REPORT)
        happened = pl.col(AT.format(at)) if moment is None else moment
        knew = pl.coalesce(pl.col(AT.format(known)), happened) if known else happened
        built = frame.select(
            "file", "row", "delivery", "line", slot=pl.lit(slot or kind), agency=pl.lit(self.layout.agency), kind=pl.lit(kind), at=happened,
            precision=pl.col(PRECISION.format(at)) if precision is None else precision, known=knew, detail=_json(detail or {}),
            subject=pl.lit(None, pl.Int64) if subject is None else subject, **_sealed(sealed or {}),
        )  # fmt: skip
        place = address.read(frame, where, self.pack) if where else _nowhere(len(frame))
        return built.hstack(place).select(pl.col(name).cast(kind_) for name, kind_ in REPORT.items())

    def describe(self, **columns: pl.Expr) -> pl.DataFrame:
        """One description a row; see ``feeds.model.DESCRIPTION`` for the shape."""
        if not len(self.frame):
            return empty(DESCRIPTION)
        given = {"agency": pl.lit(self.layout.agency)} | columns
        blank = {name: pl.lit(None) for name in DESCRIPTION if name not in given and name not in self.frame.columns}
        return self.frame.with_columns(**given, **blank).select(pl.col(name).cast(kind) for name, kind in DESCRIPTION.items())


def _json(detail: Detail) -> pl.Expr:
    if not detail:
        return pl.lit("{}")
    return pl.struct(**{name: detail[name] for name in sorted(detail)}).struct.json_encode()


def _sealed(sealed: Mapping[str, Detail]) -> dict[str, pl.Expr]:
    """Details of an element class as JSON to be sealed; null where none of them says anything."""
    found: dict[str, pl.Expr] = {}
    for cls in ("sponsor", "benefit", "clinical"):
        detail = sealed.get(cls)
        something = reduce(lambda a, b: a | b, (e.is_not_null() for e in detail.values())) if detail else pl.lit(False)
        found[cls] = pl.when(something).then(_json(detail)) if detail else pl.lit(None, pl.String)
    return found


def _nowhere(rows: int) -> pl.DataFrame:
    blank = {"place": pl.Int64, "building": pl.Int64, "address_flags": pl.String, "location": pl.String}
    return pl.DataFrame({name: pl.Series([None] * rows, dtype=kind) for name, kind in blank.items()})


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


def together(*reports: pl.DataFrame) -> pl.DataFrame:
    """Reports of one feed as one frame."""
    return pl.concat(reports) if reports else empty(REPORT)
