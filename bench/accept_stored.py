"""Accepting stays as fast with 1,000,000 entries stored for the campaign as with none.

Promise: time per entry at 1, 100 and 10,000 entries per request within 1.5 times of the empty one.
"""

import statistics
import time

from sqlalchemy import text

from bench.installation import Installation, batch, installation

SIZES = (1, 100, 10_000)
STORED = (0, 100_000, 1_000_000)
REPEATS = {1: 200, 100: 40, 10_000: 3}


async def main() -> None:
    """Print the time per entry for each size of request and of record."""
    async with installation() as at:
        empty: dict[int, float] = {}
        first = 0
        for stored in STORED:
            await _fill(at, stored)
            for size in SIZES:
                times = []
                for _ in range(REPEATS[size]):
                    body = batch(at.campaign, size, first=50_000_000 + first)
                    first += size
                    began = time.perf_counter()
                    await at.send(body)
                    times.append((time.perf_counter() - began) / size)
                per_entry = statistics.median(times)
                empty.setdefault(size, per_entry)
                print(
                    f"{stored:>9} stored, {size:>6} per request: "
                    f"{per_entry * 1e6:8.0f} µs per entry, {per_entry / empty[size]:.2f} of empty"
                )


async def _fill(at: Installation, entries: int) -> None:
    """Store entries and claims of the campaign up to that number, as sent and completed."""
    async with at.database.transaction() as connection:
        await connection.execute(
            text("""
                WITH made AS (
                    INSERT INTO entries (entry_id, sendout_id, business_id, campaign_id, channel_id,
                        client, variables, state)
                    SELECT gen_random_uuid(), e.sendout_id, e.business_id, e.campaign_id,
                        e.channel_id, '+1605' || lpad(n::text, 8, '0'), e.variables, 'completed'
                    FROM (SELECT * FROM entries LIMIT 1) e,
                        generate_series(
                            (SELECT count(*) FROM entries WHERE client LIKE '+1605%') + 1, :entries
                        ) n
                    RETURNING campaign_id, client, entry_id
                )
                INSERT INTO claims (campaign_id, client, entry_id)
                SELECT campaign_id, client, entry_id FROM made ON CONFLICT DO NOTHING
            """),
            {"entries": entries},
        )
    async with at.database.engine.connect() as connection:
        autocommit = await connection.execution_options(isolation_level="AUTOCOMMIT")
        await autocommit.execute(text("VACUUM ANALYZE entries, claims"))
