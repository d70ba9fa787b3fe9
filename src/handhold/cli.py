"""The command line: the same acts as on the pages, for people and for scripts.

Exit codes: 0 done; 1 something is wrong with what was asked or given (one sentence says what, where, why and what to
do); 2 the command was misspelt; 3 the ledger does not verify; 130 stopped by Ctrl-C.
"""

import re
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from handhold import (
    access,
    account,
    casework,
    feeds,
    followup,
    identity,
    ledger,
    notices,
    oversight,
    pack,
    store,
)
from handhold.oversight import lists
from handhold.oversight import questions as waiting
from handhold.progress import Bars
from handhold.web.listening import CannotListen

WIDE = 240  # columns where nobody watches: a pipe or a file should not fold its cells
OUT = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
ERRORS = Console(stderr=True, highlight=False)
NOT_VERIFIED = 3
# What a person can mend: one sentence, no traceback. Anything else is our mistake and shows where it happened.
OWN_ERRORS = (
    store.StoreError,
    pack.PackError,
    feeds.FeedError,
    oversight.FigureError,
    ledger.LedgerError,
    casework.Busy,
    access.tokens.TokenError,
    followup.StepError,
    notices.NoticeError,
    CannotListen,
)
STOPPED = 130


class When(click.ParamType[datetime]):
    """A moment with its zone: ``2024-05-31T23:59-04:00``. Without a zone it is refused, not guessed."""

    name = "when"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a moment; write it as 2024-05-31T23:59-04:00", param, ctx)
        if moment.tzinfo is None:
            self.fail(f"{value!r} has no zone; add one, for example -04:00", param, ctx)
        return moment.astimezone(UTC)


class Agency(click.ParamType[str]):
    """An agency of the pack, by its short name: ``ORR``, ``OPLA`` …"""

    name = "agency"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        known = pack.load().toml("roles.toml")["agency"]
        if value.upper() not in known:
            self.fail(f"{value!r} is no agency of this pack; there are {', '.join(known)}", param, ctx)
        return str(value).upper()


class Person(click.ParamType[str]):
    """Who acts: ``person:12``. It goes into the ledger, so it is a number or a short code, never a name."""

    name = "person"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(r"person:[a-z0-9-]{1,32}", value):
            self.fail(
                f"{value!r} is not who acts; write person: and a number or short code, for example person:12",
                param,
                ctx,
            )
        return str(value)


def _clock() -> datetime:
    return datetime.now(UTC)


def _now(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--now", type=When(), default=_clock, help="Judge as of this moment (default: the clock)."
    )(command)


def _by(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--by", required=True, type=Person(), help="Who decides, as person:ID.")(command)


def _office(
    now: datetime, *, by: str = casework.SYSTEM, show: casework.Show = casework.quiet
) -> casework.Office:
    return casework.Office(by=by, now=now, pack=pack.load(), show=show)


PORT = click.IntRange(1, 65535)
SOME = click.IntRange(min=1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="handhold")
def handhold() -> None:
    """Keep every unaccompanied child accounted for after release."""


@handhold.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_now
@click.option("--sender", default="folder", help="Who sent it, as the deliveries will say.")
@click.option("--synthetic/--real", default=None, help="Say that the data is synthetic (or is not).")
def run(folder: Path, now: datetime, sender: str, synthetic: bool | None) -> None:
    """Everything for FOLDER: keep, read, link, account, follow up, tell, and print the picture."""
    _main_job(folder, now, synthetic if synthetic is not None else feeds.says_synthetic(folder), sender)


def _main_job(folder: Path, now: datetime, synthetic: bool | None, sender: str = "folder") -> None:
    _ready(synthetic)
    arrival = _arrive(feeds.find(folder), now, sender)
    _print_deliveries(arrival)
    _print_picture(now)


@handhold.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@_now
@click.option("--sender", default="command line", help="Who sent it.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option(
    "--atomic",
    type=click.Choice(["row", "all"]),
    default="row",
    show_default=True,
    help="all: refuse a delivery whole when one of its rows cannot be read.",
)
def ingest(paths: tuple[Path, ...], now: datetime, sender: str, dry_run: bool, atomic: str) -> None:
    """Take in files or folders, and follow them to the notices they cause."""
    _ready(None)
    found = [file for path in paths for file in (feeds.find(path) if path.is_dir() else [path])]
    if dry_run:
        with Bars(ERRORS) as bars:
            seen = casework.preview(found, _office(now, show=bars), sender=sender, whole=atomic == "all")
        _print_preview(seen)
        return
    _print_deliveries(_arrive(found, now, sender, whole=atomic == "all"))


def _arrive(paths: list[Path], now: datetime, sender: str, *, whole: bool = False) -> casework.Arrival:
    with Bars(ERRORS) as bars:
        return casework.arrive(paths, _office(now, show=bars), sender=sender, whole=whole)


def _ready(synthetic: bool | None) -> None:
    """Start the database, bring its tables up to date, and remember whether the data is synthetic."""
    store.ensure()
    with store.transaction() as db:
        store.migrate(db)
    if synthetic is not None:
        with store.transaction() as db:
            store.put_setting(db, "synthetic", synthetic)


@handhold.command("account")
@click.argument("child", type=int, required=False)
@_now
def account_(child: int | None, now: datetime) -> None:
    """Bring accounts up to date; with CHILD, print that child's account."""
    _ready(None)
    with Bars(ERRORS) as bars:
        done = casework.time_passed(_office(now, show=bars))
    OUT.print(f"accounts changed {done.children:,}; gaps opened {done.opened:,}, closed {done.closed:,}")
    if child is not None:
        _print_account(child)


@handhold.command()
@_now
@click.option("--explain", "figure", help="Open one figure to the children and rows under it.")
@click.option("--limit", default=50, show_default=True, help="How many rows --explain prints (0: all).")
def report(now: datetime, figure: str | None, limit: int) -> None:
    """Print the picture; any number on it opens with --explain FIGURE."""
    _ready(None)
    _print_picture(now) if figure is None else _print_explained(figure, now, limit)


@handhold.command()
@click.argument("what", metavar="WHAT", type=click.Choice(sorted(oversight.EXPORTS)))
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path), help="A .parquet, .csv or .jsonl file."
)
@click.option("--as-of", type=When(), default=None, help="As Handhold knew it then.")
@_now
def export(what: str, target: Path, as_of: datetime | None, now: datetime) -> None:
    """Write WHAT to a file: files, children, events, gaps, notices, quarantine or figures."""
    _ready(None)
    with ledger.acting_transaction(casework.SYSTEM) as db:
        rows = oversight.export(db, what, target, as_of=as_of, now=now, pack=pack.load())
    OUT.print(f"{rows:,} rows of {what} to {target}")


