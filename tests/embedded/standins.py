"""A supervisor over harmless parts, run as a program so that it can be killed like the real one.

`python -m tests.embedded.standins <data folder> <scenario>`
"""

import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path

from embedded.errors import StackError
from embedded.part import Part, Stage, Step
from embedded.processes import PidFiles, end_leftovers, only_one
from embedded.supervisor import RESTART_PAUSE, Supervisor, console, run_until_signal

_ORDERLY = """
import signal, sys, time
name, marker = sys.argv[1:]
def leave(number, frame):
    open(marker, "a").write(name + "\\n")
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("up", flush=True)
while True:
    time.sleep(0.05)
"""
_STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("up", flush=True)
time.sleep(600)
"""


def stages(data_dir: Path, scenario: str) -> list[Stage]:
    def part(name: str, *command: str, orphan: signal.Signals = signal.SIGKILL) -> Part:
        return Part(
            name=name,
            command=command,
            env=dict(os.environ),
            cwd=data_dir,
            ready=partial(log_says_up, data_dir / "log" / f"{name}.log"),
            stop_timeout=1 if scenario == "stubborn" else 30,
            orphan_signal=orphan,
        )

    def orderly(name: str) -> Part:
        return part(name, sys.executable, "-c", _ORDERLY, name, str(data_dir / "order"))

    step = Step(
        name="seed",
        command=(sys.executable, "-c", "print('seeded')"),
        env=dict(os.environ),
        cwd=data_dir,
    )
    match scenario:
        case "two":
            return [Stage((orderly("first"),)), Stage((orderly("second"),), (step,))]
        case "survivor":
            # SIGCONT instead of a deadly signal: these outlive a killed supervisor.
            return [
                Stage(
                    (part("first", "sh", "-c", "echo up; exec sleep 600", orphan=signal.SIGCONT),)
                )
            ]
        case "stubborn":
            return [Stage((part("first", sys.executable, "-c", _STUBBORN),))]
        case "broken":
            return [Stage((part("first", "sh", "-c", "echo no such luck; exit 3"),))]
        case "sick":
            # Comes up once, stays until the supervisor says that it is ready, and never again.
            return [
                Stage(
                    (
                        part(
                            "first",
                            "sh",
                            "-c",
                            "test ! -e been && touch been && echo up && "
                            "until grep -q ready console; do sleep 0.1; done; exit 3",
                        ),
                    )
                )
            ]
        case "failing-step":
            bad = Step(
                name="migrate",
                command=("sh", "-c", "echo bad schema; exit 1"),
                env={},
                cwd=data_dir,
            )
            return [Stage((orderly("first"),)), Stage((), (bad,))]
        case _:
            raise ValueError(scenario)


async def log_says_up(log: Path) -> str | None:
    return None if log.exists() and "up" in log.read_text() else "not up"


async def main(data_dir: Path, scenario: str) -> None:
    for name in end_leftovers(
        PidFiles(data_dir / "run"), {"first": signal.SIGTERM, "second": signal.SIGTERM}
    ):
        console(f"{name} of an earlier run ended")
    pause = RESTART_PAUSE if scenario == "sick" else 0.2
    supervisor = Supervisor(stages(data_dir, scenario), data_dir, pause=pause)
    await run_until_signal(supervisor, ready=partial(console, "ready"))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    try:
        with only_one(folder):
            asyncio.run(main(folder, sys.argv[2]))
    except StackError as error:
        print(error, flush=True)
        sys.exit(1)
