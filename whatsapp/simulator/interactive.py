"""The limits of interactive messages (WhatsApp Cloud API, interactive messages)."""

from collections.abc import Callable
from typing import Any

from whatsapp.simulator.appearance import of_interactive
from whatsapp.simulator.fields import (
    invalid,
    missing,
    objects,
    optional_object,
    optional_text,
    required_object,
    required_text,
    unique,
    web_address,
)
from whatsapp.simulator.media import check_asset
from whatsapp.simulator.outgoing import Button, Content

_WHERE = "interactive"
_MEDIA_HEADERS = ("image", "video", "document")


def read_interactive(message: dict[str, Any]) -> Content:
    """The body and buttons of an interactive message.

    Raises `GraphError` 131008 for what is missing, 131009 for what breaks a limit.
    """
    interactive = required_object(message, "interactive", "message")
    kind = required_text(interactive, "type", _WHERE, 40)
    reader = _READERS.get(kind)
    if reader is None:
        raise invalid(f"{_WHERE}.type", f"must be one of {', '.join(_READERS)}")
    # The documentation gives lists 4096 characters in one place and 1024 in another.
    text = _body(interactive, 4096 if kind == "list" else 1024)
    _header(interactive, only_text=kind == "list")
    footer = optional_object(interactive, "footer", _WHERE)
    if footer is not None:
        required_text(footer, "text", f"{_WHERE}.footer", 60)
    buttons = reader(required_object(interactive, "action", _WHERE))
    return Content(text, buttons, shown=of_interactive(interactive))


def _body(interactive: dict[str, Any], longest: int) -> str:
    body = required_object(interactive, "body", _WHERE)
    return required_text(body, "text", f"{_WHERE}.body", longest)


def _header(interactive: dict[str, Any], *, only_text: bool) -> None:
    header = optional_object(interactive, "header", _WHERE)
    if header is None:
        return
    kind = required_text(header, "type", f"{_WHERE}.header", 40)
    if kind == "text":
        required_text(header, "text", f"{_WHERE}.header", 60)
    elif kind in _MEDIA_HEADERS and not only_text:
        check_asset(required_object(header, kind, f"{_WHERE}.header"), f"{_WHERE}.header.{kind}")
    else:
        raise invalid(f"{_WHERE}.header.type", f"cannot be {kind} here")


def _reply_buttons(action: dict[str, Any]) -> tuple[Button, ...]:
    where = f"{_WHERE}.action.buttons"
    buttons = objects(action, "buttons", f"{_WHERE}.action")
    if not buttons:
        raise missing(where)
    if len(buttons) > 3:
        raise invalid(where, "may hold 3 buttons at most")
    read = tuple(_reply_button(button, f"{where}[{i}]") for i, button in enumerate(buttons))
    unique((button.id for button in read), f"{where}.reply.id")
    unique((button.label for button in read), f"{where}.reply.title")
    return read


def _reply_button(button: dict[str, Any], where: str) -> Button:
    if button.get("type") != "reply":
        raise invalid(f"{where}.type", "must be reply")
    reply = required_object(button, "reply", where)
    identifier = required_text(reply, "id", f"{where}.reply", 256)
    if identifier != identifier.strip():
        raise invalid(f"{where}.reply.id", "may not start or end with a space")
    return Button(identifier, required_text(reply, "title", f"{where}.reply", 20))


def _list_rows(action: dict[str, Any]) -> tuple[Button, ...]:
    where = f"{_WHERE}.action"
    required_text(action, "button", where, 20)
    sections = objects(action, "sections", where)
    if not sections:
        raise missing(f"{where}.sections")
    if len(sections) > 10:
        raise invalid(f"{where}.sections", "may hold 10 sections at most")
    rows: list[Button] = []
    for i, section in enumerate(sections):
        rows += _section_rows(section, f"{where}.sections[{i}]", titled=len(sections) > 1)
    if len(rows) > 10:
        raise invalid(f"{where}.sections", "may hold 10 rows over all sections")
    unique((row.id for row in rows), f"{where}.sections.rows.id")
    return tuple(rows)


def _section_rows(section: dict[str, Any], where: str, *, titled: bool) -> list[Button]:
    read_title = required_text if titled else optional_text
    read_title(section, "title", where, 24)
    rows = objects(section, "rows", where)
    if not rows:
        raise missing(f"{where}.rows")
    return [
        Button(
            required_text(row, "id", f"{where}.rows[{i}]", 200),
            required_text(row, "title", f"{where}.rows[{i}]", 24),
            optional_text(row, "description", f"{where}.rows[{i}]", 72),
        )
        for i, row in enumerate(rows)
    ]


def _link(action: dict[str, Any]) -> tuple[Button, ...]:
    where = f"{_WHERE}.action"
    _named(action, "cta_url")
    parameters = required_object(action, "parameters", where)
    required_text(parameters, "display_text", f"{where}.parameters", 20)
    web_address(parameters, "url", f"{where}.parameters")
    return ()


def _flow(action: dict[str, Any]) -> tuple[Button, ...]:
    where = f"{_WHERE}.action.parameters"
    _named(action, "flow")
    parameters = required_object(action, "parameters", f"{_WHERE}.action")
    required_text(parameters, "flow_message_version", where, 10)
    required_text(parameters, "flow_cta", where, 30)
    if parameters.get("flow_id") is None and parameters.get("flow_name") is None:
        raise missing(f"{where}.flow_id")
    return ()


def _location_request(action: dict[str, Any]) -> tuple[Button, ...]:
    _named(action, "send_location")
    return ()


def _named(action: dict[str, Any], name: str) -> None:
    if required_text(action, "name", f"{_WHERE}.action", 40) != name:
        raise invalid(f"{_WHERE}.action.name", f"must be {name}")


_READERS: dict[str, Callable[[dict[str, Any]], tuple[Button, ...]]] = {
    "button": _reply_buttons,
    "list": _list_rows,
    "cta_url": _link,
    "flow": _flow,
    "location_request_message": _location_request,
}
