"""What an agency sent, kept as it came, and what we understood."""

from handhold.feeds import health, mapping, parts, referrals, upload, waiting
from handhold.feeds.ahead import turns
from handhold.feeds.edits import came, fix
from handhold.feeds.folder import Watched
from handhold.feeds.holding import NotHeld, decisions, refuse, release
from handhold.feeds.inbox import find, groups, keep, keep_message, left_behind, listed, says_synthetic
from handhold.feeds.model import Delivery, FeedError, Held, Reading, Source, Unreadable, whole
from handhold.feeds.opening import Opened
from handhold.feeds.order import comes_between
from handhold.feeds.parts import settle_above, sort_out
from handhold.feeds.quarantine import listed as quarantined
from handhold.feeds.quarantine import of_delivery as quarantine_of
from handhold.feeds.quarantine import refused_rows
from handhold.feeds.quarantine import tally as quarantine_tally
from handhold.feeds.reader import read
from handhold.feeds.refused import write as write_refused
from handhold.feeds.retell import Retelling, court_again, mentioned, newly_childrens, take_between
from handhold.feeds.undo import redo, undo, undoings
from handhold.feeds.upload import Upload, UploadError

__all__ = [
    "Delivery",
    "FeedError",
    "Held",
    "NotHeld",
    "Opened",
    "Reading",
    "Retelling",
    "Source",
    "Unreadable",
    "Upload",
    "UploadError",
    "Watched",
    "came",
    "comes_between",
    "court_again",
    "decisions",
    "find",
    "fix",
    "groups",
    "health",
    "keep",
    "keep_message",
    "left_behind",
    "listed",
    "mapping",
    "mentioned",
    "newly_childrens",
    "parts",
    "quarantine_of",
    "quarantine_tally",
    "quarantined",
    "read",
    "redo",
    "referrals",
    "refuse",
    "refused_rows",
    "release",
    "says_synthetic",
    "settle_above",
    "sort_out",
    "take_between",
    "turns",
    "undo",
    "undoings",
    "upload",
    "waiting",
    "whole",
    "write_refused",
]  # fmt: skip
