"""Accounts as they stand: which must be made anew, made in chunks by several processes, stored with their history."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import polars as pl

from handhold import store, timeline
from handhold.account import crew, folding, rules, shared
from handhold.account.crew import Transaction
from handhold.pack import Pack

Progress = Callable[[int, int], None]

CHUNK = 4_000  # children a transaction accounts for
FEW = 1_000  # children for which no other process is started
SYSTEM = "system"

WAKE = """
    insert into account_touched (child)
    select child from account_standing where wakes_at <= %s on conflict do nothing"""
TAKE = """
    delete from account_touched where child in
        (select child from account_touched order by child for update skip locked limit %(limit)s)
    returning child, because"""
UNDONE = "undone"  # why gaps close whose ground was withdrawn with a delivery; whoever was told is owed a correction
SHARED = "select s.place, s.child, s.families, s.children, s.since from account_shared s where s.child = any(%(children)s) order by 1, 2"
# Questions that wait; A-numbers that a child's files state, unless a person has put two of such files together; and those of
# them that another child's file states, unless a person has said that these are two children.
DOUBTS = """
    with mine as materialized (
        select distinct f.child, f.id as file, d.number from identity_file f join identity_description d on d.file = f.id
        where f.child = any(%(children)s) and not d.withdrawn and d.number is not null),
    asked as (
        select f.child, count(distinct q.id)::int as questions from identity_question q
        join identity_file f on f.id in (q.file_a, q.file_b)
        where q.closed is null and f.child = any(%(children)s) group by f.child),
    several as (
        select m.child, count(distinct m.number)::int as numbers from mine m group by m.child
        having count(distinct m.number) > 1 and not exists (
            select from mine a join identity_judgement j on j.file_a = a.file and j.until is null and j.judgement = 'match'
            join mine b on b.file = j.file_b where a.child = m.child and b.child = m.child and a.number <> b.number)),
    borne as (
        select m.child, count(distinct m.number)::int as numbers from (select distinct child, number from mine) m
        join identity_key k on k.key = m.number join identity_file o on o.id = k.file and o.child <> m.child
        where exists (select from identity_description e where e.file = o.id and e.number = m.number and not e.withdrawn)
          and not exists (
            select from identity_file a join identity_judgement j on j.file_a = a.id and j.until is null and j.judgement = 'no match'
            join identity_file g on g.id = j.file_b and g.child = o.child where a.child = m.child)
          and not exists (
            select from identity_file a join identity_judgement j on j.file_b = a.id and j.until is null and j.judgement = 'no match'
            join identity_file g on g.id = j.file_a and g.child = o.child where a.child = m.child)
        group by m.child)
    select child, coalesce(questions, 0) as questions, coalesce(s.numbers, 0) as numbers, coalesce(b.numbers, 0) as of_two
    from asked full join several s using (child) full join borne b using (child)"""
DECIDED = """
    select id, kind, key_, subject from account_gap where child = any(%(children)s) and (id = any(%(about)s) or subject = any(%(about)s))"""
OF_GAPS = ("gap-opened", "gap-closed")
ABOUT_GAPS = ("told", "received", "acknowledged", "reason-decided")
GAPS_BEFORE = """
    select id, child, kind, key_, reason, subject, opened, closed, times, digest
    from account_gap where child = any(%(children)s) order by id"""
STANDING_BEFORE = (
    "select child, digest as old_digest from account_standing where child = any(%(children)s) order by child"
)
PAST = """
    insert into account_past (child, account, from_, until)
    select child, account, as_of, %(now)s from account_standing where child = any(%(children)s)"""
SAYS = ("id", "child", "kind", "reason")


@dataclass(frozen=True)
class Updated:
    """Which children were accounted for, and the gaps that opened and closed (id, child, kind, reason)."""

    which: pl.Series
    opened: pl.DataFrame
    closed: pl.DataFrame

    @property
    def children(self) -> int:
        """How many they were."""
        return len(self.which)


def touch(db: store.Db, children: pl.Series, *, undone: bool = False) -> None:
    """Mark children whose account must be made anew; ``undone``: because what was taken in was taken back."""
    wanted = pl.DataFrame({"child": children.cast(pl.Int64).drop_nulls().unique()})
    if undone:
        store.upsert(db, "account_touched", wanted.with_columns(because=pl.lit(UNDONE)), ["child"])
    else:
        store.upsert(db, "account_touched", wanted, ["child"], [])


def update(
    transaction: Transaction, *, now: datetime, pack: Pack, workers: int = 3, progress: Progress | None = None
) -> Updated:
    """Make the accounts of all touched children and of those whose time has come, and open and close their gaps.

    Each chunk of children is a transaction of its own that takes them off the list and writes their accounts, so a
    process killed anywhere loses nothing and doubles nothing. ``workers``: how many processes make them, ``0`` for none but
    this one; for others ``transaction`` must be a module's own. ``progress(done, total)`` is called before and after each chunk.
    """
    total = _prepare(transaction, now, pack)
    done = 0
    if progress:
        progress(done, total)
    chunks = []
    for chunk in crew.chunks(_chunk, transaction, now, pack, workers if total > FEW else 0):
        chunks.append(chunk)
        done += chunk.children
        if progress:
            progress(done, max(total, done))
    return _together(chunks)


def _prepare(transaction: Transaction, now: datetime, pack: Pack) -> int:
    """Add to the touched those whose time has come and those whose neighbours changed; how many that makes."""
    with transaction() as db:
        touched = db.execute("select exists (select from account_touched)").fetchone() == (True,)
        db.execute(WAKE, [now])
        if touched:
            touch(db, shared.refresh(db, rules.of(pack)))
        return int(store.fetch(db, "select count(*) as n from account_touched")[0]["n"])


def _chunk(transaction: Transaction, now: datetime, pack: Pack) -> Updated:
    """Account for the next children on the list."""
    with transaction() as db:
        taken = dict(
            sorted((row["child"], row["because"]) for row in store.fetch(db, TAKE, {"limit": CHUNK}))
        )
        children = pl.Series("child", list(taken), pl.Int64)
        if not len(children):
            return _together([])
        asked = folding.Asked(_events(db, children), *_around(db, children), now)
        return _store(db, taken, folding.answer(asked, pack), now)


def _events(db: store.Db, children: pl.Series) -> pl.DataFrame:
    """The children's events, less the comings and goings of gaps: those are made of the account, so it is not made of them.

    What somebody decided or acknowledged names a gap or the event it was about. Rows are corrected and gaps are not, so
    decisions get the gap's key instead, and all others the event that the gap is about.
    """
    events = timeline.stream(db, children).filter(~pl.col("kind").is_in(OF_GAPS))
    own = events.filter(pl.col("kind").is_in(ABOUT_GAPS)).select(
        "id", "kind", *_said("about", "kind", "code", "recipient")
    )
    if not len(own):
        return events
    about = own.with_columns(pl.col("said_about").cast(pl.Int64, strict=False))
    gaps = store.frame(
        db,
        DECIDED,
        {"children": children.to_list(), "about": about["said_about"].drop_nulls().unique().to_list()},
    )
    return _decided(_meant(events, about, gaps), about, gaps)


def _said(*names: str) -> list[pl.Expr]:
    return [pl.col("detail").str.json_path_match(f"$.{name}").alias(f"said_{name}") for name in names]


def _meant(events: pl.DataFrame, about: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """Where an event is about a gap by its id, ``subject`` is what the gap is about."""
    known = gaps.select(said_about="id", meant="subject").drop_nulls()
    meant = about.join(known, on="said_about").select("id", "meant")
    together = events.join(meant, on="id", how="left", maintain_order="left")
    return together.with_columns(subject=pl.coalesce("meant", "subject")).drop("meant")


def _decided(events: pl.DataFrame, about: pl.DataFrame, gaps: pl.DataFrame) -> pl.DataFrame:
    """A person's decision with the key of the gap that it closes, whatever row the gap rests on today."""
    decisions = about.filter(pl.col("kind") == "reason-decided")
    either = pl.concat(
        [gaps.select("kind", "key_", said_about=name) for name in ("id", "subject")]
    ).drop_nulls()
    keyed = decisions.join(
        either, left_on=["said_about", "said_kind"], right_on=["said_about", "kind"]
    ).unique("id", keep="first")
    said = pl.struct(about="key_", kind="said_kind", code="said_code").struct.json_encode()
    together = events.join(keyed.select("id", said=said), on="id", how="left", maintain_order="left")
    return together.with_columns(detail=pl.coalesce("said", "detail")).drop("said")


