"""A story for each kind of gap: when it opens, when it does not, what closes it, when it wakes."""

from datetime import datetime, timedelta

from builders import PACK, at, event, released

from handhold.account.fold import fold
from handhold.account.gaps import ALONE, Around, gaps
from handhold.account.model import Event, Gap, SharedPlace

NOW = at("2024-05-31 12:00")


def found(events: list[Event], kind: str, now: datetime = NOW, around: Around = ALONE) -> list[Gap]:
    """The open gaps of a kind."""
    every = gaps(fold(events, now, PACK), now, PACK, around)
    return [gap for gap in every if gap.kind == kind and gap.closed is None]


def wakes(events: list[Event], now: datetime) -> datetime | None:
    return fold(events, now, PACK).wakes_at


def missed(when: str = "2024-01-05", known: str = "2024-01-08", **more: object) -> Event:
    return event(
        "missed-hearing",
        when,
        known=known,
        row=more.pop("row", 7),
        pattern=more.pop("pattern", "reset"),
        **more,
    )


class TestMissedHearingUntold:
    def test_each_agency_that_shows_nothing_is_untold(self) -> None:
        untold = found([*released(), missed()], "missed-hearing-untold")
        assert {gap.reason for gap in untold} == {"ORR", "ERO", "OPLA"}
        # Known to the court on Monday the 8th: one business day later is the end of Tuesday.
        assert {gap.due for gap in untold} == {at("2024-01-10")}

    def test_an_agency_whose_own_feed_shows_it_has_been_told(self) -> None:
        events = [*released(), missed(), event("missed-hearing-noted", "2024-02-01", agency="OPLA")]
        assert {gap.reason for gap in found(events, "missed-hearing-untold")} == {"ORR", "ERO"}

    def test_a_note_about_an_earlier_hearing_does_not_count_for_the_last(self) -> None:
        events = [
            *released(),
            missed(),
            event("missed-hearing-noted", "2024-02-01", agency="ERO"),
            missed("2024-03-04", "2024-03-05", row=9),
        ]
        assert "ERO" in {gap.reason for gap in found(events, "missed-hearing-untold")}

    def test_sending_is_not_enough_and_acknowledging_is(self) -> None:
        hearing = missed()
        about = {"recipient": "ORR", "about": str(hearing.id), "kind": "missed-hearing"}
        sent = [*released(), hearing, event("told", "2024-01-09", **about)]
        assert "ORR" in {gap.reason for gap in found(sent, "missed-hearing-untold")}
        assert fold(sent, NOW, PACK).told.more["ORR"] == "sent"
        acknowledged = [*sent, event("acknowledged", "2024-01-10", **about)]
        assert "ORR" not in {gap.reason for gap in found(acknowledged, "missed-hearing-untold")}

    def test_an_acknowledgement_outlives_a_correction_of_the_row(self) -> None:
        ack = event(
            "acknowledged", "2024-01-10", recipient="ORR", about="999999", kind="missed-hearing-untold"
        )
        assert "ORR" not in {gap.reason for gap in found([missed(), ack], "missed-hearing-untold")}

    def test_an_acknowledgement_of_the_first_hearing_is_none_of_the_second(self) -> None:
        first, second = missed(), missed("2024-03-04", "2024-03-05", row=9)
        ack = event("acknowledged", "2024-04-01", recipient="ORR", about=str(first.id), kind="missed-hearing")
        assert "ORR" in {gap.reason for gap in found([first, second, ack], "missed-hearing-untold")}

    def test_two_rows_about_one_day_are_one_hearing(self) -> None:
        events = [missed(), missed(pattern="in-absentia", row=8)]
        assert len(found(events, "missed-hearing-untold")) == 3
        assert len(fold(events, NOW, PACK).missed) == 1


class TestNoticeToOldAddress:
    moved = ("contact-attempted", "2023-08-01")

    def test_mailed_after_somebody_knew_better(self) -> None:
        events = [
            *released(place=10),
            event(*self.moved, outcome="REACHED", place=11, address_confirmed="N"),
            event("notice-mailed", "2023-09-01", place=10, subject=7, row=70),
        ]
        (gap,) = found(events, "notice-to-old-address")
        assert gap.evidence["knew"] == "ORR"
        assert gap.evidence["days_before_mailing"] == 31

    def test_knowledge_of_the_same_day_is_not_before(self) -> None:
        events = [
            *released(place=10),
            event(*self.moved, outcome="REACHED", place=11),
            event("notice-mailed", "2023-08-01", place=10, subject=7, row=70),
        ]
        assert not found(events, "notice-to-old-address")

    def test_what_counts_is_when_they_knew_it_not_when_the_child_moved(self) -> None:
        filed = event(
            "address-stated", "2023-08-01", known="2023-09-15", agency="USCIS", basis="ar11", place=11
        )
        notice = event("notice-mailed", "2023-09-01", place=10, subject=7, row=70)
        assert not found([*released(place=10), filed, notice], "notice-to-old-address")

    def test_ero_copy_of_the_release_address_is_nobodys_news(self) -> None:
        copy = event("address-stated", "2023-08-20", agency="ERO", basis="ero", place=10)
        notice = event("notice-mailed", "2023-09-01", place=10, subject=7, row=70)
        assert not found([*released(place=10), copy, notice], "notice-to-old-address")

    def test_an_address_that_nobody_can_use_is_not_knowing_better(self) -> None:
        vague = event(
            "address-stated", "2023-08-20", agency="USCIS", basis="ar11", place=12, flags="general-delivery"
        )
        notice = event("notice-mailed", "2023-09-01", place=10, subject=7, row=70)
        assert not found([*released(place=10), vague, notice], "notice-to-old-address")

    def test_closed_by_a_notice_to_the_right_place_before_the_hearing(self) -> None:
        events = [
            *released(place=10),
            event(*self.moved, outcome="REACHED", place=11),
            event("notice-mailed", "2023-09-01", place=10, subject=7, row=70),
            event("hearing-held", "2023-12-01 09:00", row=7, reason="8A"),
        ]
        again = event("notice-mailed", "2023-10-01", place=11, subject=7, row=71)
        too_late = event("notice-mailed", "2023-12-02", place=11, subject=7, row=71)
        assert not found([*events, again], "notice-to-old-address")
        assert found([*events, too_late], "notice-to-old-address")


