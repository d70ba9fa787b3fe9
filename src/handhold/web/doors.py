"""What the upload page and the interface have in common: who may send what, and what an effect may say to whom."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from handhold import access, casework, feeds, notices
from handhold.web import knowing, session

DELIVER, DELIVER_ANY = "deliver", "deliver-any"
LONGEST_NAME = 200


class NotYours(Exception):
    """A file that states what another agency states: the message says so."""


class BadName(Exception):
    """A file's name that cannot be kept: the message says what would do."""


def named(name: str) -> str:
    """A file's own name. Raises :class:`BadName`."""
    text = name.replace("\\", "/").rpartition("/")[2].strip()
    if not text or len(text) > LONGEST_NAME or not text.isprintable() or text in (".", ".."):
        raise BadName(f"a file needs a name of at most {LONGEST_NAME} printable characters")
    return text


def check(who: access.Reader, name: str) -> None:
    """Raises :class:`NotYours` for a feed of another agency; only stewards send on behalf of others."""
    agency = feeds.upload.agency_of(name, session.rules())
    if agency not in (None, who.agency) and not session.may_open(who.role, DELIVER_ANY):
        raise NotYours(
            f"a file of this name states what {agency} states, and you send for {who.agency}; rename it, or have {agency} send it"
        )


def sender(who: access.Reader) -> str:
    """Who sent it, as the delivery says."""
    return f"{who.agency} ({who.person})"


@dataclass
class Effects:
    """What would happen or has happened, less what this reader may not know; ``withheld`` says that something is left out."""

    rows: dict[str, int]
    children: int
    opened: list[tuple[str, int]] = field(default_factory=list)
    closed: list[tuple[str, int]] = field(default_factory=list)
    told: list[tuple[str, str, int]] = field(default_factory=list)
    withheld: bool = False
    refused: list[dict[str, Any]] = field(default_factory=list)


def effects(seen: casework.Preview, who: access.Reader) -> Effects:
    """A preview as this reader may know it: a kind of gap is named only where its element is open to them."""
    arrival, kinds = seen.arrival, set(knowing.gap_kinds(who))
    gap_of = {duty.name: duty.gap for duty in notices.duties(session.rules())}
    told = [(to, duty, n) for (to, duty), n in sorted(arrival.told.items()) if gap_of.get(duty) in kinds]
    shown = Effects(
        seen.rows,
        len(arrival.touched),
        _open(arrival.gaps_opened, kinds),
        _open(arrival.gaps_closed, kinds),
        told,
        refused=seen.refused,
    )
    counted = (len(shown.opened), len(shown.closed), len(shown.told))
    shown.withheld = counted != (len(arrival.gaps_opened), len(arrival.gaps_closed), len(arrival.told))
    return shown


def _open(gaps: Counter[str], kinds: set[str]) -> list[tuple[str, int]]:
    return [(kind, count) for kind, count in sorted(gaps.items()) if kind in kinds]
