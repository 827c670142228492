"""A long run goes on in a new history, with everything it remembers."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from settings import Settings
from storage.session import Database
from tests.workflows.conftest import make_world
from tests.workflows.flows import echo, offer
from tests.workflows.servers import skipping_server
from tests.workflows.world import World

ANA = "+16045550003"


@pytest.fixture(scope="session")
async def short_histories() -> AsyncIterator[WorkflowEnvironment]:
    """A server with time to skip that suggests a new history after 30 events instead of 4,096."""
    async with await skipping_server("limit.historyCount.suggestContinueAsNew=30") as env:
        yield env


@pytest.fixture
async def short_world(
    world_settings: Settings,
    short_histories: WorkflowEnvironment,
    database: Database,
    business: None,
    tmp_path: Path,
) -> AsyncIterator[World]:
    async with make_world(world_settings, short_histories, database, tmp_path) as made:
        yield made


async def test_clicks_go_on_working_across_histories(short_world: World) -> None:
    """Each tap sends one more copy; taps of before the change of history stay used."""
    ana = await short_world.send(await short_world.publish(echo()), ANA)
    await ana.gets("Again?")
    first_run = (await ana.run.describe()).run_id
    for number in range(1, 7):
        await ana.gets(*["Again?"] * number)
        await ana.taps("More")
    await ana.gets(*["Again?"] * 7)
    assert (await ana.run.describe()).run_id != first_run
    await ana.taps("More", message=0)
    await ana.taps("More")
    await ana.gets(*["Again?"] * 8)


async def test_a_delay_goes_on_across_histories(short_world: World) -> None:
    """The timer is set again for what is left of it."""
    flow = offer(condition="all")
    flow["nodes"]["offer"] = {
        "type": "message",
        "message": {"type": "buttons", "body": "Offer"},
        "buttons": [{"id": "more", "label": "More", "next": "offer"}],
    }
    ana = await short_world.send(await short_world.publish(flow), ANA)
    await ana.gets("Welcome")
    first_run = (await ana.run.describe()).run_id
    await ana.waits_for("time delay **wait**")
    await ana.skip(hours=10)
    await ana.taps("Yes")
    await ana.gets("Welcome", "Offer")
    for number in range(2, 5):
        await ana.taps("More")
        await ana.gets("Welcome", *["Offer"] * number)
    assert (await ana.run.describe()).run_id != first_run
    await ana.skip(hours=10, seconds=1)
    await ana.gets("Welcome", *["Offer"] * 4, "Nudge")
