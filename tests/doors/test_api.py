"""``/api/v1``: parts that go on where they stopped, the same answer twice, one agency's say, problems with codes."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from nation import Nation, hearing, in_court, released

from doors.conftest import Caller
from doors.world import entries, everything
from handhold import casework, feeds, store

Make = Callable[[str, str], Caller]
TRANSFERS, CASES = "uc_transfers_2024-05-31.csv", "cases_2024-05-31.csv"
KIND = "application/problem+json"


def transfers(tmp_path: Path, **more: str) -> bytes:
    nation = released(Nation(), **more)
    only = Nation({"ero.uc_transfers": nation.rows["ero.uc_transfers"]})
    return next(only.write(tmp_path).rglob("uc_transfers*.csv")).read_bytes()


def code(response: object) -> str:
    assert response["Content-Type"] == KIND  # type: ignore[index]
    said = response.json()  # type: ignore[attr-defined]
    assert said["status"] == response.status_code  # type: ignore[attr-defined]
    assert said["type"].endswith(f"#{said['code']}")
    return str(said["code"])


@pytest.fixture
def ero(api: Make) -> Caller:
    return api("coordinator", "safety")


def test_a_whole_file_is_looked_at_then_taken_in_then_the_same_again(ero: Caller, tmp_path: Path) -> None:
    id, body = uuid4(), transfers(tmp_path)
    look = ero.send(id, TRANSFERS, body, "?mode=validate")
    assert look.status_code == 200
    seen = look.json()
    assert (seen["mode"], seen["delivery"]["state"], seen["delivery"]["delivery"]) == (
        "validate",
        "complete",
        None,
    )
    assert (seen["effects"]["rows"]["new"], seen["effects"]["children"]) == (1, 1)
    with store.transaction() as db:
        assert feeds.listed(db) == []
    done = ero.send(id, TRANSFERS, body)
    assert done.status_code == 201
    assert done.json()["effects"] == seen["effects"]
    assert done.json()["delivery"]["counts"]["loaded"] == 1
    kept = everything()
    assert ero.send(id, TRANSFERS, body).status_code == 200
    other = ero.send(uuid4(), TRANSFERS, body)
    assert (other.status_code, other.json()["delivery"]["again"]) == (200, True)
    assert {k: v for k, v in everything().items() if "upload" not in k and "token" not in k} == {k: v for k, v in kept.items() if "upload" not in k and "token" not in k}  # fmt: skip
    assert not [p for p in (store.home() / "uploads").rglob("*") if p.is_file()]
    shown = ero("GET", id).json()
    assert (shown["state"], shown["counts"]["rows"], shown["sentence"]) == ("read", 1, None)


def test_parts_go_on_where_they_stopped(ero: Caller, tmp_path: Path) -> None:
    id, body = uuid4(), transfers(tmp_path)
    size, cut = len(body), len(body) // 3
    first = ero.send(id, TRANSFERS, body[:cut], Content_Range=f"bytes 0-{cut - 1}/{size}")
    assert (first.status_code, first["Upload-Offset"]) == (202, str(cut))
    assert ero("HEAD", id)["Upload-Offset"] == str(cut)
    assert ero("GET", id).json()["state"] == "receiving"
    wrong = ero("PUT", id, body[:cut], Content_Range=f"bytes 0-{cut - 1}/{size}")
    assert code(wrong) == "offset-mismatch"
    assert code(ero("PUT", id, body[cut:], Content_Range=f"bytes {cut}-{size}/{size}")) == "range-invalid"
    assert code(ero("PUT", id, b"", Content_Range=f"bytes */{size + 1}")) == "id-in-use"
    last = ero("PUT", id, body[cut:], tail="?mode=validate", Content_Range=f"bytes {cut}-{size - 1}/{size}")
    assert last.json()["effects"]["rows"]["new"] == 1
    assert ero("PUT", id, b"", Content_Range=f"bytes */{size}").status_code == 201


def test_a_connection_that_breaks_keeps_what_came(ero: Caller, tmp_path: Path) -> None:
    from io import BytesIO

    id, body = uuid4(), transfers(tmp_path)
    broken = ero.client.put(
        f"/api/v1/deliveries/{id}", body[:100], "application/octet-stream",
        headers={"Authorization": f"Bearer {ero.secret}", "Content-Disposition": f"attachment; filename={TRANSFERS}"},
        CONTENT_LENGTH=str(len(body)), **{"wsgi.input": BytesIO(body[:100])},
    )  # fmt: skip
    assert (broken.status_code, broken["Upload-Offset"]) == (202, "100")
    rest = ero("PUT", id, body[100:], Content_Range=f"bytes 100-{len(body) - 1}/{len(body)}")
    assert rest.status_code == 201


def test_nothing_of_a_file_lies_about_in_the_clear(ero: Caller, tmp_path: Path) -> None:
    id, body = uuid4(), transfers(tmp_path)
    ero.send(id, TRANSFERS, body[:-5], Content_Range=f"bytes 0-{len(body) - 6}/{len(body)}")
    pieces = [p for p in (store.home() / "uploads").rglob("*") if p.is_file()]
    assert pieces
    assert not any(b"DUARTE" in p.read_bytes() for p in pieces)
    with store.transaction() as db:
        assert "uc_transfers" not in str(db.execute("select t::text from feeds_upload t").fetchall())
    assert ero("DELETE", id).status_code == 204
    assert not [p for p in (store.home() / "uploads").rglob("*") if p.is_file()]
    assert code(ero("GET", id)) == "not-found"


def test_two_senders_of_one_part_do_not_mix(ero: Caller, tmp_path: Path) -> None:
    id, body = uuid4(), transfers(tmp_path)
    answers: list[int] = []

    def send() -> None:
        from django.db import connections

        answers.append(Caller(ero.secret).send(id, TRANSFERS, body).status_code)
        connections.close_all()

    senders = [threading.Thread(target=send) for _ in range(4)]
    for one in senders:
        one.start()
    for one in senders:
        one.join()
    assert set(answers) <= {200, 201, 409}
    assert ero.send(id, TRANSFERS, body).status_code == 200
    with store.transaction() as db:
        (delivery,) = feeds.listed(db)
        assert store.blobs.open_(delivery.sha256).read() == body


def test_the_same_key_gives_the_same_answer(ero: Caller, tmp_path: Path) -> None:
    id, body = uuid4(), transfers(tmp_path)
    first = ero.send(id, TRANSFERS, body, Idempotency_Key="monday")
    again = ero.send(id, TRANSFERS, body, Idempotency_Key="monday")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert code(ero.send(uuid4(), TRANSFERS, body, Idempotency_Key="monday")) == "key-reused"
    failed = ero("PUT", uuid4(), body, Idempotency_Key="tuesday")
    assert code(failed) == "name-required"
    assert ero.send(uuid4(), TRANSFERS, body, Idempotency_Key="tuesday").status_code == 200


def test_all_or_none(ero: Caller, tmp_path: Path) -> None:
    id, body = uuid4(), transfers(tmp_path, dob="sometime")
    look = ero.send(id, TRANSFERS, body, "?mode=validate&atomic=all").json()
    assert look["delivery"]["sentence"].startswith("1 of 1 rows cannot be read")
    refused = ero.send(id, TRANSFERS, body, "?atomic=all")
    assert (code(refused), refused.status_code) == ("rows-quarantined", 422)
    assert ero("GET", id).json()["state"] == "refused"
    by_row = ero.send(uuid4(), TRANSFERS, body)
    assert by_row.json()["delivery"]["counts"] == {"rows": 1, "loaded": 0, "changed": 0, "unchanged": 0, "quarantined": 1, "left": 0, "withdrawn": 0}  # fmt: skip
    assert by_row.json()["effects"]["refused"][0]["column"] == "Date of Birth"


def test_an_agency_states_only_what_is_its_own(api: Make, tmp_path: Path) -> None:
    opla, steward, body = api("attorney", "court"), api("steward", "safety"), transfers(tmp_path)
    before = everything()
    assert code(opla.send(uuid4(), TRANSFERS, body)) == "not-your-feed"
    assert {k: v for k, v in everything().items() if k != "access_token_use"} == {k: v for k, v in before.items() if k != "access_token_use"}  # fmt: skip
    assert entries()[-1] == "delivery.refused-to-agency"
    assert steward.send(uuid4(), TRANSFERS, body).status_code == 201


def test_ids_are_apart_by_agency(api: Make, tmp_path: Path) -> None:
    ero, opla, id = api("coordinator", "safety"), api("attorney", "court"), uuid4()
    assert ero.send(id, TRANSFERS, transfers(tmp_path)).status_code == 201
    assert code(opla("GET", id)) == "not-found"
    assert code(opla("GET", id, tail="/quarantine")) == "not-found"
    assert code(opla("DELETE", id)) == "not-found"


def test_a_role_without_the_right_is_refused_and_that_is_entered(api: Make, tmp_path: Path) -> None:
    auditor = api("auditor", "audit")
    assert code(auditor.send(uuid4(), TRANSFERS, transfers(tmp_path))) == "not-allowed"
    assert entries()[-1] == "delivery.refused-to-role"


@pytest.mark.parametrize("secret", ["", "hh_wrong", "A216043624"])
def test_without_a_token_that_holds_nothing_is_answered(ero: Caller, secret: str) -> None:
    answer = Caller(secret)("GET", uuid4())
    assert (code(answer), answer.status_code) == ("not-authenticated", 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_holds_no_longer(ero: Caller) -> None:
    from doors.world import NOW
    from handhold import access

    with store.transaction() as db:
        access.tokens.revoke(db, 1, now=NOW)
        assert ero.secret not in str(db.execute("select t::text from access_token t").fetchall())
    assert code(ero("GET", uuid4())) == "not-authenticated"


def test_limits(ero: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from handhold.web.api import guard

    real = guard.limits
    monkeypatch.setattr(guard, "limits", lambda part: real(part) | {"requests": 3, "part_bytes": 10})
    assert code(ero.send(uuid4(), TRANSFERS, b"more than ten bytes")) == "too-large"
    ero("GET", uuid4())
    ero("GET", uuid4())
    many = ero("GET", uuid4())
    assert (code(many), many["Retry-After"]) == ("too-many-requests", "60")


def test_cells_of_quarantined_rows_are_for_the_steward(api: Make, tmp_path: Path) -> None:
    ero, steward, id = api("coordinator", "safety"), api("steward", "safety"), uuid4()
    body = transfers(tmp_path, dob="sometime")
    ero.send(id, TRANSFERS, body)
    (row,) = ero("GET", id, tail="/quarantine").json()["rows"]
    assert (row["line"], row["column"], row["value"]) == (2, "Date of Birth", None)
    other = uuid4()
    steward.send(other, TRANSFERS, body)
    (row,) = steward("GET", other, tail="/quarantine").json()["rows"]
    assert row["value"] == "sometime"


def test_what_a_role_may_not_know_is_left_out_and_said_so(api: Make, tmp_path: Path) -> None:
    nation = hearing(in_court(released(Nation())), "2024-05-02", reason="11", mailed="2024-03-01")
    paths = feeds.find(nation.write(tmp_path))
    from doors.world import office

    casework.arrive(
        [p for p in paths if "opla" not in p.parts and "ero" not in p.parts], office(), sender="test"
    )
    uscis = api("adjudicator", "benefit")
    body = b"Receipt,A-Number,Last Name,First Name,Date of Birth,Country of Birth,Form,Received On,Status,Status On,NTA Issued On\nR1,216043624,DUARTE,ANA,2008-03-31,HONDURAS,I-589,2023-05-01,PENDING,,\n"
    look = uscis.send(uuid4(), "benefits_2024-01-01_2024-05-31.csv", body, "?mode=validate").json()
    from handhold import access
    from handhold.web import knowing

    who = access.Reader("t", "USCIS", "adjudicator", "benefit")
    assert {one["kind"] for one in look["effects"]["gaps_opened"]} <= set(knowing.gap_kinds(who))


def test_a_bad_name_says_what_would_do(ero: Caller) -> None:
    assert code(ero.send(uuid4(), "a\tb", b"x")) == "name-required"
    assert code(ero("PUT", uuid4(), b"x")) == "name-required"
    assert code(ero("PUT", "A216043624", b"x")) == "invalid-request"
    assert code(ero("PUT", uuid4(), b"x", Transfer_Encoding="chunked")) == "length-required"


def test_a_mistake_of_ours_says_nothing(ero: Caller, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    def breaks(*_words: object, **_more: object) -> None:
        raise RuntimeError("DUARTE, ANA A216043624")

    monkeypatch.setattr(casework, "arrive", breaks)
    answer = ero.send(uuid4(), TRANSFERS, transfers(tmp_path))
    assert (code(answer), answer.status_code) == ("our-mistake", 500)
    assert "DUARTE" not in answer.content.decode() + caplog.text


def test_the_description_and_its_page(ero: Caller) -> None:
    described = ero.client.get("/api/v1/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    ids = [call["operationId"] for path in described["paths"].values() for call in path.values()]
    assert len(ids) == len(set(ids)) == 4
    page = ero.client.get("/api/v1/").content.decode()
    assert "offset-mismatch" in page
    assert json.dumps(str(UUID(int=0))) not in page
