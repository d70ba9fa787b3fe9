"""What agencies send: health, holds, undoing, quarantine, mappings."""

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from handhold import account, casework, feeds, pack, store
from handhold.cli.common import ERRORS, ID, OUT, SOME, by_option, handhold, now_option, office, ready
from handhold.cli.show import print_changes, print_deliveries, print_preview, print_rows
from handhold.oversight import lists
from handhold.progress import Bars


@handhold.group("feeds")
def feeds_() -> None:
    """What agencies send: how each feed is, deliveries that wait for a person, and taking a delivery back."""


@feeds_.command()
@now_option
def health(now: datetime) -> None:
    """How each feed is: how old, when due, how many rows, what has changed; and the gaps it has open."""
    ready(None)
    rules = pack.load()
    with store.transaction() as db:
        found = feeds.health.check(db, now=now, pack=rules)
        gaps = account.feedgaps.listed(db, closed_since=now)
    print_rows("feeds", [_health_row(one, now) for one in found])
    shown = ("feed", "kind", "reason", "owner", "since", "due", "times")
    print_rows(
        "open gaps of feeds", [{name: gap[name] for name in shown} for gap in gaps if not gap["closed"]]
    )


def _health_row(one: feeds.health.Health, now: datetime) -> dict[str, Any]:
    unusual = [f"{f.reason} {f.column}".strip() for f in one.findings]
    return {
        "feed": one.feed,
        "newest": one.as_of,
        "age": f"{(now.date() - one.as_of).days} days",
        "due": one.due or "once",
        "state": "silent" if one.silent else "changed" if one.findings else "well",
        "rows": one.newest.profile.rows,
        "deliveries": len(one.came),
        "unusual": ", ".join(unusual),
    }


@feeds_.command()
@click.argument("feed")
@click.option("--why", required=True)
@by_option
@now_option
def accept(feed: str, why: str, by: str, now: datetime) -> None:
    """Say that what FEED shows now is its new normal; its drift closes, and it is measured anew."""
    ready(None)
    closed = casework.accept_feed(feed, why, office(now, by=by))
    OUT.print(f"{feed}: {closed} gaps closed; measured anew from now on")


@handhold.command()
@click.option("--limit", default=50, show_default=True, type=SOME)
def referrals(limit: int) -> None:
    """List labour referrals: the number given out, when, and what the investigators have answered. It names no child."""
    ready(None)
    with store.transaction() as db:
        rows = lists.referrals(db, limit=limit)
    print_rows("referrals", rows)


@feeds_.command()
def held() -> None:
    """List deliveries that are held until a person has looked, with the reason."""
    ready(None)
    with store.transaction() as db:
        rows = lists.deliveries(db, status="held")
    shown = ("id", "feed", "as_of", "received", "why")
    print_rows("held deliveries", [{name: row[name] for name in shown} for row in rows])


@feeds_.command()
@click.argument("deliveries", type=ID, nargs=-1, required=True)
@click.option("--why", required=True)
@by_option
@now_option
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
def release(deliveries: tuple[int, ...], why: str, by: str, now: datetime, dry_run: bool) -> None:
    """Read held DELIVERIES as they are: somebody has looked at them, and says why they are right."""
    ready(None)
    acting = office(now, by=by)
    if dry_run:
        print_preview(casework.rehearse(lambda o: casework.release(list(deliveries), why, o), acting))
    else:
        print_deliveries(casework.release(list(deliveries), why, acting))


@feeds_.command()
@click.argument("deliveries", type=ID, nargs=-1, required=True)
@click.option("--why", required=True)
@by_option
@now_option
def refuse(deliveries: tuple[int, ...], why: str, by: str, now: datetime) -> None:
    """Refuse held DELIVERIES for good: somebody has looked at them, and says why they are wrong. Their bytes stay."""
    ready(None)
    casework.refuse(list(deliveries), why, office(now, by=by))
    OUT.print(f"refused for good: {len(deliveries)}")


@handhold.group()
def mapping() -> None:
    """How a sender's own spreadsheet is read: proposed, confirmed by a person, versioned."""


@mapping.command("waiting")
@click.option("--limit", default=50, show_default=True, type=SOME)
def mapping_waiting(limit: int) -> None:
    """List the parts that wait to be mapped."""
    ready(None)
    with store.transaction() as db:
        rows = [
            {"delivery": d.id, "format": d.format, "received": f"{d.received:%Y-%m-%d %H:%M}", "why": d.why}
            for d in feeds.parts.waiting(db, limit=limit)
        ]
    print_rows("to be mapped", rows)


