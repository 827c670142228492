"""Reading a request to send one message (WhatsApp Cloud API, sending messages)."""

from collections.abc import Callable
from typing import Any

from whatsapp.simulator.config import Channel
from whatsapp.simulator.fields import (
    invalid,
    missing,
    optional_object,
    optional_text,
    required_object,
    required_text,
)
from whatsapp.simulator.graph_error import GraphError
from whatsapp.simulator.interactive import read_interactive
from whatsapp.simulator.media import ASSETS, read_asset, read_location
from whatsapp.simulator.outgoing import Content, Outgoing
from whatsapp.simulator.phone import dialled
from whatsapp.simulator.template_message import TemplateLookup, read_template

_WHERE = "message"


# Finds the phone number behind a business-scoped user id.
UserLookup = Callable[[str], str | None]


def is_read_mark(request: dict[str, Any]) -> bool:
    """Whether the request marks an inbound message as read instead of sending one."""
    return "status" in request and "type" not in request


def check_read_mark(request: dict[str, Any]) -> None:
    """Raises `GraphError` unless the request marks a message as read."""
    _check_product(request)
    if request["status"] != "read":
        raise invalid("status", "must be read")
    required_text(request, "message_id", _WHERE, 512)


def read_message(
    request: Any, channel: Channel, templates: TemplateLookup, users: UserLookup
) -> Outgoing:
    """The message a request asks for.

    Raises `GraphError`: 100, 131008, 131009 for the form, 131021 for a message to oneself,
    131051 for an unknown type, 131062 and 1320xx for templates.
    """
    if not isinstance(request, dict):
        raise GraphError(100, "The request must be a JSON object.")
    _check_product(request)
    if request.get("recipient_type", "individual") != "individual":
        raise GraphError(100, "recipient_type must be individual.")
    to, asked, by_user_id = _recipient(request, channel, users)
    kind = request.get("type", "text")
    content = _content(request, kind, templates)
    if by_user_id and content.category == "authentication":
        raise GraphError(131062, "Authentication templates need a phone number.")
    context = optional_object(request, "context", _WHERE)
    if context is not None:
        required_text(context, "message_id", "context", 512)
    opaque = optional_text(request, "biz_opaque_callback_data", _WHERE, 512, code=100)
    return Outgoing(kind, to, asked, by_user_id, content, opaque, request)


def _check_product(request: dict[str, Any]) -> None:
    if request.get("messaging_product") != "whatsapp":
        raise GraphError(100, "messaging_product must be whatsapp.")


def _recipient(
    request: dict[str, Any], channel: Channel, users: UserLookup
) -> tuple[str, str, bool]:
    to = request.get("to")
    if not to and isinstance(request.get("recipient"), str):
        user = request["recipient"]
        digits = users(user)
        if digits is None:
            raise invalid("recipient", "is not a user this business has met")
        return digits, user, True
    if not to:
        raise missing("to")
    digits = dialled(to, channel.digits) if isinstance(to, str) else None
    if digits is None:
        raise invalid("to", "is not a phone number")
    if digits == channel.digits:
        raise GraphError(131021, "A business cannot message its own number.")
    return digits, to, False


def _content(request: dict[str, Any], kind: Any, templates: TemplateLookup) -> Content:
    if kind == "template":
        return read_template(required_object(request, "template", _WHERE), templates)
    if kind in ASSETS:
        return read_asset(request, kind)
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        known = ", ".join([*_READERS, *ASSETS, "template"])
        raise GraphError(131051, f"type must be one of {known}.")
    return reader(request)


def _text(request: dict[str, Any]) -> Content:
    text = required_object(request, "text", _WHERE)
    if not isinstance(text.get("preview_url", False), bool):
        raise invalid("text.preview_url", "must be true or false")
    return Content(required_text(text, "body", "text", 4096, code=100))


def _reaction(request: dict[str, Any]) -> Content:
    reaction = required_object(request, "reaction", _WHERE)
    required_text(reaction, "message_id", "reaction", 512)
    # An empty emoji takes the reaction back.
    return Content(optional_text(reaction, "emoji", "reaction", 16) or "")


_READERS: dict[str, Callable[[dict[str, Any]], Content]] = {
    "text": _text,
    "interactive": read_interactive,
    "location": read_location,
    "reaction": _reaction,
}
