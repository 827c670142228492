"""Sends nobody knows the outcome of: never repeated blindly, settled by what WhatsApp reports."""

import pytest

from settings import Settings
from tests.workflows.flows import offer
from tests.workflows.told import NOTHING_BY_ITSELF, tell_status
from tests.workflows.world import World

ANA = "+16045550004"


@pytest.fixture
def world_settings(world_settings: Settings) -> Settings:
    """A grace of two seconds: the record's time cannot be skipped."""
    return world_settings.model_copy(update={"unknown_grace": 2})


async def test_a_broken_connection_is_settled_by_the_status(world: World) -> None:
    await world.behave(ANA, dropAfterAcceptRate=1)
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.has("state = 'sent' AND wamid IS NOT NULL", "welcome")
    await world.behave(ANA)
    await ana.waits_for("time delay **wait**")
    await ana.skip(hours=20, seconds=1)
    await ana.gets("Welcome", "Nudge")
    await ana.is_in_state("completed")


async def test_without_any_status_it_is_given_up_and_shown(world: World) -> None:
    await world.behave(ANA, http500BeforeAcceptRate=1)
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.is_in_state("unknown")
    entry = await ana.entry()
    assert entry["error"]["code"] == "ERROR_CODE_WA_SOMETHING_WENT_WRONG"
    await ana.closes()
    assert await ana.texts() == []


async def test_a_status_after_the_grace_settles_it_after_all(world: World) -> None:
    """The entry runs again, its buttons work and its delay counts from the settling (flow.md 2.2)."""
    await world.behave(ANA, dropAfterAcceptRate=1, **NOTHING_BY_ITSELF)
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.is_in_state("unknown")
    await ana.closes()
    await world.behave(ANA)
    await tell_status(ana, "sent")
    await tell_status(ana, "delivered")
    await ana.is_in_state("running")
    await ana.waits_for("time delay **wait**")
    await ana.skip(hours=20, seconds=1)
    await ana.gets("Welcome", "Nudge")
    await ana.is_in_state("completed")


async def test_a_click_settles_a_message_that_was_given_up(world: World) -> None:
    await world.behave(ANA, dropAfterAcceptRate=1, deliver=False)
    ana = await world.send(await world.publish(offer()), ANA)
    await ana.gets("Welcome")
    await world.behave(ANA)
    await ana.taps("Yes")
    await ana.gets("Welcome", "Offer")
    await ana.is_in_state("completed")


class TestResend:
    """The setting for those who would rather send twice than not at all."""

    @pytest.fixture
    def world_settings(self, world_settings: Settings) -> Settings:
        return world_settings.model_copy(
            update={"unknown_grace": 6, "http_timeout": 2.0, "unknown_outcome": "resend"}
        )

    async def test_what_whatsapp_never_took_is_sent_after_the_grace(self, world: World) -> None:
        await world.behave(ANA, http500BeforeAcceptRate=1)
        ana = await world.send(await world.publish(offer()), ANA)
        await ana.has("state = 'unknown'", "welcome")
        await world.behave(ANA)
        await ana.gets("Welcome")
        await ana.delivered("welcome")
