"""Whose file it is: questions, what people decide, the model."""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table

from handhold import casework, identity, oversight, pack, store
from handhold.cli.common import (
    ANY,
    ERRORS,
    ID,
    OUT,
    SOME,
    Person,
    by_option,
    engine_option,
    handhold,
    now_option,
    office,
    ready,
)
from handhold.cli.show import print_changes, print_quality, print_rows
from handhold.oversight import questions as waiting
from handhold.progress import Bars


@handhold.group()
def link() -> None:
    """Whose file is it: questions, and what a person decides."""


@link.command()
@click.option("--limit", default=20, show_default=True, type=SOME)
@click.option("--after", type=ID, help="Go on after this question (the id in the first column).")
@now_option
def questions(limit: int, after: int | None, now: datetime) -> None:
    """List open questions, the most urgent first: two files that may or may not be the same child's."""
    ready(None)
    with store.transaction() as db:
        rows = waiting.queue(db, person="", now=now, pack=pack.load(), after=after, limit=limit)
    shown = ("id", "file_a", "agency_a", "file_b", "agency_b", "reason", "weight", "hearing", "gaps")
    print_rows("questions", [{name: row[name] for name in shown} for row in rows])


@link.command()
@click.option(
    "--sample", default=0, show_default=True, help="Draw so many links of each range of weight to look at."
)
@now_option
def quality(sample: int, now: datetime) -> None:
    """Measure the links: expected precision and recall by weight, agreement of people, match rates by feed and month."""
    ready(None)
    drawn = casework.sample_links(sample, office(now)) if sample else 0
    with store.transaction() as db:
        found = oversight.quality(db, pack=pack.load())
    print_quality(found, drawn)


@link.command("again")
@click.option("--preview", is_flag=True, help="Only say what would change.")
@click.option("--by", type=Person(), help="Who asks, as person:ID; at night nobody does.")
@engine_option
@now_option
def again(preview: bool, by: str | None, engine: str, now: datetime) -> None:
    """Link all files as if they had come today: what the order of arrival left apart or together comes right.

    What persons said stands. For the night: it compares everything.
    """
    ready(None)
    with Bars(ERRORS) as bars, identity.ENGINES[engine]() as compared:
        acting = replace(office(now, by=by or casework.SYSTEM, show=bars), engine=compared)
        seen = casework.rehearse(casework.link_again, acting) if preview else None
        done = seen.arrival if seen else casework.link_again(acting)
    OUT.print(
        f"{'would be: ' if preview else ''}files with another child {done.relinked:,}; "
        f"questions {done.questions:,} new, {done.idle:,} wait no more"
    )
    if seen is None:
        print_changes(done)


@link.command()
@click.argument("file_a", type=ID)
@click.argument("file_b", type=ID)
@click.argument("judgement", type=click.Choice(["match", "possible", "no match"]))
@click.option("--why", required=True)
@by_option
@now_option
def decide(file_a: int, file_b: int, judgement: str, why: str, by: str, now: datetime) -> None:
    """Say that two files are, may be, or are not the same child's. Final until a person changes it."""
    ready(None)
    arrival = casework.decide_link(file_a, file_b, judgement, why, office(now, by=by))
    if arrival.proposed:
        OUT.print("proposed: another person must say so too, for the link would disclose or a file is held")
    print_changes(arrival)


@link.command()
@click.argument("file", type=ID)
@click.option("--why", required=True)
@by_option
@now_option
def separate(file: int, why: str, by: str, now: datetime) -> None:
    """Take FILE away from its child; whoever was told is owed a correction."""
    ready(None)
    print_changes(casework.separate(file, why, office(now, by=by)))


@link.command()
@click.argument("file_a", type=ID)
@click.argument("file_b", type=ID)
@click.option("--why", required=True)
@by_option
@now_option
def withdraw(file_a: int, file_b: int, why: str, by: str, now: datetime) -> None:
    """Take back what was said of two files; what followed from it is undone, and they are a question again."""
    ready(None)
    print_changes(casework.withdraw_word(file_a, file_b, why, office(now, by=by)))


@link.command()
@click.argument("file", type=ID)
def said(file: int) -> None:
    """List everything people ever said of FILE and another; what has no end stands."""
    ready(None)
    with store.transaction() as db:
        rows = identity.said_of(db, file)
    print_rows(f"said of file {file}", rows)


@link.command("hold")
@click.argument("file", type=ID)
@click.option("--why", required=True)
@by_option
@now_option
def hold_file(file: int, why: str, by: str, now: datetime) -> None:
    """Let only people link FILE from now on (a protected location). Links it has stay."""
    ready(None)
    print_changes(casework.hold_file(file, True, why, office(now, by=by)))


@link.command("release")
@click.argument("file", type=ID)
@click.option("--why", required=True)
@by_option
@now_option
def release_file(file: int, why: str, by: str, now: datetime) -> None:
    """Let FILE be linked by itself again, and look at it at once."""
    ready(None)
    print_changes(casework.hold_file(file, False, why, office(now, by=by)))


@handhold.group("identity")
def identity_() -> None:
    """The model that says whose file it is."""


@identity_.command("train")
@click.option(
    "--seed",
    default=1,
    show_default=True,
    type=ANY,
    help="Of the random pairs that stand for strangers.",
)
@click.option("--adopt", is_flag=True, help="Let the new model decide from now on.")
@click.option(
    "--to",
    "target",
    type=click.Path(path_type=Path),
    help="Also write the model to this file, as a pack has it.",
)
@by_option
@now_option
def train(seed: int, adopt: bool, target: Path | None, by: str, now: datetime) -> None:
    """Train a model on the files that are loaded, and show it beside the one that decides now."""
    ready(None)
    trained = casework.train_model(office(now, by=by), seed=seed, adopt=adopt)
    _print_model(trained)
    if target is not None:
        target.write_text(trained.text, "utf-8")
    then = (
        "decides from now on"
        if adopt
        else f"is kept; handhold identity adopt {trained.version} lets it decide"
    )
    OUT.print(f"model {trained.version} {then}")


@identity_.command("models")
def models() -> None:
    """List the pack's model, those trained here and those that were the pack's once, and say which decides; then the rules that
    ever decided, by the number that evidence names them by: bits from which files are linked or asked about."""
    ready(None)
    with store.transaction() as db:
        print_rows("models", identity.models(db, pack.load()))
        told = [{name: row[name] for name in row if name != "text"} for row in identity.rules(db)]
        print_rows("rules", told)


@identity_.command("adopt")
@click.argument("version")
@by_option
@now_option
def adopt(version: str, by: str, now: datetime) -> None:
    """Let a model decide from now on: one trained here and kept, or the pack's own again. What is linked stays."""
    ready(None)
    casework.adopt_model(version, office(now, by=by))
    OUT.print(f"model {version} decides from now on")


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
