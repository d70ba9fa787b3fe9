"""The watched folder: half a file is left alone, a whole one is taken once, whatever happens in between."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from nation import Nation, in_court, released

from doors.world import everything, office, world
from handhold import casework, feeds, store

STILL = 2.0


@pytest.fixture
def own(template: str) -> Iterator[None]:
    with world(template):
        yield


def names(groups: list[list[Path]]) -> list[str]:
    return [path.name for group in groups for path in group]


def put(path: Path, text: str = "x", age: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, ns=(age, age))
    return path


def test_a_file_is_left_alone_until_two_looks_find_it_the_same(tmp_path: Path) -> None:
    watched = feeds.Watched(tmp_path, STILL)
    path = put(tmp_path / "cases_2024-05-31.csv", "a")
    assert watched.look(at=0) == ([], [])
    put(path, "ab")
    assert watched.look(at=2) == ([], [])  # another size
    put(path, "ac", age=1)
    assert watched.look(at=4) == ([], [])  # the same size, written since
    assert watched.look(at=5) == ([], [])  # the same, but not for long enough
    assert names(watched.look(at=6)[0]) == ["cases_2024-05-31.csv"]
    assert not path.exists()


@pytest.mark.parametrize("name", ["cases.csv.part", "cases.csv.tmp", "cases.csv.crdownload", ".cases.csv"])
def test_unfinished_names_are_never_taken(tmp_path: Path, name: str) -> None:
    watched = feeds.Watched(tmp_path, STILL)
    path = put(tmp_path / name)
    assert all(watched.look(at=at) == ([], []) for at in (0, 10, 20))
    assert path.exists()


def test_a_folder_waits_for_the_file_that_is_still_written_into_it(tmp_path: Path) -> None:
    watched = feeds.Watched(tmp_path, STILL)
    put(tmp_path / "eoir/2024-05-31/A_TblCase.csv")
    growing = put(tmp_path / "eoir/2024-05-31/tbl_schedule.csv.part", "a")
    put(tmp_path / "opla/cases_2024-05-31.csv")
    watched.look(at=0)
    put(growing, "ab")
    assert names(watched.look(at=3)[0]) == ["cases_2024-05-31.csv"]
    growing.rename(growing.with_suffix(""))
    watched.look(at=4)
    assert names(watched.look(at=7)[0])[1:] == ["A_TblCase.csv", "tbl_schedule.csv"] or names(watched.look(at=7)[0])[:2] == ["A_TblCase.csv", "tbl_schedule.csv"]  # fmt: skip


def test_links_are_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "elsewhere/secret.csv")
    (tmp_path / "in").mkdir()
    (tmp_path / "in/cases_2024-05-31.csv").symlink_to(secret)
    watched = feeds.Watched(tmp_path / "in", STILL)
    assert all(watched.look(at=at) == ([], []) for at in (0, 10))


@pytest.mark.usefixtures("own")
def test_what_was_taken_in_is_put_away_and_never_overwritten(tmp_path: Path) -> None:
    for round_, first in enumerate(("ANA", "LUZ")):
        released(Nation(), first=first).write(tmp_path)
        watched = feeds.Watched(tmp_path, 0)
        casework.watch(watched, office())
        assert casework.watch(watched, office()) == 3
        assert not list(tmp_path.glob("ero/*"))
        assert len(list((tmp_path / "taken/ero").iterdir())) == round_ + 1
    with store.transaction() as db:
        assert {d.status for d in feeds.listed(db)} == {"read"}


class Killed(BaseException):
    """As if the process were gone."""


@pytest.mark.usefixtures("own")
@pytest.mark.parametrize("where", ["keep", "take_in", "link", "take_up", "put_away"])
@pytest.mark.parametrize("after", [False, True])
def test_killed_anywhere_it_takes_everything_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, after: bool
) -> None:
    folder = in_court(released(Nation())).write(tmp_path)
    count = len(feeds.find(folder))
    place = feeds.Watched if where == "put_away" else casework
    real = getattr(place, where)

    def killed(*words: object, **more: object) -> None:
        if after:
            real(*words, **more)
        raise Killed

    watched = feeds.Watched(folder, 0)
    casework.watch(watched, office())
    with monkeypatch.context() as broken:
        broken.setattr(place, where, killed)
        with pytest.raises(Killed):
            casework.watch(watched, office())
    anew = feeds.Watched(folder, 0)
    casework.watch(anew, office())
    casework.watch(anew, office())
    assert len([p for p in (folder / "taken").rglob("*") if p.is_file()]) == count
    assert not [p for p in (folder / ".taking").rglob("*") if p.is_file()]
    with store.transaction() as db:
        assert [d.status for d in feeds.listed(db)] == ["read"] * count
        children = db.execute("select count(*) from account_standing").fetchone()
    assert children == (1,)


@pytest.mark.usefixtures("own")
def test_a_file_under_preview_is_answered_and_changes_nothing(tmp_path: Path) -> None:
    released(Nation()).write(tmp_path / "preview")
    watched = feeds.Watched(tmp_path, 0)
    casework.watch(watched, office())
    before = everything()
    casework.watch(watched, office())
    assert everything() == before
    said = next(tmp_path.rglob("uc_transfers*.preview.txt")).read_text()
    assert "ero.uc_transfers: read" in said
    assert "rows new: 1" in said
    assert "Nothing was changed." in said
    assert "DUARTE" not in said
    assert watched.look() == ([], [])
