"""The rows of the immigration courts' extract: the children's cases, and the many more of adults.

Only the columns that vary are built; :mod:`handhold.simulate.defects` writes them out in the extract's full layout.
Every frame of the children's carries ``child``; adults' frames do not.
"""

import numpy as np
import polars as pl

from .agencies import CASE_FROM, World, sexes
from .draw import (
    ISO,
    MONTH,
    NEVER,
    STAMP,
    Ints,
    between,
    chosen,
    gather,
    happens,
    numbered,
    weighted,
    written,
)
from .entry import key
from .people import LANGUAGES
from .places import COURTS, addresses
from .words import ADJOURNED, COUNTRIES, ENDINGS

PROCEEDING_ADDS = 10_000_000
ADULT_CASE_FROM = 30_000_000
ADULT_PROCEEDING_FROM = 80_000_000
HEARING_FROM = 40_000_000
ADULT_HEARING_FROM = 200_000_000
NOTICE_FROM = 70_000_000
JUVENILE_FROM, ADULT_JUVENILE_FROM = 1_000_000, 3_000_000
REPRESENTATIVE_FROM = 5_000_000
CODES = [code for _, code, *_ in COUNTRIES]
MOST_ADULT = 7


def identities(world: World) -> pl.DataFrame:
    """Who the respondents are: one row a child in court."""
    child, as_typed = world.cases.child, world.typed("EOIR")
    blank = happens(world.chance.stream("court numbers"), len(child), world.rates.number_blank_eoir)
    return pl.DataFrame(
        {
            "IDNCASE": numbered("", CASE_FROM + child),
            "A_NUMBER": chosen(~blank, key(world.numbers("EOIR", siblings=True)[child])),
            "LAST_NAME": as_typed.last.gather(child),
            "FIRST_NAME": as_typed.given.gather(child),
            "BIRTHDATE": written(as_typed.born[child], ISO),
            "GENDER": sexes(world.who.male[child]),
            "child": child,
        }
    )


def changes(world: World) -> pl.DataFrame:
    """Changes of address told to the court, of children who have a case by then."""
    told = _told(world)
    child = np.flatnonzero(told != NEVER)
    to = world.moved.to.text[child]
    return pl.DataFrame(
        {
            "RECEIPT": numbered("E33-", child),
            "IDNCASE": numbered("", CASE_FROM + child),
            "FILED_ON": written(told[child], ISO),
            "EFFECTIVE_ON": written(world.moved.moved[child], ISO),
            "ADDRESS_1": to["line"],
            "UNIT": to["unit"],
            "CITY": to["city"],
            "STATE": to["state"],
            "ZIP": to["zip"],
            "PHONE": [""] * len(child),
            "child": child,
        }
    )


def _told(world: World) -> Ints:
    """The day each child's court was told of a move, ``NEVER`` for not or without a case by then."""
    filed, court = world.whole(world.cases.filed), world.moved.court
    return np.where((filed != NEVER) & (court > filed), court, NEVER)


def _before(world: World) -> pl.DataFrame:
    """The address the court holds for every child before any change: the release address, or a home for those kept."""
    return pl.concat([world.held.address, world.held.home.text])[
        np.where(world.held.released, world.position, len(world.who) + world.position)
    ]


def child_cases(world: World) -> pl.DataFrame:
    """``A_TblCase`` of the children."""
    rng, child, rates = world.chance.stream("case rows"), world.cases.child, world.rates
    n, told = len(child), _told(world)[child]
    now = pl.concat([_before(world)[child], world.moved.to.text[child]])[
        np.where(told != NEVER, n, 0) + np.arange(n)
    ]
    number = world.numbers("EOIR", siblings=True)[child]
    born = world.typed("EOIR").born[child]
    unsure = happens(rng, n, rates.birth_month_blank) & (number == world.who.number[child])
    return pl.DataFrame(
        {
            "IDNCASE": numbered("", CASE_FROM + child),
            "ALIEN_CITY": now["city"],
            "ALIEN_STATE": now["state"],
            "ALIEN_ZIPCODE": now["zip"],
            "NAT": gather(CODES, world.who.country[child]),
            "LANG": gather(LANGUAGES, world.who.language[child]),
            "DATE_OF_ENTRY": written(world.who.determined[child], STAMP),
            "C_BIRTHDATE": written(np.where(unsure, NEVER, born), MONTH),
            "ADDRESS_CHANGEDON": written(told, STAMP),
            "GENDER": sexes(world.who.male[child]),
            "CASEPRIORITY_CODE": gather(["", "UC"], happens(rng, n, rates.priority_code).astype(np.int64)),
            "child": child,
        }
    )


