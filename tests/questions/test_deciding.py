"""Two people where a link would disclose; corrections to all who were told; second looks that measure; the order of the queue."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from handhold import casework, cli, identity, jobs, ledger, oversight, store
from handhold.oversight import questions

from .conftest import ANA, LUIS, MIA, NOW, PACK, file_of, office, take_back_all

LATER = NOW + timedelta(days=1)


@pytest.fixture(autouse=True)
def undone(loaded: object) -> Iterator[None]:
    """Whatever a test says is taken back after it."""
    yield
    take_back_all()


def waiting(person: str = "person:1") -> list[dict[str, Any]]:
    with store.transaction() as db:
        return questions.queue(db, person=person, now=NOW, pack=PACK)


def one(query: str, *params: Any) -> Any:
    with store.transaction() as db:
        return store.fetch(db, query, list(params))


def child_of(file: int) -> int:
    return int(one("select child from identity_file where id = %s", file)[0]["child"])


MIAS = ("USCIS", "219999999"), ("ERO", MIA)


def test_the_hearing_of_next_week_is_asked_first() -> None:
    asked = waiting()
    anas = {file_of("ERO", ANA), file_of("ORR", "UC1"), file_of("EOIR", "9000000")}
    assert anas & {asked[0]["file_a"], asked[0]["file_b"]}
    assert asked[0]["hearing"] is not None
    assert [row["rank"] for row in asked] == sorted(row["rank"] for row in asked)


def test_the_queue_goes_on_after_the_last_one_seen_also_when_that_is_answered() -> None:
    asked = waiting()
    with store.transaction() as db:
        rest = questions.queue(db, person="person:1", now=NOW, pack=PACK, after=asked[0]["id"])
    assert [row["id"] for row in rest] == [row["id"] for row in asked[1:]]
    casework.decide_link(asked[0]["file_a"], asked[0]["file_b"], "no match", "two children", office())
    with store.transaction() as db:
        rest = questions.queue(db, person="person:1", now=NOW, pack=PACK, after=asked[0]["id"])
    assert [row["id"] for row in rest] == [row["id"] for row in asked[1:]]


def test_what_nobody_could_say_is_asked_last() -> None:
    asked = waiting()
    casework.decide_link(asked[0]["file_a"], asked[0]["file_b"], "possible", "cannot tell", office())
    assert [row["id"] for row in waiting()] == [row["id"] for row in (*asked[1:], asked[0])]


def test_what_somebody_has_open_is_not_given_to_another_until_some_minutes_pass() -> None:
    asked = waiting()
    with ledger.acting_transaction("person:1") as db:
        questions.claim(db, asked[0]["id"], person="person:1", now=NOW)
    with store.transaction() as db:
        given = [questions.following(db, person=p, now=NOW, pack=PACK) for p in ("person:1", "person:2")]
        after = questions.following(db, person="person:2", now=NOW + timedelta(minutes=6), pack=PACK)
    assert given == [asked[0]["id"], asked[1]["id"]]
    assert after == asked[0]["id"]


def test_a_match_that_would_disclose_needs_two_different_people() -> None:
    files = [file_of(*key) for key in MIAS]
    first = casework.decide_link(*files, "match", "same birth, same town", office("person:1"))
    assert first.proposed == 1
    assert child_of(files[0]) != child_of(files[1])
    assert {row["id"] for row in waiting("person:2")} > {row["id"] for row in waiting("person:1")}
    with pytest.raises(identity.SamePerson, match="another person"):
        casework.decide_link(*files, "match", "again", office("person:1"))
    second = casework.decide_link(*files, "match", "I see it too", office("person:2"))
    assert second.proposed == 0
    assert child_of(files[0]) == child_of(files[1])
    said = one("select by, ended_by, outcome from identity_proposal order by id")
    assert said == [{"by": "person:1", "ended_by": "person:2", "outcome": "confirmed"}]


def test_another_persons_no_ends_a_proposal() -> None:
    files = [file_of(*key) for key in MIAS]
    casework.decide_link(*files, "match", "same birth", office("person:1"))
    casework.decide_link(*files, "no match", "the numbers differ", office("person:2"))
    assert one("select outcome from identity_proposal") == [{"outcome": "contradicted"}]
    assert child_of(files[0]) != child_of(files[1])


def test_a_link_says_which_agency_would_learn_what() -> None:
    files = (file_of(*MIAS[0]), file_of(*MIAS[1]))
    from handhold import access

    with store.transaction() as db:
        learned = {(d.agency, d.element) for d in questions.discloses(db, files, access.compiled(PACK))}
        alike = questions.discloses(db, (file_of("ERO", MIA), file_of("ORR", "UC3")), access.compiled(PACK))
    assert ("ORR", "benefit.existence") in learned
    assert not any(agency == "ERO" and element.startswith("benefit") for agency, element in learned)
    assert alike == []


def test_a_file_taken_away_owes_a_correction_to_everybody_told_and_given_back_is_told_again() -> None:
    court, ero = file_of("EOIR", "9000000"), file_of("ERO", ANA)
    child = child_of(court)
    told = one(
        "select id, recipient from notices_outbox where child = %s and corrects is null and sent is not null",
        child,
    )
    assert {row["recipient"] for row in told} == {"ORR", "ERO", "OPLA"}
    casework.separate(court, "it is another child's", office("person:1", LATER))
    ended = one("select protocol, outcome from followup_run where child = %s and ended is not null", child)
    assert {row["protocol"] for row in ended} >= {"missed-hearing"}
    corrected = one("select corrects from notices_outbox where corrects is not null and sent is not null")
    assert {row["corrects"] for row in corrected} == {row["id"] for row in told}
    alone = child_of(court)
    assert alone != child
    assert (
        one(
            "select kind from account_gap where child = %s and closed is null and kind like 'missed-hearing%%'",
            child,
        )
        == []
    )
    assert one(
        "select 1 from account_gap where child = %s and closed is null and kind like 'missed-hearing%%'",
        alone,
    )
    running = one("select protocol from followup_run where child = %s and ended is null", alone)
    assert "missed-hearing" in {row["protocol"] for row in running}, (
        "what is to be done goes where the file goes"
    )
    kinds = one(
        "select child from timeline_event where kind = 'separated' and detail ->> 'files' = %s", str(court)
    )
    assert {row["child"] for row in kinds} == {child, alone}
    for by in ("person:1", "person:2"):
        casework.decide_link(court, ero, "match", "it was hers", office(by, LATER + timedelta(hours=1)))
        if child_of(court) == child:
            break
    assert child_of(court) == child
    with store.transaction() as db:
        assert identity.resolve(db, alone) == child
    again = one(
        "select distinct recipient from notices_outbox where child = %s and corrects is null and created > %s",
        child,
        LATER,
    )
    assert {row["recipient"] for row in again} == {"ORR", "ERO", "OPLA"}


def test_a_held_file_needs_two_people() -> None:
    luis, ana = file_of("ORR", "UC2"), file_of("ERO", ANA)
    casework.hold_file(luis, True, "protected location", office())
    with store.transaction() as db:
        assert oversight.needs_two(db, (luis, ana), PACK)
        mate = store.fetch(
            db,
            "select o.id from identity_file f join identity_file o using (child) where f.id = %s and o.id <> f.id",
            [luis],
        )
        assert mate, "his other files are joined with hers, too"
        assert all(oversight.needs_two(db, (row["id"], ana), PACK) for row in mate)
    casework.hold_file(luis, False, "no longer", office())
    entries = one(
        "select verb from ledger_entry where thing = 'file' and verb in ('file.held', 'file.released')"
    )
    assert [row["verb"] for row in entries] == ["file.held", "file.released"]


def all_again() -> pl.Series:
    """Draw what was decided, all of it."""
    with ledger.acting_transaction("person:1") as db:
        pairs = [
            identity.pair(row["file_a"], row["file_b"])
            for row in store.fetch(
                db, "select file_a, file_b from identity_question where closed is not null"
            )
        ]
        identity.draw_again(db, pairs, 1.0, by="person:1", now=NOW)
        return store.frame(db, "select id from identity_review order by drawn, id")["id"]


def test_a_second_look_measures_agreement_and_a_contradiction_asks_a_third_time() -> None:
    for row in waiting():
        casework.decide_link(row["file_a"], row["file_b"], "no match", "different", office("person:1"))
    drawn = all_again()
    assert len(drawn) == 2
    with store.transaction() as db:
        assert identity.next_review(db, "person:1") is None
        assert identity.next_review(db, "person:2") == drawn[0]
    with pytest.raises(identity.NoReview):
        casework.look_again(drawn[0], "no match", "mine", office("person:1"))
    casework.look_again(drawn[0], "no match", "different", office("person:2"))
    casework.look_again(drawn[1], "match", "the same", office("person:2"))
    with store.transaction() as db:
        agreed = identity.said_twice(db)
    assert (agreed.of, agreed.same.share, agreed.kappa) == (2, 0.5, 0.0)
    again = waiting("person:3")
    assert [row["reason"] for row in again] == ["reviewers-disagree"]
    doubts = one(
        "select reason, count(*) as n from account_gap where kind = 'identity-doubt' and closed is null group by 1 order by 1"
    )
    assert doubts == [{"reason": "question", "n": 2}, {"reason": "two-numbers", "n": 1}], (
        "Luis's court case has Ana's"
    )
    casework.decide_link(
        again[0]["file_a"], again[0]["file_b"], "no match", "a third look", office("person:3", LATER)
    )
    assert waiting("person:4") == []


def test_links_made_without_a_person_are_drawn_by_weight_and_once() -> None:
    with ledger.acting_transaction("person:1") as db:
        assert identity.draw_linked(db, [0.0, 10.0, 15.0], 50, now=NOW) > 0
        assert identity.draw_linked(db, [0.0, 10.0, 15.0], 50, now=NOW) == 0
        rows = store.fetch(db, "select source, said, said_by, weight from identity_review")
    assert {(row["source"], row["said"], row["said_by"]) for row in rows} == {("linked", "match", "system")}


def test_the_ledger_holds_every_act_and_verifies() -> None:
    row = waiting()[0]
    casework.decide_link(row["file_a"], row["file_b"], "no match", "different", office("person:1"))
    found = one("select verb, ids from ledger_entry where verb = 'link.no-match' order by seq desc limit 1")
    assert set(found[0]["ids"]) == {row["file_a"], row["file_b"]}
    with ledger.acting_transaction(casework.SYSTEM) as db:
        assert ledger.verify(db).problems == []


def test_several_alike_are_decided_as_one() -> None:
    pairs = [(file_of("ERO", ANA), file_of("ERO", LUIS)), (file_of("ERO", MIA), file_of("ERO", LUIS))]
    casework.decide_links(pairs, "no match", "looked at both", office())
    assert (
        one("select count(*) as n from identity_judgement where until is null and judgement = 'no match'")[0][
            "n"
        ]
        == 2
    )


def command(*words: str) -> str:
    """A command of ``link`` as of the tests' moment; one that fails raises."""
    return invoke("link", *words, "--now", NOW.isoformat())


