"""The reason proposed for a missed hearing or a charging document not served, by the evidence. A leaf.

The codes are those of ``reasons.toml``. Each rule looks for one thing and gives the events that show it; the first that
finds any decides. A proposal is never more than that: a person decides.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from handhold.account import custody
from handhold.account.mailing import notices_for, sent_astray
from handhold.account.model import Account, Event, Missed
from handhold.account.rules import Rules

Evidence = Sequence[Event]
FIRST_FORMS_HELD = "uscis"
LATE_MAIL = timedelta(days=10)
DROPPED = frozenset({"U", "T", "I", "Y"})
DROPPED_AT_OPLA = frozenset({"DISMISSED", "TERMINATED"})
DEPARTED = frozenset({"VOLUNTARY DEPARTURE", "ORDERED REMOVED"})
IN_CUSTODY = frozenset({"ORR", "ERO", "law-enforcement"})
HARM = frozenset({"TRAFFICKING", "LABOR"})


def of_missed(account: Account, hearing: Missed, of: Rules) -> tuple[str, list[int]]:
    """The F-code proposed for a missed hearing, and the ids of the events that show it."""
    for code, rule in MISSED:
        shown = rule(account, hearing, of)
        if shown:
            return code, [event.id for event in shown]
    return "F-UNK", []


def of_charging(account: Account, released: Event, now: datetime, of: Rules) -> tuple[str, list[int]]:
    """The N-code proposed for a charging document not served on a child released by ``released``."""
    recent = now < released.at + of.lag
    for code, rule in RIGHT if recent else RIGHT + WRONG:
        shown = rule(account, released, of)
        if shown:
            return code, [event.id for event in shown]
    return ("N-NEW" if recent else "N-UNK"), []


def _rescinded(account: Account, hearing: Missed, _of: Rules) -> Evidence:
    """A proceeding after the one that ended without the child; a reset hearing ends none."""
    if all(event.text("pattern") == "reset" for event in hearing.events):
        return []
    return [e for e in account.said.get("proceeding-opened", ()) if e.day > hearing.day]


def _held_elsewhere(account: Account, hearing: Missed, of: Rules) -> Evidence:
    hold = custody.held_on(custody.holds(account.said, of), hearing.event.at)
    return [hold.event] if hold and hold.holder in IN_CUSTODY else []


def _run(account: Account, hearing: Missed, _of: Rules) -> Evidence:
    """Whereabouts unknown *and reported*: without a report number nobody is called missing."""
    gone = [
        e
        for e in account.said.get("absence-began", ())
        if e.day <= hearing.day and not custody.found_again(e, account.said)
    ]
    rows = {e.row for e in gone}
    reported = [e for e in account.said.get("ncmec-told", ()) if e.row in rows and e.detail.get("number")]
    return [*gone, *reported] if reported else []


def _departed(account: Account, hearing: Missed, _of: Rules) -> Evidence:
    left = [e for e in account.said.get("discharged", ()) if e.text("type") in DEPARTED]
    return [e for e in left if e.day <= hearing.day]


def _relief(account: Account, hearing: Missed, _of: Rules) -> Evidence:
    return [
        e
        for e in account.said.get("benefit-decided", ())
        if e.detail.get("granted") is True and e.day <= hearing.day
    ]


def _no_case(account: Account, _hearing: Missed, _of: Rules) -> Evidence:
    return [e for e in account.said.get("case-completed", ()) if e.text("other") == "F"]


def _old_address(account: Account, hearing: Missed, _of: Rules) -> Evidence:
    sent = {notice.id for notice in notices_for(account, hearing)}
    return [e for notice, newer in sent_astray(account) if notice.id in sent for e in (notice, newer.event)]


def _no_notice(account: Account, hearing: Missed, _of: Rules) -> Evidence:
    """Came back, or was mailed too late to plan for."""
    sent = notices_for(account, hearing)
    rows = {e.subject for e in sent}
    returned = [e for e in account.said.get("notice-returned", ()) if e.subject in rows]
    in_time = [e for e in sent if hearing.day - e.day >= LATE_MAIL]
    return returned or ([] if in_time else sent)


def _venue(account: Account, hearing: Missed, _of: Rules) -> Evidence:
    moved = [e for e in account.said.get("case-completed", ()) if e.text("other") in ("C", "T")]
    return [e for e in moved if abs(e.day - hearing.day) <= 3 * LATE_MAIL]


def _harm(account: Account, _hearing: Missed, _of: Rules) -> Evidence:
    return [e for e in account.said.get("concern-raised", ()) if e.text("category") in HARM]


def _moved(account: Account, hearing: Missed, _of: Rules) -> Evidence:
    contacts = account.said.get("contact-attempted", ())
    return [
        e for e in contacts if e.place is not None and e.text("outcome") == "REACHED" and e.day >= hearing.day
    ]


MISSED: tuple[tuple[str, Callable[[Account, Missed, Rules], Evidence]], ...] = (
    ("F-RESCINDED", _rescinded),
    ("F-DEPART", _departed),
    ("F-CUSTODY", _held_elsewhere),
    ("F-RUN", _run),
    ("F-NOCASE", _no_case),
    ("F-OLDADDR", _old_address),
    ("F-NONOTICE", _no_notice),
    ("F-RELIEF", _relief),
    ("F-VENUE", _venue),
    ("F-HARM", _harm),
    ("F-MOVED", _moved),
)


def _gone(account: Account, released: Event, _of: Rules) -> Evidence:
    left = [
        e for e in account.said.get("discharged", ()) if e.text("type") in DEPARTED and e.day >= released.day
    ]
    return left or [e for e in account.said.get("case-status", ()) if e.text("status") == "DEPARTED"]


def _in_custody(account: Account, released: Event, of: Rules) -> Evidence:
    last = custody.holds(account.said, of)[-1:]
    back = [hold.event for hold in last if hold.holder in IN_CUSTODY and hold.event.day >= released.day]
    return back or _held_for(account, "custody")


def _has_relief(account: Account, _released: Event, _of: Rules) -> Evidence:
    granted = [e for e in account.said.get("benefit-decided", ()) if e.detail.get("granted") is True]
    return granted or [e for e in account.said.get("case-status", ()) if e.text("status") == "RELIEF"]


def _at_uscis(account: Account, _released: Event, _of: Rules) -> Evidence:
    """A first benefit request not yet decided, or ERO saying that it waits for one."""
    decided = {e.row for e in account.said.get("benefit-decided", ())}
    filed = account.said.get("benefit-filed", ())
    waiting = [e for e in filed if e.detail.get("first") is True and e.row not in decided]
    return waiting or _held_for(account, FIRST_FORMS_HELD)


def _held_for(account: Account, reason: str) -> Evidence:
    return [e for e in account.said.get("charging-document-held", ()) if e.text("reason") == reason]


def _dropped(account: Account, _released: Event, _of: Rules) -> Evidence:
    done = [e for e in account.said.get("case-completed", ()) if e.text("dec") in DROPPED]
    return done or [
        e for e in account.said.get("case-closed", ()) if e.text("disposition") in DROPPED_AT_OPLA
    ]


def _issued(account: Account, _released: Event, _of: Rules) -> Evidence:
    return account.said.get("charging-document-issued", ())


def _no_address(account: Account, _released: Event, _of: Rules) -> Evidence:
    bad = [a.event for a in account.addresses[-1:] if not a.usable]
    return bad or _held_for(account, "address")


def _dismissed_unfiled(account: Account, _released: Event, _of: Rules) -> Evidence:
    return [e for e in account.said.get("case-completed", ()) if e.text("other") == "F"]


def _waits_in_line(account: Account, _released: Event, _of: Rules) -> Evidence:
    return _held_for(account, "backlog")


OfCharging = tuple[tuple[str, Callable[[Account, Event, Rules], Evidence]], ...]
# What makes it right that nothing was served; then, while the release is recent, nothing need be wrong; then what went wrong.
RIGHT: OfCharging = (
    ("N-DEPART", _gone),
    ("N-CUST", _in_custody),
    ("N-RELIEF", _has_relief),
    ("N-USCIS", _at_uscis),
    ("N-DISCR", _dropped),
)
WRONG: OfCharging = (
    ("N-FTPROS", _dismissed_unfiled),
    ("N-ADDR", _no_address),
    ("N-ISSUED", _issued),
    ("N-BACKLOG", _waits_in_line),
)
