"""Running a failed entry again (api.md section 4): a walk of its own, whatever the former left open."""

from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus

from tests.workflows.flows import offer, template
from tests.workflows.told import NOTHING_BY_ITSELF, tell_status
from tests.workflows.world import Customer, World
from workflows import messages

ANA = "+16045550001"


async def failed_and_open(world: World) -> Customer:
    """An entry whose first message failed after it was accepted: its run stays open for clicks."""
    await world.behave(ANA, **NOTHING_BY_ITSELF)
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.waits_for("time delay **wait**")
    await tell_status(ana, "failed", code=131000)
    await world.behave(ANA)
    await ana.is_in_state("failed")
    await ana.waits_for("clicks")
    assert await ana.status() is WorkflowExecutionStatus.RUNNING
    return ana


async def retry(world: World, ana: Customer) -> int:
    answer = await world.api.post(f"/sendouts/{ana.sendout_id}/retry")
    assert answer.status_code == 200, answer.text
    retried: int = answer.json()["retried"]
    return retried


async def test_a_retry_takes_over_from_a_run_that_is_open_for_clicks(world: World) -> None:
    """The flow is walked from its start again, and the entry ends by what comes of that."""
    ana = await failed_and_open(world)
    assert await retry(world, ana) == 1
    await ana.gets("Welcome", "Welcome")
    await ana.is_in_state("running")
    assert (await ana.entry())["attempt"] == 2
    await ana.waits_for("time delay **wait**")
    await ana.has("delivered_at IS NOT NULL AND attempt = 2", "welcome")
    await ana.skip(hours=20, seconds=1)
    await ana.gets("Welcome", "Welcome", "Nudge")
    await ana.is_in_state("completed")


async def test_buttons_of_the_second_attempt_work_in_its_own_walk(world: World) -> None:
    ana = await failed_and_open(world)
    await retry(world, ana)
    await ana.gets("Welcome", "Welcome")
    await ana.taps("Yes")
    await ana.gets("Welcome", "Welcome", "Offer")
    await ana.is_in_state("completed")


async def test_news_of_a_former_attempt_changes_nothing(world: World) -> None:
    """Neither when it is still in the outbox at the retry, nor when it is already on its way."""
    ana = await failed_and_open(world)
    await retry(world, ana)
    await ana.gets("Welcome", "Welcome")
    await ana.waits_for("time delay **wait**")
    # After the last status, nobody but the sweep below looks into the outbox.
    await ana.has("delivered_at IS NOT NULL AND attempt = 2", "welcome")
    tap = messages.ButtonClicked(node="welcome", visit=1, button="yes", inbound="wamid.1")
    await ana.run.signal("button_clicked", tap)
    left = """
        INSERT INTO run_signals (entry_id, name, body)
        VALUES (:entry, 'message_failed', '{"node": "welcome", "visit": 1}')
    """
    async with world.database.transaction() as connection:
        await connection.execute(text(left), {"entry": ana.entry_id})
    assert (await world.sweeping.sweep()).signals == 1
    await ana.waits_for("time delay **wait**")
    assert await ana.texts() == ["Welcome", "Welcome"]


async def test_starting_a_later_attempt_twice_is_harmless(world: World) -> None:
    """As after a crash between the start and the note of it."""
    ana = await failed_and_open(world)
    await retry(world, ana)
    await ana.gets("Welcome", "Welcome")
    await ana.waits_for("time delay **wait**")
    await ana.is_in_state("running")
    await world.client.get_workflow_handle(messages.sendout_workflow_id(ana.sendout_id)).result()
    run_id = (await ana.run.describe()).run_id
    unmarked = """
        UPDATE entries SET state = 'queued', due_at = now() - interval '1 minute'
        WHERE entry_id = :entry
    """
    async with world.database.transaction() as connection:
        await connection.execute(text(unmarked), {"entry": ana.entry_id})
    assert (await world.sweeping.sweep()).started == 1
    await ana.is_in_state("running")
    assert (await ana.run.describe()).run_id == run_id
    assert await ana.texts() == ["Welcome", "Welcome"]


async def test_a_closed_run_is_followed_by_a_new_one(world: World) -> None:
    """A run without buttons has closed by the time its message is reported as failed."""
    await world.behave(ANA, failWith={"code": 131000, "via": "status", "times": 1})
    flow = {
        "format": 1,
        "start": "hello",
        "nodes": {"hello": {"type": "message", "message": template("hello", "Hello")}},
    }
    ana = await world.send(await world.publish(flow), ANA)
    await ana.gets("Hello")
    await ana.closes()
    await ana.is_in_state("failed")
    assert await retry(world, ana) == 1
    await ana.gets("Hello", "Hello")
    await ana.is_in_state("completed")
    assert await retry(world, ana) == 0
