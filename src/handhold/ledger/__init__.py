"""The ledger: a tamper-evident log of everything written, read, shared and refused.

Entries are written in the transaction of the act (``trail``), sealed in batches into a Merkle tree whose heads are
signed (``checkpoints``), and proved by anybody (``verify``, ``bundle``, ``standalone``).
"""

from handhold.ledger.acting import acting, acting_transaction
from handhold.ledger.bundle import export_bundle
from handhold.ledger.checkpoints import Checkpoint, publish, seal
from handhold.ledger.errors import LedgerError, NotACode
from handhold.ledger.trail import Entry, about, ids_of, redact, through, write, write_many
from handhold.ledger.verify import Verdict, judge, verify

__all__ = [
    "Checkpoint", "Entry", "LedgerError", "NotACode", "Verdict", "about", "acting", "acting_transaction", "export_bundle",
    "ids_of", "judge", "publish", "redact", "seal", "through", "verify", "write", "write_many",
]  # fmt: skip
