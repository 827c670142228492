"""The stacks that are broken on purpose, the size of the proofs, and the seed of their chance.

`CHAOS=large` (`make chaos`) makes them large; `CHAOS_SEED` repeats the moments of an earlier run.
"""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client

from embedded.stack import Stack
from storage.channels import USUAL_RATE
from tests.e2e.business import Business
from tests.e2e.customers import Customers
from tests.e2e.patience import until
from tests.whole_stack import business, name, numbers
from workflows import messages

__all__ = ["business", "name", "numbers"]


@dataclass(frozen=True)
class Size:
    """How much is sent and killed."""

    entries: int
    kills_of_each: int
    faulty: int
    stormed: int
    rates: tuple[int, int]
    is_timed: bool
    """Whether the machine does nothing else, so that times on it can be compared."""


_SIZES = {
    "moderate": Size(
        entries=200, kills_of_each=2, faulty=60, stormed=30, rates=(1, 4), is_timed=False
    ),
    "large": Size(
        entries=1000, kills_of_each=4, faulty=600, stormed=200, rates=(3, 12), is_timed=True
    ),
}

# Seconds. Late delivery is longer than any restart, and a call may take longer than a slow machine
# stalls, which is half a minute; the rest is short. The grace of `resend` is longer than a status takes
# that is held up by the restart of a part on its way (`kills.py`) and by such a stall.
_SHORT: dict[str, Any] = {
    "late_delivery": 120,
    "click_window": 4,
    "http_timeout": 50,
    "sweep_every": 2,
}
_GRACE = {"give_up": 6, "resend": 60}


@pytest.fixture(scope="session")
def size() -> Size:
    return _SIZES[os.environ.get("CHAOS", "moderate")]


@pytest.fixture(scope="session")
def seed() -> str:
    """What the chance of this session comes from."""
    seed = os.environ.get("CHAOS_SEED") or str(time.time_ns() % 1_000_000)
    print(f"CHAOS_SEED={seed}")
    return seed


def _stack(outcome: str) -> Iterator[Stack]:
    with Stack.start(unknown_outcome=outcome, unknown_grace=_GRACE[outcome], **_SHORT) as stack:
        yield stack


@pytest.fixture(scope="package", params=["give_up", "resend"])
def either_stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A stack in each mode, one after the other."""
    yield from _stack(request.param)


@pytest.fixture
def stack(either_stack: Stack) -> Stack:
    return either_stack


@pytest.fixture
def customers(stack: Stack) -> Iterator[Customers]:
    with Customers(stack.simulator_url) as customers:
        yield customers
        customers.await_reachable()
        customers.behave_by_default()


@pytest.fixture
def set_rate(stack: Stack, business: Business) -> Iterator[Callable[[str, int], None]]:
    """Sets how many messages a number of the business sends per second; until the end of the test.

    It returns when the server has the new limit.
    """
    usual: dict[str, int] = {}

    def set_rate(number: str, per_second: int) -> None:
        [channel] = [c for c in business.get("/channels")["data"] if c["phoneNumber"] == number]
        usual.setdefault(number, channel["messagesPerSecond"])
        channel_id = channel["channelId"]
        path = f"/channels/{channel_id}"
        business.http.patch(path, json={"messagesPerSecond": per_second}).raise_for_status()
        until(
            lambda held_to: held_to == pytest.approx(per_second),
            lambda: asyncio.run(_limit(stack, channel_id)),
        )

    yield set_rate
    for number, per_second in usual.items():
        set_rate(number, per_second)


async def _limit(stack: Stack, channel_id: str) -> float:
    """The messages per second to which the Temporal server holds a channel."""
    client = await Client.connect(stack.temporal_address)
    described = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=messages.send_queue(stack.settings.task_queue)),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY,
            report_config=True,
        )
    )
    return USUAL_RATE * described.config.fairness_weight_overrides.get(channel_id, 1.0)
