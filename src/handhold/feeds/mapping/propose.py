"""A mapping proposed from headers and values, with the reason for each proposal. Pure; a person decides.

A column is likely a field when its name is like the field's (or like a word that senders use for it) and its cells are
what the field holds. Where cells can only be one thing (an A-number), they count for more than the name.
"""

import re
from collections.abc import Iterable
from collections.abc import Mapping as Table
from dataclasses import dataclass, field
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

import polars as pl
from rapidfuzz import fuzz

from handhold.feeds.layout import Column, Layout
from handhold.feeds.mapping import header
from handhold.feeds.mapping.sheets import Sheet
from handhold.feeds.mapping.text import FILLED, PAST, Mapping, Source, mappable
from handhold.feeds.reading.columns import moments
from handhold.feeds.reading.table import same_name

SURE_NAME, SURE_CELLS, HALF = 0.75, 0.8, 0.5
SAME_WORD = 0.85  # "surname" and "sirname" are one word; "missed" and "issued", "court" and "country" are not
LIGHT = 0.25  # what a word like "date" weighs
NAME_CELL = r"^[\p{L}][\p{L} .'\-]*$"
COMMA_NAME = r"^[\p{L}][\p{L} .'\-]*,\s*[\p{L}][\p{L} .'\-]*$"
FEW = 12  # different cells that a column of codes or a flag may have
NAMES = {"Last Name": "First Name", "Last Names": "First Names"}


@dataclass(frozen=True)
class Sent:
    """What is known of where a part came from."""

    sender: str
    subject: str
    part: str
    day: date
    sheets: int = 1
    zone: str = "America/New_York"


@dataclass(frozen=True)
class Proposed:
    """One field's proposal: where it would come from, how likely that is (0 to 1), and why, without any cell's value."""

    field: str
    source: Source
    score: float
    why: str


@dataclass(frozen=True)
class Proposal:
    """A mapping to one feed as it is proposed; ``lacking``: fields a row needs and nothing was found for."""

    mapping: Mapping
    fields: tuple[Proposed, ...]
    lacking: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def whys(self) -> dict[str, str]:
        return {one.field: one.why for one in self.fields}

    @property
    def score(self) -> float:
        """How much of the row it explains; what a row cannot do without counts double."""
        return sum(one.score for one in self.fields) - 2 * len(self.lacking)


@dataclass
class _Looked:
    """A sheet's columns by name, and what was found out of their cells."""

    columns: dict[str, pl.Series]
    rules: dict[str, Any]
    day: date
    words: dict[str, str] = field(default_factory=dict)
    dated: dict[tuple[str, bool], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.words = {name: plain_words(name, self.rules) for name in self.columns}

    def alike(self, column: str, words: Iterable[str]) -> tuple[float, str]:
        """How like the column's name is to the likest of ``words`` (0 to 1), and which that is."""
        own, light = self.words[column], self.rules["light"]
        return max(((likeness(own, plain_words(w, self.rules), light), w) for w in words), default=(0.0, ""))

    def days(self, column: str, *, born: bool) -> float:
        """The share of a column's cells that are days, in whichever order; each column is read once."""
        if (column, born) not in self.dated:
            cells = self.columns[column]
            before = self.day if born else None
            read = [
                moments(one, zone="UTC", births_before=before)["at"].is_not_null()
                for one in (cells, _day_first(cells))
            ]
            self.dated[column, born] = _share(read[0] | read[1])
        return self.dated[column, born]


def plain_words(text: str, rules: Table[str, Any]) -> str:
    """A name in plain lower-case words, abbreviations written out."""
    words = re.findall(r"[^\W\d_]+|\d+|#", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).casefold())
    if len(words) > 1 and words[-1] in rules["last_abbreviation"]:
        words[-1] = rules["last_abbreviation"][words[-1]]
    return " ".join(rules["abbreviation"].get(word, word) for word in words)


def likeness(a: str, b: str, light: Iterable[str]) -> float:
    """How alike two names are, word by word and in any order: 0 to 1. Words that stand in every second name are ``light``."""
    own, other = a.split(), b.split()
    return (_covered(own, other, light) + _covered(other, own, light)) / 2 if own and other else 0.0


def _covered(words: list[str], by: list[str], light: Iterable[str]) -> float:
    """The share of ``words`` that stand among the others, spelled the same or nearly so."""
    weights = [LIGHT if word in light else 1.0 for word in words]
    near = [max(fuzz.ratio(word, one) / 100 for one in by) for word in words]
    return sum(w * n for w, n in zip(weights, near, strict=True) if n >= SAME_WORD) / sum(weights)


