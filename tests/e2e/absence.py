"""Parts of a stack that are really away, for as long as a test likes."""

import contextlib
import os
import signal
from collections.abc import Iterator

from embedded.stack import Stack


@contextlib.contextmanager
def gone(stack: Stack, *parts: str) -> Iterator[None]:
    """Kill parts while their supervisor is stopped, so that nobody starts them again in the block."""
    with _stopped(stack.process.pid):
        for part in parts:
            stack.kill(part)
        yield
    stack.wait_ready()


@contextlib.contextmanager
def frozen(stack: Stack, part: str) -> Iterator[None]:
    """A part that takes connections and answers nothing."""
    with _stopped(stack.pid(part)):
        yield
    stack.wait_ready()


@contextlib.contextmanager
def _stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)
