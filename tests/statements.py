"""What a test's calls ask of the database, and wait for there."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.availability import is_deadlock
from storage.session import Database
from tests.e2e.patience import until_seen


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """The statements made meanwhile, without their values."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def until_somebody_waits(connection: AsyncConnection) -> None:
    """Until a transaction waits for what another one has locked."""
    waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
    await until_seen(bool, lambda: connection.scalar(waits))


@asynccontextmanager
async def closing_a_circle(connection: AsyncConnection) -> AsyncIterator[None]:
    """A statement that waits for a transaction that waits for this one.

    PostgreSQL ends the one whose look, a second after its wait began, sees the circle first. That
    is the other one, unless the machine stood still in between.
    """
    try:
        yield
    except DBAPIError as error:
        if not is_deadlock(error):
            raise
        await connection.rollback()


async def end_the_one_that_waits(database: Database) -> None:
    """End the connection that waits for a lock, as a crash of its process would."""
    ended = text("""
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE wait_event_type = 'Lock' AND datname = current_database()
    """)

    async def end() -> bool:
        async with database.transaction() as connection:
            return bool((await connection.execute(ended)).all())

    await until_seen(bool, end)