@handhold.command()
def verify() -> None:
    """Prove the ledger: every entry, every tree head, every signature."""
    _ready(None)
    with store.transaction() as db:
        verdict = ledger.verify(db)
    if verdict.ok:
        OUT.print(f"ledger verifies: {verdict.size:,} entries, root {verdict.root.hex()[:16]}…")
        return
    for problem in verdict.problems:
        ERRORS.print(problem)
    sys.exit(NOT_VERIFIED)


@handhold.group("feeds")
def feeds_() -> None:
    """What agencies send: how each feed is, deliveries that wait for a person, and taking a delivery back."""


@feeds_.command()
@_now
def health(now: datetime) -> None:
    """How each feed is: how old, when due, how many rows, what has changed; and the gaps it has open."""
    _ready(None)
    rules = pack.load()
    with store.transaction() as db:
        found = feeds.health.check(db, now=now, pack=rules)
        gaps = account.feedgaps.listed(db, closed_since=now)
    _print_rows("feeds", [_health_row(one, now) for one in found])
    shown = ("feed", "kind", "reason", "owner", "since", "due", "times")
    _print_rows(
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
@_by
@_now
def accept(feed: str, why: str, by: str, now: datetime) -> None:
    """Say that what FEED shows now is its new normal; its drift closes, and it is measured anew."""
    _ready(None)
    closed = casework.accept_feed(feed, why, _office(now, by=by))
    OUT.print(f"{feed}: {closed} gaps closed; measured anew from now on")


@handhold.command()
@click.option("--limit", default=50, show_default=True)
def referrals(limit: int) -> None:
    """List labour referrals: the number given out, when, and what the investigators have answered. It names no child."""
    _ready(None)
    with store.transaction() as db:
        rows = lists.referrals(db, limit=limit)
    _print_rows("referrals", rows)


@handhold.group()
def token() -> None:
    """Keys for machines that use the interface (/api/v1)."""


@token.command("make")
@click.argument("role")
@click.argument("purpose")
@_by
@_now
def token_make(role: str, purpose: str, by: str, now: datetime) -> None:
    """Make a key for ROLE and PURPOSE; its secret is shown this once and is nowhere else."""
    _ready(None)
    with ledger.acting_transaction(by) as db:
        made, secret = access.tokens.make(db, role=role, purpose=purpose, by=by, now=now, pack=pack.load())
        ledger.write(
            db,
            by=by,
            verb="token.made",
            thing="token",
            ids=[made.id],
            at=now,
            agency=made.agency,
            purpose=purpose,
        )
    OUT.print(
        f"token {made.id} speaks for {made.agency}, role {made.role}, purpose {made.purpose}. Its secret, shown once:"
    )
    OUT.print(secret, markup=False)


@token.command("list")
def token_list() -> None:
    """List the keys, without their secrets."""
    _ready(None)
    with store.transaction() as db:
        _print_rows("tokens", access.tokens.listed(db))


@token.command("revoke")
@click.argument("token", type=int)
@_by
@_now
def token_revoke(token: int, by: str, now: datetime) -> None:
    """Let TOKEN hold no longer, from this moment."""
    _ready(None)
    with ledger.acting_transaction(by) as db:
        access.tokens.revoke(db, token, now=now)
        ledger.write(db, by=by, verb="token.revoked", thing="token", ids=[token], at=now)
    OUT.print(f"token {token} holds no longer")


@feeds_.command()
def held() -> None:
    """List deliveries that are held until a person has looked, with the reason."""
    _ready(None)
    with store.transaction() as db:
        rows = lists.deliveries(db, status="held")
    shown = ("id", "feed", "as_of", "received", "why")
    _print_rows("held deliveries", [{name: row[name] for name in shown} for row in rows])


@feeds_.command()
@click.argument("deliveries", type=int, nargs=-1, required=True)
@click.option("--why", required=True)
@_by
@_now
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
def release(deliveries: tuple[int, ...], why: str, by: str, now: datetime, dry_run: bool) -> None:
    """Read held DELIVERIES as they are: somebody has looked at them, and says why they are right."""
    _ready(None)
    office = _office(now, by=by)
    if dry_run:
        _print_preview(casework.rehearse(lambda o: casework.release(list(deliveries), why, o), office))
    else:
        _print_deliveries(casework.release(list(deliveries), why, office))


@feeds_.command()
@click.argument("deliveries", type=int, nargs=-1, required=True)
@click.option("--why", required=True)
@_by
@_now
def refuse(deliveries: tuple[int, ...], why: str, by: str, now: datetime) -> None:
    """Refuse held DELIVERIES for good: somebody has looked at them, and says why they are wrong. Their bytes stay."""
    _ready(None)
    casework.refuse(list(deliveries), why, _office(now, by=by))
    OUT.print(f"refused for good: {len(deliveries)}")


@handhold.group()
def link() -> None:
    """Whose file is it: questions, and what a person decides."""


@link.command()
@click.option("--limit", default=20, show_default=True)
@click.option("--after", type=int, help="Go on after this question (the id in the first column).")
@_now
def questions(limit: int, after: int | None, now: datetime) -> None:
    """List open questions, the most urgent first: two files that may or may not be the same child's."""
    _ready(None)
    with store.transaction() as db:
        rows = waiting.queue(db, person="", now=now, pack=pack.load(), after=after, limit=limit)
    shown = ("id", "file_a", "agency_a", "file_b", "agency_b", "reason", "weight", "hearing", "gaps")
    _print_rows("questions", [{name: row[name] for name in shown} for row in rows])


@link.command()
@click.option(
    "--sample", default=0, show_default=True, help="Draw so many links of each range of weight to look at."
)
@_now
def quality(sample: int, now: datetime) -> None:
    """Measure the links: expected precision and recall by weight, agreement of people, match rates by feed and month."""
    _ready(None)
    drawn = casework.sample_links(sample, _office(now)) if sample else 0
    with store.transaction() as db:
        found = oversight.quality(db, pack=pack.load())
    _print_quality(found, drawn)


@link.command()
@click.argument("file_a", type=int)
@click.argument("file_b", type=int)
@click.argument("judgement", type=click.Choice(["match", "possible", "no match"]))
@click.option("--why", required=True)
@_by
@_now
def decide(file_a: int, file_b: int, judgement: str, why: str, by: str, now: datetime) -> None:
    """Say that two files are, may be, or are not the same child's. Final until a person changes it."""
    _ready(None)
    arrival = casework.decide_link(file_a, file_b, judgement, why, _office(now, by=by))
    if arrival.proposed:
        OUT.print("proposed: another person must say so too, for the link would disclose or a file is held")
    _print_changes(arrival)


@link.command()
@click.argument("file", type=int)
@click.option("--why", required=True)
@_by
@_now
def separate(file: int, why: str, by: str, now: datetime) -> None:
    """Take FILE away from its child; whoever was told is owed a correction."""
    _ready(None)
    _print_changes(casework.separate(file, why, _office(now, by=by)))


@link.command()
@click.argument("file_a", type=int)
@click.argument("file_b", type=int)
@click.option("--why", required=True)
@_by
@_now
def withdraw(file_a: int, file_b: int, why: str, by: str, now: datetime) -> None:
    """Take back what was said of two files; what followed from it is undone, and they are a question again."""
    _ready(None)
    _print_changes(casework.withdraw_word(file_a, file_b, why, _office(now, by=by)))


@link.command()
@click.argument("file", type=int)
def said(file: int) -> None:
    """List everything people ever said of FILE and another; what has no end stands."""
    _ready(None)
    with store.transaction() as db:
        rows = identity.said_of(db, file)
    _print_rows(f"said of file {file}", rows)


@link.command("hold")
@click.argument("file", type=int)
@click.option("--why", required=True)
@_by
@_now
def hold_file(file: int, why: str, by: str, now: datetime) -> None:
    """Let only people link FILE from now on (a protected location). Links it has stay."""
    _ready(None)
    _print_changes(casework.hold_file(file, True, why, _office(now, by=by)))


@link.command("release")
@click.argument("file", type=int)
@click.option("--why", required=True)
@_by
@_now
def release_file(file: int, why: str, by: str, now: datetime) -> None:
    """Let FILE be linked by itself again, and look at it at once."""
    _ready(None)
    _print_changes(casework.hold_file(file, False, why, _office(now, by=by)))


@handhold.group()
def mapping() -> None:
    """How a sender's own spreadsheet is read: proposed, confirmed by a person, versioned."""


@mapping.command("waiting")
@click.option("--limit", default=50, show_default=True)
def mapping_waiting(limit: int) -> None:
    """List the parts that wait to be mapped."""
    _ready(None)
    with store.transaction() as db:
        rows = [
            {"delivery": d.id, "format": d.format, "received": f"{d.received:%Y-%m-%d %H:%M}", "why": d.why}
            for d in feeds.parts.waiting(db, limit=limit)
        ]
    _print_rows("to be mapped", rows)


@mapping.command("list")
@click.option("--all", "ended", is_flag=True, help="Those that are ended, too.")
def mapping_list(ended: bool) -> None:
    """List mappings with their versions."""
    _ready(None)
    with store.transaction() as db:
        rows = [
            {"name": v.mapping.name, "version": v.version, "feed": v.mapping.feed, "sender": v.mapping.sender,
             "from": v.mapping.effective_from, "until": v.mapping.effective_until, "confirmed": f"{v.confirmed:%Y-%m-%d %H:%M} by {v.confirmed_by}",
             "ended": v.ended and f"{v.ended:%Y-%m-%d}"}
            for v in feeds.mapping.listed(db) if ended or v.ended is None
        ]  # fmt: skip
    _print_rows("mappings", rows)


@mapping.command("propose")
@click.argument("delivery", type=int)
@click.option("--feed", help="Propose for this feed alone.")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    help="Write the text to this file, to be looked at and confirmed.",
)
def mapping_propose(delivery: int, feed: str | None, target: Path | None) -> None:
    """Propose a mapping for DELIVERY, with a reason for each field. Nothing is saved."""
    _ready(None)
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
@click.option("--version", type=int, help="This version (default: the newest).")
@click.option("--to", "target", type=click.Path(path_type=Path), help="Write the text to this file.")
def mapping_show(name: str, version: int | None, target: Path | None) -> None:
    """Print a mapping as it was confirmed, and who confirmed it."""
    _ready(None)
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
@click.argument("delivery", type=int)
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_now
def mapping_try(delivery: int, file: Path, now: datetime) -> None:
    """Read DELIVERY by the mapping in FILE, say what would become of its rows, and keep nothing."""
    _ready(None)
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
@_by
@_now
def mapping_confirm(file: Path, by: str, now: datetime) -> None:
    """Confirm the mapping in FILE, and read what waits for it."""
    _ready(None)
    with Bars(ERRORS) as bars:
        version, arrival = casework.confirm_mapping(file.read_text("utf-8"), _office(now, by=by, show=bars))
    OUT.print(f"mapping {version.mapping.name}, version {version.version}, is in use")
    _print_deliveries(arrival)


