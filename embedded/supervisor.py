"""Keeps the parts of the stack running, each as a process of its own, until told to stop."""

import asyncio
import contextlib
import math
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from embedded.errors import StackError
from embedded.part import Part, Stage, Step
from embedded.processes import PidFiles, spawn

# Between two starts of one part, in seconds: a part that can't start doesn't spin, and one that
# is killed again and again is back within this time.
RESTART_PAUSE = 1.0
READY_TIMEOUT = 90.0
# A part that ended this often without ever being ready is not coming up by itself.
_HOPELESS = 3
_LOOK_EVERY = 0.05

Say = Callable[[str], None]


def console(line: str) -> None:
    """Print one line; a console that went away is no reason to stop."""
    with contextlib.suppress(OSError):
        print(f"[{time.strftime('%H:%M:%S')}] {line}", flush=True)


class Keeper:
    """Runs one part and starts it again whenever it ends."""

    def __init__(self, part: Part, pids: PidFiles, output: Path, say: Say, pause: float) -> None:
        self.part = part
        self.ends_before_ready = 0
        self.is_ready = False
        self._pids = pids
        self._output = output
        self._say = say
        self._pause = pause
        self._process: subprocess.Popen[bytes] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name=f"keep {self.part.name}")

    async def _keep(self) -> None:
        while True:
            started = time.monotonic()
            try:
                self._launch()
            except (OSError, StackError) as error:
                fate = f"can't start ({error})"
            else:
                fate = await self._fate()
            if not self.is_ready:
                self.ends_before_ready += 1
            self._say(f"{self.part.name} {fate}; starting it again (see {self._output})")
            await asyncio.sleep(self._pause - (time.monotonic() - started))

    def _launch(self) -> None:
        part = self.part
        part.prepare()
        self._process = spawn(
            part.command,
            output=self._output,
            env=part.env,
            cwd=part.cwd,
            owner=part.owner,
            orphan_signal=part.orphan_signal,
        )
        self._pids.write(part.name, self._process.pid)
        self._say(f"{part.name} started (process {self._process.pid})")

    async def _fate(self) -> str:
        assert self._process is not None  # noqa: S101 - _launch has just set it
        await _ended(self._process)
        code = self._process.returncode
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"exited with {code}"

    async def wait_ready(self) -> None:
        """Return when the part can be used; raises `StackError` when that doesn't come."""
        deadline = time.monotonic() + READY_TIMEOUT
        while (reason := await self._why_not()) is not None:
            if time.monotonic() > deadline or self.ends_before_ready >= _HOPELESS:
                raise StackError(
                    f"{self.part.name} does not become ready: {reason}\n{tail(self._output)}"
                )
            await asyncio.sleep(_LOOK_EVERY)
        self.is_ready = True

    async def _why_not(self) -> str | None:
        if self._process is None or self._process.poll() is not None:
            return "its process ends"
        return await self.part.ready()

    async def stop(self, *, at_once: asyncio.Event) -> None:
        """End the part for good: its stop signal, then SIGKILL when its time is over."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        process = self._process
        if process is not None:
            process.send_signal(self.part.stop_signal)
            deadline = time.monotonic() + self.part.stop_timeout
            while process.poll() is None:
                if time.monotonic() > deadline or at_once.is_set():
                    process.kill()
                await asyncio.sleep(_LOOK_EVERY)
            self._say(f"{self.part.name} stopped")
        self._pids.remove(self.part.name)


class Supervisor:
    """Starts stages in order, keeps their parts up and ends them in reverse order.

    `data_dir` gets `run/<part>.pid` and `log/<part>.log`. One supervisor per data folder:
    hold `processes.only_one` around it. `pause` is the shortest time between two starts of a part.
    """

    def __init__(
        self,
        stages: Sequence[Stage],
        data_dir: Path,
        *,
        say: Say = console,
        pause: float = RESTART_PAUSE,
    ) -> None:
        self._stages = stages
        self._pids = PidFiles(data_dir / "run")
        self._logs = data_dir / "log"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._say = say
        self._pause = pause
        self._keepers: list[Keeper] = []
        self._at_once = asyncio.Event()

    async def start(self) -> None:
        """Return when every part is ready and every step done; raises `StackError`."""
        for stage in self._stages:
            keepers = [self._keeper(part) for part in stage.parts]
            self._keepers += keepers
            for keeper in keepers:
                keeper.start()
            for step in stage.steps:
                await self._run_step(step)
            for keeper in keepers:
                await keeper.wait_ready()

    def _keeper(self, part: Part) -> Keeper:
        return Keeper(part, self._pids, self._logs / f"{part.name}.log", self._say, self._pause)

    async def _run_step(self, step: Step) -> None:
        output = self._logs / f"{step.name}.log"
        process = spawn(step.command, output=output, env=step.env, cwd=step.cwd)
        try:
            ended = await _ended(process, within=step.timeout)
            if process.returncode != 0:
                fate = (
                    f"failed ({process.returncode})" if ended else f"took over {step.timeout:g} s"
                )
                raise StackError(f"{step.name} {fate}\n{tail(output)}")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def hurry(self) -> None:
        """Let `stop` kill what hasn't ended yet."""
        self._at_once.set()

    async def stop(self) -> None:
        """End all parts, the last started first."""
        while self._keepers:
            await self._keepers.pop().stop(at_once=self._at_once)


async def _ended(process: subprocess.Popen[bytes], within: float = math.inf) -> bool:
    """Whether a child ended within so many seconds.

    Looks instead of listening for SIGCHLD, which would need asyncio's watcher threads.
    """
    deadline = time.monotonic() + within
    while process.poll() is None:
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK_EVERY)
    return True


def tail(output: Path, lines: int = 20) -> str:
    """The last lines of a log, under its name."""
    text = output.read_text(errors="replace") if output.exists() else ""
    return "\n".join([f"--- {output}", *text.splitlines()[-lines:], "---"])


async def run_until_signal(
    supervisor: Supervisor, *, ready: Callable[[], None] = lambda: None
) -> None:
    """Start, call `ready`, and stop cleanly at SIGINT, SIGTERM or SIGHUP; a second one hurries.

    Raises `StackError` after everything has ended if the stack could not be started.
    """
    told = asyncio.Event()

    def tell() -> None:
        if told.is_set():
            supervisor.hurry()
        told.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, tell)
    start = asyncio.create_task(supervisor.start())
    wait = asyncio.create_task(told.wait())
    try:
        await asyncio.wait({start, wait}, return_when=asyncio.FIRST_COMPLETED)
        if start.done():
            start.result()
            ready()
            await wait
    finally:
        start.cancel()
        wait.cancel()
        await asyncio.gather(start, wait, return_exceptions=True)
        await supervisor.stop()
