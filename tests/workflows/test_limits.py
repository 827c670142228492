"""Runs at the limits that settings set."""

import pytest

from settings import Settings
from tests.workflows.flows import echo
from tests.workflows.world import World

ANA = "+16045550002"


@pytest.fixture
def world_settings(world_settings: Settings) -> Settings:
    """At most three sends per run."""
    return world_settings.model_copy(update={"max_sends": 3})


async def test_the_send_after_the_last_allowed_one_ends_the_run(world: World) -> None:
    """Its entry had completed before, and a later click does not change an outcome (flow.md 2)."""
    ana = await world.send(await world.publish(echo()), ANA)
    for number in range(1, 4):
        await ana.gets(*["Again?"] * number)
        await ana.taps("More")
    await ana.closes()
    await ana.taps("More", message=0)
    assert await ana.texts() == ["Again?"] * 3
    assert await ana.state() == "completed"
