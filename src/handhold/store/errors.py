"""What can go wrong with the store. Every message is one sentence that says what to do."""


class StoreError(Exception):
    """The database or the files beside it cannot be used."""


class KeyMissing(StoreError):
    """A blob was sealed with a key that this process does not hold."""
