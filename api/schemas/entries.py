"""Answers of the entry and customer resources (api.md section 4)."""

from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.schemas.common import Schema

EntryState: TypeAlias = Literal[
    "scheduled",
    "queued",
    "running",
    "completed",
    "failed",
    "unknown",
    "not_received",
    "opted_out",
    "cancelled",
    "duplicate",
]


class EntryError(Schema):
    """Why an entry failed: a documented code, WhatsApp's own number if it was WhatsApp."""

    code: str
    provider_code: int | None
    title: str
    message: str


class Entry(Schema):
    """An entry; `variables`, `outputVariables` and `callbackData` as they were given."""

    entry_id: UUID
    sendout_id: UUID
    client: str
    state: EntryState
    attempt: int
    variables: dict[str, Any]
    output_variables: dict[str, Any]
    callback_data: Any
    error: EntryError | None
    duplicate_of: UUID | None
    created_at: datetime
    scheduled_at: datetime | None
    finished_at: datetime | None
    workflow_id: str


class Step(Schema):
    """Something that happened: `type`, when, and what belongs to that type."""

    model_config = ConfigDict(alias_generator=to_camel, extra="allow")

    type: Literal[
        "accepted",
        "duplicate",
        "started",
        "send",
        "hold",
        "not_sent",
        "status",
        "error",
        "click",
        "delay",
        "decision",
        "ask",
        "answer",
        "ask_timeout",
        "reply",
        "ended",
    ]
    at: datetime


class EntryWithTimeline(Entry):
    """An entry with everything that happened to it, oldest first."""

    timeline: list[Step]


class OptOut(Schema):
    """That a customer wants no marketing, and how we know."""

    source: str
    by_hand: bool
    at: datetime


class LastInbound(Schema):
    """What the customer sent last: `kind` is text, tap, image and so on."""

    kind: str
    text: str | None
    at: datetime


class CustomerEntry(Entry):
    """An entry of a customer, with what it was an entry of."""

    campaign_id: UUID | None = Field(description="Null of single messages.")
    campaign_name: str | None = Field(description="Of single messages their tag, or null.")
    campaign_version: str
    source: Literal["api", "csv", "test", "message"]


class CustomerMessage(Schema):
    """A message to a customer."""

    message_id: str
    sendout_id: UUID
    entry_id: UUID
    node: str
    visit: int
    attempt: int
    state: str
    template: str | None
    text: str | None
    sender: str
    wamid: str | None
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None


class Customer(Schema):
    """Everything known of a customer, newest first."""

    client: str
    names: list[str]
    opt_out: OptOut | None
    last_inbound: LastInbound | None
    entries: list[CustomerEntry]
    messages: list[CustomerMessage]
