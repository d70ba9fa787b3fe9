"""What an agency sent, kept as it came, and what we understood."""

from handhold.feeds import health, referrals, upload
from handhold.feeds.folder import Watched
from handhold.feeds.holding import NotHeld, decisions, refuse, release
from handhold.feeds.inbox import find, groups, keep, left_behind, listed, says_synthetic
from handhold.feeds.model import Delivery, FeedError, Held, Reading, Source, Unreadable
from handhold.feeds.quarantine import listed as quarantined
from handhold.feeds.quarantine import refused_rows
from handhold.feeds.reader import read
from handhold.feeds.upload import Upload, UploadError

__all__ = [
    "Delivery", "FeedError", "Held", "NotHeld", "Reading", "Source", "Unreadable", "Upload", "UploadError", "Watched", "decisions",
    "find", "groups", "health", "keep", "left_behind", "listed", "quarantined", "read", "referrals", "refuse", "refused_rows",
    "release", "says_synthetic", "upload",
]  # fmt: skip
