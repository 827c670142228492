"""Migrations make the very schema that `storage.all_tables` describes."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, text

from storage.all_tables import metadata
from storage.schema import is_current, migrate
from storage.session import Database


def _differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, metadata))


async def test_the_migrations_make_the_schema_of_the_tables(database: Database):
    async with database.transaction() as connection:
        assert await connection.run_sync(_differences) == []


async def test_a_database_without_the_newest_migration_is_not_current(database: Database):
    async with database.engine.connect() as connection:
        assert await is_current(connection)
        await connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
        assert not await is_current(connection)
        await connection.rollback()


async def test_processes_that_migrate_at_the_same_time_wait_for_each_other(
    postgres_url: str, database: Database
):
    async with database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("CREATE DATABASE migrated_at_once"))
    url = postgres_url.replace("/postgres?", "/migrated_at_once?")
    await asyncio.gather(*(migrate(url) for _ in range(3)))
    async with Database(url) as fresh, fresh.transaction() as connection:
        assert await is_current(connection)
