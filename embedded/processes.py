"""Starting processes, and knowing later which ones are ours."""

import contextlib
import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from embedded.errors import StackError

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True)
class Owner:
    """The user and group ids to run a process as."""

    user: int
    group: int


def spawn(
    command: Sequence[str],
    *,
    output: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    owner: Owner | None = None,
    orphan_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Start `command` with its output added to the file `output`.

    It gets a session of its own, so Ctrl-C reaches it only through us, and on Linux
    `orphan_signal` when the thread that started it ends. Raises `OSError` when it can't start.
    """
    identity_options: dict[str, Any] = {}
    if owner is not None:
        identity_options = {"user": owner.user, "group": owner.group, "extra_groups": []}
    with output.open("ab") as sink:
        return subprocess.Popen(  # noqa: S603 - every command is made in this package
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=sink,
            env=env,
            cwd=cwd,
            start_new_session=True,
            preexec_fn=_die_with_parent(orphan_signal),  # noqa: PLW1509 - one system call, no lock
            **identity_options,
        )


def stop(process: subprocess.Popen[bytes], number: signal.Signals, timeout: float) -> None:
    """End a child: its own signal first, SIGKILL after `timeout` seconds."""
    process.send_signal(number)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with_parent(number: signal.Signals) -> Callable[[], None] | None:
    """What a child calls before exec so that it doesn't outlive its parent (Linux only)."""
    if _libc is None:
        return None
    libc, parent = _libc, os.getpid()

    def ask_the_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:  # it ended before the kernel was asked
            os._exit(1)

    return ask_the_kernel


def alive(pid: int) -> bool:
    """Whether the process is there and not just waiting to be reaped."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def identity(pid: int) -> str | None:
    """A text that no other process ever has, also after a reboot; None if there is none."""
    if sys.platform == "linux":
        # psutil's creation time moves with the clock; ticks since boot don't.
        try:
            stat = Path(f"/proc/{pid}/stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return None
        ticks = stat.rpartition(")")[2].split()[19]
        return f"{Path('/proc/sys/kernel/random/boot_id').read_text().strip()} {ticks}"
    try:
        return str(psutil.Process(pid).create_time())
    except psutil.NoSuchProcess:
        return None


class PidFiles:
    """`<part>.pid` holds a part's process id, `<part>.identity` proves that it is still that one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, part: str, pid: int) -> None:
        # The identity first: whoever sees the new id can rely on it.
        self._replace(f"{part}.identity", f"{pid} {identity(pid)}\n")
        self._replace(f"{part}.pid", f"{pid}\n")

    def _replace(self, name: str, text: str) -> None:
        new = self._folder / f".{name}.new"
        new.write_text(text)
        new.replace(self._folder / name)

    def remove(self, part: str) -> None:
        for suffix in ("pid", "identity"):
            (self._folder / f"{part}.{suffix}").unlink(missing_ok=True)

    def leftover(self, part: str) -> int | None:
        """The process of this part that a killed supervisor left behind, if it still runs."""
        try:
            number, _, recorded = (self._folder / f"{part}.identity").read_text().partition(" ")
            pid = int(number)
        except (FileNotFoundError, ValueError):
            return None
        same = identity(pid) == recorded.strip()
        return pid if same and alive(pid) else None


def end_leftovers(pid_files: PidFiles, parts: Mapping[str, signal.Signals]) -> list[str]:
    """End what a killed supervisor left running, each part by its signal; answers their names."""
    left = {part: pid for part in parts if (pid := pid_files.leftover(part)) is not None}
    end({pid: parts[part] for part, pid in left.items()}, timeout=10)
    return list(left)


def end(pids: Mapping[int, signal.Signals], timeout: float) -> None:
    """End processes that are not our children: their own signal first, SIGKILL after `timeout` s."""
    for pid, number in pids.items():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
    for pid in _still_there(pids, timeout):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    stuck = _still_there(pids, 5.0)
    if stuck:
        raise StackError(f"processes {sorted(stuck)} of an earlier run do not end; end them first")


def _still_there(pids: Mapping[int, signal.Signals], timeout: float) -> set[int]:
    deadline = time.monotonic() + timeout
    left = {pid for pid in pids if alive(pid)}
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = {pid for pid in left if alive(pid)}
    return left


@contextlib.contextmanager
def only_one(data_dir: Path) -> Iterator[None]:
    """Hold the data folder; raises `StackError` when another supervisor does."""
    run = data_dir / "run"
    run.mkdir(parents=True, exist_ok=True)
    with (run / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise StackError(
                f"another stack (process {lock.read().strip() or 'unknown'}) runs on {data_dir}: "
                "stop it, or set SENDOUT_DATA_DIR to another folder"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
