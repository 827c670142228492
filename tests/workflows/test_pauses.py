"""Pausing what waits to be sent: it leaves the queue, and comes back at the resume (flow.md 2.10)."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from settings import Settings
from tests.workflows.flows import offer
from tests.workflows.on_the_wire import kept_on_the_wire, on_the_wire
from tests.workflows.world import Customer, World, eventually

ANA, BOB = "+16045550001", "+16045550002"


@pytest.fixture
def world_settings(world_settings: Settings) -> Settings:
    """One send at a time, so that a slow one keeps the next in the queue."""
    return world_settings.model_copy(update={"send_slots": 1})


@contextlib.asynccontextmanager
async def waiting_behind_bob(world: World) -> AsyncIterator[tuple[Customer, Customer]]:
    """Ana's message waits, and Bob's is not done with meanwhile."""
    async with kept_on_the_wire(world, BOB) as bob:
        ana = await world.send(await world.publish(offer()), ANA)
        await ana.is_in_state("running")
        await ana.waits_for("welcome")
        yield ana, bob


async def attempted(world: World, customer: Customer) -> int:
    query = text("SELECT count(*) FROM messages WHERE entry_id = :entry")
    async with world.database.transaction() as connection:
        found = await connection.execute(query, {"entry": customer.entry_id})
        return int(found.scalar_one())


async def test_a_paused_send_leaves_the_queue_untouched(world: World) -> None:
    """Nobody has looked at it by the time it is resumed, and then it is sent once."""
    async with waiting_behind_bob(world) as (ana, bob):
        await world.api.post(f"/sendouts/{ana.sendout_id}/pause")
        await ana.waits_for("is held")
    await bob.gets("Welcome")
    assert await attempted(world, ana) == 0
    await world.api.post(f"/sendouts/{ana.sendout_id}/resume")
    await ana.gets("Welcome")
    await ana.waits_for("time delay **wait**")
    assert await ana.texts() == ["Welcome"]


async def test_a_send_that_has_begun_is_finished(world: World) -> None:
    """Its answer counts, though the run had asked for it back."""
    bob = await on_the_wire(world, BOB)
    await bob.run.signal("held")
    await bob.gets("Welcome")
    await bob.waits_for("time delay **wait**")
    await eventually(bob.texts, ["Welcome"])
    assert (await bob.entry())["state"] == "running"


async def test_a_send_taken_back_between_two_tries_comes_back_too(world: World) -> None:
    """Its row says that it is retried; the resume releases it like the untouched ones."""
    await world.behave(ANA, failWith=131016)
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.has("state = 'retrying'", "welcome")
    paused = await world.api.post(f"/sendouts/{ana.sendout_id}/pause")
    assert paused.status_code == 200
    await ana.run.signal("held")
    await ana.waits_for("is held")
    await world.behave(ANA)
    await world.api.post(f"/sendouts/{ana.sendout_id}/resume")
    await ana.gets("Welcome")