def child_proceedings(world: World) -> pl.DataFrame:
    """``B_TblProceeding`` of the children: one a case."""
    cases, child = world.cases, world.cases.child
    first = cases.hearings.filter(pl.col("k") == 0)
    opening = np.full(len(child), NEVER, dtype=np.int64)
    opening[first["case"].to_numpy()] = first["day"].to_numpy()
    decided = (cases.outcome != "").to_numpy()
    return pl.DataFrame(
        {
            "IDNPROCEEDING": numbered("", CASE_FROM + PROCEEDING_ADDS + child),
            "IDNCASE": numbered("", CASE_FROM + child),
            "OSC_DATE": written(world.charged.issued[child], STAMP),
            "INPUT_DATE": written(cases.filed, STAMP),
            "BASE_CITY_CODE": world.held.home.court.gather(child),
            "HEARING_DATE": written(opening, STAMP),
            "DEC_TYPE": gather(["", "O"], decided.astype(np.int64)),
            "DEC_CODE": cases.outcome,
            "OTHER_COMP": gather(["", "B"], cases.closed.astype(np.int64)),
            "COMP_DATE": written(cases.completed, STAMP),
            "ABSENTIA": gather(["", "N", "Y"], np.where(cases.absentia, 2, decided)),
            "NAT": gather(CODES, world.who.country[child]),
            "LANG": gather(LANGUAGES, world.who.language[child]),
            "child": child,
        }
    )


def child_hearings(world: World) -> pl.DataFrame:
    """``tbl_schedule`` of the children."""
    hearings = world.cases.hearings
    case = hearings["case"].to_numpy()
    child = world.cases.child[case]
    n = len(hearings)
    known = np.minimum(hearings["mailed"].to_numpy(), world.as_of)
    return pl.DataFrame(
        {
            "IDNSCHEDULE": numbered("", HEARING_FROM + np.arange(n, dtype=np.int64)),
            "IDNPROCEEDING": numbered("", CASE_FROM + PROCEEDING_ADDS + child),
            "IDNCASE": numbered("", CASE_FROM + child),
            "OSC_DATE": written(world.charged.issued[child], STAMP),
            "LANG": gather(LANGUAGES, world.who.language[child]),
            "BASE_CITY_CODE": world.held.home.court.gather(child),
            "INPUT_DATE": written(known, STAMP),
            "ADJ_DATE": written(hearings["day"].to_numpy(), STAMP),
            "ADJ_RSN": hearings["reason"],
            "child": child,
        }
    )


def notices(world: World) -> pl.DataFrame:
    """Notices of hearings mailed by the last day, each to the address the court then held."""
    rng, rates, hearings = world.chance.stream("notices"), world.rates, world.cases.hearings
    mailed = hearings["mailed"].to_numpy()
    row = np.flatnonzero(mailed <= world.as_of)
    mailed, child = mailed[row], world.cases.child[hearings["case"].to_numpy()[row]]
    n, told = len(row), _told(world)[child]
    newer = (told != NEVER) & (told < mailed)
    to = pl.concat([_before(world)[child], world.moved.to.text[child]])[np.where(newer, n, 0) + np.arange(n)]
    gone = ~newer & (world.moved.moved[child] != NEVER) & (world.moved.moved[child] < mailed)
    bad = to.select(
        (pl.col("line") == "") | ~pl.col("line").str.contains(r"^\d.*[^T]$") | (pl.col("zip") == "00000")
    )
    share = np.where(
        gone, rates.returned_old, np.where(bad.to_series().to_numpy(), rates.returned_bad, rates.returned)
    )
    returned = np.where(happens(rng, n, share), mailed + 18, NEVER)
    return pl.DataFrame(
        {
            "IDNNOTICE": numbered("", NOTICE_FROM + row),
            "IDNCASE": numbered("", CASE_FROM + child),
            "IDNSCHEDULE": numbered("", HEARING_FROM + row),
            "NOTICE_CODE": ["6U"] * n,
            "MAILED_ON": written(mailed, ISO),
            "ADDRESS_1": to["line"],
            "UNIT": to["unit"],
            "CITY": to["city"],
            "STATE": to["state"],
            "ZIP": to["zip"],
            "RETURNED_ON": written(np.where(returned > world.as_of, NEVER, returned), ISO),
            "child": child,
        }
    )


