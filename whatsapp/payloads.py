"""The JSON that goes over the wire for each message type (reference/whatsapp.md section 2)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, TypeAlias

from domain.flow import Button, MessageNode
from domain.message_types import (
    ButtonsMessage,
    CtaUrlMessage,
    ListMessage,
    LocationHeader,
    LocationMessage,
    MediaHeader,
    MediaMessage,
    TemplateMessage,
    TextHeader,
    TextMessage,
)

Json: TypeAlias = dict[str, Any]


def request_body(to: str, node: MessageNode, message_id: str) -> Json:
    """The body of `POST /{version}/{phone_number_id}/messages` for a rendered node.

    `to` is E.164 with its plus: without one WhatsApp puts the sender's own country code in front.
    `message_id` is ours: it comes back in every status, and in front of the tapped button's id
    (flow.md section 1), so both find their message before WhatsApp's own id is known.
    Optional texts that are empty are left out, since WhatsApp refuses them.
    """
    kind, content = _content(node, message_id)
    return {
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "to": to,
        "type": kind,
        kind: content,
        "biz_opaque_callback_data": message_id,
    }


def button_payload(message_id: str, button_id: str) -> str:
    """What a tap on that button of that message comes back with."""
    return f"{message_id}:{button_id}"


def _content(node: MessageNode, message_id: str) -> tuple[str, Json]:
    """The value of `type`, and the object under the key of that name."""
    match node.message:
        case TemplateMessage() as message:
            return "template", _template(message, node.buttons, message_id)
        case TextMessage() as message:
            return "text", {"preview_url": message.preview_url, "body": message.body}
        case MediaMessage() as message:
            return message.type, _media(message)
        case LocationMessage() as message:
            return "location", _location(message)
        case interactive:
            return "interactive", _interactive(interactive, node.buttons, message_id)


# --- parts that several types share ------------------------------------------------------------


def _media(part: MediaMessage | MediaHeader) -> Json:
    """A media object, by uploaded asset or else by link.

    Audio has no caption, and only a document has a file name.
    """
    media: Json = {"link": part.link} if part.id is None else {"id": part.id}
    if isinstance(part, MediaMessage) and part.type != "audio" and part.caption:
        media["caption"] = part.caption
    if part.type == "document" and part.filename:
        media["filename"] = part.filename
    return media


def _location(part: LocationMessage | LocationHeader) -> Json:
    location: Json = {
        "latitude": _degrees(part.latitude),
        "longitude": _degrees(part.longitude),
    }
    if part.name:
        location["name"] = part.name
    if part.address:
        location["address"] = part.address
    return location


def _degrees(value: float | str) -> str:
    """Degrees as WhatsApp's samples write them: text, never in exponent notation."""
    return value if isinstance(value, str) else format(Decimal(repr(value)), "f")


def _text_parameter(text: str, name: str | None = None) -> Json:
    if name is None:
        return {"type": "text", "text": text}
    return {"type": "text", "parameter_name": name, "text": text}


# --- templates ---------------------------------------------------------------------------------


def _template(message: TemplateMessage, buttons: tuple[Button, ...], message_id: str) -> Json:
    template: Json = {"name": message.name, "language": {"code": message.language}}
    components = [
        *_header_component(message),
        *_body_component(message),
        *_button_components(message, buttons, message_id),
    ]
    if components:
        template["components"] = components
    return template


def _header_component(message: TemplateMessage) -> Iterator[Json]:
    match message.header:
        case None:
            return
        case TextHeader(text=text):
            parameter = _text_parameter(text)
        case MediaHeader() as media:
            parameter = {"type": media.type, media.type: _media(media)}
        case LocationHeader() as place:
            parameter = {"type": "location", "location": _location(place)}
    yield {"type": "header", "parameters": [parameter]}


def _body_component(message: TemplateMessage) -> Iterator[Json]:
    if isinstance(message.body, dict):
        parameters = [_text_parameter(text, name) for name, text in message.body.items()]
    else:
        parameters = [_text_parameter(text) for text in message.body]
    if parameters:
        yield {"type": "body", "parameters": parameters}


def _button_components(
    message: TemplateMessage, buttons: tuple[Button, ...], message_id: str
) -> list[Json]:
    """The buttons with parameters, by their index among all of the template's buttons.

    A quick reply without an `index` of its own has its place in the node's order.
    """
    found: list[tuple[int, str, Json]] = [
        (
            place if button.index is None else button.index,
            "quick_reply",
            {"type": "payload", "payload": button_payload(message_id, button.id)},
        )
        for place, button in enumerate(buttons)
    ]
    found += [(url.index, "url", _text_parameter(url.text)) for url in message.url_buttons]
    if message.copy_code is not None:
        code = {"type": "coupon_code", "coupon_code": message.copy_code.code}
        found.append((message.copy_code.index, "copy_code", code))
    found.sort(key=lambda button: button[0])
    return [
        {"type": "button", "sub_type": kind, "index": str(index), "parameters": [parameter]}
        for index, kind, parameter in found
    ]


# --- interactive messages ----------------------------------------------------------------------


def _interactive(
    message: ButtonsMessage | ListMessage | CtaUrlMessage,
    buttons: tuple[Button, ...],
    message_id: str,
) -> Json:
    kind = "button" if isinstance(message, ButtonsMessage) else message.type
    interactive: Json = {"type": kind}
    match message.header:
        case TextHeader(text=text) if text:
            interactive["header"] = {"type": "text", "text": text}
        case MediaHeader() as media:
            interactive["header"] = {"type": media.type, media.type: _media(media)}
    interactive["body"] = {"text": message.body}
    if message.footer:
        interactive["footer"] = {"text": message.footer}
    interactive["action"] = _action(message, buttons, message_id)
    return interactive


def _action(
    message: ButtonsMessage | ListMessage | CtaUrlMessage,
    buttons: tuple[Button, ...],
    message_id: str,
) -> Json:
    match message:
        case ButtonsMessage():
            replies = [
                {"id": button_payload(message_id, button.id), "title": button.label}
                for button in buttons
            ]
            return {"buttons": [{"type": "reply", "reply": reply} for reply in replies]}
        case ListMessage():
            return {"button": message.menu, "sections": _sections(buttons, message_id)}
        case CtaUrlMessage():
            parameters = {"display_text": message.label, "url": message.url}
            return {"name": "cta_url", "parameters": parameters}


def _sections(buttons: tuple[Button, ...], message_id: str) -> list[Json]:
    """The rows grouped by section, sections in the order in which they first appear."""
    sections: dict[str, list[Json]] = {}
    for button in buttons:
        row = {"id": button_payload(message_id, button.id), "title": button.label}
        if button.description:
            row["description"] = button.description
        sections.setdefault(button.section or "", []).append(row)
    return [
        {"title": title, "rows": rows} if title else {"rows": rows}
        for title, rows in sections.items()
    ]
