"""The rows of ERO, ORR, OPLA and USCIS, in the columns of the feed contract; each frame also carries ``child``."""

from dataclasses import dataclass

import numpy as np
import polars as pl

from .court import Cases
from .draw import (
    ISO,
    NEVER,
    US,
    Bools,
    Chance,
    Ints,
    between,
    chosen,
    gather,
    happens,
    joined,
    numbered,
    weighted,
    written,
    written_hours,
)
from .entry import Typed, formatted, key, numbers, typed
from .lives import Charges, Custody, Moves, until
from .parameters import Rates
from .people import LANGUAGES, People
from .places import blanked
from .words import CONCERNS, COUNTRIES, EMPLOYERS, GIVEN_FEMALE, LEVELS, OFFICES, PROGRAMS

COUNTRY_NAMES = [name for name, *_ in COUNTRIES]
CASE_FROM = 9_000_000
ORR_FROM = 3_000_000


@dataclass(frozen=True)
class World:
    """Everything that happened: what the writers of the feeds put down."""

    chance: Chance
    rates: Rates
    error: float
    as_of: int
    who: People
    held: Custody
    moved: Moves
    charged: Charges
    cases: Cases

    def typed(self, agency: str) -> Typed:
        """Everybody as ``agency`` typed them."""
        return typed(self.chance, self.rates, agency, self.who, self.error)

    def numbers(self, agency: str, *, siblings: bool = False) -> Ints:
        """Everybody's A-number as ``agency`` has it."""
        return numbers(self.chance, self.rates, agency, self.who, self.error, siblings=siblings)

    def whole(self, of_cases: Ints) -> Ints:
        """A column of days a case as one a child, ``NEVER`` for those without a case."""
        days = np.full(len(self.who), NEVER, dtype=np.int64)
        days[self.cases.child] = of_cases
        return days

    @property
    def position(self) -> Ints:
        """0, 1, 2 …: the children."""
        return np.arange(len(self.who), dtype=np.int64)


def sexes(male: Bools) -> pl.Series:
    """``M`` or ``F``."""
    return gather("FM", male.astype(np.int64))


def ero(world: World) -> pl.DataFrame:
    """ERO's spreadsheet: one row a child."""
    rng, who, held, charged = world.chance.stream("ero"), world.who, world.held, world.charged
    n, rates, as_typed = len(who), world.rates, world.typed("ERO")
    address = blanked(held.address, happens(rng, n, rates.ero_address_blank))
    filed = np.where(
        happens(rng, n, rates.ero_filed_blank) & (world.whole(world.cases.filed) != NEVER),
        NEVER,
        charged.filed,
    )
    day = np.full(n, world.as_of, dtype=np.int64)
    return pl.DataFrame(
        {
            "A-Number": formatted(rng, who.number),
            "Last Name": as_typed.last,
            "First Name": as_typed.first,
            "Middle Name": as_typed.middle,
            "Date of Birth": written(as_typed.born, US),
            "Sex": sexes(who.male),
            "Country of Citizenship": gather(COUNTRY_NAMES, who.country),
            "Apprehension Date": written(who.determined, US),
            "UC Determination Date": written_hours(held.determined_hour),
            "Transfer to ORR Date": written_hours(held.transferred_hour),
            "Responsible AOR": gather(OFFICES, between(rng, n, 0, len(OFFICES) - 1)),
            "NTA Issued Date": written(charged.issued, US),
            "NTA Served Date": written(charged.served, US),
            "Served On": chosen(
                charged.served != NEVER, gather(["CHILD", "ADULT", "BOTH"], between(rng, n, 0, 2))
            ),
            "NTA Filed Date": written(filed, US),
            "NTA Hold Reason": _hold(world),
            "Release Address": address["line"],
            "Unit": address["unit"],
            "City": address["city"],
            "State": address["state"],
            "Zip": address["zip"],
            "FTA Noted Date": written(_noted(world), US),
            "Case Status": _status(world),
            "Updated On": written(day, US),
            "child": world.position,
        }
    )


def _noted(world: World) -> Ints:
    """The day an ERO officer re-keyed a missed hearing."""
    rng, n = world.chance.stream("ero notes"), len(world.who)
    missed = world.whole(world.cases.missed)
    knows = (missed != NEVER) & happens(rng, n, world.rates.ero_knows)
    return until(np.where(knows, missed + between(rng, n, 20, 106), NEVER), world.as_of)


