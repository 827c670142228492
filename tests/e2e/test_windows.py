"""The two windows of a run: for a delivery that is late, and for clicks after the end."""

import pytest

from embedded.stack import Stack
from tests.e2e.business import Business, counts
from tests.e2e.closing import await_closed
from tests.e2e.conftest import Impatient
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import button, flow, invitation, template, text
from tests.e2e.patience import until


@pytest.fixture
def stack(impatient: Impatient) -> Stack:
    return impatient.stack


def test_a_message_that_never_arrives_ends_not_received(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """The due delay waits as long as it may; a delivery after that changes no outcome, but its buttons work."""
    off, on = numbers.take(2)
    customers.behave([off], deliver=False)
    sendout = business.start(name, invitation(1), [off, on])

    sendout.await_states(not_received=[off], completed=[on])

    assert customers.got(off) == ["Hello!"]
    assert sendout.read()["entries"] == counts(notReceived=1, completed=1)
    customers.behave([off])
    customers.tap(customers.await_message(off, "Hello!"), "yes")
    customers.await_message(off, "Here is more.")
    until(lambda seen: seen["messages"]["delivered"] == 4, sendout.read)
    assert sendout.states() == {off: "not_received", on: "completed"}
    assert customers.got(off) == ["Hello!", "Here is more."]


def test_a_late_click_opens_a_closed_run_again(
    stack: Stack, business: Business, customers: Customers, numbers: PhoneNumbers, name: str
):
    """Its answer is that of the version it was sent with; what was done before is not done again."""
    number = next(numbers)
    campaign_id = business.draft(name, invitation(1))
    business.post(f"/campaigns/{campaign_id}/publish")
    sendout = business.send(name, [number])
    sendout.await_states(completed=[number])
    run = sendout.entries()[number]["workflowId"]
    await_closed(stack, run)
    newer = flow(hello=template("Hello!", button("yes", "more")), more=text("Too late."))
    business.http.put(f"/campaigns/{campaign_id}/draft", json={"flow": newer}).raise_for_status()
    business.post(f"/campaigns/{campaign_id}/publish")

    wamid = customers.await_message(number, "Hello!")
    customers.tap(wamid, "yes")
    customers.await_message(number, "Here is more.")
    again = customers.tap(wamid, "yes")
    sendout.await_step(number, "click", inboundId=again, counted=False)
    await_closed(stack, run)
    customers.tap(wamid, "no")
    sendout.await_step(number, "click", button="no", counted=True)
    await_closed(stack, run)

    assert customers.got(number) == ["Hello!", "Still there?", "Here is more."]
    assert sendout.states() == {number: "completed"}
    assert sendout.read()["nodes"]["hello"]["clicked"] == {"yes": 1, "no": 1}
