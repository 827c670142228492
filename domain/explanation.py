"""A customer's way through a flow in plain words: what happened, and what a run waits for now."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from domain.delivery import Remedy
from domain.document import parse_duration
from domain.error_codes import lookup
from domain.templates import EVERY_MARKETING, label
from domain.timeline import History, Step, timeline

_CALLS_FOR: Mapping[Remedy, str] = MappingProxyType(
    {
        Remedy.PERMANENT: "this message is refused for good",
        Remedy.BACKOFF: "nothing was sent, so it is tried again with growing pauses",
        Remedy.RETRY_AFTER: "nothing was sent, so it is tried again after a pause",
        Remedy.SUPPRESS: "refused for good, and no marketing goes to this customer for 24 hours",
        Remedy.HOLD_CHANNEL: "it is about the account: the channel is held until that is put right",
        Remedy.HOLD_TEMPLATE: "it is about the template: it is held until that is put right",
    }
)
_CONDITIONS = {
    "all": "in any case",
    "no_click": "if no button was tapped",
    "no_response": "if the customer neither tapped nor wrote",
}
_HELD_FOR = {
    "sendout": "the sendout is paused",
    "channel": "the channel is held",
    "template": "its template is held",
    "window": "the sending window is closed",
}
_NOT_SENT = {
    "skipped": "it was taken out of the sendout (skipNodes)",
    "opted_out": "the customer had opted out of marketing",
    "expired": "it was too late for it",
}
_STATUSES = {
    "unknown": "nobody knows whether WhatsApp took {node}",
    "accepted": "WhatsApp took {node}",
    "sent": "WhatsApp sent {node}",
    "delivered": "{node} was delivered",
    "read": "{node} was read",
    "failed": "{node} failed",
}
_STATES = {
    "sending": "is being sent",
    "retrying": "was not taken yet, {tries} tries so far",
    "given_up": "was given up: WhatsApp never said whether it took it",
}


def moment(at: datetime) -> str:
    """A time to the second, in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def error_in_words(code: int, message: str | None) -> str:
    """What a WhatsApp error code means and calls for, and what was recorded with it."""
    known = lookup(code)
    own = f" (in detail: {message})" if message and message != known.title else ""
    return f"error {code}: {known.title}{own}; {_CALLS_FOR[known.remedy]}"


def in_words(step: Step) -> str:
    """One step of a timeline as a line."""
    facts = step.facts
    return _WORDS[step.type](facts, _quoted(facts.get("node")))


def _quoted(text: object) -> str:
    return json.dumps(text, ensure_ascii=False)


def _send(facts: Mapping[str, Any], node: str) -> str:
    template = f" (template {facts['template']})" if facts["template"] else ""
    text = f": {_quoted(facts['text'])}" if facts["text"] else ""
    state = _STATES.get(facts["state"])
    how = f", which {state.format(tries=facts['tries'])}" if state else ""
    again = f" in attempt {facts['attempt']}" if facts["attempt"] > 1 else ""
    return f"send {node}{again}{template} from {facts['sender']}{text}{how}"


def _status(facts: Mapping[str, Any], node: str) -> str:
    said = _STATUSES[facts["status"]].format(node=node)
    error = facts.get("error")
    return f"{said}, {error_in_words(error['code'], error['message'])}" if error else said


def _error(facts: Mapping[str, Any], node: str) -> str:
    what = "refused" if facts["final"] else "not taken"
    return f"{node} was {what}, {error_in_words(facts['code'], facts['message'])}"


def _hold(facts: Mapping[str, Any], node: str) -> str:
    held_for = facts["heldFor"]
    if held_for is None:
        return f"{node} was held back; the hold is over and its turn has not come yet"
    until = f" until {moment(facts['until'])}" if "until" in facts else ""
    cause = _template_is_held(facts["template"]) if held_for == "template" else None
    return f"{node} is held back{until}: {cause or _HELD_FOR.get(held_for, held_for)}"


def _template_is_held(template: str | None) -> str | None:
    """Of one that is held by name, or as every marketing template is."""
    if template == label(EVERY_MARKETING):
        return "marketing templates are held"
    return template and f"the template {template} is held"


def _click(facts: Mapping[str, Any], _node: str) -> str:
    button = _quoted(facts.get("label") or facts["button"])
    on = f" of {_quoted(facts['node'])}" if "node" in facts else ""
    counted = "" if facts["counted"] else ", which changed nothing: tapped before, or over"
    return f"the customer taps {button}{on}{counted}"


def _reply(facts: Mapping[str, Any], _node: str) -> str:
    said = f": {_quoted(facts['text'])}" if facts["text"] else ""
    return f"the customer sends a message ({facts['kind']}){said}"


_WORDS: Mapping[str, Callable[[Mapping[str, Any], str], str]] = MappingProxyType(
    {
        "send": _send,
        "status": _status,
        "error": _error,
        "hold": _hold,
        "click": _click,
        "reply": _reply,
        "not_sent": lambda f, node: f"{node} is not sent: {_NOT_SENT[f['reason']]}",
        "delay": lambda f, node: (
            f"wait at {node} until {moment(f['until'])}, then go on {_CONDITIONS[f['condition']]}"
        ),
        "decision": lambda f, node: f"{node} decides: {f['summary']}",
        "ask": lambda f, node: f"{node} waits for an answer",
        "answer": lambda f, node: f"the customer answers {node}: {_quoted(f['text'])}",
        "ask_timeout": lambda f, node: f"{node} had no answer in time",
    }
)


# --- what it waits for -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Holds:
    """What keeps sends back: in words, None where nothing does."""

    sendout: str | None
    channel: str | None


def waits(history: History, holds: Holds, now: datetime) -> list[str]:
    """What a run that has begun waits for, read off its record; a line each."""
    found = [*_waiting_messages(history, holds), *_waiting_nodes(history, now)]
    return found or ["its next step, which is due"]


def _waiting_messages(history: History, holds: Holds) -> Iterator[str]:
    for message in history.messages:
        node = _quoted(message.node)
        if message.state == "held":
            until = "" if message.held_until is None else f" until {moment(message.held_until)}"
            window = f"{_HELD_FOR['window']}{until}"
            cause = {
                "sendout": holds.sendout,
                "channel": holds.channel,
                "template": _template_is_held(message.template),
                "window": window,
            }.get(message.held_for or "", message.held_for)
            yield f"{node}: {cause or 'its turn to be sent, its hold is over'}"
        elif message.state == "sending":
            yield f"{node}: the answer of WhatsApp"
        elif message.state == "retrying":
            yield f"{node}: the next try ({message.error_message or 'not sent yet'})"
        elif message.state == "unknown":
            yield f"{node}: a status that says whether WhatsApp took it"


def _waiting_nodes(history: History, now: datetime) -> Iterator[str]:
    decided: dict[str, int] = {}
    for decision in history.decisions:
        decided[decision.node] = decided.get(decision.node, 0) + 1
    over = {m.message_id for m in history.messages if m.state in {"failed", "refused"}}
    for step in timeline(history):
        node = step.facts.get("node", "")
        if step.type != "delay" or step.facts.get("messageId") in over:
            continue
        if decided.get(node, 0) > 0:
            decided[node] -= 1
            continue
        until: datetime = step.facts["until"]
        due = f"until {moment(until)}" if until > now else "due, it waits for a delivery report"
        yield f"the delay {_quoted(node)}: {due}"
    for ask in history.asks:
        if ask.closed_at is None:
            timeout = history.flow["nodes"].get(ask.node, {}).get("timeout")
            until_at = ask.opened_at + parse_duration(timeout) if timeout else None
            yield f"an answer to {_quoted(ask.node)}" + (
                f" until {moment(until_at)}" if until_at else ""
            )
