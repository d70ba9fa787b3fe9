"""Where a child lives, as anybody states it, and how good that is. A leaf.

Quality is one of ``confirmed plausible stale conflict no-unit undeliverable blank institution``; the flags come from the
reader of the feed, what they mean from the pack (``gaps.toml``, ``[address]``).
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from handhold.account.model import Address, Event
from handhold.account.rules import Rules

Said = Mapping[str, Sequence[Event]]
BLANK = "blank"
LONE_FLAG = {"blank", "unknown"}


def statements(said: Said, rules: Rules) -> tuple[Address, ...]:
    """Every address stated by anybody, ordered by when it was so, when they knew it, and id.

    ERO's own column repeats what ORR sent on release, so it counts only where it says another place than any discharge.
    """
    released_to = {event.place for event in said.get("discharged", ())}
    found = [
        _address(event, "discharge", rules) for event in said.get("discharged", ()) if rules.released(event)
    ]
    found += [_address(e, "checkin", rules) for e in said.get("contact-attempted", ()) if e.place is not None]
    for event in said.get("address-stated", ()):
        basis = event.text("basis")
        if basis != "ero" or (event.place is not None and event.place not in released_to):
            found.append(_address(event, basis, rules))
    return tuple(sorted(found, key=_by_time))


def _address(event: Event, basis: str, rules: Rules) -> Address:
    usable = event.place is not None and rules.quality(event.flags) is None
    return Address(event, basis, usable)


def _by_time(address: Address) -> tuple[object, ...]:
    event = address.event
    return (event.day, event.known_day, event.at, event.known, event.id)


def current(addresses: Sequence[Address]) -> Address | None:
    """The address to go by: the newest that says anything; where none does, the newest.

    A blank, or "address unknown", is no news, so it does not displace an older address. One that names a place without
    its unit or with a ZIP that does not exist does: the child is no longer known to be where it was.
    """
    telling = [address for address in addresses if not _says_nothing(address)]
    found = telling or list(addresses)
    return found[-1] if found else None


def _says_nothing(address: Address) -> bool:
    return address.event.place is None or bool(LONE_FLAG & set((address.event.flags or "").split(",")))


def confirmation(address: Address, said: Said) -> Event | None:
    """The last contact in which somebody reached said that the child lives at this address."""
    since = address.event.day
    told = [
        event
        for event in said.get("contact-attempted", ())
        if event.text("outcome") == "REACHED" and event.day >= since and _confirms(event, address)
    ]
    return told[-1] if told else None


def _confirms(event: Event, address: Address) -> bool:
    if event.place is not None:
        return event.place == address.event.place
    return event.text("address_confirmed") == "Y" and event.text("with_sponsor") != "N"


def quality(
    address: Address | None, addresses: Sequence[Address], said: Said, now: datetime, rules: Rules
) -> str:
    """How good the address is that we go by."""
    if address is None:
        return BLANK
    if not address.usable:
        return rules.quality(address.event.flags) or BLANK
    confirmed = confirmation(address, said)
    last = confirmed.known if confirmed else address.event.known
    if _contradicted(address, addresses):
        return "conflict"
    if now - last > rules.stale:
        return "stale"
    if confirmed:
        return "confirmed"
    return "institution" if "institution" in (address.event.flags or "").split(",") else "plausible"


def _contradicted(address: Address, addresses: Sequence[Address]) -> bool:
    """Whether another agency says, later than this was stated, that the child lives elsewhere."""
    event = address.event
    return any(
        other.usable
        and other.event.agency != event.agency
        and other.event.place != event.place
        and other.event.known_day > event.known_day
        for other in addresses
    )


def newest_known_before(addresses: Sequence[Address], event: Event) -> Address | None:
    """The newest usable address that anybody already knew on a day before ``event``."""
    known = [a for a in addresses if a.usable and a.event.known_day < event.day]
    return known[-1] if known else None