@mapping.command("end")
@click.argument("name")
@_by
@_now
def mapping_end(name: str, by: str, now: datetime) -> None:
    """Use mapping NAME no more; what it read stays."""
    _ready(None)
    ended = casework.end_mapping(name, _office(now, by=by))
    OUT.print(f"mapping {name}: {len(ended)} versions ended")


@mapping.command("reject")
@click.argument("delivery", type=int)
@click.option("--why", required=True)
@_by
@_now
def mapping_reject(delivery: int, why: str, by: str, now: datetime) -> None:
    """Say that DELIVERY is not to be mapped; it stays kept, with the reason."""
    _ready(None)
    casework.reject_part(delivery, why, _office(now, by=by))
    OUT.print("refused and kept")


@mapping.command("reread")
@click.argument("name")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@_by
@_now
def mapping_reread(name: str, dry_run: bool, by: str, now: datetime) -> None:
    """Read again, with the newest version of NAME, what older versions read."""
    _ready(None)
    with Bars(ERRORS) as bars:
        again, arrival = casework.reread(name, _office(now, by=by, show=bars), dry_run=dry_run)
    OUT.print(
        f"{'would read' if dry_run else 'read'} {again.deliveries:,} deliveries again, {again.left_alone:,} left alone: rows new {again.new:,}, "
        f"changed {again.changed:,}, unchanged {again.unchanged:,}, quarantined {again.quarantined:,}, withdrawn {again.withdrawn:,}"
    )
    if not dry_run:
        _print_changes(arrival)


