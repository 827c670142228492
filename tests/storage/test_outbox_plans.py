"""The outbox to the businesses, read when PostgreSQL believes that it is empty."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from storage.session import Database
from storage.webhook_deliveries import WebhookDeliveries
from tests.webhooks.delivering import Office

_KEYS, _EVENTS = 1000, 4000
_FILL = text("""
    INSERT INTO webhook_events (webhook_id, key, kind, happened_at)
    SELECT :webhook_id, 'message ' || n % CAST(:keys AS integer), 'sent', now()
    FROM generate_series(1, :events) n
""")


@pytest.fixture
async def connected_once(database: Database, postgres_url: str) -> AsyncIterator[Database]:
    """The database, over one connection, so that what it counts is there when it is asked."""
    async with Database(postgres_url, pool_size=1) as one:
        yield one
        async with one.transaction() as connection:
            # As new: what was believed of it goes, too.
            await connection.execute(text("TRUNCATE webhook_events"))


async def test_a_page_of_a_sudden_backlog_reads_no_event_more_than_a_few_times(
    business: None, connected_once: Database
) -> None:
    webhook_id = await Office(connected_once).register("http://127.0.0.1/")
    backlog = {"webhook_id": webhook_id, "keys": _KEYS, "events": _EVENTS}
    async with connected_once.transaction() as connection:
        await connection.execute(_FILL, backlog)
        await connection.execute(text("DELETE FROM webhook_events"))
    async with connected_once.transaction() as connection:
        await connection.execute(text("ANALYZE webhook_events"))
        await connection.execute(_FILL, backlog)
    before = await _events_read(connected_once)

    deliveries = WebhookDeliveries(connected_once)
    page = await deliveries.take(webhook_id, 500)
    assert page is not None
    assert len({due.event.key for due in page.events}) == 500
    assert await deliveries.next_in(webhook_id) == 0

    assert await _events_read(connected_once) - before < 10 * _EVENTS


async def _events_read(database: Database) -> int:
    """How many rows of the outbox were ever read."""
    async with database.transaction() as connection:
        await connection.execute(text("SELECT pg_stat_force_next_flush()"))
    query = text("""
        SELECT idx_tup_fetch + seq_tup_read FROM pg_stat_user_tables WHERE relname = 'webhook_events'
    """)
    async with database.transaction() as connection:
        return int(await connection.scalar(query) or 0)
