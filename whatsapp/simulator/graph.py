"""The Graph calls: `/v{n}.{m}/…` as the WhatsApp Cloud API answers them."""

import asyncio
import hashlib
import json
import re
from email.parser import BytesParser
from email.policy import HTTP
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from whatsapp.simulator.acceptance import accept, server_error
from whatsapp.simulator.config import Channel
from whatsapp.simulator.dropped import DroppedConnection
from whatsapp.simulator.graph_error import GraphError
from whatsapp.simulator.simulator import Simulator
from whatsapp.simulator.template import Template
from whatsapp.simulator.validation import check_read_mark, is_read_mark

_VERSION = re.compile(r"v\d+\.\d+")

router = APIRouter()


async def running(request: Request) -> Simulator:
    """The simulator behind the app."""
    simulator: Simulator = request.app.state.simulator
    return simulator


async def allowed(request: Request, version: str) -> list[Channel]:
    """The channels the request's token may use; raises `GraphError` 190 or 2500."""
    if not _VERSION.fullmatch(version):
        raise GraphError(2500, f"Unknown path components: /{version}")
    simulator: Simulator = request.app.state.simulator
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    channels = [c for c in simulator.channels if c.access_token == token.strip()]
    if scheme.lower() != "bearer" or not channels:
        raise GraphError(190, "The access token is missing, wrong or expired.", subcode=463)
    return channels


RunningSimulator = Annotated[Simulator, Depends(running)]
AllowedChannels = Annotated[list[Channel], Depends(allowed)]


def _no_such_object(object_id: str) -> GraphError:
    details = f"Object {object_id!r} does not exist or the token may not use it."
    return GraphError(100, details, subcode=33, type="GraphMethodException")


def _sender(channels: list[Channel], phone_number_id: str) -> Channel:
    for channel in channels:
        if channel.phone_number_id == phone_number_id:
            return channel
    raise _no_such_object(phone_number_id)


def _check_account(channels: list[Channel], waba_id: str) -> None:
    if all(channel.waba_id != waba_id for channel in channels):
        raise _no_such_object(waba_id)


async def _document(request: Request) -> Any:
    try:
        return json.loads(await request.body())
    except ValueError as error:
        raise GraphError(100, "The body is not JSON.") from error


@router.post("/{version}/{phone_number_id}/messages")
async def send(
    request: Request,
    phone_number_id: str,
    channels: AllowedChannels,
    simulator: RunningSimulator,
) -> Response:
    """Sends a message, or marks an inbound one as read."""
    channel = _sender(channels, phone_number_id)
    document = await _document(request)
    if isinstance(document, dict) and is_read_mark(document):
        check_read_mark(document)
        return JSONResponse({"success": True})
    message = simulator.read(document, channel)
    # Half of the latency lies before the commit and half after it, so that a caller who gives
    # up, or a crash, may find the message taken or not.
    pause = simulator.behaviour.of(message.to).latency_ms / 2000
    if pause:
        await asyncio.sleep(pause)
    outcome = accept(simulator, channel, message)
    if pause:
        await asyncio.sleep(pause)
    if outcome.refusal is not None:
        raise outcome.refusal
    if outcome.fault == "drop":
        return DroppedConnection()
    if outcome.fault == "http500":
        raise server_error()
    return JSONResponse(outcome.answer)


@router.get("/{version}/{waba_id}/message_templates")
async def list_templates(
    request: Request,
    waba_id: str,
    channels: AllowedChannels,
    simulator: RunningSimulator,
    *,
    limit: int = 25,
    after: str = "",
) -> dict[str, Any]:
    """A page of the account's templates, filtered by name, status, language and category."""
    _check_account(channels, waba_id)
    found = [t for t in simulator.registry.listed(waba_id) if _matches(t, request)]
    start = 1 + next((i for i, template in enumerate(found) if template.id == after), -1)
    page = found[start : start + max(limit, 1)]
    answer: dict[str, Any] = {"data": [template.document() for template in page]}
    if page:
        answer["paging"] = {"cursors": {"before": page[0].id, "after": page[-1].id}}
        if start + len(page) < len(found):
            following = request.url.include_query_params(after=page[-1].id)
            answer["paging"]["next"] = str(following)
    return answer


