"""The words of a simulation: what its customer does, and what came of it (api.md section 3)."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Wait:
    """Let time pass; what becomes due in it happens."""

    duration: timedelta


@dataclass(frozen=True, slots=True)
class Click:
    """Tap a button of the message that `node` sent: the one of that visit, or the newest."""

    node: str
    button: str
    visit: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """Write a text to the business."""

    text: str


CustomerStep: TypeAlias = Wait | Click | Reply


@dataclass(frozen=True, slots=True)
class Visit:
    """A node that a path came to; branches and splits count too."""

    node: str
    visit: int
    at: timedelta


@dataclass(frozen=True, slots=True)
class Decision:
    """Why a path went on or ended; `node` None for what is about the customer or the whole run."""

    node: str | None
    at: timedelta
    inputs: dict[str, Any]
    verdict: str
    reason: str


@dataclass(slots=True)
class SentMessage:
    """A message the customer got, rendered."""

    node: str
    visit: int
    at: timedelta
    type: str
    template: str | None
    text: str
    buttons: list[tuple[str, str]]
    """Id and label of each."""
    tapped: bool = False
    responded: bool = False
    """A text came after it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a run waits for; clicks never expire.

    A `delay`, a `reply` (to an ask), a `click`, or the sending `window` of a message.
    """

    node: str
    visit: int
    kind: Literal["delay", "reply", "click", "window"]
    until: timedelta | None
    buttons: list[str]


@dataclass(frozen=True, slots=True)
class Simulation:
    """What came of it; times count from the start.

    `outcome` is the state the entry would end in, None while a path is still pending for the first
    time (flow.md section 2, the rules after the list).
    """

    messages: list[SentMessage]
    path: list[Visit]
    decisions: list[Decision]
    waiting_for: list[Waiting]
    outcome: str | None
    output_variables: dict[str, str]
