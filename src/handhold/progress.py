"""Progress on a terminal: a bar a stage while somebody watches, a line a stage where nobody does."""

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Bars:
    """A :class:`handhold.casework.Show` that draws on ``console``; use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._live = console.is_terminal
        self._console = console
        self._begun: dict[str, float] = {}
        self._tasks: dict[str, TaskID] = {}
        self._progress = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        )

    def __enter__(self) -> "Bars":
        if self._live:
            self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._live:
            self._progress.stop()

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        begun = self._begun.setdefault(stage, time.monotonic())
        if self._live:
            task = self._tasks.get(stage) or self._tasks.setdefault(
                stage, self._progress.add_task(stage, total=total)
            )
            self._progress.update(task, completed=done, total=total)
        elif done >= total:
            self._console.print(f"{stage:<24} {total:>12,}  {time.monotonic() - begun:7.1f} s")
            self._begun.pop(stage)
