"""A flow tried on paper: a run's own engine and send rules, under a clock that only steps move.

WhatsApp takes and delivers every message at once; what the customer does are the steps. The rules
are those of flow.md section 2, except that nothing is paused, held or fails on its way. Only a sending
`window` asks what time it is: then it matters when the run starts.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from domain import run, sending
from domain.engine import advance
from domain.entry import given_texts
from domain.flow import DelayNode, Flow, MessageNode
from domain.inbound import is_word
from domain.outcome import FirstMessage, outcome
from domain.rendering import values_for
from domain.requests import SendMessage
from domain.run import MessageRef, Phase, RunState, SendOutcome, Stimulus
from domain.simulated import (
    Click,
    CustomerStep,
    Decision,
    Reply,
    SentMessage,
    Simulation,
    Visit,
    Wait,
    Waiting,
)
from domain.simulated_path import follow
from domain.templates import TemplateRegistry

MOST_STEPS = 1_000
MOST_EVENTS = 5_000
"""Changes of the run that one simulation works through; a loop of asks knows no end of its own."""
LONGEST = timedelta(days=1_000)
"""How far the clock can be moved in all."""

_NOWHERE = UUID(int=0)
_WINDOW = timedelta(hours=24)
_NOT_MADE = {
    "opted_out": "the customer has opted out of marketing",
    "expired": "it is longer overdue than `expireAfter` allows",
}


class ImpossibleStep(ValueError):
    """The step at `position` (from 0) cannot be taken; the message says why."""

    def __init__(self, position: int, message: str) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What surrounds a simulated run.

    `entry_id` decides splits; `stop_words` and `start_words` are whole messages (api.md section 6);
    `variables` is the entry's variables as JSON text. `start` is timezone-aware; `business_zone` is
    an IANA name, and the zone of `recipient` too, for a simulated customer has no number.
    `templates` are WhatsApp's, whose bodies are shown and whose categories count.
    """

    variables: str = "{}"
    entry_id: str = str(_NOWHERE)
    stop_words: Collection[str] = ()
    start_words: Collection[str] = ()
    limits: run.Limits = field(default_factory=run.Limits)
    start: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    business_zone: str = "UTC"
    templates: TemplateRegistry = field(default_factory=TemplateRegistry)


def simulate(flow: Flow, steps: Iterable[CustomerStep], around: Circumstances) -> Simulation:
    """Walk the flow, taking one step after the other.

    The flow must be free of publish errors. Raises `ImpossibleStep`.
    """
    trial = Trial(flow, around)
    position = -1
    try:
        trial.begin()
        for position, step in enumerate(steps):  # noqa: B007 - told with what goes wrong
            trial.take(step)
    except CannotBeDone as error:
        raise ImpossibleStep(max(position, 0), str(error)) from None
    return trial.result()


class CannotBeDone(Exception):
    """A step that a `Trial` cannot take; the message says why."""


