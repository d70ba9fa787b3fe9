"""The words in which the story is told: what arrives, what stands open, who does what. Each goes through casework or the command line."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from nation import Nation, hearing, in_court, released

from handhold import account, casework, cli, feeds, followup, notices, pack, store, timeline
from handhold.access import Reader

PEOPLE = {
    "ORR": ("specialist", "safety"),
    "ERO": ("coordinator", "court"),
    "OPLA": ("attorney", "court"),
    "PRS": ("caseworker", "safety"),
    "LSP": ("counsel", "court"),
    "HANDHOLD": ("steward", "safety"),
}


def the_sixteen_year_old() -> Nation:
    """Ana, born in March 2008, released to an aunt in Hyattsville; what five agencies each wrote down about her."""
    nation = released(Nation(), line="197 ELM ST", unit="APT 3")
    in_court(nation)
    nation.add("orr.checkins", checkinid="C-1", ucportalid="UC1", dueday="30", attempt="1", attemptedat="2024-01-10 15:00",
               channel="PHONE", outcome="REACHED", childwithsponsor="Y", addressconfirmed="N", newaddressline1="5 OAK AVE", newunit="APT 2",
               newcity="HYATTSVILLE", newstate="MD", newzip="20783", documentedon="2024-01-11")  # fmt: skip
    hearing(nation, "2024-05-28", reason="11", mailed="2024-03-05", line="197 ELM ST", unit="APT 3")
    return nation.add("opla.cases", anumber="216043624", eoircase="9000000", respondent="DUARTE, ANA", dateofbirth="2008-03-31",
                      ntafileddate="2023-03-01", disposition="OPEN", updatedon="2024-05-31")  # fmt: skip


@dataclass
class Story:
    """One deployment as its people see it. ``now`` is the moment of the chapter."""

    now: datetime

    def it_is(self, moment: str) -> None:
        """Time goes on."""
        self.now = datetime.fromisoformat(moment)

    def _office(self, by: str = casework.SYSTEM) -> casework.Office:
        return casework.Office(by=by, now=self.now, pack=pack.load(), workers=1)

    def arrives(self, folder: Path) -> casework.Arrival:
        """A folder of feeds arrives and is followed to the notices it causes."""
        return casework.arrive(feeds.find(folder), self._office(), sender="story")

    def time_passes(self) -> casework.Arrival:
        """Nobody does anything; the clock alone has moved."""
        return casework.time_passed(self._office())

    def child(self) -> int:
        """The one child there is."""
        with store.transaction() as db:
            (row,) = store.fetch(db, "select child from account_standing")
        return int(row["child"])

    def answers(self) -> dict[str, Any]:
        """The child's account."""
        with store.transaction() as db:
            return account.read(db, self.child())

    def open_gaps(self) -> set[str]:
        """What is missing, as ``kind`` or ``kind/agency``."""
        return {
            f"{g['kind']}/{g['reason']}" if g["kind"] == "missed-hearing-untold" else g["kind"]
            for g in self.gaps()
        }

    def gaps(self) -> list[dict[str, Any]]:
        """The open gaps with their evidence."""
        with store.transaction() as db:
            return store.fetch(
                db, "select kind, reason, owner, evidence from account_gap where closed is null order by id"
            )

    def inbox(self, agency: str) -> list[dict[str, Any]]:
        """The notices that wait for an agency."""
        with store.transaction() as db:
            return notices.inbox(db, agency, now=self.now)

    def letter(self, agency: str, about: str) -> str:
        """The text of the notice to ``agency`` about a kind of gap."""
        (notice,) = [n for n in self.inbox(agency) if n["about_kind"].startswith(about)]
        with store.transaction() as db:
            return str(notices.read(db, notice["id"], agency=agency, now=self.now)["text"])

    def acknowledges(self, agency: str) -> None:
        """Somebody of the agency acknowledges everything that waits there, on the command line."""
        for notice in self.inbox(agency):
            self.command(
                "acknowledge", str(notice["id"]), "--agency", agency, "--by", f"person:{agency.lower()}"
            )

    def steps(self, agency: str) -> dict[str, int]:
        """What the agency's person has to do: step by name."""
        with store.transaction() as db:
            return {
                row["name"]: row["id"]
                for row in followup.worklist(db, agency, PEOPLE[agency][0], now=self.now)
            }

    def does(self, agency: str, step: str, outcome: str) -> None:
        """The agency's person says, on the command line, that a step is done and what came of it."""
        self.command(
            "step", "done", str(self.steps(agency)[step]), outcome, "--by", f"person:{agency.lower()}"
        )

    def seen_by(self, agency: str, purpose: str | None = None) -> timeline.Told:
        """The timeline as the agency's person sees it."""
        role, usual = PEOPLE[agency]
        with store.transaction() as db:
            return timeline.tell(db, self.child(), Reader("1", agency, role, purpose or usual), now=self.now)

    def figure(self, name: str) -> tuple[int, int]:
        """A number of the picture, and how many children stand under it when it is opened."""
        from handhold import oversight

        with store.transaction() as db:
            opened = oversight.explain(db, name, now=self.now, pack=pack.load())
        return opened.value, opened.rows["child"].n_unique()

    def command(self, *words: str, now: bool = True) -> str:
        """Run ``handhold WORDS`` as of the story's moment; a command that fails fails the story."""
        done = CliRunner().invoke(
            cli.handhold, [*words, *(["--now", self.now.isoformat()] if now else [])], catch_exceptions=False
        )
        assert done.exit_code == 0, done.output
        return done.output


def later(story: Story, moment: str) -> Story:
    """The same deployment at another moment."""
    return replace(story, now=datetime.fromisoformat(moment))
