"""What stands around a message's text on a phone: header, footer, links, the rows of a list.

Stored with the message, since a template may be another one when somebody looks. All of it was
validated when the message was read.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Shown: TypeAlias = dict[str, Any]
"""Any of: `header` as of `medium` or `{type: text, text}`; `footer`; `links` `[{label, url?}]`; of a
list `menu` (the label that opens it) and `sections` `[{title, rows: [id]}]`."""

_TOLD = ("link", "filename", "name", "address", "latitude", "longitude")


def medium(kind: str, value: Mapping[str, Any]) -> Shown:
    """An asset or a place; nothing is fetched, so only what it is called is known of it."""
    return {"type": kind} | {name: value[name] for name in _TOLD if value.get(name) is not None}


def of_interactive(interactive: Mapping[str, Any]) -> Shown:
    """The surroundings of an interactive message, as its request has them."""
    shown: Shown = {}
    header, action = interactive.get("header"), interactive["action"]
    if header:
        kind = header["type"]
        text = {"type": "text", "text": header[kind]} if kind == "text" else None
        shown["header"] = text or medium(kind, header[kind])
    if footer := interactive.get("footer"):
        shown["footer"] = footer["text"]
    if interactive["type"] == "list":
        shown["menu"] = action["button"]
        shown["sections"] = [
            {"title": section.get("title", ""), "rows": [row["id"] for row in section["rows"]]}
            for section in action["sections"]
        ]
    parameters = action.get("parameters", {})
    match interactive["type"]:
        case "cta_url":
            shown["links"] = [{"label": parameters["display_text"], "url": parameters["url"]}]
        case "flow":
            shown["links"] = [{"label": parameters["flow_cta"]}]
        case "location_request_message":
            shown["links"] = [{"label": "Send location"}]
    return shown
