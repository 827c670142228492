"""Single messages as entries (api.md section 2b, ADR 11).

All messages of a business under one tag, or none, are entries of one campaign of the kind `messages`,
which no name leads to and no list shows; in it every flow has a current sendout of its own, made when
it is first needed. Such an entry takes no place in the duplicate check.
"""

from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncConnection

from storage.acceptance import SituationChanged
from storage.identity import names_of

SOURCE = "message"
"""The `source` of their sendouts."""


class NewMessage(NamedTuple):
    """A message to be sent, as its entry is stored; JSON as text."""

    business_id: UUID
    tag: str | None
    flow_hash: str
    document: str
    entry_id: str
    channel_id: UUID
    client: str
    variables: str
    callback_data: str | None


class Stored(NamedTuple):
    """Where a message was put, and when it was accepted."""

    sendout_id: UUID
    created_at: datetime


# The sendout is locked against being cancelled before the entry is there to be cancelled.
_ADD = """
WITH place AS MATERIALIZED (
  SELECT s.sendout_id, s.campaign_id FROM campaigns c
  JOIN sendouts s ON s.campaign_id = c.campaign_id AND s.is_current AND s.campaign_version = $3::text
  WHERE c.business_id = $1::uuid AND c.kind = 'messages' AND c.name = $2::text
  FOR SHARE OF s
)
INSERT INTO entries (entry_id, sendout_id, business_id, campaign_id, channel_id, client, variables,
                     callback_data, state)
SELECT $4::uuid, sendout_id, $1::uuid, campaign_id, $5::uuid, $6::text, $7::text::json,
       $8::text::json, 'queued'
FROM place
RETURNING sendout_id, created_at
"""

_OPEN = """
WITH flow AS (
  INSERT INTO flows (flow_hash, document) VALUES ($3, $4) ON CONFLICT DO NOTHING
)
INSERT INTO campaigns (campaign_id, business_id, name, kind, state)
VALUES ($5, $1, $2, 'messages', 'published')
ON CONFLICT (business_id, name) WHERE kind = 'messages' DO NOTHING
"""

_OPEN_SENDOUT = """
INSERT INTO sendouts (sendout_id, business_id, campaign_id, campaign_version, flow_hash, source,
                      is_current)
SELECT $5::uuid, $1::uuid, campaign_id, $3::text, $4::text, $6::text, true
FROM campaigns WHERE business_id = $1::uuid AND kind = 'messages' AND name = $2::text
ON CONFLICT (campaign_id, campaign_version) WHERE is_current DO NOTHING
"""


async def add_message(connection: AsyncConnection, message: NewMessage) -> Stored:
    """Store a message as an entry, due now: one statement, and three more for the first of its kind.

    Raises `SituationChanged` when its sendout is cancelled at this moment.
    """
    stored = await _add(connection, message)
    if stored is None:
        await _open(connection, message)
        stored = await _add(connection, message)
    if stored is None:
        raise SituationChanged
    return stored


async def _add(connection: AsyncConnection, message: NewMessage) -> Stored | None:
    row = (
        await connection.exec_driver_sql(
            _ADD,
            (
                message.business_id,
                message.tag or "",
                version_of(message.flow_hash),
                message.entry_id,
                message.channel_id,
                message.client,
                message.variables,
                message.callback_data,
            ),
        )
    ).one_or_none()
    return None if row is None else Stored(row.sendout_id, row.created_at)


async def _open(connection: AsyncConnection, message: NewMessage) -> None:
    named: tuple[Any, ...] = (message.business_id, message.tag or "")
    flow = (message.flow_hash, message.document)
    await connection.exec_driver_sql(_OPEN, (*named, *flow, uuid4()))
    version = version_of(message.flow_hash)
    await connection.exec_driver_sql(
        _OPEN_SENDOUT, (*named, version, message.flow_hash, uuid4(), SOURCE)
    )


def version_of(flow_hash: str) -> str:
    """The campaign version under which the sendout of a flow is found: from the flow's own name."""
    return str(UUID(flow_hash[:32]))


_WINDOW = f"""
SELECT max(i.received_at) > now() - interval '24 hours' FROM inbound i
WHERE i.channel_id = $1::uuid AND i.client = ANY({names_of("$2::uuid", "$3::text")})
"""


async def is_window_open(
    connection: AsyncConnection, business_id: UUID, channel_id: UUID, client: str
) -> bool:
    """Whether the customer wrote to this number within the last 24 hours, under any name."""
    found = await connection.exec_driver_sql(_WINDOW, (channel_id, business_id, client))
    return bool(found.scalar_one())


async def accepted_at(connection: AsyncConnection) -> datetime:
    """The creation time of the entries of this transaction."""
    found: datetime = (await connection.exec_driver_sql("SELECT now()")).scalar_one()
    return found
