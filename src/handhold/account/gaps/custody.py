"""Gaps about who holds the child, and who was told that it left."""

from collections.abc import Iterator
from datetime import datetime

from handhold.account import custody
from handhold.account.model import Account, Event, Gap
from handhold.account.rules import Rules

TOLD_OF_ABSENCE = {"police": "police-told", "NCMEC": "ncmec-told", "ICE": "ice-told"}


def transfer_late(account: Account, now: datetime, of: Rules) -> Iterator[Gap]:
    """DHS held the child for more than 72 hours after finding it to be an unaccompanied child.

    Authority: 8 USC 1232(b)(3) (exceptional circumstances aside). Lateness is not healed by the transfer: a person closes it.
    """
    for found in account.said.get("determined", ()):
        limit = of.limit("transfer-late", found)
        passed = _passed_on(account, found)
        if passed is None or not of.in_time("transfer-late", found, passed):
            yield Gap(
                kind="transfer-late",
                key=str(found.row if found.row is not None else found.id),
                owner=of.owner("transfer-late"),
                opens=limit,
                due=limit,
                reason="late" if passed else "still-held" if now > limit else "",
                subject=found.id,
                evidence={
                    "events": [e.id for e in (found, passed) if e],
                    "hours": _hours(found, passed) if passed else None,
                },
            )


def _passed_on(account: Account, found: Event) -> Event | None:
    """The transfer that ended this custody: by the same row, else the first sign of ORR's care after it."""
    same_row = [e for e in account.said.get("transferred", ()) if e.row == found.row]
    after = [e for e in account.of("transferred", "admitted", "discharged") if e.day >= found.day]
    return same_row[0] if same_row else min(after, key=lambda e: (e.at, e.id), default=None)


def _hours(found: Event, passed: Event) -> float:
    return round((passed.at - found.at).total_seconds() / 3600, 1)


def release_not_told(account: Account, _now: datetime, of: Rules) -> Iterator[Gap]:
    """Released to a sponsor, and DHS not told within 24 hours.

    Where only days are given, told on the next day counts as in time. Late is ``late``, never is ``never``.
    Authority: ORR Policy Guide 2.8.3 (Discharge Notification within 24 hours of physical discharge).
    """
    for released in account.said.get("discharged", ()):
        if not of.released(released):
            continue
        told = [e for e in account.said.get("told-dhs", ()) if e.row == released.row]
        limit = of.limit("release-not-told", released)
        if told and of.in_time("release-not-told", released, told[0]):
            continue
        yield Gap(
            kind="release-not-told",
            key=str(released.row if released.row is not None else released.id),
            owner=of.owner("release-not-told"),
            opens=limit,
            due=limit,
            reason="late" if told else "never",
            subject=released.id,
            evidence={"events": [released.id, *(e.id for e in told)]},
        )


def absence_unreported(account: Account, _now: datetime, of: Rules) -> Iterator[Gap]:
    """Left care without permission, and the police, NCMEC or ICE not told; closed when all are.

    Authority: ORR Policy Guide 5.8 (at once); 34 USC 41308 (police enter a missing child within two hours).
    """
    for began in _absences(account, of):
        told = {
            name: [e.id for e in account.said.get(kind, ()) if e.row == began.row]
            for name, kind in TOLD_OF_ABSENCE.items()
        }
        untold = [name for name, events in told.items() if not events]
        yield Gap(
            kind="absence-unreported",
            key=str(began.row if began.row is not None else began.id),
            owner=of.owner("absence-unreported"),
            opens=began.at,
            due=of.due("absence-unreported", began.at),
            reason="+".join(untold),
            subject=began.id,
            evidence={
                "events": [began.id, *(i for events in told.values() for i in events)],
                "untold": untold,
            },
            closed=None if untold else "told",
        )


def _absences(account: Account, of: Rules) -> list[Event]:
    """Absences as reported; a discharge as run away stands for one where no report goes with it."""
    began = list(account.said.get("absence-began", ()))
    return began or [e for e in account.said.get("discharged", ()) if e.text("type") == "RAN AWAY"]


def no_one_responsible(account: Account, _now: datetime, of: Rules) -> Iterator[Gap]:
    """The child left whoever held it, and nobody has taken responsibility.

    Authority: DHS OIG-24-46 and HHS OIG OEI-07-21-00250 (no agency answers for a child after release); domain.md 2.2, P10.
    """
    if account.responsible.value != custody.NOBODY[0] or account.responsible.since is None:
        return
    begins = account.responsible.since
    yield Gap(
        kind="no-one-responsible",
        key=begins.date().isoformat(),
        owner=of.owner("no-one-responsible"),
        opens=begins,
        due=of.due("no-one-responsible", begins),
        reason=account.responsible.more.get("kind", ""),
        subject=account.responsible.evidence[0],
        evidence={"events": list(account.responsible.evidence)},
    )
