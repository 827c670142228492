"""How much waits to be done, counted from small indexes: cheap enough to be asked every few seconds."""

from typing import NamedTuple

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

COUNTED_AT_MOST = 100_000
"""Where counting stops: more of one kind is told as this many."""

_COUNT = text("""
    SELECT
        (SELECT count(*) FROM (SELECT FROM unread_events LIMIT :most) x) AS unread_events,
        (SELECT count(*) FROM (SELECT FROM run_signals LIMIT :most) x) AS run_signals,
        (SELECT count(*) FROM (SELECT FROM messages WHERE state = 'held' LIMIT :most) x) AS held,
        (SELECT count(*) FROM (SELECT FROM messages WHERE state = 'sending' LIMIT :most) x)
            AS sending,
        (SELECT count(*) FROM (SELECT FROM messages WHERE state = 'unknown' LIMIT :most) x)
            AS unknown
""")


class Backlog(NamedTuple):
    """Rows by what they wait for, over all businesses."""

    unread_events: int
    run_signals: int
    held: int
    sending: int
    unknown: int


async def read_backlog(connection: AsyncConnection) -> Backlog:
    """Count what waits, in one statement."""
    return Backlog(*(await connection.execute(_COUNT, {"most": COUNTED_AT_MOST})).one())
