"""Correcting a refused row in place: the edit stands beside the row as it came, and is read in its stead.

The edited row takes the same path as any other: checked, compared, understood, at its delivery's own turn.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store
from handhold.feeds import inbox, opening, order, quarantine
from handhold.feeds.layout import Layout, layouts
from handhold.feeds.mapping import book
from handhold.feeds.mapping.text import base_feed
from handhold.feeds.model import Delivery, FeedError
from handhold.feeds.retell import Retelling, State, again
from handhold.pack import Pack

REFUSED = """
    select q.id, q.line, q.column_ as "column", q.why, q.row_, q.key_, q.released, q.edit
    from feeds_quarantine q where q.delivery = %s and q.line = %s"""
END = "update feeds_edit set ended = %s where delivery = %s and line = %s and ended is null"
EDITED = "select count(*) as n from feeds_edit where delivery = %s and line = %s"
BEGIN = "insert into feeds_edit (id, delivery, line, row_, why, by, at) values (%s, %s, %s, %s, %s, %s, %s)"
RELEASE = "update feeds_quarantine set released = %s, edit = %s where delivery = %s and line = %s"


def came(db: store.Db, delivery: int, line: int, pack: Pack) -> dict[str, str]:
    """The cells of a refused row as it came, or as it was last edited, by the layout's columns; blanks are empty text.

    Raises :class:`FeedError` where no such row was refused.
    """
    found, layout = _delivery(db, delivery, pack)
    refused = _refused(db, found, line)
    known = dict(order.edits(db, [found]).get(delivery, ()))
    if line in known:
        return {name: json.loads(known[line]).get(name) or "" for name in layout.columns}
    text = store.unseal("delivery", f"feeds_quarantine.row_.{refused['id']}", bytes(refused["row_"])).decode()
    return cells_of(text, layout)


def cells_of(text: str, layout: Layout) -> dict[str, str]:
    """A kept row by column. A row with a wrong number of cells stands as far as it goes, cell by cell from the left."""
    if text.startswith("{"):
        said = json.loads(text)
        return {name: said.get(name) or "" for name in layout.columns}
    cells = text.split(quarantine.UNIT)
    return {name: cells[n] if n < len(cells) else "" for n, name in enumerate(layout.columns)}


def fix(
    db: store.Db,
    delivery: int,
    line: int,
    cells: Mapping[str, str],
    *,
    by: str,
    why: str,
    now: datetime,
    pack: Pack,
) -> Retelling:
    """Read a refused row with these cells in the place of its own; returns the story that is another one now.

    Raises :class:`FeedError`, and changes nothing: for a row that is not in quarantine, for a column the feed does not have,
    for another key than the row's own, and for a row that would be refused again (the sentence says why).
    """
    if not why.strip():
        raise FeedError("say why; whoever asks later what happened to the row should find it")
    store.lock(db, "feeds.read")
    found, layout = _delivery(db, delivery, pack)
    if found.status != "read":
        raise FeedError(
            f"delivery {delivery} is {found.status}; only rows of a delivery that stands can be corrected"
        )
    refused = _refused(db, found, line)
    unknown = [name for name in cells if name not in layout.columns]
    if unknown:
        raise FeedError(
            f"{layout.feed} has no column {', '.join(unknown)}; its columns are {', '.join(layout.columns)}"
        )
    row = came(db, delivery, line, pack) | {name: value.strip() for name, value in cells.items()}
    stream = order.stream_of(found)
    numbers = inbox.known_numbers(db)
    before = State(order.standing(db, stream), numbers)
    edit = _keep(db, delivery, line, row, by, why, now)
    after = State(order.standing(db, stream), numbers)
    _check(next(d for d in after.deliveries if d.id == delivery), line, row, refused["key_"], layout, pack)
    told = again(db, stream, before, after, now=now, pack=pack)
    db.execute(RELEASE, [now, edit, delivery, line])
    return replace(told, deliveries=[found])


def _delivery(db: store.Db, delivery: int, pack: Pack) -> tuple[Delivery, Layout]:
    rows = store.fetch(db, "select * from feeds_delivery where id = %s", [delivery])
    if not rows or base_feed(rows[0]["feed"] or "") not in layouts(pack):
        raise FeedError(f"there is no delivery {delivery} of a feed; handhold feeds list names them")
    found = inbox.from_row(rows[0])
    return found, book.layout_of(db, found, pack)


def _refused(db: store.Db, delivery: Delivery, line: int) -> dict[str, Any]:
    rows = store.fetch(db, REFUSED, [delivery.id, line])
    if not rows:
        raise FeedError(f"line {line} of delivery {delivery.id} is not in quarantine; nothing was changed")
    if rows[0]["released"] is not None and rows[0]["edit"] is None:
        raise FeedError(
            f"line {line} of delivery {delivery.id} was released by a corrected row; nothing was changed"
        )
    return rows[0]


def _keep(
    db: store.Db, delivery: int, line: int, row: Mapping[str, str], by: str, why: str, now: datetime
) -> int:
    said = json.dumps({name: value or None for name, value in row.items()}, ensure_ascii=False)
    turn = store.fetch(db, EDITED, [delivery, line])[0]["n"]  # the same may be said twice in one moment
    told = [str(delivery), str(line), now.isoformat(), str(turn), said]
    edit = store.blind_one(quarantine.UNIT.join(told), "edit")
    sealed = [
        store.seal("delivery", f"feeds_edit.{name}.{edit}", text.encode())
        for name, text in (("row_", said), ("why", why))
    ]
    db.execute(END, [now, delivery, line])
    db.execute(BEGIN, [edit, delivery, line, *sealed, by, now])
    return edit


def _check(
    delivery: Delivery, line: int, row: Mapping[str, str], key: object, layout: Layout, pack: Pack
) -> None:
    """The edited row must be of the same key, and one that can be used."""
    own = pl.DataFrame({"key": [row[layout.key] or None]}, schema={"key": pl.String})
    if key is not None and quarantine.keys(own, layout)[0] != key:
        raise FeedError(
            f"{layout.key}: this is another row's; only a row of the same key may take the place of a refused one"
        )
    problem = opening.problem_of(delivery, line, row, layout, pack)
    if problem is not None:
        raise FeedError(problem)
