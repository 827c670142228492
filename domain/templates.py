"""WhatsApp templates: what a registry knows of them, and what a flow says of those it uses.

Both directions speak Graph's `message_templates`: `TemplateRegistry.from_graph` reads its answers,
`flow_templates` writes the definitions that the simulator makes missing templates from.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from domain.flow import Flow, MessageNode
from domain.message_types import LocationHeader, MediaHeader, TemplateMessage, TextHeader

Json: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str]
"""A template's name and language."""

EVERY_MARKETING: Final[Key] = ("*", "*")
"""Stands for all marketing templates of an account, where one word is about all of them."""


def label(key: Key) -> str:
    """A template as messages name it: `name (language)`."""
    name, language = key
    return f"{name} ({language})"


def read_label(text: str) -> Key:
    """Read what `label` wrote. Raises `ValueError` when it is not such a text."""
    name, between, language = text.removesuffix(")").rpartition(" (")
    if not between or not text.endswith(")"):
        raise ValueError(f"{text!r} names no template")
    return name, language


class Registered(NamedTuple):
    """What a send needs of a registered template; either may be empty."""

    category: str
    """`marketing`, `utility` or `authentication`."""
    body: str


ButtonKind: TypeAlias = Literal["QUICK_REPLY", "URL", "COPY_CODE", "PHONE_NUMBER", "OTHER"]
_KINDS: Final[Mapping[str, ButtonKind]] = {
    "QUICK_REPLY": "QUICK_REPLY",
    "URL": "URL",
    "COPY_CODE": "COPY_CODE",
    "PHONE_NUMBER": "PHONE_NUMBER",
}
_PARAMETER: Final = re.compile(r"\{\{\s*([^{}\s]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class TemplateButton:
    """One button of a registered template."""

    kind: ButtonKind
    text: str
    needs_text: bool = False
    """Whether a URL ends in a variable, which every send must fill."""


@dataclass(frozen=True, slots=True)
class Template:
    """One language of a registered template, as far as a send has to fit it."""

    name: str
    language: str
    status: str
    """Graph's word, for example `APPROVED` or `PAUSED`."""
    category: str
    """`marketing`, `utility` or `authentication`."""
    body: str
    body_parameters: tuple[str, ...]
    """Their names in order of first use; of positional ones `1`, `2`, …"""
    header: str | None
    """`text`, `image`, `video`, `document`, `location`, or None."""
    header_parameters: tuple[str, ...] = ()
    """Of a text header; none when its text is fixed."""
    buttons: tuple[TemplateButton, ...] = ()

    @property
    def is_approved(self) -> bool:
        return self.status == "APPROVED"

    @property
    def is_positional(self) -> bool:
        return all(name.isdecimal() for name in self.body_parameters)


@dataclass(frozen=True, slots=True)
class TemplateRegistry:
    """The templates that a channel's WhatsApp account has."""

    templates: Mapping[Key, Template] = field(default_factory=dict)

    @classmethod
    def from_graph(cls, listed: Iterable[Mapping[str, Any]]) -> "TemplateRegistry":
        """Read the `data` of Graph's `message_templates`.

        Entries without name or language are left out and unknown fields ignored: what Meta adds
        tomorrow must not stop a publish.
        """
        read = (_read_template(entry) for entry in listed)
        return cls({(t.name, t.language): t for t in read if t is not None})

    def get(self, name: str, language: str) -> Template | None:
        """The template in exactly that language."""
        return self.templates.get((name, language))

    def of_node(self, node: object) -> Registered | None:
        """What a send of this node needs of its template; None for another node, or an unknown one."""
        message = node.message if isinstance(node, MessageNode) else None
        if not isinstance(message, TemplateMessage):
            return None
        known = self.get(message.name, message.language)
        return None if known is None else Registered(known.category, known.body)

    def languages(self, name: str) -> list[str]:
        """The languages that a template of this name exists in, sorted."""
        return sorted(language for known, language in self.templates if known == name)


# --- from Graph --------------------------------------------------------------------------------


def _read_template(entry: Mapping[str, Any]) -> Template | None:
    name, language = entry.get("name"), entry.get("language")
    if not isinstance(name, str) or not isinstance(language, str):
        return None
    parts = {_upper(c.get("type")): c for c in _objects(entry.get("components"))}
    header, body = parts.get("HEADER"), _text(parts.get("BODY", {}), "text")
    return Template(
        name=name,
        language=language,
        status=_upper(entry.get("status")),
        category=_upper(entry.get("category")).lower(),
        body=body,
        body_parameters=_parameters(body),
        header=None if header is None else (_text(header, "format") or "text").lower(),
        header_parameters=() if header is None else _parameters(_text(header, "text")),
        buttons=tuple(_read_button(b) for b in _objects(parts.get("BUTTONS", {}).get("buttons"))),
    )


def _read_button(button: Mapping[str, Any]) -> TemplateButton:
    kind = _KINDS.get(_upper(button.get("type")), "OTHER")
    needs_text = kind == "URL" and _PARAMETER.search(_text(button, "url")) is not None
    return TemplateButton(kind, _text(button, "text"), needs_text)


def _objects(value: object) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, Mapping)]


