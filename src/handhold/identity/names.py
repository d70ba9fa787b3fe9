"""Names as the court, the jail and the shelter type them, folded so that like meets like. Pure; expressions only.

The name as written is kept elsewhere; what is folded here is only compared. Everything ends as A to Z, because two
engines compare accented bytes differently (``linkage.md`` 3e).
"""

import polars as pl

PARTICLES = r"\b(?:DE LA|DE LOS|DE LAS|DEL|DE|LA|LOS|LAS|Y|DA|DOS|DAS)\b"

# Spellings of one Spanish or Maya sound, applied in order: the left is written for the right by one clerk or another.
SOUNDS = (
    (r"CH", "8"), (r"TZ|TS|Z", "S"), (r"C([EI])", "S$1"), (r"QU|Q|K", "C"), (r"X|SH|J", "H"), (r"G([EI])", "H$1"),
    (r"GU([EI])|HU|W", "U$1"), (r"LL|Y", "I"), (r"V", "B"), (r"([A-Z8])H", "$1"),
    (r"AA+", "A"), (r"EE+", "E"), (r"II+", "I"), (r"OO+", "O"), (r"UU+", "U"), (r"SS+", "S"), (r"CC+", "C"), (r"RR+", "R"), (r"NN+", "N"),
)  # fmt: skip


def folded(name: pl.Expr) -> pl.Expr:
    """Capitals A to Z and single blanks, without particles: a hyphen parts words, an apostrophe does not."""
    plain = (
        name.str.normalize("NFKD")
        .str.to_uppercase()
        .str.replace_all(r"[-‐-―/,.]", " ")
        .str.replace_all(r"[^A-Z ]", "")
    )
    bare = plain.str.replace_all(r" +", " ").str.strip_chars()
    short = bare.str.replace_all(PARTICLES, " ").str.replace_all(r" +", " ").str.strip_chars()
    return pl.when(short == "").then(bare).otherwise(short).replace("", None)


def tokens(name: pl.Expr) -> pl.Expr:
    """The words of a folded name; an empty list for none."""
    return name.fill_null("").str.split(" ").list.filter(pl.element() != "")


def sound(name: pl.Expr) -> pl.Expr:
    """A folded name as it might be heard: the spelling pairs made one."""
    heard = name
    for pattern, letter in SOUNDS:
        heard = heard.str.replace_all(pattern, letter)
    return heard
