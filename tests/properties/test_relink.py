"""Whatever people say of a nation's files and take back: what an export shows in the end is what it showed at the start."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from questions.conftest import ANA, MIA, NOW, PACK, children_in_doubt, file_of, office

from handhold import casework, feeds, ledger, oversight, store
from handhold.ledger import checkpoints

pytestmark = pytest.mark.slow
SHOWN = {
    "files": None,
    "children": None,
    "events": [
        "event",
        "child",
        "kind",
        "happened",
        "known",
        "recorded",
        "agency",
        "delivery",
        "row",
        "superseded_by",
    ],
    "gaps": ["gap", "child", "kind", "reason", "owner", "due", "open"],
}  # the moments at which a gap was opened and closed, and what was told meanwhile, are history and stay
some = st.integers(0, 8)
acts = st.lists(
    st.tuples(st.sampled_from(["match", "no match", "possible", "separate"]), some, some),
    min_size=1,
    max_size=5,
)


@pytest.fixture(scope="module")
def nation(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[int]]:
    """The files of three children, and of a fourth that may be one of them."""
    shutil.rmtree(checkpoints.folder(), ignore_errors=True)
    folder = children_in_doubt().write(tmp_path_factory.mktemp("nation"))
    casework.arrive(feeds.find(folder), office(casework.SYSTEM), sender="test")
    with store.transaction() as db:
        yield [row["id"] for row in store.fetch(db, "select id from identity_file order by id")]
    shutil.rmtree(checkpoints.folder(), ignore_errors=True)


def exports(folder: Path) -> dict[str, pl.DataFrame]:
    """What is exported, as far as it does not say when something was done."""
    found = {}
    for what, columns in SHOWN.items():
        target = folder / f"{what}.parquet"
        with ledger.acting_transaction(casework.SYSTEM) as db:
            oversight.export(db, what, target, as_of=None, now=NOW + timedelta(days=1), pack=PACK)
        rows = pl.read_parquet(target)
        if what == "events":
            rows = rows.filter(pl.col("agency") != "HANDHOLD")
        if what == "gaps":
            rows = rows.with_columns(open=pl.col("closed").is_null()).filter("open")
        found[what] = (rows.select(columns) if columns else rows).sort(rows.columns[0])
    return found


def say(what: str, one: int, other: int, now: datetime) -> None:
    """Say it, twice where two people must."""
    if what == "separate":
        casework.separate(one, "property", office("person:1", now))
    elif one != other:
        proposed = casework.decide_link(one, other, what, "property", office("person:1", now)).proposed
        if proposed:
            casework.decide_link(one, other, what, "property", office("person:2", now))


def test_a_question_that_a_withdrawn_word_opens_again_stands_in_the_accounts_of_both_its_children(
    nation: list[int],
) -> None:
    """The word was said of two files while a third was one child's with the second; it is withdrawn when that is over."""
    strange, ero = file_of("USCIS", "219999999"), file_of("ERO", MIA)
    orr, court, anas = file_of("ORR", "UC3"), file_of("EOIR", "9000000"), file_of("ERO", ANA)
    assert waits_about(strange, ero) == doubted(ero) == 1
    say("match", orr, court, NOW)
    assert child_of(ero) == child_of(anas)
    say("no match", strange, anas, NOW)
    assert waits_about(strange, ero) == 0
    for one, other in ((orr, court), (strange, anas)):
        casework.withdraw_word(one, other, "a slip", office("person:1", NOW))
    assert waits_about(strange, ero) == doubted(ero) == 1


def child_of(file: int) -> int:
    with store.transaction() as db:
        return int(store.fetch(db, "select child from identity_file where id = %s", [file])[0]["child"])


def waits_about(one: int, other: int) -> int:
    """How many questions wait about the children of two files."""
    with store.transaction() as db:
        rows = store.fetch(
            db,
            """select count(*) as n from identity_question q join identity_file a on a.id = q.file_a
               join identity_file b on b.id = q.file_b where q.closed is null and array[a.child, b.child] @> %s and a.child <> b.child""",
            [[child_of(one), child_of(other)]],
        )
    return int(rows[0]["n"])


def doubted(file: int) -> int:
    """Whether the account of a file's child says that a question waits about it."""
    with store.transaction() as db:
        rows = store.fetch(
            db,
            "select count(*) as n from account_gap where child = %s and kind = 'identity-doubt' and reason = 'question' and closed is null",
            [child_of(file)],
        )
    return int(rows[0]["n"])


@settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts)
def test_undoing_everything_restores_what_is_exported(
    nation: list[int], tmp_path: Path, acts: list[tuple[str, int, int]]
) -> None:
    start = exports(tmp_path)
    for what, one, other in acts:
        say(what, nation[one], nation[other], NOW)
    for word in standing():
        casework.withdraw_word(word["file_a"], word["file_b"], "property", office("person:1", NOW))
    differ = {what: rows for what, rows in exports(tmp_path).items() if not rows.equals(start[what])}
    assert not differ, differ
    with ledger.acting_transaction(casework.SYSTEM) as db:
        assert ledger.verify(db).problems == []


def standing() -> list[dict[str, int]]:
    with store.transaction() as db:
        return store.fetch(db, "select file_a, file_b from identity_judgement where until is null")
