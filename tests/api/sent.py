"""Sendouts, entries and messages written by hand, in whatever state a test needs them."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.flows import store_flow
from storage.inbound_tables import inbound
from storage.tables import (
    asks,
    channels,
    claims,
    clicks,
    decisions,
    entries,
    messages,
    sendouts,
)
from tests.record import BUSINESS, add_campaign

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

FLOW: dict[str, Any] = {
    "format": 1,
    "start": "hello",
    "variables": {"name": {"default": "you"}},
    "nodes": {
        "hello": {
            "type": "message",
            "message": {
                "type": "template",
                "name": "greeting",
                "language": "en",
                "category": "marketing",
                "body": ["{{name}}"],
            },
            "buttons": [
                {"id": "yes", "label": "Tell me more", "next": "more"},
                {"id": "no", "label": "Not now"},
            ],
            "next": "wait",
        },
        "wait": {"type": "delay", "duration": "PT20H", "condition": "no_click", "next": "nudge"},
        "nudge": {
            "type": "message",
            "message": {
                "type": "template",
                "name": "nudge",
                "language": "en",
                "category": "marketing",
            },
        },
        "more": {"type": "message", "message": {"type": "text", "body": "More, {{name}}"}},
    },
}


def after(**parts: float) -> datetime:
    """A moment some time after `NOW`."""
    return NOW + timedelta(**parts)


async def add_sendout(
    connection: AsyncConnection,
    *,
    campaign_id: UUID | None = None,
    flow: Mapping[str, Any] | None = None,
    **columns: Any,
) -> UUID:
    """A running, current sendout of version v1; a campaign is made for it unless one is given."""
    if campaign_id is None:
        name = f"campaign {uuid4()}"
        campaign_id = await add_campaign(connection, name, versions={"v1": flow or FLOW})
    values: dict[str, Any] = {
        "sendout_id": uuid4(),
        "business_id": BUSINESS,
        "campaign_id": campaign_id,
        "campaign_version": "v1",
        "flow_hash": await store_flow(connection, flow or FLOW),
        "source": "api",
        "is_current": True,
    } | columns
    await connection.execute(insert(sendouts).values(values))
    sendout_id: UUID = values["sendout_id"]
    return sendout_id


async def add_entry(
    connection: AsyncConnection, sendout_id: UUID, client: str = "+16045552331", **columns: Any
) -> UUID:
    """A running entry of the sendout, through the default channel."""
    campaign_id = await connection.scalar(
        select(sendouts.c.campaign_id).where(sendouts.c.sendout_id == sendout_id)
    )
    channel_id = await connection.scalar(select(channels.c.channel_id).order_by("created_at"))
    values: dict[str, Any] = {
        "entry_id": uuid4(),
        "sendout_id": sendout_id,
        "business_id": BUSINESS,
        "campaign_id": campaign_id,
        "channel_id": channel_id,
        "client": client,
        "variables": {},
        "state": "running",
    } | columns
    await connection.execute(insert(entries).values(values))
    entry_id: UUID = values["entry_id"]
    return entry_id


async def claim(connection: AsyncConnection, entry_id: UUID) -> None:
    """The entry's place in the duplicate check."""
    entry = select(entries.c.campaign_id, entries.c.client, entries.c.entry_id)
    await connection.execute(
        insert(claims).from_select(
            ["campaign_id", "client", "entry_id"], entry.where(entries.c.entry_id == entry_id)
        )
    )


async def add_message(
    connection: AsyncConnection, entry_id: UUID, state: str = "sent", **columns: Any
) -> str:
    """A message of the entry, of the node hello unless another is given."""
    entry = (await connection.execute(select(entries).where(entries.c.entry_id == entry_id))).one()
    values: dict[str, Any] = {
        "message_id": uuid4().hex[:26].upper(),
        "entry_id": entry_id,
        "sendout_id": entry.sendout_id,
        "channel_id": entry.channel_id,
        "client": entry.client,
        "attempt": entry.attempt,
        "node": "hello",
        "visit": 1,
        "number": 1,
        "state": state,
    } | columns
    await connection.execute(insert(messages).values(values))
    message_id: str = values["message_id"]
    return message_id


async def add_click(
    connection: AsyncConnection, message_id: str, button: str, **columns: Any
) -> None:
    """A tap of a button of the message."""
    message = (
        await connection.execute(select(messages).where(messages.c.message_id == message_id))
    ).one()
    await connection.execute(
        insert(clicks).values(
            {
                "message_id": message_id,
                "button": button,
                "entry_id": message.entry_id,
                "sendout_id": message.sendout_id,
                "node": message.node,
                "client": message.client,
                "inbound_id": f"wamid.{uuid4()}",
            }
            | columns
        )
    )


async def add_read_message(connection: AsyncConnection, entry_id: UUID, **columns: Any) -> str:
    """The message of hello, which was sent within seconds of `NOW`, and read."""
    usual: dict[str, Any] = {
        "created_at": after(seconds=2),
        "accepted_at": after(seconds=3),
        "sent_at": after(seconds=4),
        "delivered_at": after(seconds=5),
        "read_at": after(seconds=6),
        "template": "greeting (en)",
        "text": "Hello Ana",
        "tries": 1,
    }
    return await add_message(connection, entry_id, **usual | columns)


async def add_decision(connection: AsyncConnection, entry_id: UUID) -> None:
    """The time delay decided to go on, twenty hours after `NOW`."""
    await connection.execute(
        insert(decisions).values(
            entry_id=entry_id,
            node="wait",
            verdict="go_on",
            inputs={"received": True, "clicked": False},
            decided_at=after(hours=20),
        )
    )


async def add_ask(
    connection: AsyncConnection, entry_id: UUID, node: str = "size", **columns: Any
) -> None:
    """A question of the entry, open unless a time of closing is given."""
    entry = (await connection.execute(select(entries).where(entries.c.entry_id == entry_id))).one()
    values = {
        "entry_id": entry_id,
        "attempt": entry.attempt,
        "node": node,
        "visit": 1,
        "channel_id": entry.channel_id,
        "client": entry.client,
    }
    await connection.execute(insert(asks).values(values | columns))


async def add_inbound(
    connection: AsyncConnection, client: str, business_id: UUID = BUSINESS, **columns: Any
) -> None:
    """A text of the customer's to the business's default channel, unless another kind is given."""
    channel_id = await connection.scalar(
        select(channels.c.channel_id)
        .where(channels.c.business_id == business_id)
        .order_by("created_at")
    )
    values = {
        "inbound_id": f"wamid.{uuid4()}",
        "channel_id": channel_id,
        "client": client,
        "kind": "text",
    }
    await connection.execute(insert(inbound).values(values | columns))
