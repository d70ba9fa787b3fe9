"""Where the case is: the charging document's three facts, hearings, outcomes. A leaf."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from handhold.account.model import AGENCIES_TO_TELL, Answer, Event, Missed

Said = Mapping[str, Sequence[Event]]
ISSUED, SERVED, FILED = "charging-document-issued", "charging-document-served", "charging-document-filed"

# Decision letters of B_TblProceeding.DEC_CODE in removal proceedings (feeds.md 3; EOIR lookup tblDecCode).
OUTCOMES = {
    "X": "removal-order", "D": "removal-order", "E": "removal-order", "V": "voluntary-departure", "R": "relief", "A": "relief",
    "T": "terminated", "U": "dismissed", "I": "dismissed", "Y": "dismissed", "W": "dismissed",
}  # fmt: skip


def missed(said: Said) -> tuple[Missed, ...]:
    """The hearings that the child missed, by local day; several rows of the court on one day are one hearing."""
    by_day: dict[date, list[Event]] = {}
    for event in said.get("missed-hearing", ()):
        by_day.setdefault(event.day, []).append(event)
    return tuple(
        Missed(day, tuple(sorted(by_day[day], key=lambda e: (e.known, e.id)))) for day in sorted(by_day)
    )


def charging(said: Said) -> str:
    """The furthest that the charging document got: ``none issued served filed``, or ``filed-not-served``."""
    served, filed = bool(said.get(SERVED)), bool(said.get(FILED))
    if filed:
        return "filed" if served else "filed-not-served"
    if served:
        return "served"
    return "issued" if said.get(ISSUED) else "none"


def next_hearing(said: Said, now: datetime) -> Event | None:
    """The first hearing that is still to come."""
    coming = [event for event in said.get("hearing-scheduled", ()) if event.at >= now]
    return min(coming, key=lambda e: (e.at, e.id)) if coming else None


def outcome(said: Said) -> tuple[str, Event | None]:
    """What became of the case, and the row that says so; an order in absentia that a later proceeding follows is reopened."""
    done = list(said.get("case-completed", ()))
    opened = list(said.get("proceeding-opened", ()))
    if not done:
        seen = opened or list(said.get("case-seen", ()))
        return ("open", seen[-1]) if seen else ("not-in-court", None)
    last = done[-1]
    if any(event.day > last.day for event in opened):
        return "reopened", opened[-1]
    if last.text("absentia") == "Y":
        return "in-absentia", last
    if last.text("other") == "F":
        return "dismissed-not-filed", last
    return OUTCOMES.get(last.text("dec"), "closed"), last


def case(said: Said, hearings_missed: tuple[Missed, ...], now: datetime) -> Answer:
    """The fourth question: where the case is."""
    state, shown_by = outcome(said)
    coming = next_hearing(said, now)
    value = "hearing-set" if coming and state in ("open", "reopened") else state
    evidence = [e for e in (shown_by, coming) if e is not None]
    newest = max(evidence, key=lambda e: (e.known, e.id), default=None)
    return Answer(
        value,
        "stated" if evidence else "unknown",
        tuple(e.id for e in evidence),
        shown_by.at if shown_by else None,
        newest.known if newest else None,
        newest.agency if newest else None,
        _facts(said, hearings_missed, coming),
    )


def _facts(said: Said, hearings_missed: tuple[Missed, ...], coming: Event | None) -> dict[str, Any]:
    """The three facts of the charging document, the hearings, counsel: each with the events that say so."""
    facts: dict[str, Any] = {"charging": charging(said)}
    for name, kind in (
        ("issued", ISSUED),
        ("served", SERVED),
        ("filed", FILED),
        ("counsel", "counsel-entered"),
    ):
        events = said.get(kind, ())
        if events:
            facts[name] = {"on": events[0].day.isoformat(), "events": [e.id for e in events]}
    facts["missed"] = [{"on": m.day.isoformat(), "events": [e.id for e in m.events]} for m in hearings_missed]
    facts["hearings"] = len(said.get("hearing-held", ())) + len(said.get("hearing-scheduled", ()))
    if coming:
        facts["next_hearing"] = coming.at.isoformat()
    return facts


def told_state(agency: str, hearings_missed: tuple[Missed, ...], said: Said) -> tuple[str, tuple[int, ...]]:
    """How an agency stands to the last missed hearing: ``acknowledged shows sent no``, or ``n/a``; with the events that say so."""
    if not hearings_missed:
        return "n/a", ()
    last = hearings_missed[-1]
    for state, events in (
        ("acknowledged", [e for e in said.get("acknowledged", ()) if is_about(e, agency, hearings_missed)]),
        ("shows", _shown_by(agency, last, said)),
        (
            "sent",
            [
                e
                for kind in ("told", "received")
                for e in said.get(kind, ())
                if is_about(e, agency, hearings_missed)
            ],
        ),
    ):
        if events:
            return state, tuple(e.id for e in events)
    return "no", ()


def _shown_by(agency: str, last: Missed, said: Said) -> list[Event]:
    """Rows of the agency's own feed that can only mean this hearing: they are not older than it."""
    kinds = ("missed-hearing-noted", "absentia-order-noted")
    return [e for kind in kinds for e in said.get(kind, ()) if e.agency == agency and e.day >= last.day]


def is_about(event: Event, agency: str, hearings_missed: tuple[Missed, ...]) -> bool:
    """Whether what Handhold sent to ``agency`` (or got acknowledged) was about the last missed hearing.

    A row that was corrected since has another id; then the time decides: nobody is told of a hearing before its day.
    """
    if event.text("recipient") != agency:
        return False
    about = {event.text("about"), str(event.subject)}
    *earlier, last = [{str(e.id) for e in hearing.events} for hearing in hearings_missed]
    if about & last or any(about & ids for ids in earlier):
        return bool(about & last)
    return (
        event.text("kind").removeprefix("gap:").startswith("missed-hearing")
        and event.day >= hearings_missed[-1].day
    )


def told(hearings_missed: tuple[Missed, ...], said: Said) -> Answer:
    """The fifth question: who has been told."""
    states = {agency: told_state(agency, hearings_missed, said) for agency in AGENCIES_TO_TELL}
    if not hearings_missed:
        return Answer("nothing-to-tell", "n/a", more=dict.fromkeys(states, "n/a"))
    untold = [agency for agency, (state, _) in states.items() if state in ("no", "sent")]
    evidence = tuple(i for _, ids in states.values() for i in ids)
    since = hearings_missed[-1].event.known
    return Answer(
        "untold" if untold else "told", "stated", evidence, since, more={a: s for a, (s, _) in states.items()}
    )
