"""A mapping is a text: which sender, which sheet, which header, which column is which field. Pure.

The text is TOML under review. What it may say is written here once: it is parsed, checked against the layout it maps
to, and written out again in one spelling, so that a page, a command and a file all speak of the same thing.
"""

import json
import re
import tomllib
from collections.abc import Mapping as Table
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from handhold.feeds.layout import Layout
from handhold.feeds.model import FeedError

NAME = re.compile(r"[a-z][a-z0-9-]{1,40}")
TAKES = (
    "all",
    "before-comma",
    "after-comma",
    "first-word",
    "after-first-word",
    "last-word",
    "before-last-word",
)
ORDERS = ("mdy", "dmy")
COVERS = ("part", "whole")
FILLED, PAST = "filled", "past"
AT = "@"  # stands between a feed and the mapping whose sender covers a part of it


class MappingError(FeedError):
    """A mapping says something that cannot be done: the message names the place and what to write instead."""


@dataclass(frozen=True)
class Source:
    """Where a field's cells come from: columns of the sheet, the day the part was sent, or one value for all rows.

    ``when``: only in rows whose cell in that column is filled, is a day not after the sending, or is one of ``is_``; cells
    of ``not_`` say no, and any other is read as unknown.
    """

    columns: tuple[str, ...] = ()
    take: str = "all"
    sent: bool = False
    value: str | None = None
    when: str | None = None
    is_: tuple[str, ...] | str = FILLED
    not_: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mapping:
    """One version of one sender's mapping; ``header`` is the header as it stood when a person confirmed it."""

    name: str
    feed: str
    sender: str
    header: tuple[str, ...]
    fields: Table[str, Source]
    subject: str = "*"
    part: str = "*"
    sheet: str = "*"
    header_rows: int = 1
    zone: str = "America/New_York"
    dates: str = "mdy"
    covers: str = "part"
    effective_from: date | None = None
    effective_until: date | None = None
    codes: Table[str, Table[str, str]] = field(default_factory=dict)
    left: Table[str, str] = field(default_factory=dict)
    source: str = ""

    @property
    def own_feed(self) -> str:
        """The name under which its rows are kept: beside the agency's own, never among them (decision 0008)."""
        return f"{self.feed}{AT}{self.name}"

    def fits_sender(self, sender: str, subject: str, part: str, sheet: str, day: date) -> bool:
        """Whether what came from ``sender`` on ``day`` is what this mapping speaks of."""
        pairs = ((sender, self.sender), (subject, self.subject), (part, self.part), (sheet, self.sheet))
        since, until = self.effective_from or date.min, self.effective_until or date.max
        return since <= day <= until and all(
            fnmatchcase(said.strip().casefold(), pattern.casefold()) for said, pattern in pairs
        )

    def mapped(self) -> set[str]:
        """The sheet's columns that some field needs."""
        return {column for one in self.fields.values() for column in (*one.columns, one.when) if column}