@handhold.group("identity")
def identity_() -> None:
    """The model that says whose file it is."""


@identity_.command("train")
@click.option("--seed", default=1, show_default=True, help="Of the random pairs that stand for strangers.")
@click.option("--adopt", is_flag=True, help="Let the new model decide from now on.")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    help="Also write the model to this file, as a pack has it.",
)
@_by
@_now
def train(seed: int, adopt: bool, target: Path | None, by: str, now: datetime) -> None:
    """Train a model on the files that are loaded, and show it beside the one that decides now."""
    _ready(None)
    trained = casework.train_model(_office(now, by=by), seed=seed, adopt=adopt)
    _print_model(trained)
    if target is not None:
        target.write_text(trained.text, "utf-8")
    OUT.print(
        f"model {trained.version} {'decides from now on' if adopt else 'is kept; --adopt lets it decide'}"
    )


def _print_model(trained: identity.Candidate) -> None:
    """Shares and bits of each level; a bar a bit, to the right for one child and to the left for two."""
    table = Table(title=f"Model {trained.version}", title_justify="left", pad_edge=False)
    for column in ("trait", "level"):
        table.add_column(column)
    for column in ("one child", "strangers", "siblings", "bits", "now", "against a sibling", "now "):
        table.add_column(column, justify="right")
    table.add_column("for and against")
    for trait, level, *rest in trained.levels.iter_rows():
        shares, bits = rest[:3], rest[3:]
        numbers = [bits[0], bits[2], bits[1], bits[3]]
        table.add_row(
            trait,
            level,
            *("" if x is None else f"{x:.6f}" for x in shares),
            *(f"{x:+.2f}" for x in numbers),
            _bar(bits[0]),
        )
    OUT.print(table)
    for said, count in trained.change.items():
        OUT.print(f"{said}: {count:,}")


