"""The six answers in words. Pure: an account as JSON, what the reader may know, and addresses already allowed, go in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from handhold.access import Decision
from handhold.timeline.kinds import location_element
from handhold.web.templatetags.words import day, moment, plain, word

Asked = Callable[[str, str], Decision]  # (element, kind of event) -> the decision for this reader
Account = Mapping[str, Any]

LATE, SOON, GOOD, CALM = "late", "today", "good", "calm"


@dataclass
class Card:
    """One question with its answer: a value in words, its tone, sentences under it; or that it is withheld, and why."""

    question: str
    value: str = ""
    tone: str = CALM
    lines: list[str] = field(default_factory=list)
    pairs: list[tuple[str, str]] = field(default_factory=list)
    withheld: str = ""


def cards(account: Account, asked: Asked, addresses: Mapping[int, str]) -> list[Card]:
    """The six cards in the order of the six questions. ``addresses``: by event id, only those the reader may see."""
    return [
        _guarded(
            _("Who is responsible now?"),
            asked("child.custody", "*"),
            lambda: _responsible(account["responsible"]),
        ),
        _place(account["place"], asked, addresses),
        _guarded(
            _("Is the child safe?"), asked("child.contact", "*"), lambda: _safety(account["safety"], asked)
        ),
        _guarded(_("Where is the case?"), asked("child.case", "*"), lambda: _case(account["case"], asked)),
        _guarded(_("Who has been told?"), asked("child.case", "*"), lambda: _told(account["told"])),
        _guarded(_("What happens next?"), asked("child.case", "*"), lambda: _next(account["next"])),
    ]


def _guarded(question: str, decision: Decision, answer: Callable[[], Card]) -> Card:
    if not decision.allowed:
        return Card(question, withheld=decision.reason)
    card = answer()
    card.question = question
    return card


def _sourced(answer: Account) -> list[str]:
    """Since when, and who said so last."""
    lines = []
    if answer.get("since"):
        lines.append(_("since %(day)s") % {"day": day(answer["since"])})
    if answer.get("by") and answer.get("confirmed"):
        lines.append(
            _("last confirmed %(day)s by %(agency)s")
            % {"day": day(answer["confirmed"]), "agency": word(answer["by"], "agency")}
        )
    return lines


def _responsible(answer: Account) -> Card:
    value = answer["value"]
    tone = LATE if value == "nobody" else SOON if value == "unknown" else CALM
    return Card("", word(value, "responsible"), tone, _sourced(answer))


def _place(answer: Account, asked: Asked, addresses: Mapping[int, str]) -> Card:
    """Where the child is; an address only with its words where the reader may see them."""
    question, more = _("Where is the child?"), answer.get("more", {})
    first = asked("child.custody", "*")
    if answer["value"] != "address":
        return _guarded(
            question,
            first,
            lambda: Card("", word(answer["value"], "place"), _place_tone(answer), _sourced(answer)),
        )
    decision = _address_decision(more, asked)
    if not decision.allowed:
        return Card(question, withheld=decision.reason)
    card = Card(question, word(answer["quality"], "quality"), _place_tone(answer))
    here = addresses.get(more.get("event", 0), _("the address itself is not shown"))
    card.lines = [here, _stated(more)]
    others = [other for other in more.get("stated", []) if _address_decision(other, asked).allowed]
    elsewhere = {
        addresses[other["event"]]: _stated(other) for other in others if other.get("event") in addresses
    }
    card.lines += [
        _("also: %(what)s") % {"what": f"{where}; {said}"}
        for where, said in elsewhere.items()
        if where != here
    ]
    return card


def _address_decision(stated: Account, asked: Asked) -> Decision:
    basis = str(stated.get("basis", ""))
    kind = (
        "discharged"
        if basis == "discharge"
        else "contact-attempted"
        if basis == "checkin"
        else "address-stated"
    )
    return asked(location_element(kind, {"basis": basis}), kind)


def _stated(stated: Account) -> str:
    return _("%(agency)s says so since %(day)s (%(basis)s)") % {
        "agency": word(stated.get("agency"), "agency"),
        "day": day(stated.get("since")),
        "basis": word(stated.get("basis"), "basis"),
    }


def _place_tone(answer: Account) -> str:
    if answer["value"] in ("nowhere", "unknown", "absent"):
        return LATE
    poor = {
        "blank": LATE,
        "undeliverable": LATE,
        "no unit": SOON,
        "no-unit": SOON,
        "conflict": SOON,
        "stale": SOON,
        "confirmed": GOOD,
    }
    return poor.get(str(answer["quality"]), CALM)


def _safety(answer: Account, asked: Asked) -> Card:
    more = answer.get("more", {})
    tone = (
        LATE
        if more.get("open_concerns") or answer["value"] == "elsewhere"
        else GOOD
        if answer["quality"] == "fresh"
        else SOON
    )
    card = Card("", word(answer["value"], "contact"), tone, _sourced(answer))
    attempts = int(more.get("attempts", 0))
    card.lines.append(
        ngettext(
            "%(n)s attempt at contact, %(r)s reached", "%(n)s attempts at contact, %(r)s reached", attempts
        )
        % {"n": attempts, "r": more.get("reached", 0)}
    )
    concerns = asked("child.concern", "*")
    if concerns.allowed:
        card.lines.append(
            _("%(open)s open of %(all)s concerns raised")
            % {"open": more.get("open_concerns", 0), "all": more.get("concerns", 0)}
        )
    return card


def _case(answer: Account, asked: Asked) -> Card:
    more, bad = answer.get("more", {}), ("in-absentia", "removal-order", "dismissed-not-filed")
    card = Card("", word(answer["value"], "case"), LATE if answer["value"] in bad else CALM)
    card.pairs = [
        (_("Charging document %(step)s") % {"step": word(step, "charging")}, _fact(more, step))
        for step in ("issued", "served", "filed")
    ]
    missed = [day(m["on"]) for m in more.get("missed", [])]
    card.pairs.append((_("Hearings missed"), ", ".join(missed) or _("none")))
    if missed and card.tone == CALM:
        card.tone = SOON
    if asked("counsel", "*").allowed:
        card.pairs.append((_("Counsel"), _fact(more, "counsel")))
    return card


def _fact(more: Account, name: str) -> str:
    return day(more[name]["on"]) if name in more else _("not shown by anybody")


def _told(answer: Account) -> Card:
    tone = {"untold": LATE, "told": GOOD}.get(answer["value"], CALM)
    card = Card("", word(answer["value"], "told_all"), tone)
    if answer["value"] != "nothing-to-tell":
        card.pairs = [
            (word(agency, "agency"), word(state, "told")) for agency, state in answer.get("more", {}).items()
        ]
        if answer.get("since"):
            card.lines.append(
                _("about the hearing missed, known to the court since %(day)s")
                % {"day": day(answer["since"])}
            )
    return card


def _next(answer: Account) -> Card:
    at = answer.get("more", {}).get("at")
    if answer["value"] == "hearing" and at:
        return Card("", _("Hearing %(when)s") % {"when": moment(at)}, CALM, [_("by the court's calendar")])
    return Card("", word(answer["value"], "next") if answer["value"] else plain(answer["value"]), CALM)
