"""The pages' clock: the machine's, or one moment held still for a demonstration (``HANDHOLD_NOW``)."""

import os
from datetime import UTC, datetime

HELD = "HANDHOLD_NOW"


def held() -> datetime | None:
    """The moment at which a demonstration stands still, or ``None``."""
    text = os.environ.get(HELD)
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def now() -> datetime:
    """The moment as of which pages judge."""
    return held() or datetime.now(UTC)
