"""What is passed between the record, the deliverer and the wire when events go to a business."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.webhook_payloads import Event


@dataclass(frozen=True, slots=True)
class Target:
    """Where events go, and what they are signed with. Neither is ever logged."""

    address: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DueEvent:
    """An event to be delivered now; `tries` counts this one."""

    event: Event
    tries: int


@dataclass(frozen=True, slots=True)
class DuePage:
    """Events to be delivered side by side: no two of one key.

    `failures` counts the pages before this one of which nothing got through; then nothing is tried
    before `paused_for` seconds are over.
    """

    target: Target
    failures: int
    events: Sequence[DueEvent]
    paused_for: float | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one event; a failed one is tried again after `pause` seconds."""

    event_id: int
    key: str
    outcome: Literal["delivered", "failed", "not_tried"]
    error: str | None = None
    pause: float = 0.0


class DeliverEvents(BaseModel):
    """Deliver what is due of a registration."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    webhook: UUID


class DeliveredEvents(BaseModel):
    """Seconds until the next event is due; None if none is waiting, or the registration is gone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    again_in: float | None = None
