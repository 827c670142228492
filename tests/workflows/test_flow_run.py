"""Runs on the real server with skipped time: what customers get (flow.md section 2)."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus

from tests.workflows.flows import offer, question
from tests.workflows.told import NOTHING_BY_ITSELF, tell_status
from tests.workflows.world import Customer, World, eventually

ANA = "+16045550001"


async def test_a_silent_customer_gets_the_nudge_after_twenty_hours(world: World) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.waits_for("time delay **wait**")
    await ana.skip(hours=19)
    assert await ana.texts() == ["Welcome"]
    await ana.skip(hours=1, seconds=1)
    await ana.gets("Welcome", "Nudge")
    await ana.is_in_state("completed")


async def test_who_clicked_gets_the_answer_and_no_nudge(world: World) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.taps("Yes")
    await ana.gets("Welcome", "Offer")
    await ana.is_in_state("completed")
    await ana.skip(hours=21)
    assert await ana.texts() == ["Welcome", "Offer"]


async def test_who_clicked_a_button_that_leads_nowhere_is_done(world: World) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.taps("No")
    await ana.is_in_state("completed")
    await ana.skip(hours=21)
    assert await ana.texts() == ["Welcome"]


async def test_an_all_delay_goes_on_after_a_click_too(world: World) -> None:
    ana = await world.send(await world.publish(offer(condition="all")), ANA)
    await ana.gets("Welcome")
    await ana.taps("Yes")
    await ana.gets("Welcome", "Offer")
    await ana.waits_for("time delay **wait**")
    await ana.skip(hours=20, seconds=1)
    await ana.gets("Welcome", "Offer", "Nudge")


async def test_the_same_tap_again_changes_nothing(world: World) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.taps("Yes")
    await ana.gets("Welcome", "Offer")
    await ana.taps("Yes", message=0)
    await ana.taps("No", message=0)
    await ana.closes()
    assert await ana.texts() == ["Welcome", "Offer"]


async def test_a_failed_message_ends_the_run_with_its_code(world: World) -> None:
    await world.behave(ANA, **NOTHING_BY_ITSELF)
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.waits_for("time delay **wait**")
    await tell_status(ana, "failed", code=131026)
    await ana.is_in_state("failed")
    assert (await ana.entry())["error"]["code"] == "ERROR_CODE_MESSAGE_UNDELIVERABLE"
    await ana.skip(hours=25)
    await ana.closes()
    assert await ana.texts() == ["Welcome"]


async def test_a_refused_message_ends_the_run_with_its_code(world: World) -> None:
    await world.behave(ANA, failWith={"code": 131009, "via": "answer"})
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.is_in_state("failed")
    await ana.closes()
    assert await ana.texts() == []


async def undelivered(world: World, **changes: str) -> Customer:
    """Her phone is off when the delay is due: the run waits for the delivery."""
    await world.behave(ANA, deliver=False)
    ana = await world.send(await world.publish(offer(**changes)), ANA)
    await ana.gets("Welcome")
    await ana.waits_for("time delay **wait**")
    await ana.skip(hours=20, seconds=1)
    await ana.waits_for("not delivered yet")
    return ana


async def test_a_due_delay_waits_for_a_late_delivery(world: World) -> None:
    ana = await undelivered(world, condition="all")
    assert await ana.texts() == ["Welcome"]
    await ana.taps("No")  # the phone is on again: what was not delivered is delivered first
    await ana.gets("Welcome", "Nudge")


async def test_who_never_received_the_message_gets_no_follow_up(world: World) -> None:
    ana = await undelivered(world)
    await ana.skip(hours=24, seconds=1)
    await ana.is_in_state("not_received")
    assert await ana.texts() == ["Welcome"]


async def test_a_delivery_that_is_not_heard_of_counts_at_the_end_of_the_wait(world: World) -> None:
    """Temporal was away: the time is over before the news is handed over."""
    ana = await undelivered(world)
    await ana.is_delivered_unheard("welcome")
    await ana.skip(hours=24, seconds=1)
    await ana.gets("Welcome", "Nudge")
    await ana.is_in_state("completed")


async def test_a_click_after_the_run_has_closed_takes_it_up_again(world: World) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.waits_for("time delay **wait**")
    await ana.skip(hours=20, seconds=1)
    await ana.gets("Welcome", "Nudge")
    await ana.waits_for("open for clicks")
    await ana.skip(hours=25)
    await ana.closes()
    await ana.taps("Yes", message=0)
    await ana.gets("Welcome", "Nudge", "Offer")
    await ana.is_heard(await ana.taps("Yes", message=0))
    await ana.skip(hours=25)
    await ana.closes()
    assert await ana.texts() == ["Welcome", "Nudge", "Offer"]
    assert await ana.state() == "completed"


async def test_a_click_before_its_message_is_recorded_is_not_lost(world: World) -> None:
    await world.behave(ANA, latencyMs=1500)
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.taps("Yes")  # half of the latency is still to pass before the answer
    await world.behave(ANA)
    await ana.gets("Welcome", "Offer")
    await ana.is_in_state("completed")
    await ana.skip(hours=21)
    assert await ana.texts() == ["Welcome", "Offer"]


async def test_a_click_recorded_before_the_timer_counts_though_the_run_did_not_hear_of_it(
    world: World,
) -> None:
    """The check at a delay's end reads the record (flow.md 2.4)."""
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.waits_for("time delay **wait**")
    async with world.database.transaction() as connection:
        await connection.execute(
            text("""
                INSERT INTO clicks (message_id, button, entry_id, sendout_id, node, client, inbound_id)
                SELECT message_id, 'no', entry_id, sendout_id, node, client, 'wamid.silent'
                FROM messages WHERE entry_id = :entry
            """),
            {"entry": ana.entry_id},
        )
    await ana.skip(hours=20, seconds=1)
    await ana.is_in_state("completed")
    assert await ana.texts() == ["Welcome"]


