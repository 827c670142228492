"""What a simulated customer does: taps a button, writes, stops or resumes marketing."""

import time
from typing import Any

from whatsapp.simulator.config import Channel
from whatsapp.simulator.events import Event, delivered_event, inbound_event, preference_event
from whatsapp.simulator.ledger import Accepted, Customer, timestamp
from whatsapp.simulator.phone import only_digits, whatsapp_id
from whatsapp.simulator.simulator import Simulator
from whatsapp.simulator.wamid import message_id


class UnknownTargetError(LookupError):
    """The message, button or sender a control call names does not exist."""


class NeverReceivedError(Exception):
    """The customer cannot tap a message that failed."""


def tap(simulator: Simulator, message_id_or_opaque: str, button: str) -> str:
    """A tap on a button of an accepted message; the id of the inbound message.

    `button` is its label, the flow's button id or the full id on the wire. Raises
    `UnknownTargetError` when there is no such message or button, `NeverReceivedError` for a failed one.
    """
    message = simulator.ledger.message(message_id_or_opaque)
    if message is None:
        raise UnknownTargetError("messageId names no accepted message")
    tapped = _find_button(message.record["buttons"], button)
    if message.failed:
        raise NeverReceivedError("the message failed, so the customer never saw its buttons")
    channel = simulator.channels.get(message.phone_number_id)
    if channel is None:
        raise UnknownTargetError("the message's channel is gone")
    customer = _customer(simulator, message.customer)
    knobs = simulator.behaviour.of(customer.digits)
    now = time.time()
    with simulator.database.transaction():
        simulator.outbox.bring_forward(message.wamid, now)
        events: list[Event] = []
        if not message.delivered:
            events.append(delivered_event(message, customer, knobs, now))
            simulator.ledger.set_delivered(message.wamid)
        content = {
            "context": {"from": channel.digits, "id": message.wamid},
            **_reply_content(message, tapped),
        }
        wamid = _say(simulator, customer, now, tapped["label"], reply_to=message.wamid)
        events.append(
            inbound_event(
                wamid,
                customer,
                lane=message.wamid,
                phone_number_id=channel.phone_number_id,
                knobs=knobs,
                content=content,
                now=now,
            )
        )
        simulator.ledger.open_window(channel.phone_number_id, customer.digits)
        queued = simulator.outbox.write(events)
    simulator.outbox.enqueue(queued)
    simulator.webhooks.wake()
    return wamid


def write(simulator: Simulator, number: str, text: str, sender: str | None) -> str:
    """A text from a customer to `sender` (default: who messaged them last); its id."""
    customer = _customer(simulator, only_digits(number))
    channel = _channel(simulator, customer, sender)
    knobs = simulator.behaviour.of(customer.digits)
    content = {"type": "text", "text": {"body": text}}
    now = time.time()
    with simulator.database.transaction():
        customer = simulator.ledger.meet(
            customer.digits,
            whatsapp_id(customer.digits) if knobs.rewrite_wa_id else customer.wa_id,
        )
        wamid = _say(simulator, customer, now, text)
        event = inbound_event(
            wamid,
            customer,
            lane=customer.digits,
            phone_number_id=channel.phone_number_id,
            knobs=knobs,
            content=content,
            now=now,
        )
        simulator.ledger.open_window(channel.phone_number_id, customer.digits)
        queued = simulator.outbox.write([event])
    simulator.outbox.enqueue(queued)
    simulator.webhooks.wake()
    return wamid


def prefer(simulator: Simulator, number: str, value: str, sender: str | None) -> None:
    """A customer's `stop` or `resume` of marketing messages from `sender`."""
    customer = _customer(simulator, only_digits(number))
    channel = _channel(simulator, customer, sender)
    knobs = simulator.behaviour.of(customer.digits)
    with simulator.database.transaction():
        simulator.ledger.set_stopped(
            channel.phone_number_id, customer.digits, stopped=value == "stop"
        )
        event = preference_event(channel.phone_number_id, customer, knobs, value, time.time())
        queued = simulator.outbox.write([event])
    simulator.outbox.enqueue(queued)
    simulator.webhooks.wake()


def _find_button(buttons: list[dict[str, Any]], named: str) -> dict[str, Any]:
    # On the wire a button is `<our message id>:<button id>`: the flow's id is the rest.
    for names in (
        [button["label"] for button in buttons],
        [button["id"].partition(":")[2] for button in buttons],
        [button["id"] for button in buttons],
    ):
        if named in names:
            return buttons[names.index(named)]
    raise UnknownTargetError("the message has no such button")


def _reply_content(message: Accepted, tapped: dict[str, Any]) -> dict[str, Any]:
    if message.record["type"] == "template":
        return {"type": "button", "button": {"payload": tapped["id"], "text": tapped["label"]}}
    kind = message.record["request"]["interactive"]["type"]
    reply = "list_reply" if kind == "list" else "button_reply"
    content = {"id": tapped["id"], "title": tapped["label"]}
    if "description" in tapped:
        content["description"] = tapped["description"]
    return {"type": "interactive", "interactive": {"type": reply, reply: content}}


def _customer(simulator: Simulator, named: str) -> Customer:
    digits = simulator.ledger.digits_of(named) or named
    return simulator.ledger.customer(digits)


def _channel(simulator: Simulator, customer: Customer, sender: str | None) -> Channel:
    if sender is not None:
        channel = simulator.channels.by_phone_number(only_digits(sender))
    else:
        last = simulator.ledger.last_sender(customer.digits)
        channel = simulator.channels.get(last) or simulator.channels.first()
    if channel is None:
        raise UnknownTargetError("there is no such sender")
    return channel


def _say(
    simulator: Simulator, customer: Customer, now: float, text: str, reply_to: str | None = None
) -> str:
    """Keep what the customer's phone shows as their own; the id of the inbound message."""
    database = simulator.database
    number = database.next_number()
    wamid = message_id(customer.wa_id, database.instance, number)
    record = {
        "id": wamid,
        "from": f"+{customer.digits}",
        "text": text,
        "replyTo": reply_to,
        "at": timestamp(now),
    }
    simulator.ledger.add_said(number, customer.digits, record)
    return wamid
