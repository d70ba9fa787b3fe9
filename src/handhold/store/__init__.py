"""The store: embedded or given PostgreSQL, columns in and out, sealing, and the bytes of deliveries."""

from handhold.store import blobs, spool
from handhold.store.db import (
    Db,
    Ids,
    close,
    connect,
    copy_in,
    dsn,
    fetch,
    frame,
    lock,
    lock_within,
    near,
    put_setting,
    rehearsal,
    setting,
    setting_later,
    share,
    tell_planner,
    transaction,
    upsert,
    use,
)
from handhold.store.errors import KeyMissing, StoreError
from handhold.store.home import home
from handhold.store.keys import (
    blind,
    blind_all,
    blind_one,
    hold,
    keyring,
    rotate,
    seal,
    seal_many,
    stable_ids,
    unseal,
    unseal_many,
)
from handhold.store.migrate import migrate
from handhold.store.sealed import Key, Keyring
from handhold.store.server import ensure, status, stop

__all__ = [
    "Db", "Ids", "Key", "KeyMissing", "Keyring", "StoreError", "blind", "blind_all", "blind_one", "blobs", "close", "connect", "copy_in", "dsn",
    "ensure", "fetch", "frame", "hold", "home", "keyring", "lock", "lock_within", "migrate", "near", "put_setting", "rehearsal", "rotate",
    "seal", "seal_many", "setting", "setting_later", "share", "spool", "stable_ids", "status", "stop", "tell_planner", "transaction", "unseal",
    "unseal_many", "upsert", "use",
]  # fmt: skip
