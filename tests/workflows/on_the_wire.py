"""Messages that are being sent for as long as a test needs them to be."""

import contextlib
from collections.abc import AsyncIterator

from sqlalchemy import text

from tests.workflows.flows import offer
from tests.workflows.world import Customer, World


async def on_the_wire(world: World, number: str, **knobs: object) -> Customer:
    """A customer whose first message is being sent, which takes seconds."""
    await world.behave(number, latencyMs=6000, **knobs)
    customer = await world.send(await world.publish(offer()), number)
    await customer.has("state = 'sending'", "welcome")
    return customer


@contextlib.asynccontextmanager
async def kept_on_the_wire(world: World, number: str) -> AsyncIterator[Customer]:
    """The same, and what came of it cannot be recorded meanwhile: its send is not done with."""
    customer = await on_the_wire(world, number)
    async with world.database.transaction() as connection:
        locked = text("SELECT FROM messages WHERE entry_id = :entry FOR UPDATE")
        await connection.execute(locked, {"entry": customer.entry_id})
        yield customer
