"""What the supervisor runs: parts that stay up, steps that end, and the order of both."""

import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from embedded.processes import Owner


async def always_ready() -> str | None:
    """The check of a part that is used as soon as its process is there."""
    return None


def nothing_to_prepare() -> None:
    """The preparation of a part that needs none."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A process that is started again whenever it ends.

    `ready` answers None, or why the part can't be used yet. `prepare` runs before every start.
    `stop_timeout` is in seconds; a part that is still there then is killed.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    ready: Callable[[], Awaitable[str | None]] = always_ready
    prepare: Callable[[], None] = nothing_to_prepare
    stop_signal: signal.Signals = signal.SIGTERM
    stop_timeout: float = 10.0
    # What the kernel sends when the supervisor itself is killed.
    orphan_signal: signal.Signals = signal.SIGKILL
    owner: Owner | None = None


@dataclass(frozen=True, kw_only=True)
class Step:
    """A command that must succeed once before the next stage starts."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    cwd: Path
    timeout: float = 120.0


@dataclass(frozen=True)
class Stage:
    """Parts that start together, and steps that run one after the other while they come up.

    The next stage starts when all parts are ready and all steps done.
    """

    parts: tuple[Part, ...]
    steps: tuple[Step, ...] = field(default=())
