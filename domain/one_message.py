"""Single messages as flows of one node, whose texts are variables (api.md section 2b).

So messages of one shape share one stored flow, however many calls are made: the flow knows how many
parameters, rows or captions there are, the entry's variables know what they say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from domain.flow import Flow, MessageNode
from domain.issues import Issue
from domain.limits import over_limits
from domain.rendering import render, values_for

Json: TypeAlias = dict[str, Any]

NODE: Final = "message"
"""The only node of such a flow."""


@dataclass(frozen=True, slots=True)
class OneMessage:
    """A message to send: the flow that its like share, and what this one says."""

    document: Json
    variables: dict[str, str]
    fields: Mapping[str, str] = field(default_factory=dict)
    """What the caller calls the parts of the node, by their path below it."""


def flow_of(message: Json, texts: Mapping[str, str], buttons: list[Json] | None = None) -> Json:
    """The flow of a message whose places hold `{{name}}` for each of the `texts`."""
    node: Json = {"type": "message", "message": message}
    if buttons:
        node["buttons"] = buttons
    variables: Json = {name: {} for name in texts}
    return {"format": 1, "start": NODE, "variables": variables, "nodes": {NODE: node}}


def place(name: str) -> str:
    """The place of a variable in a text."""
    return "{{" + name + "}}"


def first_issue(flow: Flow, message: OneMessage) -> tuple[Issue, str] | None:
    """What WhatsApp would refuse first, and the caller's word for where; None when it takes all."""
    node = flow.nodes[NODE]
    if not isinstance(node, MessageNode):
        raise TypeError("the flow of a single message has a message")
    rendered = render(node, values_for(flow, message.variables, {}))
    for issue in over_limits(rendered, NODE, rendered=True):
        path = issue.path.removeprefix(f"{NODE}.")
        return issue, message.fields.get(path, path)
    return None


def reply_id_name(button: str) -> str:
    """The variable that holds the caller's own id of a button or row.

    Taps come back with the flow's id; the webhook to the business tells the caller's
    (`storage.webhook_deliveries`).
    """
    return f"reply_{button}_id"
