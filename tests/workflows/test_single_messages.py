"""Messages of the message API among those of sendouts."""

import pytest
from sqlalchemy import text

from settings import Settings
from tests.workflows.flows import offer
from tests.workflows.on_the_wire import kept_on_the_wire
from tests.workflows.world import Customer, World, eventually

ZOE = "+16045550089"
SLOW = "+16045550800"
BULK = [f"+16045550{n}" for n in range(900, 905)]


@pytest.fixture
def world_settings(world_settings: Settings) -> Settings:
    """One send at a time, so that the one on the wire keeps the others in the queue."""
    return world_settings.model_copy(update={"send_slots": 1})


async def test_a_single_message_overtakes_the_first_messages_of_sendouts(world: World) -> None:
    name = await world.publish(offer())
    # No other send begins until all are in the queue.
    async with kept_on_the_wire(world, SLOW):
        for customer in [await world.send(name, number) for number in BULK]:
            await customer.waits_for("welcome")
        message = {"number": ZOE, "templateName": "nudge", "language": "en_US"}
        answer = await world.api.post("/send/whatsapp_templated_messages", json=message)
        assert answer.status_code == 201, answer.text
        await (await entry_of(world, ZOE)).waits_for("so far: message")

    async def accepted() -> list[str]:
        data = (await world.simulator.get("/_sim/messages")).json()["data"]
        return [str(m["to"]) for m in data]

    async def how_many() -> int:
        return len(await accepted())

    await eventually(how_many, len([SLOW, ZOE, *BULK]))
    assert (await accepted())[:2] == [SLOW, ZOE]


async def entry_of(world: World, number: str) -> Customer:
    """The only entry of that number."""
    query = text("SELECT entry_id, sendout_id FROM entries WHERE client = :client")
    async with world.database.transaction() as connection:
        row = (await connection.execute(query, {"client": number})).one()
    return Customer(world, number, row.entry_id, row.sendout_id)
