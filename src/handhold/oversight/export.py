"""What comes out, for machines: ``feeds.md`` section 10. Column names and codes are a contract."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import psycopg

from handhold import ledger, store
from handhold.oversight.figures import FigureError, picture
from handhold.oversight.statistics import statistics
from handhold.pack import Pack

Db = psycopg.Connection[Any]
Rows = Callable[[Db, datetime, Pack], pl.DataFrame]

FILES = "select id, agency, key_, child, linked_by, probability from identity_file where child is not null order by id"
CHILDREN = """
    select child, responsible, place, address_quality, contact, nta, nta_reason, court, next_hearing, missed_hearings,
           told_orr, told_ero, told_opla, open_gaps
    from account_standing order by child"""
EVENTS = """
    select e.id as event, coalesce(e.child, f.child) as child, e.kind, e.at as happened, e.known, e.recorded, e.agency,
           e.delivery, e.line as row, e.superseded_by, e.precision_ as precision, e.detail
    from timeline_event e left join identity_file f on f.id = e.file
    where e.recorded <= %(as_of)s and (e.unsaid is null or e.unsaid > %(as_of)s) order by e.id"""
GAPS = """
    select id as gap, child, kind, reason, opened, case when closed <= %(as_of)s then closed end as closed, owner, due, null as feed
    from account_gap where opened <= %(as_of)s
    union all
    select id, null, kind, reason, opened, case when closed <= %(as_of)s then closed end, owner, due, feed
    from account_feed_gap where opened <= %(as_of)s order by gap"""
NOTICES = """
    select id as notice, child, about, about_kind, recipient, purpose, agreement, sent, received, acknowledged, corrects
    from notices_outbox where created <= %(as_of)s order by id"""
QUARANTINE = """
    select q.id, q.delivery, q.line as row, q.column_ as "column", q.value, q.why, q.released, q.released_by, q.edit
    from feeds_quarantine q join feeds_delivery d on d.id = q.delivery where d.status <> 'undone'
    order by q.delivery, q.line, q.id"""


def _plain(query: str) -> Rows:
    return lambda db, as_of, _pack: store.frame(db, query, {"as_of": as_of})


def _files(db: Db, _as_of: datetime, _pack: Pack) -> pl.DataFrame:
    sealed = store.frame(db, FILES)
    keys = store.unseal_many("identity", "identity_file.key_", sealed["id"], sealed["key_"])
    return sealed.with_columns(keys.alias("file_key")).select(
        "agency", "file_key", "child", "linked_by", "probability", pl.col("id").alias("file")
    )


def _quarantine(db: Db, _as_of: datetime, _pack: Pack) -> pl.DataFrame:
    sealed = store.frame(db, QUARANTINE)
    values = store.unseal_many("delivery", "feeds_quarantine.value", sealed["id"], sealed["value"])
    return sealed.with_columns(values.alias("value")).drop("id")


def _figures(db: Db, as_of: datetime, pack: Pack) -> pl.DataFrame:
    rows = [
        {
            "figure": f.name,
            "as_of": f.as_of,
            "value": f.value,
            "unknown": f.unknown,
            "definition_version": f.version,
            "oldest_feed": f.oldest[0] if f.oldest else None,
            "oldest_as_of": f.oldest[1] if f.oldest else None,
        }
        for f in picture(db, now=as_of, pack=pack, everything=True)
    ]
    rows += [
        {
            "figure": f"{s.name}/{label}",
            "as_of": as_of,
            "value": value,
            "unknown": s.unknown,
            "definition_version": pack.version,
            "oldest_feed": s.oldest[0] if s.oldest else None,
            "oldest_as_of": s.oldest[1] if s.oldest else None,
        }
        for s in statistics(db, pack=pack)
        for label, value in s.parts
    ]
    return pl.DataFrame(rows, infer_schema_length=None)


# The contract (feeds.md 10): every export has at least these columns, whatever else it carries.
COLUMNS: dict[str, tuple[str, ...]] = {
    "files": ("agency", "file_key", "child", "linked_by", "probability"),
    "children": (
        "child", "responsible", "place", "address_quality", "contact", "nta", "nta_reason", "court", "next_hearing", "missed_hearings",
        "told_orr", "told_ero", "told_opla", "open_gaps",
    ),
    "events": (
        "event", "child", "kind", "happened", "known", "recorded", "agency", "delivery", "row", "superseded_by",
    ),
    "gaps": ("gap", "child", "kind", "reason", "opened", "closed", "owner", "due"),
    "notices": (
        "notice", "child", "about", "recipient", "purpose", "agreement", "sent", "received", "acknowledged",
    ),
    "quarantine": ("delivery", "row", "column", "value", "why"),
    "figures": ("figure", "as_of", "value", "unknown", "definition_version"),
}  # fmt: skip

EXPORTS: dict[str, Rows] = {
    "files": _files,
    "children": _plain(CHILDREN),
    "events": _plain(EVENTS),
    "gaps": _plain(GAPS),
    "notices": _plain(NOTICES),
    "quarantine": _quarantine,
    "figures": _figures,
}


def export(db: Db, what: str, target: Path, *, as_of: datetime | None, now: datetime, pack: Pack) -> int:
    """Write one kind of row to ``target`` and return how many; the export itself is an entry in the ledger.

    ``as_of``: as Handhold knew it then (events, gaps and notices; the others are current). Raises
    :class:`FigureError` when ``target`` ends in none of .parquet, .csv, .jsonl.
    """
    write = _writer(target)
    rows = EXPORTS[what](db, as_of or now, pack)
    if store.setting(db, "synthetic"):
        rows = rows.with_columns(synthetic=pl.lit(True))
    try:
        write(rows, target)
    except OSError as error:
        raise FigureError(
            f"{target.name} cannot be written ({error.strerror or 'no such folder'}); choose another place with --to"
        ) from None
    ledger.write(db, by="system", verb="export.written", thing=f"export.{what}", ids=[], at=now)
    return len(rows)


def _writer(target: Path) -> Callable[[pl.DataFrame, Path], Any]:
    writers: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
        ".parquet": lambda rows, path: rows.write_parquet(path),
        ".csv": lambda rows, path: _harmless(rows).write_csv(path),
        ".jsonl": lambda rows, path: rows.write_ndjson(path),
    }
    if target.suffix not in writers:
        raise FigureError(f"{target.name}: write to a name that ends in .parquet, .csv or .jsonl")
    return writers[target.suffix]


def _harmless(rows: pl.DataFrame) -> pl.DataFrame:
    """Cells that a spreadsheet would run as a formula begin with an apostrophe (ASVS 1.2.10)."""
    text = pl.selectors.string()
    return rows.with_columns(
        pl.when(text.str.contains(r"^[=+\-@\t\r＝]")).then("'" + text).otherwise(text).name.keep()
    )