@mapping.command("list")
@click.option("--all", "ended", is_flag=True, help="Those that are ended, too.")
def mapping_list(ended: bool) -> None:
    """List mappings with their versions."""
    ready(None)
    with store.transaction() as db:
        rows = [
            {"name": v.mapping.name, "version": v.version, "feed": v.mapping.feed, "sender": v.mapping.sender,
             "from": v.mapping.effective_from, "until": v.mapping.effective_until, "confirmed": f"{v.confirmed:%Y-%m-%d %H:%M} by {v.confirmed_by}",
             "ended": v.ended and f"{v.ended:%Y-%m-%d}"}
            for v in feeds.mapping.listed(db) if ended or v.ended is None
        ]  # fmt: skip
    print_rows("mappings", rows)


@mapping.command("propose")
@click.argument("delivery", type=ID)
@click.option("--feed", help="Propose for this feed alone.")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    help="Write the text to this file, to be looked at and confirmed.",
)
def mapping_propose(delivery: int, feed: str | None, target: Path | None) -> None:
    """Propose a mapping for DELIVERY, with a reason for each field. Nothing is saved."""
    ready(None)
    with store.transaction() as db:
        waiting = feeds.waiting.look(db, delivery, pack=pack.load(), feed=feed)
    if not waiting.proposals:
        raise feeds.FeedError(f"nothing can be proposed: {waiting.why_none}")
    best = waiting.proposals[0]
    said = feeds.mapping.write(
        best.mapping, whys=best.whys, tail="".join(f"# {line}\n" for line in _of_proposal(waiting))
    )
    if target is None:
        OUT.print(said, markup=False, soft_wrap=True)
        return
    target.write_text(said, "utf-8")
    OUT.print(
        f"proposed for {best.mapping.feed}; look at {target} and run handhold mapping confirm {target} --by person:ID",
        soft_wrap=True,
    )


def _of_proposal(waiting: feeds.waiting.Waiting) -> list[str]:
    best, *others = waiting.proposals
    return [
        *best.notes,
        *(f"LACKING: {name}; a row says nothing without it" for name in best.lacking),
        *(f"it could also be {other.mapping.feed}, which explains less: {other.score:.1f} against {best.score:.1f}" for other in others[:3]),
        *([f"version {waiting.before.version} of {waiting.before.mapping.name} no longer fits"] if waiting.before else []),
    ]  # fmt: skip


@mapping.command("show")
@click.argument("name")
@click.option("--version", type=SOME, help="This version (default: the newest).")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Write the text to this file.")
def mapping_show(name: str, version: int | None, target: Path | None) -> None:
    """Print a mapping as it was confirmed, and who confirmed it."""
    ready(None)
    with store.transaction() as db:
        found = [v for v in feeds.mapping.listed(db, name) if version in (None, v.version)]
    if not found:
        raise feeds.FeedError(
            f"there is no mapping {name}{f' with a version {version}' if version else ''}; see handhold mapping list --all"
        )
    text = feeds.mapping.exported(found[0])
    if target is None:
        OUT.print(text, markup=False, soft_wrap=True)
    else:
        target.write_text(text, "utf-8")
        OUT.print(f"version {found[0].version} of {name} to {target}", soft_wrap=True)


@mapping.command("try")
@click.argument("delivery", type=ID)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@now_option
def mapping_try(delivery: int, file: Path, now: datetime) -> None:
    """Read DELIVERY by the mapping in FILE, say what would become of its rows, and keep nothing."""
    ready(None)
    with store.transaction() as db:
        tried = feeds.waiting.attempt(db, delivery, file.read_text("utf-8"), now=now, pack=pack.load())
    quarantined = tried.rows - tried.usable - tried.left
    OUT.print(
        f"rows {tried.rows:,}: can be used {tried.usable:,}, would be quarantined {quarantined:,}, only counted {tried.left:,}"
    )
    for line in (*(f"{n:,} {why}" for why, n in tried.reasons), *tried.notes):
        OUT.print(line, markup=False)


@mapping.command("confirm")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@by_option
@now_option
def mapping_confirm(file: Path, by: str, now: datetime) -> None:
    """Confirm the mapping in FILE, and read what waits for it."""
    ready(None)
    with Bars(ERRORS) as bars:
        version, arrival = casework.confirm_mapping(file.read_text("utf-8"), office(now, by=by, show=bars))
    OUT.print(f"mapping {version.mapping.name}, version {version.version}, is in use")
    print_deliveries(arrival)


