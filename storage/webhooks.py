"""The registrations of the businesses' webhooks (api.md section 5)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    BigInteger,
    Select,
    Text,
    any_,
    cast,
    delete,
    func,
    literal,
    literal_column,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.webhook_events import like_pattern
from storage.webhook_tables import webhook_events, webhooks


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registration without its secret; `filters` as they were given."""

    webhook_id: UUID
    topic: str
    type: str
    address: str
    echo: bool
    channel_types: Sequence[str]
    filters: Sequence[Mapping[str, str]]


def filter_columns(filters: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """The columns of filters: each a `field`, which is campaign_name, and a glob `expression`.

    An event passes if one of them lets it pass.
    """
    patterns = [like_pattern(given["expression"]) for given in filters]
    return {"filters": list(filters), "campaign_patterns": patterns}


async def add_webhook(
    connection: AsyncConnection, business_id: UUID, columns: Mapping[str, Any]
) -> UUID | None:
    """Record a registration; None if the business has one of its topic."""
    webhook_id: UUID | None = await connection.scalar(
        insert(webhooks)
        .values(webhook_id=uuid4(), business_id=business_id, **columns)
        .on_conflict_do_nothing()
        .returning(webhooks.c.webhook_id)
    )
    return webhook_id


async def change_webhook(
    connection: AsyncConnection, business_id: UUID, webhook_id: UUID, changes: Mapping[str, Any]
) -> bool:
    """Set columns of a registration and try again at once; False if there is none of that id."""
    done = await connection.execute(
        update(webhooks)
        .where(webhooks.c.business_id == business_id, webhooks.c.webhook_id == webhook_id)
        .values(failures=0, paused_until=None, **changes)
    )
    return done.rowcount == 1


async def delete_webhook(connection: AsyncConnection, business_id: UUID, webhook_id: UUID) -> bool:
    """Remove a registration with all its events; False if there is none of that id."""
    gone = await connection.execute(
        delete(webhooks).where(
            webhooks.c.business_id == business_id, webhooks.c.webhook_id == webhook_id
        )
    )
    if gone.rowcount == 0:
        return False
    await connection.execute(
        delete(webhook_events).where(webhook_events.c.webhook_id == webhook_id)
    )
    return True


def _webhooks(business_id: UUID) -> Select[Any]:
    c = webhooks.c
    return select(
        c.webhook_id,
        c.topic,
        c.type,
        c.address,
        c.echo,
        c.channel_types,
        cast(c.filters, Text).label("filters"),
    ).where(c.business_id == business_id)


async def list_webhooks(connection: AsyncConnection, business_id: UUID) -> list[Webhook]:
    """The registrations of a business, oldest first; there is at most one per topic."""
    query = _webhooks(business_id).order_by(webhooks.c.created_at, webhooks.c.webhook_id)
    return [_webhook(row._asdict()) for row in await connection.execute(query)]


async def find_webhook(
    connection: AsyncConnection, business_id: UUID, webhook_id: UUID
) -> Webhook | None:
    """The registration, or None if the business has none of that id."""
    query = _webhooks(business_id).where(webhooks.c.webhook_id == webhook_id)
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else _webhook(row._asdict())


def _webhook(row: dict[str, Any]) -> Webhook:
    return Webhook(**row | {"filters": json.loads(row["filters"])})


# --- what was given up -------------------------------------------------------------------------


async def list_events(
    connection: AsyncConnection,
    webhook_id: UUID,
    *,
    state: str | None = None,
    limit: int,
    after: int = 0,
) -> Sequence[Any]:
    """At most `limit` events that are not delivered, oldest first; `after` is the last one seen."""
    c = webhook_events.c
    query = (
        select(
            c.event_id,
            c.key,
            c.kind,
            c.happened_at,
            c.state,
            c.tries,
            c.pending_since,
            c.next_at,
            c.last_error,
        )
        .where(c.webhook_id == webhook_id, c.event_id > after)
        .order_by(c.event_id)
        .limit(limit)
    )
    if state is not None:
        # As text, so that the indexes of one state are used.
        query = query.where(c.state == literal_column(f"'{state}'", Text()))
    return (await connection.execute(query)).all()


async def retry_events(
    connection: AsyncConnection, webhook_id: UUID, event_ids: Sequence[int] | None = None
) -> int:
    """Send what was given up again, or those of these ids; how many."""
    c = webhook_events.c
    change = (
        update(webhook_events)
        .where(c.webhook_id == webhook_id, c.state == literal_column("'failed'", Text()))
        .values(state="pending", tries=0, pending_since=func.now(), next_at=func.now())
    )
    if event_ids is not None:
        change = change.where(c.event_id == any_(literal(event_ids, ARRAY(BigInteger))))
    done = await connection.execute(change)
    if done.rowcount:
        await connection.execute(
            update(webhooks)
            .where(webhooks.c.webhook_id == webhook_id)
            .values(failures=0, paused_until=None)
        )
    return done.rowcount


# --- waking ------------------------------------------------------------------------------------

_SLEEPING = text("""
    SELECT w.webhook_id FROM webhooks w
    WHERE (w.busy_until IS NULL OR w.busy_until < now())
    AND (w.paused_until IS NULL OR w.paused_until <= now())
    AND EXISTS (SELECT 1 FROM webhook_events e
        WHERE e.webhook_id = w.webhook_id AND e.state = 'pending' AND e.next_at <= now())
""")

# Recorded beside a removal of their registration; nobody else can see or send them.
_ORPHANS = text("""
    DELETE FROM webhook_events e WHERE NOT EXISTS (
        SELECT 1 FROM webhooks w WHERE w.webhook_id = e.webhook_id)
""")


async def sleeping_webhooks(connection: AsyncConnection) -> Sequence[UUID]:
    """Registrations with events that are due and that nobody delivers at present."""
    return (await connection.execute(_SLEEPING)).scalars().all()


async def forget_orphans(connection: AsyncConnection) -> int:
    """Remove events whose registration is gone; how many."""
    return (await connection.execute(_ORPHANS)).rowcount
