"""Channels: the numbers a business sends from, and the emergency stop (api.md section 6)."""

from typing import Annotated, Any, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import body_as, documented, read_body
from api.deps import AppDatabase, AppParts, CanAdmin, CanOperate, CanRead, Parts
from api.repeatable import repeatable
from api.schemas.channels import Channel, ChannelChange, ChannelHold, HoldOrder, NewChannel
from api.schemas.common import (
    Cursor,
    Entity,
    Limit,
    Page,
    read_time_cursor,
    write_time_cursor,
)
from domain.errors import Conflict, NotFound
from storage import channels as record

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["channels"])

ChannelId: TypeAlias = Annotated[UUID, Path(alias="channelId")]


@router.get("/channels")
async def list_channels(
    caller: CanRead, database: AppDatabase, limit: Limit = 50, cursor: Cursor = None
) -> Page[Channel]:
    """The channels, oldest first."""
    after = None if cursor is None else read_time_cursor(cursor, UUID)
    async with database.transaction() as connection:
        listed = await record.list_channels(
            connection, caller.business_id, limit=limit + 1, after=after
        )
    page = listed[:limit]
    last = page[-1] if len(listed) > limit else None
    return Page(
        data=[shown(channel) for channel in page],
        next_cursor=last and write_time_cursor(last.created_at, last.channel_id),
    )


@router.post(
    "/channels",
    status_code=201,
    response_model=Entity[Channel],
    openapi_extra=documented(NewChannel, creates=True),
)
async def add_channel(
    request: Request,
    caller: CanAdmin,
    parts: AppParts,
) -> Response:
    """Connect a number. A new default channel takes the place of the former one."""
    call = await repeatable(request, caller, parts.settings.max_body_bytes)
    new = record.NewChannel(**body_as(NewChannel, call.body).model_dump())
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        added = await record.add_channel(connection, caller.business_id, new)
        if not isinstance(added, UUID):
            raise _taken(added)
        answer = await call.answer(
            connection, await _answer(connection, caller.business_id, added), 201
        )
    await _pass_on(parts, added)
    return answer


@router.get("/channels/{channelId}")
async def read_channel(
    caller: CanRead, database: AppDatabase, channel_id: ChannelId
) -> Entity[Channel]:
    """The channel, without its secrets."""
    async with database.transaction() as connection:
        return await _answer(connection, caller.business_id, channel_id)


@router.patch("/channels/{channelId}", openapi_extra=documented(ChannelChange))
async def change_channel(
    request: Request, caller: CanAdmin, parts: AppParts, channel_id: ChannelId
) -> Entity[Channel]:
    """Change what is given; the next send uses it.

    A new access token ends a hold that WhatsApp's answers began.
    """
    asked = await read_body(request, ChannelChange, parts.settings.max_body_bytes)
    changes: dict[str, Any] = asked.model_dump(exclude_none=True)
    if "default" in changes:
        changes["is_default"] = changes.pop("default")
    async with parts.database.transaction() as connection:
        channel = await found(connection, caller.business_id, channel_id)
        if not await record.change_channel(connection, caller.business_id, channel_id, changes):
            raise _taken("phoneNumberId")
    await _pass_on(parts, channel_id)
    # Not before WhatsApp's side knows the token, or the first sends with it would be held for it.
    async with parts.database.transaction() as connection:
        if asked.access_token is not None and channel.hold_by == record.WHATSAPP:
            await record.release_channel(connection, channel_id)
        answer = await _answer(connection, caller.business_id, channel_id)
    parts.signals.hand_over()
    return answer


@router.post("/channels/{channelId}/hold", openapi_extra=documented(HoldOrder))
async def hold_channel(
    request: Request, caller: CanOperate, parts: AppParts, channel_id: ChannelId
) -> Entity[Channel]:
    """The emergency stop: hold every send of every sendout before it is made."""
    asked = await read_body(request, HoldOrder, parts.settings.max_body_bytes)
    async with parts.database.transaction() as connection:
        await found(connection, caller.business_id, channel_id)
        await record.hold_channel(connection, channel_id, by=caller.name, message=asked.message)
        return await _answer(connection, caller.business_id, channel_id)


@router.post("/channels/{channelId}/release")
async def release_channel(
    caller: CanOperate, parts: AppParts, channel_id: ChannelId
) -> Entity[Channel]:
    """End the hold, whoever began it; what was held is sent now."""
    async with parts.database.transaction() as connection:
        await found(connection, caller.business_id, channel_id)
        released = await record.release_channel(connection, channel_id)
        answer = await _answer(connection, caller.business_id, channel_id)
    if released:
        parts.signals.hand_over()
    return answer


async def _pass_on(parts: Parts, channel_id: UUID) -> None:
    """Tell those outside the record of a new or changed channel, once it is committed."""
    if parts.rates is not None:
        parts.rates.apply_soon()
    if parts.numbers is not None:
        await parts.numbers.announce(channel_id)


async def found(connection: AsyncConnection, business_id: UUID, channel_id: UUID) -> record.Channel:
    """The channel. Raises `NotFound`."""
    channel = await record.find_channel(connection, business_id, channel_id)
    if channel is None:
        raise NotFound(f"There is no channel {channel_id}; GET …/channels lists those there are.")
    return channel


def _taken(field: str) -> Conflict:
    return Conflict(
        f"There is a channel with this `{field}` already; change that one instead.",
        title="Channel exists",
        details={"field": field},
    )


async def _answer(
    connection: AsyncConnection, business_id: UUID, channel_id: UUID
) -> Entity[Channel]:
    return Entity(entity=shown(await found(connection, business_id, channel_id)))


def shown(channel: record.Channel) -> Channel:
    """The channel as the API answers it."""
    hold = channel.held_since and ChannelHold(
        code=channel.hold_code,
        message=channel.hold_message,
        since=channel.held_since,
        by=channel.hold_by,
    )
    return Channel(
        channel_id=channel.channel_id,
        phone_number=channel.phone_number,
        phone_number_id=channel.phone_number_id,
        waba_id=channel.waba_id,
        default=channel.default,
        messages_per_second=channel.messages_per_second,
        state="held" if hold else "active",
        hold=hold or None,
        created_at=channel.created_at,
    )