def _says(text: str, words: Iterable[str]) -> bool:
    """Whether one of the words stands in a text as a word of its own."""
    return any(f" {word} " in f" {text} " for word in words)


def propose(
    sheet: Sheet, sent: Sent, layouts: Table[str, Layout], rules: dict[str, Any], feed: str | None = None
) -> list[Proposal]:
    """Proposals for a sheet, the likeliest first; for ``feed`` alone where a person chose it. Empty where no header is found."""
    found = header.find(sheet.cells)
    if found is None:
        return []
    rows = header.below(sheet.cells, found).head(rules["samples"])
    looked = _Looked({name: rows[name].drop_nulls() for name in found.named()}, rules, sent.day)
    said = " ".join([sent.subject, sent.part, sheet.name, *_titles(sheet.cells, found)])
    wanted = [feed] if feed else _feeds(sent.sender, layouts, rules)
    made = [_proposal(layouts[name], looked, found, sheet, sent, said) for name in wanted]
    return sorted(made, key=lambda one: -one.score)


def _titles(cells: pl.DataFrame, found: header.Header) -> list[str]:
    return list({cell for row in cells.head(found.row).rows() for cell in row if cell})


def _feeds(sender: str, layouts: Table[str, Layout], rules: dict[str, Any]) -> list[str]:
    """The feeds of the sender's agency, or all of them where nobody knows whose the sender is."""
    agency = agency_of(sender, rules)
    return [name for name in mappable(layouts) if agency in (None, layouts[name].agency)] or mappable(layouts)


def agency_of(sender: str, rules: dict[str, Any]) -> str | None:
    """The agency that an address belongs to by the pack's list."""
    for agency, patterns in rules["agency"].items():
        if any(fnmatchcase(sender.casefold(), pattern.casefold()) for pattern in patterns):
            return str(agency)
    return None


def _proposal(
    layout: Layout, looked: _Looked, found: header.Header, sheet: Sheet, sent: Sent, said: str
) -> Proposal:
    chosen = _assigned([*_plain(layout, looked), *_whole_names(layout, looked)], looked.rules["least"])
    taken = {column for one in chosen for column in one.source.columns}
    chosen += _statements(layout, looked, taken, {one.field for one in chosen}, said)
    chosen += _sent(layout, looked.rules, {one.field for one in chosen})
    order = list(layout.columns)
    chosen.sort(key=lambda one: order.index(one.field))
    fields = {one.field: one.source for one in chosen}
    used = {column for one in fields.values() for column in (*one.columns, one.when)}
    codes = {
        one.field: table for one in chosen if (table := _codes(layout.columns[one.field], one.source, looked))
    }
    mapping = Mapping(
        name=slug(sent.sender, sent.part), feed=layout.feed, sender=pattern(sent.sender), subject=loose(sent.subject), part=loose(sent.part),
        sheet=pattern(sheet.name) if sent.sheets > 1 else "*", header=tuple(name for name in found.names if name), header_rows=found.rows,
        zone=sent.zone, dates=_order(looked, fields), fields=fields, codes=codes, effective_from=sent.day,
        left={name: f"no field of {layout.feed} was found for it; it stays in the bytes that came" for name in looked.columns if name not in used},
    )  # fmt: skip
    lacking = tuple(c.name for c in layout.columns.values() if c.needed and c.name not in fields)
    nameless = header.nameless(sheet.cells, found)
    notes = [*sheet.notes, *([f"{nameless} columns have no name and are not read"] if nameless else [])]
    if found.row:
        notes.append(f"the header stands on row {found.row + 1}; what stands above it is no row")
    return Proposal(mapping, tuple(chosen), lacking, tuple(notes))


def _assigned(proposed: list[Proposed], least: float) -> list[Proposed]:
    """The likeliest first; each field once, each column for one field (a whole name for two)."""
    chosen: list[Proposed] = []
    fields: set[str] = set()
    columns: dict[tuple[str, ...], str] = {}
    for one in sorted(proposed, key=lambda p: -p.score):
        whole = columns.get(one.source.columns)
        shared = one.source.take != "all" and whole != "all"
        if one.score >= least and one.field not in fields and (whole is None or shared):
            chosen.append(one)
            fields.add(one.field)
            columns[one.source.columns] = one.source.take
    return chosen


def _plain(layout: Layout, looked: _Looked) -> list[Proposed]:
    return [
        made
        for column in looked.columns
        for own in layout.columns.values()
        if (made := _one(own, column, looked)) is not None
    ]


