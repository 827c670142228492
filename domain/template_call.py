"""One template with its parameters by Connectly's names: `body_1`, `header_image`, `button_1_url`.

The names are those of reference/connectly.md section 2.1. The n-th `button_n_url` is the template's
n-th URL button; a number that names no such button counts all buttons. Named body parameters go by
their own names.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from domain.one_message import Json, OneMessage, flow_of, place
from domain.templates import Template

_BODY: Final = re.compile(r"body_([1-9]\d?)")
_HEADER: Final = re.compile(r"header_(text|image|video|document)")
_URL: Final = re.compile(r"button_([1-9]|10)_url")
_MEDIA: Final = frozenset({"image", "video", "document"})
_CATEGORIES: Final = frozenset({"marketing", "utility", "authentication"})
_FILE_NAME: Final = "header_filename"


class InputInvalid(ValueError):
    """The parameters do not fit the template; the text names the parameter and the fix."""


class Parameter(NamedTuple):
    """One parameter of a call; `filename` is that of a document."""

    name: str
    value: str
    filename: str | None = None


class Slot(NamedTuple):
    """A place of the template that takes a parameter."""

    name: str
    path: str
    """Below the flow's node, as `domain.limits` names it."""
    key: str | int
    """The kind of the header; the name, or the index from 0, of a body parameter; a button's index."""
    required: bool = True


def template_message(
    name: str, language: str, parameters: Sequence[Parameter], template: Template | None
) -> OneMessage:
    """The message for these parameters; without the registry's `template` they are taken at their word.

    A category that nobody knows is marketing, so that opt-outs are obeyed. Raises `InputInvalid`.
    """
    given = by_name(parameters)
    slots = _guessed(given) if template is None else list(_slots(template, given))
    if template is not None:
        _check(given, slots, template)
    texts = {slot.name: given[slot.name].value for slot in slots if slot.name in given}
    message = _message(name, language, template, [slot for slot in slots if slot.name in texts])
    header = message.get("header", {})
    file_name = next((p.filename for p in parameters if p.filename), None)
    if header.get("type") == "document" and file_name is not None:
        header["filename"] = place(_FILE_NAME)
        texts[_FILE_NAME] = file_name
    fields = {slot.path: slot.name for slot in slots}
    return OneMessage(flow_of(message, texts, _quick_replies(template)), texts, fields)


def by_name(parameters: Sequence[Parameter]) -> dict[str, Parameter]:
    """The parameters by their names. Raises `InputInvalid` for one that is given twice, or blank."""
    given: dict[str, Parameter] = {}
    for parameter in parameters:
        if parameter.name in given:
            raise InputInvalid(f"the parameter `{parameter.name}` is given twice")
        if not parameter.value.strip():
            raise InputInvalid(f"the parameter `{parameter.name}` is empty: WhatsApp refuses that")
        given[parameter.name] = parameter
    return given


def url_places(template: Template, given: Mapping[str, Parameter]) -> Iterator[tuple[str, int]]:
    """(name, index among all buttons) of the URL buttons that take a text."""
    urls = [i for i, button in enumerate(template.buttons) if button.kind in {"URL", "OTHER"}]
    for number, index in enumerate(urls, start=1):
        button = template.buttons[index]
        if button.needs_text or button.kind == "OTHER":
            name, counted = f"button_{number}_url", f"button_{index + 1}_url"
            # Some count the URL buttons and some count all; what is free can mean only this one.
            is_counted = name not in given and counted in given and index >= len(urls)
            yield counted if is_counted else name, index


# --- places --------------------------------------------------------------------------------------


def _slots(template: Template, given: Mapping[str, Parameter]) -> Iterator[Slot]:
    if template.header == "text":
        if template.header_parameters:
            yield Slot("header_text", "message.header.text", "text")
    elif template.header in _MEDIA:
        yield Slot(f"header_{template.header}", "message.header.link", template.header)
    elif template.header is not None:
        raise InputInvalid(
            f"the template has a {template.header} header, for which there is no parameter"
        )
    for index, name in enumerate(template.body_parameters):
        if template.is_positional:
            yield Slot(f"body_{index + 1}", f"message.body.{index}", index)
        else:
            yield Slot(name, f"message.body.{name}", name)
    if any(button.kind == "COPY_CODE" for button in template.buttons):
        raise InputInvalid("the template has a copy-code button, for which there is no parameter")
    for number, (name, index) in enumerate(url_places(template, given)):
        required = template.buttons[index].needs_text
        yield Slot(name, f"message.url_buttons.{number}.text", index, required)


def _guessed(given: Mapping[str, Parameter]) -> list[Slot]:
    """The places that the names speak of, where nobody knows the template."""
    bodies = sorted(int(match[1]) for name in given if (match := _BODY.fullmatch(name)))
    if bodies != list(range(1, len(bodies) + 1)):
        raise InputInvalid("number the parameters of the body from `body_1` on, without gaps")
    slots = [Slot(f"body_{n}", f"message.body.{n - 1}", n - 1) for n in bodies]
    urls = 0
    for name in given:
        if header := _HEADER.fullmatch(name):
            part = "text" if header[1] == "text" else "link"
            slots.append(Slot(name, f"message.header.{part}", header[1]))
        elif url := _URL.fullmatch(name):
            slots.append(Slot(name, f"message.url_buttons.{urls}.text", int(url[1]) - 1))
            urls += 1
        elif not _BODY.fullmatch(name):
            if bodies:
                raise InputInvalid(f"the parameter `{name}` is not known: see the documentation")
            slots.append(Slot(name, f"message.body.{name}", name))
    if sum(slot.path.startswith("message.header") for slot in slots) > 1:
        raise InputInvalid("a template has one header: give one `header_…` parameter")
    return slots


def _check(given: Mapping[str, Parameter], slots: list[Slot], template: Template) -> None:
    known = [slot.name for slot in slots]
    takes = ", ".join(f"`{name}`" for name in known) or "no parameters"
    for name in given:
        if name not in known:
            raise InputInvalid(
                f"the template `{template.name}` has no parameter `{name}`: it takes {takes}"
            )
    for slot in slots:
        if slot.required and slot.name not in given:
            raise InputInvalid(
                f"the parameter `{slot.name}` is missing: the template `{template.name}` takes {takes}"
            )


# --- the flow's message --------------------------------------------------------------------------


def _message(name: str, language: str, template: Template | None, slots: list[Slot]) -> Json:
    known = template is not None and template.category in _CATEGORIES
    category = template.category if template is not None and known else "marketing"
    message: Json = {"type": "template", "name": name, "language": language, "category": category}
    body: dict[str | int, str] = {}
    urls: list[Json] = []
    for slot in slots:
        if slot.path.startswith("message.header"):
            part = "text" if slot.key == "text" else "link"
            message["header"] = {"type": slot.key, part: place(slot.name)}
        elif slot.path.startswith("message.url_buttons"):
            urls.append({"index": slot.key, "text": place(slot.name)})
        else:
            body[slot.key] = place(slot.name)
    if body:
        positional = all(isinstance(key, int) for key in body)
        message["body"] = list(body.values()) if positional else body
    if urls:
        message["url_buttons"] = urls
    if template is not None and template.body:
        message["preview"] = template.body
    return message


def _quick_replies(template: Template | None) -> list[Json]:
    """The template's quick replies, numbered from 1, so that a tap leads to our message."""
    if template is None:
        return []
    places = [i for i, button in enumerate(template.buttons) if button.kind == "QUICK_REPLY"]
    return [
        {"id": str(number), "label": template.buttons[i].text, "index": i}
        for number, i in enumerate(places, start=1)
    ]
