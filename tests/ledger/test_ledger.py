"""The ledger on its database: writing, sealing, refusing, redacting, proving."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import polars as pl
import psycopg
import pytest

from handhold import ledger, store
from handhold.ledger import checkpoints, trail

from .conftest import NOW, enter, seal, tamper, verdict

pytestmark = pytest.mark.usefixtures("clean")


def write(**more: object) -> None:
    said = {"by": "person:7", "verb": "child.seen", "thing": "child", "ids": [1], "at": NOW} | more
    with ledger.acting_transaction("person:7") as db:
        ledger.write(db, **said)  # type: ignore[arg-type]


def test_what_is_written_is_sealed_signed_handed_out_and_holds() -> None:
    enter(5)
    seal()
    enter(3, first=100)
    seal()
    said = verdict()
    assert said.ok and said.size == 8 and said.waiting == 0
    assert sorted(checkpoints.handed_out_sizes()) == [5, 8]


def test_sealing_nothing_signs_nothing() -> None:
    enter(1)
    seal()
    with ledger.acting_transaction("system") as db:
        assert ledger.seal(db, now=NOW) is None
    assert checkpoints.handed_out_sizes() == [1]


def test_an_entry_falls_with_the_act_it_belongs_to() -> None:
    with pytest.raises(RuntimeError), ledger.acting_transaction("person:7") as db:
        ledger.write(db, by="person:7", verb="child.seen", thing="child", ids=[1], at=NOW)
        raise RuntimeError
    seal()
    assert verdict().size == 0


def test_a_head_that_was_rolled_back_is_never_handed_out() -> None:
    """It would look like a fork for ever."""
    enter(3)
    with pytest.raises(RuntimeError), ledger.acting_transaction("system") as db:
        ledger.seal(db, now=NOW)
        raise RuntimeError
    assert checkpoints.handed_out_sizes() == []
    enter(2)
    seal()
    assert verdict().ok and checkpoints.handed_out_sizes() == [5]


def test_an_older_number_that_commits_later_gets_its_place() -> None:
    """Identity order is not commit order."""
    with store.connect() as slow:
        ledger.write(slow, by="person:7", verb="child.seen", thing="child", ids=[1], at=NOW)
        enter(2)
        seal()
        slow.commit()
    assert verdict().waiting == 1
    seal()
    said = verdict()
    assert said.ok and said.size == 3 and said.waiting == 0


def test_two_sequencers_and_many_writers_at_once() -> None:
    stop = threading.Event()

    def sealing() -> None:
        while not stop.is_set():
            seal()

    sealers = [threading.Thread(target=sealing) for _ in range(2)]
    writers = [threading.Thread(target=lambda: [enter(3) for _ in range(20)]) for _ in range(4)]
    for thread in (*sealers, *writers):
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    for thread in sealers:
        thread.join()
    seal()
    said = verdict()
    assert said.ok and said.size == 4 * 20 * 3 and said.waiting == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"verb": "Saw Maria"}, {"by": "Maria Lopez"}, {"thing": "child\n"}, {"rule": "because she asked"}, {"verb": ""},
        {"purpose": "Safety"}, {"agency": "Houston office"}, {"thing": "a-200-123-456"}, {"rule": "file:200123456"},
        {"verb": "x" * 121}, {"verb": "niña"},
    ],
)  # fmt: skip
def test_what_is_no_code_is_refused_and_not_repeated(wrong: dict[str, str]) -> None:
    with pytest.raises(ledger.NotACode) as refused:
        write(**wrong)
    assert all(text == "" or text not in str(refused.value) for text in wrong.values())
    seal()
    assert verdict().size == 0


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ledger.LedgerError, match="zone"):
        write(at=NOW.replace(tzinfo=None))


@pytest.mark.parametrize("count", [0, 1, 16, 17, 256, 257, 5000])
def test_an_act_on_many_is_one_entry_through_which_each_is_proved(count: int) -> None:
    ids = pl.Series("child", [7 * n for n in range(count, 0, -1)], pl.Int64)
    write(ids=ids)
    with store.transaction() as db:
        rows = store.fetch(db, "select seq, ids, count, digest from ledger_entry")
        assert len(rows) == 1 and rows[0]["count"] == count
        assert rows[0]["ids"] == (sorted(ids) if count <= 16 else [])
        assert ledger.ids_of(db, rows[0]["seq"]) == sorted(ids)
        for one in ids.head(3):
            assert ledger.through(db, rows[0]["seq"], one).proves(rows[0]["digest"])
        with pytest.raises(ledger.LedgerError, match="does not name"):
            ledger.through(db, rows[0]["seq"], 3)
    seal()
    assert verdict().ok


def test_who_looked_at_a_child_is_found_however_it_was_entered() -> None:
    write(ids=[42])
    write(ids=[41, 42, 43])
    write(ids=range(30, 60))
    write(ids=range(100, 160))
    write(ids=[42 << 8, *range(1000, 1030)])  # 42 stands in these bytes, but not at an id's place
    with store.transaction() as db:
        assert [row["count"] for row in ledger.about(db, 42)] == [30, 3, 1]


def test_the_database_refuses_to_change_the_ledger() -> None:
    enter(2)
    seal()
    for statement in (
        "update ledger_entry set verb = 'x'", "delete from ledger_entry", "truncate ledger_entry cascade",
        "update ledger_leaf set seq = 0", "delete from ledger_leaf", "delete from ledger_checkpoint",
        "update ledger_checkpoint set note = ''", "update ledger_waiting set seq = 0",
    ):  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege), store.transaction() as db:
            db.execute(statement.encode())
    assert verdict().ok


def test_a_table_refuses_a_write_when_nobody_is_acting() -> None:
    with store.transaction() as db:
        db.execute("create table guarded (x int)")
        db.execute("""create trigger needs_actor before insert or update or delete on guarded
                      for each statement execute function handhold_needs_actor()""")
    with (
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="nobody is acting"),
        store.transaction() as db,
    ):
        store.copy_in(db, "guarded", pl.DataFrame({"x": [1]}))
    with ledger.acting_transaction("person:7") as db:
        assert store.copy_in(db, "guarded", pl.DataFrame({"x": [1]})) == 1
        assert store.fetch(db, "select handhold_acting() as by") == [{"by": "person:7"}]
    with store.transaction() as db:  # the same pooled connection: the actor must not linger
        assert store.fetch(db, "select handhold_acting() as by") == [{"by": None}]
        db.execute("drop table guarded")


def test_nobody_acts_under_a_name() -> None:
    with pytest.raises(ledger.NotACode), ledger.acting_transaction("Maria Lopez"):
        raise AssertionError("it must not begin")


def test_redaction_destroys_the_text_and_keeps_the_proof() -> None:
    enter(4)
    seal()
    with store.transaction() as db:
        seq = store.fetch(db, "select seq from ledger_leaf where index = 1")[0]["seq"]
    with ledger.acting_transaction("person:1") as db:
        ledger.redact(db, seq, by="person:1", rule="expungement", now=NOW)
    seal()
    said = verdict()
    assert said.ok and said.redacted == 1 and said.size == 5
    with store.transaction() as db:
        left = store.fetch(db, "select * from ledger_entry where seq = %s", [seq])[0]
        record = store.fetch(db, "select seq from ledger_entry where verb = 'ledger.redacted'")[0]["seq"]
    assert {name for name, value in left.items() if value is not None} == {"seq"}
    for again in (seq, record):
        with pytest.raises(ledger.LedgerError, match="leave it"), ledger.acting_transaction("person:1") as db:
            ledger.redact(db, again, by="person:1", rule="expungement", now=NOW)


def test_what_is_not_sealed_is_not_redacted() -> None:
    enter(1)
    with (
        pytest.raises(ledger.LedgerError, match="seal the ledger first"),
        ledger.acting_transaction("person:1") as db,
    ):
        seq = store.fetch(db, "select seq from ledger_entry")[0]["seq"]
        ledger.redact(db, seq, by="person:1", rule="expungement", now=NOW)


SEQ_2 = "(select seq from ledger_leaf where index = 2)"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (f"update ledger_entry set by = 'person:9' where seq = {SEQ_2}", "index 2 "),
        (f"update ledger_entry set ids = '{{9}}' where seq = {SEQ_2}", "index 2 "),
        (f"update ledger_entry set salt = set_byte(salt, 3, 255 - get_byte(salt, 3)) where seq = {SEQ_2}", "index 2 "),
        ("update ledger_leaf set hash = set_byte(hash, 0, 255 - get_byte(hash, 0)) where index = 2", "index 2 "),
        (f"delete from ledger_entry where seq = {SEQ_2}", "index 2 "),
        ("delete from ledger_leaf where index = 2", "index 2 is missing"),
        ("delete from ledger_leaf where index >= 4", "index 4 is missing"),
        (f"select ledger_redact({SEQ_2})", "index 2 "),
        ("delete from ledger_checkpoint where size = 6", "was never signed"),
        ("update ledger_checkpoint set root = digest from (select root as digest from ledger_checkpoint where size = 3) o where size = 6",
         "checkpoint 6"),
        ("delete from ledger_waiting", "hidden from the tree"),
    ],
)  # fmt: skip
def test_tampering_is_named(statement: str, problem: str) -> None:
    enter(3)
    seal()
    enter(3)
    seal()
    enter(1)
    tamper(statement)
    said = verdict()
    assert not said.ok and any(problem in one for one in said.problems), said.problems


def test_a_broken_head_is_not_built_on() -> None:
    enter(3)
    seal()
    tamper("update ledger_checkpoint set frontier = set_byte(frontier, 0, 255 - get_byte(frontier, 0))")
    enter(1)
    with pytest.raises(ledger.LedgerError, match="does not fit its own root"):
        seal()


def test_an_outsider_proves_a_bundle_offline(tmp_path: Path) -> None:
    enter(40)
    seal()
    kept = (checkpoints.folder() / "40.txt").read_text()
    enter(3)
    seal()
    bundle = export(tmp_path / "bundle")
    (tmp_path / "kept.txt").write_text(kept)
    done = outsider(bundle, "--seen", str(tmp_path / "kept.txt"), "--prove", "17")
    assert done.returncode == 0, done.stderr
    assert "holds: 43 leaves under 3 signed checkpoints, 43 entries opened" in done.stdout
    assert json.loads(done.stdout.splitlines()[0])["index"] == 17


def test_an_outsider_is_given_only_the_texts_meant_for_it(tmp_path: Path) -> None:
    enter(10)
    seal()
    with store.transaction() as db:
        seq = store.fetch(db, "select seq from ledger_leaf where index = 4")[0]["seq"]
    done = outsider(export(tmp_path / "bundle", [seq]))
    assert done.returncode == 0 and "10 leaves under 1 signed checkpoints, 1 entries opened" in done.stdout


@pytest.mark.parametrize("harm", ["leaf", "cut", "entry", "checkpoint", "key", "seen", "garbage"])
def test_an_outsider_finds_harm(tmp_path: Path, harm: str) -> None:
    enter(6)
    seal()
    bundle = export(tmp_path / "bundle")
    more: list[str] = []
    leaves, entries = bundle / "leaves.bin", bundle / "entries.jsonl"
    if harm == "leaf":
        leaves.write_bytes(b"x" + leaves.read_bytes()[1:])
    elif harm == "cut":
        leaves.write_bytes(leaves.read_bytes()[:-32])
    elif harm == "entry":
        entries.write_text(entries.read_text().replace("child.seen", "child.told", 1))
    elif harm == "checkpoint":
        file = bundle / "checkpoints" / "6.txt"
        file.write_text(file.read_text().replace("\n6\n", "\n7\n"))
    elif harm == "key":
        (tmp_path / "key").write_text(f"{trail_key()}\n")
        more = ["--key", str(tmp_path / "key")]
    elif harm == "seen":
        enter(3)
        seal()
        more = ["--seen", str(checkpoints.folder() / "9.txt")]
    else:
        entries.write_text("[]\n" + entries.read_text())
    assert outsider(bundle, *more).returncode == 1


def trail_key() -> str:
    from handhold.ledger.note import Signer

    return str(Signer.new().verifier)


def export(folder: Path, seqs: list[int] | None = None) -> Path:
    with ledger.acting_transaction("system") as db:
        ledger.export_bundle(db, folder, seqs=seqs)
    return folder


def outsider(bundle: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    """Run the bundle's own program where Handhold cannot be imported."""
    return subprocess.run(
        [sys.executable, "-I", str(bundle / "verify.py"), str(bundle), *more],
        check=False,
        capture_output=True,
        text=True,
        cwd=bundle,
    )


def test_the_payload_is_canonical_json() -> None:
    write(ids=[2**62, 5], agency="ORR", rule="sponsor-firewall")
    with store.transaction() as db:
        text = store.fetch(db, "select payload from ledger_entry")[0]["payload"].decode()
    said = json.loads(text)
    assert text == json.dumps(said, sort_keys=True, separators=(",", ":"))
    assert said["ids"] == ["5", str(2**62)] and said["agency"] == "ORR" and said["purpose"] is None
    assert said["digest"] == trail.digest(trail.pack([5, 2**62])).hex()
