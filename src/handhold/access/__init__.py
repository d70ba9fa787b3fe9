"""Access: who may know what, for which purpose. Default is refusal; a prohibition beats every permission."""

from handhold.access import tokens
from handhold.access.agreements import Agreement, AgreementError, Role, agreements, words
from handhold.access.scope import assign, in_view, release, scope
from handhold.access.session import Reader, purposes, reader, readers, roles
from handhold.access.table import Decision, Table, compiled, decide, elements, stricter

__all__ = [
    "Agreement", "AgreementError", "Decision", "Reader", "Role", "Table", "agreements", "assign", "compiled", "decide", "elements",
    "in_view", "purposes", "reader", "readers", "release", "roles", "scope", "stricter", "tokens", "words",
]  # fmt: skip
