"""Small flow documents for the tests: nodes by their words, delays in seconds."""

import hashlib
from typing import Any

Node = dict[str, Any]


def flow(*, variables: dict[str, Any] | None = None, **nodes: Node) -> dict[str, Any]:
    """A flow that starts at its first node."""
    return {"format": 1, "start": next(iter(nodes)), "variables": variables or {}, "nodes": nodes}


def button(button_id: str, then: str | None = None, *, opt_out: bool = False) -> dict[str, Any]:
    """A button whose label is its id with a capital letter."""
    made: dict[str, Any] = {"id": button_id, "label": button_id.capitalize(), "next": then}
    return made | ({"optOut": True} if opt_out else {})


def template(
    body: str, *buttons: dict[str, Any], then: str | None = None, category: str = "marketing"
) -> Node:
    """A template that reads `body`; named by its content, so that no two tests share one by chance."""
    content = f"{category}:{body}:{[b['label'] for b in buttons]}"
    name = f"words_{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    message = {
        "type": "template",
        "name": name,
        "language": "en",
        "category": category,
        "preview": body,
    }
    return {"type": "message", "message": message, "buttons": list(buttons), "next": then}


def text(body: str, *, then: str | None = None) -> Node:
    """A free-form text."""
    return {"type": "message", "message": {"type": "text", "body": body}, "next": then}


def delay(seconds: int, condition: str, then: str) -> Node:
    """A time delay of that many seconds."""
    return {"type": "delay", "duration": f"PT{seconds}S", "condition": condition, "next": then}


def ask(variable: str, seconds: int, *, then: str, on_timeout: str) -> Node:
    """A wait for the customer's next text."""
    return {
        "type": "ask",
        "variable": variable,
        "timeout": f"PT{seconds}S",
        "next": then,
        "on_timeout": on_timeout,
    }


def invitation(seconds: int = 2, condition: str = "no_click") -> dict[str, Any]:
    """A template with two buttons, an answer to `yes`, and a nudge after a delay."""
    return flow(
        hello=template("Hello!", button("yes", "more"), button("no"), then="wait"),
        wait=delay(seconds, condition, "nudge"),
        nudge=template("Still there?"),
        more=text("Here is more."),
    )
