"""POST send/campaigns: take the entries of a sendout (api.md section 2)."""

import re
from typing import Any

from fastapi import APIRouter, Request
from sqlalchemy.exc import DBAPIError
from starlette.responses import Response

from api.accepting import Outcome, SendRequest, accept
from api.deps import Caller, CanSend, Parts
from api.errors import error_fields, json_bytes, log, new_trace_id
from api.idempotency import IDEMPOTENCY_KEY_PARAMETER, idempotent
from api.json_body import given, parse_keeping_numbers, read_bytes
from api.metrics import Metrics
from api.schemas import send as schemas
from api.throttle import Throttle
from domain.documented_codes import ErrorCode
from domain.errors import BadRequest, Unavailable
from domain.grouping import report, status_and_error
from settings import Settings
from storage.acceptance import SituationChanged
from storage.availability import is_deadlock
from storage.idempotency import (
    IdempotentRequest,
    KeptAnswer,
    first_answer,
    keep_answer,
)

_ATTEMPTS = 5
_UNSTORABLE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")

router = APIRouter(tags=["send"])


@router.post(
    "/v1/businesses/{businessId}/send/campaigns",
    operation_id="CampaignService_SendCampaigns",
    responses={
        200: {"model": schemas.SendReport, "description": "The report of the sendouts."},
        400: {
            "model": schemas.SendRefusal,
            "description": "The request, or each of its entries, cannot be understood.",
        },
        404: {
            "model": schemas.SendRefusal,
            "description": "None of the campaigns or versions exists.",
        },
        409: {
            "model": schemas.SendRefusal,
            "description": "None of the campaigns is in a state to be sent.",
        },
    },
    # What the function reads from the request itself, because it is called so often.
    openapi_extra={
        "parameters": [IDEMPOTENCY_KEY_PARAMETER],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": schemas.request_schema()}},
        },
    },
)
async def send_campaigns(request: Request, caller: CanSend) -> Response:
    """Send campaigns to customers. Once it answers, the accepted entries are durable."""
    parts: Parts = request.app.state.parts
    throttle: Throttle = request.app.state.send_throttle
    await throttle.admit(caller.business_id)
    body = await read_bytes(request, parts.settings.max_body_bytes)
    wanted = read_request(caller, body, parts.settings)
    # A dry run does nothing that could be done twice.
    first = None if wanted.options.dry_run else idempotent(request, caller, body)
    answer = await _accept(parts, wanted, first)
    return Response(answer.body, answer.status, media_type="application/json")


def read_request(caller: Caller, body: bytes, settings: Settings) -> SendRequest:
    """Read the request as a whole; its entries are checked later, each by itself.

    Raises `BadRequest` naming what is wrong.
    """
    document = parse_keeping_numbers(body)
    if type(document) is not dict:
        raise BadRequest('The body must be a JSON object, for example {"entries": []}.')
    entries = given(document, "entries")
    if entries is None:
        entries = []
    if type(entries) is not list:
        raise BadRequest("`entries` must be a list.")
    if len(entries) > settings.max_entries:
        raise BadRequest(
            f"`entries` must hold at most {settings.max_entries:,} entries; send several requests.",
            code=ErrorCode.CAMPAIGN_TOO_MANY_ENTRIES,
            title="Too many entries",
        )
    return SendRequest(
        caller.business_id,
        entries,
        schemas.read_options(given(document, "options")),
        honours_scheduled_at=settings.scheduled_at,
        may_hold_unstorable=_UNSTORABLE.search(body) is not None,
    )


async def _accept(parts: Parts, wanted: SendRequest, first: IdempotentRequest | None) -> KeptAnswer:
    for attempt in range(_ATTEMPTS):
        try:
            answer, outcome = await _accept_once(parts, wanted, first, lock=attempt > 0)
        except SituationChanged:
            continue
        except DBAPIError as error:
            if not is_deadlock(error):
                raise
            continue
        for sendout_id in outcome.to_poke if outcome is not None else ():
            parts.pokes.poke(sendout_id)
        if outcome is not None and not wanted.options.dry_run:
            _count(parts.metrics, outcome)
        return answer
    raise Unavailable("The campaigns of this request keep changing; nothing was done. Repeat it.")


def _count(metrics: Metrics, outcome: Outcome) -> None:
    accepted = sum(len(group.accepted) for group in outcome.groups)
    rejected = sum(len(group.rejected) for group in outcome.groups)
    metrics.entries.labels("accepted").inc(accepted - outcome.duplicates)
    metrics.entries.labels("duplicate").inc(outcome.duplicates)
    metrics.entries.labels("rejected").inc(rejected)


async def _accept_once(
    parts: Parts, wanted: SendRequest, first: IdempotentRequest | None, *, lock: bool
) -> tuple[KeptAnswer, Outcome | None]:
    async with parts.database.transaction() as connection:
        if first is not None and (kept := await first_answer(connection, first)) is not None:
            return kept, None
        outcome = await accept(connection, wanted, lock=lock)
        answer = _answer(wanted, outcome)
        if first is not None:
            await keep_answer(connection, first, answer)
        return answer, outcome


def _answer(wanted: SendRequest, outcome: Outcome) -> KeptAnswer:
    listed = wanted.options.listed
    body: dict[str, Any] = {"data": report(outcome.groups, listed=listed, outcomes=outcome.entries)}
    status, error = status_and_error(outcome.groups)
    if error is not None:
        trace_id = new_trace_id()
        log.info("nothing accepted", cntTraceId=trace_id, status=status, code=error.code.value)
        body |= error_fields(error, {}, trace_id)
    return KeptAnswer(status, json_bytes(body).decode())
