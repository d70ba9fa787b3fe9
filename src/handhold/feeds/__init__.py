"""What an agency sent, kept as it came, and what we understood."""

from handhold.feeds.inbox import find, groups, keep, listed, says_synthetic
from handhold.feeds.model import Delivery, FeedError, Held, Reading, Unreadable
from handhold.feeds.quarantine import listed as quarantined
from handhold.feeds.quarantine import refused_rows
from handhold.feeds.reader import read

__all__ = [
    "Delivery", "FeedError", "Held", "Reading", "Unreadable", "find", "groups", "keep", "listed", "quarantined", "read", "refused_rows",
    "says_synthetic",
]  # fmt: skip
