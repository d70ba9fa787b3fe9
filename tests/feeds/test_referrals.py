"""Labour referrals: a number goes out that names nobody, and what comes back under it finds the child's file."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from handhold import access, casework, store
from handhold.oversight import lists
from handhold.timeline import kinds

from .sending import NOW, PACK, adds_up, send, write

CONCERNS = """NOC ID,UC Portal ID,Reported At,Reported By,Category,Employer,Workplace City,Workplace State,Narrative,Status,Action At,RFA Number
N1,P1,2024-05-01,PRS,LABOR,ACME POULTRY,DALTON,GA,works nights,OPEN,,
N2,P2,2024-05-01,PRS,LABOR,,,,,OPEN,,
N3,P3,2024-05-01,PRS,ABUSE,ACME POULTRY,DALTON,GA,,OPEN,,
N4,P4,2024-05-02,PRS,TRAFFICKING,ACME POULTRY,DALTON,GA,,OPEN,,
"""
HEAD = "Action ID,Referral,Action,Action On,Note\n"


def _concerns(
    db: store.Db, folder: Path, text: str = CONCERNS, name: str = "concerns_2024-05-01_2024-05-02.csv"
):  # type: ignore[no-untyped-def]
    return send(db, write(folder, name, text))


def _numbers(db: store.Db) -> list[str]:
    return sorted(row["referral"] for row in lists.referrals(db))


def test_a_labour_concern_with_an_employer_is_given_a_number_that_says_nothing(
    db: store.Db, tmp_path: Path
) -> None:
    taken = _concerns(db, tmp_path)
    assert taken.kinds() == {"concern-raised": 4, "labour-referred": 2}
    numbers = _numbers(db)
    assert len(numbers) == 2
    assert all(re.fullmatch(r"R-[0-9A-Z]{10}", number) for number in numbers)
    referred = taken.reports.filter(taken.reports["kind"] == "labour-referred")
    assert set(referred["agency"]) == {"HANDHOLD"}
    assert set(referred["at"]) == {NOW}


def test_the_same_concern_is_referred_once(db: store.Db, tmp_path: Path) -> None:
    _concerns(db, tmp_path)
    numbers = _numbers(db)
    later = CONCERNS.replace("works nights,OPEN", "works nights,REFERRED")
    taken = send(
        db, write(tmp_path, "concerns_2024-05-02_2024-05-03.csv", later), now=NOW + timedelta(days=2)
    )
    assert taken.kinds() == {"concern-raised": 1, "labour-referred": 1}
    assert taken.reports.filter(taken.reports["kind"] == "labour-referred")["at"].item() == NOW, (
        "it was given out once"
    )
    assert _numbers(db) == numbers


def test_what_the_investigators_answer_belongs_to_the_file_of_the_concern(
    db: store.Db, tmp_path: Path
) -> None:
    concern = _concerns(db, tmp_path)
    first, second = _numbers(db)
    text = (
        HEAD
        + f"W1,{first.lower()} ,OPENED,2024-05-20,at the plant\nW2,R-NOBODY0000,CLOSED,2024-05-21,\nW3,{second},,2024-05-22,\n"
    )
    taken = send(db, write(tmp_path, "dol/actions_2024-05-01_2024-05-31.csv", text))
    assert adds_up(taken.one)
    assert (taken.one.loaded, taken.one.quarantined) == (2, 1)
    referred = concern.reports.filter(concern.reports["kind"] == "labour-referred")
    assert set(taken.reports["file"]) == set(referred["file"])
    assert '"action":"OPENED"' in taken.reports["detail"][0]
    assert "plant" in taken.reports["clinical"][0], "a note is sealed: people write what they like"
    assert len(taken.descriptions) == 0
    again = send(db, write(tmp_path, "dol/actions_2024-05-01_2024-06-01.csv", text + "\n"))
    assert (again.one.loaded, again.one.unchanged, again.one.quarantined) == (0, 2, 1)


@pytest.mark.parametrize("kind", ["labour-referred", "labour-action"])
def test_the_investigators_may_know_of_their_referral_and_ice_may_not(kind: str) -> None:
    table, element = access.compiled(PACK), kinds.KINDS[kind].element
    seats = {
        (role.agency, purpose)
        for role in access.roles(PACK).values()
        for purpose in role.purposes
        if element in access.elements(table, access.Reader("person:1", role.agency, role.name, purpose))
    }
    assert ("DOL", "labour") in seats
    assert {agency for agency, _ in seats} == {"DOL", "ORR", "PRS", "OIG"}


def test_the_list_of_referrals_names_no_child_and_no_workplace(database: str, tmp_path: Path) -> None:
    office = casework.Office(by="system", now=NOW, pack=PACK, workers=1)
    casework.arrive(
        [write(tmp_path, "orr/concerns_2024-05-01_2024-05-02.csv", CONCERNS)], office, sender="test"
    )
    with store.transaction() as db:
        number = _numbers(db)[0]
    text = HEAD + f"W1,{number},VIOLATION FOUND,2024-05-20,\n"
    casework.arrive([write(tmp_path, "dol/actions_2024-05-01_2024-05-31.csv", text)], office, sender="test")
    with store.transaction() as db:
        rows = lists.referrals(db)
        events = store.fetch(
            db,
            """select e.kind, f.agency, f.child from timeline_event e join identity_file f on f.id = e.file
               where e.kind in ('labour-referred', 'labour-action') and e.detail->>'referral' = %(n)s order by 1""",
            {"n": number},
        )
    assert {row["referral"]: row["actions"] for row in rows}[number] == 1
    assert set(rows[0]) == {"referral", "issued", "actions", "last"}
    assert [(e["kind"], e["agency"]) for e in events] == [
        ("labour-action", "ORR"),
        ("labour-referred", "ORR"),
    ]
    assert len({e["child"] for e in events}) == 1
