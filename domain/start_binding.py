"""A template call as an entry of a campaign: its parameters become the flow's variables.

The start template of a flow says `body: ["{{name}}", "{{product}}"]`; the call says `body_1` and
`body_2`. Each parameter is read back through the text that stands there, and the result is checked
by rendering: the message the customer gets reads exactly as the call says.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote

from domain.flow import Flow, MessageNode
from domain.message_types import MediaHeader, TemplateMessage, TextHeader
from domain.rendering import placeholders, render, values_for
from domain.template_call import InputInvalid, Parameter, by_name, url_places
from domain.templates import Template


class _Written(NamedTuple):
    """What a message has in the place of one parameter."""

    name: str
    text: str
    in_url: bool = False


def start_template(flow: Flow) -> TemplateMessage | None:
    """The template a flow starts with, None when it starts with something else."""
    node = flow.nodes.get(flow.start)
    if isinstance(node, MessageNode) and isinstance(node.message, TemplateMessage):
        return node.message
    return None


def bound_variables(
    flow: Flow, parameters: Sequence[Parameter], template: Template | None
) -> dict[str, str]:
    """The variables under which the flow's start message has these parameters.

    `template` is the registry's word on it, if there is one. Raises `InputInvalid` naming the
    parameter that the flow has no place for, or cannot be made to say.
    """
    node = flow.nodes[flow.start]
    if not isinstance(node, MessageNode) or not isinstance(node.message, TemplateMessage):
        raise TypeError("the flow starts with no template")
    given = by_name(parameters)
    urls = {} if template is None else {index: name for name, index in url_places(template, given)}
    written = {part.name: part for part in _parts(node.message, urls)}
    for name in given:
        if name not in written:
            takes = ", ".join(f"`{known}`" for known in written) or "none"
            raise InputInvalid(
                f"the campaign's start message has no parameter `{name}`: it has {takes}"
            )
    bound: dict[str, str] = {}
    for name, parameter in given.items():
        _bind(bound, written[name], parameter.value)
    rendered = render(node, values_for(flow, bound, {})).message
    if not isinstance(rendered, TemplateMessage):
        raise TypeError("a template was rendered as something else")
    for part in _parts(rendered, urls):
        if part.name in given and part.text != _one_line(given[part.name].value):
            raise InputInvalid(
                f"the parameter `{part.name}` cannot be as given: the campaign's start message has "
                f"`{written[part.name].text}` there"
            )
    return bound


def _parts(message: TemplateMessage, urls: Mapping[int, str]) -> Iterator[_Written]:
    match message.header:
        case TextHeader(text=text):
            yield _Written("header_text", text)
        case MediaHeader(type=kind) as media:
            yield _Written(f"header_{kind}", media.link or media.id or "", media.link is not None)
    if isinstance(message.body, dict):
        for name, text in message.body.items():
            yield _Written(name, text)
    else:
        for number, text in enumerate(message.body, start=1):
            yield _Written(f"body_{number}", text)
    for number, button in enumerate(message.url_buttons, start=1):
        yield _Written(urls.get(button.index, f"button_{number}_url"), button.text, in_url=True)


def _bind(bound: dict[str, str], part: _Written, value: str) -> None:
    """Read a value back through the text that stands in its place; several variables stay unbound."""
    names = list(placeholders(part.text))
    if len(names) != 1:
        return
    before, _, rest = part.text.partition("{{")
    _, _, after = rest.partition("}}")
    is_whole = not before.strip() and not after.strip()
    read = value if is_whole else _between(_one_line(value), before.lstrip(), after.rstrip())
    if read is not None:
        read = read if is_whole or not part.in_url else unquote(read)
        bound.setdefault(names[0], read)


def _between(value: str, before: str, after: str) -> str | None:
    fits = value.startswith(before) and value.endswith(after)
    if not fits or len(value) <= len(before) + len(after):
        return None
    return value[len(before) : len(value) - len(after)]


def _one_line(text: str) -> str:
    return " ".join(text.split())