def _around(db: store.Db, children: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    wanted = {"children": children.to_list()}
    return store.frame(db, SHARED, wanted), store.frame(db, DOUBTS, wanted)


def _store(db: store.Db, taken: dict[int, str | None], made: folding.Made, now: datetime) -> Updated:
    """Write what the fold gave: gaps first, for the number open is part of the standing account."""
    children = pl.Series("child", list(taken), pl.Int64)
    gaps = _identified(made.gaps)
    before = store.frame(db, GAPS_BEFORE, {"children": children.to_list()})
    opened, closed = _write_gaps(db, gaps, before.with_columns(_why_closed(taken)), now)
    _write_standing(db, children, made.accounts, now)
    _tell_timeline(db, opened, closed, now)
    return Updated(children, opened.select(SAYS), closed.select(SAYS))


def _why_closed(taken: dict[int, str | None]) -> pl.Expr:
    """Why a gap closes of which the account says nothing more."""
    undone = [child for child, because in taken.items() if because == UNDONE]
    return (
        pl.when(pl.col("child").is_in(undone))
        .then(pl.lit(UNDONE))
        .otherwise(pl.lit("no-longer-so"))
        .alias("ends")
    )


def _identified(gaps: pl.DataFrame) -> pl.DataFrame:
    ids = store.stable_ids("gap", gaps["child"], gaps["kind"], gaps["key_"])
    digests = store.stable_ids(
        "gap-content",
        gaps["reason"],
        gaps["subject"],
        gaps["owner"],
        gaps["due"].dt.epoch("us"),
        gaps["evidence"],
    )
    return gaps.with_columns(ids.alias("id"), digests.alias("digest"))


def _write_gaps(
    db: store.Db, gaps: pl.DataFrame, before: pl.DataFrame, now: datetime
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Open, reopen, change and close; returns what opened and what closed."""
    moment = pl.lit(now).cast(pl.Datetime("us", "UTC"))
    is_open = gaps.filter(pl.col("why").is_null())
    known = is_open.join(before.select("id", "opened", "closed", "times", old="digest"), on="id", how="left")
    new = known.filter(pl.col("opened").is_null()).with_columns(opened=moment, times=pl.lit(1, pl.Int32))
    again = known.filter(pl.col("closed").is_not_null()).with_columns(
        opened=moment, times=pl.col("times") + 1
    )
    changed = known.filter(
        pl.col("opened").is_not_null(), pl.col("closed").is_null(), pl.col("old") != pl.col("digest")
    )
    settled = gaps.filter(pl.col("why").is_not_null()).select("id", "why", "reason", "evidence")
    still = before.filter(pl.col("closed").is_null()).join(is_open, on="id", how="anti")
    closing = (
        still.drop("reason")
        .join(settled, on="id", how="left")
        .with_columns(why=pl.coalesce("why", "ends"), reason=pl.coalesce("reason", still["reason"]))
    )
    columns = [
        "id",
        "child",
        "kind",
        "key_",
        "reason",
        "subject",
        "owner",
        "opened",
        "since",
        "due",
        "evidence",
        "times",
        "digest",
    ]
    store.copy_in(db, "account_gap", new.select(columns))
    reopened = (
        pl.concat([again, changed])
        .with_columns(closed=pl.lit(None, pl.Datetime("us", "UTC")))
        .select(*columns, "closed")
    )
    reopened = reopened.with_columns(closed_by=pl.lit(None, pl.String), why=pl.lit(None, pl.String))
    store.upsert(db, "account_gap", reopened, ["id"])
    _close(db, closing, now)
    return pl.concat([new, again]), closing


def _close(db: store.Db, closing: pl.DataFrame, now: datetime) -> None:
    if not len(closing):
        return
    db.execute(
        "create temp table account_closing (id bigint primary key, why text, reason text, evidence jsonb) on commit drop"
    )
    store.copy_in(db, "account_closing", closing.select("id", "why", "reason", "evidence"))
    db.execute(
        """update account_gap g set closed = %s, closed_by = %s, why = c.why, reason = c.reason,
                  evidence = coalesce(c.evidence, g.evidence)
           from account_closing c where c.id = g.id""",
        [now, SYSTEM],
    )
    db.execute("drop table account_closing")


def _write_standing(db: store.Db, children: pl.Series, accounts: pl.DataFrame, now: datetime) -> None:
    """Store accounts that changed, the old ones as past; children that hold no event any more stand no longer."""
    digests = store.stable_ids(
        "account",
        *(accounts[name].cast(pl.String) for name in accounts.columns if name not in ("child", "wakes_at")),
    )
    moment = pl.lit(now).cast(pl.Datetime("us", "UTC"))
    rows = accounts.with_columns(digests.alias("digest"), as_of=moment)
    before = store.frame(db, STANDING_BEFORE, {"children": children.to_list()})
    compared = rows.join(before, on="child", how="left")
    differs = compared.filter(pl.col("old_digest").is_not_null(), pl.col("old_digest") != pl.col("digest"))
    same = compared.filter(pl.col("old_digest") == pl.col("digest"))
    gone = before.join(rows, on="child", how="anti")
    ended = pl.concat([differs["child"], gone["child"]]).to_list()
    if ended:
        db.execute(PAST, {"children": ended, "now": now})
        db.execute("delete from account_standing where child = any(%s)", [ended])
    new = compared.filter(pl.col("old_digest").is_null())
    store.copy_in(db, "account_standing", pl.concat([new, differs]).drop("old_digest"))
    store.upsert(db, "account_standing", same.select(rows.columns), ["child"], ["wakes_at"])


def _tell_timeline(db: store.Db, opened: pl.DataFrame, closed: pl.DataFrame, now: datetime) -> None:
    """Opening and closing are events on the child."""
    for kind, gaps in (("gap-opened", opened), ("gap-closed", closed)):
        rows = [
            timeline.OwnEvent(
                row["child"],
                kind,
                now,
                {"gap": str(row["id"]), "kind": row["kind"], "reason": row["reason"]},
                row["id"],
            )
            for row in gaps.select(SAYS).iter_rows(named=True)
        ]
        timeline.add(db, rows, by=SYSTEM, now=now)


def _together(chunks: list[Updated]) -> Updated:
    empty = pl.DataFrame(schema={"id": pl.Int64, "child": pl.Int64, "kind": pl.String, "reason": pl.String})
    return Updated(
        pl.concat([pl.Series("child", [], pl.Int64), *(chunk.which for chunk in chunks)]),
        pl.concat([empty, *(chunk.opened for chunk in chunks)]),
        pl.concat([empty, *(chunk.closed for chunk in chunks)]),
    )


def account_of(db: store.Db, child: int) -> dict[str, Any] | None:
    """The standing account of one child with its columns, or ``None``."""
    rows = store.fetch(db, "select * from account_standing where child = %s", [child])
    return rows[0] if rows else None


def open_gaps(db: store.Db, child: int) -> list[dict[str, Any]]:
    """The open gaps of one child, the most urgent first."""
    return store.fetch(
        db,
        "select * from account_gap where child = %s and closed is null order by due nulls last, id",
        [child],
    )


def read(db: store.Db, child: int) -> dict[str, Any]:
    """A child's account as JSON values: the six answers, as of when, and the open gaps. Empty where nothing stands."""
    standing = account_of(db, child)
    if standing is None:
        return {}
    gaps = [
        {
            "gap": g["id"],
            "kind": g["kind"],
            "reason": g["reason"],
            "owner": g["owner"],
            "due": g["due"] and g["due"].isoformat(),
        }
        for g in open_gaps(db, child)
    ]
    return {"child": child, "as_of": standing["as_of"].isoformat(), **standing["account"], "gaps": gaps}
