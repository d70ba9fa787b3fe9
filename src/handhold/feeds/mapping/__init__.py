"""Mappings: how a sender's own spreadsheet says what the contract's columns say (``feeds.md`` 9).

Proposed from headers and values, confirmed by a person, saved as text, versioned; nothing is guessed.
"""

from handhold.feeds.layout import layouts
from handhold.feeds.mapping.book import (
    Origin,
    Version,
    assigned,
    confirm,
    end,
    exported,
    listed,
    newest,
    opened,
    origin,
)
from handhold.feeds.mapping.header import NoLongerFits
from handhold.feeds.mapping.propose import Proposal, Proposed, Sent
from handhold.feeds.mapping.text import (
    TAKES,
    Mapping,
    MappingError,
    Source,
    base_feed,
    check_against,
    check_blank,
    mappable,
    parse,
    write,
)

__all__ = [
    "TAKES", "Mapping", "MappingError", "NoLongerFits", "Origin", "Proposal", "Proposed", "Sent", "Source", "Version", "assigned", "base_feed",
    "check_against", "check_blank", "confirm", "end", "exported", "layouts", "listed", "mappable", "newest", "opened", "origin", "parse", "write",
]  # fmt: skip
