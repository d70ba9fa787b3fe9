"""What an agency sent, kept as it came, and what we understood."""

from handhold.feeds.edits import came, fix
from handhold.feeds.inbox import find, groups, keep, listed, says_synthetic
from handhold.feeds.model import Delivery, FeedError, Held, Reading, Unreadable
from handhold.feeds.order import comes_between
from handhold.feeds.quarantine import listed as quarantined
from handhold.feeds.quarantine import of_delivery as quarantine_of
from handhold.feeds.quarantine import refused_rows
from handhold.feeds.quarantine import tally as quarantine_tally
from handhold.feeds.reader import read
from handhold.feeds.refused import sheet as refused_sheet
from handhold.feeds.refused import write as write_refused
from handhold.feeds.retell import Retelling, court_again, mentioned, newly_childrens, take_between
from handhold.feeds.undo import redo, undo, undoings

__all__ = [
    "Delivery", "FeedError", "Held", "Reading", "Retelling", "Unreadable", "came", "comes_between", "court_again", "find", "fix", "groups", "keep",
    "listed", "mentioned", "newly_childrens", "quarantine_of", "quarantine_tally", "quarantined", "read", "redo", "refused_rows",
    "refused_sheet", "says_synthetic", "take_between", "undo", "undoings", "write_refused",
]  # fmt: skip
