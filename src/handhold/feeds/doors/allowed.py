"""Whose messages a door takes, and how large they may be."""

import email.parser
import email.policy
import email.utils
import os
from dataclasses import dataclass
from fnmatch import fnmatchcase

from handhold.pack import Pack

SENDERS, RECIPIENTS = "HANDHOLD_MAIL_SENDERS", "HANDHOLD_MAIL_TO"


@dataclass(frozen=True)
class Allowed:
    """Patterns of addresses, and the most bytes of a message."""

    senders: tuple[str, ...]
    recipients: tuple[str, ...]
    most_bytes: int

    def sender(self, address: str | None) -> bool:
        """Whether messages of this address are taken."""
        return _fits(address, self.senders)

    def recipient(self, address: str) -> bool:
        """Whether this address is one of ours."""
        return _fits(address, self.recipients)

    def headers(self, data: bytes) -> bool:
        """Whether the message names exactly one sender, and one whose messages are taken: by it the mapping is chosen."""
        whole = email.parser.BytesHeaderParser(policy=email.policy.compat32).parsebytes(data)
        said = [str(one) for one in whole.get_all("From", [])]
        found = [address for _, address in email.utils.getaddresses(said) if address]
        return len(found) == 1 and self.sender(found[0])


def _fits(address: str | None, patterns: tuple[str, ...]) -> bool:
    plain = (address or "").strip().casefold()
    return bool(plain) and any(fnmatchcase(plain, pattern.casefold()) for pattern in patterns)


def allowed(pack: Pack) -> Allowed:
    """What the pack says, or this deployment's settings in its place."""
    rules = pack.toml("feeds/mail.toml")

    def listed(variable: str, otherwise: list[str]) -> tuple[str, ...]:
        own = [one.strip() for one in os.environ.get(variable, "").split(",") if one.strip()]
        return tuple(own or otherwise)

    return Allowed(
        listed(SENDERS, rules["senders"]), listed(RECIPIENTS, rules["recipients"]), int(rules["most_bytes"])
    )
