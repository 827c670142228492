"""A mistake in the code of a run is loud, and loses nothing."""

from functools import partial

import pytest

from settings import Settings
from tests.workflows.flows import offer
from tests.workflows.world import Customer, World, eventually
from workflows.flow_run import FlowRunWorkflow

ANA = "+16045550006"


@pytest.fixture
def world_settings(world_settings: Settings) -> Settings:
    """Runs share our modules, as in production: a test can break and repair them."""
    return world_settings.model_copy(update={"workflow_sandbox": "passthrough"})


async def test_a_step_that_fails_fails_its_task_until_it_is_repaired(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the run, and no path of it waits for ever."""
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.waits_for("time delay **wait**")

    async def broken(*_: object) -> None:
        raise TypeError("a mistake of ours")

    with monkeypatch.context() as mistake:
        mistake.setattr(FlowRunWorkflow, "_check_delay", broken)
        await ana.skip(hours=20, seconds=1)
        await eventually(partial(failures, ana), ["a step of the run failed"])
        assert await ana.texts() == ["Welcome"]
    await ana.gets("Welcome", "Nudge")


async def failures(of: Customer) -> list[str]:
    """The messages with which tasks of this customer's run failed, each once."""
    history = await of.run.fetch_history()
    failed = (event.workflow_task_failed_event_attributes for event in history.events)
    return sorted({one.failure.message for one in failed if one.failure.message})