class TestNoUsableAddress:
    def test_each_kind_of_bad_release_address(self) -> None:
        for flags, quality in (
            ("blank", "blank"),
            ("general-delivery", "undeliverable"),
            ("bad-zip", "undeliverable"),
            ("no-unit", "no-unit"),
        ):
            (gap,) = found(released(place=None if flags == "blank" else 10, flags=flags), "no-usable-address")
            assert gap.reason == quality

    def test_a_later_whole_address_closes_it(self) -> None:
        later = event("address-stated", "2023-08-20", agency="EOIR", basis="eoir33", place=12, flags="")
        assert not found([*released(flags="no-unit"), later], "no-usable-address")

    def test_a_blank_copy_elsewhere_does_not_open_it(self) -> None:
        copy = event("address-stated", "2024-05-30", agency="ERO", basis="ero", place=None, flags="blank")
        assert not found([*released(), copy], "no-usable-address")

    def test_a_later_address_without_its_unit_opens_it(self) -> None:
        later = event("contact-attempted", "2023-08-20", place=12, flags="no-unit", outcome="REACHED")
        assert found([*released(), later], "no-usable-address")

    def test_only_those_released_to_a_sponsor_need_one(self) -> None:
        assert not found(
            [event("discharged", "2023-01-01", type="VOLUNTARY DEPARTURE", flags="blank", row=5)],
            "no-usable-address",
        )


class TestTransferLate:
    def test_more_than_72_hours(self) -> None:
        late = [
            event("determined", "2023-02-01 08:00", row=1),
            event("transferred", "2023-02-04 08:01", row=1),
        ]
        in_time = [
            event("determined", "2023-02-01 08:00", row=1),
            event("transferred", "2023-02-04 08:00", row=1),
        ]
        assert found(late, "transfer-late")
        assert not found(in_time, "transfer-late")

    def test_still_held_wakes_when_the_clock_runs_out(self) -> None:
        held = [event("determined", "2023-02-01 08:00", row=1)]
        assert not found(held, "transfer-late", at("2023-02-04 08:00") - timedelta(seconds=1))
        assert wakes(held, at("2023-02-02")) == at("2023-02-04 08:00")
        assert [gap.reason for gap in found(held, "transfer-late", at("2023-02-05"))] == ["still-held"]

    def test_orrs_own_admission_shows_the_transfer_where_ero_says_nothing(self) -> None:
        events = [
            event("determined", "2023-02-01 08:00", row=1),
            event("admitted", "2023-02-02 08:00", row=2),
        ]
        assert not found(events, "transfer-late")


class TestReleaseNotTold:
    def test_never_late_and_in_time(self) -> None:
        release = event("discharged", "2023-03-01", type="REUNIFIED", place=1, row=5)
        assert [gap.reason for gap in found([release], "release-not-told")] == ["never"]
        assert [
            gap.reason for gap in found([release, event("told-dhs", "2023-03-03", row=5)], "release-not-told")
        ] == ["late"]
        assert not found([release, event("told-dhs", "2023-03-02", row=5)], "release-not-told")

    def test_nothing_is_late_before_the_day_is_over(self) -> None:
        release = [event("discharged", "2023-03-01", type="REUNIFIED", place=1, row=5)]
        assert not found(release, "release-not-told", at("2023-03-02 23:00"))
        assert wakes(release, at("2023-03-02 23:00")) == at("2023-03-03")


