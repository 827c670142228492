"""Statuses that came before the message they are about was known by WhatsApp's id of it.

Our own id comes back with most statuses; for one without it the answer to the call must be recorded
first. Until then, or for a day, it is kept here.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.status import Status
from storage.intake import take_statuses

_TAKE = text("""
    DELETE FROM early_statuses WHERE channel_id = :channel_id AND wamid = ANY(:wamids)
    RETURNING wamid, status, message_id, at, error_code, error_message, client, user_id
""")

# Those whose message was being recorded just when they came: neither saw the other.
_MISSED = text("""
    SELECT c.business_id, s.channel_id, array_agg(DISTINCT s.wamid) AS wamids
    FROM early_statuses s
    JOIN messages m ON m.wamid = s.wamid AND m.channel_id = s.channel_id
    JOIN channels c ON c.channel_id = s.channel_id
    WHERE s.received_at > now() - interval '1 hour'
    GROUP BY c.business_id, s.channel_id ORDER BY s.channel_id
""")

_FORGET = text("DELETE FROM early_statuses WHERE received_at < now() - interval '1 day'")


async def apply_early(
    connection: AsyncConnection, business_id: UUID, channel_id: UUID, wamid: str
) -> None:
    """Apply what was told of a message before its answer was recorded."""
    await _apply(connection, business_id, channel_id, [wamid])


async def apply_missed(connection: AsyncConnection) -> int:
    """Apply what is kept of messages that are known by now; of how many."""
    found = (await connection.execute(_MISSED)).all()
    for row in found:
        await _apply(connection, row.business_id, row.channel_id, row.wamids)
    return sum(len(row.wamids) for row in found)


async def forget_early(connection: AsyncConnection) -> int:
    """Remove what nobody has sent for a day; how many."""
    return (await connection.execute(_FORGET)).rowcount


async def _apply(
    connection: AsyncConnection, business_id: UUID, channel_id: UUID, wamids: Sequence[str]
) -> None:
    which = {"channel_id": channel_id, "wamids": list(wamids)}
    taken = [_status(row) for row in await connection.execute(_TAKE, which)]
    await take_statuses(connection, business_id, channel_id, taken)


def _status(row: Row[Any]) -> Status:
    return Status(
        message_id=row.message_id,
        wamid=row.wamid,
        status=row.status,
        at=row.at,
        error_code=row.error_code,
        error_message=row.error_message,
        client=row.client,
        user_id=row.user_id,
    )
