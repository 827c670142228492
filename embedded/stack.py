"""A whole embedded stack as a subprocess, for tests, the demo and benchmarks."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from embedded.dev import api_url
from embedded.environment import embedded_settings, part_environment
from embedded.errors import StackError
from embedded.ports import free_ports
from embedded.processes import spawn, stop
from embedded.supervisor import tail
from settings import Settings

_DEV = (sys.executable, "-m", "cli", "dev")
_PORTS = ("api_port", "simulator_port", "temporal_port", "temporal_ui_port")


class Stack:
    """A running stack; a context manager that stops it.

    Blocking. Start it from a thread that lives as long as the stack: on Linux the stack ends
    with the thread that started it.
    """

    def __init__(
        self, settings: Settings, process: subprocess.Popen[bytes], *, fresh: bool
    ) -> None:
        self.settings = settings
        self.data_dir = settings.data_dir
        self.process = process
        self.api_url = api_url(settings)
        self.simulator_url = settings.graph_url
        self.temporal_address = settings.temporal_address
        self.temporal_ui_url = settings.temporal_ui_url
        self.database_url = settings.database_url
        self._fresh = fresh

    @classmethod
    def start(
        cls,
        data_dir: Path | None = None,
        *,
        timeout: float = 120.0,
        command: Sequence[str] = _DEV,
        **overrides: Any,
    ) -> Self:
        """Start a stack and wait at most `timeout` seconds until all of it is ready.

        Without `data_dir` it gets a new folder, removed at `stop`. Ports not among the
        `overrides` (names of `Settings`) are free ones; start again with the same `data_dir` and
        `**stack.ports` to come back under the same addresses.
        Raises `StackError` with the output when it does not come up.
        """
        folder = data_dir or Path(tempfile.mkdtemp(prefix="sendout-"))
        missing = [name for name in _PORTS if name not in overrides]
        ports = dict(zip(missing, free_ports(len(missing)), strict=True))
        settings = embedded_settings(**overrides | ports | {"data_dir": folder})
        folder.mkdir(parents=True, exist_ok=True)
        output = folder / "stack.log"
        process = spawn(
            command,
            output=output,
            env=part_environment(settings),
            cwd=Path(__file__).resolve().parent.parent,
            orphan_signal=signal.SIGTERM,
        )
        stack = cls(settings, process, fresh=data_dir is None)
        try:
            stack.wait_ready(timeout)
        except BaseException:
            stack.stop()
            raise
        return stack

    @property
    def ports(self) -> dict[str, int]:
        """The ports as settings, for a later `start` under the same addresses."""
        return {name: getattr(self.settings, name) for name in _PORTS}

    def wait_ready(self, timeout: float = 120.0) -> None:
        """Return when `/readyz?all=1` answers 200; raises `StackError` after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        with httpx.Client(trust_env=False, timeout=10) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if client.get(f"{self.api_url}/readyz", params={"all": "1"}).is_success:
                        return
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise StackError(f"the stack is not ready\n{self.output()}")
                time.sleep(0.1)

    def output(self, lines: int = 60) -> str:
        """The last lines the supervisor printed."""
        return tail(self.data_dir / "stack.log", lines)

    def log(self, part: str, lines: int = 60) -> str:
        """The last lines of a part's log."""
        return tail(self.data_dir / "log" / f"{part}.log", lines)

    def pid(self, part: str) -> int:
        """The process id of a part (`postgres`, `temporal`, `simulator`, `api`, `worker`)."""
        return int((self.data_dir / "run" / f"{part}.pid").read_text())

    def kill(self, part: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a part's own process; answers the id it had."""
        pid = self.pid(part)
        os.kill(pid, number)
        return pid

    def stop(self, timeout: float = 60.0) -> None:
        """End the stack cleanly as SIGTERM does; killed after `timeout` seconds."""
        stop(self.process, signal.SIGTERM, timeout)
        if self._fresh:
            shutil.rmtree(self.data_dir, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
