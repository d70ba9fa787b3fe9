"""Gaps about where the child is, and about who it is: the second partly rests on other children's files."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from handhold.account import address
from handhold.account.model import Account, Around, Gap, SharedPlace
from handhold.account.rules import Rules


def no_usable_address(account: Account, _now: datetime, of: Rules) -> Iterator[Gap]:
    """Released to a sponsor, and the address to go by is blank, undeliverable or lacks its unit.

    Authority: DHS OIG-24-46 (about 31,000 release addresses blank, undeliverable or without a unit); 8 USC 1229(a)(1)(F).
    """
    if not any(of.released(event) for event in account.said.get("discharged", ())):
        return
    known = address.current(account.addresses)
    if known is None or known.usable:
        return
    begins = known.event.at
    yield Gap(
        kind="no-usable-address",
        key="",
        owner=of.owner("no-usable-address"),
        opens=begins,
        due=of.due("no-usable-address", begins),
        reason=of.quality(known.event.flags) or address.BLANK,
        subject=known.event.id,
        evidence={"events": [known.event.id], "flags": known.event.flags or "", "basis": known.basis},
    )


def around(account: Account, around: Around, now: datetime, of: Rules) -> Iterator[Gap]:
    """The gaps that rest on what is known beyond the child's own events."""
    yield from shared_address(account, around.shared, of)
    yield from identity_doubt(account, around, now, of)


def shared_address(account: Account, shared: Sequence[SharedPlace], of: Rules) -> Iterator[Gap]:
    """Three or more children of different families were released to one usable address: a signal, never proof.

    Authority: HHS OIG OEI-07-21-00250; Senate PSI 2016 (Marion: several children released to addresses of one ring).
    """
    for place in shared:
        events = [e for e in account.said.get("discharged", ()) if e.place == place.place]
        if not events:
            continue
        yield Gap(
            kind="shared-address",
            key=str(place.place),
            owner=of.owner("shared-address"),
            opens=place.since,
            due=of.due("shared-address", place.since),
            reason="released-to",
            subject=events[0].id,
            evidence={
                "events": [e.id for e in events],
                "families": place.families,
                "children": place.children,
            },
        )


def identity_doubt(account: Account, around: Around, now: datetime, of: Rules) -> Iterator[Gap]:
    """The account may be of two children, or of half of one: a question about whose file it is waits for a person; files of
    one child state two A-numbers, and nobody has said that both are its; or a file of another child states the same one, and
    nobody has said that they are two children.

    Authority: DHS OIG-24-46 (the counts rest on matching by hand); design.md 6.
    """
    begins = min((e.known for events in account.said.values() for e in events), default=now)
    doubts = {
        "question": {"questions": around.doubts} if around.doubts else {},
        "two-numbers": {"numbers": around.numbers} if around.numbers > 1 else {},
        "number-of-two": {"numbers": around.of_two} if around.of_two else {},
    }
    for reason, evidence in doubts.items():
        if evidence:
            yield Gap(
                kind="identity-doubt", key="" if reason == "question" else reason, owner=of.owner("identity-doubt"),
                opens=min(begins, now), due=None, reason=reason, evidence={"events": [], **evidence},
            )  # fmt: skip