def invoke(*words: str) -> str:
    done = CliRunner().invoke(cli.handhold, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_line_says_which_model_decides_and_lets_another() -> None:
    own = identity.scale(PACK).version
    told = invoke("identity", "models")
    assert own in told
    assert "the pack" in told
    assert f"{own} decides" in invoke("identity", "adopt", own, "--by", "person:1")
    assert one("select verb, by from ledger_entry order by seq desc limit 1") == [
        {"verb": "model.adopted", "by": "person:1"}
    ]
    with pytest.raises(identity.ModelError, match="no model abc was trained here"):
        invoke("identity", "adopt", "abc", "--by", "person:1")


def test_the_command_line_holds_proposes_decides_and_takes_back() -> None:
    uscis, ero = (str(file_of(*key)) for key in MIAS)
    how = ("--why", "by hand", "--by")
    assert "same-number" in command("questions") or "alike" in command("questions")
    assert "proposed" in command("decide", uscis, ero, "match", *how, "person:1")
    assert "proposed" not in command("decide", uscis, ero, "match", *how, "person:2")
    assert child_of(int(uscis)) == child_of(int(ero))
    command("withdraw", uscis, ero, *how, "person:2")
    assert child_of(int(uscis)) != child_of(int(ero))
    command("hold", ero, *how, "person:1")
    assert one("select hold from identity_file where id = %s", int(ero)) == [{"hold": True}]
    command("release", ero, *how, "person:1")
    assert "expected precision" in command("quality", "--sample", "5")
    assert one("select count(*) > 0 as drawn from identity_review where source = 'linked'") == [
        {"drawn": True}
    ]


def court_file_apart() -> tuple[int, int, int]:
    """Ana's court file, her child, and the child that the file is now as if it had never been hers; nobody parted them."""
    court, child = file_of("EOIR", "9000000"), child_of(file_of("ERO", ANA))
    casework.separate(court, "a slip", office("person:1", LATER))
    with ledger.acting_transaction("person:1") as db:
        db.execute(
            "update identity_judgement set until = %s, ended_by = 'person:1' where until is null", [LATER]
        )
        db.execute("update identity_link set linked_by = 'match' where file = %s and until is null", [court])
        db.execute("update identity_file set linked_by = 'match' where id = %s", [court])
    return court, child, child_of(court)


def test_linking_all_again_joins_what_the_order_of_arrival_kept_apart_and_can_be_looked_at_first() -> None:
    court, child, alone = court_file_apart()
    how = ("--by", "person:1", "--now", (LATER + timedelta(hours=2)).isoformat())
    assert "would be: files with another child 1;" in invoke("link", "again", "--preview", *how)
    assert child_of(court) == alone
    assert "files with another child 1;" in invoke("link", "again", *how)
    assert child_of(court) == child
    with store.transaction() as db:
        assert identity.resolve(db, alone) == child
    said = one(
        "select kind, child from timeline_event where detail ->> 'files' = %s and at >= %s",
        str(court),
        LATER + timedelta(hours=2),
    )
    assert {(row["kind"], row["child"]) for row in said} == {("linked", child)}
    assert one("select by from ledger_entry where verb = 'file.relinked' order by seq desc limit 1") == [
        {"by": "person:1"}
    ]
    acts = one("select count(*) as n from ledger_entry where verb = 'file.relinked'")
    assert "files with another child 0;" in invoke("link", "again", *how)
    assert one("select count(*) as n from ledger_entry where verb = 'file.relinked'") == acts


def test_files_that_the_night_parts_owe_a_correction_to_everybody_told_of_them_as_one() -> None:
    """Mia's benefits file was with Ana, as an early link may be, when agencies were told about Ana."""
    strange, ero = file_of(*MIAS[0]), file_of("ERO", ANA)
    child = child_of(ero)
    with ledger.acting_transaction("person:1") as db:
        early = [child, NOW - timedelta(days=30), strange]
        db.execute("update identity_link set child = %s, since = %s where file = %s and until is null", early)
        db.execute("update identity_file set child = %s where id = %s", [child, strange])
    told = one(
        """select id, recipient from notices_outbox o where child = %s and corrects is null and sent is not null
           and not exists (select from notices_outbox c where c.corrects = o.id)""",
        child,
    )
    assert {row["recipient"] for row in told} == {"ORR", "ERO", "OPLA"}
    casework.link_again(office(casework.SYSTEM, LATER + timedelta(days=1)))
    assert child_of(strange) != child == child_of(ero)
    corrected = one(
        "select corrects, recipient from notices_outbox where corrects is not null and sent is not null"
    )
    assert {row["corrects"] for row in corrected} >= {row["id"] for row in told}
    parted = one(
        "select child from timeline_event where kind = 'separated' and detail ->> 'files' = %s", str(strange)
    )
    assert child in {row["child"] for row in parted}
    assert one("select by from ledger_entry where verb = 'file.relinked' order by seq desc limit 1") == [
        {"by": casework.SYSTEM}
    ]


def test_the_clock_links_all_again_once_a_night() -> None:
    court, child, alone = court_file_apart()
    night = datetime(2024, 6, 3, 6, 31, tzinfo=UTC)  # half past two where the calendar is
    jobs.run(lambda: night - timedelta(hours=1), once=True)
    assert child_of(court) == alone
    jobs.run(lambda: night, once=True)
    assert child_of(court) == child
    court, child, alone = court_file_apart()
    jobs.run(lambda: night + timedelta(hours=1), once=True)
    assert child_of(court) == alone
    jobs.run(lambda: night + timedelta(days=1), once=True)
    assert child_of(court) == child


def yes(found: identity.Interval) -> int:
    return round((found.share or 0.0) * found.of)


def test_what_is_linked_and_what_persons_said_is_counted_by_feed_and_by_weight() -> None:
    def quality() -> oversight.Quality:
        with store.transaction() as db:
            return oversight.quality(db, pack=PACK)

    before = quality()
    counted = {
        feed: [sum(numbers) for numbers in zip(*((m.files, yes(m.linked)) for m in months), strict=True)]
        for feed, months in before.rates.items()
    }
    assert counted["uscis.benefits"] == [1, 0], "Mia's is a child of its own, as far as anybody knows"
    assert [counts for feed, counts in counted.items() if feed.startswith("ero.")] == [[3, 3]]
    asked = waiting()[0]
    casework.decide_link(asked["file_a"], asked["file_b"], "no match", "two children", office())
    for was, now in zip(before.bins, quality().bins, strict=True):
        here = (was.low is None or was.low <= asked["weight"]) and (
            was.high is None or asked["weight"] < was.high
        )
        assert now.waiting == was.waiting - here
        assert (now.alike.of, yes(now.alike)) == (was.alike.of + here, yes(was.alike))
        assert now.links == was.links
