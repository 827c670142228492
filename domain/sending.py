"""The decisions around one send, taken at the last moment (flow.md section 2, design: never twice).

`before` decides from the record whether a message may be posted now; `after` decides what an answer
of WhatsApp means for the record and for the run. Both are pure.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from domain import error_codes
from domain.delivery import Accepted, Answer, NotSent, Refused, Remedy, Unclear
from domain.entry import given_texts
from domain.flow import Flow, MessageNode
from domain.limits import over_limits
from domain.message_types import TemplateMessage
from domain.rendering import empty_parameter, preview_text, render, values_for
from domain.requests import SendMessage, SendResult
from domain.run import SendOutcome
from domain.templates import EVERY_MARKETING, Key, Registered, label
from domain.windows import turn_in, zone_for


@dataclass(frozen=True, slots=True)
class Policy:
    """The settings of delivery; durations in seconds."""

    unknown_outcome: Literal["give_up", "resend"] = "give_up"
    unknown_grace: float = 600.0
    lease: float = 32.0


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as the record has it already."""

    state: str
    tries: int
    unknown_for: float | None
    """Seconds since its outcome became unknown; also of one that is held before it is sent again."""


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything a send depends on, read in the transaction that claims it."""

    message_id: str
    entry_id: UUID
    sendout_id: UUID
    channel_id: UUID
    created_at: datetime
    client: str
    variables: str
    entry_state: str
    attempt: int
    """The entry's attempt by now; a run that an earlier one left behind sends no more."""
    sendout_state: str
    skip_nodes: frozenset[str]
    flow_hash: str
    phone_number_id: str
    access_token: str
    channel_held: bool
    opted_out: bool
    led_by_since_opt_out: bool
    """The click or reply that led here was made after the opt-out."""
    window_open: bool
    """The customer clicked or wrote within the last 24 hours."""
    business_zone: str
    """The business's own time zone, an IANA name."""
    due_for: float
    """Seconds since the entry was due."""
    row: MessageRow | None
    started_after: float = 0.0
    """Seconds for which the entry, once due, waited for its turn to be started."""
    held_templates: frozenset[Key] = frozenset()
    """Those of the channel's WhatsApp account that are held."""
    withheld: bool = False
    """WhatsApp withheld marketing from the customer within the last 24 hours."""
    registered: Registered | None = None
    """The registry's word on the message's template, where it has one."""


_TOO_LONG = 132005
"""WhatsApp's code for a text that is too long with its variables in place."""


# --- before the call ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing to do and nothing to write: this is how it stands."""

    result: SendResult


@dataclass(frozen=True, slots=True)
class Hold:
    """Not now: the run waits for its release, and at most `again_in` seconds, if that is given."""

    reason: Literal["sendout", "channel", "template", "window"]
    again_in: float | None = None
    template: str | None = None
    """The label of the hold that is waited for, of a template."""


@dataclass(frozen=True, slots=True)
class NotMade:
    """The send is not made, for good; the row says why."""

    state: Literal["skipped", "opted_out", "expired", "refused", "given_up"]
    outcome: SendOutcome
    code: int | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """An earlier attempt may have posted it: the outcome is unknown from now on."""


@dataclass(frozen=True, slots=True)
class Post:
    """Claim the message and post it."""

    node: MessageNode
    text: str
    template: str | None
    expires_in: float | None = None
    """Seconds for which it may still be sent; None if it does not expire."""


Decision = Done | Hold | NotMade | Doubt | Post

_STANDS: dict[str, SendOutcome] = {
    "sent": SendOutcome.ACCEPTED,
    "refused": SendOutcome.REFUSED,
    "failed": SendOutcome.REFUSED,
    "skipped": SendOutcome.SKIPPED,
    "opted_out": SendOutcome.OPTED_OUT,
    "expired": SendOutcome.EXPIRED,
    "given_up": SendOutcome.GIVEN_UP,
}


def before(
    situation: Situation, order: SendMessage, flow: Flow, policy: Policy, now: datetime
) -> Decision:
    """Decide about a send from the recorded truth.

    `now` is the time by the clock that runs go by (timezone-aware).
    """
    return (
        _as_it_stands(situation.row, policy)
        or _for_good(situation, order, flow, now)
        or _not_now(situation, order, flow, now)
        or _content(situation, order, flow, now)
    )


