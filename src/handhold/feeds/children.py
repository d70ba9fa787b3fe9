"""Which cases of a court extract are a child's (``feeds.md`` 3), found in a pass over the few columns that say so.

Held of a dump is what ``court.Signs`` gathers: numbers and days of cases, no text.
"""

import polars as pl

from handhold import store
from handhold.feeds import inbox, opening
from handhold.feeds.layout import layouts
from handhold.feeds.model import Delivery, Unreadable
from handhold.feeds.reading import court
from handhold.feeds.reading.columns import a_number
from handhold.feeds.reading.numbers import Known
from handhold.pack import Pack

TAKEN = "select distinct file from feeds_row where feed like 'eoir.%'"
FIRST = ("A_TblCase", "CaseIdentity")  # say when a respondent came of age, which the others are held against


def cases_of(db: store.Db, deliveries: list[Delivery], pack: Pack) -> court.Cases | None:
    """The cases of an extract that are a child's, or were taken before: a table that comes alone, or a sign that is gone,
    drops nobody. ``None`` where no delivery is a table of the court."""
    extract = [d for d in deliveries if d.mapping is None and layouts(pack)[d.feed or ""].shifts]
    if not extract:
        return None
    shown = signs(extract, inbox.known_numbers(db), pack).children
    cases = court.Cases(shown, Known.of(store.frame(db, TAKEN)["file"]), opening.case_files)
    leave(db, extract, cases, pack)
    return cases


def signs(extract: list[Delivery], known_numbers: pl.Series, pack: Pack) -> court.Signs:
    """What the tables of an extract, or a number known from ERO or ORR, show of whose cases are a child's.

    A table that cannot be read is left out here: it is refused when it is opened for good.
    """
    zone = layouts(pack)["eoir.A_TblCase"].zone
    found = court.Signs(known_numbers, pack.toml("feeds/eoir.toml")["codes"], zone)
    telling = [d for d in extract if layouts(pack)[d.feed or ""].table in court.SIGNS]
    for delivery in sorted(telling, key=lambda d: layouts(pack)[d.feed or ""].table not in FIRST):
        layout = layouts(pack)[delivery.feed or ""]
        try:
            for piece in opening.cells(delivery, layout, pack, only=court.SIGNS[layout.table]):
                found.see(layout.table, piece.rows)
        except Unreadable:
            continue
    return found


def leave(db: store.Db, extract: list[Delivery], cases: court.Cases, pack: Pack) -> None:
    """Remember the number of every case left aside: ERO or ORR may still say that it is a child's."""
    for delivery in (d for d in extract if d.feed == "eoir.CaseIdentity"):
        layout = layouts(pack)[delivery.feed or ""]
        try:
            for piece in opening.cells(delivery, layout, pack, only=["IDNCASE", "A_NUMBER"]):
                _leave(db, piece.rows, cases)
        except Unreadable:
            continue


def _leave(db: store.Db, people: pl.DataFrame, cases: court.Cases) -> None:
    left = (
        people.filter(~cases(people)).select(number=a_number(pl.col("A_NUMBER")), case="IDNCASE").drop_nulls()
    )
    waiting = pl.DataFrame(
        {"number": store.blind(left["number"], "number"), "file": opening.case_files(left["case"])}
    )
    store.upsert(db, "feeds_left_case", waiting.unique(), ["number", "file"], [])
