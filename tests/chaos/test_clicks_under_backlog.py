"""A customer who taps gets the reply soon, however many first messages wait before it."""

import time
from collections.abc import Callable
from datetime import datetime
from statistics import median

import pytest

from tests.chaos.conftest import Size
from tests.e2e.business import Business
from tests.e2e.customers import Customers, PhoneNumbers
from tests.e2e.flows import button, flow, template, text
from tests.e2e.patience import until

FLOW = flow(hello=template("Hello!", button("yes", "more")), more=text("Here is more."))
PER_SECOND = 10
SAMPLES = 20
FACTOR = 3.0
SLACK = 0.25
"""Seconds: a reply that takes its turn at the sender's rate waits for a tenth, and machines are noisy."""


@pytest.mark.parametrize("either_stack", ["give_up"], indirect=True)
def test_a_click_is_answered_soon_under_a_backlog(
    business: Business,
    customers: Customers,
    numbers: PhoneNumbers,
    name: str,
    size: Size,
    set_rate: Callable[[str, int], None],
):
    """The median from tap to reply among waiting first messages is at most three times the idle one."""
    set_rate("+15550001111", PER_SECOND)
    business.publish(name, FLOW)
    for _ in range(2):
        idle, busy = measure(business, customers, numbers, name, size.backlog)
        print(f"  from tap to reply: idle {idle:.3f} s, under backlog {busy:.3f} s")
        if busy <= FACTOR * idle + SLACK:
            return
    pytest.fail(f"a reply takes {busy:.3f} s under a backlog, and {idle:.3f} s without")


def measure(
    business: Business, customers: Customers, numbers: PhoneNumbers, name: str, backlog: int
) -> tuple[float, float]:
    """The median seconds from tap to reply: with nothing else to send, and with a backlog."""
    tapping = numbers.take(2 * SAMPLES)
    wamids = {}
    business.send(name, tapping).await_idle()
    for number in tapping:
        wamids[number] = customers.await_message(number, "Hello!")
    idle = median(answered_in(customers, wamids[n], n) for n in tapping[:SAMPLES])

    waiting = set(numbers.take(backlog))
    sendout = business.send(name, waiting)
    started = customers.messages()[-1]["id"]

    def sent() -> int:
        return sum(m["to"] in waiting for m in customers.messages(after=started))

    until(lambda seen: seen >= 2 * PER_SECOND, sent)
    busy = median(answered_in(customers, wamids[n], n) for n in tapping[SAMPLES:])
    was_waiting = sent() < backlog
    sendout.order("cancel")
    assert was_waiting or busy > FACTOR * idle + SLACK, "the backlog was over before the last tap"
    return idle, busy


def answered_in(customers: Customers, wamid: str, number: str) -> float:
    """Tap, and the seconds until WhatsApp has the reply, both by this machine's clock."""
    tapped = time.time()
    customers.tap(wamid, "yes")
    [reply] = until(bool, lambda: customers.messages(number, after=wamid), every=0.05)
    return datetime.fromisoformat(reply["acceptedAt"]).timestamp() - tapped
