"""The demonstration: a synthetic nation, the main job, the picture, and people to sign in as."""

import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.table import Table

from handhold import feeds, store
from handhold.simulate import simulate
from handhold.web import listening

OUT = Console(highlight=False)
SEED = 1
OFFICES = ZoneInfo("America/New_York")  # the day the agencies' feeds are drawn on is the day there


def nation(children: int, as_of: datetime, into: Path) -> Path:
    """Write a synthetic nation and return its folder of feeds."""
    OUT.print(f"simulating {children:,} children (synthetic; seed {SEED})")
    simulate(into, children=children, seed=SEED, as_of=as_of.astimezone(OFFICES).date())
    return into / "feeds"


def show(
    *, children: int, folder: Path | None, now: datetime, port: int, serve: bool,
    main_job: Callable[[Path, datetime, bool | None], None],
) -> None:  # fmt: skip
    """Run the main job over a folder, or over a nation made for the occasion, then serve the pages until stopped."""
    store.home()  # what stands in the way is better said now than after long work
    if serve:
        listening.must_be_free(port)
    if folder is not None:
        main_job(folder, now, feeds.says_synthetic(folder))
    else:
        with tempfile.TemporaryDirectory(prefix="handhold-nation-") as place:
            main_job(nation(children, now, Path(place)), now, True)
    if serve:
        _serve(port, now)


def _serve(port: int, now: datetime) -> None:
    from handhold.web import people
    from handhold.web import serve as pages

    sign_ins = people.create_people()
    table = Table(title="Sign in as", title_justify="left", pad_edge=False)
    for column in ("name", "password", "agency", "role"):
        table.add_column(column)
    for one in sign_ins:
        table.add_row(one.username, one.password, one.agency, one.role)
    OUT.print(table)
    OUT.print(
        f"Pages on http://127.0.0.1:{port}; each name shows what one agency may know. Ctrl-C stops them.",
        soft_wrap=True,
    )
    pages.serve(port, 2, now=now)
