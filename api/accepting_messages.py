"""From a read call to a stored entry: one message, through the delivery path of campaigns.

Everything is one transaction, with a constant number of statements. What WhatsApp says of templates
is read from the record; where that is too old to refuse by, it is asked anew outside of the
transaction, and the call is judged again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.accepting import flows_at_hand
from api.deps import Caller, Parts
from api.errors import json_bytes
from api.message_fields import Addressed, invalid_sender
from domain import json_text
from domain.documented_codes import ErrorCode
from domain.entry_checks import Accepted, Channel
from domain.errors import BadRequest, PreconditionFailed, Unavailable
from domain.flow import Flow
from domain.flow_cache import FLOWS
from domain.grouping import Target
from domain.ids import message_id, time_ordered_ids
from domain.one_message import NODE, OneMessage, first_issue
from storage import acceptance, single_messages
from storage.acceptance import Batch, SituationChanged
from storage.availability import is_deadlock
from storage.flows import canonical, hash_of
from storage.idempotency import IdempotentRequest, KeptAnswer, first_answer, keep_answer

_ATTEMPTS = 5


class TemplatesOutdated(Exception):
    """The record's templates are older than these seconds, too old to refuse the call by."""

    def __init__(self, older_than: float) -> None:
        super().__init__(older_than)
        self.older_than = older_than


@dataclass(frozen=True, slots=True)
class CampaignEntry:
    """The message is the start of a published campaign: its flow runs with these variables."""

    flow: Flow
    variables: dict[str, str]


@dataclass(frozen=True, slots=True)
class Situation:
    """What the record says to a call, in its transaction."""

    connection: AsyncConnection
    parts: Parts
    business_id: UUID
    channel: Channel
    client: str
    campaign: Flow | None
    """The newest flow of the published campaign that the tag names."""
    templates_are_final: bool = False
    """WhatsApp was asked for this call already, in vain or not."""


class Call(Protocol):
    """A call that was read: what it sends depends on the situation."""

    @property
    def addressed(self) -> Addressed: ...

    async def message(self, situation: Situation) -> OneMessage | CampaignEntry:
        """What to send. Raises `domain.errors.ApiError`, `TemplatesOutdated`."""
        ...


@dataclass(slots=True)
class _Stored:
    sendout_id: UUID
    message_id: str


@dataclass(slots=True)
class _Attempt:
    lock: bool = False
    asked: bool = False
    tried: int = field(default=0)


async def accept_message(
    parts: Parts, caller: Caller, call: Call, first: IdempotentRequest | None
) -> KeptAnswer:
    """Store the message and answer with its id; when this returns it is durable.

    Raises `domain.errors.ApiError`.
    """
    attempt = _Attempt()
    while attempt.tried < _ATTEMPTS:
        attempt.tried += 1
        try:
            answer, stored = await _accept_once(parts, caller, call, first, attempt)
        except TemplatesOutdated as outdated:
            attempt.asked = True
            if parts.templates is not None:
                await parts.templates.refresh(caller.business_id, older_than=outdated.older_than)
            continue
        except SituationChanged:
            attempt.lock = True
            continue
        except DBAPIError as error:
            if not is_deadlock(error):
                raise
            attempt.lock = True
            continue
        if stored is not None:
            parts.pokes.poke(stored.sendout_id)
            parts.metrics.entries.labels("accepted").inc()
        return answer
    raise Unavailable("What this message belongs to keeps changing; nothing was done. Repeat it.")


async def _accept_once(
    parts: Parts,
    caller: Caller,
    call: Call,
    first: IdempotentRequest | None,
    attempt: _Attempt,
) -> tuple[KeptAnswer, _Stored | None]:
    async with parts.database.transaction() as connection:
        if first is not None and (kept := await first_answer(connection, first)) is not None:
            return kept, None
        stored = await _store(connection, parts, caller.business_id, call, attempt)
        answer = KeptAnswer(201, json_bytes({"id": stored.message_id}).decode())
        if first is not None:
            await keep_answer(connection, first, answer)
        return answer, stored


