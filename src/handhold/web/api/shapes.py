"""What the interface says: the shapes of its answers."""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import UUID

from ninja import Schema
from pydantic import Field

State = Literal["receiving", "complete", "kept", "read", "held", "refused", "waiting"]


class Problem(Schema):
    """What went wrong (RFC 9457). ``code`` is stable; further members depend on it."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class Counts(Schema):
    """Rows by what became of them: loaded, unchanged, quarantined and left add up to rows. ``changed`` are among loaded."""

    rows: int | None = None
    loaded: int | None = None
    changed: int | None = None
    unchanged: int | None = None
    quarantined: int | None = None
    left: int | None = None
    withdrawn: int | None = None


class Delivery(Schema):
    """A file: on its way in (``receiving``, ``complete``), or taken in and what became of it, in one sentence."""

    id: UUID
    state: State
    received: int = Field(description="bytes that are here")
    size: int = Field(description="bytes of the whole file")
    delivery: Annotated[str | None, Field(description="the number under which Handhold keeps it")] = None
    sha256: str | None = None
    feed: str | None = None
    agency: str | None = None
    as_of: date | None = None
    taken: datetime | None = None
    again: Annotated[bool, Field(description="the same bytes had come before, so nothing was done")] = False
    sentence: Annotated[str | None, Field(description="what a person should know of it")] = None
    counts: Counts = Counts()


class Count(Schema):
    """How many of a kind."""

    kind: str
    count: int


class Told(Schema):
    """How many notices to whom, for which duty."""

    recipient: str
    duty: str
    count: int


class Refused(Schema):
    """A row that cannot be read, and why; its cells only for those who mend feeds."""

    line: int
    column: str | None
    why: str
    value: str | None = None


class Effects(Schema):
    """What it does, or would do, as far as the token's role may know for its purpose."""

    rows: dict[str, int]
    children: int
    gaps_opened: list[Count]
    gaps_closed: list[Count]
    notices: list[Told]
    withheld: bool = Field(description="effects that the role may not know for this purpose are left out")
    refused: list[Refused] = Field(description="the first rows that cannot be read")


class Answer(Schema):
    """The file, and what it does (``commit``) or would do (``validate``); no effects while parts are missing."""

    mode: Literal["validate", "commit"]
    delivery: Delivery
    effects: Effects | None = None


class Quarantine(Schema):
    """Rows that could not be read; ``more`` says that there are others after these."""

    rows: list[Refused]
    more: bool
