"""Running follow-ups in the database: begun by gaps, moved by answers and by the clock, kept to their own version."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from handhold import followup, ledger, pack, store
from handhold.pack import Pack

PACK = pack.load()
MONDAY = datetime(2024, 6, 3, 13, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CHILD = 7001
UNEXPLAINED, UNTOLD, OLD = "missed-hearing-unexplained", "missed-hearing-untold", "notice-to-old-address"


@pytest.fixture(autouse=True)
def acting(db: store.Db) -> Iterator[None]:
    ledger.acting(db, "system")
    yield
    db.rollback()


def open_gap(db: store.Db, kind: str, reason: str = "F-UNK", *, child: int = CHILD, times: int = 1) -> int:
    gap = store.blind_one(f"{child}{kind}{reason}", "gap")
    db.execute(
        """insert into account_gap (id, child, kind, key_, reason, subject, owner, opened, since, evidence, times, digest)
           values (%s, %s, %s, '', %s, 55, 'ORR', %s, %s, '{}', %s, 0)
           on conflict (id) do update set closed = null, times = excluded.times""",
        [gap, child, kind, reason, MONDAY, MONDAY, times],
    )
    return gap


def close_gap(db: store.Db, gap: int, now: datetime) -> None:
    db.execute("update account_gap set closed = %s, closed_by = 'test' where id = %s", [now, gap])


def missed(db: store.Db, *, child: int = CHILD) -> int:
    for agency in ("ORR", "ERO", "OPLA"):
        open_gap(db, UNTOLD, agency, child=child)
    return open_gap(db, UNEXPLAINED, child=child)


def respond(db: store.Db, now: datetime = MONDAY, rules: Pack = PACK) -> int:
    return followup.respond(db, now=now, pack=rules)


def steps(db: store.Db, child: int = CHILD) -> dict[str, str]:
    rows = store.fetch(
        db,
        "select name, outcome, done, dropped from followup_step where child = %s order by ordinal",
        [child],
    )
    return {row["name"]: row["outcome"] or ("dropped" if row["dropped"] else "open") for row in rows}


def step(db: store.Db, name: str, child: int = CHILD) -> int:
    return int(
        store.fetch(db, "select id from followup_step where child = %s and name = %s", [child, name])[0]["id"]
    )


def complete(db: store.Db, name: str, evidence: str, now: datetime = MONDAY) -> int:
    return followup.complete_step(db, step(db, name), evidence=evidence, by="person:3", now=now)


def kinds(db: store.Db) -> list[tuple[str, str]]:
    rows = store.fetch(
        db,
        "select kind, detail ->> 'name' as name from timeline_event where child = %s order by kind, name",
        [CHILD],
    )
    return [(row["kind"], row["name"]) for row in rows]


def test_a_missed_hearing_begins_its_follow_up(db: store.Db) -> None:
    missed(db)
    assert respond(db) == 7
    assert steps(db) == {
        "tell-orr": "open", "tell-ero": "open", "tell-opla": "open", "check-address": "in-order", "contact": "open",
        "tell-counsel": "skipped", "review-order": "skipped",
    }  # fmt: skip
    assert ("step-set", "contact") in kinds(db)
    assert ("step-done", "check-address") in kinds(db)


def test_the_same_again_changes_nothing(db: store.Db) -> None:
    missed(db)
    respond(db)
    before = store.fetch(db, "select * from followup_step order by id")
    events = store.fetch(db, "select * from timeline_event order by id")
    assert respond(db) == 0
    assert store.fetch(db, "select * from followup_step order by id") == before
    assert store.fetch(db, "select * from timeline_event order by id") == events


def test_an_act_moves_the_follow_ups_of_its_children_and_the_clock_those_of_all(db: store.Db) -> None:
    other, late = CHILD + 1, datetime(2024, 6, 7, 4, 0, tzinfo=UTC)
    missed(db)
    gap = missed(db, child=other)
    assert followup.respond(db, now=MONDAY, pack=PACK, children=[]) == 0
    assert followup.respond(db, now=MONDAY, pack=PACK, children=[CHILD]) == 7
    assert steps(db, other) == {}
    assert respond(db) == 7
    assert steps(db, other) == steps(db)
    close_gap(db, gap, MONDAY)
    followup.respond(db, now=late, pack=PACK, children=[CHILD])
    assert (steps(db)["contact"], steps(db, other)["contact"]) == ("lapsed", "open")
    respond(db, late)
    assert steps(db, other)["contact"] == "dropped"


def test_a_gap_without_a_protocol_begins_nothing(db: store.Db) -> None:
    open_gap(db, "transfer-late", "late")
    assert respond(db) == 0


def test_telling_completes_when_the_agency_no_longer_lacks_it(db: store.Db) -> None:
    missed(db)
    respond(db)
    close_gap(db, store.blind_one(f"{CHILD}{UNTOLD}ORR", "gap"), MONDAY)
    respond(db)
    assert (steps(db)["tell-orr"], steps(db)["tell-ero"]) == ("known", "open")


def test_a_defective_notice_is_told_to_counsel_and_to_the_attorney(db: store.Db) -> None:
    open_gap(db, OLD, "checkin")
    missed(db)
    respond(db)
    assert steps(db)["check-address"] == "defective"
    assert (steps(db)["tell-counsel"], steps(db)["review-order"]) == ("open", "open")


def test_nobody_reached_in_time_calls_for_a_welfare_check(db: store.Db) -> None:
    missed(db)
    respond(db)
    thursday_is_the_last_day = datetime(2024, 6, 7, 3, 59, tzinfo=UTC)
    respond(db, thursday_is_the_last_day)
    assert steps(db)["contact"] == "open"
    respond(db, thursday_is_the_last_day + timedelta(minutes=1))
    assert steps(db)["contact"] == "lapsed"
    assert steps(db)["welfare-check"] == "open"
    assert ("step-lapsed", "contact") in kinds(db)


def test_one_late_run_lapses_like_many_timely_ones(db: store.Db) -> None:
    """A missed night changes nothing: deadlines are dates, not counters."""
    for child in (CHILD, CHILD + 1):
        missed(db, child=child)
    respond(db)
    respond(db, MONDAY + 5 * DAY)
    respond(db, MONDAY + 5 * DAY)
    assert steps(db) == steps(db, CHILD + 1)
    lapsed = store.fetch(
        db, "select escalated_to from followup_step where child = %s and name = 'contact'", [CHILD]
    )
    assert lapsed == [{"escalated_to": "ORR/specialist"}]


def test_the_whole_course_to_its_close(db: store.Db) -> None:
    gap = missed(db)
    respond(db)
    for agency in ("ORR", "ERO", "OPLA"):
        close_gap(db, store.blind_one(f"{CHILD}{UNTOLD}{agency}", "gap"), MONDAY)
    complete(db, "contact", "unreachable")
    respond(db)
    complete(db, "welfare-check", "unknown")
    respond(db)
    complete(db, "report-missing", "reported")
    complete(db, "decide-reason", "f-run")
    close_gap(db, gap, MONDAY)
    respond(db)
    assert steps(db)["close"] == "open", "what a person decided closes the gap, not the follow-up"
    complete(db, "close", "reported-missing")
    respond(db)
    assert store.fetch(db, "select ended, outcome from followup_run") == [
        {"ended": MONDAY, "outcome": "reported-missing"}
    ]
    decided = store.fetch(db, "select detail from timeline_event where kind = 'reason-decided'")[0]["detail"]
    assert decided == {"about": "55", "by": "person:3", "code": "F-RUN", "kind": UNEXPLAINED}


def test_a_gap_that_closes_by_itself_ends_the_follow_up(db: store.Db) -> None:
    gap = missed(db)
    respond(db)
    close_gap(db, gap, MONDAY)
    respond(db)
    assert steps(db)["contact"] == "dropped"
    assert store.fetch(db, "select outcome from followup_run") == [{"outcome": "gap-closed"}]
    assert followup.worklist(db, "PRS", "caseworker", now=MONDAY) == []


def test_a_gap_that_reopens_begins_anew(db: store.Db) -> None:
    gap = missed(db)
    respond(db)
    close_gap(db, gap, MONDAY)
    respond(db)
    open_gap(db, UNEXPLAINED, times=2)
    respond(db, MONDAY + DAY)
    assert store.fetch(db, "select times, ended is null as running from followup_run order by times") == [
        {"times": 1, "running": False},
        {"times": 2, "running": True},
    ]


def test_a_running_follow_up_keeps_the_protocol_it_began_with(db: store.Db) -> None:
    missed(db)
    respond(db)
    path = "protocols/missed-hearing.toml"
    gentler = replace(
        PACK, texts=PACK.texts | {path: PACK.texts[path].replace('within = "P10D"', 'within = "P90D"')}
    )
    missed(db, child=CHILD + 1)
    respond(db, rules=gentler)
    for child in (CHILD, CHILD + 1):
        followup.complete_step(
            db, step(db, "contact", child), evidence="unreachable", by="person:3", now=MONDAY
        )
    respond(db, rules=gentler)
    due = {
        row["child"]: row["due"]
        for row in store.fetch(db, "select child, due from followup_step where name = 'welfare-check'")
    }
    assert due[CHILD] < MONDAY + 20 * DAY < MONDAY + 100 * DAY < due[CHILD + 1]


def test_the_worklist_is_the_owners_and_after_a_lapse_also_the_next_ones(db: store.Db) -> None:
    missed(db)
    respond(db)
    mine = followup.worklist(db, "PRS", "caseworker", now=MONDAY)
    assert [(row["name"], row["late"], row["escalated"]) for row in mine] == [("contact", False, False)]
    assert mine[0]["words"].startswith("Reach the child")
    assert mine[0]["evidence_needed"] == ["reached", "reached-elsewhere", "refused", "unreachable"]
    assert mine[0]["trace"]["within"] == "P3D"
    later = MONDAY + 5 * DAY
    respond(db, later)
    assert ("contact", True, False) in [
        (r["name"], r["late"], r["escalated"]) for r in followup.worklist(db, "PRS", "caseworker", now=later)
    ]
    assert ("contact", True, True) in [
        (r["name"], r["late"], r["escalated"]) for r in followup.worklist(db, "ORR", "specialist", now=later)
    ]


def test_a_lapsed_step_may_still_be_done(db: store.Db) -> None:
    missed(db)
    respond(db)
    respond(db, MONDAY + 5 * DAY)
    assert complete(db, "contact", "reached", MONDAY + 6 * DAY) == CHILD
    assert steps(db)["contact"] == "reached"


@pytest.mark.parametrize(
    ("evidence", "told"), [("went-fine", "completed by one of"), ("", "completed by one of")]
)
def test_other_evidence_does_not_complete_a_step(db: store.Db, evidence: str, told: str) -> None:
    missed(db)
    respond(db)
    with pytest.raises(followup.StepError, match=told):
        complete(db, "contact", evidence)
    assert steps(db)["contact"] == "open"


def test_a_step_is_done_once(db: store.Db) -> None:
    missed(db)
    respond(db)
    complete(db, "contact", "reached")
    with pytest.raises(followup.StepError, match="finished already"):
        complete(db, "contact", "refused")
    with pytest.raises(followup.StepError, match="no step 1;"):
        followup.complete_step(db, 1, evidence="reached", by="person:3", now=MONDAY)


def test_steps_touch_the_accounts_they_concern(db: store.Db) -> None:
    missed(db)
    respond(db)
    assert {"child": CHILD} in store.fetch(db, "select child from account_touched")


def test_a_provider_has_the_child_in_its_caseload_while_it_owes_a_step(db: store.Db) -> None:
    gap = missed(db)
    respond(db)
    held = "select agency from access_caseload where child = %s and until is null"
    assert store.fetch(db, held, [CHILD]) == [{"agency": "PRS"}]
    close_gap(db, gap, MONDAY)
    respond(db)
    assert store.fetch(db, held, [CHILD]) == []


def test_nobody_acting_nothing_written(db: store.Db) -> None:
    missed(db)
    db.execute("select set_config('handhold.by', '', true)")
    with pytest.raises(Exception, match="nobody is acting"):
        respond(db)


def test_traces_are_json(db: store.Db) -> None:
    missed(db)
    respond(db)
    for row in store.fetch(db, "select trace, due from followup_step"):
        assert datetime.fromisoformat(json.loads(json.dumps(row["trace"]))["due"]) == row["due"]
