"""The people of a demonstration: one for each role, with a password that is made anew and shown once."""

import secrets
from dataclasses import dataclass

from handhold import access
from handhold.web import setup

# The words of a demonstration's passwords: short, and hard to mistake for one another when typed from a screen.
WORDS = (
    "amber anchor apron basin beacon birch bramble bridge cabin canoe cedar cinder clover copper coral cotton crane"
    " dapple delta ember fable falcon fern fiddle flint garnet ginger glacier granite harbor hazel heron hollow indigo"
    " island ivory jasper juniper kettle lagoon lantern laurel linen maple marble meadow mesa mimosa nectar nutmeg oasis"
    " olive orchid otter pebble pepper pine plum poppy prairie quartz quill raven ribbon river saffron sable sequoia"
    " spruce summit thistle timber tulip tundra umber valley velvet walnut willow winter yarrow zephyr"
).split()


@dataclass(frozen=True)
class SignIn:
    """How one person of the demonstration signs in, and for what."""

    username: str
    password: str
    agency: str
    role: str
    purposes: tuple[str, ...]


def create_people(password: str | None = None) -> list[SignIn]:
    """One person for each role of the pack; an earlier demonstration's person gets a new password.

    ``password``: the same for everybody (tests); by default each gets one of five random words.
    """
    setup.prepare()
    from handhold.web import session

    return [_person(role, password) for role in access.roles(session.rules()).values()]


def _person(role: access.Role, password: str | None) -> SignIn:
    from handhold.web.models import Person

    chosen = password or "-".join(secrets.choice(WORDS) for _ in range(5))
    person, _ = Person.objects.update_or_create(
        username=role.name, defaults={"role": role.name, "is_active": True}
    )
    person.set_password(chosen)
    person.save()
    return SignIn(role.name, chosen, role.agency, role.name, role.purposes)
