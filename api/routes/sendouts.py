"""Sendouts: how they stand, and the levers on them (api.md section 4)."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncConnection

from api.bodies import documented, read_body
from api.deps import AppDatabase, AppParts, CanOperate, CanRead, Parts
from api.idempotency import IDEMPOTENCY_KEY_PARAMETER
from api.repeatable import repeatable
from api.schemas.common import Cursor, Entity, Limit, Page, read_time_cursor, write_time_cursor
from api.schemas.sendouts import (
    EntryCounts,
    HeldChannel,
    HeldTemplateOfFlow,
    MessageCounts,
    NodeCounts,
    Retried,
    Sendout,
    SendoutChange,
)
from domain.error_codes import ERRORS
from domain.errors import BadRequest, Conflict, NotFound
from domain.templates import EVERY_MARKETING, Key
from storage import sendouts as record
from storage.cancelling import cancel_sendout
from storage.counting import SendoutCounts, count_sendouts
from storage.retrying import retry_failed
from storage.template_holds import HeldTemplate, holds_of_sendouts

router = APIRouter(prefix="/v1/businesses/{businessId}", tags=["sendouts"])

SendoutId: TypeAlias = Annotated[UUID, Path(alias="sendoutId")]

RETRYABLE = frozenset(str(code) for code, error in ERRORS.items() if error.worth_retrying)
"""The error codes after which an entry may be run again: those that are about the moment or the
account, not about the message or the customer."""


@router.get("/sendouts")
async def list_sendouts(
    caller: CanRead,
    database: AppDatabase,
    *,
    campaign_id: Annotated[UUID | None, Query(alias="campaignId")] = None,
    state: Annotated[Literal["running", "paused", "cancelled"] | None, Query()] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Page[Sendout]:
    """The sendouts with their counts, newest first; tests are left out."""
    after = None if cursor is None else read_time_cursor(cursor, UUID)
    async with database.transaction() as connection:
        listed = await record.list_sendouts(
            connection,
            caller.business_id,
            limit=limit + 1,
            campaign_id=campaign_id,
            state=state,
            after=after,
        )
        page = listed[:limit]
        data = await shown(connection, page)
    last = page[-1] if len(listed) > limit else None
    return Page(
        data=data,
        next_cursor=last and write_time_cursor(last.created_at, last.sendout_id),
    )


@router.get("/sendouts/{sendoutId}")
async def read_sendout(
    caller: CanRead, database: AppDatabase, sendout_id: SendoutId
) -> Entity[Sendout]:
    """The sendout with its exact counts."""
    async with database.transaction() as connection:
        return await _answer(connection, caller.business_id, sendout_id)


@router.patch("/sendouts/{sendoutId}", openapi_extra=documented(SendoutChange))
async def change_sendout(
    request: Request, caller: CanOperate, parts: AppParts, sendout_id: SendoutId
) -> Entity[Sendout]:
    """Name it, or say which of its nodes are no longer sent (the list replaces the former)."""
    asked = await read_body(request, SendoutChange, parts.settings.max_body_bytes)
    changes: dict[str, Any] = {}
    if asked.label is not None:
        changes["label"] = asked.label or None
    async with parts.database.transaction() as connection:
        sendout = await found(connection, caller.business_id, sendout_id, lock=True)
        if asked.skip_nodes is not None:
            changes["skip_nodes"] = await _skippable(connection, sendout, asked.skip_nodes)
        await record.change_sendout(connection, sendout_id, **changes)
        return await _answer(connection, caller.business_id, sendout_id)


async def _skippable(
    connection: AsyncConnection, sendout: record.Sendout, nodes: list[str]
) -> list[str]:
    """The nodes, each once. Raises `BadRequest` for one that is no message of the flow."""
    documents = await record.flow_documents(connection, [sendout.flow_hash])
    messages = _message_nodes(documents[sendout.flow_hash])
    unknown = [node for node in nodes if node not in messages]
    if unknown:
        raise BadRequest(
            f"`skipNodes`: {unknown[0]!r} is no message node of the sendout's flow; those are "
            f"{', '.join(messages)}.",
            details={"unknownNodes": unknown},
        )
    return list(dict.fromkeys(nodes))


@router.post("/sendouts/{sendoutId}/pause")
async def pause_sendout(
    caller: CanOperate, parts: AppParts, sendout_id: SendoutId
) -> Entity[Sendout]:
    """Hold every run before its next send; entries are accepted as before, timers go on."""
    async with parts.database.transaction() as connection:
        _refuse_cancelled(await found(connection, caller.business_id, sendout_id, lock=True))
        paused = await record.pause_sendout(connection, sendout_id)
        answer = await _answer(connection, caller.business_id, sendout_id)
    if paused:
        parts.signals.hand_over()
    return answer


@router.post("/sendouts/{sendoutId}/resume")
async def resume_sendout(
    caller: CanOperate, parts: AppParts, sendout_id: SendoutId
) -> Entity[Sendout]:
    """Send again, what became due in the meantime first."""
    async with parts.database.transaction() as connection:
        _refuse_cancelled(await found(connection, caller.business_id, sendout_id, lock=True))
        resumed = await record.resume_sendout(connection, sendout_id)
        answer = await _answer(connection, caller.business_id, sendout_id)
    if resumed:
        parts.signals.hand_over()
        parts.pokes.poke(sendout_id)
    return answer


@router.post("/sendouts/{sendoutId}/cancel", operation_id="cancelSendout")
async def cancel(caller: CanOperate, parts: AppParts, sendout_id: SendoutId) -> Entity[Sendout]:
    """End every open entry for good; what is on the wire is still recorded."""
    async with parts.database.transaction() as connection:
        await found(connection, caller.business_id, sendout_id)
        cancelled = await cancel_sendout(connection, sendout_id)
        answer = await _answer(connection, caller.business_id, sendout_id)
    if cancelled:
        parts.signals.hand_over()
        _close(parts, sendout_id)
    return answer


def _close(parts: Parts, sendout_id: UUID) -> None:
    if parts.closing is not None:
        parts.closing.close_sendout(sendout_id)


@router.post(
    "/sendouts/{sendoutId}/retry",
    operation_id="retrySendout",
    response_model=Retried,
    openapi_extra={"parameters": [IDEMPOTENCY_KEY_PARAMETER]},
)
async def retry(
    request: Request,
    caller: CanOperate,
    parts: AppParts,
    sendout_id: SendoutId,
) -> Response:
    """Run entries again that failed for a passing reason or because of the account."""
    call = await repeatable(request, caller, parts.settings.max_body_bytes)
    async with parts.database.transaction() as connection:
        if (kept := await call.first_answer(connection)) is not None:
            return kept
        sendout = await found(connection, caller.business_id, sendout_id, lock=True)
        _refuse_cancelled(sendout)
        retried = await retry_failed(
            connection, sendout_id, codes=RETRYABLE, is_test=sendout.source in record.OUTSIDE
        )
        answer = await call.answer(connection, Retried(retried=retried))
    if retried:
        parts.pokes.poke(sendout_id)
    return answer


async def found(
    connection: AsyncConnection, business_id: UUID, sendout_id: UUID, *, lock: bool = False
) -> record.Sendout:
    """The sendout, locked if asked. Raises `NotFound`."""
    sendout = await record.find_sendout(connection, business_id, sendout_id, lock=lock)
    if sendout is None:
        raise NotFound(f"There is no sendout {sendout_id}; GET …/sendouts lists those there are.")
    return sendout


def _refuse_cancelled(sendout: record.Sendout) -> None:
    if sendout.state == "cancelled":
        raise Conflict(
            "The sendout is cancelled for good; send to the campaign again for a new one.",
            title="Sendout is cancelled",
        )


async def _answer(
    connection: AsyncConnection, business_id: UUID, sendout_id: UUID
) -> Entity[Sendout]:
    sendout = await found(connection, business_id, sendout_id)
    return Entity(entity=(await shown(connection, [sendout]))[0])


async def shown(connection: AsyncConnection, sendouts: Sequence[record.Sendout]) -> list[Sendout]:
    """Sendouts as the API answers them, counted together."""
    sendout_ids = [sendout.sendout_id for sendout in sendouts]
    counts = await count_sendouts(connection, sendout_ids)
    channels = await record.channel_holds(connection, sendout_ids)
    templates = await holds_of_sendouts(connection, sendout_ids)
    documents = await record.flow_documents(connection, {s.flow_hash for s in sendouts})
    return [
        _sendout(
            sendout,
            counts[sendout.sendout_id],
            [
                *_held_channels(sendout, channels),
                *_held_templates(sendout, templates, documents[sendout.flow_hash]),
            ],
            _message_nodes(documents[sendout.flow_hash]),
        )
        for sendout in sendouts
    ]


def _message_nodes(document: str) -> dict[str, list[str]]:
    """The message nodes of a stored flow with the ids of their buttons."""
    return {
        name: [button["id"] for button in node.get("buttons") or ()]
        for name, node in json.loads(document)["nodes"].items()
        if node["type"] == "message"
    }


def _held_channels(
    sendout: record.Sendout, holds: Sequence[record.ChannelHold]
) -> list[HeldChannel]:
    return [
        HeldChannel(channel=hold.channel, code=hold.code, message=hold.message, since=hold.since)
        for hold in holds
        if hold.sendout_id == sendout.sendout_id
    ]


def _held_templates(
    sendout: record.Sendout, holds: Sequence[tuple[UUID, HeldTemplate]], document: str
) -> list[HeldTemplateOfFlow]:
    """Those of the holds in its accounts that its flow uses, each once."""
    own = [hold for sendout_id, hold in holds if sendout_id == sendout.sendout_id]
    used = _templates(document) if own else frozenset()
    first = {hold.key: hold for hold in reversed(own) if hold.key in used}
    return [
        HeldTemplateOfFlow(
            template=hold.name,
            language=hold.language,
            code=hold.code,
            message=hold.message,
            since=hold.since,
        )
        for hold in reversed(first.values())
    ]


def _templates(document: str) -> frozenset[Key]:
    """The templates of a stored flow, and what stands for all marketing if it has any."""
    nodes = json.loads(document)["nodes"].values()
    messages = [node["message"] for node in nodes if node["type"] == "message"]
    used = [message for message in messages if message["type"] == "template"]
    keys = {(message["name"], message["language"]) for message in used}
    if any(message["category"] == "marketing" for message in used):
        keys.add(EVERY_MARKETING)
    return frozenset(keys)


def _sendout(
    sendout: record.Sendout,
    counts: SendoutCounts,
    held_by: list[HeldChannel | HeldTemplateOfFlow],
    message_nodes: dict[str, list[str]],
) -> Sendout:
    nodes = _nodes(counts, message_nodes)
    return Sendout(
        sendout_id=sendout.sendout_id,
        campaign_id=sendout.campaign_id,
        campaign_name=sendout.campaign_name,
        campaign_version=sendout.campaign_version,
        label=sendout.label,
        source=sendout.source,
        state=sendout.state,
        current=sendout.current,
        progress="idle" if counts.idle else "running",
        held_by=held_by,
        skip_nodes=sendout.skip_nodes,
        created_at=sendout.created_at,
        finished_at=counts.last_end if counts.idle else None,
        entries=EntryCounts(accepted=sum(counts.entries.values()), **counts.entries),
        messages=MessageCounts(
            sent=sum(node.sent for node in nodes.values()),
            delivered=sum(node.delivered for node in nodes.values()),
            read=sum(node.read for node in nodes.values()),
            failed=sum(node.failed for node in nodes.values()),
            unknown=sum(node.unknown for node in nodes.values()),
            clicked=counts.clicked,
        ),
        nodes=nodes,
    )


def _nodes(counts: SendoutCounts, message_nodes: dict[str, list[str]]) -> dict[str, NodeCounts]:
    """The counts of every message node of the flow, zeros included."""
    nodes = {}
    for name, buttons in message_nodes.items():
        of_node = counts.nodes[name]
        nodes[name] = NodeCounts(
            sent=of_node.sent,
            delivered=of_node.delivered,
            read=of_node.read,
            failed=of_node.failed,
            unknown=of_node.unknown,
            clicked=dict.fromkeys(buttons, 0) | of_node.clicked,
        )
    return nodes
