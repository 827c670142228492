"""Putting events together to the body of one webhook, in WhatsApp's own writing."""

import json
from collections.abc import Sequence
from typing import Any

from whatsapp.simulator.config import Channel
from whatsapp.simulator.events import Event

_LISTS = {"status": "statuses", "message": "messages", "preference": "user_preferences"}


def webhook_body(channel: Channel, events: Sequence[Event]) -> bytes:
    """The bytes to sign and post; events keep their order, neighbouring statuses share a change.

    Everything beyond ASCII is escaped, and every slash, so that a receiver that checks the
    signature of anything but the bytes it got is found out.
    """
    changes: list[dict[str, Any]] = []
    for event in events:
        kind = _LISTS[event.kind]
        if not (event.kind == "status" and changes and kind in changes[-1]["value"]):
            changes.append(_change(channel, event))
        value = changes[-1]["value"]
        value.setdefault(kind, []).append(_dated(event))
        person = event.document["contact"]
        if person is not None and person not in value.setdefault("contacts", []):
            value["contacts"].append(person)
    body = {
        "object": "whatsapp_business_account",
        "entry": [{"id": channel.waba_id, "changes": changes}],
    }
    return json.dumps(body, separators=(",", ":")).replace("/", "\\/").encode("ascii")


def _change(channel: Channel, event: Event) -> dict[str, Any]:
    return {
        "value": {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": channel.digits,
                "phone_number_id": channel.phone_number_id,
            },
        },
        "field": "user_preferences" if event.kind == "preference" else "messages",
    }


def _dated(event: Event) -> dict[str, Any]:
    seconds = int(event.document.get("at", event.due))
    # Preferences alone carry their time as a number.
    timestamp = seconds if event.kind == "preference" else str(seconds)
    return {**event.document["item"], "timestamp": timestamp}
