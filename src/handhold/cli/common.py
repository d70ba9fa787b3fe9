"""What every command needs: consoles, kinds of arguments, the office that acts, a database that is ready."""

import math
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console

from handhold import casework, identity, pack, store

YEARS = range(1900, 2200)  # of moments and days that somebody may mean
WIDE = 240  # columns where nobody watches: a pipe or a file should not fold its cells
OUT = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
ERRORS = Console(stderr=True, highlight=False)


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
        if moment.year not in YEARS:
            self.fail(f"{value!r} is no moment of these children's lives; is the year right?", param, ctx)
        return moment.astimezone(UTC)


class Day(click.DateTime):
    """A day: ``2024-05-31``."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%d"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        day: datetime = super().convert(value, param, ctx)
        if day.year not in YEARS:
            self.fail(f"{value!r} is no day of these children's lives; is the year right?", param, ctx)
        return day


class Multiple(click.FloatRange):
    """How many times as much as usual. What is no number at all (nan) would pass every range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        times: float = super().convert(value, param, ctx)
        if math.isnan(times):
            self.fail(f"{value} is no number", param, ctx)
        return times


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


def this_moment() -> datetime:
    return datetime.now(UTC)


def now_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--now", type=When(), default=this_moment, help="Judge as of this moment (default: the clock)."
    )(command)


def by_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option("--by", required=True, type=Person(), help="Who decides, as person:ID.")(command)


def engine_option(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--engine",
        type=click.Choice(list(identity.ENGINES)),
        default="here",
        show_default=True,
        help="Where the pairs of many files are compared: on Spark it is the same comparison.",
    )(command)


def office(
    now: datetime, *, by: str = casework.SYSTEM, show: casework.Show = casework.quiet
) -> casework.Office:
    return casework.Office(by=by, now=now, pack=pack.load(), show=show)


PORT = click.IntRange(1, 65535)
LARGEST = 2**31 - 1
SOME = click.IntRange(1, LARGEST)
ANY = click.IntRange(0, LARGEST)
TIMES = Multiple(0, 1000)
ID = click.IntRange(-(2**63), 2**63 - 1)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="handhold")
def handhold() -> None:
    """Keep every unaccompanied child accounted for after release."""


def ready(synthetic: bool | None) -> None:
    """Start the database, bring its tables up to date, and remember whether the data is synthetic."""
    store.ensure()
    with store.transaction() as db:
        store.migrate(db)
    if synthetic is not None:
        with store.transaction() as db:
            store.put_setting(db, "synthetic", synthetic)