def _status(world: World) -> pl.Series:
    absent = np.zeros(len(world.who), dtype=np.bool_)
    absent[world.cases.child] = world.cases.absentia
    frame = pl.DataFrame({"kind": world.held.kind, "absent": absent, "gone": world.held.discharged != NEVER})
    said = (
        pl.when("absent")
        .then(pl.lit("FINAL ORDER"))
        .when((pl.col("kind") == "VOLUNTARY DEPARTURE") & pl.col("gone"))
        .then(pl.lit("DEPARTED"))
        .when((pl.col("kind") == "RELIEF GRANTED") & pl.col("gone"))
        .then(pl.lit("RELIEF"))
        .otherwise(pl.lit("ACTIVE"))
    )
    return frame.select(said.alias("s"))["s"]


def _hold(world: World) -> pl.Series:
    """Why no charging document was served, as far as the sheet says."""
    rng, n = world.chance.stream("holds"), len(world.who)
    waiting = world.charged.served == NEVER
    bad = (bad_address(world.held.address) != "").to_numpy() & world.held.released
    uscis = asylum(world) != NEVER
    word = np.select(
        [
            waiting & bad & happens(rng, n, 0.7),
            waiting & uscis & happens(rng, n, world.rates.hold_uscis),
            waiting & happens(rng, n, world.rates.hold_backlog),
        ],
        [1, 2, 3],
        0,
    )
    return gather(["", "no good address", "I-589 pending w/ USCIS", "backlog"], word.astype(np.int64))


def bad_address(text: pl.DataFrame) -> pl.Series:
    """What is wrong with each address (columns ``line unit zip``): ``BLANK``, ``UNDELIVERABLE``, ``NO UNIT`` or nothing."""
    line = pl.col("line").str.strip_chars()
    nowhere = (
        line.is_in(["ADDRESS UNKNOWN", "GENERAL DELIVERY"])
        | (pl.col("zip") == "00000")
        | ~line.str.contains(r"^\d")
    )
    said = (
        pl.when(line == "")
        .then(pl.lit("BLANK"))
        .when(nowhere)
        .then(pl.lit("UNDELIVERABLE"))
        .when(line.str.ends_with(" APT") & (pl.col("unit") == ""))
        .then(pl.lit("NO UNIT"))
        .otherwise(pl.lit(""))
    )
    return text.select(said.alias("bad"))["bad"]


def portal_ids(world: World) -> pl.Series:
    """ORR's number for each child."""
    order = world.chance.stream("portal").permutation(len(world.who))
    return numbered("UC", ORR_FROM + order)


def _described(world: World, name: str) -> tuple[dict[str, pl.Series], Typed]:
    """The columns with which ORR describes a child; the same in all its files."""
    rng, who, as_typed = world.chance.stream("orr numbers"), world.who, world.typed("ORR")
    blank = happens(rng, len(who), world.rates.number_blank_orr)
    number = world.numbers("ORR", siblings=True)
    columns = {
        "UC Portal ID": portal_ids(world),
        "A-Number": formatted(world.chance.stream("orr style"), number, blank),
        "Last Names": as_typed.last,
        "First Names": as_typed.given,
        "Date of Birth": written(as_typed.born, ISO),
        "Sex": sexes(who.male),
        "Country of Birth": gather(COUNTRY_NAMES, who.country),
    }
    return {name: numbered(name[0], world.position), **columns}, as_typed


def placements(world: World) -> pl.DataFrame:
    """ORR's placements: one row a child."""
    rng, held, n = world.chance.stream("placements"), world.held, len(world.who)
    columns, _ = _described(world, "Placement ID")
    program = between(rng, n, 0, len(PROGRAMS) - 1)
    levels = [next((level for word, level in LEVELS.items() if word in name), "SHELTER") for name in PROGRAMS]
    ran = chosen(
        (held.kind == "RAN AWAY").to_numpy(),
        gather(["UNAUTHORIZED ABSENCE"], np.zeros(n, dtype=np.int64)),
        "DISCHARGE",
    )
    return pl.DataFrame(
        {
            **columns,
            "Language": gather(LANGUAGES, world.who.language),
            "Program": gather(PROGRAMS, program),
            "Level of Care": gather(levels, program),
            "Admitted At": written_hours(held.admitted_hour),
            "Left At": written(held.discharged, ISO),
            "Left To": chosen(held.discharged != NEVER, ran),
            "child": world.position,
        }
    )


