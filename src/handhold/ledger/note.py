"""Signed notes and checkpoints (C2SP signed-note, tlog-checkpoint): a tree head as a text that anybody can verify.

A pure leaf. ``Signer`` holds the log's Ed25519 key, ``Verifier`` its public half, written as ``name+keyid+base64``.
"""

import base64
import binascii
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ED25519 = b"\x01"  # signature type of a signed note
DASH = "\u2014 "


class BadNote(ValueError):
    """A text is not the signed checkpoint it should be; the message says why."""


@dataclass(frozen=True)
class Head:
    """What a checkpoint says: the log's name, how many leaves, and the root over them."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The signed part of the note."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True)
class Verifier:
    """Checks notes of one log."""

    name: str
    public: bytes

    @classmethod
    def parsed(cls, text: str) -> "Verifier":
        """From ``name+keyid+base64``. Raises :class:`BadNote`."""
        try:
            name, key_id, data = text.strip().split("+", 2)
            raw = base64.b64decode(data, validate=True)
        except (ValueError, binascii.Error):
            raise BadNote("a verifier key is written name+keyid+base64") from None
        found = cls(name, raw[1:])
        if raw[:1] != ED25519 or len(raw) != 33 or found.key_id.hex() != key_id:
            raise BadNote("the verifier key does not fit its own key id")
        return found

    @property
    def key_id(self) -> bytes:
        """The four bytes that name the key in a signature."""
        return sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(ED25519 + self.public).decode()}"

    def open(self, note: str) -> Head:
        """What a checkpoint says, if this log signed it. Raises :class:`BadNote`."""
        text, blank, signatures = note.partition("\n\n")
        if not blank:
            raise BadNote("it has no signatures")
        text += "\n"
        if not any(self._signed(text, line) for line in signatures.splitlines()):
            raise BadNote("it is not signed by this log's key")
        head = _head(text)
        if head.origin != self.name:
            raise BadNote("it is of another log")
        return head

    def _signed(self, text: str, line: str) -> bool:
        name, _, data = line.removeprefix(DASH).partition(" ")
        if not line.startswith(DASH) or name != self.name:
            return False
        try:
            raw = base64.b64decode(data, validate=True)
            if raw[:4] != self.key_id:
                return False
            Ed25519PublicKey.from_public_bytes(self.public).verify(raw[4:], text.encode())
        except (binascii.Error, InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Signer:
    """Signs notes of one log."""

    name: str
    secret: bytes

    @classmethod
    def new(cls) -> "Signer":
        """A new key; the log's name is taken from it, so that no two logs share one."""
        key = Ed25519PrivateKey.generate()
        mark = sha256(key.public_key().public_bytes_raw()).hexdigest()[:16]
        return cls(f"handhold.ledger/{mark}", key.private_bytes_raw())

    @property
    def verifier(self) -> Verifier:
        """The public half."""
        return Verifier(self.name, self._key().public_key().public_bytes_raw())

    def _key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret)

    def sign(self, size: int, root: bytes) -> str:
        """The signed checkpoint of a tree of ``size`` leaves."""
        text = Head(self.name, size, root).text()
        signature = base64.b64encode(self.verifier.key_id + self._key().sign(text.encode())).decode()
        return f"{text}\n{DASH}{self.name} {signature}\n"


def _head(text: str) -> Head:
    lines = text.split("\n")
    try:
        origin, size, root = lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True)
    except (ValueError, IndexError, binascii.Error):
        raise BadNote("it is not a checkpoint") from None
    if len(root) != 32 or str(size) != lines[1] or size < 0:
        raise BadNote("it is not a checkpoint")
    return Head(origin, size, root)
