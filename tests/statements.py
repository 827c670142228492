"""What a test's calls ask of the database, and wait for there."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection

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
