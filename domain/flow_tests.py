"""Saved flow tests: what a customer does, and what they must get (`docs/flow-tests.md`).

The models are the file's shape, in YAML and in JSON; the Flow Builder saves the same. A test runs in a
`Trial`, that is, with the engine that sends.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic.alias_generators import to_camel

from domain.document import Document, FromList, NodeId
from domain.durations import read_duration
from domain.entry_checks import read_time
from domain.flow import Flow
from domain.simulated import Click, Decision, Reply, SentMessage, Simulation, Wait
from domain.simulation import MOST_STEPS, CannotBeDone, Circumstances, Trial
from domain.windows import known_zones

FORMAT = 1
"""The newest format of the file that this code reads."""

_Text: TypeAlias = Annotated[str, StringConstraints(min_length=1)]


# --- the file ----------------------------------------------------------------------------------
# It is read with numbers as `domain.json_text` keeps them, that is, as texts: `reply: 5` is a text too.


def _format(value: object) -> int:
    if str(value) != str(FORMAT):
        raise ValueError(f"this release reads flow tests of format {FORMAT}")
    return FORMAT


def _duration(value: object) -> timedelta:
    return read_duration(str(value))


def _time(value: object) -> datetime:
    time = read_time(value) if isinstance(value, str) else None
    if time is None:
        raise ValueError("write a time with its offset, as 2026-05-04T09:30:00Z")
    if not 1970 <= time.year < 9000:
        # Whatever waits, waits until a date that there is.
        raise ValueError("write a time between the years 1970 and 8999")
    return time


def _zone(value: object) -> object:
    known = known_zones()
    if known and value not in known:
        raise ValueError("write an IANA time zone, such as America/Sao_Paulo or UTC")
    return value


def _button_alone(value: object) -> object:
    return {"button": value} if isinstance(value, str) else value


def _message_alone(value: object) -> object:
    return {"message": value} if isinstance(value, str) else value


def _one_alone(value: object) -> object:
    return [value] if isinstance(value, str | dict) else value


class _Part(Document):
    """Base of the parts of the file; names in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel)


class TappedButton(_Part):
    """A button by its label or id, of the newest message that has one so called."""

    button: _Text
    message: NodeId | None = None
    """Only a message of this node."""
    visit: int | None = Field(default=None, ge=1, strict=False)
    """Only its message of this visit."""


class ExpectedMessage(_Part):
    """A message the customer must get."""

    message: NodeId
    """The node that sends it."""
    contains: _Text | None = None
    """What must stand in its text, as it is rendered."""


_After: TypeAlias = Annotated[
    timedelta, BeforeValidator(_duration, json_schema_input_type=str | float)
]
_Tapped: TypeAlias = Annotated[
    TappedButton, BeforeValidator(_button_alone, json_schema_input_type=TappedButton | str)
]
_Expected: TypeAlias = Annotated[ExpectedMessage, BeforeValidator(_message_alone)]
_AllExpected: TypeAlias = Annotated[
    tuple[_Expected, ...],
    FromList,
    BeforeValidator(
        _one_alone,
        json_schema_input_type=ExpectedMessage | str | list[ExpectedMessage | str],
    ),
]


class Step(_Part):
    """After some time the customer does something, and gets what is expected: all in this order."""

    after: _After | None = None
    click: _Tapped | None = None
    reply: str | None = None
    expect: _AllExpected | None = None
    """Exactly what comes in this step; None if that is not looked at."""

    @model_validator(mode="after")
    def _one_thing(self) -> "Step":
        if not self.waits_or_acts and self.expect is None:
            raise ValueError("a step needs at least one of `after`, `click`, `reply` and `expect`")
        if self.click is not None and self.reply is not None:
            raise ValueError("a step has either `click` or `reply`: make two steps of it")
        return self

    @property
    def waits_or_acts(self) -> bool:
        """Whether time passes in it, or the customer does something."""
        return self.after is not None or self.click is not None or self.reply is not None