def _bar(bits: float) -> str:
    long = "█" * min(round(abs(bits)), 20)
    return f"{'':>20}│{long}" if bits >= 0 else f"{long:>20}│"


@handhold.command("notices")
@click.argument("agency", type=Agency())
@click.option("--limit", default=20, show_default=True, type=SOME)
@_now
def notices_(agency: str, limit: int, now: datetime) -> None:
    """List the notices that wait in AGENCY's inbox."""
    _ready(None)
    with store.transaction() as db:
        rows = notices.inbox(db, agency, now=now, limit=limit, offset=0)
    shown = ("id", "title", "child", "purpose", "agreement", "sent", "due", "corrects")
    _print_rows(f"notices to {agency}", [{name: row[name] for name in shown} for row in rows])


@handhold.command()
@click.argument("notice", type=int)
@click.option("--agency", required=True, type=Agency(), help="The agency that was told.")
@_by
@_now
def acknowledge(notice: int, agency: str, by: str, now: datetime) -> None:
    """Say that AGENCY has taken NOTICE in; what waited for that closes."""
    _ready(None)
    _print_changes(casework.acknowledge(notice, agency, _office(now, by=by)))


@handhold.group()
def step() -> None:
    """Follow-up: what somebody has to do, and saying that it is done."""


@step.command("list")
@click.argument("agency", type=Agency())
@click.argument("role")
@click.option("--limit", default=20, show_default=True, type=SOME)
@_now
def step_list(agency: str, role: str, limit: int, now: datetime) -> None:
    """List what ROLE of AGENCY has to do, soonest due first."""
    _ready(None)
    with store.transaction() as db:
        rows = followup.worklist(db, agency, role, now=now, limit=limit)
    shown = ("id", "name", "words", "child", "due", "late", "evidence_needed")
    _print_rows(f"steps of {agency}/{role}", [{name: row[name] for name in shown} for row in rows])


@step.command("done")
@click.argument("number", metavar="STEP", type=int)
@click.argument("evidence")
@_by
@_now
def step_done(number: int, evidence: str, by: str, now: datetime) -> None:
    """Say that STEP is done, and which of the codes it accepts shows it (EVIDENCE)."""
    _ready(None)
    _print_changes(casework.complete_step(number, evidence, _office(now, by=by)))


