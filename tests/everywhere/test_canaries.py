"""Nobody's name, number, address or sponsor stands in the clear: not in a table, a log, a file beside it, or on a terminal.

Canaries are planted in every feed that can carry one, the main job runs, and then every byte under the home is read.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.deployment import NOW, REPOSITORY, Home, fresh_home
from nation import Nation, hearing, in_court, released

pytestmark = pytest.mark.slow

CANARIES = {
    "last name": "ZZQUINTANILLA",
    "first name": "ZZYOLOTZIN",
    "A-number": "987654321",
    "street": "7391 ZZCANARIO",
    "city": "ZZVILLEFRANCHE",
    "sponsor": "ZZPATRONA",
    "portal id": "UCZZ998877",
    "employer": "ZZEMPACADORA",
    "narrative": "ZZNARRATIVA",
    "new street": "8462 ZZMUDANZA",
    "case number": "9876501",
}


def planted() -> Nation:
    """One child in every feed, with a canary wherever a row can carry one."""
    who = {"last": CANARIES["last name"], "first": CANARIES["first name"]}
    number, portal, case = CANARIES["A-number"], CANARIES["portal id"], CANARIES["case number"]
    nation = released(
        Nation(),
        number,
        portal,
        line=CANARIES["street"],
        city=CANARIES["city"],
        sponsor=CANARIES["sponsor"],
        **who,
    )
    in_court(nation, number, case, **who)
    hearing(
        nation,
        "2024-03-01",
        reason="11",
        case=case,
        mailed="2024-02-01",
        line=CANARIES["street"],
        city=CANARIES["city"],
    )
    nation.add("orr.checkins", checkinid="C1", ucportalid=portal, attempt="1", attemptedat="2023-02-10", channel="PHONE", outcome="REACHED",
               childwithsponsor="N", childelsewherenote=CANARIES["narrative"], newaddressline1=CANARIES["new street"], newcity=CANARIES["city"],
               newstate="MD", newzip="20783")  # fmt: skip
    nation.add("orr.concerns", nocid="N1", ucportalid=portal, reportedat="2023-05-01", category="LABOR", employer=CANARIES["employer"],
               narrative=CANARIES["narrative"], status="OPEN")  # fmt: skip
    nation.add(
        "opla.cases",
        anumber=number,
        eoircase=case,
        respondent=f"{who['last']}, {who['first']}",
        updatedon="2024-05-31",
        disposition="OPEN",
    )
    nation.add("uscis.ar11", confirmation="AR1", anumber=number, lastname=who["last"], firstname=who["first"], filedon="2023-06-01",
               address1=CANARIES["new street"], city=CANARIES["city"], state="MD", zip="20783")  # fmt: skip
    broken = {
        "placementid": "",
        "ucportalid": portal,
        "lastnames": who["last"],
        "firstnames": who["first"],
        "admittedat": "2023-01-02",
    }
    return nation.add("orr.placements", dateofbirth="2008-03-31", program="X", **broken)


# Signs in as two who may know much and one who may know little, opens what there is, asks for what is not there, and lets a
# page fail; it prints addresses, headers, refusals and logs, but no page that its reader may see.
VISITS = """
import logging, re, sys
from handhold.web import people, setup
people.create_people("quartz-river-sable-tulip-mesa")
from django.test import Client
for role, purpose in (("specialist", "safety"), ("steward", "safety"), ("coordinator", "enforcement")):
    client = Client(raise_request_exception=False)
    client.post("/sign-in/", {"username": role, "password": "quartz-river-sable-tulip-mesa"})
    client.post("/purpose/", {"purpose": purpose})
    seen, todo = set(), ["/", "/notices/", "/feeds/", "/questions/", "/oversight/", "/ledger/", "/child/1/", "/notices/1/", "/feeds/1/"]
    while todo and len(seen) < 40:
        address = todo.pop(0)
        if address in seen:
            continue
        seen.add(address)
        answer = client.get(address)
        html = answer.content.decode()
        print(answer.status_code, address, dict(answer.headers))
        if answer.status_code != 200:
            print(html)
        todo += [link for link in re.findall(r'href="(/[^"#]*)"', html) if not link.startswith("/static")]
    from handhold.oversight import lists
    whole, lists.deliveries = lists.deliveries, lambda *_, **__: 1 / 0
    broken = client.get("/feeds/")
    print(broken.status_code, broken.content.decode() if broken.status_code == 500 else "")
    lists.deliveries = whole
"""


def pages(home: Home) -> str:
    """What three people's visits leave in addresses, headers, error pages and logs."""
    done = subprocess.run(
        [sys.executable, "-c", VISITS],
        env=os.environ | {"HANDHOLD_HOME": str(home.where), "PYTHONPATH": str(REPOSITORY / "src"), "HANDHOLD_NOW": NOW},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """The home after the main job, and everything it printed."""
    folder = planted().write(tmp_path_factory.mktemp("feeds"))
    with fresh_home() as home:
        said = home.handhold("run", str(folder), "--now", NOW)
        for command in (
            ["report", "--explain", "children", "--now", NOW],
            ["link", "questions"],
            ["verify"],
            ["notices", "ORR", "--now", NOW],
        ):
            said += home.handhold(*command)
        said += pages(home)
        home.handhold("db", "stop")
        yield home.where, said


@pytest.mark.parametrize("what", CANARIES)
def test_no_file_under_the_home_has_it(ran: tuple[Path, str], what: str) -> None:
    home, _ = ran
    wanted = [CANARIES[what].encode(), CANARIES[what].encode("utf-16-le")]
    found = [
        path.relative_to(home)
        for path in home.rglob("*")
        if path.is_file() and any(w in path.read_bytes() for w in wanted)
    ]
    assert found == []


@pytest.mark.parametrize("what", CANARIES)
def test_nothing_printed_has_it(ran: tuple[Path, str], what: str) -> None:
    assert CANARIES[what] not in ran[1]


def test_the_canaries_were_really_taken_in(ran: tuple[Path, str]) -> None:
    """A search that finds nothing proves something only if there was something."""
    home, said = ran
    assert "uscis.ar11" in said and "quarantined" in said
    assert (
        "200 /child/" in said and "404 /child/1/" in said and "500 " in said and "ZeroDivisionError" in said
    )
    assert sum(path.stat().st_size for path in (home / "blobs").rglob("*") if path.is_file()) > 1000
