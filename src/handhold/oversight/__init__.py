"""Figures that open: an oversight number, its definition, its unknown, and the rows under it (``design.md`` 11)."""

from handhold.oversight.export import COLUMNS, EXPORTS, export
from handhold.oversight.figures import Definition, Figure, FigureError, Opened, explain, picture
from handhold.oversight.statistics import Statistic, rows_under, statistics

__all__ = [
    "COLUMNS", "EXPORTS", "Definition", "Figure", "FigureError", "Opened", "Statistic", "explain", "export", "picture", "rows_under",
    "statistics",
]  # fmt: skip
