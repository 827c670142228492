"""Deciding what becomes of a well-formed message, and committing it before it is answered."""

import time
from typing import Any, Literal, NamedTuple

from whatsapp.simulator.behaviour import Knobs
from whatsapp.simulator.config import Channel
from whatsapp.simulator.events import status_events, status_times
from whatsapp.simulator.graph_error import GraphError
from whatsapp.simulator.ledger import Accepted, Customer, timestamp
from whatsapp.simulator.outbox import Queued
from whatsapp.simulator.outgoing import Button, Outgoing
from whatsapp.simulator.phone import whatsapp_id
from whatsapp.simulator.simulator import Simulator
from whatsapp.simulator.throughput import PAIR_BURST, PAIR_PER_SECOND
from whatsapp.simulator.wamid import message_id

Fault = Literal["none", "http500", "drop"]


class Outcome(NamedTuple):
    """The answer to a send: a refusal, or the JSON of an acceptance and what hides it."""

    refusal: GraphError | None = None
    answer: dict[str, Any] | None = None
    fault: Fault = "none"


def server_error() -> GraphError:
    """The answer that does not tell whether the message was taken."""
    return GraphError(1, "The server failed while it handled the request.", http=500)


def accept(simulator: Simulator, channel: Channel, message: Outgoing) -> Outcome:
    """Takes or refuses a message; what it changes is committed when this returns."""
    knobs = simulator.behaviour.of(message.to)
    with simulator.database.transaction():
        request = simulator.ledger.count_request(message.to)
        refusal, failure = _decide(simulator, channel, message, knobs, request)
        if refusal is not None:
            return Outcome(refusal)
        accepted, customer, queued = _record(simulator, channel, message, knobs, failure)
    simulator.outbox.enqueue(queued)
    simulator.webhooks.wake()
    return Outcome(
        answer=_answer(message, accepted.wamid, customer),
        fault=_fault(knobs, message.to, request),
    )


def _decide(
    simulator: Simulator, channel: Channel, message: Outgoing, knobs: Knobs, request: int
) -> tuple[GraphError | None, int | None]:
    """The refusal of a message, or the code its `failed` status will have, or neither."""
    refusal = _rate_refusal(simulator, channel, message, knobs)
    if refusal is not None:
        return refusal, None
    if knobs.chance(knobs.http500_before_accept_rate, "http500Before", message.to, request):
        return server_error(), None
    failure = knobs.failure
    if failure is not None and knobs.chance(knobs.failure_rate, "fail", message.to, request):
        scope = simulator.behaviour.failure_scope(message.to)
        if failure.times is None or simulator.ledger.use_failure(scope, failure.times):
            if failure.by_status:
                return None, failure.code
            return GraphError(failure.code), None
    return _policy(simulator, channel, message, knobs)


def _policy(
    simulator: Simulator, channel: Channel, message: Outgoing, knobs: Knobs
) -> tuple[GraphError | None, int | None]:
    """What WhatsApp itself holds against a message: a closed window, a customer's stop."""
    ledger = simulator.ledger
    if message.type == "template":
        stopped = ledger.has_stopped(channel.phone_number_id, message.to)
        return None, 131050 if stopped and message.content.category == "marketing" else None
    if ledger.window_is_open(channel.phone_number_id, message.to):
        return None, None
    if knobs.closed_window_via == "status":
        return None, 131047
    return GraphError(131047, "More than 24 hours since the customer's last message."), None


def _rate_refusal(
    simulator: Simulator, channel: Channel, message: Outgoing, knobs: Knobs
) -> GraphError | None:
    rate = simulator.behaviour.defaults.throughput_per_second
    sender = channel.phone_number_id
    if rate is not None and not simulator.buckets.take(sender, rate=rate, capacity=max(rate, 1.0)):
        return GraphError(130429, f"More than {rate:g} messages per second from this number.")
    if knobs.pair_rate_limit and not simulator.buckets.take(
        (sender, message.to), rate=PAIR_PER_SECOND, capacity=PAIR_BURST
    ):
        return GraphError(131056, "Too many messages to this customer in a short time.")
    return None


def _fault(knobs: Knobs, customer: str, request: int) -> Fault:
    if knobs.chance(knobs.drop_after_accept_rate, "drop", customer, request):
        return "drop"
    if knobs.chance(knobs.http500_after_accept_rate, "http500After", customer, request):
        return "http500"
    return "none"


def _record(
    simulator: Simulator,
    channel: Channel,
    message: Outgoing,
    knobs: Knobs,
    failure: int | None,
) -> tuple[Accepted, Customer, list[Queued]]:
    now = time.time()
    wa_id = whatsapp_id(message.to) if knobs.rewrite_wa_id else message.to
    customer = simulator.ledger.meet(message.to, wa_id)
    number = simulator.database.next_number()
    wamid = message_id(wa_id, simulator.database.instance, number)
    accepted = Accepted(
        number=number,
        wamid=wamid,
        phone_number_id=channel.phone_number_id,
        customer=message.to,
        failed=failure is not None,
        delivered=failure is None and (knobs.deliver or knobs.read),
        record=_ledger_record(wamid, channel, message, now)
        | {"statuses": _statuses(knobs, failure, now)},
    )
    simulator.ledger.add_message(accepted, message.opaque)
    events = status_events(accepted, message, customer, knobs=knobs, failure=failure, now=now)
    return accepted, customer, simulator.outbox.write(events)


def _ledger_record(wamid: str, channel: Channel, message: Outgoing, now: float) -> dict[str, Any]:
    return {
        "id": wamid,
        "to": f"+{message.to}",
        "sender": f"+{channel.digits}",
        "type": message.type,
        "text": message.content.text,
        "buttons": [_ledger_button(button) for button in message.content.buttons],
        "request": message.request,
        "acceptedAt": timestamp(now),
        "opaque": message.opaque,
        "shown": dict(message.content.shown),
    }


def _statuses(knobs: Knobs, failure: int | None, now: float) -> list[dict[str, Any]]:
    """What becomes of the message, for the phone page; `at` may not have come yet."""
    code = {} if failure is None else {"code": failure}
    times: dict[str, float] = {}
    for name, at in status_times(knobs, failed=failure is not None, now=now):
        times.setdefault(name, at)
    return [{"status": name, "at": timestamp(at), **code} for name, at in times.items()]


def _ledger_button(button: Button) -> dict[str, str]:
    record = {"id": button.id, "label": button.label}
    if button.description is not None:
        record["description"] = button.description
    return record


def _answer(message: Outgoing, wamid: str, customer: Customer) -> dict[str, Any]:
    contact = {"input": message.asked}
    if message.by_user_id:
        contact["user_id"] = customer.user_id
    else:
        contact["wa_id"] = customer.wa_id
    sent = {"id": wamid}
    if message.type == "template":
        sent["message_status"] = "accepted"
    return {"messaging_product": "whatsapp", "contacts": [contact], "messages": [sent]}
