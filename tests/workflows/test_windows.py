"""Sending windows and messages whose time is over, on the real server (flow.md 2.11).

A run's clock can be skipped, the record's cannot: what a first message's time depends on is the
record's, so there the entry is made older (`ages`).
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from settings import Settings
from tests.workflows.flows import offer
from tests.workflows.world import Customer, World

ANA = "+16045550005"


def window(opens: float, closes: float) -> dict[str, Any]:
    """A window by UTC that opens and closes so many hours from now."""
    now = datetime.now(UTC)
    since, to = (f"{now + timedelta(hours=hours):%H:%M}" for hours in (opens, closes))
    return {"timezone": "UTC", "from": since, "to": to}


async def ages(customer: Customer, **duration: float) -> None:
    """So much time passes for what the record says of the entry."""
    older = "UPDATE entries SET due_at = due_at - CAST(:by AS interval) WHERE entry_id = :entry"
    async with customer.world.database.transaction() as connection:
        key = {"by": timedelta(**duration), "entry": customer.entry_id}
        await connection.execute(text(older), key)


async def steps(customer: Customer, kind: str) -> list[dict[str, Any]]:
    """The timeline's steps of one kind."""
    return [step for step in (await customer.entry())["timeline"] if step["type"] == kind]


async def error_of(customer: Customer) -> tuple[str, str]:
    entry = await customer.entry()
    return entry["state"], entry["error"]["code"]


EXPIRED = ("failed", "ERROR_CODE_DEADLINE_EXCEEDED")


async def test_a_first_message_waits_until_the_window_opens(world: World) -> None:
    flow = offer() | {"window": window(3, 5)}
    ana = await world.send(await world.publish(flow), ANA)
    await ana.has("state = 'held'", "welcome")
    await ana.waits_for("**welcome** is held")
    assert await ana.state() == "running"
    (hold,) = await steps(ana, "hold")
    assert (hold["node"], hold["heldFor"]) == ("welcome", "window")
    assert f"{datetime.fromisoformat(hold['until']):%H:%M}" == flow["window"]["from"]
    swept = await world.sweeping.sweep()
    assert swept.released == 0, "a window is not a hold that somebody ends"
    await ana.skip(hours=2)
    assert await ana.texts() == []
    await ana.skip(hours=1, minutes=1)
    await ana.gets("Welcome")
    assert await steps(ana, "hold") == []