def _text(part: Mapping[str, Any], key: str) -> str:
    value = part.get(key)
    return value if isinstance(value, str) else ""


def _upper(value: object) -> str:
    return value.upper() if isinstance(value, str) else ""


def _parameters(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_PARAMETER.findall(text)))
    return tuple(sorted(names, key=int)) if all(name.isdecimal() for name in names) else names


# --- from a flow -------------------------------------------------------------------------------


def flow_templates(flow: Flow) -> list[Json]:
    """Graph definitions of all templates a flow names, in document order.

    Nodes that use the same name and language make one definition: its header is the first that a
    node gives, its body that of the first node with a preview (else the one with most parameters),
    its buttons those of the node that uses most, its category the first node's.
    """
    users: dict[Key, list[MessageNode]] = {}
    for node in flow.nodes.values():
        if isinstance(node, MessageNode) and isinstance(node.message, TemplateMessage):
            users.setdefault((node.message.name, node.message.language), []).append(node)
    return [_definition(nodes) for nodes in users.values()]


def template_components(node: MessageNode) -> Json:
    """The Graph definition of a template as this node uses it.

    It has `name`, `language`, `category`, `parameter_format` and `components` (api.md section 8,
    "Templates in the embedded stack"). Raises `TypeError` when the node's message is no template.
    """
    return _definition([node])


def _definition(nodes: list[MessageNode]) -> Json:
    messages = [_template(node) for node in nodes]
    first = messages[0]
    body = max(messages, key=lambda m: (m.preview is not None, len(m.body) * (m.preview is None)))
    buttons = max(map(_buttons, nodes), key=len)
    header = next((m.header for m in messages if m.header is not None), None)
    components: list[Json] = [] if header is None else [_header(header)]
    components.append({"type": "BODY", "text": _body_text(body)})
    if buttons:
        components.append({"type": "BUTTONS", "buttons": buttons})
    return {
        "name": first.name,
        "language": first.language,
        "category": first.category.upper(),
        "parameter_format": "NAMED" if isinstance(body.body, dict) else "POSITIONAL",
        "components": components,
    }


def _template(node: MessageNode) -> TemplateMessage:
    if not isinstance(node.message, TemplateMessage):
        raise TypeError(f"a {node.message.type} message is no template")
    return node.message


def _header(header: TextHeader | MediaHeader | LocationHeader) -> Json:
    if isinstance(header, TextHeader):
        # The flow sends this text as the header's parameter, so the header is a placeholder.
        return {"type": "HEADER", "format": "TEXT", "text": "{{1}}"}
    return {"type": "HEADER", "format": header.type.upper()}


def _body_text(message: TemplateMessage) -> str:
    if message.preview is not None:
        return message.preview
    names = message.body if isinstance(message.body, dict) else range(1, len(message.body) + 1)
    return " ".join([message.name, *("{{" + str(name) + "}}" for name in names)])


def _buttons(node: MessageNode) -> list[Json]:
    """All buttons in the template's order: each at the place that the flow gives it."""
    message = _template(node)
    placed: dict[int, Json] = {
        url.index: {"type": "URL", "text": "Open", "url": "https://example.com/{{1}}"}
        for url in message.url_buttons
    }
    if message.copy_code is not None:
        placed[message.copy_code.index] = {"type": "COPY_CODE", "text": "Copy code"}
    for i, button in enumerate(node.buttons):
        wanted = i if button.index is None else button.index
        # A place given twice is an error of the flow; a draft's template still gets every button.
        place = next(place for place in count(wanted) if place not in placed)
        placed[place] = {"type": "QUICK_REPLY", "text": button.label}
    # Places the flow passes over are buttons of the template that need nothing from a send.
    return [
        placed.get(i, {"type": "QUICK_REPLY", "text": f"Button {i + 1}"})
        for i in range(max(placed, default=-1) + 1)
    ]
