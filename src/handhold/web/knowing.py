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


def gap_kinds(who: access.Reader) -> list[str]:
    """The kinds of gap whose naming reveals nothing that is closed to this reader."""
    return [
        kind
        for kind, element in session.rules().toml("pages.toml")["gap_element"].items()
        if may(who, element)
    ]


def reason(who: access.Reader, code: str | None) -> str | None:
    """A gap's reason code if naming it reveals nothing that is closed to this reader, else ``None``."""
    tables = session.rules().toml("reasons.toml")
    entry = next((tables[group][code] for group in ("charging", "missed") if code in tables[group]), None)
    return code if entry is None or may(who, entry["element"]) else None


def names(db: store.Db, who: access.Reader, children: Iterable[int]) -> dict[int, Any]:
    """``identity.Person`` by child; empty for a reader to whom identity is closed."""
    wanted = sorted(set(children))
    return identity.names(db, wanted) if wanted and may(who, IDENTITY) else {}


def full_name(person: Any) -> str:
    """``First Last`` as far as it is known; empty for nobody."""
    return " ".join(filter(None, (person.first, person.last))).title() if person else ""
