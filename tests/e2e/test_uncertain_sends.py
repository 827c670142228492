"""Sends that WhatsApp may have taken without saying so: never repeated, and shown until settled."""

import pytest

from embedded.stack import Stack
from tests.e2e.business import Business, counts
from tests.e2e.conftest import Impatient
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import invitation
from tests.e2e.provider_events import Webhook, delivered


@pytest.fixture
def stack(impatient: Impatient) -> Stack:
    return impatient.stack


def test_a_status_settles_a_send_without_an_answer(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """A dropped connection, a server error or no answer in time after the message was taken: it counts as sent, once."""
    dropped, broken, slow = numbers.take(3)
    customers.behave([dropped], dropAfterAcceptRate=1)
    customers.behave([broken], http500AfterAcceptRate=1)
    # Taken half a second after the sender stopped waiting.
    customers.behave([slow], latencyMs=5000)
    everybody = [dropped, broken, slow]

    sendout = business.start(name, invitation(2), everybody)

    sendout.await_states(completed=everybody)
    assert customers.got_by(everybody) == {n: ["Hello!", "Still there?"] for n in everybody}
    messages = sendout.read()["messages"]
    assert (messages["sent"], messages["unknown"]) == (6, 0)


def test_a_send_that_nobody_confirms_is_given_up_and_shown(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """A server error that took nothing: the entry ends unknown, and its flow goes no further."""
    number = next(numbers)
    customers.behave([number], http500BeforeAcceptRate=1)

    sendout = business.start(name, invitation(1), [number])

    sendout.await_states(unknown=[number])
    assert customers.got(number) == []
    shown = sendout.read()
    assert shown["progress"] == "idle"
    assert shown["entries"] == counts(unknown=1)
    assert shown["messages"]["unknown"] == shown["nodes"]["hello"]["unknown"] == 1
    error = sendout.entry(number)["error"]
    assert error["code"] == "ERROR_CODE_WA_SOMETHING_WENT_WRONG"


def test_what_was_given_up_goes_on_when_it_is_settled_after_all(
    webhook: Webhook, business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """A late status or a tap shows that it had arrived: the delay runs from then, the button answers."""
    reported, tapping = numbers.take(2)
    customers.behave([reported, tapping], dropAfterAcceptRate=1, delayMs=3_600_000)
    sendout = business.start(name, invitation(2), [reported, tapping])
    sendout.await_states(unknown=[reported, tapping])
    assert sendout.read()["messages"]["unknown"] == 2
    customers.behave([reported, tapping])

    assert webhook.call(delivered(customers.messages(reported)[0])) == 200
    customers.tap(customers.await_message(tapping, "Hello!"), "yes")

    sendout.await_states(completed=[reported, tapping])
    assert customers.got(reported) == ["Hello!", "Still there?"]
    assert customers.got(tapping) == ["Hello!", "Here is more."]
    assert sendout.read()["messages"]["unknown"] == 0
