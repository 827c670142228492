"""Messages of the message API among those of sendouts."""

import pytest
from sqlalchemy import text

from settings import Settings
from tests.workflows.conftest import Customer, World, eventually
from tests.workflows.flows import offer

ZOE = "+16045550089"


@pytest.fixture
def world_settings(world_settings: Settings) -> Settings:
    """One send at a time, so that a slow one keeps the others in the queue."""
    return world_settings.model_copy(update={"send_slots": 1, "http_timeout": 10})


async def test_a_single_message_overtakes_the_first_messages_of_sendouts(world: World) -> None:
    name = await world.publish(offer())
    slow = [f"+16045550{n}" for n in range(800, 812)]
    for number in slow:
        await world.behave(number, latencyMs=2500)
    first, *_ = [await world.send(name, number) for number in slow]
    await first.has("state = 'sending'", "welcome")
    bulk = [f"+16045550{n}" for n in range(900, 905)]
    for customer in [await world.send(name, number) for number in bulk]:
        await customer.waits_for("welcome")
    message = {"number": ZOE, "templateName": "nudge", "language": "en_US"}
    answer = await world.api.post("/send/whatsapp_templated_messages", json=message)
    assert answer.status_code == 201, answer.text

    async def accepted() -> list[str]:
        data = (await world.simulator.get("/_sim/messages")).json()["data"]
        return [str(m["to"]) for m in data]

    await (await entry_of(world, ZOE)).waits_for("so far: message")
    before = len(await accepted())
    # All are in the queue: the slow ones have kept it long enough.
    for number in slow:
        await world.behave(number, latencyMs=0)

    async def all_are() -> bool:
        return len(await accepted()) == len([*slow, *bulk, ZOE])

    await eventually(all_are, True)
    order = await accepted()
    assert order.index(ZOE) < min(map(order.index, bulk))
    # One was on the wire, and another may have been given out just when it came.
    assert order.index(ZOE) <= before + 2


async def entry_of(world: World, number: str) -> Customer:
    """The only entry of that number."""
    query = text("SELECT entry_id, sendout_id FROM entries WHERE client = :client")
    async with world.database.transaction() as connection:
        row = (await connection.execute(query, {"client": number})).one()
    return Customer(world, number, row.entry_id, row.sendout_id)
