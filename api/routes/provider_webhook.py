"""WhatsApp's side: Meta's verification and its signed events (api.md section 6)."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import PlainTextResponse
from sqlalchemy.exc import DBAPIError

from api.deps import AppParts, Parts
from api.json_body import read_bytes
from domain.errors import PermissionDenied, Unauthenticated
from storage.account_intake import (
    take_template_categories,
    take_template_statuses,
    take_troubles,
)
from storage.customers import Customers
from storage.flows import StoredFlows
from storage.intake import keep_unread, take_statuses
from storage.senders import Sender, all_app_secrets, senders_named
from whatsapp.events import ChannelEvents, UnreadableEvents, read_events
from whatsapp.signature import verify

router = APIRouter(prefix="/v1/providers/whatsapp/webhook", tags=["WhatsApp"])

_DEADLOCK = "40P01"
_TRIES = 3
"""A status and a send may lock the same rows in opposite order; PostgreSQL then ends one of them."""


@router.get("", operation_id="verifyWebhook", response_class=PlainTextResponse)
async def verify_subscription(
    parts: AppParts,
    mode: Annotated[str, Query(alias="hub.mode")] = "",
    token: Annotated[str, Query(alias="hub.verify_token")] = "",
    challenge: Annotated[str, Query(alias="hub.challenge")] = "",
) -> PlainTextResponse:
    """Meta's check of the address: the challenge comes back if the token is ours."""
    ours = parts.settings.meta_verify_token.get_secret_value()
    same = hmac.compare_digest(token.encode(), ours.encode())
    if mode != "subscribe" or not ours or not same:
        raise PermissionDenied("The verify token is not the one of this server.")
    return PlainTextResponse(challenge)


@router.post(
    "",
    operation_id="receiveEvents",
    openapi_extra={
        "parameters": [
            {
                "name": "X-Hub-Signature-256",
                "in": "header",
                "required": True,
                "schema": {"type": "string", "pattern": "^sha256=[0-9a-f]{64}$"},
                "description": "HMAC-SHA256 of the body with the app secret of the channel.",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
    },
)
async def receive_events(request: Request, parts: AppParts) -> dict[str, str]:
    """Take in statuses, clicks and replies; 200 once they are durable."""
    body = await read_bytes(request, parts.settings.max_body_bytes)
    signature = request.headers.get("X-Hub-Signature-256")
    try:
        events = read_events(body)
    except UnreadableEvents as error:
        await _keep_if_signed(parts, body, signature, str(error))
        return {}
    for attempt in range(1, _TRIES + 1):
        try:
            await _take_in(parts, body, signature, events)
            break
        except DBAPIError as error:
            if attempt == _TRIES or getattr(error.orig, "sqlstate", None) != _DEADLOCK:
                raise
    parts.signals.hand_over()
    if parts.wakes is not None:
        parts.wakes.wake()
    return {}


async def _take_in(
    parts: Parts, body: bytes, signature: str | None, events: list[ChannelEvents]
) -> None:
    settings = parts.settings
    customers = Customers(
        StoredFlows(parts.database),
        stop_words=settings.stop_words,
        start_words=settings.start_words,
    )
    async with parts.database.transaction() as connection:
        numbers = {e.phone_number_id for e in events if e.phone_number_id is not None}
        # An account's own secret counts where an event names no number.
        accounts = {e.waba_id for e in events if e.waba_id is not None}
        senders = await senders_named(connection, numbers, accounts)
        signed = [s for s in senders if verify(s.app_secret, body, signature)]
        if not signed:
            raise Unauthenticated
        for part in events:
            sender = _sender_of(part, signed)
            if sender is None:
                reason = f"no channel has the phone number id {part.phone_number_id!r}"
                await keep_unread(connection, body, reason)
                continue
            await take_statuses(connection, sender.business_id, sender.channel_id, part.statuses)
            if part.phone_number_id is not None:
                await customers.take_inbound(
                    connection, sender.business_id, sender.channel_id, part.inbound
                )
            await customers.take_preferences(connection, sender.business_id, part.preferences)
            of_account = [s for s in signed if s.waba_id == part.waba_id]
            await take_template_statuses(connection, of_account, part.templates)
            await take_template_categories(connection, of_account, part.categories)
            about = of_account if part.phone_number_id is None else [sender]
            await take_troubles(connection, [s.channel_id for s in about], part.troubles)


def _sender_of(part: ChannelEvents, signed: list[Sender]) -> Sender | None:
    if part.phone_number_id is None:
        return next((s for s in signed if s.waba_id == part.waba_id), None)
    return next((s for s in signed if s.phone_number_id == part.phone_number_id), None)


async def _keep_if_signed(parts: Parts, body: bytes, signature: str | None, reason: str) -> None:
    async with parts.database.transaction() as connection:
        secrets = await all_app_secrets(connection)
        if not any(verify(secret, body, signature) for secret in secrets):
            raise Unauthenticated
        await keep_unread(connection, body, reason)
