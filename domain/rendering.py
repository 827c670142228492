"""Variables and their places: what a customer's own values make of a message (flow.md section 1).

Everything here is pure. `render` runs once per send, and once per entry of a request of 10,000, so
what a node's texts consist of is worked out once per node and kept.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from enum import Enum, auto
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from domain.document import Document
from domain.flow import Button, Flow, MessageNode
from domain.message_types import (
    ButtonsMessage,
    CopyCode,
    CtaUrlMessage,
    ListMessage,
    LocationHeader,
    LocationMessage,
    MediaHeader,
    MediaMessage,
    TemplateMessage,
    TextHeader,
    TextMessage,
    UrlButton,
)

Values: TypeAlias = Mapping[str, str]
"""Variable name → text, as `values_for` makes it."""
_Change: TypeAlias = Callable[[Values], Any]
_K = TypeVar("_K")
_V = TypeVar("_V")

_PLACEHOLDER = re.compile(r"\{\{\s*([^{}\s][^{}]*)\}\}")
_REMEMBERED = 4096
"""Nodes and flows whose plan is kept; beyond it the oldest plan is made again when needed."""


def variable_text(value: object) -> str | None:
    """A variable's JSON value as text: booleans as `true` and `false`, null as None.

    Numbers keep the spelling of the request only if its parser hands their literal text over (a
    str); an int, float or Decimal is printed as Python prints it.

    Raises `TypeError` for anything else: flow.md section 1 makes an object or list invalid.
    """
    match value:
        case None | str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return str(value)
        case _:
            raise TypeError("a variable is a string, a number or a boolean")


def placeholders(text: str) -> Iterator[str]:
    """The names in `{{name}}` places, in order; spaces inside the braces do not count."""
    return (match.group(1).rstrip() for match in _PLACEHOLDER.finditer(text))


# --- values ------------------------------------------------------------------------------------


def _remembered(build: Callable[[_K], _V]) -> Callable[[_K], _V]:
    """Keep `build`'s answers by the identity of its argument.

    By identity because hashing a node means hashing all of it (and named parameters are a dict,
    which has no hash). The argument is kept alive with the answer, so its id is never another's.
    """
    kept: dict[int, tuple[_K, _V]] = {}

    def get(key: _K) -> _V:
        found = kept.get(id(key))
        if found is not None and found[0] is key:
            return found[1]
        built = build(key)
        if len(kept) >= _REMEMBERED:
            kept.pop(next(iter(kept)), None)
        kept[id(key)] = (key, built)
        return built

    return get


@_remembered
def _variables(flow: Flow) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...], tuple[str, ...]]:
    """(declared name and default text, required names, names that asks fill)."""
    declared = tuple(
        (name, variable_text(variable.default) or "") for name, variable in flow.variables.items()
    )
    required = tuple(name for name, variable in flow.variables.items() if variable.is_required)
    return declared, required, tuple(dict.fromkeys(flow.ask_variables()))


def values_for(flow: Flow, given: Mapping[str, str], outputs: Mapping[str, str]) -> dict[str, str]:
    """The text of every variable the flow knows, from the entry's values and the asks' answers.

    A value that is blank (empty or only white space) counts as not given, for an optional
    variable too: its default stands in, or the empty text. That is the rule by which a required
    one is missing, and an empty cell of a spreadsheet means "nothing known", not "print nothing".
    Undeclared values are left out. An ask's answer replaces a given value of the same name; until
    there is one, a name that only asks declare is the empty text. A default number is printed from
    the parsed document, so `19.90` reads `19.9` there: write it as a string to keep the zero.
    """
    declared, _, asked = _variables(flow)
    values = {}
    for name, default in declared:
        text = given.get(name)
        values[name] = default if text is None or not text.strip() else text
    for name in asked:
        values[name] = outputs.get(name, values.get(name, ""))
    return values


def missing_variables(flow: Flow, given: Mapping[str, str]) -> list[str]:
    """The required variables that `given` lacks or holds as mere white space, in document order."""
    return [name for name in _variables(flow)[1] if not given.get(name, "").strip()]


# --- places ------------------------------------------------------------------------------------


class _Place(Enum):
    """Where a text stands, which decides what a value becomes there."""

    PLAIN = auto()
    PARAMETER = auto()
    URL = auto()
    URL_PARAMETER = auto()
    """The variable end of a template's URL button: a parameter, and part of a URL."""


