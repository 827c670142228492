"""Trouble with a template or an account holds what it concerns; nothing fails for it, nothing is lost."""

import time
from typing import Any

from embedded import credentials
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.patience import eventually
from tests.e2e.provider_events import Webhook, body_of

PAUSED, NO_PAYMENT = 132015, 131042


def greeting(template: str) -> dict[str, Any]:
    """A flow of one marketing template of its own."""
    called = {"type": "template", "name": template, "language": "en", "category": "marketing"}
    hello = {"type": "message", "message": {**called, "preview": "Hello!"}}
    return {"format": 1, "start": "hello", "nodes": {"hello": hello}}


def template_status(event: str, template: str) -> bytes:
    """WhatsApp's word on a template."""
    named = {"message_template_name": template, "message_template_language": "en"}
    return body_of({"field": "message_template_status_update", "value": {"event": event, **named}})


def test_a_paused_template_is_held_by_an_answer_until_it_is_approved(
    business: Business, customers: Customers, numbers: PhoneNumbers, webhook: Webhook, name: str
):
    """The entries wait, also those whose send has not been tried; each gets one message then."""
    template = f"held_{time.time_ns()}"
    paused, waiting = numbers.take(2)
    customers.behave([paused], failWith={"code": PAUSED, "via": "answer", "times": 1})
    sendout = business.start(name, greeting(template), [paused])
    sendout.await_step(paused, "hold", heldFor="template", template=f"{template} (en)")
    business.send(name, [waiting])
    sendout.await_step(waiting, "hold", heldFor="template")
    sendout.await_states(running=[paused, waiting])
    (hold,) = sendout.read()["heldBy"]
    assert (hold["template"], hold["language"], hold["code"]) == (template, "en", PAUSED)

    assert webhook.call(template_status("APPROVED", template)) == 200

    sendout.await_states(completed=[paused, waiting])
    assert sendout.read()["heldBy"] == []
    for number in (paused, waiting):
        assert customers.got(number) == ["Hello!"]


def test_a_paused_template_is_held_by_a_status_whose_message_has_failed(
    business: Business, customers: Customers, numbers: PhoneNumbers, webhook: Webhook, name: str
):
    """The failed one is never sent again by itself; whoever comes after it waits."""
    template = f"held_{time.time_ns()}"
    failed, waiting = numbers.take(2)
    customers.behave([failed], failWith={"code": PAUSED, "via": "status"})
    sendout = business.start(name, greeting(template), [failed])
    sendout.await_states(failed=[failed])
    business.send(name, [waiting])
    sendout.await_step(waiting, "hold", heldFor="template")

    assert webhook.call(template_status("APPROVED", template)) == 200

    sendout.await_states(failed=[failed], completed=[waiting])
    assert customers.got(waiting) == ["Hello!"]
    assert len(customers.messages(failed)) == 1


def test_a_payment_problem_in_a_status_holds_the_channel(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """Released by hand, what was held is sent."""
    template = f"held_{time.time_ns()}"
    failed, waiting = numbers.take(2)
    customers.behave([failed], failWith={"code": NO_PAYMENT, "via": "status"})
    sendout = business.start(name, greeting(template), [failed])
    sendout.await_states(failed=[failed])
    (channel,) = business.get("/channels")["data"]
    try:
        assert channel["phoneNumber"] == credentials.PHONE_NUMBER
        assert (channel["state"], channel["hold"]["code"]) == ("held", NO_PAYMENT)
        business.send(name, [waiting])
        sendout.await_step(waiting, "hold", heldFor="channel")
        assert customers.messages(waiting) == []
    finally:
        business.post(f"/channels/{channel['channelId']}/release")
    eventually(lambda: customers.got(waiting), ["Hello!"])
    sendout.await_states(failed=[failed], completed=[waiting])
