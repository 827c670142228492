"""Messages of the message API among those of sendouts."""

import pytest

from settings import Settings
from tests.workflows.conftest import World, eventually
from tests.workflows.flows import offer
from tests.workflows.test_pauses import BOB

ANA, ZOE = "+16045550081", "+16045550089"


@pytest.fixture
def world_settings(world_settings: Settings) -> Settings:
    """One send at a time, so that a slow one keeps the others in the queue."""
    return world_settings.model_copy(update={"send_slots": 1, "http_timeout": 10})


async def test_a_single_message_overtakes_the_first_messages_of_sendouts(world: World) -> None:
    name = await world.publish(offer())
    await world.behave(BOB, latencyMs=4000)
    bob = await world.send(name, BOB)
    await bob.has("state = 'sending'", "welcome")
    bulk = [await world.send(name, f"+1604555009{n}") for n in range(5)]
    for customer in bulk:
        await customer.waits_for("welcome")
    message = {"number": ZOE, "templateName": "nudge", "language": "en_US"}
    answer = await world.api.post("/send/whatsapp_templated_messages", json=message)
    assert answer.status_code == 201, answer.text

    async def accepted() -> list[str]:
        data = (await world.simulator.get("/_sim/messages")).json()["data"]
        return [str(m["to"]) for m in data]

    async def all_are() -> bool:
        return len(await accepted()) == 7

    await eventually(all_are, True)
    assert (await accepted())[:2] == [BOB, ZOE]
