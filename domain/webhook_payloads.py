"""The bodies of events, as Connectly documents them (reference/connectly.md section 4), and our additions.

Where its documents contradict each other, both forms are there: campaign metadata stands at the root
and in `statusUpdate`. Whatever a business gave as `callbackData` comes back as it was written.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from ulid import ULID

from domain import error_codes, json_text
from domain.documented_codes import ErrorCode, ErrorType
from domain.ids import MESSAGE_ID, ulid_as_uuid
from domain.webhook_events import Kind

_CHANNEL = "whatsapp"


@dataclass(frozen=True, slots=True)
class Origin:
    """The message of ours that an event is about; `callback_data` is JSON as it was given.

    `is_test` tells the test of a draft from what customers were sent.
    """

    message_id: str
    node: str
    entry_id: UUID
    sendout_id: UUID
    campaign_name: str | None
    """None of single messages without a tag."""
    campaign_version: str
    callback_data: str | None = None
    is_test: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One event with what the record knows of it.

    `key` is what its order is kept by: our message id, WhatsApp's id of an inbound message, or the
    id of a report's run. `client` is a customer's number, or the user id where that is hidden.
    `details` is the part of a body that the record keeps nowhere else, a JSON object as text.
    """

    event_id: int
    kind: Kind
    key: str
    at: datetime
    business_number: str | None = None
    client: str | None = None
    user_id: str | None = None
    text: str | None = None
    is_tap: bool = False
    button: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    details: str | None = None
    origin: Origin | None = None


def render(event: Event) -> str:
    """The body of an event as compact JSON; the same event is always rendered the same.

    Raises `ValueError` when the record no longer has what the body would tell.
    """
    if event.kind == "report":
        return json_text.write(_report(event))
    if event.business_number is None or (event.origin is None and event.kind != "inbound"):
        raise ValueError("the message it is about is no longer in the record")
    if event.kind == "inbound":
        body = _inbound(event)
    elif event.kind == "echo":
        body = _echo(event)
    else:
        body = _status(event)
    if event.origin is not None:
        body["metadata"] = {"campaign_name": event.origin.campaign_name, **_additions(event.origin)}
        if event.origin.callback_data is not None:
            body["callbackData"] = json_text.read(event.origin.callback_data)
    return json_text.write(body)


# --- delivery_status ---------------------------------------------------------------------------


def _status(event: Event) -> dict[str, Any]:
    update: dict[str, Any] = {
        "id": event.key,
        "status": event.kind,
        "error": _error(event) if event.kind == "delivery_failed" else None,
    }
    if event.origin is not None:
        named = {"campaignName": event.origin.campaign_name}
        update["metadata"] = named | _additions(event.origin)
    return {
        "topic": "delivery_status",
        "timestamp": _seconds(event.at),
        "sender": _business(event),
        "recipient": _customer(event),
        "statusUpdate": update,
    }


_TYPE_OF_STATUS: Mapping[int, ErrorType] = {
    401: ErrorType.AUTHENTICATION,
    403: ErrorType.AUTHORIZATION,
    404: ErrorType.NOT_FOUND,
    429: ErrorType.RESOURCE_EXHAUSTED,
    500: ErrorType.INTERNAL,
    503: ErrorType.UNAVAILABLE,
}
_OWN_ENDS: Mapping[str, tuple[ErrorType, str, str]] = {
    "OPTED_OUT": (
        ErrorType.FAILED_PRECONDITION,
        ErrorCode.MESSAGE_CUSTOMER_OPTED_OUT.value,
        "The customer has opted out of marketing",
    ),
    "EXPIRED": (
        ErrorType.DEADLINE_EXCEEDED,
        error_codes.OWN_CODES["EXPIRED"],
        "The message was not sent in time",
    ),
    "UNKNOWN": (
        ErrorType.UNSPECIFIED,
        error_codes.OWN_CODES["UNKNOWN"],
        "WhatsApp never said whether it took the message",
    ),
}
_NEEDS_ANSWER = {error_codes.WINDOW_CLOSED, error_codes.OPTED_OUT}
"""What no change of the request would mend: clients look for FAILED_PRECONDITION (connectly.md 0.1)."""


