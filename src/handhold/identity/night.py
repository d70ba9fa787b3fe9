"""Whether all files are to be linked again now: once a night, see ``identity/night.toml``."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from handhold import store
from handhold.pack import Pack

BEGUN = "identity.night"  # the setting that says when it was last begun, in seconds since 1970


def begins(rule: Mapping[str, Any], zone: str, last: datetime | None, now: datetime) -> bool:
    """Whether ``now`` is in the hours of the rule (``from``, ``until``: local times), and ``last`` is not of the same night."""
    local = now.astimezone(ZoneInfo(zone))
    opens, closes = (datetime.combine(local.date(), rule[end], local.tzinfo) for end in ("from", "until"))
    return opens <= local < closes and (last is None or last < opens)


def night(db: store.Db, *, now: datetime, pack: Pack) -> bool:
    """Whether all is to be linked again now. It is then noted as begun, so that one that fails is tried the next night, and not
    every minute. The caller's transaction."""
    noted = store.setting(db, BEGUN)
    last = datetime.fromtimestamp(noted, UTC) if noted else None
    if not begins(pack.toml("identity/night.toml"), pack.toml("calendar.toml")["zone"], last, now):
        return False
    store.put_setting(db, BEGUN, now.timestamp())
    return True
