"""What is known of a customer besides entries and messages (api.md section 4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.tables import channels, inbound, opt_outs


@dataclass(frozen=True, slots=True)
class OptOut:
    """That a customer wants no marketing; `by_hand` ones are lifted only by hand."""

    source: str
    by_hand: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class LastInbound:
    """What the customer sent last."""

    kind: str
    text: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer by number: the other names WhatsApp uses, opt-out, last inbound."""

    names: list[str]
    opt_out: OptOut | None
    last_inbound: LastInbound | None


async def read_customer(
    connection: AsyncConnection, business_id: UUID, client: str
) -> KnownCustomer:
    """What is known of a number (E.164); nothing, for one that is not known at all."""
    opted_out = (await connection.execute(_opt_out(business_id, client))).one_or_none()
    last = (await connection.execute(_inbound(business_id, client).limit(1))).one_or_none()
    user_ids = await connection.scalars(_user_ids(business_id, client))
    return KnownCustomer(
        names=[client, *user_ids],
        opt_out=None if opted_out is None else OptOut(**opted_out._asdict()),
        last_inbound=None if last is None else LastInbound(**last._asdict()),
    )


def _opt_out(business_id: UUID, client: str) -> Select[Any]:
    c = opt_outs.c
    return select(c.source, c.by_hand, c.opted_out_at.label("at")).where(
        c.business_id == business_id, c.client == client
    )


def _of_customer(business_id: UUID, client: str) -> Any:
    own = select(channels.c.channel_id).where(channels.c.business_id == business_id)
    return and_(inbound.c.channel_id.in_(own), inbound.c.client == client)


def _inbound(business_id: UUID, client: str) -> Select[Any]:
    c = inbound.c
    return (
        select(c.kind, c.text, c.received_at.label("at"))
        .where(_of_customer(business_id, client))
        .order_by(c.received_at.desc(), c.inbound_id)
    )


def _user_ids(business_id: UUID, client: str) -> Select[Any]:
    c = inbound.c
    return (
        select(c.user_id)
        .where(_of_customer(business_id, client), c.user_id.is_not(None))
        .distinct()
        .order_by(c.user_id)
    )