class FlowTest(_Part):
    """A saved test of a flow: one file."""

    format: Annotated[int, BeforeValidator(_format)] = FORMAT
    name: _Text
    flow: _Text | dict[str, Any]
    """The path of the flow's document, relative to the test's file, or the document itself."""
    variables: dict[str, Any] = Field(default_factory=dict)
    """Of the entry, as in send/campaigns."""
    steps: Annotated[tuple[Step, ...], FromList] = Field(min_length=1, max_length=MOST_STEPS)
    outcome: Literal["completed", "failed", "opted_out", "running"] | None = None
    """How the entry stands after the last step."""
    answers: dict[str, str] | None = None
    """Exactly what the asks have kept after the last step."""
    start: Annotated[datetime, BeforeValidator(_time, json_schema_input_type=str)] = datetime(
        2026, 1, 1, tzinfo=UTC
    )
    """When the run starts; only a sending window asks."""
    timezone: Annotated[str, BeforeValidator(_zone)] = "UTC"
    """The business's IANA zone."""
    entry_id: _Text | None = None
    """What splits go by."""


# --- running it --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a test and its flow disagree."""

    step: int | None
    """From 1; None for what is looked at after the last one."""
    at: timedelta
    """Since the start."""
    expected: str
    seen: str
    decisions: list[Decision]
    """Made in that step."""


class _Disagreement(Exception):
    """What a step expected and what was seen."""

    def __init__(self, expected: str, seen: str) -> None:
        super().__init__(expected, seen)
        self.expected, self.seen = expected, seen


def play(test: FlowTest, flow: Flow, around: Circumstances) -> Failure | None:
    """Run a test on a flow that is free of publish errors; what fails first, None if nothing does.

    Of `around` counts what the test does not say itself.
    """
    entry_id = test.entry_id or around.entry_id
    around = replace(around, start=test.start, business_zone=test.timezone, entry_id=entry_id)
    trial = Trial(flow, around)
    before, now = trial.result(), timedelta()
    number: int | None = None
    try:
        trial.begin()
        for number, step in enumerate(test.steps, 1):
            if number > 1 or step.waits_or_acts:
                before = trial.result()
            now += step.after or timedelta()
            _take(trial, step)
            _compare(step, trial.result().messages[len(before.messages) :])
        number = None
        _compare_end(test, trial.result())
    except CannotBeDone as error:
        disagreement = _Disagreement("a step that can be taken", str(error))
    except _Disagreement as found:
        disagreement = found
    else:
        return None
    decisions = trial.result().decisions[len(before.decisions) :]
    return Failure(number, now, disagreement.expected, disagreement.seen, decisions)


def _take(trial: Trial, step: Step) -> None:
    if step.after is not None:
        trial.take(Wait(step.after))
    if step.click is not None:
        trial.take(_click(step.click, trial.result().messages))
    if step.reply is not None:
        trial.take(Reply(step.reply))


def _click(tapped: TappedButton, sent: list[SentMessage]) -> Click:
    asked = [
        m for m in sent if tapped.message in {None, m.node} and tapped.visit in {None, m.visit}
    ]
    for message in reversed(asked):
        labels = {label: button for button, label in reversed(message.buttons)}
        button = labels.get(tapped.button, tapped.button)
        if button in labels.values():
            return Click(message.node, button, message.visit)
    offered = [f"“{label}” ({button}) of {m.node}" for m in asked for button, label in m.buttons]
    of = "" if tapped.message is None else f" of {tapped.message}"
    raise CannotBeDone(
        f"no button “{tapped.button}”{of} was sent by then; there are: "
        f"{', '.join(offered) or 'none'}"
    )


def _compare(step: Step, got: list[SentMessage]) -> None:
    if step.expect is None:
        return
    matched = len(step.expect) == len(got) and all(map(_is, step.expect, got))
    if not matched:
        expected = [
            e.message + ("" if e.contains is None else f" with “{e.contains}”") for e in step.expect
        ]
        seen = [f"{message.node} “{message.text}”" for message in got]
        raise _Disagreement(", ".join(expected) or "nothing", ", ".join(seen) or "nothing")


def _is(expected: ExpectedMessage, got: SentMessage) -> bool:
    return expected.message == got.node and (expected.contains or "") in got.text


def _compare_end(test: FlowTest, simulation: Simulation) -> None:
    outcome = simulation.outcome or "running"
    if test.outcome not in {None, outcome}:
        raise _Disagreement(f"the outcome {test.outcome}", outcome)
    if test.answers is not None and test.answers != simulation.output_variables:
        raise _Disagreement(f"the answers {test.answers}", str(simulation.output_variables))
