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