_PLACES: dict[type[Document], dict[str, _Place]] = {
    MessageNode: {"message": _Place.PLAIN, "buttons": _Place.PLAIN},
    Button: {"label": _Place.PLAIN, "description": _Place.PLAIN, "section": _Place.PLAIN},
    TemplateMessage: {
        "header": _Place.PARAMETER,
        "body": _Place.PARAMETER,
        "url_buttons": _Place.PARAMETER,
        "copy_code": _Place.PARAMETER,
    },
    TextHeader: {"text": _Place.PLAIN},
    MediaHeader: {"link": _Place.URL, "id": _Place.PLAIN, "filename": _Place.PLAIN},
    LocationHeader: dict.fromkeys(("latitude", "longitude", "name", "address"), _Place.PARAMETER),
    UrlButton: {"text": _Place.URL_PARAMETER},
    CopyCode: {"code": _Place.PARAMETER},
    TextMessage: {"body": _Place.PLAIN},
    MediaMessage: {
        "link": _Place.URL,
        "id": _Place.PLAIN,
        "caption": _Place.PLAIN,
        "filename": _Place.PLAIN,
    },
    LocationMessage: dict.fromkeys(("latitude", "longitude", "name", "address"), _Place.PLAIN),
    ButtonsMessage: dict.fromkeys(("body", "header", "footer"), _Place.PLAIN),
    ListMessage: dict.fromkeys(("body", "menu", "header", "footer"), _Place.PLAIN),
    CtaUrlMessage: {
        **dict.fromkeys(("body", "label", "header", "footer"), _Place.PLAIN),
        "url": _Place.URL,
    },
}
"""Every field that may hold variables. What is not here (a template's name, language and preview,
button ids) is never touched: in a preview, `{{1}}` is the template's own placeholder."""


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _in_url(value: str) -> str:
    # A lone surrogate has no UTF-8; a question mark in its place beats a send that cannot be made.
    return quote(value, safe="", errors="replace")


_ESCAPES: dict[_Place, Callable[[str], str]] = {
    _Place.PLAIN: str,
    _Place.PARAMETER: str,  # the whole parameter is put on one line, its own text included
    _Place.URL: _in_url,
    _Place.URL_PARAMETER: lambda value: _in_url(_one_line(value)),
}
_FINISH: dict[_Place, Callable[[str], str]] = {
    _Place.PLAIN: str,
    _Place.PARAMETER: _one_line,
    _Place.URL: str.strip,
    _Place.URL_PARAMETER: _one_line,
}


def _text_change(text: str, place: _Place) -> _Change | None:
    """How to fill one text in, or None when it stays as it is.

    A placeholder whose name has no value is left standing, where a person will notice it; the
    publish checks refuse undeclared names, so that is a draft's matter.
    """
    finish = _FINISH[place]
    pieces = _PLACEHOLDER.split(text)
    if len(pieces) == 1:
        finished = text if place is _Place.URL else finish(text)
        return None if finished == text else (lambda _values: finished)
    literals = pieces[0::2]
    names = [(name.rstrip(), "{{" + name + "}}") for name in pieces[1::2]]
    is_whole = len(names) == 1 and not "".join(literals).strip()
    escape = str if is_whole else _ESCAPES[place]

    def fill(values: Values) -> str:
        out = [literals[0]]
        for (name, written), literal in zip(names, literals[1:], strict=True):
            value = values.get(name)
            out.append(written if value is None else escape(value))
            out.append(literal)
        return finish("".join(out))

    return fill


