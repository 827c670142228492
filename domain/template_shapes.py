"""Templates in Connectly's words and in Graph's, both ways (reference/connectly.md section 6).

Buttons, whose shape the documents do not show, are Graph's own objects on both sides.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from domain.rendering import placeholders

Json: TypeAlias = dict[str, Any]

CATEGORY: Final = "MESSAGE_TEMPLATE_GROUP_CATEGORY_"
STATUS: Final = "MESSAGE_TEMPLATE_STATUS_"
CHANNEL_TYPE: Final = "CHANNEL_TYPE_WHATSAPP_CLOUD"
NAME: Final = re.compile(r"[a-z0-9_]{1,512}")
LANGUAGE: Final = re.compile(r"[a-z]{2,3}(_[A-Za-z]{2,8})?")
CATEGORIES: Final = ("MARKETING", "UTILITY", "AUTHENTICATION")
_MEDIA: Final = ("IMAGE", "VIDEO", "DOCUMENT")


class ComponentInvalid(ValueError):
    """A component is not of a known shape; the text names it and the fix."""


# --- to Graph ------------------------------------------------------------------------------------


def graph_components(components: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Connectly's `templateComponents` as Graph's `components`, in Graph's order.

    Raises `ComponentInvalid`.
    """
    found: dict[str, Json] = {}
    for i, component in enumerate(components):
        at = f"templateComponents[{i}]"
        kinds = [k for k in ("header", "body", "footer", "buttons") if component.get(k) is not None]
        if len(kinds) != 1:
            raise ComponentInvalid(f"`{at}` must be one of header, body, footer or buttons")
        if kinds[0].upper() in found:
            raise ComponentInvalid(f"`{at}` is a second {kinds[0]}")
        found[kinds[0].upper()] = _TO_GRAPH[kinds[0]](component[kinds[0]], f"{at}.{kinds[0]}")
    if "BODY" not in found:
        raise ComponentInvalid("`templateComponents` needs a body")
    return [found[kind] for kind in ("HEADER", "BODY", "FOOTER", "BUTTONS") if kind in found]


def _graph_header(header: Any, at: str) -> Json:
    header = _object(header, at)
    if header.get("media") is None:
        part = _object(header.get("text"), f"{at}.text")
        text = _text(part, f"{at}.text")
        made: Json = {"type": "HEADER", "format": "TEXT", "text": text}
        if examples := _examples(part, f"{at}.text"):
            made["example"] = _example("header_text", examples, text, rows=False)
        return made
    media = _object(header["media"], f"{at}.media")
    kind = str(media.get("type") or "").upper().removeprefix("TYPE_")
    if kind not in _MEDIA:
        raise ComponentInvalid(f"`{at}.media.type` must be TYPE_IMAGE, TYPE_VIDEO or TYPE_DOCUMENT")
    made = {"type": "HEADER", "format": kind}
    if examples := _examples(media, f"{at}.media"):
        made["example"] = {"header_handle": examples}
    return made


def _graph_body(body: Any, at: str) -> Json:
    part = _object(_object(body, at).get("text"), f"{at}.text")
    text = _text(part, f"{at}.text")
    made: Json = {"type": "BODY", "text": text}
    if examples := _examples(part, f"{at}.text"):
        made["example"] = _example("body_text", examples, text, rows=True)
    return made


def _graph_footer(footer: Any, at: str) -> Json:
    part = _object(_object(footer, at).get("text"), f"{at}.text")
    return {"type": "FOOTER", "text": _text(part, f"{at}.text")}


def _graph_buttons(buttons: Any, at: str) -> Json:
    listed = buttons.get("buttons") if isinstance(buttons, Mapping) else buttons
    good = isinstance(listed, list) and all(isinstance(b, Mapping) for b in listed)
    if not good or not listed:
        raise ComponentInvalid(f"`{at}` must be a list of buttons as the Graph API defines them")
    return {"type": "BUTTONS", "buttons": [dict(button) for button in listed]}


_TO_GRAPH: Final = {
    "header": _graph_header,
    "body": _graph_body,
    "footer": _graph_footer,
    "buttons": _graph_buttons,
}


def is_named(components: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the variables of Graph components have names rather than numbers."""
    names = [n for c in components for n in placeholders(str(c.get("text") or ""))]
    return any(not name.isdecimal() for name in names)


def _example(field: str, examples: list[str], text: str, *, rows: bool) -> Json:
    names = list(dict.fromkeys(placeholders(text)))
    if any(not name.isdecimal() for name in names):
        named = [
            {"param_name": name, "example": example}
            for name, example in zip(names, examples, strict=False)
        ]
        return {f"{field}_named_params": named}
    return {field: [examples] if rows else examples}


def _object(value: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ComponentInvalid(f"`{at}` must be an object")
    return value


def _text(part: Mapping[str, Any], at: str) -> str:
    text = part.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ComponentInvalid(f"`{at}.text` must be a text")
    return text


def _examples(part: Mapping[str, Any], at: str) -> list[str]:
    examples = part.get("example") or []
    if not isinstance(examples, list) or not all(isinstance(e, str) for e in examples):
        raise ComponentInvalid(f"`{at}.example` must be a list of texts")
    return list(examples)


# --- from Graph ----------------------------------------------------------------------------------


def connectly_components(components: Any) -> list[Json]:
    """Graph's `components` as Connectly's `templateComponents`; kinds it has no word for are left out."""
    return [part for component in _objects(components) for part in _connectly(component)]


def _connectly(component: Mapping[str, Any]) -> Iterator[Json]:
    text = component.get("text")
    example = component.get("example")
    told = example if isinstance(example, Mapping) else {}
    match str(component.get("type", "")).upper():
        case "HEADER":
            kind = str(component.get("format") or "TEXT").upper()
            if kind == "TEXT":
                yield {"header": {"text": _shown(text, told, "header_text")}}
            else:
                handles = told.get("header_handle")
                media = {"type": f"TYPE_{kind}", "example": _texts(handles)}
                yield {"header": {"media": media}}
        case "BODY":
            yield {"body": {"text": _shown(text, told, "body_text")}}
        case "FOOTER":
            yield {"footer": {"text": {"text": text}}}
        case "BUTTONS":
            yield {"buttons": [dict(button) for button in _objects(component.get("buttons"))]}


def _shown(text: Any, example: Mapping[str, Any], field: str) -> Json:
    given = example.get(field)
    rows = given if isinstance(given, list) else []
    first = rows[0] if rows and isinstance(rows[0], list) else rows
    named = [p.get("example") for p in _objects(example.get(f"{field}_named_params"))]
    return {"text": text, "example": _texts(first) or _texts(named)}


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _objects(value: Any) -> list[Mapping[str, Any]]:
    items = value if isinstance(value, list) else []
    return [item for item in items if isinstance(item, Mapping)]
