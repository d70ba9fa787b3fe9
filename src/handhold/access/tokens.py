"""Keys of machines: each speaks for one agency in one role for one purpose, and is shown once."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from handhold import pack as packs
from handhold import store
from handhold.access.session import Reader, purposes, roles

PREFIX = "hh_"
ABANDONED = timedelta(minutes=15)  # after which a request that never answered is taken for dead


class TokenError(Exception):
    """A token that cannot be made so: the message says what would do."""


@dataclass(frozen=True)
class Token:
    """A key that holds now."""

    id: int
    agency: str
    role: str
    purpose: str

    @property
    def code(self) -> str:
        """How the ledger names it."""
        return f"token:{self.id}"

    @property
    def reader(self) -> Reader:
        """Who looks when this key is used."""
        return Reader(self.code, self.agency, self.role, self.purpose)


def make(
    db: store.Db, *, role: str, purpose: str, by: str, now: datetime, pack: packs.Pack
) -> tuple[Token, str]:
    """A new key and its secret, which is nowhere else. Raises :class:`TokenError` for a purpose the role has not."""
    if purpose not in purposes(pack, role):
        has = ", ".join(purposes(pack, role)) or "none: there is no such role"
        raise TokenError(f"role {role!r} has not the purpose {purpose!r}; it has: {has}")
    agency = roles(pack)[role].agency
    secret = PREFIX + secrets.token_urlsafe(32)
    until = now + timedelta(days=pack.toml("feeds/doors.toml")["api"]["token_days"])
    row = db.execute(
        "insert into access_token (hash, agency, role, purpose, made, made_by, expires) values (%s, %s, %s, %s, %s, %s, %s) returning id",
        [_hash(secret), agency, role, purpose, now, by, until],
    ).fetchone()
    return Token((row or [0])[0], agency, role, purpose), secret


def _hash(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


def known(db: store.Db, secret: str, *, now: datetime, pack: packs.Pack) -> Token | None:
    """The key of this secret, if it holds: not revoked, not too old, and its role still has the purpose."""
    rows = store.fetch(
        db,
        "select id, agency, role, purpose from access_token where hash = %s and revoked is null and expires > %s",
        [_hash(secret), now],
    )
    token = Token(**rows[0]) if rows else None
    return token if token and token.purpose in purposes(pack, token.role) else None


def revoke(db: store.Db, token: int, *, now: datetime) -> None:
    """A key that holds no longer."""
    done = db.execute("update access_token set revoked = %s where id = %s and revoked is null", [now, token])
    if not done.rowcount:
        raise TokenError(
            f"there is no token {token} that could be revoked; list them with `handhold token list`"
        )


def listed(db: store.Db) -> list[dict[str, Any]]:
    """All keys, newest first."""
    return store.fetch(
        db,
        "select id, agency, role, purpose, made, made_by, expires, revoked from access_token order by id desc",
    )


def used(db: store.Db, token: Token, *, now: datetime) -> int:
    """Count a use; returns how many there were in this minute."""
    minute = int(now.timestamp()) // 60
    db.execute("delete from access_token_use where token = %s and minute < %s", [token.id, minute])
    row = db.execute(
        """insert into access_token_use (token, minute, used) values (%s, %s, 1)
           on conflict (token, minute) do update set used = access_token_use.used + 1 returning used""",
        [token.id, minute],
    ).fetchone()
    return int((row or [0])[0])


@dataclass(frozen=True)
class Answer:
    """What was answered under a key; ``status`` is ``None`` while the first request is still at work."""

    asked: bytes
    status: int | None
    body: Any
    headers: dict[str, str]


def answered(
    db: store.Db, token: Token, key: str, asked: bytes, *, now: datetime, days: int
) -> Answer | None:
    """The answer under this key, or ``None`` and from now on the key is at work."""
    db.execute(
        "delete from access_token_answer where token = %s and (at < %s or key_ = %s and status is null and at < %s)",
        [token.id, now - timedelta(days=days), key, now - ABANDONED],
    )
    done = db.execute(
        "insert into access_token_answer (token, key_, asked, at) values (%s, %s, %s, %s) on conflict do nothing",
        [token.id, key, asked, now],
    )
    if done.rowcount:
        return None
    rows = store.fetch(
        db,
        "select asked, status, body, headers from access_token_answer where token = %s and key_ = %s",
        [token.id, key],
    )
    row = rows[0]
    return Answer(bytes(row["asked"]), row["status"], row["body"], row["headers"] or {})


def answer(db: store.Db, token: Token, key: str, status: int, body: Any, headers: dict[str, str]) -> None:
    """Keep the answer under its key."""
    db.execute(
        "update access_token_answer set status = %s, body = %s, headers = %s where token = %s and key_ = %s",
        [status, json.dumps(body), json.dumps(headers), token.id, key],
    )


def unanswered(db: store.Db, token: Token, key: str) -> None:
    """The request failed: the same key may be tried again."""
    db.execute(
        "delete from access_token_answer where token = %s and key_ = %s and status is null", [token.id, key]
    )
