"""A watched folder: files that are still being written are left alone, each other one is taken once.

A file is claimed by moving it into ``.taking`` (one rename, so that two processes cannot take it both), taken in, and
put away under ``taken`` with the folder it lay in. A process killed anywhere leaves it in one of the two places: what
lies in ``.taking`` is taken in first by the next one, and the same bytes again change nothing. Files under ``preview``
are only looked at; what would become of them is written beside.
"""

import os
import time
from collections.abc import Iterable
from pathlib import Path

from handhold.feeds.inbox import UNFINISHED, in_turn

TAKING, TAKEN, PREVIEW, ANSWER = ".taking", "taken", "preview", ".preview.txt"
OWN = {TAKING, TAKEN, PREVIEW}


class Watched:
    """One folder, and how its files looked the last time. ``still``: seconds in which a file must not have changed."""

    def __init__(self, folder: Path, still: float) -> None:
        self.folder, self.still = folder, still
        self._seen: dict[Path, tuple[tuple[int, int], float]] = {}

    def look(self, at: float | None = None) -> tuple[list[list[Path]], list[Path]]:
        """What may be taken now, claimed and by folder (the tables of one extract belong together); what to preview.

        ``at``: seconds on a clock that only goes forward.
        """
        at = time.monotonic() if at is None else at
        calm, moving = self._calm(at)
        new = [path for path in calm if path.relative_to(self.folder).parts[0] not in OWN]
        for path in new:
            if path.parent not in moving:
                self._claim(path)
        asked = [path for path in calm if path.relative_to(self.folder).parts[0] == PREVIEW]
        return self._claimed(), [path for path in in_turn(asked) if not self._answered(path)]

    def _calm(self, at: float) -> tuple[list[Path], set[Path]]:
        """Files that did not change between two looks, and the folders in which something is still being written."""
        calm, moving, seen = [], set(), {}
        for path in self._files():
            looks = _looks(path)
            if looks is None:
                continue
            before, since = self._seen.get(path, (None, at))
            seen[path] = (looks, since if looks == before else at)
            done = at - seen[path][1] >= self.still and looks == before
            if not done:
                moving.add(path.parent)
            elif path.suffix.lower() not in UNFINISHED:
                calm.append(path)
        self._seen = seen
        return calm, moving

    def _files(self) -> Iterable[Path]:
        for place, folders, names in os.walk(self.folder):
            here = Path(place)
            folders[:] = [f for f in folders if not f.startswith(".") and (here != self.folder or f != TAKEN)]
            yield from (
                here / name for name in names if not name.startswith(".") and not name.endswith(ANSWER)
            )

    def _claim(self, path: Path) -> None:
        target = self.folder / TAKING / path.relative_to(self.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():  # the same name, not yet put away: this one waits for the next look
            path.rename(target)
            self._seen.pop(path, None)

    def _claimed(self) -> list[list[Path]]:
        """What lies in ``.taking``, also what a killed process left there, by the folder it came from."""
        where = self.folder / TAKING
        by_folder: dict[Path, list[Path]] = {}
        for path in in_turn([p for p in where.rglob("*") if p.is_file()] if where.is_dir() else []):
            by_folder.setdefault(path.parent, []).append(path)
        return list(by_folder.values())

    def put_away(self, path: Path) -> Path:
        """Move what was taken in under ``taken``; a name that lies there already gets a number."""
        inside = path.relative_to(self.folder / TAKING)
        wanted = self.folder / TAKEN / inside
        wanted.parent.mkdir(parents=True, exist_ok=True)
        target, number = wanted, 1
        while target.exists():
            number += 1
            target = wanted.with_name(f"{wanted.stem} ({number}){wanted.suffix}")
        path.rename(target)
        return target

    def _answered(self, path: Path) -> bool:
        answer = path.with_name(path.name + ANSWER)
        return answer.exists() and answer.stat().st_mtime_ns >= path.stat().st_mtime_ns

    def answer(self, path: Path, lines: Iterable[str]) -> None:
        """Write beside a file what would become of it."""
        answer = path.with_name(path.name + ANSWER)
        draft = answer.with_name(f".{answer.name}")
        draft.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        draft.replace(answer)


def _looks(path: Path) -> tuple[int, int] | None:
    """Size and time of change; ``None`` for what is no file (a link could lead anywhere) or is gone."""
    try:
        if path.is_symlink() or not path.is_file():
            return None
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns
