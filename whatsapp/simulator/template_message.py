"""Sending a template: its parameters held against the registry, and what the customer reads."""

import re
from collections.abc import Callable
from typing import Any

from whatsapp.simulator.appearance import Shown, medium
from whatsapp.simulator.fields import (
    invalid,
    missing,
    objects,
    required_object,
    required_text,
)
from whatsapp.simulator.graph_error import GraphError
from whatsapp.simulator.media import check_asset, check_location
from whatsapp.simulator.outgoing import Button, Content
from whatsapp.simulator.template import Template, placeholders, substitute

# Line breaks, tabs and more than four spaces in a row are refused inside a parameter.
_UNPRINTABLE = re.compile(r"[\n\r\t]| {5}")
_FALLBACKS = ("currency", "date_time")
_INDEX = re.compile(r"[0-9]")


# Finds a template of the sending account by name and language.
TemplateLookup = Callable[[str, str], Template | None]


def read_template(message: dict[str, Any], templates: TemplateLookup) -> Content:
    """The rendered body and quick replies of a template message.

    Raises `GraphError` 132001, 132015, 132016 for the template; 132000, 132005, 132012, 132018,
    131008, 131009 for its parameters.
    """
    template = _usable(message, templates)
    header, body, buttons = _components(message)
    values = _text_values(body, template.body, f"body of {template.name}")
    text = substitute(template.body, values)
    shown = _header(template, header)
    if template.footer:
        shown["footer"] = template.footer
    # A template that is nothing but a body may grow far beyond 1024 characters.
    longest = 1024 if template.header or template.buttons else 32768
    if len(text) > longest:
        raise GraphError(132005, f"The body has {len(text)} characters, {longest} are allowed.")
    replies = _quick_replies(template, buttons)
    if links := _links(template, buttons):
        shown["links"] = links
    return Content(text, replies, template.category.lower(), shown)


def _usable(message: dict[str, Any], templates: TemplateLookup) -> Template:
    name = required_text(message, "name", "template", 512)
    language = required_object(message, "language", "template")
    code = required_text(language, "code", "template.language", 20)
    if language.get("policy", "deterministic") != "deterministic":
        raise invalid("template.language.policy", "must be deterministic")
    template = templates(name, code)
    if template is None or template.status in {"PENDING", "REJECTED"}:
        raise GraphError(132001, f"No approved template {name} in {code}.")
    if template.status == "PAUSED":
        raise GraphError(132015, f"Template {name} in {code} is paused for low quality.")
    if template.status == "DISABLED":
        raise GraphError(132016, f"Template {name} in {code} is disabled for good.")
    return template


def _components(
    message: dict[str, Any],
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[int, dict[str, Any]]]:
    """The parameters of header and body, and the button components by index."""
    texts: dict[str, list[dict[str, Any]]] = {"header": [], "body": []}
    buttons: dict[int, dict[str, Any]] = {}
    for i, component in enumerate(objects(message, "components", "template")):
        where = f"template.components[{i}]"
        kind = required_text(component, "type", where, 20).lower()
        if kind == "button":
            buttons[_index(component, where)] = component
        elif kind in texts:
            texts[kind] = objects(component, "parameters", where)
        else:
            raise invalid(f"{where}.type", "must be header, body or button")
    return texts["header"], texts["body"], buttons


def _index(component: dict[str, Any], where: str) -> int:
    index = component.get("index")
    if index is None:
        raise missing(f"{where}.index")
    if isinstance(index, bool) or not _INDEX.fullmatch(str(index)):
        raise invalid(f"{where}.index", "must be 0 to 9")
    return int(index)


def _text_values(parameters: list[dict[str, Any]], text: str, where: str) -> dict[str, str]:
    """Placeholder names of `text` with the values the parameters give them."""
    names = placeholders(text)
    if len(parameters) != len(names):
        raise GraphError(
            132000, f"The {where} takes {len(names)} parameters, got {len(parameters)}."
        )
    values = [_text_value(parameter, where) for parameter in parameters]
    if all(name.isdigit() for name in names):
        # Order in the list is {{1}}, {{2}}… wherever they stand in the text.
        return dict(zip(sorted(names, key=int), values, strict=True))
    given = [parameter.get("parameter_name") for parameter in parameters]
    if None in given:
        raise GraphError(132012, f"The {where} takes named parameters.")
    if set(given) != set(names):
        raise GraphError(132000, f"The {where} takes the parameters {', '.join(names)}.")
    return dict(zip(map(str, given), values, strict=True))


