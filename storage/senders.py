"""Whose webhook it is: channels by WhatsApp's ids, with the secrets their events are signed with."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection


@dataclass(frozen=True, slots=True)
class Sender:
    """A channel as WhatsApp names it."""

    channel_id: UUID
    business_id: UUID
    phone_number_id: str
    waba_id: str
    app_secret: str


async def senders_named(
    connection: AsyncConnection,
    phone_number_ids: Collection[str],
    waba_ids: Collection[str],
) -> Sequence[Sender]:
    """The channels with one of these phone number ids or WhatsApp accounts."""
    rows = await connection.execute(
        text("""
            SELECT channel_id, business_id, phone_number_id, waba_id, app_secret FROM channels
            WHERE phone_number_id = ANY(:numbers) OR waba_id = ANY(:accounts)
            ORDER BY channel_id
        """),
        {"numbers": list(phone_number_ids), "accounts": list(waba_ids)},
    )
    return [Sender(*row) for row in rows]


async def all_app_secrets(connection: AsyncConnection) -> Sequence[str]:
    """Every app secret in use: what a body that names no channel may be signed with."""
    rows = await connection.execute(text("SELECT DISTINCT app_secret FROM channels"))
    return rows.scalars().all()


async def accounts_of(connection: AsyncConnection, business_id: UUID) -> Sequence[tuple[str, str]]:
    """The WhatsApp accounts of a business, each with an access token that may read it."""
    rows = await connection.execute(
        text("""
            SELECT DISTINCT ON (waba_id) waba_id, access_token FROM channels
            WHERE business_id = :business_id ORDER BY waba_id, created_at
        """),
        {"business_id": business_id},
    )
    return [(row.waba_id, row.access_token) for row in rows]
