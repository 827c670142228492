"""Connections to PostgreSQL: one transaction per request or activity, committed at the edge."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from storage.availability import database_is_away

CONNECTED_WITHIN = 5
"""Seconds until PostgreSQL counts as away."""
ANSWERED_WITHIN = 30
"""Seconds for one statement; a server that hangs counts as one that is away."""
FREE_WITHIN = 10
"""Seconds to wait for one of the pool's connections."""


class CommitOutcomeUnknown(Exception):
    """The connection broke during the commit: what was asked may or may not have been done."""


def _refuse_closed(connection: Any, _record: object, _proxy: object) -> None:
    """A connection that died with its server is replaced, not handed out.

    asyncpg has heard of it by then; asking the server each time (`pool_pre_ping`) would be a round
    trip per transaction.
    """
    if connection.driver_connection.is_closed():
        raise DisconnectionError


class Database:
    """A pool of connections to one database.

    `url` as `postgresql+asyncpg://…`; `pool_size` is the number of connections kept and used at
    most. Raises `sqlalchemy.exc.DBAPIError` or `OSError` from `transaction` when the server is away.
    """

    def __init__(self, url: str, *, pool_size: int = 20) -> None:
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=FREE_WITHIN,
            # Statements are logged when they fail; what is sent to whom is not for logs.
            hide_parameters=True,
            connect_args={
                "timeout": CONNECTED_WITHIN,
                "command_timeout": ANSWERED_WITHIN,
                "server_settings": {"application_name": "sendout"},
            },
        )
        event.listen(self.engine.sync_engine.pool, "checkout", _refuse_closed)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """One transaction: committed when the block ends, rolled back when it raises.

        Raises `CommitOutcomeUnknown` when the connection breaks during the commit.
        """
        async with self.engine.connect() as connection:
            yield connection
            try:
                await connection.commit()
            except Exception as error:
                if database_is_away(error):
                    raise CommitOutcomeUnknown from error
                raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.engine.dispose()
