"""What the two calls for single messages have in common: who gets it, from whom, under which tag."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.json_body import given
from api.schemas.texts import LONGEST_NAME, is_one_line
from domain import json_text
from domain.documented_codes import ErrorCode
from domain.entry_checks import LARGEST_CALLBACK_DATA
from domain.errors import BadRequest
from domain.grouping import normal_name
from domain.phone import parse_phone


@dataclass(frozen=True, slots=True)
class Addressed:
    """Who gets a message: numbers in E.164, `sender` None for the default channel."""

    client: str
    sender: str | None
    tag: str | None
    """`campaignName` in NFC."""
    callback_data: str | None
    """JSON text."""


def read_addressed(fields: Mapping[str, Any], client: str, sender: object) -> Addressed:
    """The fields both calls have. Raises `BadRequest`."""
    return Addressed(client, read_sender(sender), _tag(fields), _callback_data(fields))


def read_number(value: object, field: str) -> str:
    """A recipient's number in E.164. Raises `BadRequest` (PHONE_NUMBER_BAD_FORMAT)."""
    if value is None or value == "":
        raise BadRequest(f"`{field}` is missing: give the recipient's number, as +16045552331.")
    number = parse_phone(value) if type(value) is str else None
    if number is None:
        raise BadRequest(
            f"`{field}` must be a phone number with its country code, for example +16045552331; "
            "user ids (BSUID) cannot be sent to.",
            code=ErrorCode.PHONE_NUMBER_BAD_FORMAT,
            title="Phone number has a bad format",
        )
    return number


def read_sender(value: object) -> str | None:
    """The sender's number in E.164, None for the default. Raises `BadRequest` (INVALID_SENDER_ID)."""
    if value is None or value == "":
        return None
    number = parse_phone(value) if type(value) is str else None
    if number is None:
        raise invalid_sender()
    return number


def invalid_sender() -> BadRequest:
    """The refusal of a sender that is no channel."""
    return BadRequest(
        "`sender` is not the number of one of your channels.",
        code=ErrorCode.INVALID_SENDER_ID,
        title="Invalid sender id",
        advice="Please use the phone number of one of your channels.",
    )


def text_of(fields: Mapping[str, Any], name: str, field: str | None = None) -> str | None:
    """An optional text; a number counts as its spelling. Raises `BadRequest` naming `field`."""
    value = given(fields, name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRequest(f"`{field or name}` must be a text.")
    return str(value)


def object_of(fields: Mapping[str, Any], name: str, field: str | None = None) -> Mapping[str, Any]:
    """An optional object, `{}` when it is absent. Raises `BadRequest` naming `field`."""
    value = given(fields, name)
    if value is None:
        return {}
    if type(value) is not dict:
        raise BadRequest(f"`{field or name}` must be an object.")
    return value


def objects_of(fields: Mapping[str, Any], name: str, field: str) -> list[Mapping[str, Any]]:
    """An optional list of objects. Raises `BadRequest` naming `field`."""
    value = given(fields, name)
    if value is None:
        return []
    if type(value) is not list or any(type(item) is not dict for item in value):
        raise BadRequest(f"`{field}` must be a list of objects.")
    return value


def refuse_unstorable(fields: Any) -> None:
    """Raise `BadRequest` for texts that nobody can store or send."""
    if not json_text.is_storable(fields):
        raise BadRequest("The body holds a NUL character or half of a surrogate pair.")


def _tag(fields: Mapping[str, Any]) -> str | None:
    tag = text_of(fields, "campaignName")
    if not tag:
        return None
    if len(tag) > LONGEST_NAME or not is_one_line(tag):
        raise BadRequest(f"`campaignName` must be one line of at most {LONGEST_NAME} characters.")
    return normal_name(tag)


def _callback_data(fields: Mapping[str, Any]) -> str | None:
    value = given(fields, "callbackData")
    if value is None:
        return None
    try:
        text = json_text.write(value)
    except json_text.NestedTooDeeply as error:
        raise BadRequest(f"Please check `callbackData`: {error}.") from None
    if len(text.encode()) > LARGEST_CALLBACK_DATA:
        raise BadRequest(f"`callbackData` must be at most {LARGEST_CALLBACK_DATA} bytes as JSON.")
    return text
