"""The contract between the API, the worker and the workflows: ids, queues, inputs, signals.

Nobody else writes or reads a workflow id.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from temporalio.common import SearchAttributeKey

from domain.run import Limits, RunState
from workflows.converter import CarriesFlow

RUN_WORKFLOW: Final = "FlowRun"
SENDOUT_WORKFLOW: Final = "Sendout"
SWEEP_WORKFLOW: Final = "Sweep"
WEBHOOK_WORKFLOW: Final = "WebhookDelivery"
SWEEP_ID: Final = "sweep"
DAILY_REPORTS_WORKFLOW: Final = "DailyReports"
DAILY_REPORTS_ID: Final = "daily-reports"

BUSINESS_ID = SearchAttributeKey.for_keyword("BusinessId")
CAMPAIGN_NAME = SearchAttributeKey.for_keyword("CampaignName")
CAMPAIGN_VERSION = SearchAttributeKey.for_keyword("CampaignVersion")
SENDOUT_ID = SearchAttributeKey.for_keyword("SendoutId")
SEARCH_ATTRIBUTES = (BUSINESS_ID, CAMPAIGN_NAME, CAMPAIGN_VERSION, SENDOUT_ID)

PRIORITY_OF_CAUSE: Final = {"click": 1, "reply": 1, "delay": 3, "start": 4}
"""Temporal priority of a send (1 first): answers overtake follow-ups, follow-ups bulk."""
PRIORITY_OF_SINGLE: Final = 2
"""That of a message of the message API: of a sender's messages only answers go before it."""


def run_workflow_id(entry_id: UUID | str) -> str:
    """The id of an entry's run, for instance `run-4f1c…`."""
    return f"run-{entry_id}"


def entry_of_run(workflow_id: str) -> UUID:
    """The inverse of `run_workflow_id`. Raises `ValueError` for any other id."""
    return UUID(workflow_id.removeprefix("run-"))


def sendout_workflow_id(sendout_id: UUID | str) -> str:
    """The id of a sendout's workflow."""
    return f"sendout-{sendout_id}"


def webhook_workflow_id(webhook_id: UUID | str) -> str:
    """The id of the workflow that delivers a registration's events."""
    return f"webhook-{webhook_id}"


def send_queue(task_queue: str) -> str:
    """The task queue of the sends, beside that of the workflows."""
    return f"{task_queue}-sends"


def webhook_queue(task_queue: str) -> str:
    """The task queue of the deliveries to businesses, whose receivers may be slow."""
    return f"{task_queue}-webhooks"


class Frozen(BaseModel):
    """Base of inputs, signals and results: frozen, unknown fields refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RunInput(CarriesFlow):
    """What a run starts with. Set only what differs from the default: the rest is not written.

    `channel` is the sender's channel id, the fairness key of its sends; `variables` are those that
    branches read, defaults applied. All durations are seconds.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    attempt: int = 1
    channel: str
    variables: dict[str, str] = Field(default_factory=dict)
    click_window: int = 86_400
    late_delivery: int = 86_400
    max_sends: int = 100
    start_priority: int = PRIORITY_OF_CAUSE["start"]
    """The priority of what it sends first, until something else makes it go on."""
    reopened: bool = False
    """The entry had ended; what it had done is read from the record first."""
    state: RunState | None = None
    """What the run had done when it continued as new."""

    @property
    def limits(self) -> Limits:
        return Limits(
            click_window=timedelta(seconds=self.click_window),
            late_delivery=timedelta(seconds=self.late_delivery),
            max_sends=self.max_sends,
        )


class Begin(Frozen):
    """Walk this attempt from the start (`…/retry`), whatever an earlier one is still waiting for."""

    attempt: int


class OfAttempt(Frozen):
    """Base of what concerns one visit to one node, in one attempt."""

    node: str
    visit: int
    attempt: int = 1


class ButtonClicked(OfAttempt):
    """The customer tapped a button of a message of this run; `inbound` is WhatsApp's id of it."""

    button: str
    inbound: str


class MessageDelivered(OfAttempt):
    """A message that a delay waits for was received."""


class MessageFailed(OfAttempt):
    """WhatsApp reported that a message it had accepted failed."""


class MessageSettled(OfAttempt):
    """What became of a send whose outcome was unknown."""

    accepted: bool


class AskAnswered(OfAttempt):
    """The text an open ask was waiting for."""

    text: str
    inbound: str


class SendoutInput(Frozen):
    """A sendout's workflow needs its id alone: everything else is in the record."""

    sendout_id: UUID


class WebhookInput(Frozen):
    """A registration's workflow needs its id alone: address and secret stay in the record."""

    webhook_id: UUID
