"""API keys: shown once when made, kept as hashes."""

import hashlib
import secrets
from datetime import datetime
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import api_keys


class Key(NamedTuple):
    """What an API key opens."""

    key_id: UUID
    business_id: UUID
    name: str
    scopes: frozenset[str]
    is_use_recorded: bool
    """Whether a use within the last minute is on record."""


class ListedKey(NamedTuple):
    """A key as it is listed: without its hash; times None while it is unused or in use."""

    key_id: UUID
    business_id: UUID
    name: str
    scopes: list[str]
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def new_key() -> str:
    """A new secret of 256 random bits."""
    return secrets.token_urlsafe(32)


def hash_key(secret: str) -> bytes:
    """SHA-256 of the key, the form in which it is kept and looked up."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


_find = select(
    api_keys.c.key_id,
    api_keys.c.business_id,
    api_keys.c.name,
    api_keys.c.scopes,
    func.coalesce(
        api_keys.c.last_used_at > func.now() - text("interval '1 minute'"), text("false")
    ).label("is_use_recorded"),
)


async def find_key(connection: AsyncConnection, secret: str) -> Key | None:
    """The key of that secret, None when there is none or it was revoked."""
    row = (
        await connection.execute(
            _find.where(api_keys.c.key_hash == hash_key(secret), api_keys.c.revoked_at.is_(None))
        )
    ).one_or_none()
    if row is None:
        return None
    return Key(row.key_id, row.business_id, row.name, frozenset(row.scopes), row.is_use_recorded)


async def record_use(connection: AsyncConnection, key_id: UUID) -> None:
    """Note that the key was used now."""
    await connection.execute(
        update(api_keys).where(api_keys.c.key_id == key_id).values(last_used_at=func.now())
    )


async def add_key(
    connection: AsyncConnection,
    business_id: UUID,
    *,
    name: str,
    scopes: frozenset[str],
    secret: str | None = None,
) -> tuple[UUID, str]:
    """Add a key and answer its id and its secret, which is not kept anywhere."""
    key_id, secret = uuid4(), secret or new_key()
    await connection.execute(
        insert(api_keys).values(
            key_id=key_id,
            business_id=business_id,
            name=name,
            scopes=sorted(scopes),
            key_hash=hash_key(secret),
        )
    )
    return key_id, secret


async def revoke_key(connection: AsyncConnection, key_id: UUID) -> bool:
    """Revoke a key for good; False when there is no such key or it was revoked before."""
    result = await connection.execute(
        update(api_keys)
        .where(api_keys.c.key_id == key_id, api_keys.c.revoked_at.is_(None))
        .values(revoked_at=func.now())
    )
    return result.rowcount == 1


async def list_keys(
    connection: AsyncConnection, business_id: UUID | None = None
) -> list[ListedKey]:
    """All keys, revoked ones included, oldest first; of one business if it is given."""
    query = select(*(api_keys.c[name] for name in ListedKey._fields)).order_by(
        api_keys.c.created_at, api_keys.c.key_id
    )
    if business_id is not None:
        query = query.where(api_keys.c.business_id == business_id)
    return [ListedKey(*row) for row in await connection.execute(query)]
