"""What stands for messages that were sent before a campaign moved here (api.md section 7, import)."""

from typing import Any, Final

from storage.flows import flow_hash

HISTORY_NODE = "imported"
"""The node that imported messages are of."""

HISTORY_DOCUMENT: Final[dict[str, Any]] = {
    "format": 1,
    "start": HISTORY_NODE,
    "nodes": {
        HISTORY_NODE: {
            "type": "message",
            "message": {"type": "text", "body": "Sent elsewhere, before it was imported."},
        }
    },
}
"""A flow that nobody is sent: sendouts of it are history, and their versions cannot be asked for."""

HISTORY_FLOW = flow_hash(HISTORY_DOCUMENT)
"""Its hash, by which imported sendouts are told from others."""
