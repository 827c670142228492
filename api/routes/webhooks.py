"""Where a business's events are sent (api.md section 5)."""

from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import body_as, documented, read_body
from api.deps import AppDatabase, AppParts, CanAdmin, CanOperate, CanRead, Parts
from api.repeatable import repeatable
from api.schemas.common import Cursor, Entity, Limit, Page, read_cursor, write_cursor
from api.schemas.webhooks import (
    GeneratedSecret,
    GivenConfiguration,
    NewWebhook,
    RegisteredWebhook,
    RetriedDeliveries,
    RetryDeliveries,
    Webhook,
    WebhookChange,
    WebhookConfiguration,
    WebhookDelivery,
    WebhookFilter,
    Webhooks,
)
from domain.errors import BadRequest, Conflict, NotFound
from domain.webhook_address import UnusableAddress, parse_address
from storage import webhooks as record
from webhooks.signature import new_secret

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["webhooks"])

WebhookId: TypeAlias = Annotated[UUID, Path(alias="webhookId")]


@router.post(
    "/create/webhooks",
    response_model=GeneratedSecret | RegisteredWebhook,
    openapi_extra=documented(NewWebhook, creates=True),
)
async def create_webhook(request: Request, caller: CanAdmin, parts: AppParts) -> Response:
    """Register where the events of a topic are sent; there is one place per topic.

    Without `secret` one is generated, and answered this once: a repeat with the same
    Idempotency-Key is answered with the `id` alone.
    """
    call = await repeatable(request, caller, parts.settings.max_body_bytes)
    asked = body_as(NewWebhook, call.body)
    await _check(parts, asked.address)
    secret = asked.secret or new_secret()
    columns = {
        "topic": "messages" if asked.topic == "topic_unspecified" else asked.topic,
        "type": "custom" if asked.type == "webhook_type_unspecified" else asked.type,
        "address": asked.address,
        "secret": secret,
        **record.filter_columns([]),
        **_configured(asked.configuration),
    }
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        webhook_id = await record.add_webhook(connection, caller.business_id, columns)
        if webhook_id is None:
            raise Conflict(
                f"There is a webhook of the topic `{columns['topic']}` already; change that one with "
                "PUT …/update/webhooks/{webhookId}.",
                title="Webhook exists",
            )
        answer = _answer(webhook_id, None if asked.secret else secret)
        return await call.answer(connection, answer, again=_answer(webhook_id, None))


@router.put("/update/webhooks/{webhookId}", openapi_extra=documented(WebhookChange))
async def update_webhook(
    request: Request, caller: CanAdmin, parts: AppParts, webhook_id: WebhookId
) -> GeneratedSecret | RegisteredWebhook:
    """Change what is given; the next call uses it. The topic stays."""
    asked = await read_body(request, WebhookChange, parts.settings.max_body_bytes)
    changes: dict[str, Any] = _configured(asked.configuration)
    if asked.address is not None:
        await _check(parts, asked.address)
        changes["address"] = asked.address
    if asked.secret is not None and asked.rotate_secret:
        raise BadRequest("Please give `secret` or `rotateSecret`, not both.")
    if asked.secret is not None or asked.rotate_secret:
        changes["secret"] = asked.secret or new_secret()
    async with parts.database.transaction() as connection:
        if not await record.change_webhook(connection, caller.business_id, webhook_id, changes):
            raise _unknown(webhook_id)
    _wake(parts, webhook_id)
    return _answer(webhook_id, changes["secret"] if asked.rotate_secret else None)


@router.get("/webhooks")
async def list_webhooks(caller: CanRead, database: AppDatabase) -> Entity[Webhooks]:
    """The registrations, without their secrets."""
    async with database.transaction() as connection:
        listed = await record.list_webhooks(connection, caller.business_id)
    shown = [_shown(webhook) for webhook in listed]
    return Entity(entity=Webhooks(business_id=caller.business_id, webhooks=shown))


