"""Cancelled sendouts of which one has to wait until another one's runs are closed.

By itself a server closes those of one at a time per namespace, and refuses the others.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment

from tests.workflows.flows import offer
from tests.workflows.servers import skipping_server
from tests.workflows.world import World, eventually


@pytest.fixture
async def time_skipping() -> AsyncIterator[WorkflowEnvironment]:
    async with await skipping_server("frontend.MaxConcurrentBatchOperationPerNamespace=1") as env:
        yield env


async def test_the_runs_of_each_are_closed(world: World) -> None:
    names = [await world.publish(offer()) for _ in range(4)]
    waiting = [await world.send(name, f"+1604555007{n}") for n, name in enumerate(names)]
    for one in waiting:
        await one.waits_for("time delay **wait**")
    await asyncio.gather(*(world.api.post(f"/sendouts/{one.sendout_id}/cancel") for one in waiting))
    for one in waiting:
        await eventually(one.status, WorkflowExecutionStatus.CANCELED)
