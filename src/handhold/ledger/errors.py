"""What can go wrong with the ledger. No message repeats a refused text: it might be somebody's name."""


class LedgerError(Exception):
    """The ledger cannot go on; the message says what is wrong and what to do."""


class NotACode(LedgerError, ValueError):
    """A text that is not a code was given for an entry: names and free text must not enter the ledger."""
