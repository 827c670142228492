"""Requests and answers of the webhook registrations (api.md section 5)."""

from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from api.bodies import RequestBody
from api.schemas.common import Schema
from api.schemas.texts import Line

_Address: TypeAlias = Annotated[
    str,
    Field(
        max_length=2000,
        description="Where events are sent: https, and not at a private address.",
    ),
]
_Secret: TypeAlias = Annotated[
    Line, Field(min_length=1, description="What events are signed with. Never answered again.")
]


_EventId: TypeAlias = Annotated[int, Field(ge=1, lt=2**63)]


class _Part(BaseModel):
    model_config = ConfigDict(
        alias_generator=to_camel, validate_by_name=True, frozen=True, strict=True
    )


class WebhookFilter(_Part):
    """Lets events of campaigns pass whose name fits: `*` is any text, `?` any one character."""

    field: Literal["campaign_name"]
    expression: Annotated[Line, Field(min_length=1)]


class GivenConfiguration(_Part):
    """What is sent; a field that is left out keeps its value, or gets its default."""

    echo: bool | None = Field(
        default=None, description="On `messages`: also what is sent to customers."
    )
    channel_types: list[Literal["channel_type_unspecified", "whatsapp", "sms"]] | None = Field(
        default=None, max_length=3, description="None is all."
    )
    filters: list[WebhookFilter] | None = Field(
        default=None, max_length=50, description="An event passes if one fits; none lets all pass."
    )


class NewWebhook(RequestBody):
    """Where events of a topic are to be sent."""

    topic: Literal["topic_unspecified", "messages", "delivery_status", "report"] = "messages"
    address: _Address
    type: Literal["webhook_type_unspecified", "custom", "zapier", "integromat_make"] = "custom"
    configuration: GivenConfiguration = GivenConfiguration()
    secret: _Secret | None = None


class WebhookChange(RequestBody):
    """What changes of a registration; its topic stays."""

    address: _Address | None = None
    configuration: GivenConfiguration = GivenConfiguration()
    secret: _Secret | None = None
    rotate_secret: bool = Field(
        default=False, description="Generate a new secret, which is in the answer."
    )


class RegisteredWebhook(Schema):
    """The id of a registration."""

    id: UUID


class GeneratedSecret(RegisteredWebhook):
    """The same with its secret, which was generated just now."""

    secret: str = Field(description="Shown this once.")


class WebhookConfiguration(Schema):
    """What is sent."""

    echo: bool
    channel_types: list[str]
    filters: list[WebhookFilter]


class Webhook(Schema):
    """A registration, without its secret; its address without user and password."""

    id: UUID
    topic: str
    address: str
    configuration: WebhookConfiguration


class Webhooks(Schema):
    """The registrations of a business."""

    business_id: UUID
    webhooks: list[Webhook]


class WebhookDelivery(Schema):
    """An event that is not delivered.

    `key` is the id of the message it is about, as WhatsApp gives it for one of a customer, or of a
    report's run. `nextAt` is when a pending one is tried next, or at the latest.
    """

    event_id: int
    kind: str
    key: str
    happened_at: datetime
    state: Literal["pending", "failed"]
    tries: int
    next_at: datetime | None
    last_error: str | None


class RetryDeliveries(RequestBody):
    """Which of the failed events are sent again; all, if none are named."""

    event_ids: Annotated[list[_EventId], Field(max_length=10_000)] | None = None


class RetriedDeliveries(Schema):
    """How many events will be sent again."""

    retried: int
