"""One customer's way through a flow, told from the record step by step (api.md section 4).

The record keeps facts (messages, taps, decisions, …); the waits between them are read off the flow.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.document import parse_duration

Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened: what kind of thing, when, and what there is to tell of it.

    `at` is shown as it was recorded. `place` is where the step belongs among others: WhatsApp's times
    are whole seconds of another clock, and may lie before their cause or after their effect.
    """

    type: str
    at: datetime
    facts: Facts = field(default_factory=dict)
    moved_to: datetime | None = None

    @property
    def place(self) -> datetime:
        """The time to sort by."""
        return self.at if self.moved_to is None else self.moved_to


@dataclass(frozen=True, slots=True)
class MessageFact:
    """A message and what became of it; `sender` in E.164, times None while not reached."""

    message_id: str
    attempt: int
    node: str
    visit: int
    state: str
    wamid: str | None
    template: str | None
    text: str | None
    sender: str
    tries: int
    held_for: str | None
    created_at: datetime
    accepted_at: datetime | None
    unknown_since: datetime | None
    sent_at: datetime | None
    delivered_at: datetime | None
    read_at: datetime | None
    failed_at: datetime | None
    error_code: int | None
    error_message: str | None
    held_until: datetime | None = None
    """For a message that waits for a sending window: when it is looked at again."""


@dataclass(frozen=True, slots=True)
class ClickFact:
    """The first tap of one button of one message."""

    message_id: str
    node: str
    button: str
    inbound_id: str
    clicked_at: datetime


@dataclass(frozen=True, slots=True)
class DecisionFact:
    """Why a path went on or ended."""

    node: str
    verdict: str
    inputs: Any
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class AskFact:
    """A question to the customer and its answer, if there is one."""

    node: str
    visit: int
    opened_at: datetime
    closed_at: datetime | None
    inbound_id: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class InboundFact:
    """What the customer sent: a text, media, or a tap (then with `message_id` and `button`)."""

    inbound_id: str
    kind: str
    text: str | None
    message_id: str | None
    button: str | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class History:
    """The facts recorded for one entry, and the flow it walks."""

    campaign_version: str
    flow: Mapping[str, Any]
    messages: list[MessageFact] = field(default_factory=list)
    clicks: list[ClickFact] = field(default_factory=list)
    decisions: list[DecisionFact] = field(default_factory=list)
    asks: list[AskFact] = field(default_factory=list)
    inbound: list[InboundFact] = field(default_factory=list)


_NOT_MADE = frozenset({"skipped", "opted_out", "expired"})


def timeline(history: History) -> list[Step]:
    """The steps of a run, oldest first."""
    told = _Told(history)
    steps = [
        *(step for message in history.messages for step in told.message(message)),
        *(step for click in history.clicks for step in told.click(click)),
        *(step for decision in history.decisions for step in told.decision(decision)),
        *(step for ask in history.asks for step in told.ask(ask)),
        *told.inbound(history.inbound),
    ]
    # Of what happened at one moment the cause was told first, and the sort is stable.
    return sorted(steps, key=lambda step: step.place)


