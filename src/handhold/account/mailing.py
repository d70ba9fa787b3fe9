"""Hearing notices: which hearing they told of, and whether they went where the child was known to be. A leaf."""

from collections.abc import Iterator

from handhold.account import address
from handhold.account.model import Account, Address, Event, Missed


def sent_astray(account: Account) -> Iterator[tuple[Event, Address]]:
    """Hearing notices beside the newer address that somebody held before they were mailed."""
    for notice in account.said.get("notice-mailed", ()):
        newer = address.newest_known_before(account.addresses, notice)
        if newer is not None and notice.place is not None and newer.event.place != notice.place:
            yield notice, newer


def notices_for(account: Account, hearing: Missed) -> list[Event]:
    """The notices that told of this hearing: by the court's own reference, which runs through the schedule row."""
    rows = {event.row for event in hearing.events}
    rows |= {e.row for e in account.of("hearing-held", "hearing-scheduled") if e.day == hearing.day}
    return [notice for notice in account.said.get("notice-mailed", ()) if notice.subject in rows]