def discharges(world: World) -> pl.DataFrame:
    """ORR's discharges: one row a child who has left its care."""
    rng, held, n = world.chance.stream("discharges"), world.held, len(world.who)
    columns, _ = _described(world, "Discharge ID")
    kin = {"1": "PARENT", "2A": "RELATIVE", "2B": "RELATIVE", "3": "UNRELATED"}

    def sponsored(column: pl.Series) -> pl.Series:
        return chosen(held.released, column)

    first = gather(GIVEN_FEMALE, between(rng, n, 0, len(GIVEN_FEMALE) - 2))
    frame = pl.DataFrame(
        {
            **columns,
            "Discharged At": written(held.discharged, ISO),
            "Discharge Type": held.kind,
            "Sponsor ID": sponsored(numbered("SP", held.sponsor)),
            "Sponsor Last Names": sponsored(world.who.names["s1"].gather(held.sponsor)),
            "Sponsor First Names": sponsored(first.gather(held.sponsor)),
            "Sponsor Category": sponsored(held.category),
            "Relationship": sponsored(held.category.replace_strict(kin, return_dtype=pl.String)),
            "Address Line 1": held.address["line"],
            "Unit": held.address["unit"],
            "City": held.address["city"],
            "State": held.address["state"],
            "Zip": held.address["zip"],
            "Phone": sponsored(numbered("555", 1_000_000 + held.sponsor * 7919 % 8_999_993)),
            "Other Phone": gather([""], np.zeros(n, dtype=np.int64)),
            "DHS Notified At": written(held.told, ISO),
            "Post-Release Services Level": gather("0123", between(rng, n, 0, 3)),
            "Home Study": gather("NY", happens(rng, n, world.rates.home_study).astype(np.int64)),
            "child": world.position,
            "family": world.who.family,
            "cluster": held.cluster,
        }
    )
    return frame.filter(pl.Series(held.discharged != NEVER))


