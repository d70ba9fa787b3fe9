"""Codes and moments in the words people use. Unknown codes are shown as they are, without hyphens, never hidden."""

from datetime import date, datetime
from typing import Any

from django import template
from django.utils import formats, timezone
from django.utils.translation import gettext, ngettext

from handhold import access, notices
from handhold.timeline import kinds
from handhold.web import clock, knowing, session, when

register = template.Library()
DAY_FORMAT = "D j M Y"
TIME_FORMAT = "D j M Y, H:i T"


@register.filter
def word(code: Any, kind: str) -> str:
    """The words of a code in its list of ``words.toml`` (``agency``, ``role``, ``court`` …)."""
    if code in (None, ""):
        return gettext("not known")
    listed = session.rules().toml("words.toml").get(kind, {})
    return gettext(str(listed.get(str(code)) or plain(code)))


@register.filter
def plain(code: Any) -> str:
    """A code that has no words of its own: its hyphens and underscores become blanks."""
    return str(code).replace("-", " ").replace("_", " ") if code is not None else ""


@register.filter
def gap_words(kind: str) -> str:
    """What is missing, in the pack's words."""
    return str(_gap(kind).get("words") or plain(kind).capitalize())


@register.filter
def gap_words_of_many(kind: str) -> str:
    """What is missing, of gaps of several agencies together."""
    return gap_words(kind).replace("this agency", gettext("an agency"))


@register.filter
def duty_title(duty: str) -> str:
    """What a notice under this duty is about, as its recipients read it."""
    return next((one.title for one in notices.duties(session.rules()) if one.name == duty), plain(duty))


@register.filter
def gap_title(gap: dict[str, Any]) -> str:
    """What is missing; where the reason is an agency, that agency stands in the words."""
    words = gap_words(gap["kind"])
    agency = gap.get("reason")
    return words.replace("this agency", word(agency, "agency")) if _is_agency(agency) else words


def _is_agency(code: Any) -> bool:
    return code in session.rules().toml("words.toml")["agency"]


def _gap(kind: str) -> dict[str, Any]:
    gaps = session.rules().toml("gaps.toml")
    found = gaps.get("gap", gaps).get(kind, {})
    return found if isinstance(found, dict) else {}


@register.filter
def reason_words(code: Any) -> str:
    """A reason code with its meaning: ``F-OLDADDR`` is "mailed to an old address (F-OLDADDR)". An agency is its name."""
    if code in (None, ""):
        return ""
    if _is_agency(code):
        return word(code, "agency")
    found = _reasons().get(str(code))
    return f"{found} ({code})" if found else word(code, "reason")


@register.filter
def why(gap: dict[str, Any]) -> str:
    """A gap's reason in words, which may mean different things for different kinds of gap; an agency stands in the title."""
    if _is_agency(gap.get("reason")):
        return ""
    own = session.rules().toml("words.toml")["reason"].get(f"{gap['kind']}/{gap.get('reason')}")
    return gettext(str(own)) if own else reason_words(gap.get("reason"))


@register.filter
def proof(gap: dict[str, Any]) -> str:
    """For a notice mailed to an old address: when it was mailed, who knew better, and since how many days."""
    evidence = gap.get("evidence") or {}
    if "days_before_mailing" not in evidence:
        return ""
    days = int(evidence["days_before_mailing"])
    return ngettext(
        "mailed %(mailed)s; %(agency)s had known a newer address for %(n)s day, since %(known)s",
        "mailed %(mailed)s; %(agency)s had known a newer address for %(n)s days, since %(known)s",
        days,
    ) % {
        "mailed": day(evidence["mailed_on"]),
        "agency": word(evidence["knew"], "agency"),
        "n": f"{days:,}",
        "known": day(evidence["known_since"]),
    }


@register.filter
def why_counted(row: dict[str, Any]) -> str:
    """Why a row stands under a figure: the reason of its gap, or the code that splits the figure."""
    return why({"kind": row["gap_kind"], "reason": row["reason"]}) or reason_words(row["reason"])


@register.filter
def evidence_words(code: str | None) -> str:
    """What completed or may complete a step; a reason code is told as a reason."""
    return reason_words(code.upper()) if code and code.upper() in _reasons() else word(code, "evidence")


def _reasons() -> dict[str, str]:
    found: dict[str, str] = {}
    for value in session.rules().toml("reasons.toml").values():
        if isinstance(value, dict):
            found |= {
                code: str(r["words"]) for code, r in value.items() if isinstance(r, dict) and "words" in r
            }
    return found


@register.filter
def event_words(kind: str) -> str:
    """What happened, in the timeline's words."""
    found = kinds.KINDS.get(kind)
    return _sentence(str(found.words) if found else plain(kind))


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


