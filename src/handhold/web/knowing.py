"""What a reader may know: which elements are open to the session, and names only where they are."""

from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from handhold import access, identity, store
from handhold.web import session

IDENTITY = "child.identity"


def zone() -> ZoneInfo:
    """The zone in which this process shows moments."""
    current = timezone.get_current_timezone()
    return current if isinstance(current, ZoneInfo) else ZoneInfo("UTC")


def may(who: access.Reader, element: str) -> bool:
    """Whether this reader may see ``element`` for the purpose of the session."""
    return element in access.elements(session.table(), who)


def names(db: store.Db, who: access.Reader, children: Iterable[int]) -> dict[int, Any]:
    """``identity.Person`` by child; empty for a reader to whom identity is closed."""
    wanted = sorted(set(children))
    return identity.names(db, wanted) if wanted and may(who, IDENTITY) else {}
