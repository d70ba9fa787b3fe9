"""Gaps about the charging document."""

from collections.abc import Iterator
from datetime import datetime

from handhold.account import court, reasons
from handhold.account.model import Account, Gap
from handhold.account.rules import Rules


def no_charging_document(account: Account, now: datetime, of: Rules) -> Iterator[Gap]:
    """Released to a sponsor, and no charging document served. Only the reason N-UNK is unexplained.

    Authority: 8 USC 1232(a)(5)(D)(i) (removal proceedings under section 240), 8 USC 1229(a); DHS OIG-24-46, finding 1.
    """
    released = [event for event in account.said.get("discharged", ()) if of.released(event)]
    if not released or account.said.get(court.SERVED):
        return
    last = released[-1]
    code, evidence = reasons.of_charging(account, last, now, of)
    yield Gap(
        kind="no-charging-document",
        key="",
        owner=of.owner("no-charging-document"),
        opens=last.at,
        due=of.due("no-charging-document", last.at),
        reason=code,
        subject=last.id,
        evidence={"events": [last.id, *evidence], "charging": court.charging(account.said)},
    )
