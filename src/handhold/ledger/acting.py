"""Who acts: known to the database for one transaction, so that a table can refuse a write when nobody does."""

from collections.abc import Iterator
from contextlib import contextmanager

from handhold import store
from handhold.ledger import checkpoints, trail


def acting(db: store.Db, by: str) -> None:
    """Tell the database that ``by`` acts until the end of this transaction. Raises :class:`NotACode`."""
    trail._code("by", by)
    db.execute("select set_config('handhold.by', %s, true)", [by])


@contextmanager
def acting_transaction(by: str) -> Iterator[store.Db]:
    """A transaction in which ``by`` acts. After its commit, tree heads signed in it are handed out as files."""
    with store.transaction() as db:
        acting(db, by)
        yield db
    checkpoints.hand_out()