def _as_it_stands(row: MessageRow | None, policy: Policy) -> Decision | None:
    """What an earlier look or call has left."""
    if row is not None and row.state in _STANDS:
        return Done(SendResult(outcome=_STANDS[row.state]))
    if row is not None and row.state == "sending":
        return Doubt()
    if row is not None and row.state == "unknown":
        left = policy.unknown_grace - (row.unknown_for or 0.0)
        if left > 0:
            return Done(SendResult(outcome=SendOutcome.UNKNOWN, again_in=left))
        if policy.unknown_outcome == "give_up":
            return NotMade("given_up", SendOutcome.GIVEN_UP)
    return None


def _for_good(
    situation: Situation, order: SendMessage, flow: Flow, now: datetime
) -> Decision | None:
    """What no waiting changes."""
    if order.attempt != situation.attempt or "cancelled" in {
        situation.entry_state,
        situation.sendout_state,
    }:
        return Done(SendResult(outcome=SendOutcome.CANCELLED))
    if order.node in situation.skip_nodes:
        return NotMade("skipped", SendOutcome.SKIPPED)
    left = _until_expiry(situation, order, flow, now)
    if left is None or left > 0:
        return None
    if situation.row is not None and situation.row.unknown_for is not None:
        # It may have been sent before: nobody can say that it was not.
        return NotMade("given_up", SendOutcome.GIVEN_UP)
    return NotMade("expired", SendOutcome.EXPIRED)


def _not_now(situation: Situation, order: SendMessage, flow: Flow, now: datetime) -> Hold | None:
    """What has to end first; no hold lasts beyond the message's time (flow.md 2.10 and 2.11)."""
    left = _until_expiry(situation, order, flow, now)
    if situation.sendout_state == "paused":
        return Hold("sendout", left)
    if situation.channel_held:
        return Hold("channel", left)
    held = _held_template(situation, order, flow)
    if held is not None:
        return Hold("template", left, label(held))
    if flow.window is None or order.cause in {"click", "reply"}:
        return None
    zone = zone_for(flow.window, situation.client, situation.business_zone)
    seconds = turn_in(flow.window, zone, now, situation.started_after, expires_in=left)
    return None if seconds is None else Hold("window", seconds)


def _held_template(situation: Situation, order: SendMessage, flow: Flow) -> Key | None:
    """The hold that is about the message's template: its own, or that of all marketing."""
    node = flow.nodes[order.node]
    if not isinstance(node, MessageNode) or not isinstance(node.message, TemplateMessage):
        return None
    keys = [(node.message.name, node.message.language)]
    if _category(node.message, situation) == "marketing":
        keys.append(EVERY_MARKETING)
    return next((key for key in keys if key in situation.held_templates), None)


def _until_expiry(
    situation: Situation, order: SendMessage, flow: Flow, now: datetime
) -> float | None:
    """Seconds for which it may still be sent; None if it does not expire (flow.md 2.11).

    The first message is due with its entry, by the record's clock; later ones by that of the run.
    """
    if flow.expire_after is None or (order.due is None and order.number > 1):
        return None
    late = timedelta(seconds=situation.due_for) if order.due is None else now - order.due
    return (flow.expire_after - late).total_seconds()


def _content(situation: Situation, order: SendMessage, flow: Flow, now: datetime) -> Decision:
    node = flow.nodes[order.node]
    if not isinstance(node, MessageNode):
        raise TypeError(f"{order.node!r} is not a message")
    template = node.message if isinstance(node.message, TemplateMessage) else None
    if situation.opted_out and _is_marketing(template, situation):
        return NotMade("opted_out", SendOutcome.OPTED_OUT)
    if situation.withheld and template and _category(template, situation) == "marketing":
        return _refuse(
            error_codes.WITHHELD, "WhatsApp withheld marketing from this customer a day ago or less"
        )
    if template is None and not situation.window_open:
        return _refuse(error_codes.WINDOW_CLOSED, "the 24-hour customer-service window is closed")
    rendered = render(node, values_for(flow, given_texts(situation.variables), order.outputs))
    if path := empty_parameter(rendered):
        return _refuse(error_codes.EMPTY_PARAMETER, f"{path} is empty")
    if issues := over_limits(rendered, f"nodes.{order.node}", rendered=True):
        issue = issues[0]
        return _refuse(_TOO_LONG, f"{issue.path}: {issue.message}")
    name = label((template.name, template.language)) if template else None
    body = situation.registered.body if situation.registered else None
    left = _until_expiry(situation, order, flow, now)
    return Post(rendered, preview_text(rendered, body or None), name, left)