def _matches(template: Template, request: Request) -> bool:
    asked = request.query_params
    return (
        asked.get("name", template.name) == template.name
        and asked.get("language", template.language) == template.language
        and asked.get("status", template.status).upper() == template.status
        and asked.get("category", template.category).upper() == template.category
    )


@router.post("/{version}/{waba_id}/message_templates")
async def create_template(
    request: Request,
    waba_id: str,
    channels: AllowedChannels,
    simulator: RunningSimulator,
) -> dict[str, str]:
    """Creates a template, approved at once."""
    _check_account(channels, waba_id)
    template = simulator.registry.create(waba_id, await _document(request))
    if template is None:
        raise GraphError(100, "The template has this language already.", subcode=2388024)
    return {"id": template.id, "status": template.status, "category": template.category}


@router.post("/{version}/{phone_number_id}/media")
async def upload(
    request: Request,
    phone_number_id: str,
    channels: AllowedChannels,
    simulator: RunningSimulator,
) -> dict[str, str]:
    """Stores what an uploaded file is (its bytes are not kept) and gives it an id."""
    _sender(channels, phone_number_id)
    mime_type, content = _uploaded_file(
        request.headers.get("content-type", ""), await request.body()
    )
    document = {
        "mime_type": mime_type,
        "sha256": hashlib.sha256(content).hexdigest(),
        "file_size": len(content),
    }
    with simulator.database.transaction():
        return {"id": simulator.ledger.add_media(document)}


def _uploaded_file(content_type: str, body: bytes) -> tuple[str, bytes]:
    header = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    form = BytesParser(policy=HTTP).parsebytes(header + body)
    parts = {
        part.get_param("name", header="content-disposition"): part for part in form.iter_parts()
    }
    if "messaging_product" not in parts or "file" not in parts:
        raise GraphError(100, "An upload takes messaging_product and file as form fields.")
    content = parts["file"].get_payload(decode=True)
    return parts["file"].get_content_type(), content if isinstance(content, bytes) else b""


@router.get("/{version}/{object_id}")
async def read_object(
    request: Request,
    version: str,
    object_id: str,
    channels: AllowedChannels,
    simulator: RunningSimulator,
    *,
    fields: str = "",
) -> dict[str, Any]:
    """What is known of an uploaded file, or of a phone number: the fields that are asked for."""
    document = simulator.ledger.media(object_id)
    if document is not None:
        url = request.url_for("read_object", version=version, object_id=object_id)
        return {"messaging_product": "whatsapp", "id": object_id, "url": str(url), **document}
    known = _phone_number(_sender(channels, object_id))
    asked = [name.strip() for name in fields.split(",")] if fields else _PHONE_NUMBER_DEFAULTS
    if unknown := [name for name in asked if name not in known]:
        raise GraphError(100, f"Tried accessing nonexisting field ({unknown[0]}).")
    return {**{name: known[name] for name in asked}, "id": object_id}


_PHONE_NUMBER_DEFAULTS = (
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
)


def _phone_number(channel: Channel) -> dict[str, Any]:
    """A number that is registered and healthy; nothing here makes one ill."""
    nodes = (("PHONE_NUMBER", channel.phone_number_id), ("WABA", channel.waba_id))
    return {
        "id": channel.phone_number_id,
        "verified_name": "Simulated business",
        "code_verification_status": "VERIFIED",
        "display_phone_number": f"+{channel.digits}",
        "quality_rating": "GREEN",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "health_status": {
            "can_send_message": "AVAILABLE",
            "entities": [
                {"entity_type": kind, "id": node, "can_send_message": "AVAILABLE"}
                for kind, node in nodes
            ],
        },
    }
