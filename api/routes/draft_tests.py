"""Trying a draft on one number before customers get it (api.md section 3)."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import documented, fitted
from api.deps import AppParts, CanOperate
from api.flow_documents import sendable_flow, with_delays_cut
from api.json_body import parse_keeping_numbers, read_bytes
from api.routes.campaigns import CampaignId, found
from api.routes.publishing import refuse_archived, unchanged
from api.schemas.campaigns import DraftTest, StartedTest
from api.schemas.common import Entity
from domain import json_text
from domain.documented_codes import ErrorCode
from domain.entry import given_texts
from domain.errors import BadRequest, Conflict
from domain.flow import Flow, parse_duration
from domain.phone import parse_phone
from domain.rendering import missing_variables
from storage.channels import Channel, channel_of_sender
from storage.draft_tests import start_test

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["campaigns"])


@router.post("/campaigns/{campaignId}/test", status_code=201, openapi_extra=documented(DraftTest))
async def try_draft(
    request: Request, caller: CanOperate, parts: AppParts, campaign_id: CampaignId
) -> Entity[StartedTest]:
    """Run the draft for one number, outside duplicates, lists, reports and counts."""
    order = await _read_order(request, parts.settings.max_body_bytes)
    client = _number(order.client)
    async with parts.database.transaction() as connection:
        read = await found(connection, caller.business_id, campaign_id)
        channel = await _channel(connection, caller.business_id, order.sender)
    if client == channel.phone_number:
        raise _refused(
            "`client` is the sender itself.", ErrorCode.MESSAGE_SELF_INVALID, "Client equals sender"
        )
    refuse_archived(read)
    flow, _ = await sendable_flow(caller.business_id, read, parts.templates, for_test=True)
    variables = _variables(flow, order.variables or {})
    async with parts.database.transaction() as connection:
        campaign = await unchanged(connection, caller.business_id, read)
        test = await start_test(
            connection,
            business_id=caller.business_id,
            campaign=campaign,
            document=with_delays_cut(campaign.draft or {}, order.max_delay),
            channel_id=channel.channel_id,
            client=client,
            variables=variables,
        )
    parts.pokes.poke(test.sendout_id)
    return Entity(entity=StartedTest(entry_id=test.entry_id, sendout_id=test.sendout_id))


async def _read_order(request: Request, most: int) -> DraftTest:
    # Numbers stay as they are written, as in the entries of send/campaigns.
    body = await read_bytes(request, most)
    fields = parse_keeping_numbers(body) if body.strip() else {}
    if not isinstance(fields, dict):
        raise BadRequest('The body must be a JSON object, for example {"client": "+16045552331"}.')
    order = fitted(DraftTest, _without_number(fields, "maxDelay", "max_delay"))
    if order.max_delay is not None:
        try:
            parse_duration(order.max_delay)
        except ValueError as error:
            raise BadRequest(f"Please check `maxDelay`: {error}.") from None
    return order


def _without_number(fields: dict[str, Any], *names: str) -> dict[str, Any]:
    """The fields with a number of seconds in `names` written as an ISO 8601 duration."""
    durations = {
        name: f"PT{fields[name]}S"
        for name in names
        if isinstance(fields.get(name), json_text.NumberLiteral)
    }
    return {**fields, **durations}


def _number(text: str | None) -> str:
    if not text:
        raise _refused("`client` is missing: name the number to test with.")
    number = parse_phone(text)
    if number is None:
        raise _refused(
            "`client` is not a phone number; write it as +16045552331.",
            ErrorCode.CAMPAIGN_ENTRY_CLIENT_INVALID,
            "Campaign entry client is invalid",
        )
    return number


async def _channel(connection: AsyncConnection, business_id: UUID, sender: str) -> Channel:
    number = parse_phone(sender) if sender else None
    unusable = bool(sender) and number is None
    channel = None if unusable else await channel_of_sender(connection, business_id, number)
    if channel is None and sender:
        raise _refused(
            "`sender` is not the number of one of your channels.",
            ErrorCode.INVALID_SENDER_ID,
            "Invalid sender id",
        )
    if channel is None:
        raise Conflict(
            "Business misses matching channel",
            code=ErrorCode.BUSINESS_MISSES_MATCHING_CHANNEL,
            title="Business misses matching channel",
            advice="Please connect a channel or mark one as default.",
        )
    return channel


def _variables(flow: Flow, given: dict[str, Any]) -> str:
    """The variables as JSON text. Raises `BadRequest` (CAMPAIGN_ENTRY_INVALID)."""
    nested = [n for n in flow.variables if isinstance(given.get(n), dict | list)]
    if nested:
        raise _refused(f"`variables.{nested[0]}` must be a string, a number or a boolean.")
    try:
        text = json_text.write(given)
    except json_text.NestedTooDeeply as error:
        raise _refused(f"Please check `variables`: {error}.") from None
    missing = missing_variables(flow, given_texts(text))
    if missing:
        raise _refused(f"`variables.{missing[0]}` is required by the flow.")
    return text


def _refused(
    message: str,
    code: ErrorCode = ErrorCode.CAMPAIGN_ENTRY_INVALID,
    title: str = "Campaign entry is invalid",
) -> BadRequest:
    return BadRequest(message, code=code, title=title)
