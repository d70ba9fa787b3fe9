"""The fold: events → account. A leaf, pure and total: any events in any order give an account, the same one."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from handhold.account import address, court, custody, gaps, rules
from handhold.account.model import Account, Address, Answer, Event
from handhold.account.rules import Rules
from handhold.pack import Pack

Said = Mapping[str, Sequence[Event]]
# The only kind that speaks of what is still to come; any other that lies ahead is not so yet.
AHEAD = frozenset({"hearing-scheduled"})
OPEN_CONCERN = ("OPEN", "")


def fold(events: Iterable[Event], now: datetime, pack: Pack) -> Account:
    """The account at ``now``: six answers, each with its evidence, and ``wakes_at``, when it may change without news."""
    of = rules.of(pack)
    ordered = sorted(events, key=_by_time)
    said = _by_kind(event for event in ordered if event.at <= now or event.kind in AHEAD)
    account = _answers(said, now, of)
    expected = tuple(gaps.expected(account, now, of))
    ahead = [event.at for event in ordered if event.at > now]
    moments = [*ahead, *(gap.opens for gap in expected), *_ageing(account, of)]
    return replace(
        account, expected=expected, wakes_at=min((moment for moment in moments if moment > now), default=None)
    )


def _by_time(event: Event) -> tuple[datetime, datetime, int]:
    return (event.at, event.known, event.id)


def _by_kind(events: Iterable[Event]) -> dict[str, list[Event]]:
    said: dict[str, list[Event]] = {}
    for event in events:
        said.setdefault(event.kind, []).append(event)
    return said


def _answers(said: dict[str, list[Event]], now: datetime, of: Rules) -> Account:
    held = custody.holds(said, of)
    addresses = address.statements(said, of)
    hearings_missed = court.missed(said)
    responsible = custody.responsible(held)
    return Account(
        responsible=responsible,
        place=_place(responsible, addresses, said, now, of),
        safety=_safety(said, now, of),
        case=court.case(said, hearings_missed, now),
        told=court.told(hearings_missed, said),
        next=_next(said, now),
        said=said,
        addresses=addresses,
        missed=hearings_missed,
    )


def _place(
    responsible: Answer, addresses: tuple[Address, ...], said: Said, now: datetime, of: Rules
) -> Answer:
    """The second question: in what kind of place, at which address, how good it is, and who else says what."""
    kind = responsible.more.get("place", "unknown")
    known = address.current(addresses)
    others = [_stated(a) for a in addresses]
    if kind not in ("address", "unknown") or known is None:
        quality = "blank" if kind == "address" else "n/a"
        return Answer(
            kind,
            quality,
            responsible.evidence,
            responsible.since,
            responsible.confirmed,
            responsible.by,
            {"stated": others},
        )
    confirmed = address.confirmation(known, said)
    last = confirmed or known.event
    more = _stated(known) | {"stated": others}
    evidence = tuple(e.id for e in (known.event, confirmed) if e is not None)
    quality = address.quality(known, addresses, said, now, of)
    return Answer("address", quality, evidence, known.event.at, last.known, last.agency, more)


def _stated(stated: Address) -> dict[str, object]:
    """A statement of an address without the address: blind ids, codes and days."""
    event = stated.event
    return {
        "place": event.place,
        "building": event.building,
        "flags": event.flags or "",
        "basis": stated.basis,
        "agency": event.agency,
        "since": event.day.isoformat(),
        "known": event.known_day.isoformat(),
        "event": event.id,
    }


def _safety(said: Said, now: datetime, of: Rules) -> Answer:
    """The third question: the last contact, what is worrying, and how long ago anybody heard."""
    contacts = said.get("contact-attempted", ())
    worries = [e for e in said.get("concern-raised", ()) if e.text("status") in OPEN_CONCERN]
    reached = [e for e in contacts if e.text("outcome") == "REACHED"]
    last = contacts[-1] if contacts else None
    heard = reached[-1] if reached else None
    evidence = tuple(e.id for e in (last, heard, *worries) if e is not None)
    quality = "unknown" if heard is None else "stale" if now - heard.at > of.stale else "fresh"
    more = {
        "attempts": len(contacts),
        "reached": len(reached),
        "concerns": len(said.get("concern-raised", ())),
        "open_concerns": len(worries),
    }
    value = contact(last)
    return Answer(
        value,
        quality,
        evidence,
        last.at if last else None,
        heard.at if heard else None,
        heard.agency if heard else None,
        more,
    )


def contact(last: Event | None) -> str:
    """The outcome of a contact as a code. Reaching the sponsor without the child is an outcome of its own."""
    if last is None:
        return "none"
    if last.text("outcome") == "REACHED":
        return "elsewhere" if last.text("with_sponsor") == "N" else "reached"
    return last.text("outcome").lower().replace(" ", "-") or "unknown"


def _next(said: Said, now: datetime) -> Answer:
    """The sixth question: what comes next by the court's calendar (deadlines stand with the gaps and steps)."""
    coming = court.next_hearing(said, now)
    if coming is None:
        return Answer("nothing-set", "n/a")
    return Answer(
        "hearing",
        "stated",
        (coming.id,),
        coming.at,
        coming.known,
        coming.agency,
        {"at": coming.at.isoformat()},
    )


def _ageing(account: Account, of: Rules) -> list[datetime]:
    """When what is fresh goes stale, and when the normal lag of a charging document is over."""
    confirmed = [account.safety.confirmed]
    if account.place.value == "address":
        confirmed.append(account.place.confirmed)
    unserved = [] if account.said.get(court.SERVED) else account.said.get("discharged", ())
    lag = [event.at + of.lag for event in unserved if of.released(event)]
    just_after = timedelta(
        microseconds=1
    )  # a thing is stale once it is older than the limit, not when it reaches it
    return lag + [moment + of.stale + just_after for moment in confirmed if moment is not None]
