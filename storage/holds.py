"""Holding sends and letting them go: a paused sendout, a held channel or template (flow.md 2.10).

Whether a send is held is decided when it is made. What is here tells the runs: which sends to take
back from the queue, and who may go on. The signals are written in the transaction that holds or
releases, so that no run is forgotten.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.templates import Key, label

# Runs that were started ahead and of which nothing has been attempted: their first sends wait in
# the queue of the sends, where each of them would use up its sender's rate only to be held.
_WAITING = """
    SELECT e.entry_id FROM entries e
    WHERE e.sendout_id = :sendout AND e.state = 'running' AND NOT EXISTS (
        SELECT 1 FROM messages m WHERE m.entry_id = e.entry_id AND m.attempt = e.attempt)
"""

# A first send may have been tried by the time its run hears that it is to be taken back.
_BETWEEN_TRIES = """
    SELECT entry_id FROM messages WHERE sendout_id = :sendout AND state = 'retrying'
"""

_TAKE_BACK = text(f"""
    INSERT INTO run_signals (entry_id, name, body)
    SELECT entry_id, 'held', CAST('{{}}' AS json) FROM ({_WAITING}) waiting
""")

# Each run once: what is released is marked, so that the sweep does not release it again while it
# waits for its turn. In the order in which statuses lock messages.
_FREE = """
    held AS MATERIALIZED (
        SELECT message_id FROM messages
        WHERE {which} AND state = 'held'
        ORDER BY message_id FOR NO KEY UPDATE
    ), freed AS (
        UPDATE messages m SET held_for = NULL FROM held h WHERE m.message_id = h.message_id
        RETURNING m.entry_id
    )
"""

_RELEASE_SENDOUT = text(f"""
    WITH {_FREE.format(which="sendout_id = :sendout AND held_for = 'sendout'")}
    INSERT INTO run_signals (entry_id, name, body)
    SELECT entry_id, 'released', CAST('{{}}' AS json)
    FROM (SELECT entry_id FROM freed UNION {_WAITING} UNION {_BETWEEN_TRIES}) everybody
""")

_RELEASE_CHANNEL = text(f"""
    WITH {_FREE.format(which="channel_id = :channel AND held_for = 'channel'")}
    INSERT INTO run_signals (entry_id, name, body)
    SELECT entry_id, 'released', CAST('{{}}' AS json) FROM (SELECT DISTINCT entry_id FROM freed) f
""")

_RELEASE_TEMPLATE = text(f"""
    WITH {
    _FREE.format(
        which="held_for = 'template' AND template = :template AND channel_id IN (SELECT channel_id "
        "FROM channels WHERE business_id = :business AND waba_id = :account)"
    )
}
    INSERT INTO run_signals (entry_id, name, body)
    SELECT entry_id, 'released', CAST('{{}}' AS json) FROM (SELECT DISTINCT entry_id FROM freed) f
""")


async def take_back(connection: AsyncConnection, sendout_id: UUID) -> None:
    """Tell the runs of a sendout that was paused to take their first sends out of the queue."""
    await connection.execute(_TAKE_BACK, {"sendout": sendout_id})


async def release_sendout(connection: AsyncConnection, sendout_id: UUID) -> None:
    """Tell the runs of a sendout that was resumed to go on with what was held or taken back."""
    await connection.execute(_RELEASE_SENDOUT, {"sendout": sendout_id})


async def release_channel(connection: AsyncConnection, channel_id: UUID) -> None:
    """Tell the runs whose sends a channel's hold has stopped to go on."""
    await connection.execute(_RELEASE_CHANNEL, {"channel": channel_id})


async def release_template(
    connection: AsyncConnection, business_id: UUID, waba_id: str, key: Key
) -> None:
    """Tell the runs whose sends a template's hold in one WhatsApp account has stopped to go on."""
    named = {"business": business_id, "account": waba_id, "template": label(key)}
    await connection.execute(_RELEASE_TEMPLATE, named)
