"""A customer who taps gets the reply soon, however many first messages wait before it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from statistics import median

import pytest

from tests.chaos.conftest import Size
from tests.e2e.business import Business
from tests.e2e.customers import Customers, Message, PhoneNumbers
from tests.e2e.flows import button, flow, template, text
from tests.e2e.patience import until

FLOW = flow(hello=template("Hello!", button("yes", "more")), more=text("Here is more."))
PER_SECOND = 10
SAMPLES = 20
BACKLOG = 1000
OVERTAKEN = 5 * PER_SECOND
"""First messages that may go out between a tap and its reply. Some 200 wait in the queue before it."""
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
    """Replies overtake first messages; with a machine to itself, they take three times the idle time."""
    set_rate("+15550001111", PER_SECOND)
    business.publish(name, FLOW)
    for _ in range(2):
        seen = measure(business, customers, numbers, name)
        print(f"  from tap to reply: {seen}")
        assert seen.overtaken <= OVERTAKEN
        if not size.is_timed or seen.busy <= FACTOR * seen.idle + SLACK:
            return
    pytest.fail(f"a reply takes {seen.busy:.3f} s under a backlog, and {seen.idle:.3f} s without")


@dataclass(frozen=True)
class Measured:
    """Medians of the samples."""

    idle: float
    """Seconds from tap to reply with nothing else to send."""
    busy: float
    """The same while first messages wait."""
    overtaken: float
    """First messages that were accepted between the two."""


def measure(business: Business, customers: Customers, numbers: PhoneNumbers, name: str) -> Measured:
    """Tap with nothing else to send, and with a backlog."""
    tapping = numbers.take(2 * SAMPLES)
    wamids = {}
    business.send(name, tapping).await_idle()
    for number in tapping:
        wamids[number] = customers.await_message(number, "Hello!")
    idle = [answered(customers, wamids[n], n) for n in tapping[:SAMPLES]]

    waiting = set(numbers.take(BACKLOG))
    sendout = business.send(name, waiting)
    started = customers.messages()[-1]["id"]

    def sent() -> list[float]:
        return [at(m) for m in customers.messages(after=started) if m["to"] in waiting]

    until(lambda seen: len(seen) >= 2 * PER_SECOND, sent)
    busy = [answered(customers, wamids[n], n) for n in tapping[SAMPLES:]]
    times = sent()
    assert len(times) < BACKLOG
    sendout.order("cancel")
    return Measured(
        idle=median(reply - tap for tap, reply in idle),
        busy=median(reply - tap for tap, reply in busy),
        overtaken=median(sum(tap < time < reply for time in times) for tap, reply in busy),
    )


def answered(customers: Customers, wamid: str, number: str) -> tuple[float, float]:
    """Tap; when that was, and when WhatsApp had the reply, both by this machine's clock."""
    tapped = time.time()
    customers.tap(wamid, "yes")
    [reply] = until(bool, lambda: customers.messages(number, after=wamid), every=0.05)
    return tapped, at(reply)


def at(message: Message) -> float:
    """When a message was accepted, in seconds."""
    return datetime.fromisoformat(message["acceptedAt"]).timestamp()