@router.delete("/delete/webhooks/{webhookId}")
async def delete_webhook(
    caller: CanAdmin, parts: AppParts, webhook_id: WebhookId
) -> dict[str, str]:
    """Remove a registration with all that was not delivered; nothing more is sent."""
    async with parts.database.transaction() as connection:
        if not await record.delete_webhook(connection, caller.business_id, webhook_id):
            raise _unknown(webhook_id)
    _wake(parts, webhook_id)
    return {}


@router.get("/webhooks/{webhookId}/deliveries")
async def list_deliveries(
    caller: CanRead,
    database: AppDatabase,
    webhook_id: WebhookId,
    *,
    state: Annotated[
        Literal["pending", "failed"] | None, Query(description="Failed ones were given up.")
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[WebhookDelivery]:
    """The events that are not delivered, oldest first; those that are leave the list."""
    after = 0 if cursor is None else read_cursor(cursor, int)[0]
    async with database.transaction() as connection:
        await _found(connection, caller.business_id, webhook_id)
        listed = await record.list_events(
            connection, webhook_id, state=state, limit=limit + 1, after=after
        )
    page = [
        WebhookDelivery(
            event_id=event.event_id,
            kind=event.kind,
            key=event.key,
            happened_at=event.happened_at,
            state=event.state,
            tries=event.tries,
            next_at=event.next_at if event.state == "pending" else None,
            last_error=event.last_error,
        )
        for event in listed[:limit]
    ]
    more = len(listed) > limit
    return Page(data=page, next_cursor=write_cursor(page[-1].event_id) if more else None)


@router.post(
    "/webhooks/{webhookId}/deliveries/retry",
    response_model=RetriedDeliveries,
    openapi_extra=documented(RetryDeliveries, creates=True),
)
async def retry_deliveries(
    request: Request, caller: CanOperate, parts: AppParts, webhook_id: WebhookId
) -> Response:
    """Send what was given up again, for another 24 hours."""
    call = await repeatable(request, caller, parts.settings.max_body_bytes)
    asked = body_as(RetryDeliveries, call.body)
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        await _found(connection, caller.business_id, webhook_id)
        retried = await record.retry_events(connection, webhook_id, asked.event_ids)
        answer = await call.answer(connection, RetriedDeliveries(retried=retried))
    _wake(parts, webhook_id)
    return answer


def _answer(webhook_id: UUID, generated: str | None) -> GeneratedSecret | RegisteredWebhook:
    if generated is None:
        return RegisteredWebhook(id=webhook_id)
    return GeneratedSecret(id=webhook_id, secret=generated)


async def _check(parts: Parts, address: str) -> None:
    """Raises `BadRequest` unless events may be sent there."""
    if parts.addresses is None:
        return
    try:
        await parts.addresses.check(address)
    except UnusableAddress as error:
        raise BadRequest(f"Please check `address`: {error}.") from None


def _configured(asked: GivenConfiguration) -> dict[str, Any]:
    """The columns of what is given."""
    given = asked.model_dump(include={"echo", "channel_types"}, exclude_none=True)
    if asked.filters is not None:
        given |= record.filter_columns([f.model_dump() for f in asked.filters])
    return given


def _wake(parts: Parts, webhook_id: UUID) -> None:
    if parts.wakes is not None:
        parts.wakes.wake_one(webhook_id)


async def _found(
    connection: AsyncConnection, business_id: UUID, webhook_id: UUID
) -> record.Webhook:
    webhook = await record.find_webhook(connection, business_id, webhook_id)
    if webhook is None:
        raise _unknown(webhook_id)
    return webhook


def _unknown(webhook_id: UUID) -> NotFound:
    return NotFound(f"There is no webhook {webhook_id}; GET …/webhooks lists those there are.")


def _shown(webhook: record.Webhook) -> Webhook:
    filters = [WebhookFilter.model_validate(given) for given in webhook.filters]
    return Webhook(
        id=webhook.webhook_id,
        topic=webhook.topic,
        address=parse_address(webhook.address).shown,
        configuration=WebhookConfiguration(
            echo=webhook.echo, channel_types=list(webhook.channel_types), filters=filters
        ),
    )
