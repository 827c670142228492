"""What the simulated world knows of a message, and what a look at one can come to."""

from dataclasses import dataclass

from domain import run
from domain.run import RunState, SendOutcome, Stimulus

UNSETTLED = ("unknown", "given_up", "held")
STANDS = {
    "sent": SendOutcome.ACCEPTED,
    "failed": SendOutcome.REFUSED,
    "refused": SendOutcome.REFUSED,
    "given_up": SendOutcome.GIVEN_UP,
}
NOT_POSTED = [SendOutcome(o) for o in ("held", "skipped", "opted_out", "expired", "refused")]
NOT_POSTED.append(SendOutcome.CANCELLED)
OUTCOMES = {
    "sending": [SendOutcome(o) for o in ("accepted", "unknown", "refused", "held")],
    "unknown": [SendOutcome(o) for o in ("given_up", "unknown", "held", "accepted", "refused")],
}
"""What a look at a message can come to, by the state of its row; else it was not posted."""
ROW_STATE = {outcome: outcome.value for outcome in SendOutcome if outcome != "cancelled"}
ROW_STATE[SendOutcome.ACCEPTED] = "sent"
Work = run.Send | run.CheckDelay | run.CloseAsk | run.Finish


@dataclass
class Row:
    """A message as the record has it."""

    state: str = "new"
    posted: bool = False
    delivered: bool = False
    clicked: bool = False
    replied: bool = False
    awaits_delivery: bool = False

    @property
    def may_be_there(self) -> bool:
        """WhatsApp may have it, so a tap on it is possible."""
        return self.posted and self.state in {"sending", "sent", *UNSETTLED}


@dataclass
class Job:
    """An effect on its way: first the record decides, later the run hears the answer."""

    effect: Work
    closing: RunState
    answer: Stimulus | None = None


def weight(outcome: SendOutcome) -> int:
    return {"accepted": 6, "unknown": 4, "held": 3, "given_up": 8}.get(outcome, 1)
