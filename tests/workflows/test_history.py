"""What a run costs in the server's history: measured in real time, with delays of seconds.

The figures are promises (design: budget). Skipping time adds events of its own, so these runs live
on a plain server.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.testing import WorkflowEnvironment

from settings import Settings
from storage.session import Database
from tests.workflows.conftest import Customer, World, eventually, make_world
from tests.workflows.flows import offer
from tests.workflows.servers import local_server

RUNS = 20
WAITING_EVENTS, WAITING_BYTES = 11, 2_500
OPEN_EVENTS, CLOSED_EVENTS = 24, 29


@pytest.fixture(scope="session")
async def real_time() -> AsyncIterator[WorkflowEnvironment]:
    """The real server, in real time."""
    async with await local_server() as env:
        yield env


@pytest.fixture
def world_settings(world_settings: Settings) -> Settings:
    """Runs close twenty seconds after their last message, and share our modules as in production."""
    return world_settings.model_copy(update={"click_window": 20, "workflow_sandbox": "passthrough"})


@pytest.fixture
async def real_world(
    world_settings: Settings,
    real_time: WorkflowEnvironment,
    database: Database,
    business: None,
    tmp_path: Path,
) -> AsyncIterator[World]:
    async with make_world(world_settings, real_time, database, tmp_path) as made:
        yield made


def padded(flow: dict[str, Any], size: int) -> dict[str, Any]:
    """The same flow with a layout that makes the document `size` bytes long."""
    return flow | {"layout": {"notes": "x" * (size - len(str(flow)))}}


async def cost(customer: Customer) -> tuple[int, int]:
    """Events and bytes of a run's history, as the server counts them."""
    info = (await customer.run.describe()).raw_description.workflow_execution_info
    return info.history_length, info.history_size_bytes


@pytest.mark.parametrize("size", [1_000, 100_000])
async def test_a_run_stays_within_its_budget(real_world: World, size: int) -> None:
    """Waiting, after the nudge, and closed; a long flow costs what a short one does."""
    name = await real_world.publish(padded(offer(duration="PT8S"), size), "spring sale 2026")
    customers, waiting, after = [], [], []
    for number in range(RUNS):
        customer = await real_world.send(name, f"+1604555{number:04}")
        customers.append(customer)
        await customer.gets("Welcome")
        await customer.waits_for("time delay **wait**")
        waiting.append(await cost(customer))
    for customer in customers:
        await customer.gets("Welcome", "Nudge")
        await eventually(customer.state, "completed")
        after.append((await cost(customer))[0])
    await asyncio.gather(*(customer.closes() for customer in customers))
    closed = [(await cost(customer))[0] for customer in customers]
    print(f"{size} bytes of flow: waiting {max(waiting)}, after {max(after)}, closed {max(closed)}")
    assert max(events for events, _ in waiting) <= WAITING_EVENTS
    assert max(size for _, size in waiting) <= WAITING_BYTES
    assert max(after) <= OPEN_EVENTS
    assert max(closed) <= CLOSED_EVENTS
