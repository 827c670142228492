"""Records the test of a draft: a version, a sendout and an entry of its own (api.md section 3)."""

from collections.abc import Mapping
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import Text, cast, literal, update
from sqlalchemy.dialects.postgresql import JSON, insert
from sqlalchemy.ext.asyncio import AsyncConnection
from ulid import ULID

from domain.ids import ulid_as_uuid
from storage.campaigns import Campaign, add_version
from storage.flows import behaviour_hash, store_flow
from storage.sendouts import add_sendout
from storage.tables import campaigns, entries


class StartedTest(NamedTuple):
    """Where a test can be followed."""

    sendout_id: UUID
    entry_id: UUID


class Addressee(NamedTuple):
    """Who gets a test (`client` in E.164), through which channel, with which variables (JSON)."""

    channel_id: UUID
    client: str
    variables: str


async def start_test(
    connection: AsyncConnection,
    business_id: UUID,
    campaign: Campaign,
    document: Mapping[str, Any],
    to: Addressee,
) -> StartedTest:
    """Queue one run of `document` (the draft with shorter delays), due now.

    It takes no part in the duplicate check, its version does not become the newest, and the draft
    counts as tested from now on, whatever its layout.
    """
    test = StartedTest(sendout_id=uuid4(), entry_id=uuid4())
    version = ulid_as_uuid(ULID())
    flow_hash = await store_flow(connection, document)
    await add_version(connection, campaign.campaign_id, version, flow_hash, kind="test")
    await add_sendout(
        connection,
        sendout_id=test.sendout_id,
        business_id=business_id,
        campaign_id=campaign.campaign_id,
        campaign_version=version,
        flow_hash=flow_hash,
        source="test",
    )
    await connection.execute(
        insert(entries).values(
            entry_id=test.entry_id,
            sendout_id=test.sendout_id,
            business_id=business_id,
            campaign_id=campaign.campaign_id,
            channel_id=to.channel_id,
            client=to.client,
            variables=cast(literal(to.variables, Text), JSON),
            state="queued",
        )
    )
    await _mark_tested(connection, campaign)
    return test


async def _mark_tested(connection: AsyncConnection, campaign: Campaign) -> None:
    await connection.execute(
        update(campaigns)
        .where(campaigns.c.campaign_id == campaign.campaign_id)
        .values(tested_flow_hash=behaviour_hash(campaign.draft or {}))
    )
