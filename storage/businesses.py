"""Businesses: whose campaigns, channels and keys they are. Keys are in `storage.keys`."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import businesses


class Business(NamedTuple):
    """A business as recorded."""

    business_id: UUID
    name: str
    timezone: str
    created_at: datetime


async def create_business(
    connection: AsyncConnection, business_id: UUID, name: str, timezone: str = "UTC"
) -> bool:
    """Record a business; False, and nothing changed, if there is one of that id.

    `timezone` is an IANA name.
    """
    created = await connection.scalar(
        insert(businesses)
        .values(business_id=business_id, name=name, timezone=timezone)
        .on_conflict_do_nothing()
        .returning(businesses.c.business_id)
    )
    return created is not None


async def business_name(connection: AsyncConnection, business_id: UUID) -> str | None:
    """The business's name, or None if there is none of that id."""
    found = await connection.scalar(
        select(businesses.c.name).where(businesses.c.business_id == business_id)
    )
    return None if found is None else str(found)


async def business_zone(connection: AsyncConnection, business_id: UUID) -> str:
    """The time zone of a business that exists, an IANA name."""
    query = select(businesses.c.timezone).where(businesses.c.business_id == business_id)
    return str((await connection.execute(query)).scalar_one())


async def set_business_zone(connection: AsyncConnection, business_id: UUID, timezone: str) -> None:
    """Change the time zone of a business, an IANA name."""
    await connection.execute(
        update(businesses).where(businesses.c.business_id == business_id).values(timezone=timezone)
    )


async def list_businesses(connection: AsyncConnection) -> list[Business]:
    """All businesses, oldest first."""
    c = businesses.c
    query = select(c.business_id, c.name, c.timezone, c.created_at).order_by(
        c.created_at, c.business_id
    )
    return [Business(*row) for row in await connection.execute(query)]


async def database_time(connection: AsyncConnection) -> datetime:
    """The time by the clock that all recorded times are of."""
    now: datetime = (await connection.execute(select(func.clock_timestamp()))).scalar_one()
    return now
