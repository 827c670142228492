"""Whether a business phone number can send, as the Graph API tells it, in words."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

FIELDS = "display_phone_number,verified_name,quality_rating,health_status"
"""The fields that `read_number` reads."""

_NODES = {
    "PHONE_NUMBER": "the phone number",
    "WABA": "the WhatsApp account",
    "BUSINESS": "the business portfolio",
    "APP": "the app",
}


@dataclass(frozen=True, slots=True)
class Number:
    """A phone number as WhatsApp knows it.

    `digits` of its number; `can_send` None where WhatsApp does not say; `remarks` are WhatsApp's on
    what limits or blocks it, one line each.
    """

    digits: str
    name: str
    quality: str
    can_send: bool | None
    remarks: tuple[str, ...]


def read_number(document: Mapping[str, Any]) -> Number:
    """Read the answer to a request for `FIELDS`; whatever is missing or odd reads as not told."""
    health = document.get("health_status")
    health = health if isinstance(health, dict) else {}
    overall = health.get("can_send_message")
    return Number(
        digits="".join(c for c in str(document.get("display_phone_number", "")) if c.isdigit()),
        name=str(document.get("verified_name", "")),
        quality=str(document.get("quality_rating", "")),
        can_send=None if overall is None else overall != "BLOCKED",
        remarks=tuple(_remarks(health.get("entities"))),
    )


def _objects(items: Any) -> list[dict[str, Any]]:
    return [i for i in items if isinstance(i, dict)] if isinstance(items, list) else []


def _remarks(nodes: Any) -> Iterator[str]:
    for node in _objects(nodes):
        name = _NODES.get(str(node.get("entity_type")), str(node.get("entity_type")))
        for error in _objects(node.get("errors")):
            said = f"{error.get('error_description', '')} {error.get('possible_solution', '')}"
            yield f"{name}: {' '.join(said.split())} [{error.get('error_code')}]"
        more = node.get("additional_info")
        for info in more if isinstance(more, list) else ():
            yield f"{name}: {' '.join(str(info).split())}"
