"""The outbox: notices are composed from open gaps, in the transaction that follows from them, and sent after it.

Set-based: what is owed and not yet told is one query; texts are composed and sealed in slices. The same again changes
nothing, because a notice's id is that of what it is about and of who is told.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import polars as pl

from handhold import access, account, identity, ledger, store, timeline
from handhold.access import Decision
from handhold.account.calendar import Calendar
from handhold.notices.compose import Letterhead, Matter, Notice, compose, correction
from handhold.notices.duty import Duty, decisions, duties, words
from handhold.pack import Pack

SLICE = 10_000  # notices composed, sealed and copied at a time
SYSTEM = "system"
INBOX = "inbox"
CONTEXT = "notices_outbox.body"
MOMENT = pl.Datetime("us", "UTC")
Told = tuple[str, str]  # recipient and duty

OWED = """
    select g.id as about, g.times, g.child, g.kind as about_kind, g.reason, g.subject, g.evidence, d.duty, e.day,
           e.detail ->> 'pattern' as pattern
    from unnest(%(duties)s::text[], %(kinds)s::text[], %(reasons)s::text[], %(recipients)s::text[]) as d (duty, kind, reason, recipient)
    join account_gap g on g.kind = d.kind and (d.reason is null or g.reason = d.reason)
    left join timeline_event e on e.id = g.subject
    where g.closed is null
      and not exists (select from notices_outbox o
                      where o.about = g.id and o.times = g.times and o.recipient = d.recipient and o.corrects is null)
      {near}
    order by g.id, d.duty"""

# What was told and no longer stands: its event was withdrawn or became something else, or a file turned out to be another child's.
RETRACTED = """
    select o.id as corrects, o.about, o.times, o.child, o.about_kind, o.subject, o.duty, o.sent, e.day, null as reason, null as evidence,
           e.detail ->> 'pattern' as pattern,
           case when e.superseded_by is not null or g.why = 'undone' then 'what it rested on was withdrawn'
                else 'a file was found to be another child''s' end as why
    from notices_outbox o left join timeline_event e on e.id = o.subject
         left join account_gap g on g.id = o.about and g.times = o.times and g.closed is not null
    where o.sent is not null and o.corrects is null
      and not exists (select from notices_outbox c where c.corrects = o.id)
      and (e.superseded_by = 0 or g.why = 'undone'
           or exists (select from timeline_event n where n.id = e.superseded_by and n.kind <> e.kind)
           or o.child = any(%(separated)s) and exists (
                select from identity_link l join identity_file f on f.id = l.file
                where l.child = o.child and l.judgement = 'match' and l.since <= o.created and l.until > o.created
                  and f.child is distinct from o.child
                  and not exists (select from identity_child c where c.id = o.child and c.into_ = f.child)))
      {near}
    order by o.id"""
SEPARATED = """
    select distinct l.child from identity_link l
    where l.judgement = 'match' and l.until is not null and exists (select from notices_outbox o where o.child = l.child)
      {near}"""

SEND = """
    update notices_outbox set sent = %(now)s, channel = %(channel)s where sent is null
    returning id, child, about, about_kind, subject, recipient, purpose, agreement, corrects"""


@dataclass
class _Desk:
    """What composing needs beside each matter: the rules, and answers that many notices share."""

    pack: Pack
    now: datetime
    duties: Mapping[str, Duty]
    words: Mapping[str, str]
    calendar: Calendar
    titles: Mapping[str, str]
    decided: dict[tuple[str, date], dict[str, Decision]] = field(default_factory=dict)

    def decide(self, duty: Duty, event: date) -> dict[str, Decision]:
        """The stricter of the rules on the event's day and today; found once for each duty and day."""
        key = (duty.name, event)
        if key not in self.decided:
            self.decided[key] = decisions(self.pack, duty, event=event, sending=self.calendar.today(self.now))
        return self.decided[key]

    def due(self, duty: Duty) -> datetime:
        """Until when the recipient should acknowledge."""
        if duty.hours:
            return self.now + timedelta(hours=duty.hours)
        last = self.calendar.add_business_days(self.calendar.today(self.now), duty.business_days)
        return self.calendar.end_of(last) - timedelta(seconds=1)

    def head(self, duty: Duty) -> Letterhead:
        """The words around a notice."""
        known = access.words(self.pack)
        role = access.roles(self.pack)[duty.role]
        agency = self.pack.toml("roles.toml")["agency"][duty.agency]
        return Letterhead(
            agency, role.title, self.titles[duty.agreement], known.elements, self.calendar.zone.key
        )


def tell(db: store.Db, *, now: datetime, pack: Pack, children: Sequence[int] | None = None) -> Counter[Told]:
    """Compose every notice that is owed and not yet in the outbox, corrections too; returns how many to whom for which duty.

    ``children``: those whose accounts an act has just changed, where somebody waits for it; what is owed about others, because a
    process was killed or a duty is new, is found by whoever looks at all.
    """
    store.lock(db, "notices.tell")
    desk = _desk(pack, now)
    owed = store.frame(
        db, store.near(OWED, "g.child", children), _asked(desk.duties.values()) | {"children": children}
    )
    composed: Counter[Told] = Counter()
    for rows in (owed, _retracted(db, children)):
        for part in rows.iter_slices(SLICE):
            composed += _write(db, desk, part)
    return composed


def _desk(pack: Pack, now: datetime) -> _Desk:
    titles = {agreement.name: agreement.title for agreement in access.agreements(pack)}
    by_name = {duty.name: duty for duty in duties(pack)}
    return _Desk(pack, now, by_name, words(pack), Calendar.of(pack), titles)