async def _store(
    connection: AsyncConnection, parts: Parts, business_id: UUID, call: Call, attempt: _Attempt
) -> _Stored:
    to = call.addressed
    asked: Sequence[tuple[str, str | None]] = [(to.tag, None)] if to.tag is not None else []
    resolved = await acceptance.resolve(connection, business_id, asked, lock=attempt.lock)
    channel = _channel(to, resolved)
    target = resolved.targets.get((to.tag, None)) if to.tag is not None else None
    published = target if target is not None and target.state == "published" else None
    campaign = None
    if published is not None and published.flow_hash is not None:
        flows = await flows_at_hand(connection, {published.flow_hash})
        campaign = flows[published.flow_hash]
    situation = Situation(
        connection,
        parts,
        business_id,
        channel,
        to.client,
        campaign,
        templates_are_final=attempt.asked or parts.templates is None,
    )
    message = await call.message(situation)
    entry_id = time_ordered_ids(1)[0]
    if isinstance(message, CampaignEntry) and published is not None:
        return await _join_campaign(situation, call, message, published, entry_id)
    if isinstance(message, CampaignEntry):
        raise TypeError("there is no campaign to join")
    return await _add_single(situation, call, message, entry_id)


def _channel(to: Addressed, resolved: acceptance.Resolved) -> Channel:
    if to.sender is None:
        channel = resolved.default_channel
        if channel is None:
            raise PreconditionFailed(
                "No `sender` is given and no channel is the default.",
                code=ErrorCode.BUSINESS_MISSES_MATCHING_CHANNEL,
                title="Business misses matching channel",
                advice="Please connect a channel or mark one as default.",
            )
    else:
        channel = resolved.channels.get(to.sender)
        if channel is None:
            raise invalid_sender()
    if channel.phone_number == to.client:
        raise BadRequest(
            "The recipient is the number that sends.",
            code=ErrorCode.MESSAGE_SELF_INVALID,
            title="Recipient equals sender",
            advice="Please send to another number.",
        )
    return channel


async def _join_campaign(
    situation: Situation, call: Call, entry: CampaignEntry, target: Target, entry_id: str
) -> _Stored:
    """An entry of the campaign's current sendout, `allow_multiple`."""
    connection, business_id = situation.connection, situation.business_id
    sendout_id = target.sendout_id
    if sendout_id is None:
        opened = await acceptance.open_sendouts(connection, business_id, [target])
        sendout_id, _ = opened[target.campaign_id, target.campaign_version or ""]
    accepted = Accepted(
        0,
        situation.client,
        situation.channel.channel_id,
        json_text.write(entry.variables),
        call.addressed.callback_data,
        None,
    )
    batch = Batch(target.campaign_id, sendout_id, [entry_id], [accepted])
    await acceptance.accept(connection, business_id, [batch], allow_multiple=True)
    created_at = await single_messages.accepted_at(connection)
    return _Stored(sendout_id, message_id(UUID(entry_id), created_at, 1, entry.flow.start, visit=1))


async def _add_single(
    situation: Situation, call: Call, message: OneMessage, entry_id: str
) -> _Stored:
    document = canonical(message.document)
    new = single_messages.NewMessage(
        situation.business_id,
        call.addressed.tag,
        hash_of(document),
        document,
        entry_id,
        situation.channel.channel_id,
        situation.client,
        json_text.write(message.variables),
        call.addressed.callback_data,
    )
    stored = await single_messages.add_message(situation.connection, new)
    return _Stored(
        stored.sendout_id, message_id(UUID(entry_id), stored.created_at, 1, NODE, visit=1)
    )


def refuse_beyond_limits(
    message: OneMessage, codes: dict[str, tuple[ErrorCode, str]], other: ErrorCode, title: str
) -> None:
    """Raise `BadRequest` for what WhatsApp would refuse, with the code for that kind of issue."""
    text = canonical(message.document)
    name = hash_of(text)
    flow = FLOWS.get(name)
    if flow is None:
        flow = Flow.model_validate_json(text)
        FLOWS.put(name, flow)
    found = first_issue(flow, message)
    if found is not None:
        issue, where = found
        code, called = codes.get(issue.code, (other, title))
        raise BadRequest(f"Please check `{where}`: {issue.message}.", code=code, title=called)
