"""Requests and answers of the channel resource (api.md section 6)."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints

from api.bodies import RequestBody
from api.schemas.common import Schema
from api.schemas.texts import Line
from domain.phone import parse_phone


def _number(text: str) -> str:
    number = parse_phone(text)
    if number is None:
        raise ValueError("write a phone number, for example +15550001111")
    return number


_PhoneNumber: TypeAlias = Annotated[str, AfterValidator(_number)]
_MetaId: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[0-9A-Za-z_.:-]{1,100}$"), Field(description="Meta's id.")
]
_Secret: TypeAlias = Annotated[
    str, StringConstraints(pattern=r"^[!-~]{1,2000}$"), Field(description="Never answered.")
]
_Rate: TypeAlias = Annotated[int, Field(ge=1, le=1000, description="Messages per second.")]


class NewChannel(RequestBody):
    """A WhatsApp number to send from."""

    phone_number: _PhoneNumber
    phone_number_id: _MetaId
    waba_id: _MetaId
    access_token: _Secret
    app_secret: _Secret
    default: bool = False
    messages_per_second: _Rate = 60


class ChannelChange(RequestBody):
    """What changes of a channel; its number stays, since customers know the business by it."""

    phone_number_id: _MetaId | None = None
    waba_id: _MetaId | None = None
    access_token: _Secret | None = None
    app_secret: _Secret | None = None
    default: bool | None = None
    messages_per_second: _Rate | None = None


class HoldOrder(RequestBody):
    """Why the channel is held, for whoever looks."""

    message: Line | None = None


class ChannelHold(Schema):
    """Why and since when nothing is sent; `code` is WhatsApp's, `by` a key's name or whatsapp."""

    code: int | None
    message: str | None
    since: datetime
    by: str | None


class Channel(Schema):
    """A channel, without its secrets."""

    channel_id: UUID
    phone_number: str
    phone_number_id: str
    waba_id: str
    default: bool
    messages_per_second: int
    state: Literal["active", "held"]
    hold: ChannelHold | None
    created_at: datetime
