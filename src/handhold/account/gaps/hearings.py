"""Gaps about hearings: who was not told, what is not explained, which notice went astray."""

from collections.abc import Iterator
from datetime import datetime

from handhold.account import court, reasons
from handhold.account.mailing import sent_astray
from handhold.account.model import AGENCIES_TO_TELL, Account, Address, Event, Gap
from handhold.account.rules import Rules

SETTLED = ("acknowledged", "shows")


def missed_hearing_untold(account: Account, _now: datetime, of: Rules) -> Iterator[Gap]:
    """The court shows a failure to appear, and the agency neither acknowledged a notice nor shows it in its own feed.

    One for each agency, about the last hearing missed. Authority: DHS OIG-24-46, finding 2 (no process by which ICE is told
    of failures to appear); no rule sets the clock, so the pack proposes one business day.
    """
    if not account.missed:
        return
    last = account.missed[-1]
    begins = last.event.known
    due = of.due("missed-hearing-untold", begins)
    for agency in AGENCIES_TO_TELL:
        state, shown = court.told_state(agency, account.missed, account.said)
        yield Gap(
            kind="missed-hearing-untold",
            key=f"{agency}:{last.day}",
            owner=of.owner("missed-hearing-untold"),
            opens=begins,
            due=due,
            reason=agency,
            subject=last.event.id,
            evidence={
                "events": [*(e.id for e in last.events), *shown],
                "missed_on": last.day.isoformat(),
                "state": state,
            },
            closed=state if state in SETTLED else None,
        )


def missed_hearing_unexplained(account: Account, _now: datetime, of: Rules) -> Iterator[Gap]:
    """A failure to appear whose reason nobody has decided; the reason is a proposal from the evidence.

    Authority: 8 USC 1229a(b)(5)(C) (what undoes an order in absentia turns on why the child was absent); domain.md 5.2.
    """
    for hearing in account.missed:
        code, evidence = reasons.of_missed(account, hearing, of)
        begins = hearing.event.known
        yield Gap(
            kind="missed-hearing-unexplained",
            key=hearing.day.isoformat(),
            owner=of.owner("missed-hearing-unexplained"),
            opens=begins,
            due=of.due("missed-hearing-unexplained", begins),
            reason=code,
            subject=hearing.event.id,
            evidence={"events": [hearing.event.id, *evidence], "missed_on": hearing.day.isoformat()},
        )


def notice_to_old_address(account: Account, _now: datetime, of: Rules) -> Iterator[Gap]:
    """A hearing notice was mailed to a place when some agency already held a newer one.

    Whose knowledge, since when, and how many days before the mailing, stand in the evidence. Only an address known on an
    earlier day than the mailing counts, and only a usable one. Closed by a notice for the same hearing to the place known.
    Authority: 8 USC 1229(a)(1)(F), (a)(2); 8 CFR 1003.15(d)(2) (the court goes by EOIR-33 alone, which is how this arises).
    """
    for notice, newer in sent_astray(account):
        known = newer.event
        yield Gap(
            kind="notice-to-old-address",
            key=str(notice.row if notice.row is not None else notice.id),
            owner=of.owner("notice-to-old-address"),
            opens=max(notice.at, known.at),
            due=of.due("notice-to-old-address", notice.at),
            reason=newer.basis,
            subject=notice.id,
            evidence={
                "events": [notice.id, known.id],
                "knew": known.agency,
                "basis": newer.basis,
                "known_since": known.known_day.isoformat(),
                "mailed_on": notice.day.isoformat(),
                "days_before_mailing": (notice.day - known.known_day).days,
            },
            closed="mailed-again" if _mailed_again(account, notice, newer) else None,
        )


def _mailed_again(account: Account, notice: Event, newer: Address) -> bool:
    """Whether the same hearing was noticed again, to the place known, while the hearing was still to come."""
    held_on = [e.day for e in account.of("hearing-held", "hearing-scheduled") if e.row == notice.subject]
    return notice.subject is not None and any(
        other.subject == notice.subject
        and other.place == newer.event.place
        and other.day > notice.day
        and all(other.day < day for day in held_on)
        for other in account.said.get("notice-mailed", ())
    )
