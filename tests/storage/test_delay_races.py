"""A delay that is judged while the customer taps or writes: one of both sees the other."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.inbound import Inbound
from domain.requests import CheckDelay
from storage.customers import Customers
from storage.flows import StoredFlows
from storage.run_record import RunRecord
from storage.tables import channels, clicks, decisions
from tests.api.sent import FLOW, add_entry, add_message, add_sendout
from tests.record import BUSINESS
from tests.storage.delivery import Delivery, now, waiting

ANA = "+16045552331"


@pytest.fixture
async def ana(delivery: Delivery) -> UUID:
    """Her entry of a flow with a delay after a message with buttons."""
    async with delivery.database.transaction() as connection:
        return await add_entry(connection, await add_sendout(connection, flow=FLOW), ANA)


@pytest.fixture
async def message_id(delivery: Delivery, ana: UUID) -> str:
    """Her message, of which nothing is known but that WhatsApp took it."""
    async with delivery.database.transaction() as connection:
        return await add_message(
            connection, ana, message_id="01JD0000000000000000000000", accepted_at=now()
        )


async def take(delivery: Delivery, connection: AsyncConnection, *said: Inbound) -> None:
    """Take in what she says, in this transaction."""
    customers = Customers(StoredFlows(delivery.database), stop_words=(), start_words=())
    channel_id = (await connection.scalars(select(channels.c.channel_id))).one()
    await customers.take_inbound(connection, BUSINESS, channel_id, said)


def tap(message_id: str) -> Inbound:
    reply_id = f"{message_id}:yes"
    return Inbound(f"wamid.{uuid4()}", "tap", ANA, None, now(), "Tell me more", reply_id)


def written(_message_id: str) -> Inbound:
    return Inbound(f"wamid.{uuid4()}", "text", ANA, None, now(), "Hello?")


def judging(entry_id: UUID, condition: str) -> CheckDelay:
    return CheckDelay.model_validate(
        {
            "entry": entry_id,
            "delay": "wait",
            "condition": condition,
            "node": "hello",
            "visit": 1,
        }
    )


@pytest.mark.parametrize(
    ("said", "condition", "verdict"),
    [
        (tap, "no_click", "end"),
        (tap, "no_response", "end"),
        (tap, "all", "go_on"),
        (written, "no_click", "go_on"),
        (written, "no_response", "end"),
        (written, "all", "go_on"),
    ],
)
async def test_what_is_being_recorded_is_seen(
    delivery: Delivery,
    ana: UUID,
    message_id: str,
    said: Callable[[str], Inbound],
    condition: str,
    verdict: str,
):
    """Nobody who has tapped gets the reminder for those who have not; a text is a response."""
    await judged_meanwhile(delivery, ana, said(message_id), condition, verdict)


async def test_a_tap_that_was_seen_is_told_before_the_decision(
    delivery: Delivery, ana: UUID, message_id: str
):
    await judged_meanwhile(delivery, ana, tap(message_id), "no_click", "end")
    async with delivery.database.transaction() as connection:
        tapped_at = (await connection.scalars(select(clicks.c.clicked_at))).one()
        decided_at = (await connection.scalars(select(decisions.c.decided_at))).one()
    assert tapped_at < decided_at


async def judged_meanwhile(
    delivery: Delivery, entry_id: UUID, said: Inbound, condition: str, verdict: str
) -> None:
    """Judge the delay while what she said is taken in; it must come to this verdict."""
    record = RunRecord(delivery.database)
    async with delivery.database.transaction() as telling:
        await take(delivery, telling, said)
        judged = await waiting(delivery.database, record.check_delay(judging(entry_id, condition)))
    assert (await judged).verdict == verdict
