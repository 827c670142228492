"""Requests and answers of the sendout resource (api.md section 4)."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import Field

from api.bodies import RequestBody
from api.schemas.common import Schema
from api.schemas.texts import Line


class SendoutChange(RequestBody):
    """A label (`""` takes it away), and the nodes that are no longer sent."""

    label: Line | None = None
    skip_nodes: list[str] | None = None


class HeldChannel(Schema):
    """A held channel that the sendout waits for; `code` is WhatsApp's, if it was WhatsApp."""

    channel: str
    code: int | None
    message: str | None
    since: datetime


class HeldTemplateOfFlow(Schema):
    """A held template of the sendout's flow; `*` stands for all its marketing templates."""

    template: str
    language: str
    code: int | None
    message: str | None
    since: datetime


class EntryCounts(Schema):
    """Entries by state; `accepted` is the sum of the others."""

    accepted: int = 0
    duplicate: int = 0
    scheduled: int = 0
    queued: int = 0
    running: int = 0
    completed: int = 0
    failed: int = 0
    unknown: int = 0
    not_received: int = 0
    opted_out: int = 0
    cancelled: int = 0


class MessageCounts(Schema):
    """Messages: `sent` was accepted by WhatsApp, `delivered` includes read.

    `clicked` are distinct customers.
    """

    sent: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    unknown: int = 0
    clicked: int = 0


class NodeCounts(Schema):
    """The messages of one node; `clicked` are distinct customers by button id."""

    sent: int = 0
    delivered: int = 0
    read: int = 0
    failed: int = 0
    unknown: int = 0
    clicked: dict[str, int] = Field(default_factory=dict)


class Sendout(Schema):
    """A sendout with its exact counts; `finishedAt` while it is idle and anything has ended."""

    sendout_id: UUID
    campaign_id: UUID
    campaign_name: str | None = Field(description="Null of single messages without a tag.")
    campaign_version: str
    label: str | None
    source: Literal["api", "csv", "test", "message"]
    state: Literal["running", "paused", "cancelled"]
    current: bool
    progress: Literal["idle", "running"]
    held_by: list[HeldChannel | HeldTemplateOfFlow]
    skip_nodes: list[str]
    created_at: datetime
    finished_at: datetime | None
    entries: EntryCounts
    messages: MessageCounts
    nodes: dict[str, NodeCounts]


class Retried(Schema):
    """How many entries run again."""

    retried: int