def parse(text: str) -> Mapping:
    """Read a mapping's text. Raises :class:`MappingError` with the place that is wrong."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingError(f"the mapping is not TOML ({error}); correct the line") from None
    unknown = set(said) - {*_PLAIN, "header", "field", "code", "left", "confirmed"}
    if unknown:
        raise MappingError(
            f"the mapping says {', '.join(sorted(unknown))}, which means nothing here; take it out"
        )
    lacking = [name for name in ("name", "feed", "sender", "header", "field") if not said.get(name)]
    if lacking:
        raise MappingError(f"the mapping does not say its {', '.join(lacking)}; add it")
    try:
        return _checked(Mapping(
            **{name: said[name] for name in _PLAIN if name in said}, header=tuple(said["header"]),
            fields={name: _source(name, one) for name, one in said["field"].items()},
            codes={name: {str(k): str(v) for k, v in table.items()} for name, table in said.get("code", {}).items()},
            left={str(k): str(v) for k, v in said.get("left", {}).items()},
        ))  # fmt: skip
    except (TypeError, AttributeError, ValueError) as error:
        raise MappingError(f"the mapping cannot be read ({error}); compare it with a proposed one") from None


def whys(text: str) -> dict[str, str]:
    """The reason that a text gives for each field, where it gives one."""
    return {
        name: str(one["why"]) for name, one in tomllib.loads(text).get("field", {}).items() if "why" in one
    }


_PLAIN = (
    "name", "feed", "sender", "subject", "part", "sheet", "header_rows", "zone", "dates", "covers", "effective_from",
    "effective_until", "source",
)  # fmt: skip


def _source(name: str, one: dict[str, Any]) -> Source:
    unknown = set(one) - {"from", "take", "sent", "value", "when", "is", "not", "why"}
    if unknown:
        raise MappingError(
            f"field {name} says {', '.join(sorted(unknown))}, which means nothing here; take it out"
        )
    given = one.get("from", ())
    columns = (given,) if isinstance(given, str) else tuple(given)
    ways = [bool(columns), bool(one.get("sent")), "value" in one]
    if sum(ways) != 1:
        raise MappingError(f"field {name}: say exactly one of from, sent = true or value")
    is_ = one.get("is", FILLED)
    return Source(
        columns, one.get("take", "all"), bool(one.get("sent")), one.get("value"), one.get("when"),
        is_ if isinstance(is_, str) else tuple(map(str, is_)), tuple(map(str, one.get("not", ()))),
    )  # fmt: skip


def _checked(said: Mapping) -> Mapping:
    if not NAME.fullmatch(said.name):
        raise MappingError("a mapping's name is 2 to 41 of a-z, 0-9 and -, and begins with a letter")
    for what, value, known in (("dates", said.dates, ORDERS), ("covers", said.covers, COVERS), ("header_rows", said.header_rows, (1, 2))):  # fmt: skip
        if value not in known:
            raise MappingError(f"{what} is one of {', '.join(map(str, known))}")
    try:
        ZoneInfo(said.zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise MappingError("the zone is no zone of the tz database; write it like America/Chicago") from None
    for name, one in said.fields.items():
        _check_source(name, one, said.header)
    return said


def _check_source(name: str, one: Source, header: tuple[str, ...]) -> None:
    strange = [c for c in (*one.columns, one.when) if c is not None and c not in header]
    if strange:
        raise MappingError(f"field {name} names {strange[0]!r}, which is not in the header of this mapping")
    if one.take not in TAKES:
        raise MappingError(f"field {name}: take is one of {', '.join(TAKES)}")
    if isinstance(one.is_, str) and one.is_ not in (FILLED, PAST):
        raise MappingError(f"field {name}: is = a list of cells, or {FILLED!r}, or {PAST!r}")


def check_against(said: Mapping, layouts: Table[str, Layout]) -> list[str]:
    """Hold a mapping against the layout it maps to; returns the starred fields it leaves blank, for a person to know.

    Raises :class:`MappingError` for a feed or a field that does not exist, and for a row that would say nothing.
    """
    layout = layouts.get(said.feed)
    if layout is None or layout.bare or layout.shifts:
        raise MappingError(
            f"no spreadsheet can be mapped to {said.feed}; choose one of {', '.join(mappable(layouts))}"
        )
    strange = sorted(set(said.fields) - set(layout.columns))
    if strange:
        raise MappingError(f"{said.feed} has no field {', '.join(strange)}; see feeds.md for its columns")
    needed = [c.name for c in layout.columns.values() if c.needed and c.name not in said.fields]
    if needed:
        raise MappingError(
            f"a row of {said.feed} says nothing without {', '.join(needed)}; map it, or send it with it"
        )
    odd = [f"{name} {code}" for name, table in said.codes.items() for code in table.values()
           if name not in layout.columns or (layout.columns[name].codes and code not in layout.columns[name].codes)]  # fmt: skip
    if odd:
        raise MappingError(f"these are no codes of {said.feed}: {', '.join(odd)}")
    return check_blank(said, layouts)


def check_blank(said: Mapping, layouts: Table[str, Layout]) -> list[str]:
    """The starred fields that a mapping leaves blank."""
    return [name for name in layouts[said.feed].starred if name not in said.fields]


def mappable(layouts: Table[str, Layout]) -> list[str]:
    """The feeds a spreadsheet may be mapped to: all but the court's extract, whose tables only mean something together."""
    return [name for name, layout in layouts.items() if not (layout.bare or layout.shifts)]


def own_layout(said: Mapping, layouts: Table[str, Layout]) -> Layout:
    """The layout by which this mapping's rows are checked and kept.

    A starred field that a person confirmed as absent is blank, as any other missing column; a row still needs what it
    needs. ``covers = "whole"``: the sender's newest list stands for its earlier one; otherwise nothing is ever withdrawn.
    """
    base = layouts[said.feed]
    columns = {
        name: column if name in said.fields else replace(column, starred=False)
        for name, column in base.columns.items()
    }
    return replace(base, feed=said.own_feed, snapshot=said.covers == "whole", zone=said.zone, columns=columns)


def base_feed(feed: str) -> str:
    """The feed of the contract to whose columns the rows of ``feed`` were brought."""
    return feed.partition(AT)[0]


def write(said: Mapping, *, whys: Table[str, str] | None = None, tail: str = "") -> str:
    """The mapping as text; ``whys`` puts the reason of a proposal beside its field."""
    lines = [f"{name} = {_value(getattr(said, name))}" for name in _PLAIN if _worth_saying(said, name)]
    lines.append(f"header = {_value(said.header)}")
    for name, one in said.fields.items():
        lines += ["", f"[field.{_text(name)}]", *_source_lines(one)]
        if whys and whys.get(name):
            lines.append(f"why = {_text(whys[name])}")
    for name, table in said.codes.items():
        lines += ["", f"[code.{_text(name)}]", *(f"{_text(k)} = {_text(v)}" for k, v in table.items())]
    if said.left:
        lines += ["", "[left]", *(f"{_text(k)} = {_text(v)}" for k, v in said.left.items())]
    return "\n".join(lines) + "\n" + tail


def _worth_saying(said: Mapping, name: str) -> bool:
    return getattr(said, name) not in (None, "")


def _source_lines(one: Source) -> list[str]:
    lines = []
    if one.columns:
        lines.append(f"from = {_value(one.columns[0] if len(one.columns) == 1 else one.columns)}")
        if one.take != "all":
            lines.append(f"take = {_text(one.take)}")
    elif one.sent:
        lines.append("sent = true")
    else:
        lines.append(f"value = {_text(one.value or '')}")
    if one.when:
        lines += [f"when = {_text(one.when)}", f"is = {_value(one.is_)}"]
        if one.not_:
            lines.append(f"not = {_value(one.not_)}")
    return lines


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_text(one) for one in value) + "]"
    return (
        value.isoformat()
        if isinstance(value, date)
        else str(value)
        if isinstance(value, int)
        else _text(value)
    )


def _text(value: str) -> str:
    """A TOML basic string: JSON's escapes are TOML's, but for DEL."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
