"""The account: what we know of a child now, what is missing, and until when that can last."""

from handhold.account import feedgaps
from handhold.account.fold import fold
from handhold.account.gaps import gaps
from handhold.account.stakes import stake
from handhold.account.standing import Updated, account_of, open_gaps, read, touch, update

__all__ = [
    "Updated",
    "account_of",
    "feedgaps",
    "fold",
    "gaps",
    "open_gaps",
    "read",
    "stake",
    "touch",
    "update",
]
