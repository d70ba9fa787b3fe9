"""What an agency sent, kept as it came, and what we understood."""

from handhold.feeds.inbox import find, groups, keep, listed, says_synthetic
from handhold.feeds.model import Delivery, FeedError, Held, Reading, Unreadable
from handhold.feeds.order import comes_between
from handhold.feeds.quarantine import listed as quarantined
from handhold.feeds.reader import read
from handhold.feeds.retell import Retelling, court_again, mentioned, newly_childrens, take_between
from handhold.feeds.undo import redo, undo, undoings

__all__ = [
    "Delivery", "FeedError", "Held", "Reading", "Retelling", "Unreadable", "comes_between", "court_again", "find", "groups", "keep",
    "listed", "mentioned", "newly_childrens", "quarantined", "read", "redo", "says_synthetic", "take_between", "undo", "undoings",
]  # fmt: skip