@register.filter
def role_title(role: str) -> str:
    """A role as the pack calls it."""
    found = access.roles(session.rules()).get(role)
    return _sentence(found.title if found else plain(role))


@register.filter
def seat(code: str | None) -> str:
    """``ORR/specialist`` in words."""
    agency, _, role = (code or "").partition("/")
    return f"{word(agency, 'agency')}, {role_title(role).lower()}" if role else word(agency, "agency")


@register.filter
def details(event: dict[str, Any]) -> str:
    """What an event says beside its kind: the details that pages show, each after its words."""
    detail = event.get("detail") or {}
    if event["agency"] == "HANDHOLD":
        return _own(detail)
    shown = session.rules().toml("words.toml")["detail"]
    values = ((before, detail.get(key)) for key, before in shown.items())
    return "; ".join(f"{before} {_value(value)}" for before, value in values if value not in (None, "", "*"))


def _own(detail: dict[str, Any]) -> str:
    """What Handhold's own events are about: a gap, an agency, a step, a reason."""
    kind = str(detail.get("kind") or "").split("/")[0]
    parts = [
        word(detail["recipient"], "agency") if detail.get("recipient") else "",
        gap_title({"kind": kind, "reason": detail.get("reason")}) if kind else "",
        why({"kind": kind, "reason": detail.get("reason")}),
        plain(detail.get("name", "")).capitalize(),
        reason_words(detail.get("code")),
    ]
    return ": ".join(part for part in parts if part)


def _value(value: Any) -> str:
    text = str(value)
    if _is_agency(text):
        return word(text, "agency")
    return word(text.lower(), "value")


@register.filter
def birth(text: str) -> str:
    """A date of birth to its own precision: a year, a month or a day."""
    return day(text) if len(text) == 10 else text


@register.filter
def element_words(element: str) -> str:
    """What an element is, in words that complete "withheld: …"; one of a kind of event names the kind too."""
    name, _, kind = element.partition("/")
    words = session.table().words.elements.get(name, plain(name))
    return f"{words} ({event_words(kind).lower()})" if kind else words


@register.filter
def due(moment: datetime | date | None) -> str:
    """``due tomorrow``, ``3 days late``."""
    return when.due_words(moment, clock.now(), knowing.zone())


@register.filter
def urgency(moment: datetime | date | None) -> str:
    """``late``, ``today``, ``soon``, ``later`` or ``open``: the mark a due date gets."""
    return when.urgency(moment, clock.now(), knowing.zone())


@register.filter
def ago(moment: datetime | date | None) -> str:
    """``yesterday``, ``12 days ago``."""
    return when.ago_words(moment, clock.now(), knowing.zone()) if moment else ""


@register.filter
def day(moment: datetime | date | str | None) -> str:
    """``Fri 31 May 2024`` in the reader's zone. ISO text is read first."""
    found = _moment(moment)
    return formats.date_format(when.local_day(found, knowing.zone()), DAY_FORMAT) if found else ""


@register.filter
def moment(value: datetime | str | None) -> str:
    """``Fri 31 May 2024, 23:59 EDT``."""
    found = _moment(value)
    if isinstance(found, datetime):
        return formats.date_format(timezone.localtime(found), TIME_FORMAT)
    return day(found) if found else ""


def _moment(value: Any) -> datetime | date | None:
    if not isinstance(value, str) or not value:
        return value or None
    return datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)


@register.filter
def short(child: int | None) -> str:
    """The end of an opaque number, enough to tell the rows of one page apart."""
    return f"…{child % 1_000_000:06d}" if child is not None else ""


@register.filter
def percent(share: float | None) -> str:
    """``0.5`` is ``50 %``; nothing where there is none."""
    return "" if share is None else f"{100 * share:.0f} %"


@register.filter
def item(table: Any, key: Any) -> Any:
    """``table[key]``, or nothing."""
    if isinstance(table, list):
        return table[key] if -len(table) <= key < len(table) else None
    return table.get(key) if table else None


@register.filter
def tenths(share: float | None) -> str:
    """A share in percent to one tenth, ``99.2 %``; what is not known is a dash."""
    return "–" if share is None else f"{share:.1%}".replace("%", " %")


@register.filter
def hundredfold(share: float) -> str:
    """A share as a length in a picture that is a hundred wide, whatever the language."""
    return f"{100 * share:.2f}"


@register.filter
def span(interval: Any) -> str:
    """How wide an interval is in such a picture; never invisible."""
    return f"{max(100 * (interval.high - interval.low), 1.0):.2f}"
