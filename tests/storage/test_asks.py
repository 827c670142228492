"""Asks in the record: opened and closed by activities that may overtake each other."""

import pytest
from sqlalchemy import select

from domain.requests import Answer, Ask
from storage.run_record import RunRecord
from storage.session import Database
from storage.tables import asks
from tests.api.sent import add_entry, add_sendout
from tests.record import add_business
from tests.storage.delivery import TWO_KINDS


@pytest.fixture
async def ask(database: Database) -> Ask:
    async with database.transaction() as connection:
        await add_business(connection)
        sendout_id = await add_sendout(connection, flow=TWO_KINDS)
        entry_id = await add_entry(connection, sendout_id, "+16045552331")
    return Ask(entry=entry_id, node="color", visit=1)


async def open_asks(database: Database) -> int:
    async with database.transaction() as connection:
        found = await connection.execute(select(asks.c.node).where(asks.c.closed_at.is_(None)))
        return len(found.all())


async def test_an_ask_that_closed_before_it_opened_takes_no_text(
    database: Database, ask: Ask
) -> None:
    """The record was away when it opened; its time was up when that was tried again."""
    record = RunRecord(database)
    assert await record.close_ask(ask) == Answer()
    await record.open_ask(ask)
    assert await open_asks(database) == 0


async def test_closing_an_ask_again_changes_nothing(database: Database, ask: Ask) -> None:
    record = RunRecord(database)
    await record.open_ask(ask)
    assert await open_asks(database) == 1
    assert await record.close_ask(ask) == await record.close_ask(ask) == Answer()
    assert await open_asks(database) == 0
