"""A run in words: its state, what can happen to it, and what it asks for (flow.md section 2).

The state is plain data, so that it can be stored between any two steps. Stimuli go into
`domain.engine.advance`, effects come out of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal, NamedTuple, TypeAlias

from pydantic import BaseModel, ConfigDict

from domain.flow import Flow


class MessageRef(NamedTuple):
    """One message of a run: a node and the visit to it (1 is the first)."""

    node: str
    visit: int


class UsedButton(NamedTuple):
    """A button that has started its path; it never starts it again."""

    node: str
    visit: int
    button: str


Cause: TypeAlias = Literal["start", "delay", "click", "reply"]
"""What made a path go on: it decides a send's priority and whether a send window binds it."""


class Phase(StrEnum):
    """What a path is waiting for."""

    SENDING = "sending"
    HELD = "held"
    UNSETTLED = "unsettled"
    DELAYED = "delayed"
    CHECKING = "checking"
    LATE = "late"
    ASKING = "asking"
    CLOSING_ASK = "closing_ask"


class Path(BaseModel):
    """One pending path."""

    model_config = ConfigDict(extra="forbid")

    id: int
    phase: Phase
    node: str
    visit: int = 0
    message: MessageRef | None = None
    """The message sent last on this path, or the clicked one: what a delay belongs to."""
    cause: Cause = "start"
    led_by: str | None = None
    """Provider id of the click or reply that led here."""
    timer: int | None = None
    until: datetime | None = None
    due: datetime | None = None
    """When its message was due, or the wait it is coming from was over; kept with `expireAfter`."""
    number: int = 0
    """Which send of the run its message is, from 1."""
    noted: Literal["delivered", "accepted", "failed", "released"] | None = None
    """News that came while an activity was still deciding about this path."""
    waited: bool = False
    """Its delay has waited for a late delivery for as long as it may."""


