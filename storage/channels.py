"""Channels: the WhatsApp numbers a business sends from (api.md section 6)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

from sqlalchemy import DateTime, Select, and_, exists, func, literal, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from storage import holds
from storage.tables import channels

WHATSAPP = "whatsapp"
"""Who holds a channel when WhatsApp's answers or events did: a new token or a release ends it."""
USUAL_RATE = 60
"""Messages per second of a channel that names no other (api.md section 6)."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel without its secrets. `held_since` is None while it sends."""

    channel_id: UUID
    phone_number: str
    phone_number_id: str
    waba_id: str
    default: bool
    messages_per_second: int
    held_since: datetime | None
    hold_code: int | None
    hold_message: str | None
    hold_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What a channel is made of; `phone_number` in E.164, the secrets as Meta gives them."""

    phone_number: str
    phone_number_id: str
    waba_id: str
    access_token: str
    app_secret: str
    default: bool = False
    messages_per_second: int = USUAL_RATE


def _channels() -> Select[Any]:
    c = channels.c
    return select(
        c.channel_id,
        c.phone_number,
        c.phone_number_id,
        c.waba_id,
        c.is_default.label("default"),
        c.messages_per_second,
        c.held_since,
        c.hold_code,
        c.hold_message,
        c.hold_by,
        c.created_at,
    )


async def list_channels(
    connection: AsyncConnection,
    business_id: UUID,
    *,
    limit: int,
    after: tuple[datetime, UUID] | None = None,
) -> list[Channel]:
    """At most `limit` channels, oldest first; `after` is creation and id of the last one seen."""
    c = channels.c
    query = (
        _channels()
        .where(c.business_id == business_id)
        .order_by(c.created_at, c.channel_id)
        .limit(limit)
    )
    if after is not None:
        query = query.where(tuple_(c.created_at, c.channel_id) > after)
    return [Channel(**row._asdict()) for row in await connection.execute(query)]


async def channels_of(
    connection: AsyncConnection, business_id: UUID | None = None
) -> list[tuple[UUID, Channel]]:
    """All channels with the business whose they are, oldest first; of one business if it is given."""
    c = channels.c
    query = _channels().add_columns(c.business_id).order_by(c.created_at, c.channel_id)
    if business_id is not None:
        query = query.where(c.business_id == business_id)
    found = []
    for row in await connection.execute(query):
        fields = row._asdict()
        found.append((fields.pop("business_id"), Channel(**fields)))
    return found


async def channel_with_token(
    connection: AsyncConnection, channel_id: UUID
) -> tuple[Channel, str] | None:
    """A channel of any business with its access token, None if there is none of that id."""
    query = _channels().add_columns(channels.c.access_token)
    row = (await connection.execute(query.where(channels.c.channel_id == channel_id))).one_or_none()
    if row is None:
        return None
    fields = row._asdict()
    token = str(fields.pop("access_token"))
    return Channel(**fields), token


async def find_channel(
    connection: AsyncConnection, business_id: UUID, channel_id: UUID
) -> Channel | None:
    """The channel, or None if the business has none of that id."""
    query = _channels().where(
        channels.c.business_id == business_id, channels.c.channel_id == channel_id
    )
    row = (await connection.execute(query)).one_or_none()
    return None if row is None else Channel(**row._asdict())


async def channel_of_sender(
    connection: AsyncConnection, business_id: UUID, sender: str | None
) -> Channel | None:
    """The channel of that number (E.164), or the default one for None; None if there is none."""
    chosen = channels.c.is_default if sender is None else channels.c.phone_number == sender
    row = (
        await connection.execute(_channels().where(channels.c.business_id == business_id, chosen))
    ).one_or_none()
    return None if row is None else Channel(**row._asdict())


async def add_channel(
    connection: AsyncConnection, business_id: UUID, channel: NewChannel
) -> UUID | Literal["phoneNumber", "phoneNumberId"]:
    """Record a channel and answer its id, or which of its numbers is another channel's already.

    A new default takes the place of the former one. Phone number ids are Meta's and unique over all
    businesses, since events name nothing else.
    """
    taken = await _taken_number(connection, business_id, channel)
    if taken is not None:
        return taken
    if channel.default:
        await _no_default(connection, business_id)
    channel_id = uuid4()
    added = await connection.scalar(
        insert(channels)
        .values(
            channel_id=channel_id,
            business_id=business_id,
            phone_number=channel.phone_number,
            phone_number_id=channel.phone_number_id,
            waba_id=channel.waba_id,
            access_token=channel.access_token,
            app_secret=channel.app_secret,
            is_default=channel.default,
            messages_per_second=channel.messages_per_second,
        )
        .on_conflict_do_nothing()
        .returning(channels.c.channel_id)
    )
    # Nobody had it a moment ago: the same channel is being added twice.
    return channel_id if added is not None else "phoneNumber"


async def _taken_number(
    connection: AsyncConnection, business_id: UUID, channel: NewChannel
) -> Literal["phoneNumber", "phoneNumberId"] | None:
    c = channels.c
    same_number = and_(c.business_id == business_id, c.phone_number == channel.phone_number).label(
        "same_number"
    )
    found = await connection.scalar(
        select(same_number)
        .where(or_(same_number, c.phone_number_id == channel.phone_number_id))
        .order_by(same_number.desc())
        .limit(1)
    )
    if found is None:
        return None
    return "phoneNumber" if found else "phoneNumberId"


async def _no_default(connection: AsyncConnection, business_id: UUID) -> None:
    await connection.execute(
        update(channels)
        .where(channels.c.business_id == business_id, channels.c.is_default)
        .values(is_default=False)
    )


async def change_channel(
    connection: AsyncConnection, business_id: UUID, channel_id: UUID, changes: Mapping[str, Any]
) -> bool:
    """Set columns of a channel; False if its new `phone_number_id` is another channel's.

    `is_default` takes it from the former default channel.
    """
    if not changes:
        return True
    number_id = changes.get("phone_number_id")
    if number_id is not None:
        others = exists(
            select(literal(1)).where(
                channels.c.phone_number_id == number_id, channels.c.channel_id != channel_id
            )
        )
        if await connection.scalar(select(others)):
            return False
    if changes.get("is_default"):
        await _no_default(connection, business_id)
    await connection.execute(
        update(channels).where(channels.c.channel_id == channel_id).values(dict(changes))
    )
    return True


async def sender_of(connection: AsyncConnection, channel_id: UUID) -> dict[str, str]:
    """A channel's ids and secrets under the names of WhatsApp's side, for the simulator alone."""
    c = channels.c
    query = select(
        c.phone_number_id.label("phoneNumberId"),
        c.phone_number.label("phoneNumber"),
        c.waba_id.label("wabaId"),
        c.access_token.label("accessToken"),
        c.app_secret.label("appSecret"),
    ).where(c.channel_id == channel_id)
    return (await connection.execute(query)).one()._asdict()


async def sending_rates(connection: AsyncConnection) -> dict[UUID, int]:
    """Messages per second of every channel of this installation."""
    rows = await connection.execute(select(channels.c.channel_id, channels.c.messages_per_second))
    return {row.channel_id: row.messages_per_second for row in rows}


async def hold_channel(
    connection: AsyncConnection, channel_id: UUID, *, by: str, message: str | None
) -> None:
    """Hold every send of the channel; one that is held already keeps its first reason."""
    await connection.execute(
        update(channels)
        .where(channels.c.channel_id == channel_id, channels.c.held_since.is_(None))
        .values(held_since=func.now(), hold_code=None, hold_message=message, hold_by=by)
    )


async def hold_by_whatsapp(
    connection: AsyncConnection,
    channel_ids: Collection[UUID],
    *,
    code: int,
    message: str | None,
    at: datetime | None = None,
    token: str | None = None,
) -> None:
    """Hold channels because of a code of WhatsApp's; those that are held keep their first reason.

    `at` is WhatsApp's time of an event, which may be late: what is older than a channel's last release
    holds it no more. `token` is the access token of a call that was refused: a channel that has a
    newer one by then is not held for what the old one is told.
    """
    c = channels.c
    query = update(channels).where(c.channel_id.in_(channel_ids), c.held_since.is_(None))
    if at is not None:
        second = func.date_trunc("second", c.released_at)
        told = literal(at, DateTime(timezone=True))
        query = query.where(or_(c.released_at.is_(None), told >= second))
    if token is not None:
        query = query.where(c.access_token == token)
    await connection.execute(
        query.values(held_since=func.now(), hold_code=code, hold_message=message, hold_by=WHATSAPP)
    )


async def release_channel(connection: AsyncConnection, channel_id: UUID) -> bool:
    """End the hold and write down which runs to release; False if the channel was not held."""
    released = await connection.scalar(
        update(channels)
        .where(channels.c.channel_id == channel_id, channels.c.held_since.is_not(None))
        .values(
            held_since=None,
            hold_code=None,
            hold_message=None,
            hold_by=None,
            released_at=func.now(),
        )
        .returning(channels.c.channel_id)
    )
    if released is None:
        return False
    await holds.release_channel(connection, channel_id)
    return True