async def test_a_pause_across_the_due_time_throws_nobody_out(world: World) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.waits_for("time delay **wait**")
    paused = await world.api.post(f"/sendouts/{ana.sendout_id}/pause")
    assert paused.json()["entity"]["state"] == "paused"
    await ana.skip(hours=20, seconds=1)
    await ana.waits_for("is held")
    assert await ana.texts() == ["Welcome"]
    await world.api.post(f"/sendouts/{ana.sendout_id}/resume")
    await ana.gets("Welcome", "Nudge")
    await ana.is_in_state("completed")


async def test_cancelling_ends_a_run_without_another_send(world: World) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.waits_for("time delay **wait**")
    await world.api.post(f"/sendouts/{ana.sendout_id}/cancel")
    await ana.is_in_state("cancelled")
    await eventually(ana.status, WorkflowExecutionStatus.CANCELED)
    await ana.taps("Yes")
    await ana.has("EXISTS (SELECT 1 FROM clicks)", "welcome")
    assert await ana.texts() == ["Welcome"]
    assert await ana.status() is WorkflowExecutionStatus.CANCELED
    assert await ana.state() == "cancelled"


async def test_cancelling_one_entry_closes_its_run(world: World) -> None:
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await ana.waits_for("time delay **wait**")
    cancelled = await world.api.post(f"/entries/{ana.entry_id}/cancel")
    assert cancelled.json()["entity"]["state"] == "cancelled"
    await eventually(ana.status, WorkflowExecutionStatus.CANCELED)


async def test_an_ask_keeps_the_next_text_and_branches_on_it(world: World) -> None:
    ana = await world.send(await world.publish(question()), ANA)
    await ana.gets("Hello")
    await ana.waits_for("text for **color**")
    await ana.has("EXISTS (SELECT 1 FROM asks)", "welcome")
    await ana.writes("red")
    await ana.gets("Hello", "Red it is")
    await ana.is_in_state("completed")
    assert (await ana.entry())["outputVariables"] == {"color": "red"}


async def test_an_ask_nobody_answers_goes_on_at_its_timeout(world: World) -> None:
    ana = await world.send(await world.publish(question()), ANA)
    await ana.gets("Hello")
    await ana.waits_for("text for **color**")
    await ana.skip(hours=2, seconds=1)
    await ana.gets("Hello", "Too late")
    await ana.is_in_state("completed")


async def test_scheduled_entries_start_when_they_are_due(world: World) -> None:
    name = await world.publish(offer())
    due = datetime.now(UTC) + timedelta(seconds=2)
    ana = await world.send(name, ANA, scheduledAt=due.isoformat())
    await ana.gets("Welcome")
    (message,) = await ana.messages()
    assert datetime.fromisoformat(message["acceptedAt"]) >= due
