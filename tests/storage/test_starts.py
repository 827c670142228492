"""Marking a page of starts, after runs that were quicker than the page."""

from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from domain.requests import StartRuns
from storage.queue import EntryQueue
from storage.tables import entries
from tests.api.sent import add_entry, add_message
from tests.storage.delivery import Delivery, now

BEGUN = now() - timedelta(seconds=30)


async def marked(delivery: Delivery, sendout_id: UUID, entry_id: UUID, state: str):
    """The entry, which came to that state before its page was marked."""
    queue = EntryQueue(delivery.database, start_ahead=600)
    page, _ = await queue.next_page(StartRuns(sendout=sendout_id))
    assert [entry.entry_id for entry in page] == [entry_id]
    async with delivery.database.transaction() as connection:
        await add_message(connection, entry_id, "sent", created_at=BEGUN)
        await connection.execute(entries.update().values(state=state))
    await queue.mark_started(page)
    async with delivery.database.transaction() as connection:
        return (await connection.execute(select(entries.c.state, entries.c.started_at))).one()


@pytest.fixture
async def waiting_entry(delivery: Delivery, sendout_id: UUID) -> UUID:
    async with delivery.database.transaction() as connection:
        return await add_entry(connection, sendout_id, state="queued")


@pytest.mark.parametrize(
    ("state", "then"), [("queued", "running"), ("completed", "completed"), ("failed", "failed")]
)
async def test_an_entry_was_started_no_later_than_its_first_message(
    delivery: Delivery, sendout_id: UUID, waiting_entry: UUID, state: str, then: str
):
    assert tuple(await marked(delivery, sendout_id, waiting_entry, state)) == (then, BEGUN)


async def test_a_cancelled_entry_stays_as_it_is(
    delivery: Delivery, sendout_id: UUID, waiting_entry: UUID
):
    row = await marked(delivery, sendout_id, waiting_entry, "cancelled")
    assert tuple(row) == ("cancelled", None)
