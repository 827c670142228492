"""Cancelled runs that wait for nothing but a release close all the same (flow.md 2.10).

The cancel is made in the record alone: Temporal was away when it was asked for.
"""

from collections.abc import Awaitable, Callable

import pytest
from temporalio.client import WorkflowExecutionStatus

from settings import Settings
from storage.cancelling import cancel_entry, cancel_sendout
from tests.workflows.flows import offer
from tests.workflows.on_the_wire import on_the_wire
from tests.workflows.test_pauses import waiting_behind_bob
from tests.workflows.world import Customer, World, eventually

ANA = "+16045550071"


@pytest.fixture
def world_settings(world_settings: Settings) -> Settings:
    """One send at a time, so that a slow one keeps the next in the queue."""
    return world_settings.model_copy(update={"send_slots": 1})


async def sendout_of(ana: Customer) -> None:
    async with ana.world.database.transaction() as connection:
        await cancel_sendout(connection, ana.sendout_id)


async def entry_of(ana: Customer) -> None:
    async with ana.world.database.transaction() as connection:
        await cancel_entry(connection, ana.entry_id)


async def closes_at_the_next_sweep(ana: Customer) -> None:
    await ana.world.sweeping.sweep()
    await eventually(ana.status, WorkflowExecutionStatus.CANCELED)
    assert await ana.state() == "cancelled"
    assert (await ana.world.sweeping.sweep()).released == 0


@pytest.mark.parametrize("cancel", [sendout_of, entry_of])
async def test_a_held_run(world: World, cancel: Callable[[Customer], Awaitable[None]]) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.waits_for("time delay **wait**")
    await world.api.post(f"/sendouts/{ana.sendout_id}/pause")
    await ana.skip(hours=20, seconds=1)
    await ana.has("state = 'held'", "nudge")
    await ana.waits_for("is held")
    await cancel(ana)
    await closes_at_the_next_sweep(ana)


@pytest.mark.parametrize("cancel", [sendout_of, entry_of])
async def test_a_run_whose_first_send_was_taken_back(
    world: World, cancel: Callable[[Customer], Awaitable[None]]
) -> None:
    """No message of it is on record."""
    async with waiting_behind_bob(world) as (ana, _):
        await world.api.post(f"/sendouts/{ana.sendout_id}/pause")
        await ana.waits_for("is held")
    await cancel(ana)
    await closes_at_the_next_sweep(ana)


async def test_a_run_that_is_held_after_its_cancel(world: World) -> None:
    """WhatsApp's answer, which holds the channel, was on its way."""
    ana = await on_the_wire(world, ANA, failWith={"code": 190, "via": "answer"})
    await entry_of(ana)
    await ana.has("state = 'held'", "welcome")
    await ana.waits_for("is held")
    await closes_at_the_next_sweep(ana)


async def test_the_held_reply_of_an_entry_that_had_ended(world: World) -> None:
    """The cancel of its sendout changes no outcome, but the run is over."""
    ana = await world.send(await world.publish(offer(condition="all", duration="PT1H")), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.skip(hours=1, seconds=1)
    await ana.is_in_state("completed")
    await world.api.post(f"/sendouts/{ana.sendout_id}/pause")
    await ana.taps("Yes", 0)
    await ana.has("state = 'held'", "offer")
    await ana.waits_for("is held")
    await sendout_of(ana)
    await world.sweeping.sweep()
    await eventually(ana.status, WorkflowExecutionStatus.CANCELED)
    assert await ana.state() == "completed"
