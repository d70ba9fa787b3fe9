"""Who reads: a person, in one role of one agency, for one purpose at a time."""

from dataclasses import dataclass

from handhold.access.agreements import AgreementError, Role, words
from handhold.pack import Pack


@dataclass(frozen=True)
class Reader:
    """A session: everything it sees is seen as this agency and role, for this purpose."""

    person: str
    agency: str
    role: str
    purpose: str


def roles(pack: Pack) -> dict[str, Role]:
    """The roles there are, by name."""
    return {role.name: role for role in words(pack).roles}


def purposes(pack: Pack, role: str) -> tuple[str, ...]:
    """The purposes somebody in ``role`` may choose; none for a role that is not in the pack."""
    known = roles(pack)
    return known[role].purposes if role in known else ()


def reader(pack: Pack, *, person: str, role: str, purpose: str) -> Reader:
    """A session for ``person``; raises :class:`AgreementError` when the role may not choose the purpose."""
    if purpose not in purposes(pack, role):
        chosen = ", ".join(purposes(pack, role)) or "none: there is no such role"
        raise AgreementError(f"role {role!r} may not choose purpose {purpose!r}; it may choose {chosen}")
    return Reader(person, roles(pack)[role].agency, role, purpose)


def readers(pack: Pack) -> list[Reader]:
    """One reader for every role and purpose it may choose (for sign-in lists, and tests over all of them)."""
    return [
        Reader(f"any-{role.name}", role.agency, role.name, purpose)
        for role in words(pack).roles
        for purpose in role.purposes
    ]