def child_flags(world: World) -> pl.DataFrame:
    """``tbl_JuvenileHistory`` of the children, as incomplete as it is."""
    rng = world.chance.stream("flags")
    child = world.cases.child[happens(rng, len(world.cases.child), world.rates.juvenile_flag)]
    code = weighted(rng, len(child), [0.31, 0.07, 0.05, 0.57])
    return pl.DataFrame(
        {
            "idnJuvenileHistory": numbered("", JUVENILE_FROM + child),
            "idnCase": numbered("", CASE_FROM + child),
            "idnProceeding": numbered("", CASE_FROM + PROCEEDING_ADDS + child),
            "idnJuvenile": gather("1234", code),
        }
    )


def representatives(world: World) -> pl.DataFrame:
    """``tbl_RepsAssigned``: counsel of the children who have one."""
    at = np.flatnonzero(world.cases.counsel != NEVER)
    child = world.cases.child[at]
    return pl.DataFrame(
        {
            "IDNREPSASSIGNED": numbered("", REPRESENTATIVE_FROM + np.arange(len(at), dtype=np.int64)),
            "IDNCASE": numbered("", CASE_FROM + child),
            "BASE_CITY_CODE": world.held.home.court.gather(child),
            "E_28_DATE": written(world.cases.counsel[at], STAMP),
        }
    )


def adults(world: World, first: int, n: int, start: int) -> dict[str, pl.DataFrame]:
    """``n`` cases of adults numbered from ``first``: frames by table, with the columns of the children's."""
    rng, as_of = world.chance.stream(f"adults {first}"), world.as_of
    person = first + np.arange(n, dtype=np.int64)
    issued = between(rng, n, start, max(as_of - 40, start))
    filed = np.minimum(issued + between(rng, n, 5, 120), as_of)
    nation = gather(CODES, weighted(rng, n, [share for _, _, share, *_ in COUNTRIES]))
    court = gather(COURTS, between(rng, n, 0, len(COURTS) - 1))
    days = np.cumsum(
        np.concatenate((filed[:, None], rng.integers(60, 300, (n, MOST_ADULT))), axis=1), axis=1
    )[:, 1:]
    asked = between(rng, n, 2, MOST_ADULT)
    case, k = np.nonzero(
        (np.arange(MOST_ADULT)[None, :] < asked[:, None]) & (np.roll(days, 1, axis=1) <= as_of)
        | (np.arange(MOST_ADULT) == 0)[None, :]
    )
    shared = {
        "id": numbered("", ADULT_CASE_FROM + person),
        "proceeding": numbered("", ADULT_PROCEEDING_FROM + person),
    }
    common = {"osc": written(issued, STAMP), "nation": nation, "court": court}
    frame = pl.DataFrame({**shared, **common, "filed": written(filed, STAMP)})
    decided = happens(rng, n, 0.35) & (days[:, 0] <= as_of)
    number = ADULT_HEARING_FROM + (first * MOST_ADULT) + np.arange(len(case), dtype=np.int64)
    return {
        "A_TblCase": _adult_cases(world, rng, frame),
        "B_TblProceeding": _adult_proceedings(rng, frame, days[:, 0], decided),
        "tbl_schedule": _adult_hearings(rng, frame, number, case, days[case, k], as_of),
        "tbl_JuvenileHistory": _adult_flags(rng, frame, person, world.rates.adult_flagged),
    }


