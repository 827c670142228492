"""Supervised stand-in parts, and waiting for what happens in other processes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.e2e.patience import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]


def eventually(condition: Callable[[], object]) -> None:
    """Wait for a condition; the limit is for slow machines, not a promise."""
    until(bool, condition, every=0.02)


@dataclass
class Supervised:
    """A supervisor in a process of its own, and what it left in its data folder."""

    folder: Path
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def run(self, scenario: str) -> subprocess.Popen[str]:
        with (self.folder / "console").open("a") as console:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.embedded.standins", str(self.folder), scenario],
                cwd=ROOT,
                stdout=console,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self.processes.append(process)
        return process

    def up(self, scenario: str) -> subprocess.Popen[str]:
        ready = self.console().count("ready")
        process = self.run(scenario)
        eventually(lambda: self.console().count("ready") > ready or process.poll() is not None)
        assert process.poll() is None, self.console()
        return process

    def console(self) -> str:
        file = self.folder / "console"
        return file.read_text() if file.exists() else ""

    def pid(self, part: str) -> int:
        return int((self.folder / "run" / f"{part}.pid").read_text())


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervised]:
    it = Supervised(tmp_path)
    yield it
    for process in it.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE)
    for file in (tmp_path / "run").glob("*.pid"):  # what a killed supervisor left
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(file.read_text()), signal.SIGKILL)
