"""A sendout whose report is long, its download, and the memory that takes."""

from pathlib import Path
from uuid import UUID

import httpx
from sqlalchemy import text

from storage.session import Database
from tests.api.sent import add_sendout

_AT_ONCE = 50_000

# The rows as an evening of sending leaves them.
_FILL = text("""
    WITH sent AS (
        INSERT INTO entries (entry_id, sendout_id, business_id, campaign_id, channel_id, client,
            variables, state, finished_at)
        SELECT gen_random_uuid(), s.sendout_id, s.business_id, s.campaign_id, c.channel_id,
            '+1604' || lpad(n::text, 7, '0'), json_build_object('name', repeat('x', 200)),
            'completed', now()
        FROM sendouts s, channels c, generate_series(CAST(:first AS int), :last) AS n
        WHERE s.sendout_id = :sendout_id
        RETURNING *
    )
    INSERT INTO messages (message_id, entry_id, sendout_id, channel_id, client, attempt, node, visit,
        number, state, accepted_at)
    SELECT left(md5(entry_id::text), 26), entry_id, sendout_id, channel_id, client, 1, 'hello', 1, 1,
        'sent', now()
    FROM sent
""")


async def fill(database: Database, rows: int) -> UUID:
    """A sendout with so many rows in its report, of about 430 bytes each."""
    async with database.transaction() as connection:
        sendout_id = await add_sendout(connection)
        for first in range(0, rows, _AT_ONCE):
            part = {"first": first, "last": min(first + _AT_ONCE, rows) - 1}
            await connection.execute(_FILL, {"sendout_id": sendout_id} | part)
    return sendout_id


def peak_of(process_id: int) -> int:
    """The most bytes of memory that a process has had so far."""
    status = Path(f"/proc/{process_id}/status").read_text(encoding="ascii")
    return 1024 * int(next(w.split()[1] for w in status.splitlines() if w.startswith("VmHWM")))


async def lines_and_bytes(client: httpx.AsyncClient, address: str) -> tuple[int, int]:
    """Download a report; how many lines and how many bytes it has."""
    lines = size = 0
    async with client.stream("GET", address) as answer:
        answer.raise_for_status()
        async for chunk in answer.aiter_bytes():
            lines += chunk.count(b"\r\n")
            size += len(chunk)
    return lines, size
