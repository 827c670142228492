"""What a run costs in the server's history: measured in real time, with delays of seconds.

The figures are promises (design: budget). Skipping time adds events of its own, so these runs live
on a plain server.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.testing import WorkflowEnvironment

from settings import Settings
from storage.session import Database
from tests.workflows.conftest import make_world
from tests.workflows.flows import offer
from tests.workflows.servers import local_server
from tests.workflows.world import Customer, World

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
    """Runs close five seconds after their last message, and share our modules as in production."""
    return world_settings.model_copy(update={"click_window": 5, "workflow_sandbox": "passthrough"})


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


async def events_of(customer: Customer) -> list[HistoryEvent]:
    """A closed run's history, without workflow tasks that a machine standing still cost it."""
    events = list((await customer.run.fetch_history()).events)
    wasted = set[int]()
    for event in events:
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_TIMED_OUT:
            late = event.workflow_task_timed_out_event_attributes
            wasted |= {event.event_id, late.scheduled_event_id, late.started_event_id}
    return [event for event in events if event.event_id not in wasted]


def until_timer(number: int, events: list[HistoryEvent]) -> list[HistoryEvent]:
    """What there was while the run waited for its first or second timer."""
    fired = [
        at
        for at, event in enumerate(events)
        if event.event_type == EventType.EVENT_TYPE_TIMER_FIRED
    ]
    return events[: fired[number - 1]]


@pytest.mark.parametrize("size", [1_000, 100_000])
async def test_a_run_stays_within_its_budget(real_world: World, size: int) -> None:
    """Waiting, after the nudge, and closed; a long flow costs what a short one does."""
    name = await real_world.publish(padded(offer(duration="PT15S"), size), "spring sale 2026")
    customers = [await real_world.send(name, f"+1604555{number:04}") for number in range(RUNS)]
    for customer in customers:
        await customer.gets("Welcome", "Nudge")
        await customer.closes()
        assert await customer.state() == "completed"
    closed = [await events_of(customer) for customer in customers]
    waiting = [until_timer(1, events) for events in closed]
    after = [until_timer(2, events) for events in closed]
    size_waiting = max(sum(event.ByteSize() for event in events) for events in waiting)
    longest = [max(map(len, histories)) for histories in (waiting, after, closed)]
    print(f"{size} bytes of flow: {longest} events; waiting {size_waiting} bytes")
    assert size_waiting <= WAITING_BYTES
    assert longest[0] <= WAITING_EVENTS
    assert longest[1] <= OPEN_EVENTS
    assert longest[2] <= CLOSED_EVENTS