def _is_marketing(template: TemplateMessage | None, situation: Situation) -> bool:
    """Flow.md 2.8: the template's category, or a free-form message nobody asked for since."""
    if template is not None:
        return _category(template, situation) == "marketing"
    return not situation.led_by_since_opt_out


def _category(template: TemplateMessage, situation: Situation) -> str:
    """The registry's word, else the flow's (flow.md 2.8)."""
    known = situation.registered
    return known.category if known is not None and known.category else template.category


def _refuse(code: int, message: str) -> NotMade:
    return NotMade("refused", SendOutcome.REFUSED, code, message)


# --- after the call ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recorded:
    """What an answer leaves in the message's row, and what the run is told."""

    state: Literal["sent", "retrying", "refused", "unknown", "held"]
    outcome: SendOutcome
    accepted: Accepted | None = None
    code: int | None = None
    message: str | None = None
    again_in: float | None = None
    """Seconds: until the next try, or until one that is unknown or held is looked at again."""
    holds_channel: bool = False
    holds_template: Key | None = None


_NO_CONNECTION_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)


def after(
    answer: Answer,
    tries: int,
    policy: Policy,
    template: TemplateMessage | None = None,
    expires_in: float | None = None,
) -> Recorded:
    """What comes of an answer to a message, which was of that `template` or free-form.

    `tries` counts the calls made for it, this one included. One that expires in so many seconds is
    looked at again by then, whatever it waits for.
    """
    recorded = _after(answer, tries, policy, template)
    if expires_in is None or recorded.state not in {"retrying", "held"}:
        return recorded
    again_in = expires_in if recorded.again_in is None else min(recorded.again_in, expires_in)
    return replace(recorded, again_in=again_in)


def _after(
    answer: Answer, tries: int, policy: Policy, template: TemplateMessage | None
) -> Recorded:
    match answer:
        case Accepted():
            return Recorded("sent", SendOutcome.ACCEPTED, accepted=answer)
        case Unclear():
            return Recorded(
                "unknown",
                SendOutcome.UNKNOWN,
                message=answer.reason,
                again_in=policy.unknown_grace,
            )
        case NotSent():
            pause = _NO_CONNECTION_PAUSES[min(tries, len(_NO_CONNECTION_PAUSES)) - 1]
            return Recorded("retrying", SendOutcome.UNKNOWN, message=answer.reason, again_in=pause)
        case Refused():
            return _after_refusal(answer, tries, template)


def held_by_code(code: int, template: Key) -> Key:
    """Which hold a code of class "hold template" begins when it is about this template."""
    return EVERY_MARKETING if code == error_codes.MARKETING_OFF else template


def _after_refusal(refusal: Refused, tries: int, template: TemplateMessage | None) -> Recorded:
    known = error_codes.lookup(refusal.code)
    message = f"{refusal.title}: {refusal.details}" if refusal.details else refusal.title
    if refusal.remedy is Remedy.HOLD_CHANNEL:
        return Recorded(
            "held", SendOutcome.HELD, code=refusal.code, message=message, holds_channel=True
        )
    if refusal.remedy is Remedy.HOLD_TEMPLATE and template is not None:
        return Recorded(
            "held",
            SendOutcome.HELD,
            code=refusal.code,
            message=message,
            holds_template=held_by_code(refusal.code, (template.name, template.language)),
        )
    if refusal.remedy in {Remedy.BACKOFF, Remedy.RETRY_AFTER}:
        pause = known.pause(tries)
        if pause is None and refusal.code not in error_codes.ERRORS:
            # A limit that the table does not know, told by its HTTP status alone.
            pause = refusal.retry_after or 60.0
        if pause is not None:
            again_in = max(pause, refusal.retry_after or 0.0)
            return Recorded(
                "retrying",
                SendOutcome.UNKNOWN,
                code=refusal.code,
                message=message,
                again_in=again_in,
            )
    return Recorded("refused", SendOutcome.REFUSED, code=refusal.code, message=message)