def _asked(wanted: Any) -> dict[str, Any]:
    every: list[Duty] = list(wanted)
    return {
        "duties": [duty.name for duty in every],
        "kinds": [duty.gap for duty in every],
        "reasons": [duty.reason for duty in every],
        "recipients": [duty.agency for duty in every],
    }


def _retracted(db: store.Db, children: Sequence[int] | None) -> pl.DataFrame:
    asked = {"children": children}
    separated = [row["child"] for row in store.fetch(db, store.near(SEPARATED, "l.child", children), asked)]
    return store.frame(db, store.near(RETRACTED, "o.child", children), asked | {"separated": separated})


def _write(db: store.Db, desk: _Desk, rows: pl.DataFrame) -> Counter[Told]:
    """Compose, seal and put a slice into the outbox."""
    if not len(rows):
        return Counter()
    people = identity.names(db, rows["child"].unique().to_list())
    made = [_compose(desk, row, people.get(row["child"])) for row in rows.iter_rows(named=True)]
    notices = pl.DataFrame(made, schema=MADE, orient="row")
    recipients = pl.Series("recipient", [desk.duties[name].agency for name in rows["duty"]])
    what = (
        rows["corrects"].cast(pl.String)
        if "corrects" in rows.columns
        else pl.Series(["first"]).new_from_index(0, len(rows))
    )
    ids = store.stable_ids("notice", rows["about"], rows["times"], recipients, what, near=rows["child"])
    kept = rows.select([name for name in KEPT if name in rows.columns])
    outbox = kept.hstack(notices).with_columns(
        ids.alias("id"),
        recipients,
        store.seal_many("identity", CONTEXT, ids, notices["text"]).alias("body"),
        pl.lit(desk.now).cast(MOMENT).alias("created"),
        pl.lit(desk.pack.version).alias("pack_version"),
    )
    store.copy_in(db, "notices_outbox", outbox.drop("text"))
    return Counter(zip(recipients, rows["duty"], strict=True))


KEPT = ("about", "times", "child", "about_kind", "subject", "duty", "corrects")
MADE: dict[str, Any] = {
    "text": pl.String, "elements": pl.List(pl.String), "withheld": pl.String, "title": pl.String, "role": pl.String,
    "purpose": pl.String, "agreement": pl.String, "due": MOMENT,
}  # fmt: skip


def _compose(desk: _Desk, row: Mapping[str, Any], person: identity.Person | None) -> tuple[Any, ...]:
    duty = desk.duties[row["duty"]]
    due = desk.due(duty)
    matter = _matter(desk, row, person, duty, due)
    decided = desk.decide(duty, row["day"] or desk.calendar.today(desk.now))
    notice = _text(desk, row, duty, matter, decided)
    withheld = json.dumps(dict(notice.withheld), sort_keys=True)
    return (
        notice.text,
        list(notice.elements),
        withheld,
        duty.title,
        duty.role,
        duty.purpose,
        duty.agreement,
        due,
    )


def _text(
    desk: _Desk, row: Mapping[str, Any], duty: Duty, matter: Matter, decided: Mapping[str, Decision]
) -> Notice:
    if "corrects" in row:
        return correction(
            duty, matter, decided, desk.head(duty), sent=desk.calendar.today(row["sent"]), why=row["why"]
        )
    return compose(duty, matter, decided, desk.head(duty))


def _matter(
    desk: _Desk, row: Mapping[str, Any], person: identity.Person | None, duty: Duty, due: datetime
) -> Matter:
    evidence = json.loads(row["evidence"] or "{}")
    return Matter(
        last=person.last if person else None,
        first=person.first if person else None,
        born=person.dob if person else None,
        own=tuple(key for agency, key in person.numbers if agency == duty.agency) if person else (),
        day=row["day"],
        pattern=desk.words.get(f"missed-hearing.{row['pattern']}"),
        reason=", ".join(_reasons(desk, row["reason"])) or None,
        knew=evidence.get("knew"),
        since=date.fromisoformat(evidence["known_since"]) if "known_since" in evidence else None,
        days=evidence.get("days_before_mailing"),
        due=due,
    )


def _reasons(desk: _Desk, reason: str | None) -> Iterator[str]:
    """A reason in words; a code without words is not shown to people."""
    return (desk.words[part] for part in (reason or "").split("+") if part in desk.words)


def send(db: store.Db, *, now: datetime) -> int:
    """Put what is unsent into its recipients' inboxes; returns how many. Twice, or in two processes, is harmless."""
    store.lock(db, "notices.send")
    sent = store.fetch(db, SEND, {"now": now, "channel": INBOX})
    if not sent:
        return 0
    timeline.add(db, [_told(row, now) for row in sent], by=SYSTEM, now=now)
    account.touch(db, pl.Series("child", [row["child"] for row in sent], pl.Int64).unique())
    for (agency, purpose, agreement), ids in _by_agreement(sent).items():
        ledger.write(
            db,
            by=SYSTEM,
            verb="notice.sent",
            thing="notice",
            ids=ids,
            at=now,
            agency=agency,
            purpose=purpose,
            rule=agreement,
        )
    return len(sent)


def _told(row: Mapping[str, Any], now: datetime) -> timeline.OwnEvent:
    kind = "corrected" if row["corrects"] else "told"
    detail = {
        "recipient": row["recipient"],
        "about": str(row["subject"] or row["about"]),
        "kind": row["about_kind"],
        "notice": str(row["id"]),
    }
    return timeline.OwnEvent(row["child"], kind, now, detail, subject=row["subject"])


def _by_agreement(sent: list[dict[str, Any]]) -> dict[tuple[str, str, str], list[int]]:
    found: dict[tuple[str, str, str], list[int]] = {}
    for row in sorted(sent, key=lambda row: int(row["id"])):
        found.setdefault((row["recipient"], row["purpose"], row["agreement"]), []).append(row["id"])
    return found
