"""Moments and dates in words. Pure: the reader's day is passed in."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

SOON = 7


def local_day(moment: datetime | date, zone: ZoneInfo) -> date:
    """The calendar day of a moment where the reader is; a date is its own day."""
    return moment.astimezone(zone).date() if isinstance(moment, datetime) else moment


def days_until(due: datetime | date, now: datetime, zone: ZoneInfo) -> int:
    """Whole calendar days from the reader's today to ``due``; negative when it has passed."""
    return (local_day(due, zone) - local_day(now, zone)).days


def due_words(due: datetime | date | None, now: datetime, zone: ZoneInfo) -> str:
    """``due tomorrow``, ``3 days late`` … A moment earlier today is late today, not due."""
    if due is None:
        return _("no date set")
    days = days_until(due, now, zone)
    if days == 0:
        return _("late since today") if isinstance(due, datetime) and due < now else _("due today")
    if days == 1:
        return _("due tomorrow")
    if days > 0:
        return ngettext("due in %(n)s day", "due in %(n)s days", days) % {"n": days}
    return ngettext("%(n)s day late", "%(n)s days late", -days) % {"n": f"{-days:,}"}


def urgency(due: datetime | date | None, now: datetime, zone: ZoneInfo) -> str:
    """``late``, ``today``, ``soon`` (a week), ``later`` or ``open`` (no date)."""
    if due is None:
        return "open"
    if isinstance(due, datetime) and due < now:
        return "late"
    days = days_until(due, now, zone)
    if days < 0:
        return "late"
    return "today" if days == 0 else "soon" if days <= SOON else "later"


def ago_words(moment: datetime | date, now: datetime, zone: ZoneInfo) -> str:
    """``today``, ``yesterday``, ``12 days ago``, ``in 5 days``."""
    days = days_until(moment, now, zone)
    if days == 0:
        return _("today")
    if days == -1:
        return _("yesterday")
    if days == 1:
        return _("tomorrow")
    if days > 0:
        return ngettext("in %(n)s day", "in %(n)s days", days) % {"n": f"{days:,}"}
    return ngettext("%(n)s day ago", "%(n)s days ago", -days) % {"n": f"{-days:,}"}


def lag_words(happened: date, known: date) -> str:
    """How long a fact lay before the agency knew it; empty when it knew the same day or before."""
    days = (known - happened).days
    return (
        ngettext("known %(n)s day later", "known %(n)s days later", days) % {"n": f"{days:,}"}
        if days > 0
        else ""
    )
