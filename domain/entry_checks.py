"""One entry of a send request: read leniently, checked in the order of api.md section 2.

Written by hand because a request holds up to 10,000 of them: a model per entry costs more than all
the rest of accepting it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from domain import json_text, send_errors
from domain.errors import PartialError
from domain.flow_inputs import FlowInputs
from domain.phone import parse_phone

LARGEST_CALLBACK_DATA = 1024
"""Bytes, as compact JSON in UTF-8."""
FURTHEST_AHEAD = timedelta(days=90)
FURTHEST_PAST = timedelta(hours=24)

_TEXT_FIELDS = ("sender", "client", "campaignVersion", "scheduledAt")
_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII
)


class Channel(NamedTuple):
    """A number of the business to send from."""

    channel_id: UUID
    phone_number: str


class Accepted(NamedTuple):
    """A good entry, as it is to be stored."""

    position: int
    """In the request, from 0."""
    client: str
    channel_id: UUID
    variables: str
    """JSON text, numbers as they were written."""
    callback_data: str | None
    """JSON text."""
    scheduled_at: datetime | None


class Rejected(NamedTuple):
    """An entry that is refused: the documented error, and in `reason` what exactly is wrong."""

    position: int
    client: str | None
    error: PartialError
    reason: str


@dataclass(frozen=True, slots=True)
class Situation:
    """What entries are checked against, besides their campaign's flow."""

    channels: Mapping[str, Channel]
    """By phone number, E.164."""
    default_channel: Channel | None
    now: datetime
    honours_scheduled_at: bool = True
    may_hold_unstorable: bool = True
    """Whether any text of the request can hold a NUL or half of a surrogate pair."""


def field(entry: Mapping[str, Any], camel: str, snake: str) -> Any:
    """A field in either spelling; camelCase wins, null is absent."""
    value = entry.get(camel)
    return value if value is not None else entry.get(snake)


class _Refusal(Exception):
    """Carries why an entry is refused up to where the answer is made."""

    def __init__(self, error: PartialError, reason: str) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason


def _invalid(reason: str) -> _Refusal:
    return _Refusal(send_errors.ENTRY_INVALID, reason)


def check_entry(
    position: int, entry: Mapping[str, Any], situation: Situation, inputs: FlowInputs
) -> Accepted | Rejected:
    """Read the entry of a campaign that can be sent, or find the first error that applies."""
    try:
        return _read(position, entry, situation, inputs)
    except _Refusal as refusal:
        return Rejected(position, client_as_given(entry), refusal.error, refusal.reason)


def client_as_given(entry: object) -> str | None:
    """The client for the report: as E.164 if it can be read, else the text that was given."""
    client = entry.get("client") if isinstance(entry, Mapping) else None
    return parse_phone(client) or (client if type(client) is str else None)


def _read(
    position: int, entry: Mapping[str, Any], situation: Situation, inputs: FlowInputs
) -> Accepted:
    sender = entry.get("sender") or None
    if sender is None and situation.default_channel is None:
        raise _Refusal(send_errors.NO_CHANNEL, "no `sender` is given and no channel is the default")
    client = entry.get("client")
    variables = entry.get("variables")
    version = field(entry, "campaignVersion", "campaign_version")
    scheduled_at = field(entry, "scheduledAt", "scheduled_at")
    _check_types(entry, version, scheduled_at)
    phone = _client(client)
    channel = _channel(sender, situation)
    if phone == channel.phone_number:
        raise _Refusal(send_errors.CLIENT_IS_SENDER, "`client` is the number that sends")
    if variables is None:
        variables = {}
    if (refusal := inputs.refusal(variables)) is not None:
        raise _invalid(refusal)
    callback_data = field(entry, "callbackData", "callback_data")
    if situation.may_hold_unstorable:
        _check_storable("variables", variables)
        _check_storable("callbackData", callback_data)
    return Accepted(
        position,
        phone,
        channel.channel_id,
        _json("variables", variables) if variables else "{}",
        None if callback_data is None else _callback_data(callback_data),
        None if scheduled_at is None else _scheduled_at(scheduled_at, situation),
    )


def _check_types(entry: Mapping[str, Any], version: object, scheduled_at: object) -> None:
    # Numbers are read as a kind of text, hence `type … is`.
    texts = (entry.get("sender"), entry.get("client"), version, scheduled_at)
    for name, value in zip(_TEXT_FIELDS, texts, strict=True):
        if value is not None and type(value) is not str:
            raise _invalid(f"`{name}` must be a text")
    variables = entry.get("variables")
    if variables is not None and type(variables) is not dict:
        raise _invalid('`variables` must be an object, for example {"name": "Ann"}')


def _client(client: str | None) -> str:
    if not client:
        raise _invalid("`client` is required")
    phone = parse_phone(client)
    if phone is None:
        raise _Refusal(
            send_errors.CLIENT_INVALID,
            "`client` must be a phone number with its country code, for example +16045552331",
        )
    return phone


def _channel(sender: str | None, situation: Situation) -> Channel:
    if sender is None:
        assert situation.default_channel is not None  # noqa: S101 - refused before
        return situation.default_channel
    channel = situation.channels.get(parse_phone(sender) or "")
    if channel is None:
        raise _Refusal(
            send_errors.SENDER_INVALID, "`sender` is not the number of a channel of this business"
        )
    return channel


def _json(name: str, value: Any) -> str:
    try:
        return json_text.write(value)
    except json_text.NestedTooDeeply:
        raise _invalid(
            f"`{name}` is nested too deeply: {json_text.DEEPEST} levels are the most"
        ) from None


def _check_storable(name: str, value: Any) -> None:
    if not json_text.is_storable(value):
        raise _invalid(f"`{name}` holds a NUL character or half of a surrogate pair")


def _callback_data(value: Any) -> str:
    text = _json("callbackData", value)
    if len(text) > LARGEST_CALLBACK_DATA or len(text.encode()) > LARGEST_CALLBACK_DATA:
        raise _invalid(f"`callbackData` must be at most {LARGEST_CALLBACK_DATA} bytes as JSON")
    return text


def _scheduled_at(text: str, situation: Situation) -> datetime | None:
    if not text or not situation.honours_scheduled_at:
        return None
    time = read_time(text)
    if time is None:
        raise _invalid("`scheduledAt` must be a time with its offset, as 2026-05-04T09:30:00Z")
    if time > situation.now + FURTHEST_AHEAD:
        raise _invalid("`scheduledAt` must be within the next 90 days")
    if time < situation.now - FURTHEST_PAST:
        raise _invalid("`scheduledAt` is more than 24 hours ago")
    return time


def read_time(text: str) -> datetime | None:
    """An RFC 3339 time in UTC; None when the text is not one, or has no offset."""
    if _RFC_3339.fullmatch(text) is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
