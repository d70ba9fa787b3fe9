"""Names as the court, the jail and the shelter type them, folded so that like meets like. Pure.

The name as written is kept elsewhere; what is folded here is only compared. Everything ends as A to Z, because two
engines compare accented bytes differently (``linkage.md`` 3e). Every function takes one value; :func:`each` applies one
to a column, once for each distinct value, so that a nation and a single file are read by the same code.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import polars as pl

REMEMBERED = 200_000
"""Names of which the parts are kept at hand: a nation's common ones."""
PARTICLES = re.compile(r"\b(?:DE LA|DE LOS|DE LAS|DEL|DE|LA|LOS|LAS|Y|DA|DOS|DAS)\b")
# Written where no name is known (first name unknown, no last name, no middle name); they tell nobody from another.
NOBODY = re.compile(r"\b(?:FNU|LNU|NFN|NLN|NMN|NMI|UNK|UNKNOWN|DESCONOCID[OA]|XX+)\b")
JOINING, FOREIGN, BLANKS = re.compile(r"[-‐-―/,.]"), re.compile(r"[^A-Z ]"), re.compile(r" +")
# A particle written in one with its surname: DELACRUZ, DELEON, DELCID, DEPAZ. What is left has to look like a name of its own.
GLUED = re.compile(
    r"^(?:DEL(?=AGUILA|ANGEL|OLMO)|DEL(?:AS|OS|A)?(?=[B-DF-HJ-NP-TV-Z][A-Z]{2})|DE(?=[A-Z]{3}))"
)

# Spellings of one Spanish or Maya sound, applied in order: the left is written for the right by one clerk or another.
SOUNDS = tuple(
    (re.compile(pattern), letter)
    for pattern, letter in (
        (r"CH", "8"), (r"TZ|TS|Z", "S"), (r"C([EI])", r"S\1"), (r"QU|Q|K", "C"), (r"X|SH|J", "H"), (r"G([EI])", r"H\1"),
        (r"GU([EI])|HU|W", r"U\1"), (r"LL|Y", "I"), (r"V", "B"), (r"([A-Z8])H", r"\1"),
        (r"AA+", "A"), (r"EE+", "E"), (r"II+", "I"), (r"OO+", "O"), (r"UU+", "U"), (r"SS+", "S"), (r"CC+", "C"), (r"RR+", "R"), (r"NN+", "N"),
        (r"^H(?=.)", ""),
    )
)  # fmt: skip

FOLDING = tuple(pattern.pattern for pattern in (PARTICLES, JOINING, FOREIGN, GLUED)) + tuple(
    f"{pattern.pattern}={letter}" for pattern, letter in SOUNDS
)
"""All that names are folded by, as text: a model is trained for names that are folded so."""


class Name(NamedTuple):
    """A folded name taken apart. ``second`` is all after the first word, run together; blank where there is none.

    Of a surname, what is not a word by itself (all but ``whole``, ``first`` and ``second``) is without particles that were
    written in one with it.
    """

    whole: str
    ordered: str  # its words in the order of the alphabet
    run: str  # its words run together
    turned: str  # the same with the first word last
    first: str
    second: str
    first_heard: str
    second_heard: str
    run_heard: str
    turned_heard: str


def each(column: pl.Series, one: Callable[[Any], Any], kind: Any = pl.String) -> pl.Series:
    """``one`` of every value, called once for each distinct value; null stays null."""
    distinct = column.drop_nulls().unique()
    answers = pl.Series("answer", [one(value) for value in distinct], dtype=kind)
    table = pl.DataFrame({"value": distinct, "answer": answers})
    found = pl.DataFrame({"value": column}).join(table, on="value", how="left", maintain_order="left")
    return found["answer"].alias(column.name)


@lru_cache(REMEMBERED)
def folded(name: str) -> str | None:
    """Capitals A to Z and single blanks, without particles: a hyphen parts words, an apostrophe does not.

    ``None`` where nothing is left that is a name, which is so of what is written for an unknown one (:data:`NOBODY`).
    """
    plain = JOINING.sub(" ", unicodedata.normalize("NFKD", name).upper())
    bare = BLANKS.sub(" ", NOBODY.sub(" ", FOREIGN.sub("", plain))).strip()
    short = BLANKS.sub(" ", PARTICLES.sub(" ", bare)).strip()
    return short or bare or None


@lru_cache(REMEMBERED)
def heard(name: str) -> str:
    """A folded name as it might be heard: the spelling pairs made one."""
    for pattern, letter in SOUNDS:
        name = pattern.sub(letter, name)
    return name


@lru_cache(REMEMBERED)
def parts(name: str) -> Name:
    """A folded given name taken apart."""
    return _apart(name, name.split(" "))


@lru_cache(REMEMBERED)
def surnames(name: str) -> Name:
    """Folded surnames taken apart."""
    return _apart(name, [GLUED.sub("", word) for word in name.split(" ")])


def _apart(name: str, bare: list[str]) -> Name:
    first, _, rest = name.partition(" ")
    second = "".join(bare[1:])
    run, turned = bare[0] + second, second + bare[0]
    return Name(
        name, " ".join(sorted(bare)), run, turned, first, rest.replace(" ", ""),
        heard(bare[0]), heard(second), heard(run), heard(turned),
    )  # fmt: skip