@handhold.command()
@click.option("--once", is_flag=True, help="One round, then stop.")
@click.option(
    "--watch",
    "folder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Take in the files that are put into this folder.",
)
@click.option("--smtp", "smtp", metavar="HOST:PORT", help="Take messages in by SMTP here.")
@click.option(
    "--smtp-cert",
    type=click.Path(path_type=Path),
    help="PEM chain of the SMTP door; senders must then use STARTTLS.",
)
@click.option(
    "--smtp-key", type=click.Path(path_type=Path), help="Its key, if it is not in the chain's file."
)
@_now
def jobs(
    once: bool, folder: Path | None, smtp: str | None, smtp_cert: Path | None, smtp_key: Path | None, now: datetime
) -> None:  # fmt: skip
    """Run the clock: take in what came, wake accounts, lapse steps, send notices, seal the ledger.

    With HANDHOLD_IMAP_HOST, _USER and _PASSWORD set, a mailbox is looked into as well.
    """
    from handhold import jobs as clock

    door = clock.Smtp(smtp, clock.Certificate(smtp_cert, smtp_key) if smtp_cert else None) if smtp else None
    mailbox = clock.Mailbox.of_environment()
    _ready(None)
    clock.run((lambda: now) if once else _clock, once=once, watch=folder, smtp=door, mailbox=mailbox)


@handhold.command()
@click.option("--port", default=8000, show_default=True, type=PORT)
@click.option("--workers", default=2, show_default=True, type=SOME)
def serve(port: int, workers: int) -> None:
    """Serve the pages on http://127.0.0.1:PORT."""
    from handhold.web import serve as pages

    _ready(None)
    pages.serve(port, workers)


@handhold.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--children", default=2000, show_default=True, type=SOME)
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--as-of",
    default="2024-05-31",
    show_default=True,
    type=click.DateTime(["%Y-%m-%d"]),
    help="The day the nation is told of.",
)
@click.option(
    "--adults-per-child",
    default=2.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="How many cases of adults the court's extract has for each child.",
)
@click.option(
    "--error",
    default=1.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Defects and typing errors, as a multiple of the calibrated rate.",
)
@click.option(
    "--published-list", is_flag=True, help="Beside the feeds, a list of releases as HHS published it."
)
def simulate(
    out: Path,
    children: int,
    seed: int,
    as_of: datetime,
    adults_per_child: float,
    error: float,
    published_list: bool,
) -> None:
    """Write a synthetic nation in the feeds' own formats, with its truth, to OUT."""
    from handhold.simulate import simulate as make

    made = make(
        out,
        children=children,
        seed=seed,
        as_of=as_of.date(),
        adults_per_child=adults_per_child,
        error=error,
        published_list=published_list,
    )
    OUT.print(f"{children:,} synthetic children in {out}: {made}")


@handhold.command()
@click.option("--children", default=2000, show_default=True, type=SOME, help="Size of the synthetic nation.")
@click.option(
    "--feeds", "folder", type=click.Path(path_type=Path, exists=True), help="Use this folder instead."
)
@click.option("--now", type=When(), default="2024-05-31T23:59-04:00", show_default=True)
@click.option("--port", default=8000, show_default=True, type=PORT)
@click.option("--no-serve", is_flag=True, help="Stop before serving the pages.")
def demo(children: int, folder: Path | None, now: datetime, port: int, no_serve: bool) -> None:
    """Simulate a nation, run the main job, print the picture, serve the pages."""
    from handhold import demonstration

    demonstration.show(
        children=children, folder=folder, now=now, port=port, serve=not no_serve, main_job=_main_job
    )


@feeds_.command("list")
@click.option("--limit", default=20, show_default=True)
def feeds_list(limit: int) -> None:
    """List the newest deliveries with the numbers by which they are undone."""
    _ready(None)
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
    _print_rows("deliveries", [{name: getattr(row, name) for name in shown} for row in rows])


@feeds_.command()
@click.argument("delivery", type=int)
@click.option("--why", required=True)
@_by
@_now
def undo(delivery: int, why: str, by: str, now: datetime) -> None:
    """Take DELIVERY back with everything that came of it; whoever was told is owed a correction."""
    _ready(None)
    with Bars(ERRORS) as bars:
        _print_changes(casework.undo(delivery, why, _office(now, by=by, show=bars)))


@feeds_.command()
@click.argument("delivery", type=int)
@click.option("--why", required=True)
@_by
@_now
def redo(delivery: int, why: str, by: str, now: datetime) -> None:
    """Take DELIVERY in again that was undone, in its own place among the others."""
    _ready(None)
    with Bars(ERRORS) as bars:
        _print_changes(casework.redo(delivery, why, _office(now, by=by, show=bars)))


