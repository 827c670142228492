"""What the business is told: one event each, before they are put together and sent."""

import hashlib
from typing import Any, Literal, NamedTuple

from whatsapp.simulator.behaviour import Knobs
from whatsapp.simulator.graph_error import webhook_error
from whatsapp.simulator.ledger import Accepted, Customer
from whatsapp.simulator.outgoing import Outgoing

Kind = Literal["status", "message", "preference"]


class Event(NamedTuple):
    """Something to tell the business at `due` (Unix seconds).

    Events of one `lane` are delivered in order. `document` holds the `item` (a status, message
    or preference), the `contact` beside it (or null), and for an event told out of turn the time
    it happened `at`.
    """

    lane: str
    phone_number_id: str
    kind: Kind
    due: float
    document: dict[str, Any]


# Three statuses, each twice.
_MOST_STATUSES = 6


def lanes_of_message(wamid: str) -> list[str]:
    """Every lane a message's events may be in: its own, and those of its shuffled statuses."""
    return [wamid, *(_side_lane(wamid, place) for place in range(_MOST_STATUSES))]


def contact(customer: Customer, knobs: Knobs) -> dict[str, Any]:
    """The contact object of a webhook, without the number when the customer hides it."""
    person: dict[str, Any] = {
        "profile": {"name": f"Customer {customer.digits[-4:]}"},
        "user_id": customer.user_id,
    }
    if not knobs.hide_phone:
        person["wa_id"] = customer.wa_id
    return person


def status_events(
    message: Accepted,
    sent: Outgoing,
    customer: Customer,
    *,
    knobs: Knobs,
    failure: int | None,
    now: float,
) -> list[Event]:
    """The statuses of a message accepted `now`: the first after one delay, each after another."""
    times = status_times(knobs, failed=failure is not None, now=now)
    names = [name for name, _ in times]
    documents = []
    for name in names:
        item = status(message.wamid, name, customer, knobs, sent.opaque)
        if failure is not None:
            item["errors"] = [webhook_error(failure)]
        elif name in {"sent", "delivered" if knobs.deliver else "read"}:
            item["pricing"] = _pricing(sent)
        documents.append(_document(item, customer, knobs, failed=failure is not None))
    dues = [due for _, due in times]
    lanes = [message.wamid] * len(names)
    if knobs.shuffle_statuses:
        for document, due in zip(documents, dues, strict=True):
            document["at"] = due
        order = _shuffled(names, f"{knobs.seed}:{customer.digits}:{message.number}")
        documents = [documents[place] for place in order]
        lanes = [_side_lane(message.wamid, place) for place in range(len(names))]
    return [
        Event(lane, message.phone_number_id, "status", due, document)
        for lane, due, document in zip(lanes, dues, documents, strict=True)
    ]


def status_times(knobs: Knobs, *, failed: bool, now: float) -> list[tuple[str, float]]:
    """What becomes of a message accepted `now`, and when (Unix seconds)."""
    delay = knobs.delay_ms / 1000
    names = _status_names(knobs, failed=failed)
    return [(name, now + delay * (place + 1)) for place, name in enumerate(names)]


def delivered_event(message: Accepted, customer: Customer, knobs: Knobs, now: float) -> Event:
    """The late `delivered` of a message whose recipient turned out to hold it after all."""
    item = status(message.wamid, "delivered", customer, knobs, message.record["opaque"])
    document = _document(item, customer, knobs)
    return Event(message.wamid, message.phone_number_id, "status", now, document)


def status(
    wamid: str, name: str, customer: Customer, knobs: Knobs, opaque: str | None
) -> dict[str, Any]:
    """A status object without its time; `conversation` is gone since Graph v24."""
    item: dict[str, Any] = {
        "id": wamid,
        "status": name,
        "recipient_user_id": customer.user_id,
    }
    if not knobs.hide_phone:
        item["recipient_id"] = customer.wa_id
    if opaque is not None:
        item["biz_opaque_callback_data"] = opaque
    return item


def inbound_event(
    wamid: str,
    customer: Customer,
    *,
    lane: str,
    phone_number_id: str,
    knobs: Knobs,
    content: dict[str, Any],
    now: float,
) -> Event:
    """A message from a customer; `content` is its type and what that type holds."""
    item = {"id": wamid, "from_user_id": customer.user_id, **content}
    if not knobs.hide_phone:
        item["from"] = customer.wa_id
    return Event(lane, phone_number_id, "message", now, _document(item, customer, knobs))


def preference_event(
    phone_number_id: str, customer: Customer, knobs: Knobs, value: str, now: float
) -> Event:
    """A customer stopped or resumed marketing messages in the app."""
    item: dict[str, Any] = {
        "detail": f"The user chose to {value} marketing messages",
        "category": "marketing_messages",
        "value": value,
        "user_id": customer.user_id,
    }
    if not knobs.hide_phone:
        item["wa_id"] = customer.wa_id
    document = _document(item, customer, knobs)
    return Event(customer.digits, phone_number_id, "preference", now, document)


def _document(
    item: dict[str, Any], customer: Customer, knobs: Knobs, *, failed: bool = False
) -> dict[str, Any]:
    # Failed statuses come without a contact.
    return {"item": item, "contact": None if failed else contact(customer, knobs)}


def _side_lane(wamid: str, place: int) -> str:
    return f"{wamid}#{place}"


def _status_names(knobs: Knobs, *, failed: bool) -> list[str]:
    names = ["failed"]
    if not failed:
        names = ["sent", *["delivered"] * knobs.deliver, *["read"] * knobs.read]
    return [name for name in names for _ in range(1 + knobs.duplicate_statuses)]


def _shuffled(names: list[str], key: str) -> list[int]:
    """The places of `names` in another order than their own, the same one for the same key."""
    order = sorted(
        range(len(names)), key=lambda place: hashlib.sha256(f"{key}:{place}".encode()).digest()
    )
    return order[::-1] if [names[place] for place in order] == names else order


def _pricing(sent: Outgoing) -> dict[str, Any]:
    category = sent.content.category
    free = category == "service"
    return {
        "billable": not free,
        "pricing_model": "PMP",
        "type": "free_customer_service" if free else "regular",
        "category": category,
    }
