"""Homes for tests that kill: each with its own keys and its own PostgreSQL, and nothing outside is touched."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
NOW = "2024-05-31T23:59-04:00"
LONGEST = 300  # seconds a command may take before the test gives up


@contextmanager
def fresh_home() -> Iterator["Home"]:
    """A new home, open to the account that PostgreSQL runs as; its server is stopped and it is removed at the end."""
    where = Path(tempfile.mkdtemp(prefix="handhold-faults-"))
    where.chmod(0o755)
    home = Home(where)
    try:
        yield home
    finally:
        home.handhold("db", "stop")
        shutil.rmtree(where)


@dataclass(frozen=True)
class Home:
    """One deployment, used as a person uses it: by its command line."""

    where: Path

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
        return kept | {"HANDHOLD_HOME": str(self.where), "PYTHONPATH": str(REPOSITORY / "src")}

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Begin a command in a process group of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "handhold", *words],
            env=self._environment(), start_new_session=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def handhold(self, *words: str) -> str:
        """Run a command to its end and return what it printed; a failure fails the test."""
        command = self.start(*words)
        said, _ = command.communicate(timeout=LONGEST)
        assert command.returncode == 0, said
        return said

    def take_keys_of(self, other: "Home") -> None:
        """Ids are keyed hashes: two homes give the same ids only with the same keys."""
        shutil.copy2(other.where / "keys.json", self.where / "keys.json")

    def kill_after(self, seconds: float, *words: str, database_too: bool = False) -> bool:
        """Begin a command and kill it hard; whether it still ran when it was killed."""
        command = self.start(*words)
        with suppress(subprocess.TimeoutExpired):
            command.communicate(timeout=seconds)
        ran = command.poll() is None
        with suppress(ProcessLookupError):
            os.killpg(command.pid, signal.SIGKILL)
        if database_too:
            self._kill_database()
        command.communicate(timeout=LONGEST)
        return ran

    def _kill_database(self) -> None:
        """Kill this home's postmaster, as a power cut would; its children end when they notice."""
        for file in self.where.glob("pg-*/postmaster.pid"):
            with suppress(ProcessLookupError):
                os.kill(int(file.read_text().split("\n", 1)[0]), signal.SIGKILL)
        time.sleep(0.5)


def moments(seed: int, count: int, longest: float) -> list[float]:
    """Moments to kill at, one in each part of a run that takes ``longest`` seconds; the same for the same seed."""
    dice = random.Random(seed)
    return [longest * (part + dice.random()) / count for part in range(count)]