@mapping.command("end")
@click.argument("name")
@by_option
@now_option
def mapping_end(name: str, by: str, now: datetime) -> None:
    """Use mapping NAME no more; what it read stays."""
    ready(None)
    ended = casework.end_mapping(name, office(now, by=by))
    OUT.print(f"mapping {name}: {len(ended)} versions ended")


@mapping.command("reject")
@click.argument("delivery", type=ID)
@click.option("--why", required=True)
@by_option
@now_option
def mapping_reject(delivery: int, why: str, by: str, now: datetime) -> None:
    """Say that DELIVERY is not to be mapped; it stays kept, with the reason."""
    ready(None)
    casework.reject_part(delivery, why, office(now, by=by))
    OUT.print("refused and kept")


@mapping.command("reread")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@by_option
@now_option
def mapping_reread(name: str, dry_run: bool, by: str, now: datetime) -> None:
    """Read again, with the newest version of NAME, what older versions read."""
    ready(None)
    with Bars(ERRORS) as bars:
        again, arrival = casework.reread(name, office(now, by=by, show=bars), dry_run=dry_run)
    OUT.print(
        f"{'would read' if dry_run else 'read'} {again.deliveries:,} deliveries again, {again.left_alone:,} left alone: rows new {again.new:,}, "
        f"changed {again.changed:,}, unchanged {again.unchanged:,}, quarantined {again.quarantined:,}, withdrawn {again.withdrawn:,}"
    )
    if not dry_run:
        print_changes(arrival)


@feeds_.command("list")
@click.option("--limit", default=20, show_default=True, type=SOME)
def feeds_list(limit: int) -> None:
    """List the newest deliveries with the numbers by which they are undone."""
    ready(None)
    with store.transaction() as db:
        rows = feeds.listed(db, limit=limit)
    shown = (
        "id",
        "feed",
        "as_of",
        "status",
        "rows",
        "loaded",
        "unchanged",
        "quarantined",
        "left",
        "received",
    )
    print_rows("deliveries", [{name: getattr(row, name) for name in shown} for row in rows])


@feeds_.command()
@click.argument("delivery", type=ID)
@click.option("--why", required=True)
@by_option
@now_option
def undo(delivery: int, why: str, by: str, now: datetime) -> None:
    """Take DELIVERY back, and the parts that only it brought, with everything that came of it; whoever was told is owed a
    correction."""
    ready(None)
    with Bars(ERRORS) as bars:
        print_changes(casework.undo(delivery, why, office(now, by=by, show=bars)))


@feeds_.command()
@click.argument("delivery", type=ID)
@click.option("--why", required=True)
@by_option
@now_option
def redo(delivery: int, why: str, by: str, now: datetime) -> None:
    """Take DELIVERY in again that was undone, and the parts that went with it, in its own place among the others."""
    ready(None)
    with Bars(ERRORS) as bars:
        print_changes(casework.redo(delivery, why, office(now, by=by, show=bars)))


@handhold.group()
def quarantine() -> None:
    """Rows that could not be read: list them, hand them back to their sender, correct them in place."""


@quarantine.command("list")
@click.argument("delivery", type=ID, required=False)
@click.option("--limit", default=50, show_default=True, type=SOME)
def quarantine_list(delivery: int | None, limit: int) -> None:
    """List the rows that wait, of DELIVERY or of all: where they stand and why they were refused, not what they say."""
    ready(None)
    with store.transaction() as db:
        rows = feeds.quarantined(db, delivery=delivery, limit=limit)
    print_rows("rows in quarantine", rows)


@quarantine.command("export")
@click.argument("delivery", type=ID)
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="A .csv or .xlsx file.")
@by_option
@now_option
def quarantine_export(delivery: int, target: Path, by: str, now: datetime) -> None:
    """Write DELIVERY's waiting rows in their sender's own layout, the reason beside each."""
    ready(None)
    rows = casework.export_quarantine(delivery, target, office(now, by=by))
    OUT.print(f"{rows:,} rows to {target}")


@quarantine.command()
@click.argument("delivery", type=ID)
@click.argument("line", type=SOME)
@click.option("--set", "cells", multiple=True, required=True, help="COLUMN=VALUE; say it once for each cell.")
@click.option("--why", required=True)
@by_option
@now_option
def fix(delivery: int, line: int, cells: tuple[str, ...], why: str, by: str, now: datetime) -> None:
    """Correct LINE of DELIVERY in place. The row as it came stays beside the edit."""
    ready(None)
    said = dict(_cell(text) for text in cells)
    print_changes(casework.fix(delivery, line, said, why, office(now, by=by)))


def _cell(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not COLUMN=VALUE", param_hint="--set")
    return column, value
