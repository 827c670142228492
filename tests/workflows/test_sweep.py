"""The sweep repairs what a crash left between two commits."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from temporalio.client import WorkflowHandle

from tests.workflows.flows import offer
from tests.workflows.world import Customer, World, details_of, eventually
from workflows import messages

ANA = "+16045550005"


async def change(world: World, statement: str, customer: Customer) -> None:
    """Leave the record as a crash would have."""
    key = {"entry": customer.entry_id, "sendout": customer.sendout_id}
    async with world.database.transaction() as connection:
        await connection.execute(text(statement), key)


async def waiting(world: World) -> Customer:
    """A customer with the first message, whose run waits for the time delay."""
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.waits_for("time delay **wait**")
    return ana


async def test_due_entries_that_nobody_pages_are_started(world: World) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    ana = await world.send(await world.publish(offer()), ANA, scheduledAt=later)
    pager = world.client.get_workflow_handle(messages.sendout_workflow_id(ana.sendout_id))
    await eventually(lambda: sleeps(pager), True)
    await pager.terminate()
    waited = "UPDATE entries SET due_at = now() - interval '1 minute' WHERE entry_id = :entry"
    await change(world, waited, ana)
    swept = await world.sweeping.sweep()
    assert swept.started == 1
    await ana.gets("Welcome")


async def sleeps(pager: WorkflowHandle[Any, Any]) -> bool:
    """Whether the sendout has seen its entry, and waits until it is due."""
    if "next entries are due" not in await details_of(pager):
        return False
    return not (await pager.describe()).raw_description.pending_activities


async def test_runs_that_were_not_told_of_a_release_are_told(world: World) -> None:
    ana = await waiting(world)
    await world.api.post(f"/sendouts/{ana.sendout_id}/pause")
    await ana.skip(hours=20, seconds=1)
    await ana.waits_for("is held")
    await change(world, "UPDATE sendouts SET state = 'running' WHERE sendout_id = :sendout", ana)
    swept = await world.sweeping.sweep()
    assert (swept.released, swept.signals) == (1, 1)
    await ana.gets("Welcome", "Nudge")


async def test_facts_left_in_the_outbox_reach_their_run(world: World) -> None:
    ana = await waiting(world)
    left = """
        INSERT INTO run_signals (entry_id, name, body)
        VALUES (:entry, 'message_failed', '{"node": "welcome", "visit": 1}')
    """
    await change(world, left, ana)
    swept = await world.sweeping.sweep()
    assert swept.signals == 1
    await ana.is_in_state("completed")
    assert (await world.sweeping.sweep()).signals == 0


async def test_a_send_whose_lease_ended_is_unknown(world: World) -> None:
    ana = await waiting(world)
    died = """
        UPDATE messages SET state = 'sending', lease_until = now() - interval '1 minute'
        WHERE entry_id = :entry
    """
    await change(world, died, ana)
    swept = await world.sweeping.sweep()
    assert swept.unknown == 1
    await eventually(lambda: state_of_message(world, ana), "unknown")


async def state_of_message(world: World, customer: Customer) -> str:
    """The state of the customer's message in the record."""
    query = text("SELECT state FROM messages WHERE entry_id = :entry")
    async with world.database.transaction() as connection:
        found = await connection.execute(query, {"entry": customer.entry_id})
        return str(found.scalar_one())


async def test_a_sweep_with_nothing_to_repair_does_nothing(world: World) -> None:
    await waiting(world)
    swept = await world.sweeping.sweep()
    assert set(swept.model_dump().values()) == {0}
