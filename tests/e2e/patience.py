"""Waiting for what other processes do: by looking again, with limits meant for slow machines."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

_T = TypeVar("_T")

PATIENCE = 180.0
"""Seconds until something is held to never happen; no promise about how long anything takes."""


def until(
    holds: Callable[[_T], object],
    look: Callable[[], _T],
    *,
    within: float = PATIENCE,
    every: float = 0.15,
) -> _T:
    """What `look` sees once it `holds`; fails with the last sight when it never does."""
    deadline = time.monotonic() + within
    while True:
        seen = look()
        if holds(seen):
            return seen
        assert time.monotonic() < deadline, f"it never came true; the last sight: {seen}"
        time.sleep(every)


async def until_seen(
    holds: Callable[[_T], object],
    look: Callable[[], Awaitable[_T]],
    *,
    within: float = PATIENCE,
    every: float = 0.05,
) -> _T:
    """The same where looking has to be awaited."""
    deadline = time.monotonic() + within
    while True:
        seen = await look()
        if holds(seen):
            return seen
        assert time.monotonic() < deadline, f"it never came true; the last sight: {seen}"
        await asyncio.sleep(every)


def eventually(look: Callable[[], _T], expected: _T, *, within: float = PATIENCE) -> None:
    """Fail, showing the difference, unless `look` comes to see what is expected."""
    deadline = time.monotonic() + within
    while (seen := look()) != expected and time.monotonic() < deadline:
        time.sleep(0.15)
    assert seen == expected
