"""Figures that open: an oversight number, its definition, its unknown, and the rows under it (``design.md`` 11)."""

from handhold.oversight.export import COLUMNS, EXPORTS, export
from handhold.oversight.figures import Definition, Figure, FigureError, Opened, explain, picture
from handhold.oversight.questions import RULES as QUESTIONS
from handhold.oversight.questions import needs_two
from handhold.oversight.statistics import Statistic, rows_under, statistics
from handhold.oversight.watch import Quality, quality

__all__ = [
    "COLUMNS", "EXPORTS", "QUESTIONS", "Definition", "Figure", "FigureError", "Opened", "Quality", "Statistic", "explain", "export",
    "needs_two", "picture", "quality", "rows_under", "statistics",
]  # fmt: skip
