"""What commands print: tables, and the picture."""

from datetime import datetime
from typing import Any

import click
from rich.table import Table

from handhold import account, casework, identity, oversight, pack, store
from handhold.cli.common import OUT

NAMED = 5  # deliveries of which one sentence is said


def print_picture(now: datetime) -> None:
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


def print_explained(figure: str, now: datetime, limit: int) -> None:
    with store.transaction() as db:
        lines = oversight.rows_under(db, figure, pack=pack.load(), limit=limit or None)
        if lines is not None:
            print_rows(f"lines under {figure}", lines.to_dicts())
            return
        opened = oversight.explain(db, figure, now=now, pack=pack.load(), limit=limit or None)
    OUT.print(f"[b]{opened.definition.title}[/b]: {opened.definition.sentence}")
    OUT.print(
        f"value {opened.value:,} as of {now.isoformat()}; definition {opened.version[:12]}; source: {opened.definition.source}"
    )
    rests = ", ".join(f"{feed} (as of {day})" for feed, day in opened.feeds)
    OUT.print(f"rests on: {rests or 'no feed that has come'}")
    print_rows("rows under it", opened.rows.to_dicts())


def print_preview(seen: casework.Preview) -> None:
    """What would happen, by what it would happen to; the first refused rows under it."""
    print_deliveries(seen.arrival, "Deliveries, as they would be read; NOTHING WAS CHANGED")
    effects = [{"what": what, "which": which, "count": f"{n:,}"} for what, which, n in seen.effects()]
    print_rows("What would happen", effects)
    if seen.refused:
        print_rows("Rows that would be quarantined (the first)", seen.refused)


def print_deliveries(arrival: casework.Arrival, title: str = "Deliveries") -> None:
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
            d.fate,
            *(f"{n or 0:,}" for n in counts),
        )
    OUT.print(table)
    told: dict[tuple[str, str], list[int]] = {}
    for d in arrival.deliveries:
        if d.why and not (d.again and d.status == "read"):
            told.setdefault((d.feed or "no feed", d.why), []).append(d.id)
    for (feed, why), ids in told.items():
        OUT.print(f"{feed} ({_deliveries(ids)}): {why}", markup=False)
    print_changes(arrival)


def _deliveries(ids: list[int]) -> str:
    """``delivery 12``, ``deliveries 12, 13``; of many, the first and how many more."""
    more = f" and {len(ids) - NAMED} more" if len(ids) > NAMED else ""
    return f"deliver{'y' if len(ids) == 1 else 'ies'} {', '.join(map(str, ids[:NAMED]))}{more}"


def print_changes(a: casework.Arrival) -> None:
    OUT.print(
        f"events {a.events:,} new, {a.superseded:,} superseded; files linked {a.linked:,}, questions {a.questions:,}; "
        f"accounts made {a.children:,}; gaps opened {a.opened:,}, closed {a.closed:,}; steps {a.steps:,}; notices {a.notices:,}"
    )


def print_account(child: int) -> None:
    with store.transaction() as db:
        found = account.read(db, identity.resolve(db, child))
    if not found:
        raise click.ClickException(f"there is no child {child}; handhold export children lists them")
    OUT.print_json(data=found)


def print_quality(found: oversight.Quality, drawn: int) -> None:
    print_rows(
        "links and questions by weight (bits)",
        [
            {
                "from": "" if b.low is None else f"{b.low:g}", "to": "" if b.high is None else f"{b.high:g}", "links": f"{b.links:,}",
                "looked at": b.right.of, "right": _share(b.right), "questions open": b.waiting, "decided": b.alike.of,
                "of these, a match": _share(b.alike), "recall if linked from here": _share(r),
            }
            for b, r in found.ranges
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
    print_rows(
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


def print_rows(title: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        OUT.print(f"{title}: none")
        return
    table = Table(title=title, title_justify="left", pad_edge=False)
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    OUT.print(table)
