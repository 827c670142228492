"""What is known of a customer besides entries and messages (api.md section 4)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.identity import all_names
from storage.inbound_tables import inbound
from storage.opt_outs import OptOut, find_opt_out
from storage.tables import channels


@dataclass(frozen=True, slots=True)
class LastInbound:
    """What the customer sent last."""

    kind: str
    text: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer: all names (the one asked for first among the numbers), opt-out, last inbound."""

    names: list[str]
    opt_out: OptOut | None
    last_inbound: LastInbound | None


async def read_customer(connection: AsyncConnection, business_id: UUID, name: str) -> KnownCustomer:
    """What is known of a number (E.164) or user id; nothing, for one that is not known at all."""
    names = await all_names(connection, business_id, name)
    last = (await connection.execute(_inbound(business_id, names).limit(1))).one_or_none()
    return KnownCustomer(
        names=names,
        opt_out=await find_opt_out(connection, business_id, names),
        last_inbound=None if last is None else LastInbound(**last._asdict()),
    )


def _inbound(business_id: UUID, names: list[str]) -> Select[Any]:
    c = inbound.c
    own = select(channels.c.channel_id).where(channels.c.business_id == business_id)
    return (
        select(c.kind, c.text, c.received_at.label("at"))
        .where(c.channel_id.in_(own), c.client.in_(names))
        .order_by(c.received_at.desc(), c.inbound_id)
    )
