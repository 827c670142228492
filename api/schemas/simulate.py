"""The request and the answer of a simulation (api.md section 3).

A step is an object with one of three fields: `{"wait": "PT2H"}` lets time pass, `{"click": {"node":
"welcome", "button": "yes"}}` taps a button of a message that was sent (`visit` for an earlier one),
`{"reply": "red"}` writes a text.
"""

from datetime import timedelta
from typing import Any, Literal

from pydantic import Field

from api.bodies import RequestBody
from api.json_body import given
from api.schemas.common import Schema
from api.schemas.texts import Line
from domain.document import parse_duration
from domain.errors import BadRequest
from domain.json_text import is_storable
from domain.simulated import Click, CustomerStep, Reply, Wait
from domain.simulation import MOST_STEPS

_KINDS = ("wait", "click", "reply")


class ClickStep(Schema):
    """A tap on a button of the message that `node` sent; of its newest visit unless one is named."""

    node: str
    button: str
    visit: int | None = Field(default=None, ge=1)


class SimulationStep(Schema):
    """One of the three: time that passes (ISO 8601, or seconds), a tap, or a text."""

    wait: str | float | None = None
    click: ClickStep | None = None
    reply: str | None = None


class SimulationOrder(RequestBody):
    """What to simulate; the draft unless a flow is given. `entryId` is any text: splits go by it."""

    flow: Any = None
    variables: dict[str, Any] | None = None
    steps: list[Any] | None = None
    entry_id: Line | None = Field(default=None, max_length=200)


class SimulationOrderDocument(RequestBody):
    """What to simulate; the draft unless a flow is given. `entryId` is any text: splits go by it."""

    flow: dict[str, Any] | None = None
    variables: dict[str, Any] | None = None
    steps: list[SimulationStep] | None = Field(default=None, max_length=MOST_STEPS)
    entry_id: Line | None = Field(default=None, max_length=200)


class ButtonShown(Schema):
    """A button as the customer sees it."""

    id: str
    label: str


class SimulatedMessage(Schema):
    """A message the customer got, `at` seconds after the start."""

    node: str
    visit: int
    at: float
    type: str
    template: str | None
    text: str
    buttons: list[ButtonShown]


class SimulatedVisit(Schema):
    """A node that a path came to."""

    node: str
    visit: int
    at: float


class SimulatedDecision(Schema):
    """Why a path went on or ended; `node` null for what is about the customer or the whole run."""

    node: str | None
    at: float
    inputs: dict[str, Any]
    verdict: Literal[
        "go_on",
        "end",
        "answered",
        "timed_out",
        "ignored",
        "opt_out",
        "opt_in",
        "refused",
        "opted_out",
        "held",
        "expired",
    ]
    reason: str


class SimulatedWait(Schema):
    """What the run waits for, `until` seconds after the start; taps (`click`) never expire.

    A message that waits for the sending `window` waits until that opens or the message expires.
    """

    node: str
    visit: int
    kind: Literal["delay", "reply", "click", "window"]
    until: float | None
    buttons: list[str]


class SimulationResult(Schema):
    """What the customer got, and why; `outcome` null while a path is pending for the first time."""

    messages: list[SimulatedMessage]
    path: list[SimulatedVisit]
    decisions: list[SimulatedDecision]
    waiting_for: list[SimulatedWait]
    outcome: Literal["completed", "failed", "opted_out"] | None
    output_variables: dict[str, str]


def read_steps(steps: list[Any]) -> list[CustomerStep]:
    """The steps of a request. Raises `BadRequest` naming the first that is none."""
    if len(steps) > MOST_STEPS:
        raise BadRequest(f"`steps` must hold at most {MOST_STEPS:,} steps.")
    return [_read_step(i, step) for i, step in enumerate(steps)]


def bad_step(position: int, said: str) -> BadRequest:
    """The refusal of one step, counted from 0 as in the request's list."""
    return BadRequest(f"Please check `steps.{position}`: {said}.", details={"step": position})


def _read_step(position: int, step: object) -> CustomerStep:
    named = [k for k in _KINDS if isinstance(step, dict) and step.get(k) is not None]
    if not isinstance(step, dict) or len(named) != 1:
        raise bad_step(position, "it must be an object with one of `wait`, `click` and `reply`")
    value = step[named[0]]
    match named[0]:
        case "wait":
            return Wait(_duration(position, value))
        case "click":
            return _click(position, value)
        case _:
            if not isinstance(value, str):
                raise bad_step(position, "`reply` must be a text")
            if not is_storable(value):
                said = "`reply` holds a NUL character or half of a surrogate pair"
                raise bad_step(position, said)
            return Reply(value)


def _duration(position: int, value: object) -> timedelta:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    try:
        return parse_duration(f"PT{value:f}S" if is_number else value)
    except ValueError as error:
        raise bad_step(position, f"`wait`: {error}") from None


def _click(position: int, value: object) -> Click:
    fields = value if isinstance(value, dict) else {}
    node, button, visit = (given(fields, name) for name in ("node", "button", "visit"))
    if not isinstance(node, str) or not isinstance(button, str):
        raise bad_step(position, "`click` must name a `node` and a `button`, each a text")
    if visit is not None and (type(visit) is not int or visit < 1):
        raise bad_step(position, "`click.visit` must be a whole number from 1")
    return Click(node, button, visit)
