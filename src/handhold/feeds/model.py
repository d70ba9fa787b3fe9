"""The values that pass between the inbox, the readers and the rooms above."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, BinaryIO, Literal, Protocol

import polars as pl

INSTANT = pl.Datetime("us", "UTC")

REPORT: dict[str, Any] = {
    "file": pl.Int64, "row": pl.Int64, "slot": pl.String, "agency": pl.String, "kind": pl.String, "at": INSTANT,
    "precision": pl.String, "known": INSTANT, "detail": pl.String, "place": pl.Int64, "building": pl.Int64,
    "address_flags": pl.String, "location": pl.String, "sponsor": pl.String, "benefit": pl.String, "clinical": pl.String,
    "subject": pl.Int64, "delivery": pl.Int64, "line": pl.Int32,
}  # fmt: skip

DESCRIPTION: dict[str, Any] = {
    "file": pl.Int64, "agency": pl.String, "file_key": pl.String, "number": pl.String, "court_case": pl.String,
    "last": pl.String, "first": pl.String, "middle": pl.String, "dob": pl.String, "sex": pl.String, "country": pl.String,
    "language": pl.String, "phone": pl.Int64, "other_phone": pl.Int64, "sponsor": pl.Int64, "place": pl.Int64,
    "building": pl.Int64, "entry": pl.String, "custody": pl.String, "release": pl.String, "row": pl.Int64,
    "delivery": pl.Int64, "line": pl.Int32,
}  # fmt: skip
"""What a row says of a person. Phones, sponsor, place and building are blind ids: they may be compared and not read.
``entry``: when the child was apprehended or entered; ``custody``: when it passed from DHS to ORR; ``release``: from ORR."""


class Source(Protocol):
    """Something that was sent: a path, or what a door holds of it."""

    @property
    def name(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    @property
    def parent(self) -> "Source": ...
    def is_dir(self) -> bool: ...
    def open(self, mode: Literal["rb"], /) -> BinaryIO: ...


Sha256 = bytes  # Delivery has a field of the other name


class FeedError(Exception):
    """Something is wrong with what was given to the inbox: the message says what, where, why and what to do."""


class Unreadable(FeedError):
    """A delivery that no row can be read from; it is kept and refused with this sentence."""


class Held(FeedError):
    """A delivery that can be read but should not be taken in before a person has looked at it."""


@dataclass(frozen=True)
class Delivery:
    """One thing an agency sent. ``again``: the same bytes had come before, so nothing is to be done.

    ``whole``: all or none, refused when one row would be quarantined; ``released``: it was held, and a person looked;
    ``edits``: lines that were corrected in place, with the cells (JSON by column) that are read in place of those that came.
    ``mapping``: the version of a mapping that reads it, where it is a sender's own spreadsheet; ``bytes_of``: in whose bytes
    a ``sheet`` of a workbook, or a table of an archive (``member``: its place in it), lies.
    """

    id: int
    sha256: bytes
    name: str
    feed: str | None
    agency: str | None
    as_of: date | None
    sender: str
    bytes: int
    received: datetime
    status: str
    why: str | None = None
    rows: int | None = None
    loaded: int | None = None
    unchanged: int | None = None
    quarantined: int | None = None
    left: int | None = None
    withdrawn: int | None = None
    format: str | None = None
    missing_columns: tuple[str, ...] = ()
    again: bool = False
    whole: bool = False
    released: bool = False
    changed: int | None = None
    edits: tuple[tuple[int, str], ...] = ()
    mapping: int | None = None
    bytes_of: Sha256 | None = None
    sheet: str | None = None
    member: int | None = None

    @property
    def fate(self) -> str:
        """What became of it, in a word; of one that came before and was not read then, also what it waits for."""
        if not self.again:
            return self.status
        return "came before" if self.status == "read" else f"came before, {self.status}"

    def refused(self, why: str, status: str = "refused") -> "Delivery":
        """The same delivery, not taken in; its rows are not counted because none was read for good."""
        return replace(self, status=status, why=why)


def empty(schema: dict[str, Any]) -> pl.DataFrame:
    """A frame of that shape without rows."""
    return pl.DataFrame(schema=schema)


def ids() -> pl.Series:
    """No ids."""
    return pl.Series("id", [], pl.Int64)


@dataclass
class Reading:
    """What deliveries say that was not known, or a part of it: see ``docs/explanation/flow.md`` for the columns.

    ``of``: the delivery that a part is of (null: of several); ``first``: no row of its feed was known before it, so nothing can
    be recorded of its rows; ``unsaid``: what the parts before said of it is taken back, as is all that was written with them.
    ``deliveries``: those that are settled now.
    """

    reports: pl.DataFrame = field(default_factory=lambda: empty(REPORT))
    descriptions: pl.DataFrame = field(default_factory=lambda: empty(DESCRIPTION))
    changed: pl.Series = field(default_factory=ids)
    withdrawn: pl.Series = field(default_factory=ids)
    returned: pl.Series = field(default_factory=ids)
    deliveries: list[Delivery] = field(default_factory=list)
    of: int | None = None
    first: bool = False
    unsaid: bool = False

    @property
    def says(self) -> bool:
        """Whether there is something to record."""
        rows = len(self.changed) + len(self.withdrawn) + len(self.returned)
        return bool(len(self.reports) + rows)


def whole(parts: Iterable[Reading]) -> Reading:
    """A reading that comes in parts as one."""
    said: list[Reading] = []
    for part in parts:
        said = [one for one in said if not part.unsaid or one.of != part.of] + [part]
    return Reading(
        pl.concat([empty(REPORT), *(one.reports for one in said)]),
        pl.concat([empty(DESCRIPTION), *(one.descriptions for one in said)]),
        pl.concat([ids(), *(one.changed for one in said)]),
        pl.concat([ids(), *(one.withdrawn for one in said)]),
        pl.concat([ids(), *(one.returned for one in said)]),
        [delivery for one in said for delivery in one.deliveries],
    )
