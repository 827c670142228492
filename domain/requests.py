"""What a run asks of the sender and of the record, and what it is answered.

These are the inputs and results of its activities: one frozen model each. What is left at its
default is not written into the history.
"""

from typing import Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from domain.run import Cause, RunState, SendOutcome, Verdict


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SendMessage(_Message):
    """Send this message of this entry, or look again at what became of it.

    `number` counts the run's sends from 1; `cause` is what made it due, `led_by` WhatsApp's id of the
    click or reply that led here; `due` is when, by the run's clock, told of flows with `expireAfter`
    and not of the first message, whose time is the entry's; `outputs` are the texts that asks have
    kept; `closing` is the run at rest when nothing is pending after this send, so that its end is
    recorded with it.
    """

    entry: UUID
    attempt: int = 1
    node: str
    visit: int
    number: int
    cause: Cause = "start"
    led_by: str | None = None
    due: AwareDatetime | None = None
    outputs: dict[str, str] = {}
    closing: RunState | None = None


class SendResult(_Message):
    """How the send ended; `again_in` (seconds) for one that is held or unknown."""

    outcome: SendOutcome
    again_in: float | None = None
    recorded_end: bool = False


class CheckDelay(_Message):
    """Ask whether the delay `delay`, which belongs to message (`node`, `visit`), goes on.

    `closing` is the run at rest, for when the entry ends where this path ends.
    """

    entry: UUID
    attempt: int = 1
    delay: str
    condition: Literal["all", "no_click", "no_response"]
    node: str
    visit: int
    closing: RunState | None = None


class DelayVerdict(_Message):
    """What the record says at a delay's end."""

    verdict: Verdict
    recorded_end: bool = False


class Ask(_Message):
    """One visit to an ask node of one entry."""

    entry: UUID
    attempt: int = 1
    node: str
    visit: int


class Answer(_Message):
    """The text an ask got before it closed, if any, and WhatsApp's id of it."""

    text: str | None = None
    inbound: str | None = None


class FinishRun(_Message):
    """Record the end of an entry whose run is at rest."""

    entry: UUID
    attempt: int = 1
    at_rest: RunState
    too_many_sends: bool = False


class OpenRun(_Message):
    """Take up an ended entry again."""

    entry: UUID
    attempt: int = 1


class OpenedRun(_Message):
    """What the entry had done; None if it may not be taken up (cancelled, too many sends)."""

    state: RunState | None = None


class StartRuns(_Message):
    """Start what is due of a sendout."""

    sendout: UUID


class StartedRuns(_Message):
    """How many runs were started.

    `more`: further entries are due now. Otherwise `again_in` says in how many seconds the next one
    is; None if none is waiting.
    """

    started: int
    more: bool = False
    again_in: float | None = None


class OpenedReports(_Message):
    """The runs of daily reports that are to be completed."""

    runs: tuple[UUID, ...] = ()


class ReportRun(_Message):
    """One day's report of one business."""

    run: UUID


class Swept(_Message):
    """What a sweep repaired, by kind; `applied` are messages whose status had come too early.

    `forgotten` is what was removed: answers kept by Idempotency-Key, early statuses,
    imports, suppressions.
    """

    started: int = 0
    signals: int = 0
    released: int = 0
    unknown: int = 0
    applied: int = 0
    forgotten: int = 0