class RunState(BaseModel):
    """All a run has to remember; what is left of it at the end is the entry's snapshot."""

    model_config = ConfigDict(extra="forbid")

    visits: dict[str, int] = {}
    sends: int = 0
    outputs: dict[str, str] = {}
    used: list[UsedButton] = []
    given_up: list[MessageRef] = []
    not_received: list[MessageRef] = []
    paths: list[Path] = []
    last_path: int = 0
    last_timer: int = 0
    last_message_at: datetime | None = None
    changed: bool = False
    """A path began since the state was last given away to be recorded with an end."""
    last_request: int | None = None
    """The path whose request, on its way, may record the entry's end with what was known then."""
    finishing: bool = False
    """The entry's end is being recorded."""
    ended: bool = False
    """The entry's end is recorded, and nothing has become pending since."""
    over: bool = False
    """Too many sends: nothing starts a path any more."""
    window_timer: int | None = None
    closed: bool = False

    def at_rest(self) -> "RunState":
        """What is kept of a run that has ended: a click may go on from here (flow.md 2.6)."""
        return RunState(
            visits=self.visits,
            sends=self.sends,
            outputs=self.outputs,
            used=self.used,
            given_up=self.given_up,
            not_received=self.not_received,
            last_path=self.last_path,
            last_message_at=self.last_message_at,
            ended=True,
            over=self.over,
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """The settings a run obeys, fixed when it starts."""

    click_window: timedelta = timedelta(hours=24)
    late_delivery: timedelta = timedelta(hours=24)
    max_sends: int = 100


@dataclass(frozen=True, slots=True)
class Setting:
    """What surrounds a run and never changes in it."""

    flow: Flow
    entry_id: str
    variables: dict[str, str]
    """The variables that branches read, defaults applied."""
    limits: Limits = Limits()


# --- stimuli -----------------------------------------------------------------------------------


class SendOutcome(StrEnum):
    """How a send ended, as far as its path is concerned."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    HELD = "held"
    UNKNOWN = "unknown"
    GIVEN_UP = "given_up"
    SKIPPED = "skipped"
    OPTED_OUT = "opted_out"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


FINISHES_A_SEND = frozenset(
    {
        SendOutcome.ACCEPTED,
        SendOutcome.REFUSED,
        SendOutcome.SKIPPED,
        SendOutcome.OPTED_OUT,
        SendOutcome.EXPIRED,
    }
)
"""With these the send's own transaction records the entry's end, if the send is the last."""


@dataclass(frozen=True, slots=True)
class Started:
    """The run begins at the flow's start."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """The run goes on in a new history with the state it had; its timers have to be set again."""


@dataclass(frozen=True, slots=True)
class SendFinished:
    """A send came back; `again_in` says when a held or unknown one is looked at again."""

    path: int
    outcome: SendOutcome
    again_in: timedelta | None = None
    recorded_end: bool = False
    """The same transaction has recorded the entry's end."""


@dataclass(frozen=True, slots=True)
class TimerFired:
    """A timer of this run is due."""

    timer: int


Verdict: TypeAlias = Literal["go_on", "end", "wait"]


@dataclass(frozen=True, slots=True)
class DelayChecked:
    """The recorded truth at a delay's end."""

    path: int
    verdict: Verdict
    recorded_end: bool = False


@dataclass(frozen=True, slots=True)
class Clicked:
    """The customer tapped a button of a message of this run."""

    message: MessageRef
    button: str
    inbound_id: str


@dataclass(frozen=True, slots=True)
class Replied:
    """The customer wrote something."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message that a delay waits for was received."""

    message: MessageRef


@dataclass(frozen=True, slots=True)
class Failed:
    """WhatsApp reported later that a message failed."""

    message: MessageRef


@dataclass(frozen=True, slots=True)
class Settled:
    """An unknown outcome became known."""

    message: MessageRef
    accepted: bool


@dataclass(frozen=True, slots=True)
class Released:
    """A hold is over."""


@dataclass(frozen=True, slots=True)
class AskAnswered:
    """The text that an open ask was waiting for."""

    ask: MessageRef
    text: str
    inbound_id: str


@dataclass(frozen=True, slots=True)
class AskClosed:
    """An ask's time is up; `text` is an answer that was recorded before it closed."""

    ask: MessageRef
    text: str | None
    inbound_id: str | None


@dataclass(frozen=True, slots=True)
class Finished:
    """The entry's end is recorded."""


Stimulus: TypeAlias = (
    Started
    | Resumed
    | SendFinished
    | TimerFired
    | DelayChecked
    | Clicked
    | Replied
    | Delivered
    | Failed
    | Settled
    | Released
    | AskAnswered
    | AskClosed
    | Finished
)


# --- effects -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Send:
    """Send this message, or look again at what became of it."""

    path: int
    message: MessageRef
    number: int
    """Which send of the run this is, from 1."""
    cause: Cause
    led_by: str | None
    last: bool
    """Nothing is pending once this send has ended: record the entry's end with it."""
    due: datetime | None = None
    """When it was due, if that is asked for and it is not the entry's first message."""


@dataclass(frozen=True, slots=True)
class StartTimer:
    """Wake the run at `until`; `about` is what a person reads in the Web UI."""

    timer: int
    until: datetime
    about: str


@dataclass(frozen=True, slots=True)
class StopTimer:
    """That timer is not needed any more."""

    timer: int


@dataclass(frozen=True, slots=True)
class CheckDelay:
    """Read from the record whether a due delay goes on."""

    path: int
    delay: str
    message: MessageRef
    last: bool
    """Nothing else is pending: record the entry's end if this path ends here."""
    waited: bool = False
    """The time for a late delivery is over: this look is the last."""


@dataclass(frozen=True, slots=True)
class OpenAsk:
    """From now on the customer's next text is this ask's answer."""

    path: int
    ask: MessageRef


@dataclass(frozen=True, slots=True)
class CloseAsk:
    """Its time is up: take no answer any more, and say if one was recorded."""

    path: int
    ask: MessageRef


@dataclass(frozen=True, slots=True)
class Finish:
    """Record the entry's end."""

    too_many_sends: bool = False


@dataclass(frozen=True, slots=True)
class Close:
    """The run has nothing left to wait for."""


Effect: TypeAlias = Send | StartTimer | StopTimer | CheckDelay | OpenAsk | CloseAsk | Finish | Close
