"""Factories: what a test finds in the record before it begins."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from api.deps import SCOPES
from storage.flows import store_flow
from storage.keys import add_key
from storage.tables import (
    businesses,
    campaign_names,
    campaign_versions,
    campaigns,
    channels,
)

BUSINESS = UUID("11111111-1111-4111-8111-111111111111")
KEY = "dev-key"
SENDER = "+15550001111"
WABA = "102290129340398"


async def add_business(
    connection: AsyncConnection,
    business_id: UUID = BUSINESS,
    *,
    key: str = KEY,
    scopes: frozenset[str] = SCOPES,
    sender: str | None = SENDER,
) -> UUID:
    """A business with one key and, unless `sender` is None, one default channel."""
    await connection.execute(
        insert(businesses).values(business_id=business_id, name="Test business")
    )
    await add_key(connection, business_id, name="test", scopes=scopes, secret=key)
    if sender is not None:
        await add_channel(connection, business_id, sender, is_default=True)
    return business_id


async def add_channel(
    connection: AsyncConnection,
    business_id: UUID,
    phone_number: str,
    *,
    is_default: bool = False,
) -> UUID:
    """A channel of the business."""
    channel_id = uuid4()
    await connection.execute(
        insert(channels).values(
            channel_id=channel_id,
            business_id=business_id,
            phone_number=phone_number,
            phone_number_id=str(channel_id.int)[:15],
            waba_id=WABA,
            access_token="token",
            app_secret="secret",
            is_default=is_default,
        )
    )
    return channel_id


def greeting(variables: Mapping[str, Any] | None = None, body: str = "Hello") -> dict[str, Any]:
    """A flow of one template message whose one body parameter is `body`."""
    return {
        "format": 1,
        "start": "hello",
        "variables": dict(variables or {}),
        "nodes": {
            "hello": {
                "type": "message",
                "message": {
                    "type": "template",
                    "name": "greeting",
                    "language": "en",
                    "category": "marketing",
                    "body": [body],
                },
            }
        },
    }


async def add_campaign(
    connection: AsyncConnection,
    name: str,
    *,
    business_id: UUID = BUSINESS,
    campaign_id: UUID | None = None,
    versions: Mapping[str, Mapping[str, Any]] | None = None,
    state: str = "published",
) -> UUID:
    """A campaign with published versions (label → flow), oldest first; one version by default."""
    campaign_id = campaign_id or uuid4()
    if versions is None:
        versions = {} if state == "draft" else {"v1": greeting()}
    await connection.execute(
        insert(campaigns).values(
            campaign_id=campaign_id, business_id=business_id, name=name, state=state
        )
    )
    await connection.execute(
        insert(campaign_names).values(
            business_id=business_id,
            name=name,
            campaign_id=campaign_id,
            was_published=bool(versions),
        )
    )
    for label, flow in versions.items():
        await publish(connection, campaign_id, label, flow)
    return campaign_id


async def publish(
    connection: AsyncConnection, campaign_id: UUID, label: str, flow: Mapping[str, Any]
) -> None:
    """One more version of the campaign, which becomes its newest."""
    flow_hash = await store_flow(connection, flow)
    await connection.execute(
        insert(campaign_versions).values(
            campaign_id=campaign_id, campaign_version=label, flow_hash=flow_hash
        )
    )
    await connection.execute(
        update(campaigns).where(campaigns.c.campaign_id == campaign_id).values(newest_version=label)
    )