def _error(event: Event) -> dict[str, Any]:
    code, details = event.error_code, {}
    if code is not None and code.isdecimal():
        known = error_codes.lookup(int(code))
        type_ = _TYPE_OF_STATUS.get(known.http_status, ErrorType.INVALID_REQUEST)
        if known.code in _NEEDS_ANSWER:
            type_ = ErrorType.FAILED_PRECONDITION
        name, title, details = known.connectly, known.title, {"providerCode": int(code)}
    else:
        type_, name, title = _OWN_ENDS.get(
            code or "",
            (ErrorType.UNSPECIFIED, ErrorCode.UNSPECIFIED.value, "The message was not delivered"),
        )
    message = event.error_message or title
    return {
        "message": message,
        "type": type_.value,
        "code": name,
        "userTitle": title,
        "userMessage": message,
        "cntTraceId": str(event.event_id),
        "details": details,
    }


# --- messages ----------------------------------------------------------------------------------


def _inbound(event: Event) -> dict[str, Any]:
    more: dict[str, Any] = json_text.read(event.details) if event.details else {}
    body: dict[str, Any] = {
        "topic": "messages",
        "timestamp": _seconds(event.at),
        "sender": _customer(event, more.pop("name", None)),
        "recipient": _business(event),
    }
    if event.origin is not None:
        body["context"] = {"replyToId": _as_uuid(event.origin.message_id)}
    message_id = inbound_message_id(event.key, event.at)
    if event.is_tap:
        body["buttonResponse"] = {
            "text": event.text,
            "id": message_id,
            "payload": event.button,
        } | more
        return body
    body["message"] = {
        "id": message_id,
        "text": event.text,
        "attachments": [],
        "location": None,
    } | more
    return body


def _echo(event: Event) -> dict[str, Any]:
    return {
        "topic": "messages",
        "timestamp": _seconds(event.at),
        "sender": _business(event),
        "recipient": _customer(event),
        "message": {
            "id": event.key,
            "text": event.text,
            "attachments": [],
            "location": None,
            "isEcho": True,
        },
    }


def inbound_message_id(inbound_id: str, at: datetime) -> str:
    """The ULID by which an inbound message is known outside; WhatsApp's own ids are none."""
    milliseconds = max(0, int(at.timestamp() * 1000))
    digest = hashlib.sha256(inbound_id.encode()).digest()
    return str(ULID.from_bytes(milliseconds.to_bytes(6, "big") + digest[:10]))


def _as_uuid(message_id: str) -> str:
    """How `context.replyToId` prints a message id: in UUID layout (connectly.md section 0.2)."""
    if MESSAGE_ID.fullmatch(message_id) is None:
        return message_id
    return ulid_as_uuid(ULID.from_str(message_id))


# --- report ------------------------------------------------------------------------------------


def _report(event: Event) -> dict[str, Any]:
    return {
        "topic": "report",
        "timestamp": event.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "report": json_text.read(event.details or "{}"),
    }


# --- parts -------------------------------------------------------------------------------------


def _seconds(at: datetime) -> str:
    return str(int(at.timestamp()))


def _business(event: Event) -> dict[str, Any]:
    return {"id": event.business_number, "channelType": _CHANNEL, "name": None}


def _customer(event: Event, name: str | None = None) -> dict[str, Any]:
    """The customer; one with a user id has it and the number, empty if hidden, beside the id."""
    customer = {"id": event.client or event.user_id, "channelType": _CHANNEL, "name": name}
    if event.user_id is None:
        return customer
    known = event.client if event.client and event.client.startswith("+") else ""
    return customer | {"userId": event.user_id, "phoneNumber": known}


def _additions(origin: Origin) -> dict[str, Any]:
    additions = {
        "sendoutId": str(origin.sendout_id),
        "campaignVersion": origin.campaign_version,
        "nodeId": origin.node,
        "entryId": str(origin.entry_id),
    }
    return additions | ({"test": True} if origin.is_test else {})
