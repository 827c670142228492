"""A message a business asked to send, read and found acceptable."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

_NOTHING: Mapping[str, Any] = MappingProxyType({})


class Button(NamedTuple):
    """What the customer may tap: its id on the wire and the label shown."""

    id: str
    label: str
    description: str | None = None


class Content(NamedTuple):
    """What the customer sees; `category` is the one WhatsApp bills by, in lower case.

    `shown` is what stands around the text (`whatsapp.simulator.appearance`).
    """

    text: str
    buttons: tuple[Button, ...] = ()
    category: str = "service"
    shown: Mapping[str, Any] = _NOTHING


class Outgoing(NamedTuple):
    """One message: `to` in digits, `asked` as the request wrote the recipient."""

    type: str
    to: str
    asked: str
    by_user_id: bool
    content: Content
    opaque: str | None
    request: dict[str, Any]