def published_list(world: World) -> pl.DataFrame:
    """HHS's list of releases in the shape in which it was published: no names, dates as m/d/Y, ZIPs without their leading
    zeros, and two IDs that stand twice."""
    held = world.held
    out = np.flatnonzero(held.released)
    frame = pl.DataFrame(
        {
            "ID": pl.Series(np.arange(1, len(out) + 1)).cast(pl.String),
            "Child's Country of Origin": gather(COUNTRY_NAMES, world.who.country[out]),
            "Child's Gender": sexes(world.who.male).gather(out),
            "Child's Date of Entry": written(held.transferred_hour[out] // 24, US),
            "Child's Date of Release": written(held.discharged[out], US),
            "Sponsor Zipcode": held.address["zip"].gather(out).str.strip_chars_start("0"),
            "Sponsor Category": "Category " + held.category.gather(out),
            "Relationship of Sponsor": "",
        }
    )
    place = pl.int_range(pl.len())
    twice = frame.select(ID=pl.when(place.is_in([4, 9])).then(place.cast(pl.String)).otherwise("ID"))
    return frame.with_columns(twice["ID"])


def checkins(world: World) -> pl.DataFrame:
    """ORR's calls after release: those due on day 7, 14 and 30, second attempts, and calls that found a new address."""
    parts = [_due(world, due, low, high) for due, low, high in ((7, 7, 12), (14, 18, 23), (30, 40, 45))]
    portal = portal_ids(world)
    frame = pl.concat([*parts, _moved_call(world)])
    return frame.with_columns(**{"UC Portal ID": portal.gather(frame["child"].to_numpy())}).select(
        *CHECKIN, "child"
    )


CHECKIN = [
    "Check-in ID",
    "UC Portal ID",
    "Due Day",
    "Attempt",
    "Attempted At",
    "Channel",
    "Outcome",
    "Child With Sponsor",
    "Child Elsewhere Note",
    "Address Confirmed",
    "New Address Line 1",
    "New Unit",
    "New City",
    "New State",
    "New Zip",
    "EOIR-33 Filed",
    "In School",
    "Knows Hearing Date",
    "Safety Concern",
    "Documented On",
]


def _due(world: World, due: int, low: int, high: int) -> pl.DataFrame:
    """The calls due on day ``due``, made ``low`` to ``high`` days after release."""
    rng, rates, n = world.chance.stream(f"calls {due}"), world.rates, len(world.who)
    rest = 1 - rates.reached - rates.no_answer - rates.refused
    outcome = weighted(rng, n, [rates.reached, rates.no_answer, rates.refused, rest])
    made = np.where(
        world.held.released & happens(rng, n, rates.contact_tried),
        world.held.discharged + between(rng, n, low, high),
        NEVER,
    )
    first = _calls(world, rng, world.position, until(made, world.as_of), outcome, due, 1)
    again = np.flatnonzero((outcome == 1) & (made != NEVER) & happens(rng, n, rates.second_attempt))
    later = until(made[again] + between(rng, len(again), 1, 4), world.as_of)
    answer = weighted(rng, len(again), [0.35, 0.55, 0.05, 0.05])
    return pl.concat([first, _calls(world, rng, again, later, answer, due, 2)])


def _calls(
    world: World, rng: np.random.Generator, child: Ints, made: Ints, outcome: Ints, due: int, attempt: int
) -> pl.DataFrame:
    """One row a call made; ``outcome`` 0 reached, 1 no answer, 2 refused, 3 number dead."""
    n, reached = len(child), outcome == 0
    elsewhere = happens(rng, n, world.rates.elsewhere)
    noted = until(np.where(happens(rng, n, world.rates.undocumented), NEVER, made + 1), world.as_of)
    channel = (
        gather(["PHONE"], np.zeros(n, dtype=np.int64))
        if attempt == 1
        else gather(["TEXT", "VISIT", "VIDEO"], between(rng, n, 0, 2))
    )
    suffix = "" if attempt == 1 else f"-{attempt}"
    frame = pl.DataFrame(
        {
            "Check-in ID": joined(numbered(f"C{due}-", child), suffix),
            "Due Day": [str(due)] * n,
            "Attempt": [str(attempt)] * n,
            "Attempted At": written(made, ISO),
            "Channel": channel,
            "Outcome": gather(["REACHED", "NO ANSWER", "REFUSED", "NUMBER DEAD"], outcome),
            "Child With Sponsor": gather("UNY", np.where(reached, np.where(elsewhere, 1, 2), 0)),
            "Child Elsewhere Note": [""] * n,
            "Address Confirmed": gather("UY", reached.astype(np.int64)),
            **{f"New {part}": [""] * n for part in ("Address Line 1", "Unit", "City", "State", "Zip")},
            "EOIR-33 Filed": ["U"] * n,
            "In School": ["Y"] * n,
            "Knows Hearing Date": gather("NY", happens(rng, n, 0.62).astype(np.int64)),
            "Safety Concern": ["N"] * n,
            "Documented On": written(noted, ISO),
            "child": child,
        }
    )
    return frame.filter(pl.Series(made != NEVER))


def _moved_call(world: World) -> pl.DataFrame:
    """The calls in which ORR heard of a new address; written down the same day."""
    rng = world.chance.stream("calls moved")
    child = np.flatnonzero(world.moved.orr != NEVER)
    heard, reached = world.moved.orr[child], np.zeros(len(child), dtype=np.int64)
    frame = _calls(world, rng, child, heard, reached, 0, 1)
    to = world.moved.to.text[child]
    said: dict[str, pl.Series | pl.Expr] = {
        "Check-in ID": numbered("CM-", child), "Due Day": pl.lit(""), "Child With Sponsor": pl.lit("Y"),
        "Address Confirmed": pl.lit("N"), "Knows Hearing Date": pl.lit("Y"), "Documented On": written(heard, ISO),
        "New Address Line 1": to["line"], "New Unit": to["unit"], "New City": to["city"], "New State": to["state"],
        "New Zip": to["zip"],
    }  # fmt: skip
    return frame.with_columns(column.alias(name) for name, column in said.items())


def concerns(world: World) -> pl.DataFrame:
    """Notifications of concern after release."""
    rng = world.chance.stream("concerns")
    child = np.flatnonzero(world.held.released & happens(rng, len(world.who), world.rates.concern))
    raised = world.held.discharged[child] + between(rng, len(child), 5, 400)
    child, raised = child[raised <= world.as_of], raised[raised <= world.as_of]
    n = len(child)
    category = gather([name for name, _ in CONCERNS], weighted(rng, n, [share for _, share in CONCERNS]))
    work = (category == "LABOR").to_numpy()
    status = between(rng, n, 0, 2)
    acted = until(np.where(status > 0, raised + between(rng, n, 0, 3), NEVER), world.as_of)
    referred = ((category == "TRAFFICKING") | (category == "LABOR")).to_numpy() & (acted != NEVER)
    return pl.DataFrame(
        {
            "NOC ID": numbered("N", child),
            "UC Portal ID": portal_ids(world).gather(child),
            "Reported At": written(raised, ISO),
            "Reported By": gather(["PRS", "CARE PROVIDER", "CALL CENTER", "OTHER"], between(rng, n, 0, 3)),
            "Category": category,
            "Employer": chosen(work, gather(EMPLOYERS, between(rng, n, 0, len(EMPLOYERS) - 1))),
            "Workplace City": chosen(work, world.held.home.text["city"].gather(child)),
            "Workplace State": chosen(work, world.held.home.text["state"].gather(child)),
            "Narrative": [""] * n,
            "Status": chosen(acted != NEVER, gather(["OPEN", "REFERRED", "CLOSED"], status), "OPEN"),
            "Action At": written(acted, ISO),
            "RFA Number": chosen(referred, numbered("RFA", child)),
            "child": child,
        },
    )


def incidents(world: World) -> pl.DataFrame:
    """Unauthorised absences of those who ran away from care, and some other incidents in care."""
    rng, held, n = world.chance.stream("incidents"), world.held, len(world.who)
    gone = held.discharged != NEVER
    ran = (held.kind == "RAN AWAY").to_numpy() & gone
    other = gone & ~ran & happens(rng, n, world.rates.other_incident)
    child = np.flatnonzero(ran | other)
    away, k = ran[child], len(child)
    occurred = held.discharged[child] - np.where(away, 0, between(rng, k, 1, 3))
    told = away & happens(rng, k, world.rates.run_reported)

    def when(share: float) -> Ints:
        return np.where(told & happens(rng, k, share), occurred, NEVER)

    ncmec = when(0.96)
    found = until(
        np.where(away & happens(rng, k, 0.3), occurred + between(rng, k, 1, 40), NEVER), world.as_of
    )
    kinds = gather(
        ["HOSPITAL", "ABUSE IN CARE", "OTHER", "UNAUTHORIZED ABSENCE"],
        np.where(away, 3, between(rng, k, 0, 2)),
    )
    return pl.DataFrame(
        {
            "Event ID": numbered("I", child),
            "UC Portal ID": portal_ids(world).gather(child),
            "Occurred At": written(occurred, ISO),
            "Category": kinds,
            "Police Told At": written(when(0.98), ISO),
            "NCMEC Told At": written(ncmec, ISO),
            "NCMEC Number": chosen(ncmec != NEVER, numbered("NM", child)),
            "ICE Told At": written(when(0.92), ISO),
            "Found At": written(found, ISO),
            "child": child,
        }
    )


def opla(world: World) -> pl.DataFrame:
    """What the attorneys typed: one row a child in court."""
    rng, cases, rates = world.chance.stream("opla"), world.cases, world.rates
    child, n, as_typed = cases.child, len(cases.child), world.typed("OPLA")
    number = world.numbers("OPLA")[child]
    noted = np.where(
        (cases.missed != NEVER) & happens(rng, n, rates.opla_knows),
        cases.missed + between(rng, n, 4, 86),
        NEVER,
    )
    noted = until(noted, world.as_of)
    knows = noted != NEVER
    ended = (cases.completed != NEVER) & (cases.missed == NEVER) & happens(rng, n, 0.5)
    words = {
        "T": "TERMINATED",
        "R": "RELIEF",
        "U": "DISMISSED",
        "V": "REMOVAL ORDER",
        "X": "REMOVAL ORDER",
        "": "OPEN",
    }
    coming = _coming(cases, n)
    return pl.DataFrame(
        {
            "A-Number": formatted(rng, number),
            "EOIR Case": chosen(~happens(rng, n, rates.opla_case_blank), numbered("", CASE_FROM + child)),
            "Respondent": joined(as_typed.last.gather(child), ", ", as_typed.given.gather(child)),
            "Date of Birth": written(as_typed.born[child], US),
            "OPLA Office": world.held.home.court.gather(child),
            "Docket": ["JUVENILE"] * n,
            "NTA Filed Date": written(cases.filed, US),
            "Next Hearing": written(np.where(happens(rng, n, 0.5), coming, NEVER), US),
            "FTA Recorded": gather(["", "N", "Y"], np.where(knows, 2, happens(rng, n, rates.opla_says_no))),
            "FTA Recorded On": written(noted, US),
            "In Absentia Order Date": written(np.where(knows & cases.absentia, cases.completed, NEVER), US),
            "Disposition": chosen(ended, cases.outcome.replace_strict(words, return_dtype=pl.String), "OPEN"),
            "Disposition Date": written(np.where(ended, cases.completed, NEVER), US),
            "Attorney": [""] * n,
            "Updated On": written(np.full(n, world.as_of, dtype=np.int64), US),
            "child": child,
            "file_key": key(number),
        }
    )


def _coming(cases: Cases, n: int) -> Ints:
    """The day of each case's next hearing, ``NEVER`` for none."""
    days = np.full(n, NEVER, dtype=np.int64)
    ahead = cases.hearings.filter("coming")
    days[ahead["case"].to_numpy()] = ahead["day"].to_numpy()
    return days


def asylum(world: World) -> Ints:
    """The day each child asked USCIS for asylum, ``NEVER`` for not."""
    return _asked(world, "i589", world.rates.i589)


def _asked(world: World, name: str, share: float) -> Ints:
    rng, n = world.chance.stream(f"asks {name}"), len(world.who)
    asked = np.where(happens(rng, n, share), world.who.determined + between(rng, n, 20, 420), NEVER)
    return until(asked, world.as_of)


FORMS = (("I-589", "ZAR"), ("I-360", "MSC"), ("I-914", "EAC"), ("I-918", "EAC"))


def benefits(world: World) -> pl.DataFrame:
    """Requests for benefits at USCIS."""
    shares = (world.rates.i360, world.rates.other_benefit / 2, world.rates.other_benefit / 2)
    asked = [asylum(world)] + [
        _asked(world, form, share) for (form, _), share in zip(FORMS[1:], shares, strict=True)
    ]
    as_typed, number = world.typed("USCIS"), world.numbers("USCIS")
    parts = [_benefit(world, at, days, as_typed, number) for at, days in enumerate(asked)]
    return pl.concat(parts)


def _benefit(world: World, form: int, asked: Ints, as_typed: Typed, numbers: Ints) -> pl.DataFrame:
    name, prefix = FORMS[form]
    rng = world.chance.stream(f"benefit {name}")
    child = np.flatnonzero(asked != NEVER)
    n, received = len(child), asked[child]
    decided = received + between(rng, n, 20, 500)
    status = np.where(decided > world.as_of, 0, weighted(rng, n, [0.60, 0.17, 0.17, 0.05, 0.01]))
    blank = happens(rng, n, world.rates.number_blank_uscis)
    receipt = numbered(prefix, 100_000_000 * (1 + (form == 3)) + child)
    issued = until(
        np.where((status == 1) & happens(rng, n, 0.1), decided + between(rng, n, 10, 60), NEVER), world.as_of
    )
    return pl.DataFrame(
        {
            "Receipt": receipt,
            "A-Number": formatted(rng, numbers[child], blank),
            "Last Name": as_typed.last.gather(child),
            "First Name": as_typed.given.gather(child),
            "Date of Birth": written(as_typed.born[child], ISO),
            "Country of Birth": gather(COUNTRY_NAMES, world.who.country[child]),
            "Form": [name] * n,
            "Received On": written(received, ISO),
            "Status": gather(["PENDING", "REFERRED", "APPROVED", "DENIED", "WITHDRAWN"], status),
            "Status On": written(np.where(status > 0, decided, received), ISO),
            "NTA Issued On": written(issued, ISO),
            "child": child,
            "file_key": chosen(~blank, key(numbers[child]), receipt),
        }
    )


def ar11(world: World) -> pl.DataFrame:
    """Changes of address told to USCIS."""
    child = np.flatnonzero(world.moved.uscis != NEVER)
    as_typed, number, to = world.typed("USCIS"), world.numbers("USCIS")[child], world.moved.to.text[child]
    return pl.DataFrame(
        {
            "Confirmation": numbered("AR", child),
            "A-Number": formatted(world.chance.stream("ar11"), number),
            "Last Name": as_typed.last.gather(child),
            "First Name": as_typed.given.gather(child),
            "Date of Birth": written(as_typed.born[child], ISO),
            "Filed On": written(world.moved.uscis[child], ISO),
            "Moved On": written(world.moved.moved[child], ISO),
            "Address 1": to["line"],
            "Unit": to["unit"],
            "City": to["city"],
            "State": to["state"],
            "Zip": to["zip"],
            "child": child,
            "file_key": key(number),
        }
    )
