"""POST send/whatsapp_templated_messages and send/messages: one message each (api.md section 2b)."""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.responses import Response

from api.accepting_messages import Call, accept_message
from api.deps import Caller, CanSend, Parts
from api.idempotency import IDEMPOTENCY_KEY_PARAMETER, idempotent
from api.json_body import read_bytes
from api.message_calls import read_fields, read_session, read_templated
from api.schemas.common import in_one_piece
from api.schemas.messages import MessageId, SessionMessage, TemplatedMessage
from api.throttle import Throttle

router = APIRouter(prefix="/v1/businesses/{businessId}/send", tags=["send"])


def _described(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": in_one_piece(model)}}
    return {
        "parameters": [IDEMPOTENCY_KEY_PARAMETER],
        "requestBody": {"required": True, "content": content},
    }


@router.post(
    "/whatsapp_templated_messages",
    status_code=201,
    response_model=MessageId,
    operation_id="sendTemplatedMessage",
    openapi_extra=_described(TemplatedMessage),
)
async def send_templated_message(request: Request, caller: CanSend) -> Response:
    """Send one template to one customer. Once it answers, the message is durable."""
    throttle: Throttle = request.app.state.templated_throttle
    return await _send(request, caller, throttle, read_templated)


@router.post(
    "/messages",
    status_code=201,
    response_model=MessageId,
    operation_id="sendSessionMessage",
    openapi_extra=_described(SessionMessage),
)
async def send_session_message(request: Request, caller: CanSend) -> Response:
    """Send one free-form message to a customer who wrote within the last 24 hours."""
    throttle: Throttle = request.app.state.session_throttle
    return await _send(request, caller, throttle, read_session)


async def _send(
    request: Request,
    caller: Caller,
    throttle: Throttle,
    read: Callable[[Mapping[str, Any]], Call],
) -> Response:
    parts: Parts = request.app.state.parts
    await throttle.admit(caller.business_id)
    body = await read_bytes(request, parts.settings.max_body_bytes)
    call = read(read_fields(body))
    answer = await accept_message(parts, caller, call, idempotent(request, caller, body))
    return Response(answer.body, answer.status, media_type="application/json")
