"""The schema of the database: bringing it up to date, and knowing whether it is."""

import asyncio
import sys
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

# "sendout" in ASCII: PostgreSQL's advisory locks have numbers for names.
_MIGRATION_LOCK = int.from_bytes(b"sendout")


async def migrate(url: str) -> None:
    """Bring the database at `url` (`postgresql+asyncpg://…`) up to date.

    Safe to run by several processes at once: one does the work, the others wait for it.
    """
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        await connection.run_sync(_upgrade)


async def is_current(connection: AsyncConnection) -> bool:
    """Whether every migration this code knows has been made."""
    return await connection.run_sync(_heads) == _newest()


async def draft_revision(url: str, message: str) -> None:
    """Write a migration from what differs between the database at `url` and `storage.all_tables`.

    To be read before it is kept: renames look like a removal and an addition.
    """
    number = f"{len(list(_script().walk_revisions())) + 1:04}"
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(
            lambda sync: command.revision(_config(sync), message, autogenerate=True, rev_id=number)
        )


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    folder = Path(__file__).parent / "migrations"
    # Alembic reads `%` as the start of an interpolation.
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


def _upgrade(connection: Connection) -> None:
    command.upgrade(_config(connection), "head")


def _heads(connection: Connection) -> set[str]:
    return set(MigrationContext.configure(connection).get_current_heads())


@cache
def _newest() -> set[str]:
    return set(_script().get_heads())


def _script() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


if __name__ == "__main__":
    # For developers: python -m storage.schema postgresql+asyncpg://… "what changes"
    asyncio.run(draft_revision(sys.argv[1], sys.argv[2]))
