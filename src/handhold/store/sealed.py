"""Sealing and blind indexes: the third wall (``design.md`` 8).

Pure: keys come in, nothing is read or written. A blob is AES-GCM with the key's id in front and its place
(``table.column`` and row) bound as associated data, so a blob moved to another row does not open. A blind index is a
keyed BLAKE2b hash cut to 63 bits: equal values meet, nothing can be read back without the key, and it fits a bigint.
"""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from handhold.store.errors import KeyMissing, StoreError

CLASSES = ("identity", "location", "sponsor", "benefit", "clinical", "delivery")
KEY_ID_BYTES = 4
NONCE_BYTES = 12
BODY = KEY_ID_BYTES + NONCE_BYTES  # where the ciphertext begins
SEAL_BYTES = KEY_ID_BYTES + NONCE_BYTES + 16  # by how much a sealed blob is longer: key id, nonce, tag
OWN_BITS = (1 << 43) - 1  # of an id that lies near another; the rest tells a million neighbourhoods
UNIT = "\x1f"  # ASCII unit separator: stands between the parts of an id and occurs in none


@dataclass(frozen=True)
class Key:
    """One AES-256 key of an element class; ``id`` goes in front of what it sealed."""

    id: bytes
    secret: bytes

    @classmethod
    def new(cls) -> "Key":
        return cls(os.urandom(KEY_ID_BYTES), AESGCM.generate_key(256))


class Keyring:
    """The keys a process holds: per class the newest first, and the secret of the blind indexes."""

    def __init__(self, keys: Mapping[str, list[Key]], index_secret: bytes) -> None:
        self.keys = {cls: list(of_class) for cls, of_class in keys.items()}
        self.index_secret = index_secret
        self._ciphers = {
            cls: {key.id: AESGCM(key.secret) for key in of_class} for cls, of_class in self.keys.items()
        }

    @classmethod
    def new(cls) -> "Keyring":
        return cls({name: [Key.new()] for name in CLASSES}, os.urandom(32))

    def rotated(self, name: str) -> "Keyring":
        """A ring in which ``name`` seals with a new key; the old ones still open."""
        return Keyring(self.keys | {name: [Key.new(), *self.keys.get(name, [])]}, self.index_secret)

    def without(self, *names: str) -> "Keyring":
        """A ring for a process that may not open these classes."""
        return Keyring({cls: keys for cls, keys in self.keys.items() if cls not in names}, self.index_secret)

    def seal(self, cls: str, context: str, plain: bytes) -> bytes:
        """Key id, nonce, ciphertext with tag; opens only with the same ``context``."""
        key = self._newest(cls)
        nonce = os.urandom(NONCE_BYTES)
        return key.id + nonce + self._ciphers[cls][key.id].encrypt(nonce, plain, context.encode())

    def open(self, cls: str, context: str, blob: bytes) -> bytes:
        """What was sealed. Raises :class:`KeyMissing` without the key, :class:`StoreError` for a blob tampered or moved."""
        cipher = self._ciphers.get(cls, {}).get(blob[:KEY_ID_BYTES])
        if cipher is None:
            raise KeyMissing(
                f"this process holds no key of class {cls} that opens this blob; ask who holds the key"
            )
        try:
            return cipher.decrypt(blob[KEY_ID_BYTES:BODY], blob[BODY:], context.encode())
        except InvalidTag:
            raise StoreError(
                f"a sealed {cls} blob does not belong where it stands ({context}); restore it from a backup"
            ) from None

    def _newest(self, cls: str) -> Key:
        if not self.keys.get(cls):
            raise KeyMissing(
                f"this process holds no key of class {cls}, so it cannot seal; give it the key or another task"
            )
        return self.keys[cls][0]

    def seal_many(self, cls: str, context: str, ids: pl.Series, values: pl.Series) -> pl.Series:
        """Seal each value for its row id; null stays null. Text is sealed as UTF-8."""
        key = self._newest(cls)
        encrypt, prefix = self._ciphers[cls][key.id].encrypt, f"{context}.".encode()
        nonces = os.urandom(NONCE_BYTES * len(values))
        sealed = [
            None
            if value is None
            else key.id
            + (nonce := nonces[at : at + NONCE_BYTES])
            + encrypt(nonce, _bytes(value), prefix + b"%d" % row)
            for at, row, value in zip(range(0, len(nonces), NONCE_BYTES), ids, values, strict=True)
        ]
        return pl.Series(values.name, sealed, pl.Binary)

    def unseal_many(self, cls: str, context: str, ids: pl.Series, blobs: pl.Series) -> pl.Series:
        """The texts sealed by :meth:`seal_many`, in the same order."""
        opened = [
            None if blob is None else self.open(cls, f"{context}.{row}", blob).decode()
            for row, blob in zip(ids, blobs, strict=True)
        ]
        return pl.Series(blobs.name, opened, pl.String)

    def blind(self, values: pl.Series, domain: str) -> pl.Series:
        """63-bit keyed hashes (Int64) of text; null stays null. The same text in another domain hashes differently."""
        texts = values.cast(pl.String)
        known = texts.is_not_null()
        hashes = np.zeros(len(texts), np.int64)
        hashes[known.to_numpy()] = self._hashes(texts.drop_nulls(), domain)
        hashed = pl.Series(values.name, hashes, pl.Int64)
        return hashed if known.all() else hashed.set(~known, None)

    def blind_all(self, values: Iterable[str], domain: str) -> list[int]:
        """The hashes that :meth:`blind` gives these texts."""
        return self._hashes(values, domain).tolist()

    def blind_one(self, value: str, domain: str) -> int:
        """The hash that :meth:`blind` gives this text."""
        return self.blind_all([value], domain)[0]

    def stable_ids(self, domain: str, *parts: pl.Series, near: pl.Series | None = None) -> pl.Series:
        """63-bit ids over the parts of each row; a null part counts as empty.

        ``near``: ids of which the first bits are taken, so that what belongs together lies together in the order of ids, too.
        """
        whole = pl.DataFrame([part.alias(str(n)) for n, part in enumerate(parts)]).select(
            pl.concat_str(pl.all().cast(pl.String).fill_null(""), separator=UNIT)
        )
        ids = self.blind(whole.to_series(), domain).alias("id")
        return ids if near is None else (ids & OWN_BITS) | (near & ~OWN_BITS)

    def _hashes(self, texts: Iterable[str], domain: str) -> np.ndarray:
        base = hashlib.blake2b(digest_size=8, key=self.index_secret, person=domain.encode()[:16])
        digests = []
        for text in texts:
            one = base.copy()
            one.update(text.encode())
            digests.append(one.digest())
        return (np.frombuffer(b"".join(digests), ">u8") >> 1).astype(np.int64)


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value
