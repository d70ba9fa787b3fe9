"""Account → gaps. Leaves: one function a kind of gap, each naming its authority; thresholds and owners are ``gaps.toml``.

Each function yields every gap of its kind that the account holds or will hold without news: one whose ``opens`` lies
ahead is a moment to wake at, not yet a gap.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime

from handhold.account import rules
from handhold.account.gaps import custody, hearings, papers, whereabouts
from handhold.account.model import Account, Around, Gap
from handhold.account.rules import Rules
from handhold.pack import Pack

OfAccount = Callable[[Account, datetime, Rules], Iterator[Gap]]

KINDS: tuple[OfAccount, ...] = (
    hearings.missed_hearing_untold,
    hearings.missed_hearing_unexplained,
    hearings.notice_to_old_address,
    papers.no_charging_document,
    custody.transfer_late,
    custody.release_not_told,
    custody.absence_unreported,
    custody.no_one_responsible,
    whereabouts.no_usable_address,
)


ALONE = Around()


def gaps(account: Account, now: datetime, pack: Pack, around: Around = ALONE) -> list[Gap]:
    """The account's gaps at ``now``, settled ones with ``closed`` set, in the order of their kinds and keys."""
    of = rules.of(pack)
    found = [*account.expected, *whereabouts.around(account, around, now, of)]
    begun = sorted(
        (gap for gap in found if gap.opens <= now),
        key=lambda gap: (gap.kind, gap.key, gap.opens),
        reverse=True,
    )
    # Two rows may state one thing twice, or one row in two ways: it is one gap, from the earlier of them on.
    one_of_each = {(gap.kind, gap.key): gap for gap in begun}
    return [_settled(gap, account) for _, gap in sorted(one_of_each.items())]


def expected(account: Account, now: datetime, of: Rules) -> Iterator[Gap]:
    """What is or will be missing as far as the child's own events go."""
    for kind in KINDS:
        yield from kind(account, now, of)


def _settled(gap: Gap, account: Account) -> Gap:
    """Closed where a person decided its reason; the decision names the gap's kind and what it is about."""
    for event in account.said.get("reason-decided", ()):
        about = {event.text("about"), str(event.subject)}
        if event.text("kind") == gap.kind and about & {gap.key, str(gap.subject)}:
            return replace(gap, closed="decided", reason=event.text("code") or gap.reason)
    return gap


__all__ = ["ALONE", "Around", "expected", "gaps"]
