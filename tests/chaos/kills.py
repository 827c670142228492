"""SIGKILLs at random moments of a sendout, each as the seed has it."""

import os
import random
import signal
import time
from collections.abc import Sequence

import httpx

from embedded.processes import PidFiles
from embedded.stack import Stack

_WAY_OF_A_STATUS = ("simulator", "api", "postgres")
PARTS = ("worker", "api", "temporal", "postgres", "simulator")
_WITHOUT_PROGRESS = 3.0
"""Seconds without the messages a kill waits for, until it is made all the same: all may wait."""
_SETTLED = 3.0
"""Seconds after which the statuses that an outage held up are through: they are tried every two."""


class Kills:
    """Kills each part `times` times while about `expected` messages are accepted."""

    def __init__(
        self, stack: Stack, seed: str, *, times: int, expected: int, one_by_one: bool
    ) -> None:
        """`one_by_one` lets the whole stack settle between two kills; else their outages overlap."""
        chance = random.Random(seed)
        parts = [part for part in PARTS for _ in range(times)]
        chance.shuffle(parts)
        moments = sorted(chance.randrange(expected // 20, expected * 3 // 4) for _ in parts)
        pauses = [chance.uniform(0.2, 2.5) for _ in parts]
        self.made: list[str] = []
        self._plan = list(zip(moments, pauses, parts, strict=True))
        self._stack = stack
        self._one_by_one = one_by_one
        self._whole_since: float | None = None
        self._workers_before = 0
        self._started = self._last = time.monotonic()
        self._pids = PidFiles(stack.data_dir / "run")

    @property
    def is_over(self) -> bool:
        """Whether all kills have been made."""
        return not self._plan

    def look(self, accepted: int) -> None:
        """Make the next kill if its moment has come: so many messages, and a pause after the last."""
        if self.is_over:
            return
        moment, pause, part = self._plan[0]
        waited = time.monotonic() - self._last
        if waited < pause or (self._one_by_one and not self._has_settled()):
            return
        if accepted < moment and waited < _WITHOUT_PROGRESS:
            return
        pid = self._pids.leftover(part)
        if pid is None:
            return  # it is dead already, and its next life will do
        if part == "worker":
            self._workers_before = self._workers()
        os.kill(pid, signal.SIGKILL)
        self._last = time.monotonic()
        self._whole_since = None
        del self._plan[0]
        self.made.append(part)
        print(f"  {self._last - self._started:5.1f} s, {accepted:4} messages: SIGKILL {part}")

    def _has_settled(self) -> bool:
        """Whether the stack is whole, and statuses that its last outage held up have come through."""
        if not is_whole(self._stack) or self._workers() == self._workers_before:
            self._whole_since = None
            return False
        self._whole_since = self._whole_since or time.monotonic()
        if self.made and self.made[-1] not in _WAY_OF_A_STATUS:
            return True
        return time.monotonic() - self._whole_since >= _SETTLED

    def _workers(self) -> int:
        """How many workers have begun to poll; Temporal lists a killed one's pollers for minutes."""
        log = self._stack.data_dir / "log" / "worker.log"
        return log.read_text(errors="replace").count("worker is running")

    def count(self, parts: Sequence[str]) -> int:
        """How many of these were killed."""
        return sum(part in parts for part in self.made)


def is_whole(stack: Stack) -> bool:
    """Whether every part answers, and Temporal knows of a worker, without waiting for it."""
    try:
        ready = httpx.get(f"{stack.api_url}/readyz?all=1", trust_env=False, timeout=5)
        answers = httpx.get(f"{stack.simulator_url}/_sim/behaviour", trust_env=False, timeout=5)
    except httpx.TransportError:
        return False
    return ready.is_success and answers.is_success
