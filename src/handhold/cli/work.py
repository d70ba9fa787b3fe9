"""The main job and its parts, the clock, the pages, the simulator, the demonstration."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click

from handhold import casework, feeds, identity, ledger, oversight, pack, store
from handhold.cli.common import (
    ANY,
    ERRORS,
    ID,
    OUT,
    PORT,
    SOME,
    TIMES,
    Day,
    When,
    engine_option,
    handhold,
    now_option,
    office,
    ready,
    this_moment,
)
from handhold.cli.show import print_account, print_deliveries, print_explained, print_picture, print_preview
from handhold.progress import Bars

NOT_VERIFIED = 3


@handhold.command()
@click.argument("folder", type=click.Path(path_type=Path))
@now_option
@click.option("--sender", default="folder", help="Who sent it, as the deliveries will say.")
@click.option("--synthetic/--real", default=None, help="Say that the data is synthetic (or is not).")
@engine_option
def run(folder: Path, now: datetime, sender: str, synthetic: bool | None, engine: str) -> None:
    """Everything for FOLDER: keep, read, link, account, follow up, tell, and print the picture."""
    _main_job(
        folder, now, synthetic if synthetic is not None else feeds.says_synthetic(folder), sender, engine
    )


def _main_job(
    folder: Path, now: datetime, synthetic: bool | None, sender: str = "folder", engine: str = "here"
) -> None:
    ready(synthetic)
    arrival = _arrive(feeds.find(folder), now, sender, engine=engine)
    print_deliveries(arrival)
    print_picture(now)


@handhold.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@now_option
@click.option("--sender", default="command line", help="Who sent it.")
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option(
    "--atomic",
    type=click.Choice(["row", "all"]),
    default="row",
    show_default=True,
    help="all: refuse a delivery whole when one of its rows cannot be read.",
)
@engine_option
def ingest(
    paths: tuple[Path, ...], now: datetime, sender: str, dry_run: bool, atomic: str, engine: str
) -> None:
    """Take in files or folders, and follow them to the notices they cause."""
    ready(None)
    found = [file for path in paths for file in (feeds.find(path) if path.is_dir() else [path])]
    if dry_run:
        with _at_work(now, engine) as by:
            seen = casework.preview(found, by, sender=sender, whole=atomic == "all")
        print_preview(seen)
        return
    print_deliveries(_arrive(found, now, sender, whole=atomic == "all", engine=engine))


def _arrive(
    paths: list[Path], now: datetime, sender: str, *, whole: bool = False, engine: str = "here"
) -> casework.Arrival:
    with _at_work(now, engine) as by:
        return casework.arrive(paths, by, sender=sender, whole=whole)


@contextmanager
def _at_work(now: datetime, engine: str) -> Iterator[casework.Office]:
    """The system at work, with bars that show how far it is, and with the engine that was asked for."""
    with Bars(ERRORS) as bars, identity.ENGINES[engine]() as compared:
        yield replace(office(now, show=bars), engine=compared)


@handhold.command("account")
@click.argument("child", type=ID, required=False)
@now_option
def account_(child: int | None, now: datetime) -> None:
    """Bring accounts up to date; with CHILD, print that child's account."""
    ready(None)
    with Bars(ERRORS) as bars:
        done = casework.time_passed(office(now, show=bars))
    OUT.print(f"accounts changed {done.children:,}; gaps opened {done.opened:,}, closed {done.closed:,}")
    if child is not None:
        print_account(child)


@handhold.command()
@now_option
@click.option("--explain", "figure", help="Open one figure to the children and rows under it.")
@click.option(
    "--limit",
    default=50,
    show_default=True,
    type=ANY,
    help="How many rows --explain prints (0: all).",
)
def report(now: datetime, figure: str | None, limit: int) -> None:
    """Print the picture; any number on it opens with --explain FIGURE."""
    ready(None)
    print_picture(now) if figure is None else print_explained(figure, now, limit)


@handhold.command()
@click.argument("what", metavar="WHAT", type=click.Choice(sorted(oversight.EXPORTS)))
@click.option(
    "--to", "target", required=True, type=click.Path(path_type=Path), help="A .parquet, .csv or .jsonl file."
)
@click.option(
    "--as-of",
    type=When(),
    default=None,
    help="Events, gaps and notices as Handhold knew them then; all else is as it stands.",
)
@now_option
def export(what: str, target: Path, as_of: datetime | None, now: datetime) -> None:
    """Write WHAT to a file: files, children, events, gaps, notices, quarantine or figures."""
    ready(None)
    with ledger.acting_transaction(casework.SYSTEM) as db:
        rows = oversight.export(db, what, target, as_of=as_of, now=now, pack=pack.load())
    OUT.print(f"{rows:,} rows of {what} to {target}")


@handhold.command()
def verify() -> None:
    """Prove the ledger: every entry, every tree head, every signature."""
    ready(None)
    with store.transaction() as db:
        verdict = ledger.verify(db)
    if verdict.ok:
        OUT.print(f"ledger verifies: {verdict.size:,} entries, root {verdict.root.hex()[:16]}…")
        return
    for problem in verdict.problems:
        ERRORS.print(problem)
    sys.exit(NOT_VERIFIED)


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
@now_option
def jobs(
    once: bool, folder: Path | None, smtp: str | None, smtp_cert: Path | None, smtp_key: Path | None, now: datetime
) -> None:  # fmt: skip
    """Run the clock: take in what came, wake accounts, lapse steps, send notices, seal the ledger; link all again once a night.

    With HANDHOLD_IMAP_HOST, _USER and _PASSWORD set, a mailbox is looked into as well.
    """
    from handhold import jobs as clock

    door = clock.Smtp(smtp, clock.Certificate(smtp_cert, smtp_key) if smtp_cert else None) if smtp else None
    mailbox = clock.Mailbox.of_environment()
    ready(None)
    clock.run((lambda: now) if once else this_moment, once=once, watch=folder, smtp=door, mailbox=mailbox)


@handhold.command()
@click.option("--port", default=8000, show_default=True, type=PORT)
@click.option("--workers", default=2, show_default=True, type=SOME)
def serve(port: int, workers: int) -> None:
    """Serve the pages on http://127.0.0.1:PORT."""
    from handhold.web import serve as pages

    ready(None)
    pages.serve(port, workers)


@handhold.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--children", default=2000, show_default=True, type=SOME)
@click.option("--seed", default=1, show_default=True, type=ANY)
@click.option(
    "--as-of",
    default="2024-05-31",
    show_default=True,
    type=Day(),
    help="The day the nation is told of.",
)
@click.option(
    "--adults-per-child",
    default=2.0,
    show_default=True,
    type=TIMES,
    help="How many cases of adults the court's extract has for each child.",
)
@click.option(
    "--error",
    default=1.0,
    show_default=True,
    type=TIMES,
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
