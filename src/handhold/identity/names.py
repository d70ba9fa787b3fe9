"""Names as the court, the jail and the shelter type them, folded so that like meets like. Pure; expressions only.

The name as written is kept elsewhere; what is folded here is only compared. Everything ends as A to Z, because two
engines compare accented bytes differently (``linkage.md`` 3e).
"""

import polars as pl

PARTICLES = r"\b(?:DE LA|DE LOS|DE LAS|DEL|DE|LA|LOS|LAS|Y|DA|DOS|DAS)\b"

# Spelling pairs of Spanish and Maya names, applied in order: the left is written for the right by one clerk or another.
FOLDS = (
    (r"TZ|TS|Z|CE|CI", "S"), (r"QU|K|C", "K"), (r"X|SH|J|GE|GI|H", "J"), (r"LL|Y", "I"), (r"UI|WI|GUI", "W"), (r"V", "B"), (r"(.)\1", "$1"),
)  # fmt: skip


def folded(name: pl.Expr) -> pl.Expr:
    """Capitals A to Z and single blanks, without particles."""
    plain = name.str.normalize("NFKD").str.to_uppercase().str.replace_all(r"[^A-Z ]", "")
    return plain.str.replace_all(PARTICLES, " ").str.replace_all(r" +", " ").str.strip_chars()


def tokens(name: pl.Expr) -> pl.Expr:
    """The words of a folded name; an empty list for none."""
    return name.fill_null("").str.split(" ").list.filter(pl.element() != "")


def sound(name: pl.Expr) -> pl.Expr:
    """A folded name as it might be heard: the spelling pairs made one."""
    heard = name
    for pattern, letter in FOLDS[:-1]:
        heard = heard.str.replace_all(pattern, letter)
    return heard.str.replace_all(r"([A-Z])H", "$1").str.replace_all("AA", "A").str.replace_all("SS", "S").str.replace_all("II", "I")