@handhold.group()
def quarantine() -> None:
    """Rows that could not be read: list them, hand them back to their sender, correct them in place."""


@quarantine.command("list")
@click.argument("delivery", type=int, required=False)
@click.option("--limit", default=50, show_default=True)
def quarantine_list(delivery: int | None, limit: int) -> None:
    """List the rows that wait, of DELIVERY or of all: where they stand and why they were refused, not what they say."""
    _ready(None)
    with store.transaction() as db:
        rows = feeds.quarantined(db, delivery=delivery, limit=limit)
    _print_rows("rows in quarantine", rows)


@quarantine.command("export")
@click.argument("delivery", type=int)
@click.option("--to", "target", required=True, type=click.Path(path_type=Path), help="A .csv or .xlsx file.")
@_by
@_now
def quarantine_export(delivery: int, target: Path, by: str, now: datetime) -> None:
    """Write DELIVERY's waiting rows in their sender's own layout, the reason beside each."""
    _ready(None)
    rows = casework.export_quarantine(delivery, target, _office(now, by=by))
    OUT.print(f"{rows:,} rows to {target}")


@quarantine.command()
@click.argument("delivery", type=int)
@click.argument("line", type=int)
@click.option("--set", "cells", multiple=True, required=True, help="COLUMN=VALUE; say it once for each cell.")
@click.option("--why", required=True)
@_by
@_now
def fix(delivery: int, line: int, cells: tuple[str, ...], why: str, by: str, now: datetime) -> None:
    """Correct LINE of DELIVERY in place. The row as it came stays beside the edit."""
    _ready(None)
    said = dict(_cell(text) for text in cells)
    _print_changes(casework.fix(delivery, line, said, why, _office(now, by=by)))


def _cell(text: str) -> tuple[str, str]:
    column, equals, value = text.partition("=")
    if not equals:
        raise click.BadParameter(f"{text!r} is not COLUMN=VALUE", param_hint="--set")
    return column, value


@handhold.group()
def db() -> None:
    """The database under HANDHOLD_HOME."""


@db.command("status")
def db_status() -> None:
    """Say whether the server runs, and where."""
    OUT.print(str(store.status()))


@db.command("stop")
def db_stop() -> None:
    """Stop the server that Handhold started."""
    store.stop()


def _print_picture(now: datetime) -> None:
    with store.transaction() as db:
        figures = oversight.picture(db, now=now, pack=pack.load())
    title = "The picture" + (" — SYNTHETIC DATA" if _synthetic() else "")
    table = Table(title=title, title_justify="left", pad_edge=False)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("unknown", justify="right")
    table.add_column("oldest feed under it")
    table.add_column("open it with --explain")
    for figure in figures:
        table.add_row(
            figure.title,
            f"{figure.value:,}",
            "" if figure.unknown is None else f"{figure.unknown:,}",
            "" if figure.oldest is None else f"{figure.oldest[1]} {figure.oldest[0]}",
            figure.name,
        )
    OUT.print(table)
    _print_statistics()


def _print_statistics() -> None:
    """Counts from published lists, where somebody brought one; marked with their source."""
    with store.transaction() as db:
        found = oversight.statistics(db, pack=pack.load())
    for one in found:
        table = Table(
            title=f"{one.title} ({one.name})",
            title_justify="left",
            caption=one.source,
            caption_justify="left",
            pad_edge=False,
        )
        table.add_column("")
        table.add_column("releases", justify="right")
        for label, count in one.parts:
            table.add_row(label, f"{count:,}")
        table.add_row("not known", f"{one.unknown:,}")
        OUT.print(table)


def _synthetic() -> bool:
    """Whether the loaded data was said to be synthetic."""
    with store.transaction() as db:
        return bool(store.setting(db, "synthetic"))


def _print_explained(figure: str, now: datetime, limit: int) -> None:
    with store.transaction() as db:
        lines = oversight.rows_under(db, figure, pack=pack.load(), limit=limit or None)
        if lines is not None:
            _print_rows(f"lines under {figure}", lines.to_dicts())
            return
        opened = oversight.explain(db, figure, now=now, pack=pack.load(), limit=limit or None)
    OUT.print(f"[b]{opened.definition.title}[/b]: {opened.definition.sentence}")
    OUT.print(
        f"value {opened.value:,} as of {now.isoformat()}; definition {opened.version[:12]}; source: {opened.definition.source}"
    )
    rests = ", ".join(f"{feed} (as of {day})" for feed, day in opened.feeds)
    OUT.print(f"rests on: {rests or 'no feed that has come'}")
    _print_rows("rows under it", opened.rows.to_dicts())


