"""A send at noon of a Monday (UTC) that nothing speaks against, and what may be different about it."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from domain.flow import Flow
from domain.requests import SendMessage
from domain.sending import Decision, MessageRow, Policy, Post, Situation, before

ENTRY = UUID(int=1)
SITUATION = Situation(
    message_id="01K6Z0M8Q4T7W2N5R9B3C1D0EF",
    entry_id=ENTRY,
    sendout_id=UUID(int=2),
    channel_id=UUID(int=3),
    created_at=datetime(2026, 1, 5, 9, tzinfo=UTC),
    client="+16045552331",
    variables='{"name": "Ana", "price": 19.90}',
    entry_state="running",
    attempt=1,
    sendout_state="running",
    skip_nodes=frozenset(),
    flow_hash="hash",
    phone_number_id="1",
    access_token="token",
    channel_held=False,
    opted_out=False,
    led_by_since_opt_out=False,
    window_open=True,
    business_zone="UTC",
    due_for=0.5,
    row=None,
)
NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""A Monday."""
GIVE_UP = Policy(unknown_outcome="give_up", unknown_grace=600)
RESEND = Policy(unknown_outcome="resend", unknown_grace=600)


def template(category: str) -> dict[str, Any]:
    called = {"type": "template", "name": "hello", "language": "en", "category": category}
    return {"type": "message", "message": {**called, "body": ["{{name}}", "{{price}}"]}}


FLOW = Flow.model_validate(
    {
        "format": 1,
        "start": "marketing",
        "variables": {"name": {}, "price": {"default": ""}},
        "nodes": {
            **{name: template(name) for name in ("marketing", "utility", "authentication")},
            "text": {"type": "message", "message": {"type": "text", "body": "Hi {{name}}"}},
            "asking": {
                **template("utility"),
                "message": {**template("utility")["message"], "body": ["{{answer}}"]},
            },
            "ask": {"type": "ask", "variable": "answer", "timeout": "PT1H"},
        },
    }
)


def flow_with(**fields: Any) -> Flow:
    """The flow with these fields of the document."""
    document = FLOW.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    return Flow.model_validate({**document, "format": 1, **fields})


def decided(
    node: str = "marketing",
    policy: Policy = GIVE_UP,
    outputs: dict[str, str] | None = None,
    flow: Flow = FLOW,
    ordered: dict[str, Any] | None = None,
    **differs: Any,
) -> Decision:
    """What is decided right before a send; `differs` from `SITUATION`, `ordered` of the order."""
    order = SendMessage.model_validate(
        {"entry": ENTRY, "node": node, "visit": 1, "number": 1, "outputs": outputs or {}}
        | (ordered or {})
    )
    return before(replace(SITUATION, **differs), order, flow, policy, NOW)


def row(state: str, *, unknown_for: float | None = None) -> MessageRow:
    return MessageRow(state, 1, unknown_for)


def is_post(decision: Decision) -> bool:
    return isinstance(decision, Post)