async def test_a_follow_up_waits_and_an_answer_does_not(world: World) -> None:
    """The delay ends when the window is closed, the tap comes then too."""
    flow = offer(condition="all", duration="PT2H") | {"window": window(-1, 1)}
    ana = await world.send(await world.publish(flow), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.skip(hours=2, seconds=1)
    await ana.waits_for("**nudge** is held")
    await ana.taps("Yes")
    await ana.gets("Welcome", "Offer")
    await ana.skip(hours=20)
    assert await ana.texts() == ["Welcome", "Offer"]
    await ana.skip(hours=2)
    await ana.gets("Welcome", "Offer", "Nudge")


async def test_a_follow_up_that_is_too_late_when_the_window_opens_is_not_sent(
    world: World,
) -> None:
    flow = offer(condition="all", duration="PT2H") | {
        "window": window(-1, 1),
        "expireAfter": "PT5H",
    }
    ana = await world.send(await world.publish(flow), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.skip(hours=2, seconds=1)
    await ana.waits_for("**nudge** is held")
    await ana.skip(hours=4)
    assert await ana.state() == "running"
    await ana.skip(hours=1, seconds=1)
    await ana.is_in_state("completed")
    assert [step["reason"] for step in await steps(ana, "not_sent")] == ["expired"]
    await ana.skip(hours=24)
    assert await ana.texts() == ["Welcome"]


async def test_a_follow_up_that_is_sent_in_time_is_not_expired(world: World) -> None:
    """Its time counts from the delay's end, not from the start."""
    flow = offer(condition="all", duration="PT20H") | {"expireAfter": "PT1H"}
    ana = await world.send(await world.publish(flow), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await ana.skip(hours=20, seconds=1)
    await ana.gets("Welcome", "Nudge")


async def test_a_first_message_whose_time_is_over_ends_the_entry(world: World) -> None:
    flow = offer() | {"window": window(3, 5), "expireAfter": "PT2S"}
    ana = await world.send(await world.publish(flow), ANA)
    await ana.is_in_state("failed")
    assert await error_of(ana) == EXPIRED
    assert [step["reason"] for step in await steps(ana, "not_sent")] == ["expired"]
    await ana.closes()
    assert await ana.texts() == []


async def test_a_pause_does_not_keep_a_message_beyond_its_time(world: World) -> None:
    """Nobody resumes the sendout."""
    flow = offer(condition="all", duration="PT1H") | {"expireAfter": "PT1H"}
    ana = await world.send(await world.publish(flow), ANA)
    await ana.gets("Welcome")
    await ana.delivered("welcome")
    await world.api.post(f"/sendouts/{ana.sendout_id}/pause")
    await ana.skip(hours=1, seconds=1)
    await ana.waits_for("**nudge** is held")
    await ana.skip(hours=1, seconds=1)
    await ana.has("state = 'expired'", "nudge")
    await ana.is_in_state("completed")
    assert await ana.texts() == ["Welcome"]


@pytest.mark.parametrize("code", [130429, 190])
async def test_neither_retries_nor_a_hold_by_whatsapp_keep_it_beyond_its_time(
    world: World, code: int
) -> None:
    """A sender's limit that does not end, and an account that nobody puts right."""
    await world.behave(ANA, failWith={"code": code, "via": "answer"})
    ana = await world.send(await world.publish(offer() | {"expireAfter": "PT1H"}), ANA)
    await ana.has("state IN ('retrying', 'held')", "welcome")
    await ages(ana, hours=1)
    if code == 190:  # the other's next try is seconds away, and may have ended its run by now
        await ana.skip(hours=1, seconds=1)
    await ana.is_in_state("failed")
    assert await error_of(ana) == EXPIRED
    await ana.closes()


async def test_a_hold_by_whatsapp_ends_when_the_time_of_a_late_entry_does(world: World) -> None:
    """It was due long before its run began: its time is the record's."""
    name = await world.publish(offer() | {"expireAfter": "PT1H"})
    first = await world.send(name, "+16045550006")
    await first.gets("Welcome")
    await world.api.post(f"/sendouts/{first.sendout_id}/pause")
    ana = await world.send(name, ANA)
    await world.behave(ANA, failWith={"code": 190, "via": "answer"})
    await ages(ana, minutes=30)
    await world.api.post(f"/sendouts/{ana.sendout_id}/resume")
    await ana.has("state = 'held' AND held_for = 'channel'", "welcome")
    await ages(ana, minutes=30)
    await ana.skip(minutes=30, seconds=1)
    await ana.is_in_state("failed")
    assert await error_of(ana) == EXPIRED


async def test_a_retry_gives_a_failed_entry_its_time_again(world: World) -> None:
    """It was due a day ago, and is due anew."""
    await world.behave(ANA, failWith={"code": 131000, "via": "status", "times": 1})
    ana = await world.send(await world.publish(offer() | {"expireAfter": "PT1H"}), ANA)
    await ana.is_in_state("failed")
    await ages(ana, days=1)
    await world.api.post(f"/sendouts/{ana.sendout_id}/retry")
    await ana.gets("Welcome", "Welcome")


async def test_an_entry_that_was_not_started_in_time_is_not_sent(world: World) -> None:
    """A sendout that was paused for a day, or a worker that was away."""
    name = await world.publish(offer() | {"expireAfter": "PT1H"})
    first = await world.send(name, "+16045550006")
    await first.gets("Welcome")
    await world.api.post(f"/sendouts/{first.sendout_id}/pause")
    ana = await world.send(name, ANA)
    await ages(ana, days=1)
    await world.api.post(f"/sendouts/{ana.sendout_id}/resume")
    await ana.is_in_state("failed")
    assert await error_of(ana) == EXPIRED
    assert await ana.texts() == []


class TestResend:
    """Where a message of unknown outcome is sent again after the grace."""

    @pytest.fixture
    def world_settings(self, world_settings: Settings) -> Settings:
        return world_settings.model_copy(update={"unknown_grace": 60, "unknown_outcome": "resend"})

    async def test_what_may_have_been_sent_is_not_called_expired(self, world: World) -> None:
        """It was to be sent again, was held before that, and then it was too late."""
        await world.behave(ANA, http500BeforeAcceptRate=1)
        ana = await world.send(await world.publish(offer() | {"expireAfter": "PT1H"}), ANA)
        await ana.has("state = 'unknown'", "welcome")
        await world.api.post(f"/sendouts/{ana.sendout_id}/pause")
        await ana.has("state = 'held' AND unknown_since IS NOT NULL", "welcome")
        await ages(ana, hours=1)
        await ana.skip(hours=1, seconds=1)
        await ana.is_in_state("unknown")
        await ana.has("state = 'given_up'", "welcome")