def _one(own: Column, column: str, looked: _Looked) -> Proposed | None:
    """How likely ``column`` is the field ``own``."""
    name, word = looked.alike(column, [own.name, *looked.rules["words"].get(own.name, [])])
    fit, what = _cells_fit(own, column, looked)
    if fit is None:
        score, cells = name, "its cells may be anything"
    elif _only_numbers(own) and fit >= SURE_CELLS:
        score, cells = 0.85 * fit + 0.15 * name, f"{fit:.0%} of its cells are {what}"
    elif fit < HALF or name < HALF:
        return None  # cells that fit many fields say nothing by themselves
    else:
        score, cells = 0.75 * name + 0.25 * fit, f"{fit:.0%} of its cells are {what}"
    said = f"“{column}” is {name:.0%} like “{word}”" if name >= HALF else f"the name “{column}” says little"
    return Proposed(own.name, Source((column,)), score, f"{said}; {cells}")


def _only_numbers(own: Column) -> bool:
    """Fields whose cells look like nothing else does."""
    return own.type == "a-number" or own.name == "A-Number"


def _cells_fit(own: Column, column: str, looked: _Looked) -> tuple[float | None, str]:
    """The share of filled cells that the field could hold, and what those are; ``None`` where it holds any text."""
    cells = looked.columns[column]
    if not len(cells):
        return None, ""
    shape = looked.rules["shape"].get("A-Number" if own.type == "a-number" else own.name)
    if shape:
        what = "A-numbers" if _only_numbers(own) else f"a {own.name}"
        return _share(cells.str.contains(shape)), what
    if own.type in {"date", "birth"}:
        born = own.type == "birth"
        return looked.days(column, born=born), "days of birth" if born else "days"
    if own.codes:
        known = cells.n_unique() <= FEW
        return (
            _share(pl.Series([code_of(own, cell, looked.rules) is not None for cell in cells]))
            if known
            else 0.0
        ), "its codes"
    if own.type in {"integer"}:
        return _share(cells.str.contains(r"^-?\d+$")), "whole numbers"
    if "Name" in own.name:
        return _share(cells.str.contains(NAME_CELL)), "names"
    dated = looked.days(column, born=False)
    return (0.0, "days") if own.type == "text" and dated >= SURE_CELLS else (None, "")


def _day_first(cells: pl.Series) -> pl.Series:
    return cells.str.replace(r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})\b", "${2}/${1}/${3}")


def _share(true: pl.Series) -> float:
    return float(true.fill_null(False).mean() or 0.0)  # type: ignore[arg-type]


def _whole_names(layout: Layout, looked: _Looked) -> list[Proposed]:
    """Columns that hold a whole name: the last name before a comma and the first after it, or the last word of several."""
    made: list[Proposed] = []
    for last, first in NAMES.items():
        if last not in layout.columns or first not in layout.columns:
            continue
        for column, cells in looked.columns.items():
            name, word = looked.alike(column, looked.rules["whole_name"]["words"])
            comma = _share(cells.str.contains(COMMA_NAME)) if len(cells) else 0.0
            if comma >= SURE_CELLS:
                why = f"{comma:.0%} of the cells of “{column}” are two names with a comma between; {{}} it stands the {{}} name"
                score = 0.85 * comma + 0.15 * name
                made.append(
                    Proposed(last, Source((column,), "before-comma"), score, why.format("before", "last"))
                )
                made.append(
                    Proposed(first, Source((column,), "after-comma"), score, why.format("after", "first"))
                )
            elif (
                name >= 0.9
                and len(cells)
                and _share(cells.str.contains(NAME_CELL) & cells.str.contains(" ")) >= SURE_CELLS
            ):
                why = f"“{column}” is {name:.0%} like “{word}” and its cells are names without a comma; look whether the last word is the last name"
                made.append(Proposed(last, Source((column,), "last-word"), 0.65, why))
                made.append(Proposed(first, Source((column,), "before-last-word"), 0.65, why))
    return made


def _statements(
    layout: Layout, looked: _Looked, taken: set[str], filled: set[str], said: str
) -> list[Proposed]:
    """What a list of this kind states of each of its rows: by a column of yes and no, else by a day that is past."""
    made = []
    for rule in looked.rules["statement"]:
        if rule["feed"] != layout.feed or rule["field"] in filled:
            continue
        free = {name: cells for name, cells in looked.columns.items() if name not in taken and len(cells)}
        one = _flag(rule, free, looked) or _day_of(rule, free, looked, said)
        made += [one] if one else []
    return made


