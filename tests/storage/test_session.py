"""Connections that die with their server."""

from sqlalchemy import text

from storage.session import Database


async def test_a_connection_that_died_is_replaced(postgres_url: str, database: Database) -> None:
    """As after a restart of PostgreSQL: the next transaction does not pay for it."""
    async with Database(postgres_url, pool_size=1) as ours:
        async with ours.transaction() as connection:
            backend = await connection.scalar(text("SELECT pg_backend_pid()"))
        async with database.transaction() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": backend})
        async with ours.transaction() as connection:
            assert await connection.scalar(text("SELECT pg_backend_pid()")) != backend
