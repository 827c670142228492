"""Secrets of this installation: made once, kept in the database, the same for every process."""

import secrets

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.report_tables import server_secrets


async def server_secret(connection: AsyncConnection, name: str) -> bytes:
    """The secret of that name, 256 random bits; the first who asks makes it."""
    query = select(server_secrets.c.secret).where(server_secrets.c.name == name)
    found = await connection.scalar(query)
    if found is None:
        new = insert(server_secrets).values(name=name, secret=secrets.token_bytes(32))
        await connection.execute(new.on_conflict_do_nothing())
        found = await connection.scalar(query)
    return bytes(found or b"")
