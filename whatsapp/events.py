"""Reading WhatsApp's webhook bodies (Cloud API): statuses, messages, user preferences, accounts.

Unknown fields, types and numbers are normal and passed over; what cannot be read never hides the
rest of a batch.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeGuard, get_args

from domain import error_codes
from domain.account_events import TemplateCategory, TemplateStatus, Trouble
from domain.inbound import Inbound, Preference, parse_user_id
from domain.phone import parse_phone
from domain.status import Status, StatusName
from whatsapp.inbound_details import message_details

_MILLISECONDS_FROM = 1_000_000_000_000
"""Timestamps are seconds; some senders of webhooks give milliseconds."""
_STATUSES = frozenset(get_args(StatusName))
_MEDIA = frozenset({"image", "video", "audio", "document", "sticker"})


class UnreadableEvents(ValueError):
    """The body is not a webhook body at all."""


@dataclass
class ChannelEvents:
    """Everything one body says about one phone number (`phone_number_id`, or None) of a WABA."""

    waba_id: str | None
    phone_number_id: str | None
    statuses: list[Status] = field(default_factory=list)
    inbound: list[Inbound] = field(default_factory=list)
    preferences: list[Preference] = field(default_factory=list)
    templates: list[TemplateStatus] = field(default_factory=list)
    categories: list[TemplateCategory] = field(default_factory=list)
    troubles: list[Trouble] = field(default_factory=list)


def read_events(body: bytes) -> list[ChannelEvents]:
    """The events of a webhook body, per channel in order of appearance.

    Raises `UnreadableEvents` when the body is no JSON object with an `entry` list.
    """
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableEvents(str(error)) from error
    entries = document.get("entry") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise UnreadableEvents("there is no list `entry`")
    channels: dict[tuple[str | None, str | None], ChannelEvents] = {}
    for entry in _objects(entries):
        waba_id = _text(entry.get("id"))
        for change in _objects(entry.get("changes")):
            value = change.get("value")
            if not isinstance(value, dict):
                continue
            metadata = value.get("metadata")
            number = _text(metadata.get("phone_number_id")) if isinstance(metadata, dict) else None
            events = channels.setdefault((waba_id, number), ChannelEvents(waba_id, number))
            events.statuses.extend(_statuses(value))
            events.inbound.extend(_inbound(value))
            events.preferences.extend(_preferences(value))
            at = _time(entry.get("time"))
            match change.get("field"):
                case "message_template_status_update":
                    events.templates.extend(_template_status(value, at))
                case "template_category_update":
                    events.categories.extend(_template_category(value, at))
                case "account_update":
                    events.troubles.extend(_account_update(value, at))
            events.troubles.extend(_errors(value, at))
    return list(channels.values())


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _text(value: object) -> str | None:
    """A text that can be stored: what PostgreSQL has no place for is marked as lost."""
    if not isinstance(value, str) or not value:
        return None
    return value.replace("\0", "\ufffd").encode(errors="replace").decode()


def _user_id(given: object, in_place_of_number: object) -> str | None:
    """The user id of a customer; WhatsApp has put it in the place of the number, too."""
    return parse_user_id(given) or parse_user_id(in_place_of_number)


def _error_code(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 2**31 else None


def _time(value: object) -> datetime | None:
    try:
        seconds = int(value) if isinstance(value, str | int) else None
        if seconds is None:
            return None
        if seconds >= _MILLISECONDS_FROM:
            return datetime.fromtimestamp(seconds / 1000, UTC)
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _is_status(name: object) -> TypeGuard[StatusName]:
    return name in _STATUSES


def _statuses(value: Mapping[str, Any]) -> Iterator[Status]:
    for status in _objects(value.get("statuses")):
        wamid, name, at = _text(status.get("id")), status.get("status"), status.get("timestamp")
        when = _time(at)
        if wamid is None or not _is_status(name) or when is None:
            continue
        error = next(_objects(status.get("errors")), {})
        data = error.get("error_data")
        details = data.get("details") if isinstance(data, dict) else None
        to, of_one = status.get("recipient_id"), status.get("recipient_type") != "group"
        yield Status(
            message_id=_text(status.get("biz_opaque_callback_data")),
            wamid=wamid,
            status=name,
            at=when,
            error_code=_error_code(error.get("code")),
            error_message=_text(details) or _text(error.get("title")),
            client=parse_phone(to) if of_one else None,
            user_id=_user_id(status.get("recipient_user_id"), to) if of_one else None,
        )


def _inbound(value: Mapping[str, Any]) -> Iterator[Inbound]:
    names = _profile_names(value)
    for message in _objects(value.get("messages")):
        inbound_id, when = _text(message.get("id")), _time(message.get("timestamp"))
        if inbound_id is None or when is None:
            continue
        context = message.get("context")
        answers = _text(context.get("id")) if isinstance(context, dict) else None
        kind, text, reply_id = _content(message)
        yield Inbound(
            inbound_id=inbound_id,
            kind=kind,
            client=parse_phone(message.get("from")),
            user_id=_user_id(message.get("from_user_id"), message.get("from")),
            at=when,
            text=text,
            reply_id=reply_id,
            answers=answers,
            details=message_details(message, _name_of(message, names)),
        )


def _profile_names(value: Mapping[str, Any]) -> dict[str | None, str]:
    """What customers call themselves, by the number and the user id WhatsApp gives."""
    names: dict[str | None, str] = {}
    for contact in _objects(value.get("contacts")):
        profile = contact.get("profile")
        name = _text(profile.get("name")) if isinstance(profile, dict) else None
        if name is not None:
            names |= {_text(contact.get(key)): name for key in ("wa_id", "user_id")}
    names.pop(None, None)
    return names


def _name_of(message: Mapping[str, Any], names: Mapping[str | None, str]) -> str | None:
    return names.get(_text(message.get("from"))) or names.get(_text(message.get("from_user_id")))


def _content(message: Mapping[str, Any]) -> tuple[Any, str | None, str | None]:
    """Kind, text and reply id of an inbound message, by its type."""
    kind = message.get("type")
    part = message.get(kind) if isinstance(kind, str) else None
    if not isinstance(part, dict):
        return "other", None, None
    if kind == "text":
        return "text", _text(part.get("body")), None
    if kind == "button":
        return "tap", _text(part.get("text")), _text(part.get("payload"))
    if kind == "interactive":
        reply = part.get(str(part.get("type")))
        if isinstance(reply, dict) and "id" in reply:
            return "tap", _text(reply.get("title")), _text(reply.get("id"))
    if kind in _MEDIA:
        return "media", _text(part.get("caption")), None
    return "other", None, None


def _preferences(value: Mapping[str, Any]) -> Iterator[Preference]:
    for preference in _objects(value.get("user_preferences")):
        number, wish = preference.get("wa_id"), preference.get("value")
        client, user_id = parse_phone(number), _user_id(preference.get("user_id"), number)
        if (client or user_id) and wish in {"stop", "resume"}:
            yield Preference(client, user_id, stop=wish == "stop")


# --- accounts and their templates --------------------------------------------------------------


def _template_named(value: Mapping[str, Any]) -> tuple[str, str] | None:
    name = _text(value.get("message_template_name"))
    language = _text(value.get("message_template_language"))
    if name is None or language is None:
        return None
    # Languages are written with `_` where templates are sent, and with `-` in some events.
    return name, language.replace("-", "_")


def _template_category(value: Mapping[str, Any], at: datetime | None) -> Iterator[TemplateCategory]:
    """A change that was made; one that is only announced names no new category."""
    named, category = _template_named(value), _text(value.get("new_category"))
    if named is not None and category is not None:
        yield TemplateCategory(*named, category.upper(), at)


def _template_status(value: Mapping[str, Any], at: datetime | None) -> Iterator[TemplateStatus]:
    named, event = _template_named(value), _text(value.get("event"))
    if named is None or event is None:
        return
    info = value.get("other_info")
    told = info if isinstance(info, dict) else {}
    reason = (
        _text(told.get("description")) or _text(told.get("title")) or _text(value.get("reason"))
    )
    yield TemplateStatus(*named, event, None if reason == "NONE" else reason, at)


def _account_update(value: Mapping[str, Any], at: datetime | None) -> Iterator[Trouble]:
    """An account that WhatsApp disabled, deleted, or forbids to write to customers first."""
    event, ban = value.get("event"), value.get("ban_info")
    banned = isinstance(ban, dict) and ban.get("waba_ban_state") in ("DISABLE", ["DISABLE"])
    restricted = any(
        restriction.get("restriction_type") == "RESTRICTED_BIZ_INITIATED_MESSAGING"
        for restriction in _objects(value.get("restriction_info"))
    )
    if event == "ACCOUNT_DELETED" or banned or restricted:
        message = f"account_update: {_text(event) or 'no event named'}"
        yield Trouble(error_codes.ACCOUNT_LOCKED, message, at)


def _errors(value: Mapping[str, Any], at: datetime | None) -> Iterator[Trouble]:
    """Errors that come with neither a status nor a message (`value.errors`)."""
    for error in _objects(value.get("errors")):
        code, data = _error_code(error.get("code")), error.get("error_data")
        details = data.get("details") if isinstance(data, dict) else None
        if code is not None:
            yield Trouble(code, _text(details) or _text(error.get("title")), at)