def _change(value: object, place: _Place) -> _Change | None:
    """How to fill in whatever a field holds, or None when nothing in it changes."""
    if isinstance(value, str):
        return _text_change(value, place)
    if isinstance(value, Document):
        return _part_change(value, place)
    if isinstance(value, tuple):
        items = [(item, _change(item, place)) for item in value]
        if any(change for _, change in items):
            return lambda values: tuple(c(values) if c else item for item, c in items)
    if isinstance(value, dict):
        pairs = [(key, item, _change(item, place)) for key, item in value.items()]
        if any(change for _, _, change in pairs):
            return lambda values: {key: c(values) if c else item for key, item, c in pairs}
    return None


def _part_change(part: Document, outer: _Place) -> _Change | None:
    """How to fill in a part of the document; inside a template every plain text is a parameter."""
    changes = []
    for field, own in _PLACES[type(part)].items():
        place = outer if own is _Place.PLAIN else own
        change = _change(getattr(part, field), place)
        if change is not None:
            changes.append((field, change))
    if not changes:
        return None
    return lambda values: part.model_copy(
        update={field: change(values) for field, change in changes}
    )


@_remembered
def _plan(node: MessageNode) -> _Change | None:
    return _part_change(node, _Place.PLAIN)


def render(node: MessageNode, values: Values) -> MessageNode:
    """The node with every placeholder replaced by its value; the node itself if it has none.

    Rules of flow.md section 1 by place: in template parameters every run of white space becomes
    one space and the edges are trimmed, of the parameter's own text as well as of values; in links
    and URLs a value is percent-encoded unless it is the whole URL, which is only trimmed; the end
    of a template's URL button follows both rules (a value that is the whole of it may hold slashes
    and a query of its own); everywhere else a value stands as given. Values are not searched for
    placeholders again.
    """
    plan = _plan(node)
    return node if plan is None else plan(values)


# --- what became of it -------------------------------------------------------------------------


def empty_parameter(node: MessageNode) -> str | None:
    """The path, below the rendered node, of a template parameter that came out blank, or None.

    WhatsApp refuses such a template with 131008; flow.md 2.5 refuses it without the call.
    """
    if not isinstance(node.message, TemplateMessage):
        return None
    return next(
        (f"message.{path}" for path, text in _parameters(node.message) if not text.strip()), None
    )


def _parameters(message: TemplateMessage) -> Iterator[tuple[str, str]]:
    """Every parameter of a template as (path below the message, text)."""
    match message.header:
        case TextHeader(text=text):
            yield "header.text", text
        case MediaHeader() as media:
            key = "link" if media.id is None else "id"
            yield f"header.{key}", getattr(media, key) or ""
        case LocationHeader() as place:
            yield "header.latitude", str(place.latitude)
            yield "header.longitude", str(place.longitude)
    for place_or_name, text in _body_parameters(message):
        yield f"body.{place_or_name}", text
    for i, button in enumerate(message.url_buttons):
        yield f"url_buttons.{i}.text", button.text
    if message.copy_code is not None:
        yield "copy_code.code", message.copy_code.code


def _body_parameters(message: TemplateMessage) -> Iterator[tuple[str | int, str]]:
    if isinstance(message.body, dict):
        yield from message.body.items()
    else:
        yield from enumerate(message.body)


def preview_text(node: MessageNode, template_body: str | None = None) -> str:
    """What a person reads of a rendered message: its text, caption, or a word for its media.

    For a template: `template_body` (the registry's) or else its `preview`, with the parameters put
    in (`{{1}}` is the first positional one); with neither, its name and parameters.
    """
    match node.message:
        case TemplateMessage() as message:
            return _template_text(message, template_body)
        case MediaMessage() as media:
            return media.caption or media.filename or f"[{media.type}]"
        case LocationMessage() as place:
            return place.name or place.address or f"{place.latitude}, {place.longitude}"
        case other:
            return other.body


def _template_text(message: TemplateMessage, template_body: str | None) -> str:
    body = template_body if template_body is not None else message.preview
    parameters = {
        str(key + 1) if isinstance(key, int) else key: text
        for key, text in _body_parameters(message)
    }
    if body is None:
        return " ".join((message.name, *parameters.values()))
    return _PLACEHOLDER.sub(
        lambda match: parameters.get(match.group(1).rstrip(), match.group(0)), body
    )
