"""Checks of template messages against the templates that the channel really has."""

from collections.abc import Iterator
from typing import TypeAlias

from domain.checks.report import Report
from domain.flow import Flow, MessageNode
from domain.message_types import TemplateMessage, TextHeader
from domain.templates import Template, TemplateRegistry

_Found: TypeAlias = tuple[str, str, str]
"""(code, path below the node, message)."""


def check_templates(flow: Flow, templates: TemplateRegistry, report: Report) -> None:
    """Every template exists, is approved, and is called the way it is registered."""
    for name, node in flow.nodes.items():
        if isinstance(node, MessageNode) and isinstance(node.message, TemplateMessage):
            for code, path, said in _misuse(node, node.message, templates):
                report.add(code, path, said, node=name)


def _misuse(
    node: MessageNode, message: TemplateMessage, templates: TemplateRegistry
) -> Iterator[_Found]:
    template = templates.get(message.name, message.language)
    if template is None:
        yield _unknown(message, templates.languages(message.name))
        return
    if not template.is_approved:
        status = template.status.lower() or "in an unknown state"
        said = f"this template is {status}: have it approved, or use another"
        yield "TEMPLATE_NOT_APPROVED", "message.name", said
    yield from _wrong_parameters(message, template)
    yield from _wrong_header(message, template)
    yield from _wrong_quick_replies(node, template)
    yield from _wrong_url_buttons(message, template)
    yield from _wrong_copy_code(message, template)


def _unknown(message: TemplateMessage, languages: list[str]) -> _Found:
    if languages:
        said = f"`{message.name}` is not there in this language, only in: {', '.join(languages)}"
        return "TEMPLATE_UNKNOWN", "message.language", said
    said = "the channel has no template of this name: correct it, or create the template first"
    return "TEMPLATE_UNKNOWN", "message.name", said


def _wrong_parameters(message: TemplateMessage, template: Template) -> Iterator[_Found]:
    wanted = template.body_parameters
    if isinstance(message.body, dict) and message.body:
        fits = sorted(message.body) == sorted(wanted) and not template.is_positional
    else:
        fits = len(message.body) == len(wanted) and template.is_positional
    if not fits:
        count = f"{len(wanted)} parameter{'' if len(wanted) == 1 else 's'}"
        if not wanted:
            fix = "give `body` no parameters"
        elif template.is_positional:
            fix = f"give `body` a list of {count}"
        else:
            fix = f"give `body` an object with {', '.join(wanted)}"
        yield "TEMPLATE_PARAMETERS", "message.body", f"the template has {count}: {fix}"


def _wrong_header(message: TemplateMessage, template: Template) -> Iterator[_Found]:
    # A text header without a variable is part of the template, and a send does not give it.
    fixed = template.header == "text" and not template.header_parameters
    wanted = None if fixed else template.header
    given = None if message.header is None else message.header.type
    if given != wanted:
        fix = "leave `header` out" if wanted is None else f"give it a {wanted} header"
        yield "TEMPLATE_HEADER", "message.header", f"{fix}: that is how the template is registered"
    elif isinstance(message.header, TextHeader) and len(template.header_parameters) > 1:
        said = "the template's header has several variables, which WhatsApp cannot fill"
        yield "TEMPLATE_HEADER", "message.header", said


def _wrong_quick_replies(node: MessageNode, template: Template) -> Iterator[_Found]:
    places = [i for i, button in enumerate(template.buttons) if button.kind == "QUICK_REPLY"]
    if len(node.buttons) > len(places):
        said = f"the template has {len(places)} quick replies: keep as many buttons at most"
        yield "TEMPLATE_BUTTONS", "buttons", said
        return
    for i, button in enumerate(node.buttons):
        if (i if button.index is None else button.index) not in places:
            where = ", ".join(map(str, places))
            said = f"set `index` to a quick reply of the template, which are at: {where}"
            yield "TEMPLATE_BUTTONS", f"buttons.{i}.index", said


def _wrong_url_buttons(message: TemplateMessage, template: Template) -> Iterator[_Found]:
    needed = [i for i, button in enumerate(template.buttons) if button.needs_text]
    # Kinds we do not know may well take a text (one-time passwords do).
    possible = [
        *needed,
        *(i for i, button in enumerate(template.buttons) if button.kind == "OTHER"),
    ]
    for i, url in enumerate(message.url_buttons):
        if url.index not in possible:
            said = "the template has no URL button with a variable at this place: correct `index`, or remove it"
            yield "TEMPLATE_BUTTONS", f"message.url_buttons.{i}.index", said
    given = [url.index for url in message.url_buttons]
    for place in needed:
        if place not in given:
            said = (
                f"add a URL button with `index` {place}: the template's address ends in a variable"
            )
            yield "TEMPLATE_BUTTONS", "message.url_buttons", said


def _wrong_copy_code(message: TemplateMessage, template: Template) -> Iterator[_Found]:
    places = [i for i, button in enumerate(template.buttons) if button.kind == "COPY_CODE"]
    if message.copy_code is None:
        if places:
            said = f"add `copy_code` with `index` {places[0]}: the template has such a button"
            yield "TEMPLATE_BUTTONS", "message.copy_code", said
    elif message.copy_code.index not in places:
        said = "the template has no copy-code button at this place: correct `index`, or remove it"
        yield "TEMPLATE_BUTTONS", "message.copy_code.index", said