def _print_preview(seen: casework.Preview) -> None:
    """What would happen, by what it would happen to; the first refused rows under it."""
    _print_deliveries(seen.arrival, "Deliveries, as they would be read; NOTHING WAS CHANGED")
    effects = [{"what": what, "which": which, "count": f"{n:,}"} for what, which, n in seen.effects()]
    _print_rows("What would happen", effects)
    if seen.refused:
        _print_rows("Rows that would be quarantined (the first)", seen.refused)


def _print_deliveries(arrival: casework.Arrival, title: str = "Deliveries") -> None:
    table = Table(title=title, title_justify="left", pad_edge=False)
    for column in ("feed", "status"):
        table.add_column(column)
    for column in ("rows", "loaded", "unchanged", "quarantined", "left", "withdrawn"):
        table.add_column(column, justify="right")
    for d in arrival.deliveries:
        counts = (
            (d.rows, 0, d.rows, 0, 0, 0)
            if d.again
            else (d.rows, d.loaded, d.unchanged, d.quarantined, d.left, d.withdrawn)
        )
        table.add_row(
            d.feed or f"({d.format or '?'})",
            "came before" if d.again else d.status,
            *(f"{n or 0:,}" for n in counts),
        )
    OUT.print(table)
    for said, count in Counter(
        (d.feed or "no feed", d.why) for d in arrival.deliveries if d.why and not d.again
    ).items():
        OUT.print(f"{said[0]}{f' ({count} files)' if count > 1 else ''}: {said[1]}", markup=False)
    _print_changes(arrival)


def _print_changes(a: casework.Arrival) -> None:
    OUT.print(
        f"events {a.events:,} new, {a.superseded:,} superseded; files linked {a.linked:,}, questions {a.questions:,}; "
        f"accounts made {a.children:,}; gaps opened {a.opened:,}, closed {a.closed:,}; steps {a.steps:,}; notices {a.notices:,}"
    )


def _print_account(child: int) -> None:
    with store.transaction() as db:
        found = account.read(db, identity.resolve(db, child))
    if not found:
        raise click.ClickException(f"there is no child {child}; handhold export children lists them")
    OUT.print_json(data=found)


def _print_quality(found: oversight.Quality, drawn: int) -> None:
    _print_rows(
        "links and questions by weight (bits)",
        [
            {
                "from": "" if b.low is None else f"{b.low:g}", "to": "" if b.high is None else f"{b.high:g}", "links": f"{b.links:,}",
                "looked at": b.right.of, "right": _share(b.right), "questions open": b.waiting, "decided": b.alike.of,
                "of these, a match": _share(b.alike),
            }
            for b in found.bins
        ],
    )  # fmt: skip
    for name, e in (("expected precision", found.precision), ("expected recall", found.recall)):
        OUT.print(
            f"{name} of links made without a person: {_share(e)}; in ranges nobody looked at: {e.left_out:,}"
        )
    kappa = "not defined" if found.agreement.kappa is None else f"{found.agreement.kappa:.2f}"
    OUT.print(
        f"two people asked the same {found.agreement.of} times agree: {_share(found.agreement.same)}; Cohen's kappa {kappa}"
    )
    _print_rows(
        "match rates",
        [
            {
                "feed": feed,
                "month": f"{r.month:%Y-%m}",
                "files": f"{r.files:,}",
                "linked": _share(r.linked),
                "": "drifts" if r.drifts else "",
            }
            for feed, rates in found.rates.items()
            for r in rates
        ],
    )
    OUT.print(
        f"children in doubt {found.doubted:,}; samples that wait {found.samples_waiting:,}, {drawn:,} of them drawn now"
    )


def _share(found: Any) -> str:
    """A share with its 95 % interval; nothing where nobody has looked."""
    return (
        "not looked at" if found.share is None else f"{found.share:.2%} ({found.low:.2%} to {found.high:.2%})"
    )


def _print_rows(title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        OUT.print(f"{title}: none")
        return
    table = Table(title=title, title_justify="left", pad_edge=False)
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    OUT.print(table)


def main() -> None:
    """The door: Handhold's own errors are one sentence, without a traceback."""
    try:
        handhold(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.UsageError as error:
        error.show()
        sys.exit(error.exit_code)
    except click.ClickException as error:
        _say(error.message)
        sys.exit(1)
    except (click.Abort, KeyboardInterrupt):
        _say("stopped; what was done is kept, and the same command goes on from there")
        sys.exit(STOPPED)
    except OWN_ERRORS as error:
        _say(str(error))
        sys.exit(1)


def _say(sentence: str) -> None:
    ERRORS.print(f"handhold: {sentence}", style="red", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