class Trial:
    """One simulation under way: `begin`, then `take` step after step; `result` at any time.

    The flow must be free of publish errors. `begin` and `take` raise `CannotBeDone`.
    """

    def __init__(self, flow: Flow, around: Circumstances) -> None:
        self._flow = flow
        self._around = around
        values = values_for(flow, given_texts(around.variables), {})
        self._setting = run.Setting(flow, around.entry_id, values, around.limits)
        self._state = RunState()
        self._now = around.start
        self._events = 0
        self._due: deque[Stimulus] = deque()
        self._timers: dict[int, datetime] = {}
        self._asks: list[MessageRef] = []
        self._sent: dict[MessageRef, SentMessage] = {}
        self._path: list[Visit] = []
        self._decisions: list[Decision] = []
        self._first: FirstMessage | None = None
        self._outcome: str | None = None
        self._inbound: dict[str, datetime] = {}
        """When the customer did something, by a made-up id."""
        self._opted_out: int | None = None
        """How many things the customer had done when they opted out."""

    @property
    def _at(self) -> timedelta:
        return self._now - self._around.start

    # --- steps ---------------------------------------------------------------------------------

    def begin(self) -> None:
        self._happen(run.Started())

    def take(self, step: CustomerStep) -> None:
        match step:
            case Wait():
                self._wait(step.duration)
            case Click():
                self._click(step)
            case Reply():
                self._reply(step.text)

    def _wait(self, duration: timedelta) -> None:
        if self._at + duration > LONGEST:
            raise CannotBeDone(f"a simulation covers at most {LONGEST.days:,} days")
        until = self._now + duration
        while self._timers:
            timer = min(self._timers, key=lambda t: (self._timers[t], t))
            if self._timers[timer] > until:
                break
            self._now = self._timers.pop(timer)
            self._happen(run.TimerFired(timer))
        self._now = until

    def _click(self, step: Click) -> None:
        message = self._message(step)
        label = dict(message.buttons).get(step.button)
        if label is None:
            ids = ", ".join(button for button, _ in message.buttons) or "none"
            raise CannotBeDone(f"{step.node!r} has no button {step.button!r}; it has {ids}")
        inbound_id = self._heard_from_customer()
        message.tapped = True
        node = self._flow.nodes[step.node]
        pressed = node.button(step.button) if isinstance(node, MessageNode) else None
        if (pressed and pressed.opt_out) or is_word(label, self._around.stop_words):
            self._opt_out(step.node, {"button": step.button})
        begun = self._state.last_path
        self._happen(run.Clicked(MessageRef(message.node, message.visit), step.button, inbound_id))
        if self._state.last_path == begun:
            said = "the run is over" if self._state.over else "this button was tapped before"
            self._decide(step.node, {"button": step.button}, "ignored", said)

    def _message(self, step: Click) -> SentMessage:
        visits = [ref.visit for ref in self._sent if ref.node == step.node]
        visit = step.visit if step.visit is not None else max(visits, default=0)
        message = self._sent.get(MessageRef(step.node, visit))
        if message is None:
            sent = ", ".join(dict.fromkeys(ref.node for ref in self._sent)) or "nothing"
            which = f"visit {visit} of {step.node!r}" if visit else repr(step.node)
            raise CannotBeDone(f"no message of {which} was sent by then; sent was {sent}")
        return message

    def _reply(self, text: str) -> None:
        inbound_id = self._heard_from_customer()
        for message in self._sent.values():
            message.responded = True
        if is_word(text, self._around.stop_words):
            self._opt_out(None, {"text": text})
        elif is_word(text, self._around.start_words):
            self._opted_out = None
            self._decide(None, {"text": text}, "opt_in", "the text is a START word")
        elif self._asks:
            self._happen(run.AskAnswered(self._asks.pop(), text, inbound_id))
        self._happen(run.Replied())

    def _heard_from_customer(self) -> str:
        inbound_id = str(len(self._inbound))
        self._inbound[inbound_id] = self._now
        return inbound_id

    def _opt_out(self, node: str | None, inputs: Mapping[str, Any]) -> None:
        self._opted_out = len(self._inbound)
        self._decide(node, inputs, "opt_out", "the customer opted out of marketing")

    # --- the run -------------------------------------------------------------------------------

    def _happen(self, stimulus: Stimulus) -> None:
        """Tell the run, and at once do whatever it asks for."""
        self._due.append(stimulus)
        while self._due:
            self._events += 1
            if self._events > MOST_EVENTS:
                raise CannotBeDone(f"more than {MOST_EVENTS:,} things happen; wait for less long")
            self._advance(self._due.popleft())

    def _advance(self, stimulus: Stimulus) -> None:
        before = self._state
        self._state, effects = advance(self._setting, before, stimulus, self._now)
        self._tell_dropped(before, stimulus)
        visits, decisions = follow(self._setting, before, self._state, stimulus, self._at)
        self._path += visits
        self._decisions += decisions
        for effect in effects:
            self._carry_out(effect)

    def _carry_out(self, effect: run.Effect) -> None:
        match effect:
            case run.Send():
                self._due.append(self._send(effect))
            case run.CheckDelay():
                self._due.append(self._check(effect))
            case run.StartTimer():
                self._timers[effect.timer] = effect.until
            case run.StopTimer():
                self._timers.pop(effect.timer, None)
            case run.OpenAsk():
                self._asks.append(effect.ask)
            case run.CloseAsk():
                self._asks = [ask for ask in self._asks if ask != effect.ask]
                self._due.append(run.AskClosed(effect.ask, None, None))
            case run.Finish():
                self._end(too_many_sends=effect.too_many_sends)

    def _send(self, send: run.Send) -> run.SendFinished:
        node, visit = send.message
        order = SendMessage(
            entry=_NOWHERE,
            node=node,
            visit=visit,
            number=send.number,
            cause=send.cause,
            led_by=send.led_by,
            due=send.due,
            outputs=self._state.outputs,
        )
        policy, situation = sending.Policy(), self._situation(send)
        made = sending.before(situation, order, self._flow, policy, self._now)
        if isinstance(made, sending.Hold):
            return self._held(send, made)
        # Nothing was posted before, so it is one of the two.
        assert isinstance(made, sending.NotMade | sending.Post)  # noqa: S101
        if isinstance(made, sending.NotMade):
            self._first = self._first or FirstMessage(node, visit, made.state, made.code)
            inputs = {"visit": visit} | ({"code": made.code} if made.code is not None else {})
            self._decide(node, inputs, made.state, made.message or _NOT_MADE[made.state])
            return run.SendFinished(send.path, made.outcome)
        self._first = self._first or FirstMessage(node, visit, "sent")
        self._sent[send.message] = SentMessage(
            node,
            visit,
            self._at,
            made.node.message.type,
            made.template,
            made.text,
            [(button.id, button.label) for button in made.node.buttons],
        )
        return run.SendFinished(send.path, SendOutcome.ACCEPTED)

    def _held(self, send: run.Send, hold: sending.Hold) -> run.SendFinished:
        again_in = timedelta(seconds=hold.again_in or 0.0)
        opens = (self._now + again_in).isoformat(timespec="seconds")
        inputs = {"visit": send.message.visit, "until": (self._at + again_in).total_seconds()}
        said = f"the sending window is closed; it is looked at again at {opens}"
        self._decide(send.message.node, inputs, "held", said)
        return run.SendFinished(send.path, SendOutcome.HELD, again_in)

    def _situation(self, send: run.Send) -> sending.Situation:
        heard = max(self._inbound.values(), default=None)
        led_since = send.led_by is not None and int(send.led_by) >= (self._opted_out or 0)
        return sending.Situation(
            message_id="",
            entry_id=_NOWHERE,
            sendout_id=_NOWHERE,
            channel_id=_NOWHERE,
            created_at=self._now,
            client="",
            variables=self._around.variables,
            entry_state="running",
            attempt=1,
            sendout_state="running",
            skip_nodes=frozenset(),
            flow_hash="",
            phone_number_id="",
            access_token="",
            channel_held=False,
            opted_out=self._opted_out is not None,
            led_by_since_opt_out=led_since,
            window_open=heard is not None and self._now < heard + _WINDOW,
            business_zone=self._around.business_zone,
            due_for=self._at.total_seconds(),
            row=None,
            registered=self._around.templates.of_node(self._flow.nodes[send.message.node]),
        )

    def _check(self, check: run.CheckDelay) -> run.DelayChecked:
        """A due delay is judged by what the customer did (flow.md 2.4)."""
        delay = self._flow.nodes[check.delay]
        assert isinstance(delay, DelayNode)  # noqa: S101 - only delays are checked
        message = self._sent[check.message]
        reacted = message.tapped or (delay.condition == "no_response" and message.responded)
        ends = delay.condition != "all" and reacted
        verdict: run.Verdict = "end" if ends else "go_on"
        self._tell_delay(check.delay, check.message, verdict)
        return run.DelayChecked(check.path, verdict)

    def _end(self, *, too_many_sends: bool) -> None:
        # A later click does not change how the entry ended.
        ended = outcome(self._first, too_many_sends=too_many_sends)
        self._outcome = self._outcome or ended.state
        if too_many_sends:
            most = self._around.limits.max_sends
            self._decide(None, {"sends": most}, "end", f"a run makes at most {most} sends")
        self._due.append(run.Finished())

    # --- telling -------------------------------------------------------------------------------

    def _decide(
        self, node: str | None, inputs: Mapping[str, Any], verdict: str, reason: str
    ) -> None:
        self._decisions.append(Decision(node, self._at, dict(inputs), verdict, reason))

    def _tell_dropped(self, before: RunState, stimulus: Stimulus) -> None:
        """Delays that a tap or a text has just ended."""
        if not isinstance(stimulus, run.Clicked | run.Replied):
            return
        left = {path.id for path in self._state.paths}
        for path in before.paths:
            if path.phase is Phase.DELAYED and path.id not in left and path.message is not None:
                self._tell_delay(path.node, path.message, "end")

    def _tell_delay(self, delay: str, ref: MessageRef, verdict: run.Verdict) -> None:
        node, message = self._flow.nodes[delay], self._sent[ref]
        condition = node.condition if isinstance(node, DelayNode) else "all"
        inputs = {
            "condition": condition,
            "message": ref.node,
            "received": True,
            "clicked": message.tapped,
            "responded": message.responded,
        }
        if verdict == "end":
            said = f"a button of {ref.node} was tapped" if message.tapped else "a text came"
        else:
            said = {
                "all": f"{ref.node} was received",
                "no_click": f"{ref.node} was received and no button of it tapped",
                "no_response": f"{ref.node} was received and brought no tap and no text",
            }[condition]
        self._decide(delay, inputs, verdict, said)

    def result(self) -> Simulation:
        return Simulation(
            list(self._sent.values()),
            list(self._path),
            list(self._decisions),
            self._waiting(),
            self._outcome,
            self._state.outputs,
        )

    def _waiting(self) -> list[Waiting]:
        kinds: dict[Phase, Literal["delay", "reply", "window"]] = {
            Phase.DELAYED: "delay",
            Phase.ASKING: "reply",
            Phase.HELD: "window",
        }
        pending = [
            Waiting(
                p.node, p.visit, kinds[p.phase], (p.until or self._now) - self._around.start, []
            )
            for p in self._state.paths
        ]
        used = set(self._state.used)
        for ref, message in () if self._state.over else self._sent.items():
            left = [b for b, _ in message.buttons if run.UsedButton(*ref, b) not in used]
            if left:
                pending.append(Waiting(*ref, "click", None, left))
        return pending