def _adult_cases(world: World, rng: np.random.Generator, frame: pl.DataFrame) -> pl.DataFrame:
    n = len(frame)
    where = addresses(world.chance, world.rates, f"adult homes {next(iter(frame['id']), 0)}", n).text
    born = between(rng, n, -3650, 9855)  # 1960 to 1996
    return pl.DataFrame(
        {
            "IDNCASE": frame["id"],
            "ALIEN_CITY": where["city"],
            "ALIEN_STATE": where["state"],
            "ALIEN_ZIPCODE": where["zip"],
            "NAT": frame["nation"],
            "LANG": gather(["SP"], np.zeros(n, dtype=np.int64)),
            "DATE_OF_ENTRY": frame["osc"],
            "C_BIRTHDATE": written(np.where(happens(rng, n, 0.2), NEVER, born), MONTH),
            "ADDRESS_CHANGEDON": gather([""], np.zeros(n, dtype=np.int64)),
            "GENDER": sexes(happens(rng, n, 0.62)),
            "CASEPRIORITY_CODE": gather([""], np.zeros(n, dtype=np.int64)),
        }
    )


def _adult_proceedings(
    rng: np.random.Generator, frame: pl.DataFrame, opening: Ints, decided: "np.ndarray"
) -> pl.DataFrame:
    n = len(frame)
    codes = gather([code for code, _ in ENDINGS], weighted(rng, n, [share for _, share in ENDINGS]))
    absent = (codes == "X").to_numpy() & happens(rng, n, 0.7) & decided
    return pl.DataFrame(
        {
            "IDNPROCEEDING": frame["proceeding"],
            "IDNCASE": frame["id"],
            "OSC_DATE": frame["osc"],
            "INPUT_DATE": frame["filed"],
            "BASE_CITY_CODE": frame["court"],
            "HEARING_DATE": written(opening, STAMP),
            "DEC_TYPE": gather(["", "O"], decided.astype(np.int64)),
            "DEC_CODE": chosen(decided, codes),
            "OTHER_COMP": gather([""], np.zeros(n, dtype=np.int64)),
            "COMP_DATE": written(np.where(decided, opening, NEVER), STAMP),
            "ABSENTIA": gather(["", "N", "Y"], np.where(absent, 2, decided)),
            "NAT": frame["nation"],
            "LANG": gather(["SP"], np.zeros(n, dtype=np.int64)),
        }
    )


def _adult_hearings(
    rng: np.random.Generator, frame: pl.DataFrame, number: Ints, case: Ints, day: Ints, as_of: int
) -> pl.DataFrame:
    n = len(case)
    reason = np.where(day > as_of, len(ADJOURNED), between(rng, n, 0, len(ADJOURNED) - 1))
    return pl.DataFrame(
        {
            "IDNSCHEDULE": numbered("", number),
            "IDNPROCEEDING": frame["proceeding"].gather(case),
            "IDNCASE": frame["id"].gather(case),
            "OSC_DATE": frame["osc"].gather(case),
            "LANG": gather(["SP"], np.zeros(n, dtype=np.int64)),
            "BASE_CITY_CODE": frame["court"].gather(case),
            "INPUT_DATE": written(np.minimum(day - 40, as_of), STAMP),
            "ADJ_DATE": written(day, STAMP),
            "ADJ_RSN": gather([*ADJOURNED, ""], reason),
        }
    )


def _adult_flags(rng: np.random.Generator, frame: pl.DataFrame, person: Ints, share: float) -> pl.DataFrame:
    """A third of the adults stand in the juvenile table too, as not applicable."""
    at = np.flatnonzero(happens(rng, len(frame), share))
    return pl.DataFrame(
        {
            "idnJuvenileHistory": numbered("", ADULT_JUVENILE_FROM + person[at]),
            "idnCase": frame["id"].gather(at),
            "idnProceeding": frame["proceeding"].gather(at),
            "idnJuvenile": gather("5", np.zeros(len(at), dtype=np.int64)),
        }
    )
