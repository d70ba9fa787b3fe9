"""Counts from published lists, beside the figures and never among them: they are linked to no child (``statistics.toml``)."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import polars as pl
import psycopg

from handhold import store
from handhold.oversight.figures import newest_by_feed
from handhold.pack import Pack

Db = psycopg.Connection[Any]


@dataclass(frozen=True)
class Statistic:
    """One list of counts: label and number, the unknown apart; ``oldest`` as of a figure."""

    name: str
    title: str
    sentence: str
    source: str
    parts: list[tuple[str, int]]
    unknown: int
    oldest: tuple[str, date] | None

    @property
    def total(self) -> int:
        """All that was counted, the unknown included."""
        return sum(n for _, n in self.parts) + self.unknown


def statistics(db: Db, *, pack: Pack) -> list[Statistic]:
    """The statistics whose list has come; none where nobody brought one."""
    newest = newest_by_feed(db)
    found = []
    for name, text in pack.toml("statistics.toml")["statistic"].items():
        feeds = [(feed, day) for feed, day in newest.items() if feed in text["rests_on"]]
        counted = store.fetch(db, _over(text, "label, count(*) as n", "group by 1 order by 1"))
        if counted:
            parts = [(str(row["label"]), int(row["n"])) for row in counted if row["label"] is not None]
            unknown = sum(int(row["n"]) for row in counted if row["label"] is None)
            found.append(
                Statistic(
                    name,
                    text["title"],
                    text["sentence"],
                    text["source"],
                    parts,
                    unknown,
                    next(iter(feeds), None),
                )
            )
    return found


def rows_under(db: Db, name: str, *, pack: Pack, limit: int | None = None) -> pl.DataFrame | None:
    """The lines that a statistic counts (label, delivery, line), or ``None`` for a name that is none."""
    text = pack.toml("statistics.toml")["statistic"].get(name)
    last = f"limit {int(limit)}" if limit else ""
    return None if text is None else store.frame(db, _over(text, "*", f"order by 1, 2, 3 {last}"))


def _over(text: dict[str, Any], columns: str, rest: str) -> str:
    """A question over what a statistic counts: the pack's own reviewed text, never anything a user typed."""
    return f"select {columns} from ({text['rows']}) as r {rest}"  # noqa: S608
