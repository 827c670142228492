"""Parts of a stack that are really away, for as long as a test likes."""

import contextlib
import os
import signal
from collections.abc import Iterator

import psutil

from embedded.processes import alive
from embedded.stack import Stack
from tests.e2e.patience import until


@contextlib.contextmanager
def gone(stack: Stack, *parts: str) -> Iterator[None]:
    """Kill parts while their supervisor is stopped, so that nobody starts them again in the block."""
    with _stopped(stack.process.pid):
        for part in parts:
            _kill(stack, part)
        yield
    stack.wait_ready()


def _kill(stack: Stack, part: str) -> None:
    """Until none of its processes is left: PostgreSQL's end by themselves, a moment after the first."""
    children = psutil.Process(stack.pid(part)).children(recursive=True)
    killed = {stack.kill(part), *(child.pid for child in children)}
    until(lambda left: not left, lambda: {pid for pid in killed if alive(pid)})


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
