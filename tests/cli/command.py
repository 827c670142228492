"""The real command: in this process, where it costs less, or as one of its own."""

import asyncio
import os
import sys
from pathlib import Path
from typing import NamedTuple

from typer.testing import CliRunner

from cli import app

ROOT = Path(__file__).parents[2]

CHANNEL = {
    "--phone-number": "+1 (555) 000-1111",
    "--phone-number-id": "106540352242922",
    "--waba-id": "102290129340398",
    "--access-token": "token",
    "--app-secret": "secret",
}


class Answer(NamedTuple):
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


async def as_process(url: str, *words: str) -> Answer:
    """Run `sendout` with these words on the database at `url`, as a process of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("SENDOUT_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "cli.py",
        *words,
        cwd=ROOT,
        env=env | {"SENDOUT_DATABASE_URL": url},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return Answer(process.returncode or 0, out.decode().strip(), err.decode().strip())


async def sendout(url: str, *words: str, **settings: str) -> Answer:
    """Run `sendout` with these words and settings on the database at `url`."""
    env = {"SENDOUT_DATABASE_URL": url} | {f"SENDOUT_{k.upper()}": v for k, v in settings.items()}
    # In a thread: commands have an event loop of their own.
    result = await asyncio.to_thread(CliRunner().invoke, app, words, env=env)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Answer(result.exit_code, result.stdout.strip(), result.stderr.strip())


async def done(url: str, *words: str, **settings: str) -> str:
    """As `sendout`, for a command that has to succeed: what it printed."""
    answer = await sendout(url, *words, **settings)
    assert (answer.code, answer.err) == (0, ""), answer
    return answer.out


async def refused(url: str, *words: str, **settings: str) -> str:
    """As `sendout`, for a command that has to fail: its one line."""
    answer = await sendout(url, *words, **settings)
    assert (answer.code, answer.out) == (1, ""), answer
    assert "\n" not in answer.err
    return answer.err


def options(**changes: str) -> list[str]:
    """The options of `channel add`, with some changed."""
    given = CHANNEL | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return [word for pair in given.items() for word in pair]
