"""Trying a draft on one number before customers get it (api.md section 3)."""

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import documented, fitted, parse_object
from api.deps import AppParts, CanOperate
from api.flow_documents import sendable_flow, with_delays_cut
from api.json_body import parse_keeping_numbers
from api.repeatable import repeatable
from api.routes.campaigns import CampaignId, found
from api.routes.publishing import refuse_archived, unchanged
from api.run_variables import entry_invalid, variables_text
from api.schemas.campaigns import DraftTest, StartedTest
from api.schemas.common import Entity
from domain import json_text
from domain.document import parse_duration
from domain.documented_codes import ErrorCode
from domain.errors import BadRequest, Conflict
from domain.flow_inputs import FlowInputs
from domain.phone import parse_phone
from storage.channels import Channel, channel_of_sender
from storage.draft_tests import Addressee, start_test

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["campaigns"])


@router.post(
    "/campaigns/{campaignId}/test",
    status_code=201,
    response_model=Entity[StartedTest],
    openapi_extra=documented(DraftTest, creates=True),
)
async def try_draft(
    request: Request,
    caller: CanOperate,
    parts: AppParts,
    campaign_id: CampaignId,
) -> Response:
    """Run the draft for one number, outside duplicates, lists, reports and counts."""
    call = await repeatable(request, caller, parts.settings.max_body_bytes)
    order = _read_order(call.body)
    client = _number(order.client)
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        read = await found(connection, caller.business_id, campaign_id)
        channel = await _channel(connection, caller.business_id, order.sender, client)
    refuse_archived(read)
    flow, _ = await sendable_flow(caller.business_id, read, parts.templates, for_test=True)
    given = order.variables or {}
    variables = variables_text(flow, given)
    if (refusal := FlowInputs(flow).refusal(given)) is not None:
        raise entry_invalid(f"{refusal}.")
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        campaign = await unchanged(connection, caller.business_id, read)
        document = with_delays_cut(campaign.draft or {}, order.max_delay)
        addressee = Addressee(channel.channel_id, client, variables)
        test = await start_test(connection, caller.business_id, campaign, document, addressee)
        started = StartedTest(entry_id=test.entry_id, sendout_id=test.sendout_id)
        answer = await call.answer(connection, Entity(entity=started), 201)
    parts.pokes.poke(test.sendout_id)
    return answer


def _read_order(body: bytes) -> DraftTest:
    # Numbers stay as they are written, as in the entries of send/campaigns.
    fields = parse_object(body, parse_keeping_numbers)
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
        raise entry_invalid("`client` is missing: name the number to test with.")
    number = parse_phone(text)
    if number is None:
        raise entry_invalid(
            "`client` is not a phone number; write it as +16045552331.",
            ErrorCode.CAMPAIGN_ENTRY_CLIENT_INVALID,
            "Campaign entry client is invalid",
        )
    return number


async def _channel(
    connection: AsyncConnection, business_id: UUID, sender: str, client: str
) -> Channel:
    number = parse_phone(sender) if sender else None
    unusable = bool(sender) and number is None
    channel = None if unusable else await channel_of_sender(connection, business_id, number)
    if channel is None and sender:
        raise entry_invalid(
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
    if client == channel.phone_number:
        raise entry_invalid(
            "`client` is the sender itself.", ErrorCode.MESSAGE_SELF_INVALID, "Client equals sender"
        )
    return channel
