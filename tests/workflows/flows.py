"""Flows the workflow tests send."""

from typing import Any


def template(name: str, preview: str, category: str = "utility") -> dict[str, Any]:
    """A template message without parameters."""
    return {
        "type": "template",
        "name": name,
        "language": "en_US",
        "category": category,
        "preview": preview,
    }


def offer(
    *, condition: str = "no_click", duration: str = "PT20H", category: str = "marketing"
) -> dict[str, Any]:
    """Welcome with two buttons, a delay, a nudge; `yes` gets an offer, `no` gets nothing."""
    return {
        "format": 1,
        "start": "welcome",
        "nodes": {
            "welcome": {
                "type": "message",
                "message": template("welcome", "Welcome"),
                "buttons": [
                    {"id": "yes", "label": "Yes", "next": "offer"},
                    {"id": "no", "label": "No"},
                ],
                "next": "wait",
            },
            "wait": {
                "type": "delay",
                "duration": duration,
                "condition": condition,
                "next": "nudge",
            },
            "nudge": {"type": "message", "message": template("nudge", "Nudge", category)},
            "offer": {"type": "message", "message": {"type": "text", "body": "Offer"}},
        },
    }


def question() -> dict[str, Any]:
    """Welcome, then an ask whose answer decides what comes."""
    return {
        "format": 1,
        "start": "welcome",
        "nodes": {
            "welcome": {"type": "message", "message": template("hello", "Hello"), "next": "color"},
            "color": {
                "type": "ask",
                "variable": "color",
                "timeout": "PT2H",
                "next": "which",
                "on_timeout": "late",
            },
            "which": {
                "type": "branch",
                "cases": [{"variable": "color", "op": "eq", "value": "red", "next": "red"}],
                "otherwise": "other",
            },
            "red": {"type": "message", "message": {"type": "text", "body": "Red it is"}},
            "other": {"type": "message", "message": {"type": "text", "body": "Not {{color}}!"}},
            "late": {"type": "message", "message": template("late", "Too late")},
        },
    }


def echo() -> dict[str, Any]:
    """A message whose button leads back to it: every tap of a new copy sends one more."""
    return {
        "format": 1,
        "start": "again",
        "nodes": {
            "again": {
                "type": "message",
                "message": template("again", "Again?"),
                "buttons": [{"id": "more", "label": "More", "next": "again"}],
            }
        },
    }