def _text_value(parameter: dict[str, Any], where: str) -> str:
    kind = parameter.get("type")
    if kind in _FALLBACKS:
        fallback = required_object(parameter, kind, where)
        return required_text(fallback, "fallback_value", f"{where}.{kind}", 1024)
    if kind != "text":
        raise GraphError(132012, f"The {where} takes text, got {kind}.")
    text = required_text(parameter, "text", where, 32768)
    if _UNPRINTABLE.search(text):
        raise GraphError(
            132018, f"The {where} may not hold line breaks, tabs or five spaces in a row."
        )
    return text


def _header(template: Template, parameters: list[dict[str, Any]]) -> Shown:
    """The header as the customer sees it, nothing for a template without one."""
    where = f"header of {template.name}"
    wanted = str(template.header.get("format", "TEXT")).lower()
    if wanted == "text":
        text = str(template.header.get("text", ""))
        if parameters and parameters[0].get("type") != "text":
            raise GraphError(132012, f"The {where} takes no {parameters[0].get('type')}.")
        text = substitute(text, _text_values(parameters, text, where))
        if len(text) > 60:
            raise GraphError(132005, f"The {where} is longer than 60 characters.")
        return {"header": {"type": "text", "text": text}} if text else {}
    if len(parameters) != 1 or parameters[0].get("type") != wanted:
        got = parameters[0].get("type") if parameters else "nothing"
        raise GraphError(132012, f"The {where} takes one {wanted}, got {got}.")
    value = required_object(parameters[0], wanted, where)
    if wanted == "location":
        check_location(value, where)
    else:
        check_asset(value, where)
    return {"header": medium(wanted, value)}


def _quick_replies(template: Template, components: dict[int, dict[str, Any]]) -> tuple[Button, ...]:
    """Quick replies with the payload each sends back, which is its label when none is given."""
    beyond = [index for index in components if index >= len(template.buttons)]
    if beyond:
        raise GraphError(132012, f"{template.name} has no button {beyond[0]}.")
    replies: list[Button] = []
    for index, definition in enumerate(template.buttons):
        where = f"button {index} of {template.name}"
        kind = str(definition.get("type", "")).upper()
        component = components.get(index)
        if component is not None and str(component.get("sub_type")).upper() != kind:
            raise GraphError(132012, f"The {where} is of type {kind.lower()}.")
        parameters = objects(component or {}, "parameters", where)
        if kind == "QUICK_REPLY":
            label = str(definition.get("text", ""))
            replies.append(Button(_payload(parameters, where) or label, label))
        elif kind in _BUTTON_CHECKS:
            _BUTTON_CHECKS[kind](parameters, definition, where)
    return tuple(replies)


def _links(template: Template, components: dict[int, dict[str, Any]]) -> list[Shown]:
    """The buttons WhatsApp reports no tap of: addresses, a call, a code to copy."""
    links: list[Shown] = []
    for index, definition in enumerate(template.buttons):
        label = str(definition.get("text", ""))
        match str(definition.get("type", "")).upper():
            case "URL":
                url = str(definition.get("url", ""))
                parameters = components.get(index, {}).get("parameters", [])
                texts = [_text_value(parameter, "url") for parameter in parameters]
                values = dict(zip(placeholders(url), texts, strict=True))
                links.append({"label": label, "url": substitute(url, values)})
            case "PHONE_NUMBER":
                links.append({"label": label, "url": f"tel:{definition.get('phone_number', '')}"})
            case "COPY_CODE":
                links.append({"label": "Copy offer code"})
    return links


def _payload(parameters: list[dict[str, Any]], where: str) -> str | None:
    if not parameters:
        return None
    if len(parameters) > 1 or parameters[0].get("type") != "payload":
        raise GraphError(132012, f"The {where} takes one payload.")
    return required_text(parameters[0], "payload", where, 256)


def _check_link(parameters: list[dict[str, Any]], definition: dict[str, Any], where: str) -> None:
    takes = len(placeholders(str(definition.get("url", ""))))
    if takes and not parameters:
        raise missing(f"The text of the {where}")
    if len(parameters) != takes:
        raise GraphError(132018, f"The {where} takes {takes} parameters.")
    for parameter in parameters:
        _text_value(parameter, where)


def _check_code(parameters: list[dict[str, Any]], _definition: dict[str, Any], where: str) -> None:
    if not parameters:
        raise missing(f"The code of the {where}")
    if len(parameters) > 1 or parameters[0].get("type") != "coupon_code":
        raise GraphError(132012, f"The {where} takes one coupon_code.")
    required_text(parameters[0], "coupon_code", where, 20)


_BUTTON_CHECKS: dict[str, Callable[[list[dict[str, Any]], dict[str, Any], str], None]] = {
    "URL": _check_link,
    "COPY_CODE": _check_code,
}
