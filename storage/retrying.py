"""Running failed entries again (api.md section 4, `…/retry`)."""

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.identity import other_claim

# In order, so that two batches that claim the same customers wait for each other, not in a circle.
_CLAIM = text(f"""
    INSERT INTO claims (campaign_id, client, entry_id)
    SELECT DISTINCT ON (coalesce(k.client, e.client)) campaign_id, coalesce(k.client, e.client),
        entry_id
    FROM entries e
    LEFT JOIN customer_numbers k ON k.business_id = e.business_id AND k.number = e.client
    WHERE sendout_id = :sendout AND state = 'failed' AND error_code = ANY(:codes)
        AND (k.client IS NULL
            OR {other_claim("e.campaign_id", "e.business_id", "k.client")} IS NULL)
    ORDER BY coalesce(k.client, e.client), position
    ON CONFLICT DO NOTHING
""")

# An ask that the former attempt left open must not take what the customer writes from now on.
_QUEUE = text("""
    WITH queued AS (
        UPDATE entries e SET state = 'queued', attempt = attempt + 1, due_at = now(),
            started_at = NULL, finished_at = NULL, error_code = NULL, error_message = NULL,
            snapshot = NULL, output_variables = NULL
        WHERE e.sendout_id = :sendout AND e.state = 'failed' AND e.error_code = ANY(:codes)
            AND (:is_test OR EXISTS (
                SELECT 1 FROM claims c
                WHERE c.entry_id = e.entry_id AND c.campaign_id = e.campaign_id))
        RETURNING e.entry_id
    ), closed AS (
        UPDATE asks a SET closed_at = now() FROM queued q
        WHERE a.entry_id = q.entry_id AND a.closed_at IS NULL
    )
    SELECT count(*) FROM queued
""")


async def retry_failed(
    connection: AsyncConnection, sendout_id: UUID, *, codes: Collection[str], is_test: bool
) -> int:
    """Queue the entries again that failed with one of `codes`; how many.

    Each takes its place in the duplicate check again; one whose customer is another entry's by now
    stays failed. Tests are outside that check.
    """
    chosen = {"sendout": sendout_id, "codes": sorted(codes)}
    if not is_test:
        await connection.execute(_CLAIM, chosen)
    queued = await connection.execute(_QUEUE, {**chosen, "is_test": is_test})
    return int(queued.scalar_one())