class TestAbsenceUnreported:
    def test_names_who_was_not_told_and_closes_when_all_are(self) -> None:
        gone = [
            event("discharged", "2023-03-01", type="RAN AWAY", row=5),
            event("absence-began", "2023-03-01", row=6),
        ]
        assert [gap.reason for gap in found(gone, "absence-unreported")] == ["police+NCMEC+ICE"]
        gone += [
            event("police-told", "2023-03-01", row=6),
            event("ncmec-told", "2023-03-01", row=6, number=True),
        ]
        assert [gap.reason for gap in found(gone, "absence-unreported")] == ["ICE"]
        assert not found([*gone, event("ice-told", "2023-03-05", row=6)], "absence-unreported")

    def test_a_discharge_as_run_away_without_any_report_counts(self) -> None:
        assert found([event("discharged", "2023-03-01", type="RAN AWAY", row=5)], "absence-unreported")


class TestNoChargingDocument:
    unserved = staticmethod(
        lambda: [e for e in released("2023-03-01") if e.kind != "charging-document-served"]
    )

    def test_served_is_served_whoever_filed_it(self) -> None:
        assert not found(released(), "no-charging-document")
        filed = [*self.unserved(), event("charging-document-filed", "2023-04-01", basis="court")]
        assert found(filed, "no-charging-document")

    def test_recent_then_unexplained_and_the_change_wakes(self) -> None:
        soon = at("2023-03-10")
        assert [gap.reason for gap in found(self.unserved(), "no-charging-document", soon)] == ["N-NEW"]
        assert [gap.reason for gap in found(self.unserved(), "no-charging-document")] == ["N-UNK"]
        assert wakes(self.unserved(), soon) == at("2023-03-01") + timedelta(days=90)

    def test_the_reason_follows_the_evidence(self) -> None:
        for more, code in (
            (event("charging-document-held", "2024-05-31", reason="uscis"), "N-USCIS"),
            (event("charging-document-held", "2024-05-31", reason="backlog"), "N-BACKLOG"),
            (event("charging-document-held", "2024-05-31", reason="address"), "N-ADDR"),
            (event("charging-document-issued", "2023-05-31"), "N-ISSUED"),
            (event("benefit-filed", "2023-05-31", row=90, first=True), "N-USCIS"),
            (event("case-status", "2024-05-31", status="DEPARTED"), "N-DEPART"),
            (event("case-completed", "2024-01-31", other="F"), "N-FTPROS"),
        ):
            assert [gap.reason for gap in found([*self.unserved(), more], "no-charging-document")] == [code]


class TestMissedHearingUnexplained:
    def reason(self, *more: Event) -> str:
        events = [
            *released(place=10),
            event("hearing-held", "2024-01-05 09:00", row=7, reason="11"),
            missed(),
            *more,
        ]
        (gap,) = found(events, "missed-hearing-unexplained")
        return gap.reason

    def test_proposals(self) -> None:
        mailed = event("notice-mailed", "2023-12-01", place=10, subject=7, row=70)
        assert self.reason() == "F-UNK"
        assert self.reason(mailed) == "F-UNK"
        assert (
            self.reason(mailed, event("contact-attempted", "2023-11-01", outcome="REACHED", place=11))
            == "F-OLDADDR"
        )
        assert self.reason(mailed, event("notice-returned", "2023-12-20", subject=7, row=70)) == "F-NONOTICE"
        assert self.reason(event("notice-mailed", "2024-01-02", place=10, subject=7, row=70)) == "F-NONOTICE"
        assert self.reason(event("admitted", "2023-12-01 10:00", row=99)) == "F-CUSTODY"
        assert (
            self.reason(event("concern-raised", "2023-12-01", category="TRAFFICKING", status="OPEN"))
            == "F-HARM"
        )

    def test_an_order_reopened(self) -> None:
        order = missed(pattern="in-absentia", row=40)
        events = [order, event("proceeding-opened", "2024-03-01", row=41)]
        assert [gap.reason for gap in found(events, "missed-hearing-unexplained")] == ["F-RESCINDED"]

    def test_a_persons_decision_closes_it(self) -> None:
        hearing = missed()
        decided = event(
            "reason-decided",
            "2024-02-01",
            kind="missed-hearing-unexplained",
            about=str(hearing.id),
            code="F-SPONSOR",
        )
        assert found([hearing], "missed-hearing-unexplained")
        assert not found([hearing, decided], "missed-hearing-unexplained")


class TestOthers:
    def test_shared_address_needs_the_neighbours(self) -> None:
        shared = Around([SharedPlace(10, 3, 4, at("2023-05-01"))])
        (gap,) = found(released(place=10), "shared-address", around=shared)
        assert gap.evidence["families"] == 3
        assert not found(released(place=10), "shared-address")
        assert not found(released(place=11), "shared-address", around=shared)

    def test_nobody_is_responsible_until_somebody_is(self) -> None:
        gone = [event("transferred", "2023-02-01 10:00", row=1), event("absence-began", "2023-03-01", row=6)]
        assert found(gone, "no-one-responsible")
        assert not found([*gone, event("child-found", "2023-03-04", row=6)], "no-one-responsible")
        assert not found([*gone, event("admitted", "2023-03-04 10:00", row=8)], "no-one-responsible")

    def test_identity_doubt_while_a_question_waits(self) -> None:
        assert found(released(), "identity-doubt", around=Around(doubts=1))
        assert not found(released(), "identity-doubt")