class _Told:
    """Tells each kind of fact as steps."""

    def __init__(self, history: History) -> None:
        self._nodes: Mapping[str, Any] = history.flow["nodes"]
        self._version = history.campaign_version
        self._taps = {click.inbound_id for click in history.clicks}
        self._answers = {ask.inbound_id for ask in history.asks if ask.inbound_id}
        self._places = {m.message_id: _places(m, _first_tap(history, m)) for m in history.messages}

    def message(self, message: MessageFact) -> Iterator[Step]:
        about: Facts = {
            "node": message.node,
            "visit": message.visit,
            "attempt": message.attempt,
            "messageId": message.message_id,
        }
        if message.state in _NOT_MADE:
            yield Step("not_sent", message.created_at, {**about, "reason": message.state})
            return
        error: Facts = {"code": message.error_code, "message": message.error_message}
        if message.state == "held":
            until = {} if message.held_until is None else {"until": message.held_until}
            held = {"template": message.template} if message.held_for == "template" else {}
            facts = {**about, "heldFor": message.held_for, **held, **until}
            yield Step("hold", message.created_at, facts)
        else:
            yield Step("send", message.created_at, {**about, **self._sent(message)})
        places = self._places[message.message_id]
        for status, at in _statuses(message):
            extra = {"error": error} if status == "failed" and message.error_code else {}
            yield Step("status", at, {**about, "status": status, **extra}, places[status])
            if status == "accepted":
                yield from self._wait(
                    self._next(message.node), at, message.message_id, places[status]
                )
        if message.error_code is not None and message.state != "failed":
            at = message.failed_at or message.created_at
            facts = {**about, **error, "final": message.state == "refused"}
            yield Step("error", at, facts, max(at, message.created_at))

    def _sent(self, message: MessageFact) -> Facts:
        return {
            "text": message.text,
            "template": message.template,
            "campaignVersion": self._version,
            "sender": message.sender,
            "wamid": message.wamid,
            "state": message.state,
            "tries": message.tries,
        }

    def click(self, click: ClickFact) -> Iterator[Step]:
        button = self._button(click.node, click.button)
        place = self._once_received(click.message_id, click.clicked_at)
        yield Step(
            "click",
            click.clicked_at,
            {
                "node": click.node,
                "button": click.button,
                "label": button.get("label"),
                "messageId": click.message_id,
                "inboundId": click.inbound_id,
                "counted": True,
            },
            place,
        )
        yield from self._wait(button.get("next"), click.clicked_at, click.message_id, place)

    def decision(self, decision: DecisionFact) -> Iterator[Step]:
        yield Step(
            "decision",
            decision.decided_at,
            {
                "node": decision.node,
                "nodeType": self._nodes.get(decision.node, {}).get("type"),
                "inputs": decision.inputs,
                "verdict": decision.verdict,
                "summary": summary(decision.inputs, decision.verdict),
            },
        )
        if decision.verdict == "go_on":
            yield from self._wait(self._next(decision.node), decision.decided_at, None)

    def ask(self, ask: AskFact) -> Iterator[Step]:
        node = self._nodes.get(ask.node, {})
        about: Facts = {"node": ask.node, "visit": ask.visit, "variable": node.get("variable")}
        yield Step("ask", ask.opened_at, {**about, "timeout": node.get("timeout")})
        if ask.closed_at is None:
            return
        if ask.answer is None:
            yield Step("ask_timeout", ask.closed_at, about)
        else:
            answer = {"text": ask.answer, "inboundId": ask.inbound_id}
            yield Step("answer", ask.closed_at, {**about, **answer})
        way = "next" if ask.answer is not None else "on_timeout"
        yield from self._wait(node.get(way), ask.closed_at, None)

    def inbound(self, events: Iterable[InboundFact]) -> Iterator[Step]:
        """What is not told already as a tap that counted or as an answer."""
        for event in events:
            if event.inbound_id in self._taps or event.inbound_id in self._answers:
                continue
            if event.button is not None:
                facts: Facts = {"button": event.button, "messageId": event.message_id}
                # The same button again, or a tap on what was over: it changed nothing.
                yield Step(
                    "click",
                    event.received_at,
                    {**facts, "inboundId": event.inbound_id, "counted": False},
                    self._once_received(event.message_id, event.received_at),
                )
            else:
                facts = {"kind": event.kind, "text": event.text, "inboundId": event.inbound_id}
                yield Step("reply", event.received_at, facts)

    def _once_received(self, message_id: str | None, at: datetime) -> datetime:
        """A tap's place: nobody taps what was not delivered."""
        places = self._places.get(message_id or "", {})
        return max([at, *(places[s] for s in ("accepted", "delivered") if s in places)])

    def _next(self, node: str) -> Any:
        return self._nodes.get(node, {}).get("next")

    def _button(self, node: str, button: str) -> Mapping[str, Any]:
        buttons = self._nodes.get(node, {}).get("buttons") or ()
        return next((b for b in buttons if b.get("id") == button), {})

    def _wait(
        self,
        node_id: Any,
        since: datetime,
        message_id: str | None,
        place: datetime | None = None,
    ) -> Iterator[Step]:
        """The delay that begins at that moment, if the next node is one."""
        node = self._nodes.get(node_id, {})
        if node.get("type") == "delay":
            facts: Facts = {
                "node": node_id,
                "condition": node["condition"],
                "duration": node["duration"],
                "until": since + parse_duration(node["duration"]),
            }
            facts |= {"messageId": message_id} if message_id else {}
            yield Step("delay", since, facts, place)


def _statuses(message: MessageFact) -> Iterator[tuple[str, datetime]]:
    """What the message reached and when, in the order in which one follows from the other."""
    reached = (
        ("unknown", message.unknown_since),
        ("accepted", message.accepted_at),
        ("sent", message.sent_at),
        ("delivered", message.delivered_at),
        ("read", message.read_at),
        ("failed", message.failed_at if message.state == "failed" else None),
    )
    return ((status, at) for status, at in reached if at is not None)


def _first_tap(history: History, message: MessageFact) -> datetime | None:
    """When we heard first that a button of the message was tapped."""
    taps = [c.clicked_at for c in history.clicks if c.message_id == message.message_id]
    taps += [i.received_at for i in history.inbound if i.message_id == message.message_id]
    return min(taps, default=None)


def _places(message: MessageFact, first_tap: datetime | None) -> dict[str, datetime]:
    """Where each status belongs: never before its cause, and received not after a tap."""
    places = {}
    place = message.created_at
    for status, said in _statuses(message):
        at = said
        if status in {"sent", "delivered"} and first_tap is not None:
            at = min(at, first_tap)
        places[status] = place = max(place, at)
    return places


def summary(inputs: Any, verdict: str) -> str:
    """A decision in one line, for example `received: true, clicked: false → go on`."""
    given = inputs if isinstance(inputs, dict) else {}
    read = ", ".join(
        f"{name}: {value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in given.items()
    )
    arrow = verdict.replace("_", " ")
    return f"{read} → {arrow}" if read else arrow
