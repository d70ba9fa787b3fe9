"""Notices: telling each agency what it may know, and nothing more."""

from handhold.notices.compose import Letterhead, Matter, Notice, compose, correction
from handhold.notices.duty import Duty, DutyError, duties
from handhold.notices.inbox import NoticeError, acknowledge, inbox, read, receive
from handhold.notices.outbox import Told, send, tell

__all__ = [
    "Duty", "DutyError", "Letterhead", "Matter", "Notice", "NoticeError", "Told", "acknowledge", "compose", "correction", "duties", "inbox", "read",
    "receive", "send", "tell",
]  # fmt: skip
