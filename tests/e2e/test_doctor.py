"""`sendout doctor` on a whole stack; tests/cli has what it says of a database alone.

It gives each part a few seconds to answer, which a part of a busy machine may miss: asked again.
"""

import asyncio
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator

import pytest
from temporalio.client import Client, ScheduleHandle

from embedded import credentials
from embedded.environment import part_environment
from embedded.stack import Stack
from tests.cli.command import ROOT
from tests.e2e.patience import until


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """One of its own, in which no other test has broken or held anything."""
    with Stack.start() as stack:
        yield stack


def examined(stack: Stack, **settings: str) -> tuple[int, list[str]]:
    """How it ended and its problems, without their marks; secrets it never prints."""
    changed = {f"SENDOUT_{name.upper()}": value for name, value in settings.items()}
    answer = subprocess.run(
        [sys.executable, "-m", "cli", "doctor"],
        env=part_environment(stack.settings) | changed,
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert answer.stderr == ""
    for secret in (credentials.ACCESS_TOKEN, credentials.APP_SECRET, credentials.VERIFY_TOKEN):
        assert secret not in answer.stdout
    lines = answer.stdout.splitlines()
    return answer.returncode, [
        line.removeprefix("PROBLEM  ") for line in lines if line.startswith("PROBLEM")
    ]


def at_sweep(stack: Stack, act: Callable[[ScheduleHandle], Awaitable[None]]) -> None:
    async def run() -> None:
        client = await Client.connect(stack.temporal_address)
        await act(client.get_schedule_handle("sweep"))

    asyncio.run(run())


def test_a_stack_in_order_has_no_problems(stack: Stack):
    """Once it has come up."""
    until(lambda found: found == (0, []), lambda: examined(stack))


def test_a_paused_sweep_and_queues_nobody_polls_are_found(stack: Stack):
    at_sweep(stack, lambda sweep: sweep.pause())
    try:
        unpolled = [
            f"task queue {queue}: no worker polls it; "
            "start `sendout worker` with the same SENDOUT_TASK_QUEUE."
            for queue in (
                "other (workflows)",
                "other (activities)",
                "other-sends (activities)",
                "other-webhooks (activities)",
            )
        ]
        wanted = (1, [*unpolled, "schedule sweep: it is paused in Temporal; unpause it."])
        until(wanted.__eq__, lambda: examined(stack, task_queue="other"))
    finally:
        at_sweep(stack, lambda sweep: sweep.unpause())


def test_an_unknown_namespace_and_a_wrong_address_are_found(stack: Stack):
    changed = {"temporal_namespace": "other", "public_url": f"{stack.simulator_url}/"}
    code, (namespace, address) = until(
        lambda found: len(found[1]) == 2, lambda: examined(stack, **changed)
    )
    assert code == 1
    assert namespace.startswith(f"Temporal: {stack.temporal_address} has no namespace other")
    assert address.startswith(f"API: {stack.simulator_url}/v1/providers/whatsapp/webhook is not")
