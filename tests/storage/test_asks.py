"""Asks in the record: opened and closed by activities that may overtake each other."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import select, update

from domain.requests import Answer, Ask
from storage.cancelling import cancel_entry, cancel_sendout
from storage.ending import lock_entry
from storage.run_record import RunRecord
from storage.session import Database
from storage.tables import asks, entries
from tests.api.sent import add_entry
from tests.statements import closing_a_circle, until_somebody_waits


@pytest.fixture
def ask(ana: UUID) -> Ask:
    return Ask(entry=ana, node="color", visit=1)


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


async def cancel(database: Database, ask: Ask, *, whole_sendout: bool) -> None:
    async with database.transaction() as connection:
        if whole_sendout:
            query = select(entries.c.sendout_id).where(entries.c.entry_id == ask.entry)
            await cancel_sendout(connection, (await connection.execute(query)).scalar_one())
        else:
            await cancel_entry(connection, ask.entry)


@pytest.mark.parametrize("whole_sendout", [True, False])
async def test_an_ask_that_opens_after_its_run_was_cancelled_takes_no_text(
    database: Database, ask: Ask, whole_sendout: bool
) -> None:
    """The record was away when it was to open."""
    await cancel(database, ask, whole_sendout=whole_sendout)
    await RunRecord(database).open_ask(ask)
    assert await open_asks(database) == 0


@pytest.mark.parametrize("state", ["running", "completed"])
async def test_an_ask_waits_for_a_cancel_that_is_under_way(
    database: Database, ask: Ask, sendout_id: UUID, state: str
) -> None:
    async with database.transaction() as connection:
        await connection.execute(update(entries).values(state=state))
    async with database.transaction() as connection:
        await cancel_sendout(connection, sendout_id)
        opening = asyncio.create_task(RunRecord(database).open_ask(ask))
        await asyncio.wait([opening], timeout=0.5)
        assert not opening.done()
    await opening
    assert await open_asks(database) == 0


async def test_an_ask_of_an_attempt_that_was_overtaken_does_not_open(
    database: Database, ask: Ask
) -> None:
    async with database.transaction() as connection:
        await connection.execute(update(entries).values(attempt=2))
    await RunRecord(database).open_ask(ask)
    assert await open_asks(database) == 0


@pytest.mark.parametrize(("whole_sendout", "left"), [(True, 0), (False, 1)])
async def test_a_cancelled_sendout_asks_nothing_any_more(
    database: Database, ask: Ask, whole_sendout: bool, left: int
) -> None:
    """Also not for an entry that had ended; cancelling that one by itself changes nothing."""
    await RunRecord(database).open_ask(ask)
    async with database.transaction() as connection:
        await connection.execute(update(entries).values(state="completed"))
    await cancel(database, ask, whole_sendout=whole_sendout)
    assert await open_asks(database) == left


async def test_a_cancel_outlives_a_deadlock_with_a_text_that_answers(
    database: Database, ask: Ask, sendout_id: UUID
) -> None:
    """The text has the ask of one who had ended, and wants an entry that the cancel has."""
    await RunRecord(database).open_ask(ask)
    async with database.transaction() as connection:
        await connection.execute(update(entries).values(state="completed"))
        bo = await add_entry(connection, sendout_id, "+16045552332", state="running")
    async with database.transaction() as connection:
        await connection.execute(select(asks.c.entry_id).with_for_update())
        cancelling = asyncio.create_task(cancel(database, ask, whole_sendout=True))
        await until_somebody_waits(connection)
        async with closing_a_circle(connection):
            await lock_entry(connection, bo)
    await cancelling
    assert await open_asks(database) == 0
    async with database.transaction() as connection:
        query = select(entries.c.state).where(entries.c.entry_id == bo)
        assert await connection.scalar(query) == "cancelled"
