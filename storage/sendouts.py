"""Sendouts: what they are, how they are steered, and what is holding them (api.md section 4)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, exists, func, literal, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import holds
from storage.cancelling import OPEN_STATES
from storage.single_messages import SOURCE
from storage.tables import campaigns, channels, entries, flows, sendouts

OUTSIDE = ("test", SOURCE)
"""The sources of sendouts that are outside of lists and of the duplicate check."""


@dataclass(frozen=True, slots=True)
class Sendout:
    """A sendout as recorded; `state` is running, paused or cancelled.

    `source` is api, csv, test, or message for what single messages are entries of.
    """

    sendout_id: UUID
    campaign_id: UUID
    campaign_name: str | None
    """None of single messages without a tag."""
    campaign_version: str
    flow_hash: str
    label: str | None
    source: str
    state: str
    current: bool
    skip_nodes: list[str]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ChannelHold:
    """A held channel that open entries of a sendout wait for; `code` is WhatsApp's, if any."""

    sendout_id: UUID
    channel: str
    code: int | None
    message: str | None
    since: datetime


def _sendouts() -> Select[Any]:
    c = sendouts.c
    return select(
        c.sendout_id,
        c.campaign_id,
        func.nullif(campaigns.c.name, "").label("campaign_name"),
        c.campaign_version,
        c.flow_hash,
        c.label,
        c.source,
        c.state,
        c.is_current.label("current"),
        c.skip_nodes,
        c.created_at,
    ).join(campaigns, campaigns.c.campaign_id == c.campaign_id)


def _sendout(row: Row[Any]) -> Sendout:
    return Sendout(**row._asdict())


async def list_sendouts(
    connection: AsyncConnection,
    business_id: UUID,
    *,
    limit: int,
    campaign_id: UUID | None = None,
    state: str | None = None,
    after: tuple[datetime, UUID] | None = None,
) -> list[Sendout]:
    """At most `limit` sendouts, newest first, without those that are `OUTSIDE` (api.md section 3).

    `after` is creation and id of the last one seen.
    """
    c = sendouts.c
    query = (
        _sendouts()
        .where(c.business_id == business_id, c.source.not_in(OUTSIDE))
        .order_by(c.created_at.desc(), c.sendout_id.desc())
        .limit(limit)
    )
    if campaign_id is not None:
        query = query.where(c.campaign_id == campaign_id)
    if state is not None:
        query = query.where(c.state == state)
    if after is not None:
        query = query.where(tuple_(c.created_at, c.sendout_id) < after)
    return [_sendout(row) for row in await connection.execute(query)]


async def find_sendout(
    connection: AsyncConnection, business_id: UUID, sendout_id: UUID, *, lock: bool = False
) -> Sendout | None:
    """The sendout, or None if the business has none of that id.

    With `lock` nobody else changes it, or adds entries to it, until the transaction ends.
    """
    query = _sendouts().where(
        sendouts.c.business_id == business_id, sendouts.c.sendout_id == sendout_id
    )
    if lock:
        query = query.with_for_update(of=sendouts)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _sendout(row)


async def flow_documents(
    connection: AsyncConnection, flow_hashes: Collection[str]
) -> dict[str, str]:
    """The stored flows of those hashes, as JSON."""
    query = select(flows.c.flow_hash, flows.c.document).where(
        flows.c.flow_hash.in_(set(flow_hashes))
    )
    return {row.flow_hash: row.document for row in await connection.execute(query)}


async def add_sendout(
    connection: AsyncConnection,
    *,
    sendout_id: UUID,
    business_id: UUID,
    campaign_id: UUID,
    campaign_version: str,
    flow_hash: str,
    source: str,
    label: str | None = None,
) -> None:
    """Record a sendout that is nobody's current one: a test's or an import's."""
    await connection.execute(
        insert(sendouts).values(
            sendout_id=sendout_id,
            business_id=business_id,
            campaign_id=campaign_id,
            campaign_version=campaign_version,
            flow_hash=flow_hash,
            source=source,
            label=label,
            is_current=False,
        )
    )


async def change_sendout(connection: AsyncConnection, sendout_id: UUID, **changes: Any) -> None:
    """Set `label` (None takes it away) or `skip_nodes`."""
    if changes:
        await connection.execute(
            update(sendouts).where(sendouts.c.sendout_id == sendout_id).values(changes)
        )


async def pause_sendout(connection: AsyncConnection, sendout_id: UUID) -> bool:
    """From now on its sends are held; it takes entries as before. False if it was not running."""
    paused = await connection.scalar(
        update(sendouts)
        .where(sendouts.c.sendout_id == sendout_id, sendouts.c.state == "running")
        .values(state="paused")
        .returning(sendouts.c.sendout_id)
    )
    if paused is None:
        return False
    await holds.take_back(connection, sendout_id)
    return True


async def resume_sendout(connection: AsyncConnection, sendout_id: UUID) -> bool:
    """Let a paused sendout send again and write down which runs to release; False if it wasn't."""
    resumed = await connection.scalar(
        update(sendouts)
        .where(sendouts.c.sendout_id == sendout_id, sendouts.c.state == "paused")
        .values(state="running")
        .returning(sendouts.c.sendout_id)
    )
    if resumed is None:
        return False
    await holds.release_sendout(connection, sendout_id)
    return True


async def channel_holds(
    connection: AsyncConnection, sendout_ids: Sequence[UUID]
) -> list[ChannelHold]:
    """The held channels that open entries of these sendouts go through."""
    waiting = exists(
        select(literal(1)).where(
            entries.c.sendout_id == sendouts.c.sendout_id,
            entries.c.channel_id == channels.c.channel_id,
            entries.c.state.in_(OPEN_STATES),
        )
    )
    query = (
        select(
            sendouts.c.sendout_id,
            channels.c.phone_number.label("channel"),
            channels.c.hold_code.label("code"),
            channels.c.hold_message.label("message"),
            channels.c.held_since.label("since"),
        )
        .join(channels, channels.c.business_id == sendouts.c.business_id)
        .where(sendouts.c.sendout_id.in_(sendout_ids), channels.c.held_since.is_not(None), waiting)
        .order_by(channels.c.held_since, channels.c.phone_number)
    )
    return [ChannelHold(**row._asdict()) for row in await connection.execute(query)]
