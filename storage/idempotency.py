"""Answers kept by Idempotency-Key, in the transaction that did what they say (api.md section 1)."""

import hashlib
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from domain.errors import FirstRequestStillRunning, IdempotencyKeyReused


class KeptAnswer(NamedTuple):
    """The first answer to a request, to be given again."""

    status: int
    body: str


class IdempotentRequest(NamedTuple):
    """A request that names a key: its business, key, and a hash of what it asks."""

    business_id: UUID
    key: str
    request_hash: bytes


def idempotent_request(
    business_id: UUID, key: str, method: str, path: str, body: bytes
) -> IdempotentRequest:
    """The identity of a request; the same key for another address or body is another request."""
    asked = hashlib.sha256(f"{method} {path}\n".encode() + body).digest()
    return IdempotentRequest(business_id, key, asked)


# Held until the transaction ends, so that a second request finds the first one running.
_LOCK = "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text || ' ' || $2::text, 0))"

_KEPT_SINCE = "now() - interval '24 hours'"

_FIND = f"""
SELECT request_hash, status, body FROM idempotency_keys
WHERE business_id = $1 AND key = $2 AND created_at > {_KEPT_SINCE}
"""

_KEEP = """
INSERT INTO idempotency_keys AS k (business_id, key, request_hash, status, body)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (business_id, key) DO UPDATE
SET request_hash = $3, status = $4, body = $5, created_at = now()
"""

# A key that is just being used anew is locked or no longer old; either way it stays.
_FORGET = f"""
DELETE FROM idempotency_keys k USING (
    SELECT business_id, key FROM idempotency_keys WHERE created_at <= {_KEPT_SINCE}
    ORDER BY created_at LIMIT $1 FOR UPDATE SKIP LOCKED
) old
WHERE k.business_id = old.business_id AND k.key = old.key
"""


async def first_answer(
    connection: AsyncConnection, request: IdempotentRequest
) -> KeptAnswer | None:
    """The answer this request got within the last 24 hours; None when it is the first.

    Raises `FirstRequestStillRunning`, or `IdempotencyKeyReused` when the key was another request's.
    To be called first in the transaction that does the work and ends with `keep_answer`.
    """
    lock = await connection.exec_driver_sql(_LOCK, (str(request.business_id), request.key))
    if not lock.scalar_one():
        raise FirstRequestStillRunning
    found = (
        await connection.exec_driver_sql(_FIND, (request.business_id, request.key))
    ).one_or_none()
    if found is None:
        return None
    if found.request_hash != request.request_hash:
        raise IdempotencyKeyReused
    return KeptAnswer(found.status, found.body)


async def keep_answer(
    connection: AsyncConnection, request: IdempotentRequest, answer: KeptAnswer
) -> None:
    """Keep the answer with what it tells of."""
    await connection.exec_driver_sql(
        _KEEP,
        (request.business_id, request.key, request.request_hash, answer.status, answer.body),
    )


async def forget_old_answers(connection: AsyncConnection, most: int) -> int:
    """Remove at most `most` answers that are over 24 hours old, the oldest first; how many."""
    return (await connection.exec_driver_sql(_FORGET, (most,))).rowcount