def _flag(rule: dict[str, Any], free: dict[str, pl.Series], looked: _Looked) -> Proposed | None:
    for column, cells in free.items():
        name, word = looked.alike(column, rule["words"])
        upper = cells.str.to_uppercase()
        yes = [cell for cell in upper.unique().sort() if cell in rule["yes"]]
        known = _share(upper.is_in([*rule["yes"], *rule["no"]]))
        if name >= SURE_NAME and yes and known >= SURE_CELLS:
            source = Source(sent=True, when=column, is_=tuple(yes), not_=tuple(rule["no"]))
            why = f"“{column}” is {name:.0%} like “{word}”; {known:.0%} of its cells are yes or no. The day of sending, since the list does not say when its office knew"
            return Proposed(rule["field"], source, 0.6 * name + 0.4 * known, why)
    return None


def _day_of(rule: dict[str, Any], free: dict[str, pl.Series], looked: _Looked, said: str) -> Proposed | None:
    """A column of past days that its own name, or the list's title, says were missed."""
    titled = _says(plain_words(said, looked.rules), [plain_words(w, looked.rules) for w in rule["words"]])
    best: Proposed | None = None
    for column in free:
        name, word = looked.alike(column, rule["days"])
        own = _says(looked.words[column], [plain_words(w, looked.rules) for w in rule["words"]])
        fit = looked.days(column, born=False)
        if name < SURE_NAME or fit < SURE_CELLS or not (own or titled):
            continue
        why = f"“{column}” is {name:.0%} like “{word}”, {fit:.0%} of its cells are days, and {'its name' if own else 'the title or subject'} says what the list states. The day of sending, where that day is past"
        one = Proposed(rule["field"], Source(sent=True, when=column, is_=PAST), 0.6 * name + 0.4 * fit, why)
        best = one if best is None or one.score > best.score else best
    return best


def _sent(layout: Layout, rules: dict[str, Any], filled: set[str]) -> list[Proposed]:
    return [
        Proposed(
            name,
            Source(sent=True),
            0.5,
            "no column says it; the day it was sent is when its office knew what it says",
        )
        for name in rules["sent"].get(layout.feed, [])
        if name not in filled
    ]


def _codes(own: Column, source: Source, looked: _Looked) -> dict[str, str]:
    """The sender's own codes with ours beside them, where they differ."""
    if not own.codes or len(source.columns) != 1:
        return {}
    cells = looked.columns[source.columns[0]].unique().sort()
    found = {cell: code_of(own, cell, looked.rules) for cell in cells if cell.upper() not in own.codes}
    return {cell: code for cell, code in found.items() if code}


def code_of(own: Column, cell: str, rules: dict[str, Any]) -> str | None:
    """Our code for a sender's own word: the same, by the pack's words, or by its likeness; ``None`` where it is no code."""
    upper = cell.upper()
    if upper in own.codes:
        return upper
    words = rules["code_words"].get(own.name, {})
    if upper in words:
        return str(words[upper])
    near = max(own.codes, key=lambda code: fuzz.ratio(upper, code))
    return near if len(near) > 2 and fuzz.ratio(upper, near) >= 85 else None


def _order(looked: _Looked, fields: Table[str, Source]) -> str:
    """Whether days are written day first: only where some cell cannot be anything else and none speaks against it."""
    columns = {
        c
        for one in fields.values()
        for c in (*one.columns, *((one.when,) if one.is_ == PAST and one.when else ()))
    }
    cells = pl.concat([pl.Series("", [], pl.String), *(looked.columns[c] for c in sorted(columns))])
    pairs = cells.str.extract_groups(
        r"^(?<first>\d{1,2})[/.\-](?<second>\d{1,2})[/.\-](?:\d{4}|\d{2})\b"
    ).struct
    first, second = ((pairs.field(name).cast(pl.Int32) > 12).sum() for name in ("first", "second"))
    return "dmy" if first and not second else "mdy"


def slug(sender: str, part: str) -> str:
    """A name for the mapping, from the sender's address or the file's name."""
    text = sender.partition("@")[0] if "@" in sender else re.sub(r"\.[^.]*$", "", part)
    made = re.sub(r"[^a-z]+", "-", text.casefold()).strip("-")[:40].strip("-")
    return made if len(made) > 1 else "sender"


def pattern(text: str) -> str:
    """A pattern that only this text fits."""
    return re.sub(r"([\[*?])", r"[\1]", text)


def loose(text: str) -> str:
    """A pattern that the next of its kind fits as well: what was forwarded or answered, and any number, may differ."""
    bare = re.sub(r"^(?:\s*(?:fw|fwd|re|rv)\s*:\s*)+", "", text.strip(), flags=re.IGNORECASE)
    starred = re.sub(r"\*[*\s]*\*", "*", re.sub(r"[\d/.\-]*\d[\d/.\-]*", "*", re.sub(r"([\[?*])", "?", bare)))
    return (starred if bare == text.strip() else f"*{starred}") or "*"


__all__ = ["FILLED", "Proposal", "Proposed", "Sent", "propose", "same_name"]
