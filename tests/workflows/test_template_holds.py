"""Runs whose template is held wait, and go on when it is released (flow.md 2.10)."""

from typing import Any

from sqlalchemy import text

from tests.workflows.flows import offer
from tests.workflows.told import tell
from tests.workflows.world import World, eventually

ANA, BEN = "+16045550061", "+16045550062"
NUDGE = {"message_template_name": "nudge", "message_template_language": "en_US"}


async def report(world: World, event: str) -> None:
    """WhatsApp's word on the template `nudge`."""
    value = {"event": event, **NUDGE}
    await tell(world, {"field": "message_template_status_update", "value": value})


async def held_by(world: World, sendout_id: Any) -> list[str]:
    """The templates that hold a sendout."""
    answer = await world.api.get(f"/sendouts/{sendout_id}")
    return [hold.get("template") for hold in answer.json()["entity"]["heldBy"]]


async def test_a_template_that_is_paused_is_waited_for_until_it_is_approved(world: World) -> None:
    name = await world.publish(offer())
    ana = await world.send(name, ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.waits_for("time delay **wait**")
    await world.behave(ANA, failWith={"code": 132015, "via": "answer", "times": 1})
    await ana.skip(hours=20, seconds=1)
    await ana.waits_for("is held")
    await ana.has("state = 'held' AND held_for = 'template'", "nudge")
    assert await ana.state() == "running"
    assert await held_by(world, ana.sendout_id) == ["nudge"]

    await ana.skip(hours=10)
    assert (await world.sweeping.sweep()).released == 0
    assert await ana.texts() == ["Welcome"]

    await report(world, "APPROVED")
    await ana.gets("Welcome", "Nudge")
    await ana.is_in_state("completed")
    assert await held_by(world, ana.sendout_id) == []


async def test_a_template_is_held_and_released_by_hand(world: World) -> None:
    """Who is due meanwhile waits before the call; other templates are sent."""
    name = await world.publish(offer())
    held = await world.api.post("/templates/welcome/en_US/hold", json={"message": "Wrong price"})
    assert held.json()["entity"]["state"] == "held"
    ana, ben = await world.send(name, ANA), await world.send(name, BEN)
    for customer in (ana, ben):
        await customer.waits_for("is held")
    assert await held_by(world, ana.sendout_id) == ["welcome"]
    await world.api.post("/templates/welcome/en_US/release")
    for customer in (ana, ben):
        await customer.gets("Welcome")


async def test_a_release_that_was_never_told_is_told_by_the_sweep(world: World) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.waits_for("time delay **wait**")
    await report(world, "PAUSED")
    await ana.skip(hours=20, seconds=1)
    await ana.waits_for("is held")
    async with world.database.transaction() as connection:
        await connection.execute(text("UPDATE template_holds SET held_since = NULL"))
    swept = await world.sweeping.sweep()
    assert (swept.released, swept.signals) == (1, 1)
    await ana.gets("Welcome", "Nudge")


async def test_withheld_marketing_ends_the_path_without_a_call(world: World) -> None:
    """131049 reported of the first message: the nudge to the same customer is not tried."""
    await world.behave(ANA, failWith={"code": 131049, "via": "status", "times": 1})
    name = await world.publish(offer(category="marketing"))
    ana = await world.send(name, ANA)
    await ana.is_in_state("failed")
    assert (await ana.entry())["error"]["code"] == "ERROR_CODE_META_CHOSE_NOT_TO_DELIVER"
    one = {"format": 1, "start": "nudge", "nodes": {"nudge": offer()["nodes"]["nudge"]}}
    again = await world.send(await world.publish(one), ANA)
    await again.is_in_state("failed")
    assert (await again.entry())["error"]["code"] == "ERROR_CODE_META_CHOSE_NOT_TO_DELIVER"
    await eventually(again.texts, ["Welcome"])
