"""The queue of questions with the nation loaded: its first page, the next question, and one decision, beside the bare index."""

import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from handhold import identity, ledger, pack, store
from handhold.oversight import questions

CHILDREN, FILES_EACH, SHARE = 448_820, 3, 0.02
NOW = datetime(2024, 5, 31, 12, 0, tzinfo=UTC)
ROUNDS = 15
FILES = """
    insert into identity_file (id, agency, key_, child, linked_by, probability, since, fresh)
    select g, (array['ERO', 'ORR', 'EOIR'])[1 + g %% 3], '', 1 + g / 3, 'number', 1, %(now)s, false from generate_series(0, %(files)s - 1) g"""
STANDING = """
    insert into account_standing (child, account, responsible, place, address_quality, contact, nta, court, next_hearing, missed_hearings,
                                  told_orr, told_ero, told_opla, open_gaps, as_of, digest)
    select g, '{}', 'sponsor', 'address', 'plausible', 'none', 'served', 'open',
           case when g %% 3 = 0 then %(now)s + (g %% 400) * interval '1 day' end, 0, 'n/a', 'n/a', 'n/a', g %% 7, %(now)s, g
    from generate_series(1, %(children)s) g"""
LINKS = """
    insert into identity_link (file, child, judgement, linked_by, probability, evidence, by, since)
    select id, child, 'match', 'number', 1, '{"weight": 20}', 'system', %(now)s from identity_file"""
QUESTIONS = """
    insert into identity_question (id, file_a, file_b, reason, evidence, weight, opened)
    select g, (g::bigint * 7919) %% %(files)s, (g::bigint * 104729 + 1) %% %(files)s, 'alike',
           jsonb_build_object('given', 'alike', 'dob', (array['same', 'exchanged', 'year-off'])[1 + g %% 3]), g %% 10, %(now)s
    from generate_series(1, %(questions)s) g"""
BARE = "select id from identity_question where closed is null order by weight desc, id limit 26"


def main() -> None:
    """Load a nation's worth of rows, measure, print."""
    home = Path(tempfile.mkdtemp(prefix="bench-questions-"))
    home.chmod(0o755)
    os.environ["HANDHOLD_HOME"] = str(home)
    try:
        store.ensure()
        with store.transaction() as db:
            store.migrate(db)
        files = CHILDREN * FILES_EACH
        asked = {"now": NOW, "files": files, "children": CHILDREN, "questions": int(files * SHARE)}
        with ledger.acting_transaction("system") as db:
            for query in (FILES, STANDING, LINKS, QUESTIONS):
                db.execute(query, asked)
            db.execute(
                "insert into identity_child (id, born) select distinct child, %s from identity_file", [NOW]
            )
        with store.connect(autocommit=True) as db:
            db.execute("vacuum analyze")
        print(f"{CHILDREN:,} children, {files:,} files, {asked['questions']:,} questions open")
        _measure()
    finally:
        store.close()
        store.stop()
        shutil.rmtree(home)


def _measure() -> None:
    rules = pack.load()
    how = {"person": "person:1", "now": NOW, "pack": rules}
    with store.transaction() as db:
        bare = _timed("the bare index, by weight alone", lambda: store.fetch(db, BARE))
        first = questions.queue(db, **how)
        _timed("first page of the queue", lambda: questions.queue(db, **how), bare)
        _timed("page after a question", lambda: questions.queue(db, **how, after=first[-1]["id"]), bare)
        _timed("the next question", lambda: questions.following(db, **how, after=first[0]["id"]), bare)
        _timed("how many wait", lambda: questions.waiting(db, **how), bare)
        _timed("alike questions", lambda: questions.groups(db, **how), bare)
    rows = iter(first)

    def decide() -> None:
        row = next(rows)
        with ledger.acting_transaction("person:1") as db:
            identity.decide(db, row["file_a"], row["file_b"], "match", by="person:1", why="bench", now=NOW)

    _timed("one match, links and questions only", decide, bare)


def _timed(what: str, act: Callable[[], object], bare: float | None = None) -> float:
    """Print the median and the slowest of some rounds, in milliseconds; returns the median."""
    spent = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        act()
        spent.append(1000 * (time.perf_counter() - begun))
    middle = statistics.median(spent)
    ratio = f"  {middle / bare:8.0f} × the bare index" if bare else ""
    print(f"{what:38} p50 {middle:8.1f} ms   slowest {max(spent):8.1f} ms{ratio}")
    return middle


if __name__ == "__main__":
    main()
